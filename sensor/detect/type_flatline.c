/* SPDX-License-Identifier: Apache-2.0
 * flatline: a group that had acts has fewer than so many within the timeframe. Asked as packet time goes on. */
#include "detect/rule_type.h"

#include <math.h>
#include <stdio.h>

#include "sketch/buckets.h"

struct flatline {
    uint32_t first_s, last_s;
    bool is_flat; /* told: silent until there are enough acts again */
    struct buckets buckets;
};

static uint32_t width_of(const struct rule_params *p)
{
    uint32_t width = (uint32_t)p->timeframe_s / BUCKETS;
    return width ? width : 1;
}

static uint64_t count_at(const struct rule_params *p, const struct flatline *f, uint32_t at_s)
{
    uint32_t width = width_of(p);
    return buckets_total(&f->buckets, at_s, width, 0, (unsigned)fmin(BUCKETS, p->timeframe_s / width)).n;
}

static bool feed(const struct rule_event *e, void *state, struct rule_reason *why)
{
    struct flatline *f = state;
    (void)why;
    f->first_s = f->first_s ? f->first_s : e->now_s;
    buckets_add(&f->buckets, e->now_s, width_of(e->p), 1);
    f->last_s = e->now_s > f->last_s ? e->now_s : f->last_s;
    if ((double)count_at(e->p, f, e->now_s) >= e->p->lt)
        f->is_flat = false;
    return false;
}

/* Of none at all: the last act and the timeframe. Of more: the first bucket at whose beginning there are too few. */
static uint32_t due(const struct rule_params *p, const void *state)
{
    const struct flatline *f = state;
    uint32_t width = width_of(p), watched_s = f->first_s + (uint32_t)p->timeframe_s;
    if (f->is_flat)
        return UINT32_MAX;
    if (p->lt <= 1)
        return f->last_s + (uint32_t)p->timeframe_s;
    uint32_t at_s = f->last_s > watched_s ? f->last_s : watched_s;
    for (unsigned i = 0; i <= BUCKETS && (double)count_at(p, f, at_s) >= p->lt; i++)
        at_s = (at_s / width + 1) * width;
    return at_s;
}

static void quiet(const struct rule_params *p, void *state, uint32_t at_s, struct rule_reason *why)
{
    struct flatline *f = state;
    uint64_t n = p->lt <= 1 ? 0 : count_at(p, f, at_s);
    char time[QUANTITY_TEXT];
    quantity_text(UNIT_TIME, p->timeframe_s, time);
    f->is_flat = true;
    snprintf(why->field, sizeof why->field, "casetap.rule.count");
    snprintf(why->value, sizeof why->value, "%u times in %s", (unsigned)n, time);
    snprintf(why->usual, sizeof why->usual, "at least %g", p->lt);
}

const struct rule_type *type_flatline(void)
{
    static const struct rule_type type = {"flatline", NULL, "fewer than `lt` acts within `timeframe`",
                                          sizeof(struct flatline), false, feed, due, quiet};
    return &type;
}
