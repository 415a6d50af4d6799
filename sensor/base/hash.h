/* SPDX-License-Identifier: Apache-2.0
 * Fast hashes (XXH3) for tables and content ids. Not for secrets: see keyed.h. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/span.h"

uint64_t hash64(struct span s, uint64_t seed);
/* 128 bits of the content, big-endian (XXH128 canonical form): equal content, equal id, on every machine. */
void hash128(struct span s, uint64_t seed, uint8_t out[16]);

#endif
