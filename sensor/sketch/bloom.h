/* SPDX-License-Identifier: Apache-2.0
 * A small Bloom filter over an array of words: "was this ever here?", wrong only towards yes (Bloom 1970). Three bits
 * a key; at half its bits set, one new key in eight is taken for an old one. */
#ifndef SKETCH_BLOOM_H
#define SKETCH_BLOOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 'hash' is a good 64-bit hash of the key. */
bool bloom_has(const uint64_t *words, size_t n, uint64_t hash);
void bloom_add(uint64_t *words, size_t n, uint64_t hash);
/* The share of bits that are set, 0 to 1: past one half, "ever here" has lost its worth. */
double bloom_load(const uint64_t *words, size_t n);

#endif
