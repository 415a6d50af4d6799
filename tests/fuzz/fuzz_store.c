/* SPDX-License-Identifier: Apache-2.0
 * What stored state is read from: snapshot files, names, Redis addresses, INFO. The first byte says which. What was
 * accepted must survive the way back. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/err.h"
#include "io/redis_url.h"
#include "store/redis_facts.h"
#include "store/snapshot.h"
#include "store/store_keys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_name(struct span input, struct text *text)
{
    struct store_name name, again;
    if (!store_unescape(input, &name))
        return;
    store_escape(text, store_name_span(&name));
    ASSERT(store_unescape(text_span(text), &again) && memcmp(&name, &again, sizeof name) == 0);
}

static void fuzz_url(struct span input, struct text *text)
{
    struct redis_url url;
    char copy[1024];
    struct span cut = span_sub(input, 0, sizeof copy - 1);
    memcpy(copy, cut.at, cut.size);
    copy[cut.size] = 0;
    if (redis_url_parse(copy, &url, text) == E_OK)
        ASSERT(url.where[0] && (url.host[0] || url.path[0]) && text->size == 0);
    else
        ASSERT(text->size > 0 && !url.password[0]);
}

static int on_line(void *ctx, const char *section, const char *line, uint32_t number, struct text *why)
{
    struct baseline *b = ctx;
    char field[BASELINE_FIELD_MAX];
    const char *blank = strchr(line, ' ');
    (void)section;
    (void)number;
    (void)why;
    if (!blank || (size_t)(blank - line) >= sizeof field)
        return E_OK;
    memcpy(field, line, (size_t)(blank - line));
    field[blank - line] = 0;
    baseline_read(b, field, blank + 1);
    return E_OK;
}

static void on_field(void *ctx, const char *field, const char *value)
{
    ASSERT(baseline_read(ctx, field, value) == E_OK);
}

/* The file's lines are also read as a baseline, whether or not the file is whole. */
static void fuzz_file(struct span input, struct text *text)
{
    struct baseline b, again;
    char path[64];
    int fd = memfd_create("state", 0);
    baseline_init(&b, SPAN("fuzz"));
    again = b;
    if (fd < 0 || write(fd, input.at, input.size) != (ssize_t)input.size)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int result = snapshot_load(path, on_line, &b, text);
    ASSERT(result == E_OK || (result == E_BAD && text->size > 0));
    close(fd);
    baseline_write(&b, on_field, &again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text text = {0};
    struct redis_facts facts;
    if (size == 0)
        return 0;
    struct span input = span_of(data + 1, size - 1);
    switch (data[0] % 4) {
    case 0: fuzz_name(input, &text); break;
    case 1: fuzz_url(input, &text); break;
    case 2: fuzz_file(input, &text); break;
    default:
        if (redis_facts_parse(input, &facts) == E_OK)
            redis_facts_judge(&facts, &text);
    }
    text_fini(&text);
    return 0;
}
