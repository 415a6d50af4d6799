/* SPDX-License-Identifier: Apache-2.0
 * How sure a channel's level is: its tail is drawn again from the excesses it holds (bootstrap, Efron 1979).
 * That is the doubt of the fit; what the learning left out shows in how often alerts come. */
#include <math.h>
#include <stdlib.h>

#include "base/hash.h"
#include "detect/budget.h"
#include "detect/budget_parts.h"

#define DRAWS 200

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Draw i of a normal distribution (Box and Muller 1958). */
static double normal(uint32_t i)
{
    const uint32_t draws[2][2] = {{i, 0}, {i, 1}};
    double u = ((double)(hash64(span_of(draws[0], sizeof draws[0]), 53) >> 11) + 0.5) / 0x1p53;
    double v = ((double)(hash64(span_of(draws[1], sizeof draws[1]), 53) >> 11) + 0.5) / 0x1p53;
    return sqrt(-2 * log(u)) * cos(2 * M_PI * v);
}

bool budget_level(const struct budget *b, enum channel c, struct level_interval *out)
{
    const struct channel_state *s = &b->channels[c];
    uint32_t held = s->spot.n_excess < SPOT_EXCESSES ? s->spot.n_excess : SPOT_EXCESSES;
    double levels[DRAWS], least = budget_least(c), q = budget_q(b, c), share;
    float drawn[SPOT_EXCESSES];
    if (!spot_is_ready(&s->spot) || !held)
        return false;
    share = spot_above(&s->spot, s->spot.start); /* of units that are in the tail */
    for (uint32_t i = 0; i < DRAWS; i++) {
        for (uint32_t k = 0; k < held; k++) {
            const uint32_t draw[2] = {i, k};
            drawn[k] = s->spot.excess[hash64(span_of(draw, sizeof draw), 51) % held];
        }
        /* How many of the units are in the tail is a draw, too: nearly normal around so many. */
        double in_tail = share * fmax(1 + normal(i) / sqrt(held), 0.1);
        levels[i] = fmax(s->spot.start + gpd_level(gpd_fit(drawn, held), q / in_tail), least);
    }
    qsort(levels, DRAWS, sizeof levels[0], by_size);
    *out = (struct level_interval){fmax(spot_level(&s->spot, q), least), levels[DRAWS / 40], levels[DRAWS - 1 - DRAWS / 40]};
    return true;
}
