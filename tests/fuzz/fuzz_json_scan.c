/* SPDX-License-Identifier: Apache-2.0
 * The JSON scanner: the same text whole, in slices, and with a gap. Whole and slices have to find the same. */
#include "base/assert.h"
#include "base/hash.h"
#include "wire/json_scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct json_pointer pointers[JSON_SCAN_POINTERS];

static void compile(void)
{
    static const struct {
        const char *text;
        enum json_scan_want want;
    } list[JSON_SCAN_POINTERS] = {
        {"/a", JSON_SCAN_TEXT},
        {"/c", JSON_SCAN_BASE64},
        {"/p", JSON_SCAN_SIZE},
        {"/f/[n=A]/v/0", JSON_SCAN_TEXT},
        {"/i/*/a", JSON_SCAN_TEXT},
        {"/0/1", JSON_SCAN_LONG},
        {"/*/*/*/*/*/*/*/*", JSON_SCAN_TEXT},
        {"/f/[n=A]/c", JSON_SCAN_BASE64},
    };
    if (pointers[0].n == 0)
        for (size_t i = 0; i < JSON_SCAN_POINTERS; i++)
            ASSERT(json_pointer_compile(span_text(list[i].text), list[i].want, &pointers[i], NULL) == 0);
}

static void on_value(void *ctx, size_t which, uint32_t element, const struct json_value *v)
{
    uint64_t *hash = ctx;
    const uint64_t facts[] = {which, element, v->kind, v->is_cut, v->is_unsure, v->n, v->size};
    ASSERT(v->is_done && v->n > 0 && v->text_size <= JSON_SCAN_VALUE_MAX);
    *hash = hash64(span_of(facts, sizeof facts), *hash);
    *hash = hash64(json_value_text(v), *hash);
}

static uint64_t scan_all(struct json_scan *s, struct span text, size_t step, size_t gap_at)
{
    uint64_t hash = 0;
    static struct json_long room;
    json_scan_init(s, pointers, JSON_SCAN_POINTERS, on_value, &hash);
    s->room = &room;
    for (size_t at = 0; at < text.size; at += step) {
        struct span slice = span_sub(text, at, step);
        if (gap_at != SIZE_MAX && at / step == gap_at)
            json_scan_gap(s, slice.size);
        else
            json_scan_feed(s, slice);
    }
    for (size_t i = 0; i < JSON_SCAN_POINTERS; i++)
        ASSERT(s->values[i].text_size <= JSON_SCAN_VALUE_MAX && (s->values[i].n > 0) <= s->values[i].is_done);
    ASSERT(s->depth <= JSON_POINTER_STEPS);
    return s->values[5].size ? hash64(span_of(room.bytes, room.size), hash) : hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct json_scan whole, sliced, lossy;
    if (size < 2)
        return 0;
    compile();
    struct span text = span_of(data + 2, size - 2);
    size_t step = data[0] % 11 + 1;
    uint64_t first = scan_all(&whole, text, text.size + 1, SIZE_MAX);
    ASSERT(first == scan_all(&sliced, text, step, SIZE_MAX));
    ASSERT(whole.is_done == sliced.is_done && whole.is_broken == sliced.is_broken);
    for (size_t i = 0; i < JSON_SCAN_POINTERS; i++)
        ASSERT(whole.values[i].n == sliced.values[i].n && whole.values[i].size == sliced.values[i].size);
    (void)scan_all(&lossy, text, step, data[1]);
    return 0;
}
