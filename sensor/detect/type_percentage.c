/* SPDX-License-Identifier: Apache-2.0
 * percentage_match: of the acts for which the condition holds, the share for which the selection 'match' holds, too. */
#include "detect/rule_type.h"

#include <stdio.h>

#include "sketch/buckets.h"

static bool feed(const struct rule_event *e, void *state, struct rule_reason *why)
{
    struct buckets *b = state;
    uint32_t width = (uint32_t)e->p->timeframe_s / BUCKETS;
    width = width ? width : 1;
    buckets_add(b, e->now_s, width, rule_match_one(e->match, (unsigned)e->p->match, e->view));
    struct buckets_total t = buckets_total(b, e->now_s, width, 0, BUCKETS);
    double share = 100 * t.sum / (double)t.n;
    bool is_over = e->p->has_gte && share >= e->p->gte, is_under = e->p->has_lt && share < e->p->lt;
    if ((double)t.n < e->p->min_events || (!is_over && !is_under))
        return false;
    char time[QUANTITY_TEXT];
    quantity_text(UNIT_TIME, e->p->timeframe_s, time);
    snprintf(why->field, sizeof why->field, "casetap.rule.percent");
    snprintf(why->value, sizeof why->value, "%.0f %% of %u %s, in %s", share, (unsigned)t.n,
             rule_match_name(e->match, (unsigned)e->p->match), time);
    snprintf(why->usual, sizeof why->usual, is_over ? "less than %g %%" : "at least %g %%", is_over ? e->p->gte : e->p->lt);
    return true;
}

const struct rule_type *type_percentage(void)
{
    static const struct rule_type type = {"percentage_match", NULL,
                                          "at least `gte` (or less than `lt`) per cent of the acts are also `match`",
                                          sizeof(struct buckets), false, feed, NULL, NULL};
    return &type;
}
