/* SPDX-License-Identifier: Apache-2.0
 * cardinality (Sigma: value_count): how many different values of a field within the timeframe. Exact up to 64. */
#include "detect/rule_type.h"

#include <stdio.h>

#include "sketch/distinct.h"

struct cardinality {
    uint32_t first_s;
    struct distinct distinct;
};

static bool compare(const struct rule_params *p, const struct cardinality *c, uint32_t now_s, struct rule_reason *why)
{
    double n = distinct_count(&c->distinct, now_s, (uint32_t)p->timeframe_s, (uint32_t)p->each);
    bool is_few = p->has_lt && n < p->lt && now_s - c->first_s >= p->timeframe_s;
    if (!(p->has_gte && n >= p->gte) && !is_few)
        return false;
    char time[QUANTITY_TEXT];
    quantity_text(UNIT_TIME, p->timeframe_s, time);
    snprintf(why->field, sizeof why->field, "%s", rule_field_name((unsigned)p->field));
    snprintf(why->value, sizeof why->value, "%s%g different in %s", n > DISTINCT_EXACT ? "about " : "", n, time);
    snprintf(why->usual, sizeof why->usual, is_few ? "at least %g" : "less than %g", is_few ? p->lt : p->gte);
    return true;
}

static bool feed(const struct rule_event *e, void *state, struct rule_reason *why)
{
    struct cardinality *c = state;
    uint64_t hash = rule_field_hash((unsigned)e->p->field, e->view, 3);
    if (hash == 0)
        return false;
    c->first_s = c->first_s ? c->first_s : e->now_s;
    distinct_add(&c->distinct, hash, e->now_s, (uint32_t)e->p->timeframe_s);
    return compare(e->p, c, e->now_s, why);
}

const struct rule_type *type_cardinality(void)
{
    static const struct rule_type type = {"cardinality", "value_count",
                                          "at least `gte` (or fewer than `lt`) different values of `field` within `timeframe`",
                                          sizeof(struct cardinality), false, feed, NULL, NULL};
    return &type;
}
