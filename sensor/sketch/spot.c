/* SPDX-License-Identifier: Apache-2.0
 * First an exact quantile, then peaks over it. The ring lets the level follow a slow drift both ways. */
#include "sketch/spot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define REFIT 16      /* new excesses between two fits */
#define CREDIT_MAX 16 /* values above the level in a row at most */
#define LEFT 2         /* times as many or as few in the tail as should be there */
#define ABOVE_MAX 6.0  /* how far above the level a value counts */

bool spot_is_ready(const struct spot *s)
{
    return s->n >= SPOT_LATEST;
}

static int by_size(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return x < y ? -1 : x > y;
}

static uint32_t held(const struct spot *s)
{
    return s->n_excess < SPOT_EXCESSES ? s->n_excess : SPOT_EXCESSES;
}

static void fit(struct spot *s)
{
    s->tail = held(s) ? gpd_fit(s->excess, held(s)) : (struct gpd){0, 1};
    s->n_fit = s->n_excess;
}

static void add_excess(struct spot *s, double excess, uint64_t at)
{
    s->excess[s->n_excess % SPOT_EXCESSES] = (float)excess;
    s->at[s->n_excess % SPOT_EXCESSES] = at;
    s->n_excess++;
}

/* The tail begins at the quantile of the latest values; the ring begins with the oldest of them. */
static void begin(struct spot *s)
{
    float sorted[SPOT_LATEST];
    memcpy(sorted, s->latest, sizeof sorted);
    qsort(sorted, SPOT_LATEST, sizeof sorted[0], by_size);
    double start = (double)sorted[(int)(SPOT_LEVEL * SPOT_LATEST)];
    if (s->from + SPOT_LATEST < s->n && !(start < s->start || start > s->start))
        return; /* many values are the same */
    s->start = start;
    s->from = s->n - SPOT_LATEST;
    s->n_excess = 0;
    for (uint32_t i = 0; i < SPOT_LATEST; i++)
        if ((double)s->latest[i] > s->start)
            add_excess(s, (double)s->latest[i] - s->start, s->from + i);
    fit(s);
}

/* Whether far fewer or far more of the latest values lie in the tail than belong there: it has to begin elsewhere. */
static bool has_left(const struct spot *s)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < SPOT_LATEST; i++)
        n += (double)s->latest[i] > s->start;
    double due = (1 - SPOT_LEVEL) * SPOT_LATEST;
    return n < due / LEFT || n > due * LEFT;
}

/* The share of values that were in the tail, over those that the ring spans. */
static double share(const struct spot *s)
{
    uint32_t n = held(s);
    uint64_t from = s->n_excess > SPOT_EXCESSES ? s->at[s->n_excess % SPOT_EXCESSES] : s->from;
    return n ? fmin(n / (double)(s->n - from), 1) : 1 / (double)(s->n - from);
}

double spot_level(const struct spot *s, double q)
{
    return s->start + gpd_level(s->tail, q / share(s));
}

double spot_above(const struct spot *s, double x)
{
    return share(s) * gpd_above(s->tail, x - s->start);
}

void spot_add(struct spot *s, double x, double q)
{
    if (spot_is_ready(s)) {
        s->credit = fmin(s->credit + q, CREDIT_MAX);
        double level = spot_level(s, q);
        if (x > level) {
            if (s->credit < 1)
                return;
            s->credit--;
            x = fmin(x, level + ABOVE_MAX);
        }
        if (x > s->start)
            add_excess(s, x - s->start, s->n);
    }
    s->latest[s->n % SPOT_LATEST] = (float)x;
    s->n++;
    if (s->n == SPOT_LATEST || (s->n % SPOT_LATEST == 0 && has_left(s)))
        begin(s);
    else if (s->n_excess - s->n_fit >= REFIT)
        fit(s);
}
