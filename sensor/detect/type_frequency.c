/* SPDX-License-Identifier: Apache-2.0
 * frequency (Sigma: event_count): at least so many acts within the timeframe. Exact up to 64; above, in 32nds of the
 * timeframe, never counting what is older than it. */
#include "detect/rule_type.h"

#include <math.h>
#include <stdio.h>

#include "sketch/buckets.h"
#include "sketch/pace.h"

struct frequency {
    struct pace pace;
    struct buckets buckets; /* only where more than PACE_MAX are asked for */
};

static uint32_t width_of(const struct rule_params *p)
{
    uint32_t width = (uint32_t)p->timeframe_s / BUCKETS;
    return width ? width : 1;
}

static double count(const struct rule_event *e, struct frequency *f)
{
    if (e->p->gte <= PACE_MAX) {
        pace_add(&f->pace, e->now_s);
        return pace_count(&f->pace, e->now_s, (uint32_t)e->p->timeframe_s);
    }
    uint32_t width = width_of(e->p);
    buckets_add(&f->buckets, e->now_s, width, 1);
    return (double)buckets_total(&f->buckets, e->now_s, width, 0, (unsigned)fmin(BUCKETS, e->p->timeframe_s / width)).n;
}

static bool feed(const struct rule_event *e, void *state, struct rule_reason *why)
{
    double n = count(e, state);
    if (n < e->p->gte)
        return false;
    char time[QUANTITY_TEXT];
    quantity_text(UNIT_TIME, e->p->timeframe_s, time);
    snprintf(why->field, sizeof why->field, "casetap.rule.count");
    snprintf(why->value, sizeof why->value, "%g times in %s", n, time);
    snprintf(why->usual, sizeof why->usual, "less than %g", e->p->gte);
    return true;
}

const struct rule_type *type_frequency(void)
{
    static const struct rule_type type = {"frequency", "event_count", "at least `gte` acts within `timeframe`",
                                          sizeof(struct frequency), false, feed, NULL, NULL};
    return &type;
}
