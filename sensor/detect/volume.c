/* SPDX-License-Identifier: Apache-2.0
 * Own history over fleet history over a weak built-in prior. */
#include "detect/volume.h"

#include <math.h>
#include <stdio.h>

#define SLOW_DAYS 10 /* of one's own before days above usual add up */
#define PRIOR_WINDOWS 5.0

static struct moments moments_of(const struct baseline *b, size_t which)
{
    struct moments m;
    memcpy(&m, (const char *)b + which, sizeof m);
    return m;
}

struct spread volume_usual(const struct baseline *b, const struct baseline *fleet, size_t which, struct spread start)
{
    struct moments of_peers = moments_of(fleet, which), own = moments_of(b, which);
    struct spread peers = surprise_spread(of_peers.n, of_peers.s1, of_peers.s2, PRIOR_WINDOWS, start);
    return surprise_spread(own.n, own.s1, own.s2, PRIOR_WINDOWS, peers);
}

struct spread volume_usual_cases(const struct baseline *b, const struct baseline *fleet)
{
    return volume_usual(b, fleet, offsetof(struct baseline, cases_day), (struct spread){3, 12});
}

double volume_slow_cases(const struct baseline *b, const struct baseline *fleet, double spare)
{
    if (b->cases_day.n < SLOW_DAYS)
        return 0;
    double above = surprise_deviations(volume_usual_cases(b, fleet), b->today_cases);
    return fmax(0, (double)b->slow_cases + above - spare);
}

const char *volume_text(const struct baseline *b, size_t which, struct spread usual, char *out, size_t size)
{
    struct moments own = moments_of(b, which);
    snprintf(out, size, "%.1f on average (%.0f of its own, rest from peers)", usual.mean, (double)own.n);
    return out;
}
