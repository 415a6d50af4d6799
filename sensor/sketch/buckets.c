/* SPDX-License-Identifier: Apache-2.0 */
#include "sketch/buckets.h"

#include <string.h>

static void clear(struct buckets *b, uint32_t index)
{
    unsigned i = index % BUCKETS;
    b->n[i] = 0;
    b->sum[i] = b->min[i] = b->max[i] = 0;
}

void buckets_add(struct buckets *b, uint32_t now_s, uint32_t width_s, double value)
{
    uint32_t index = now_s / width_s;
    if (index > b->newest) {
        uint32_t stale = index - b->newest;
        for (uint32_t k = 0; k < stale && k < BUCKETS; k++)
            clear(b, index - k);
        b->newest = index;
    } else if (b->newest - index >= BUCKETS) {
        return;
    }
    unsigned i = index % BUCKETS;
    b->min[i] = b->n[i] == 0 || value < b->min[i] ? value : b->min[i];
    b->max[i] = b->n[i] == 0 || value > b->max[i] ? value : b->max[i];
    b->n[i]++;
    b->sum[i] += value;
}

struct buckets_total buckets_total(const struct buckets *b, uint32_t now_s, uint32_t width_s, unsigned from, unsigned to)
{
    struct buckets_total t = {0};
    uint32_t now = now_s / width_s;
    for (unsigned k = from; k < to && k <= now; k++) {
        uint32_t index = now - k;
        unsigned i = index % BUCKETS;
        if (index > b->newest || b->newest - index >= BUCKETS || b->n[i] == 0)
            continue;
        t.min = t.n == 0 || b->min[i] < t.min ? b->min[i] : t.min;
        t.max = t.n == 0 || b->max[i] > t.max ? b->max[i] : t.max;
        t.n += b->n[i];
        t.sum += b->sum[i];
    }
    return t;
}
