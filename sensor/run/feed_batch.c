/* SPDX-License-Identifier: Apache-2.0
 *     version, flags, now, count, count times (length of the name or 0 when it is the one before, name, number less the one that was
 *     to be expected, length, candidate), XXH3 of all this in 8 bytes; numbers as of base/varint.h */
#include "run/feed_batch.h"

#include "base/err.h"
#include "base/hash.h"
#include "base/varint.h"
#include "wire/base64.h"

#define SUM_SIZE 8
#define SUM_SEED 0x6665656463617365u
#define LINE_HEAD "{\"casetap\":{\"feed\":\""
#define LINE_TAIL "\"}}\n"

bool feed_name_is_good(const char *name)
{
    size_t n = name ? strlen(name) : 0;
    static const char good[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    return n >= 1 && n <= FEED_NAME_MAX && strspn(name, good) == n;
}

void feed_build_add(struct feed_build *b, const struct feed_item *item)
{
    bool is_same = b->n && span_eq(item->sensor, span_text(b->sensor));
    if (!b->n)
        text_clear(&b->body);
    varint_add(&b->body, is_same ? 0 : item->sensor.size);
    if (!is_same) {
        text_add(&b->body, item->sensor);
        memset(b->sensor, 0, sizeof b->sensor);
        memcpy(b->sensor, item->sensor.at, item->sensor.size < FEED_NAME_MAX ? item->sensor.size : FEED_NAME_MAX);
        b->next = 0;
    }
    varint_add(&b->body, item->number - b->next);
    b->next = item->number + 1;
    varint_add(&b->body, item->packed.size);
    text_add(&b->body, item->packed);
    b->n++;
}

bool feed_build_is_full(const struct feed_build *b)
{
    return b->n >= FEED_BATCH_ITEMS || (b->n && b->body.size >= FEED_BATCH_BYTES);
}

struct span feed_build_end(struct feed_build *b, uint64_t now_ns, uint32_t flags)
{
    uint8_t sum[SUM_SIZE];
    text_clear(&b->out);
    varint_add(&b->out, FEED_VERSION);
    varint_add(&b->out, flags);
    varint_add(&b->out, now_ns);
    varint_add(&b->out, b->n);
    if (b->n)
        text_add(&b->out, text_span(&b->body));
    uint64_t h = hash64(text_span(&b->out), SUM_SEED);
    for (unsigned i = 0; i < SUM_SIZE; i++)
        sum[i] = (uint8_t)(h >> (56 - 8 * i));
    text_add(&b->out, span_of(sum, sizeof sum));
    b->n = 0;
    return text_span(&b->out);
}

void feed_build_fini(struct feed_build *b)
{
    text_fini(&b->body);
    text_fini(&b->out);
}

bool feed_batch_next(struct feed_batch *b, struct feed_item *item)
{
    if (!b->n || b->r.is_bad)
        return false;
    uint64_t name = varint_read(&b->r);
    if (name) {
        b->sensor = name <= FEED_NAME_MAX ? reader_span(&b->r, name) : span_of(NULL, 0);
        b->next = 0;
    }
    item->sensor = b->sensor;
    item->number = b->next + varint_read(&b->r);
    uint64_t size = varint_read(&b->r);
    bool is_good = b->sensor.size && item->number >= b->next && item->number < UINT64_MAX && size <= ACTIVITY_PACK_MAX;
    item->packed = is_good ? reader_span(&b->r, size) : span_of(NULL, 0);
    b->next = item->number + 1;
    b->r.is_bad = b->r.is_bad || !is_good;
    b->n--;
    return !b->r.is_bad;
}

/* All of it is walked through once, so that whoever applies it need not stop in the middle. */
static bool is_whole(struct feed_batch b)
{
    struct feed_item item;
    while (feed_batch_next(&b, &item)) {
        char name[FEED_NAME_MAX + 1] = "";
        memcpy(name, item.sensor.at, item.sensor.size);
        if (!feed_name_is_good(name))
            return false;
    }
    return !b.r.is_bad && !b.n && !b.r.left.size;
}

int feed_batch_body(struct span body, struct feed_batch *b, struct text *why)
{
    *b = (struct feed_batch){.r = reader_of(body)};
    uint64_t version = varint_read(&b->r), flags = varint_read(&b->r);
    if (!b->r.is_bad && version != FEED_VERSION) {
        text_addf(why, "an entry of version %llu (this casetap knows %d)", (unsigned long long)version, FEED_VERSION);
        return E_STATE;
    }
    b->flags = (uint32_t)flags;
    b->now_ns = varint_read(&b->r);
    uint64_t n = varint_read(&b->r);
    b->n = (uint32_t)n;
    if (b->r.is_bad || flags > FEED_BATCH_END || n > FEED_BATCH_ITEMS || !is_whole(*b)) {
        text_add_str(why, "an entry that is none of ours");
        return E_BAD;
    }
    return E_OK;
}

int feed_batch_read(struct span entry, struct feed_batch *b, struct text *why)
{
    struct span body = span_sub(entry, 0, entry.size < SUM_SIZE ? 0 : entry.size - SUM_SIZE);
    struct reader sum = reader_of(span_from(entry, body.size));
    struct reader head = reader_of(entry);
    uint64_t version = varint_read(&head);
    bool is_other = !head.is_bad && version != FEED_VERSION; /* another version may sum otherwise */
    if (!is_other && (entry.size > FEED_BATCH_MAX || reader_u64(&sum) != hash64(body, SUM_SEED) || sum.is_bad)) {
        text_add_str(why, "an entry whose checksum is wrong");
        return E_BAD;
    }
    return feed_batch_body(body, b, why);
}

static void add_base64(struct span s, struct text *out)
{
    static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < s.size; i += 3) {
        size_t left = s.size - i;
        uint32_t bits = (uint32_t)s.at[i] << 16 | (left > 1 ? (uint32_t)s.at[i + 1] << 8 : 0) | (left > 2 ? s.at[i + 2] : 0);
        char four[4] = {set[bits >> 18], set[bits >> 12 & 63], left > 1 ? set[bits >> 6 & 63] : '=', left > 2 ? set[bits & 63] : '='};
        text_add(out, span_of(four, sizeof four));
    }
}

void feed_line(struct span entry, struct text *out)
{
    text_clear(out);
    text_add_str(out, LINE_HEAD);
    add_base64(entry, out);
    text_add_str(out, LINE_TAIL);
}

struct span feed_line_read(struct span line, uint8_t *out)
{
    struct span head = SPAN(LINE_HEAD), tail = SPAN("\"}}");
    size_t size = 0;
    line = span_trim(line);
    if (line.size < head.size + tail.size || !span_starts(line, head) || !span_eq(span_from(line, line.size - tail.size), tail))
        return span_of(NULL, 0);
    struct span text = span_sub(line, head.size, line.size - head.size - tail.size);
    return base64_decode(text, out, FEED_BATCH_MAX, &size) == E_OK ? span_of(out, size) : span_of(NULL, 0);
}
