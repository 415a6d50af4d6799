/* SPDX-License-Identifier: Apache-2.0
 * Well-formed UTF-8: the ranges of Unicode 15, table 3-7, with a word at a time for ASCII. */
#include "record/utf8.h"

static bool is_tail(uint8_t byte)
{
    return (byte & 0xc0u) == 0x80;
}

size_t utf8_char(struct span s)
{
    if (s.size == 0)
        return 0;
    const uint8_t *p = s.at;
    if (p[0] < 0x80)
        return 1;
    if (p[0] < 0xc2 || p[0] > 0xf4)
        return 0;
    if (p[0] < 0xe0)
        return s.size >= 2 && is_tail(p[1]) ? 2 : 0;
    if (p[0] < 0xf0) {
        if (s.size < 3 || !is_tail(p[1]) || !is_tail(p[2]))
            return 0;
        bool is_overlong = p[0] == 0xe0 && p[1] < 0xa0, is_surrogate = p[0] == 0xed && p[1] > 0x9f;
        return is_overlong || is_surrogate ? 0 : 3;
    }
    if (s.size < 4 || !is_tail(p[1]) || !is_tail(p[2]) || !is_tail(p[3]))
        return 0;
    bool is_overlong = p[0] == 0xf0 && p[1] < 0x90, is_beyond = p[0] == 0xf4 && p[1] > 0x8f;
    return is_overlong || is_beyond ? 0 : 4;
}

static bool is_ascii16(const uint8_t *at)
{
    uint64_t words[2];
    memcpy(words, at, sizeof words);
    return ((words[0] | words[1]) & 0x8080808080808080ULL) == 0;
}

static bool is_ascii8(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return (word & 0x8080808080808080ULL) == 0;
}

/* Nearly every text is. */
static bool is_ascii(struct span s)
{
    size_t i = 0;
    uint8_t any = 0;
    for (; i + 16 <= s.size; i += 16)
        if (!is_ascii16(s.at + i))
            return false;
    if (s.size >= 16)
        return is_ascii16(s.at + s.size - 16);
    if (s.size >= 8)
        return is_ascii8(s.at) && is_ascii8(s.at + s.size - 8);
    for (; i < s.size; i++)
        any |= s.at[i];
    return any < 0x80;
}

size_t utf8_valid(struct span s)
{
    size_t i = 0;
    if (is_ascii(s))
        return s.size;
    while (i < s.size) {
        if (s.size - i >= 8 && is_ascii8(s.at + i)) {
            i += 8;
            continue;
        }
        size_t n = utf8_char(span_from(s, i));
        if (n == 0)
            return i;
        i += n;
    }
    return i;
}

size_t utf8_copy(struct span s, uint8_t *out, size_t max, bool *is_cut)
{
    size_t used = 0;
    for (size_t i = 0; i < s.size;) {
        size_t n = utf8_char(span_from(s, i));
        const uint8_t *from = n ? s.at + i : (const uint8_t *)"\xef\xbf\xbd";
        size_t width = n ? n : 3;
        if (width > max - used) {
            *is_cut = true;
            return used;
        }
        memcpy(out + used, from, width);
        used += width;
        i += n ? n : 1;
    }
    return used;
}
