/* SPDX-License-Identifier: Apache-2.0
 * Shares that fade. */
#include "detect/norms.h"

#include "base/times.h"

#define SHARE_MEMORY 20000.0f

enum absence absence_of(uint64_t before_ns, uint64_t now_ns)
{
    uint64_t days = before_ns && now_ns > before_ns ? (now_ns - before_ns) / NS_PER_S / S_PER_DAY : 0;
    return !before_ns || days >= 14 ? ABSENCE_WEEKS : days >= 3 ? ABSENCE_DAYS : ABSENCE_SHORT;
}

void share_add(struct share *s, double n, double hits)
{
    if (s->n > SHARE_MEMORY) {
        s->n /= 2;
        s->hits /= 2;
    }
    s->n += (float)n;
    s->hits += (float)hits;
}

double share_of(const struct share *s, double n, double hits)
{
    return ((double)s->hits + hits) / ((double)s->n + n);
}
