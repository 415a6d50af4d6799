/* SPDX-License-Identifier: Apache-2.0
 * A list of pieces out of the multipart reader's parts. */
#include "app/byteranges.h"

#include "base/err.h"

#include <inttypes.h>
#include <stdio.h>

static void add_line(struct byteranges *b, const char *line, int size)
{
    if ((size_t)size > sizeof b->list - b->size) {
        b->is_given_up = true;
        return;
    }
    memcpy(b->list + b->size, line, (size_t)size);
    b->size = (uint16_t)(b->size + size);
}

static void on_part(void *ctx, const struct multipart_part *part)
{
    struct byteranges *b = ctx;
    const struct content_range *r = &part->range;
    char line[80];
    uint64_t size = r->last - r->first + 1;
    bool fits = part->is_complete ? part->size == size : !part->is_unsure && part->size <= size;
    if (!r->has_range || !r->has_total || !fits || part->number == MULTIPART_PARTS_MAX) {
        b->is_given_up = true;
        return;
    }
    add_line(b, line, snprintf(line, sizeof line, "p%" PRIu64 "-%" PRIu64 "/%" PRIu64 "\n", r->first,
                               r->first + part->size, r->total));
}

int byteranges_init(struct byteranges *b, struct span boundary)
{
    const struct multipart_hooks hooks = {.ctx = b, .on_part = on_part};
    b->is_given_up = false;
    b->size = 0;
    return multipart_init(&b->reader, boundary, NULL, 0, &hooks);
}

void byteranges_feed(struct byteranges *b, struct span bytes)
{
    if (!b->is_given_up)
        multipart_feed(&b->reader, bytes);
}

void byteranges_gap(struct byteranges *b, uint64_t bytes)
{
    if (!b->reader.in_part) /* a boundary and the next part's head are gone */
        b->is_given_up = true;
    if (!b->is_given_up)
        multipart_gap(&b->reader, bytes);
}

struct span byteranges_end(struct byteranges *b)
{
    if (!b->is_given_up)
        multipart_end(&b->reader);
    add_line(b, "p.\n", 3);
    return b->is_given_up ? SPAN("") : span_of(b->list, b->size);
}
