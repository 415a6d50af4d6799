/* SPDX-License-Identifier: Apache-2.0
 * flatline: a group that had acts has fewer than so many within the timeframe. Asked as packet time goes on. */
#include "detect/rule_type.h"

#include <stdio.h>

#include "sketch/buckets.h"

struct flatline {
    uint32_t first_s;
    bool is_flat; /* told: silent until there are enough acts again */
    struct buckets buckets;
};

static uint32_t width_of(const struct rule_params *p)
{
    uint32_t width = (uint32_t)p->timeframe_s / BUCKETS;
    return width ? width : 1;
}

static bool feed(const struct rule_event *e, void *state, struct rule_reason *why)
{
    struct flatline *f = state;
    (void)why;
    f->first_s = f->first_s ? f->first_s : e->now_s;
    buckets_add(&f->buckets, e->now_s, width_of(e->p), 1);
    if ((double)buckets_total(&f->buckets, e->now_s, width_of(e->p), 0, BUCKETS).n >= e->p->lt)
        f->is_flat = false;
    return false;
}

static bool quiet(const struct rule_params *p, void *state, uint32_t now_s, struct rule_reason *why)
{
    struct flatline *f = state;
    if (f->is_flat || !f->first_s || now_s - f->first_s < p->timeframe_s)
        return false;
    uint64_t n = buckets_total(&f->buckets, now_s, width_of(p), 0, BUCKETS).n;
    if ((double)n >= p->lt)
        return false;
    f->is_flat = true;
    snprintf(why->field, sizeof why->field, "casetap.rule.count");
    snprintf(why->value, sizeof why->value, "%u times in %g s", (unsigned)n, p->timeframe_s);
    snprintf(why->usual, sizeof why->usual, "at least %g", p->lt);
    return true;
}

const struct rule_type *type_flatline(void)
{
    static const struct rule_type type = {"flatline", NULL, "fewer than `lt` acts within `timeframe`",
                                          sizeof(struct flatline), false, feed, quiet};
    return &type;
}
