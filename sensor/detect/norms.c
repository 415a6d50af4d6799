/* SPDX-License-Identifier: Apache-2.0
 * Shares that fade. */
#include "detect/norms.h"

#define SHARE_MEMORY 20000.0f

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
