/* SPDX-License-Identifier: Apache-2.0
 * metric_aggregation: the sum, average, least or greatest of a field within the timeframe, above or below a bound. */
#include "detect/rule_type.h"

#include <stdio.h>

#include "sketch/buckets.h"

static double metric_of(enum metric metric, const struct buckets_total *t)
{
    switch (metric) {
    case METRIC_SUM: return t->sum;
    case METRIC_AVG: return t->sum / (double)t->n;
    case METRIC_MIN: return t->min;
    case METRIC_MAX: return t->max;
    }
    return 0;
}

static bool feed(const struct rule_event *e, void *state, struct rule_reason *why)
{
    static const char *const names[] = {"sum", "average", "least", "greatest"};
    struct buckets *b = state;
    struct field_value value;
    uint32_t width = (uint32_t)e->p->timeframe_s / BUCKETS;
    width = width ? width : 1;
    rule_field_get((unsigned)e->p->field, e->view, &value);
    if (!value.is_there)
        return false;
    buckets_add(b, e->now_s, width, value.number);
    struct buckets_total t = buckets_total(b, e->now_s, width, 0, BUCKETS);
    double x = metric_of(e->p->metric, &t);
    bool is_over = e->p->has_gte && x >= e->p->gte, is_under = e->p->has_lt && x < e->p->lt;
    if ((double)t.n < e->p->min_events || (!is_over && !is_under))
        return false;
    char time[QUANTITY_TEXT];
    quantity_text(UNIT_TIME, e->p->timeframe_s, time);
    snprintf(why->field, sizeof why->field, "%s", rule_field_name((unsigned)e->p->field));
    snprintf(why->value, sizeof why->value, "%s of %u: %g in %s", names[e->p->metric], (unsigned)t.n, x, time);
    snprintf(why->usual, sizeof why->usual, is_over ? "less than %g" : "at least %g", is_over ? e->p->gte : e->p->lt);
    return true;
}

const struct rule_type *type_metric(void)
{
    static const struct rule_type type = {"metric_aggregation", NULL,
                                          "`metric` of `field` within `timeframe` is at least `gte` or below `lt`",
                                          sizeof(struct buckets), false, feed, NULL, NULL};
    return &type;
}
