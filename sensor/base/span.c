/* SPDX-License-Identifier: Apache-2.0
 * The parts of span.h that are too long to inline. */
#include "base/span.h"

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

/* Eight bytes at once: sets the case bit of those that are A to Z. A byte's high bit after the additions tells whether its
 * low seven bits are at or behind 'A', and behind 'Z'. */
static uint64_t lower8(const uint8_t *at)
{
    const uint64_t ones = 0x0101010101010101u;
    uint64_t word;
    memcpy(&word, at, sizeof word);
    uint64_t low = word & (0x7f * ones);
    uint64_t is_upper = (low + (0x80 - 'A') * ones) & ~(low + (0x7f - 'Z') * ones) & ~word & (0x80 * ones);
    return word | is_upper >> 2;
}

bool span_starts_nocase(struct span s, struct span head)
{
    size_t i = 0, size = head.size;
    if (s.size < size)
        return false;
    for (; i + 8 <= size; i += 8)
        if (lower8(s.at + i) != lower8(head.at + i))
            return false;
    if (i < size && size >= 8)
        return lower8(s.at + size - 8) == lower8(head.at + size - 8);
    for (; i < size; i++)
        if (lower(s.at[i]) != lower(head.at[i]))
            return false;
    return true;
}

static bool is_common(uint8_t c)
{
    switch (c) {
    case 'a' ... 'z': case ' ': case '<': case '>': case '"': case '=': case '/': case '-': case '.': case '\r': case '\n':
        return true;
    default:
        return false;
    }
}

size_t span_anchor(struct span needle)
{
    for (size_t i = 0; i < needle.size; i++)
        if (!is_common(needle.at[i]))
            return i;
    return 0;
}

/* memchr for one rare byte, then compare: for needles this short and texts this small it beats memmem, which prepares a
 * table at each call. */
size_t span_find_by(struct span s, struct span needle, size_t anchor, size_t from)
{
    if (from > s.size || needle.size > s.size - from)
        return SIZE_MAX;
    if (needle.size == 0)
        return from;
    size_t end = s.size - needle.size + anchor + 1; /* where the anchor may stand, at most */
    size_t beside = anchor + 1 < needle.size ? anchor + 1 : 0; /* looked at before a call is made for all of them */
    for (size_t at = from + anchor; at < end; at++) {
        const uint8_t *hit = memchr(s.at + at, needle.at[anchor], end - at);
        if (!hit)
            return SIZE_MAX;
        at = (size_t)(hit - s.at);
        if ((hit - anchor)[beside] == needle.at[beside] && memcmp(hit - anchor, needle.at, needle.size) == 0)
            return at - anchor;
    }
    return SIZE_MAX;
}

size_t span_find(struct span s, struct span needle, size_t from)
{
    return span_find_by(s, needle, span_anchor(needle), from);
}

size_t span_find_nocase(struct span s, struct span needle, size_t from)
{
    for (size_t i = from; i <= s.size && needle.size <= s.size - i; i++)
        if (span_starts_nocase(span_from(s, i), needle))
            return i;
    return SIZE_MAX;
}

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct span span_trim(struct span s)
{
    while (s.size && is_space(s.at[0]))
        s = span_from(s, 1);
    while (s.size && is_space(s.at[s.size - 1]))
        s.size--;
    return s;
}

bool span_split(struct span *rest, uint8_t byte, struct span *part)
{
    if (!rest->at)
        return false;
    size_t end = span_find_byte(*rest, byte, 0);
    if (end == SIZE_MAX) {
        *part = *rest;
        *rest = span_of(NULL, 0);
    } else {
        *part = span_sub(*rest, 0, end);
        *rest = span_of(rest->at + end + 1, rest->size - end - 1);
    }
    return true;
}

bool span_u64(struct span s, uint64_t *value)
{
    uint64_t sum = 0;
    if (s.size == 0)
        return false;
    for (size_t i = 0; i < s.size; i++) {
        unsigned digit = (unsigned)s.at[i] - '0';
        if (digit > 9 || sum > (UINT64_MAX - digit) / 10)
            return false;
        sum = sum * 10 + digit;
    }
    *value = sum;
    return true;
}

struct span span_lower(struct span s, uint8_t *out, size_t size)
{
    s = span_sub(s, 0, size);
    for (size_t i = 0; i < s.size; i++)
        out[i] = lower(s.at[i]);
    return span_of(out, s.size);
}
