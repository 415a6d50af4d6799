/* SPDX-License-Identifier: Apache-2.0
 * Survival by doublings. */
#include "sketch/tail.h"

#include <math.h>

#define KEEP 0.99995f
#define STEEPEST 3.0 /* bits for a doubling: where the largest that was seen lies says little of where the next one ends */

static int step_of(double x)
{
    int step = x < 2 ? 0 : (int)log2(x);
    return step < TAIL_STEPS ? step : TAIL_STEPS - 1;
}

void tail_add(struct tail *t, double x)
{
    for (int i = 0; i < TAIL_STEPS; i++)
        t->n[i] *= KEEP;
    t->n[step_of(x)]++;
}

double tail_bits(const struct tail *t, double x, double alpha, double weight)
{
    if (x <= 1)
        return 0;
    double at = fmin(log2(x), TAIL_STEPS - 1), all = 0, from[TAIL_STEPS + 1] = {0};
    for (int i = TAIL_STEPS - 1; i >= 0; i--)
        from[i] = from[i + 1] + (double)t->n[i];
    all = from[0] + weight;
    int low = (int)at;
    double here = log2((from[low] + weight * exp2(-alpha * low)) / all);
    double next = log2((from[low + 1] + weight * exp2(-alpha * (low + 1))) / all);
    return -(here + fmax(next - here, -STEEPEST) * (at - low));
}
