/* SPDX-License-Identifier: Apache-2.0
 * Own history over fleet history over a weak built-in prior. */
#include "detect/volume.h"

#include <stdio.h>

#define PRIOR_WINDOWS 5.0

static struct moments moments_of(const struct baseline *b, size_t which)
{
    struct moments m;
    memcpy(&m, (const char *)b + which, sizeof m);
    return m;
}

struct spread volume_usual(const struct scene *s, size_t which, struct spread start)
{
    struct moments fleet = moments_of(s->fleet, which), own = moments_of(s->b, which);
    struct spread peers = surprise_spread(fleet.n, fleet.s1, fleet.s2, PRIOR_WINDOWS, start);
    return surprise_spread(own.n, own.s1, own.s2, PRIOR_WINDOWS, peers);
}

const char *volume_text(const struct scene *s, size_t which, struct spread usual, char *out, size_t size)
{
    struct moments own = moments_of(s->b, which);
    snprintf(out, size, "%.1f on average (%.0f of its own, rest from peers)", usual.mean, (double)own.n);
    return out;
}
