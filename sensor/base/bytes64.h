/* SPDX-License-Identifier: Apache-2.0
 * Where a byte value stands in 64 bytes, as one bit each: how texts of many short parts are searched without a call for
 * each part. */
#ifndef BASE_BYTES64_H
#define BASE_BYTES64_H

#include "base/span.h"

#define BYTES64 64u

/* What the compiler has for 16 bytes at once: SSE2 is part of amd64; elsewhere the loop below is left to it. */
#if defined(__SSE2__)
#include <emmintrin.h>

static inline uint64_t bytes16_equal(const uint8_t *at, uint8_t byte)
{
    __m128i block = _mm_loadu_si128((const __m128i *)(const void *)at);
    return (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(block, _mm_set1_epi8((char)byte)));
}
#else
static inline uint64_t bytes16_equal(const uint8_t *at, uint8_t byte)
{
    uint64_t mask = 0;
    for (unsigned i = 0; i < 16; i++)
        mask |= (uint64_t)(at[i] == byte) << i;
    return mask;
}
#endif

/* Bit i is set where at[i] == byte; 64 bytes are read. */
static inline uint64_t bytes64_equal(const uint8_t *at, uint8_t byte)
{
    return bytes16_equal(at, byte) | bytes16_equal(at + 16, byte) << 16 | bytes16_equal(at + 32, byte) << 32 |
           bytes16_equal(at + 48, byte) << 48;
}

/* The 64 bytes of 's' at 'from', which is before its end; where it has fewer, they are copied to 'room' and filled up with
 * zeros. */
static inline const uint8_t *bytes64_at(struct span s, size_t from, uint8_t room[BYTES64])
{
    size_t left = s.size - from;
    if (left >= BYTES64)
        return s.at + from;
    memset(room, 0, BYTES64);
    memcpy(room, s.at + from, left);
    return room;
}

#endif
