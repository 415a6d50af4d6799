/* SPDX-License-Identifier: Apache-2.0
 * Bloom filter with three bits a key, taken from one 64-bit hash. */
#include "sketch/bloom.h"

#define BITS_A_KEY 3

static size_t bit_of(size_t n, uint64_t hash, unsigned i)
{
    return (size_t)((hash >> (i * 21) & 0x1fffff) % (n * 64));
}

bool bloom_has(const uint64_t *words, size_t n, uint64_t hash)
{
    for (unsigned i = 0; i < BITS_A_KEY; i++) {
        size_t bit = bit_of(n, hash, i);
        if (!(words[bit / 64] >> bit % 64 & 1))
            return false;
    }
    return true;
}

void bloom_add(uint64_t *words, size_t n, uint64_t hash)
{
    for (unsigned i = 0; i < BITS_A_KEY; i++) {
        size_t bit = bit_of(n, hash, i);
        words[bit / 64] |= UINT64_C(1) << bit % 64;
    }
}

double bloom_load(const uint64_t *words, size_t n)
{
    unsigned set = 0;
    for (size_t i = 0; i < n; i++)
        set += (unsigned)__builtin_popcountll(words[i]);
    return n ? set / (n * 64.0) : 1;
}
