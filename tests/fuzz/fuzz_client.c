/* SPDX-License-Identifier: Apache-2.0
 * User-Agents of any bytes, and client hints, of which the lines are the four fields: the label is printable and ends,
 * the family has a name; hints name only what their tables have. */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "enrich/client_hints.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_label(const struct user_agent *client)
{
    ASSERT(memchr(client->label, 0, sizeof client->label));
    for (const char *at = client->label; *at; at++)
        ASSERT(*at >= ' ' && *at < 0x7f);
    ASSERT(client_family_name(client->family)[0]);
    ASSERT(client->family != CLIENT_UNKNOWN);
}

static void check_hints(struct span rest, struct user_agent *client)
{
    struct client_hints_fields fields = {0};
    struct span *const to[] = {&fields.brands, &fields.platform, &fields.platform_version, &fields.full};
    for (size_t i = 0; i < sizeof to / sizeof *to && span_split(&rest, '\n', to[i]); i++)
        ;
    struct client_hints hints;
    client_hints_parse(&fields, &hints);
    ASSERT(hints.os < OS_N && hints.family < CLIENT_N);
    ASSERT(hints.is_seen || (!hints.os && !hints.family && !hints.chromium));
    ASSERT(hints.is_seen || !client_hints_differ(&hints, client));
    client_hints_add(&hints, client);
    check_label(client);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct user_agent client;
    client_parse(span_of(data, size), &client);
    check_label(&client);
    check_hints(span_of(data, size), &client);
    return 0;
}
