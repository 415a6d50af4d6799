/* SPDX-License-Identifier: Apache-2.0
 * UTF-8 character by character. */
#include "wire/unicode.h"

size_t unicode_get(struct span s, uint32_t *code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (s.size == 0)
        return 0;
    uint8_t head = s.at[0];
    if (head < 0x80) {
        *code = head;
        return 1;
    }
    size_t size = head >= 0xf0 ? 4 : head >= 0xe0 ? 3 : 2;
    if (head < 0xc2 || head > 0xf4 || s.size < size)
        return 0;
    uint32_t value = head & (0x7fu >> size);
    for (size_t i = 1; i < size; i++) {
        if ((s.at[i] & 0xc0u) != 0x80)
            return 0;
        value = value << 6 | (s.at[i] & 0x3fu);
    }
    if (value < least[size] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
        return 0;
    *code = value;
    return size;
}

size_t unicode_put(uint32_t code, uint8_t out[4])
{
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        code = 0xfffd;
    if (code < 0x80) {
        out[0] = (uint8_t)code;
        return 1;
    }
    size_t size = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = size - 1; i > 0; i--) {
        out[i] = (uint8_t)(0x80 | (code & 0x3f));
        code >>= 6;
    }
    out[0] = (uint8_t)((0xf00u >> size) | code);
    return size;
}

bool unicode_is_valid(struct span s)
{
    uint32_t code;
    while (s.size) {
        size_t size = unicode_get(s, &code);
        if (size == 0)
            return false;
        s = span_from(s, size);
    }
    return true;
}

size_t unicode_cut(struct span s)
{
    size_t tails = 0;
    while (tails < 3 && tails < s.size && (s.at[s.size - 1 - tails] & 0xc0u) == 0x80)
        tails++;
    if (tails == s.size)
        return s.size;
    size_t head_at = s.size - 1 - tails;
    uint8_t head = s.at[head_at];
    size_t size = head >= 0xf0 ? 4 : head >= 0xe0 ? 3 : head >= 0xc0 ? 2 : 1;
    return tails + 1 < size ? head_at : s.size;
}
