/* SPDX-License-Identifier: Apache-2.0
 * Numbers of seven bits a byte, the lowest first (LEB128), in at most ten bytes; signed ones folded (0, -1, 1, -2, ...). */
#ifndef BASE_VARINT_H
#define BASE_VARINT_H

#include "base/text.h"

static inline void varint_add(struct text *t, uint64_t n)
{
    char bytes[10];
    size_t size = 0;
    for (; n >= 0x80; n >>= 7)
        bytes[size++] = (char)(0x80 | (n & 0x7f));
    bytes[size++] = (char)n;
    text_add(t, span_of(bytes, size));
}

/* 0 and a sticky error for one that is cut, longer than it need be, or more than 64 bits. */
static inline uint64_t varint_read(struct reader *r)
{
    uint64_t n = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = reader_u8(r);
        if (shift == 63 && byte > 1)
            break;
        n |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80 && (byte || !shift))
            return r->is_bad ? 0 : n;
        if (byte < 0x80)
            break;
    }
    r->is_bad = true;
    return 0;
}

static inline uint64_t varint_fold(int64_t n)
{
    return n < 0 ? ~((uint64_t)n << 1) : (uint64_t)n << 1;
}

static inline int64_t varint_unfold(uint64_t n)
{
    return n & 1 ? -(int64_t)(n >> 1) - 1 : (int64_t)(n >> 1);
}

#endif
