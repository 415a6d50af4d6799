/* SPDX-License-Identifier: Apache-2.0
 * The only user of xxHash. */
#include "base/hash.h"

#define XXH_INLINE_ALL /* the keys are so short that calling would cost as much as hashing */
#include <xxhash.h>

uint64_t hash64(struct span s, uint64_t seed)
{
    return XXH3_64bits_withSeed(s.at, s.size, seed);
}

void hash128(struct span s, uint64_t seed, uint8_t out[16])
{
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits_withSeed(s.at, s.size, seed));
    memcpy(out, canonical.digest, 16);
}
