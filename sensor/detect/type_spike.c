/* SPDX-License-Identifier: Apache-2.0
 * spike (with `field`: spike_aggregation): the timeframe against the one before it, 'height' times as many or as much, or as few.
 * Silent until two timeframes have passed since the group's first act. */
#include "detect/rule_type.h"

#include <stdio.h>

#include "sketch/buckets.h"

struct spike {
    uint32_t first_s, last_s;
    bool is_down; /* told of silence: not again until there is an act */
    struct buckets buckets;
};

static uint32_t width_of(const struct rule_params *p)
{
    uint32_t width = (uint32_t)p->timeframe_s / (BUCKETS / 2);
    return width ? width : 1;
}

static bool is_spike(const struct rule_params *p, double now, double before)
{
    bool is_up = now >= p->height * before && now >= p->min_events && before >= p->reference;
    bool is_down = before >= p->height * now && before >= p->reference;
    return (p->direction >= 0 && is_up) || (p->direction <= 0 && is_down);
}

static bool compare(const struct rule_params *p, const struct spike *s, uint32_t now_s, struct rule_reason *why)
{
    uint32_t width = width_of(p);
    struct buckets_total now = buckets_total(&s->buckets, now_s, width, 0, BUCKETS / 2);
    struct buckets_total before = buckets_total(&s->buckets, now_s, width, BUCKETS / 2, BUCKETS);
    double a = p->field >= 0 ? now.sum : (double)now.n, b = p->field >= 0 ? before.sum : (double)before.n;
    if (now_s - s->first_s < 2 * p->timeframe_s || !is_spike(p, a, b))
        return false;
    char time[QUANTITY_TEXT];
    quantity_text(UNIT_TIME, p->timeframe_s, time);
    snprintf(why->field, sizeof why->field, "%s", p->field >= 0 ? rule_field_name((unsigned)p->field) : "casetap.rule.count");
    snprintf(why->value, sizeof why->value, "%g in %s", a, time);
    snprintf(why->usual, sizeof why->usual, "%g in the %s before", b, time);
    return true;
}

static bool feed(const struct rule_event *e, void *state, struct rule_reason *why)
{
    struct spike *s = state;
    struct field_value value = {.number = 1, .is_there = true};
    if (e->p->field >= 0)
        rule_field_get((unsigned)e->p->field, e->view, &value);
    if (!value.is_there)
        return false;
    s->first_s = s->first_s ? s->first_s : e->now_s;
    s->last_s = e->now_s > s->last_s ? e->now_s : s->last_s;
    s->is_down = false;
    buckets_add(&s->buckets, e->now_s, width_of(e->p), value.number);
    return compare(e->p, s, e->now_s, why);
}

/* A fall is told at the beginning of the first bucket at which it is one. */
static uint32_t due(const struct rule_params *p, const void *state)
{
    const struct spike *s = state;
    struct rule_reason why;
    uint32_t width = width_of(p), watched_s = s->first_s + 2 * (uint32_t)p->timeframe_s;
    if (p->direction > 0 || s->is_down)
        return UINT32_MAX;
    uint32_t at_s = s->last_s > watched_s ? s->last_s : watched_s;
    for (unsigned i = 0; i <= BUCKETS; i++, at_s = (at_s / width + 1) * width)
        if (compare(p, s, at_s, &why))
            return at_s;
    return UINT32_MAX;
}

static void quiet(const struct rule_params *p, void *state, uint32_t at_s, struct rule_reason *why)
{
    struct spike *s = state;
    s->is_down = true;
    (void)compare(p, s, at_s, why);
}

const struct rule_type *type_spike(void)
{
    static const struct rule_type type = {"spike", "spike_aggregation",
                                          "`height` times as many acts (or as much of `field`) as in the timeframe before",
                                          sizeof(struct spike), false, feed, due, quiet};
    return &type;
}
