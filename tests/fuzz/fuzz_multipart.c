/* SPDX-License-Identifier: Apache-2.0
 * Multipart bodies: the input is a boundary line and a body, read whole, in small slices, and with a gap. Whole and
 * slices have to tell the same, parts never hold more than the body, and values keep to their caps. */
#include "base/assert.h"
#include "base/hash.h"
#include "wire/multipart.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct told {
    uint64_t hash, bytes, data;
    uint32_t begun, ended;
};

static void mix(struct told *t, struct span s)
{
    t->hash = hash64(s, t->hash);
}

static void on_begin(void *ctx, const struct multipart_part *p)
{
    struct told *t = ctx;
    ASSERT(p->number == ++t->begun);
}

static void on_data(void *ctx, struct span bytes)
{
    struct told *t = ctx;
    ASSERT(bytes.size && t->begun == t->ended + 1);
    t->data += bytes.size;
}

static void on_part(void *ctx, const struct multipart_part *p)
{
    struct told *t = ctx;
    ASSERT(t->begun == ++t->ended);
    ASSERT(t->data <= p->size); /* long white space behind what looked like a boundary is counted, not handed out */
    t->data = 0;
    t->bytes += p->size;
    mix(t, p->name);
    mix(t, p->filename);
    mix(t, content_type_media(&p->type));
    mix(t, span_of(&p->size, sizeof p->size));
    const bool flags[] = {p->has_filename, p->is_unsure, p->is_complete, p->range.has_range};
    mix(t, span_of(flags, sizeof flags));
}

static const struct multipart_want want[] = {{{(const uint8_t *)"id", 2}, false},
                                             {{(const uint8_t *)"Pass1", 5}, true}};

static void read_all(struct span boundary, struct span body, size_t step, size_t gap_at, struct multipart *m,
                     struct told *t)
{
    const struct multipart_hooks hooks = {t, on_begin, on_part, on_data};
    *t = (struct told){0};
    if (multipart_init(m, boundary, want, 2, &hooks) != 0)
        return;
    for (size_t at = 0; at < body.size; at += step) {
        struct span slice = span_sub(body, at, step);
        if (gap_at != SIZE_MAX && at / step == gap_at)
            multipart_gap(m, slice.size);
        else
            multipart_feed(m, slice);
    }
    multipart_end(m);
    for (int i = 0; i < 2; i++)
        ASSERT(m->values[i].kept <= MULTIPART_VALUE_MAX && m->values[i].kept <= m->values[i].size);
    ASSERT(m->values[1].kept == 0);
    ASSERT(t->begun == t->ended && t->bytes <= body.size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct multipart whole, sliced, lossy;
    struct told a, b, c;
    struct span rest = span_of(data, size), boundary;
    if (size < 2)
        return 0;
    size_t step = data[0] % 11 + 1, gap_at = data[1];
    rest = span_from(rest, 2);
    if (!span_split(&rest, '\n', &boundary))
        return 0;
    read_all(boundary, rest, rest.size + 1, SIZE_MAX, &whole, &a);
    read_all(boundary, rest, step, SIZE_MAX, &sliced, &b);
    ASSERT(a.hash == b.hash && a.ended == b.ended && multipart_is_done(&whole) == multipart_is_done(&sliced));
    for (int i = 0; i < 2; i++)
        ASSERT(whole.values[i].size == sliced.values[i].size && whole.values[i].kept == sliced.values[i].kept &&
               memcmp(whole.values[i].bytes, sliced.values[i].bytes, whole.values[i].kept) == 0);
    read_all(boundary, rest, step, gap_at, &lossy, &c);
    return 0;
}
