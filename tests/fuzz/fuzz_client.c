/* SPDX-License-Identifier: Apache-2.0
 * User-Agents of any bytes: the label is printable and ends, the family has a name. */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "enrich/client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct user_agent client;
    client_parse(span_of(data, size), &client);
    ASSERT(memchr(client.label, 0, sizeof client.label));
    for (const char *at = client.label; *at; at++)
        ASSERT(*at >= ' ' && *at < 0x7f);
    ASSERT(client_family_name(client.family)[0]);
    ASSERT(client.family != CLIENT_UNKNOWN);
    return 0;
}
