/* SPDX-License-Identifier: Apache-2.0
 * A borrowed run of bytes, and a cursor over one. Neither owns memory; both are values.
 * Every parser of foreign bytes reads through these, so that bounds are checked in one place. */
#ifndef BASE_SPAN_H
#define BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
    const uint8_t *at; /* may be NULL when size is 0 */
    size_t size;       /* bytes */
};

#define SPAN(literal) ((struct span){(const uint8_t *)(literal), sizeof(literal) - 1})

static inline struct span span_of(const void *at, size_t size)
{
    return (struct span){(const uint8_t *)at, size};
}

static inline struct span span_text(const char *text)
{
    return span_of(text, text ? strlen(text) : 0);
}

/* The part of 's' that begins at 'from' and is at most 'size' long; clamped to what there is. */
static inline struct span span_sub(struct span s, size_t from, size_t size)
{
    if (from > s.size)
        from = s.size;
    if (size > s.size - from)
        size = s.size - from;
    return span_of(s.at ? s.at + from : NULL, size);
}

static inline struct span span_from(struct span s, size_t from)
{
    return span_sub(s, from, SIZE_MAX);
}

static inline bool span_eq(struct span a, struct span b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.at, b.at, a.size) == 0);
}

static inline bool span_starts(struct span s, struct span head)
{
    return s.size >= head.size && span_eq(span_sub(s, 0, head.size), head);
}

/* Index of the first 'byte' at or after 'from', or SIZE_MAX. */
static inline size_t span_find_byte(struct span s, uint8_t byte, size_t from)
{
    if (from >= s.size)
        return SIZE_MAX;
    const uint8_t *hit = memchr(s.at + from, byte, s.size - from);
    return hit ? (size_t)(hit - s.at) : SIZE_MAX;
}

bool span_starts_nocase(struct span s, struct span head);
/* Equal but for ASCII case. */
static inline bool span_eq_nocase(struct span a, struct span b)
{
    return a.size == b.size && span_starts_nocase(a, b);
}
/* Index of the first occurrence of 'needle' at or after 'from', or SIZE_MAX; exact, or ASCII-caseless. */
size_t span_find(struct span s, struct span needle, size_t from);
/* span_find in two steps, for a needle that is looked for again and again: the place in it to look for first (a byte that is
 * rare in text and markup; any place in it is right, 0 of an empty one), and the search by it. */
size_t span_anchor(struct span needle);
size_t span_find_by(struct span s, struct span needle, size_t anchor, size_t from);
size_t span_find_nocase(struct span s, struct span needle, size_t from);
/* Without leading and trailing space, tab, CR and LF. */
struct span span_trim(struct span s);
/* As much of s as fits into out, A to Z in lower case. */
struct span span_lower(struct span s, uint8_t *out, size_t size);
/* Takes the part before the next 'byte' off the front of *rest (and the byte). False when *rest was used up:
 * an empty *rest with at == NULL is the end, so "a," yields "a" and "". */
bool span_split(struct span *rest, uint8_t byte, struct span *part);
/* Decimal number without sign; false when empty, when another character stands in it, or on overflow. */
bool span_u64(struct span s, uint64_t *value);

/* A big-endian cursor with a sticky error: after the first read past the end it yields zeros and is_bad stays set,
 * so a caller reads a whole structure and checks once (but always before it acts on a length). */
struct reader {
    struct span left; /* what has not been read */
    bool is_bad;
};

static inline struct reader reader_of(struct span s)
{
    return (struct reader){s, false};
}

static inline struct span reader_span(struct reader *r, size_t size)
{
    if (r->is_bad || size > r->left.size) {
        r->is_bad = true;
        r->left = span_of(NULL, 0);
        return span_of(NULL, 0);
    }
    struct span got = span_sub(r->left, 0, size);
    r->left = span_from(r->left, size);
    return got;
}

static inline void reader_skip(struct reader *r, size_t size)
{
    (void)reader_span(r, size); /* only the move and the sticky error matter */
}

static inline uint8_t reader_u8(struct reader *r)
{
    struct span s = reader_span(r, 1);
    return s.size ? s.at[0] : 0;
}

static inline uint16_t reader_u16(struct reader *r)
{
    struct span s = reader_span(r, 2);
    return (uint16_t)(s.size ? s.at[0] << 8 | s.at[1] : 0);
}

static inline uint32_t reader_u24(struct reader *r)
{
    struct span s = reader_span(r, 3);
    return s.size ? (uint32_t)s.at[0] << 16 | (uint32_t)s.at[1] << 8 | s.at[2] : 0;
}

static inline uint32_t reader_u32(struct reader *r)
{
    struct span s = reader_span(r, 4);
    return s.size ? (uint32_t)s.at[0] << 24 | (uint32_t)s.at[1] << 16 | (uint32_t)s.at[2] << 8 | s.at[3] : 0;
}

static inline uint64_t reader_u64(struct reader *r)
{
    uint64_t high = reader_u32(r);
    return high << 32 | reader_u32(r);
}

#endif
