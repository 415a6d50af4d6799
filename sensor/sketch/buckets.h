/* SPDX-License-Identifier: Apache-2.0
 * A sliding sum over 32 buckets of equal width: how many, how much, least and most in the last so many of them. What is
 * told of a window covers between (b - 1) / b of it and all of it, b being its number of buckets: never more. */
#ifndef SKETCH_BUCKETS_H
#define SKETCH_BUCKETS_H

#include <stdint.h>

#define BUCKETS 32u

struct buckets { /* zeroed = empty */
    uint32_t newest; /* index of the newest bucket: seconds / width */
    uint32_t n[BUCKETS];
    double sum[BUCKETS], min[BUCKETS], max[BUCKETS];
};

struct buckets_total {
    uint64_t n;
    double sum, min, max; /* min and max: of n > 0 */
};

/* Counts one value; 'width_s' >= 1 must be the same in every call. A time before the window's is left out. */
void buckets_add(struct buckets *b, uint32_t now_s, uint32_t width_s, double value);
/* Of the buckets from 'from' (0 = the one of now_s) to before 'to' (at most BUCKETS) back in time. */
struct buckets_total buckets_total(const struct buckets *b, uint32_t now_s, uint32_t width_s, unsigned from, unsigned to);

#endif
