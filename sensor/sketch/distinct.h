/* SPDX-License-Identifier: Apache-2.0
 * How many different values in a sliding window: exactly while there are at most DISTINCT_EXACT of them, beyond that by
 * HyperLogLog (Flajolet et al. 2007) over two halves of the window that take turns. */
#ifndef SKETCH_DISTINCT_H
#define SKETCH_DISTINCT_H

#include <stdint.h>

#define DISTINCT_EXACT 64u
#define DISTINCT_REGISTERS 256u /* standard error 1.04 / sqrt(256) = 6.5 % */

struct distinct { /* zeroed = none */
    uint64_t hash[DISTINCT_EXACT];
    uint32_t last_s[DISTINCT_EXACT];
    uint16_t times[DISTINCT_EXACT]; /* how often each was seen since it came, at most 65535 */
    uint32_t n;
    uint32_t half; /* index of the half window that registers[0] counts */
    uint32_t spilled_s; /* when a value last found no room in the exact list; 0 = never */
    uint8_t registers[2][DISTINCT_REGISTERS];
};

/* Counts one value by a good 64-bit hash; window_s >= 2, the same in every call. */
void distinct_add(struct distinct *d, uint64_t hash, uint32_t now_s, uint32_t window_s);
/* How many different values were seen in (now_s - window_s, now_s], each at least 'each' times (>= 1) since it came; beyond
 * the exact bound an estimate for 'each' = 1, and never less than what is known exactly. */
uint32_t distinct_count(const struct distinct *d, uint32_t now_s, uint32_t window_s, uint32_t each);

#endif
