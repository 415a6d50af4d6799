/* SPDX-License-Identifier: Apache-2.0
 * The parts of span.h that are too long to inline. */
#include "base/span.h"

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

bool span_eq_nocase(struct span a, struct span b)
{
    return a.size == b.size && span_starts_nocase(a, b);
}

bool span_starts_nocase(struct span s, struct span head)
{
    if (s.size < head.size)
        return false;
    for (size_t i = 0; i < head.size; i++)
        if (lower(s.at[i]) != lower(head.at[i]))
            return false;
    return true;
}

/* The place in the needle to look for first: a byte that is rare in text and markup. */
static size_t anchor_of(struct span needle)
{
    static const char common[] = "abcdefghijklmnopqrstuvwxyz <>\"=/-.\r\n";
    for (size_t i = 0; i < needle.size; i++)
        if (!memchr(common, needle.at[i], sizeof common - 1))
            return i;
    return 0;
}

/* memchr for one rare byte, then compare: for needles this short and texts this small it beats memmem, which prepares a
 * table at each call. */
size_t span_find(struct span s, struct span needle, size_t from)
{
    if (from > s.size || needle.size > s.size - from)
        return SIZE_MAX;
    if (needle.size == 0)
        return from;
    size_t anchor = anchor_of(needle), end = s.size - needle.size + anchor + 1; /* where the anchor may stand, at most */
    for (size_t at = from + anchor; at < end; at++) {
        const uint8_t *hit = memchr(s.at + at, needle.at[anchor], end - at);
        if (!hit)
            return SIZE_MAX;
        at = (size_t)(hit - s.at);
        if (memcmp(hit - anchor, needle.at, needle.size) == 0)
            return at - anchor;
    }
    return SIZE_MAX;
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
