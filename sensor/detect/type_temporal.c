/* SPDX-License-Identifier: Apache-2.0
 * temporal: an act of every stage within the timeframe, in any order. temporal_ordered: one after the other, 'after' at least
 * apart; the latest beginning counts. A 'reset' forgets what has been. */
#include "detect/rule_type.h"

#include <stdio.h>

struct temporal {
    uint32_t at_s[RULE_STAGES_MAX];    /* when the stage was last reached; 0 = not */
    uint32_t begin_s[RULE_STAGES_MAX]; /* ordered: when the chain that reached it began */
};

static bool is_reset(const struct rule_event *e, struct temporal *t)
{
    if (e->p->reset < 0 || !rule_match_one(e->match, (unsigned)e->p->reset, e->view))
        return false;
    *t = (struct temporal){0};
    return true;
}

static bool tell(const struct rule_event *e, uint32_t begin_s, struct temporal *t, struct rule_reason *why)
{
    char time[QUANTITY_TEXT], steps[ALERT_TEXT];
    size_t used = 0;
    steps[0] = 0;
    for (unsigned i = 0; i < e->p->n_stages && used < sizeof steps; i++)
        used += (size_t)snprintf(steps + used, sizeof steps - used, "%s%s", i ? ", " : "",
                                 rule_match_name(e->match, e->p->stages[i]));
    quantity_text(UNIT_TIME, e->p->timeframe_s, time);
    snprintf(why->field, sizeof why->field, "casetap.rule.stages");
    snprintf(why->value, sizeof why->value, "%.*s within %u s", (int)sizeof steps - 24, steps, e->now_s - begin_s);
    snprintf(why->usual, sizeof why->usual, "not together in %s", time);
    *t = (struct temporal){0};
    return true;
}

static bool feed_any_order(const struct rule_event *e, void *state, struct rule_reason *why)
{
    struct temporal *t = state;
    uint32_t begin_s = e->now_s;
    if (is_reset(e, t))
        return false;
    for (unsigned i = 0; i < e->p->n_stages; i++)
        if (rule_match_one(e->match, e->p->stages[i], e->view))
            t->at_s[i] = e->now_s;
    for (unsigned i = 0; i < e->p->n_stages; i++) {
        if (t->at_s[i] == 0 || e->now_s - t->at_s[i] > e->p->timeframe_s)
            return false;
        begin_s = t->at_s[i] < begin_s ? t->at_s[i] : begin_s;
    }
    return tell(e, begin_s, t, why);
}

static bool feed_ordered(const struct rule_event *e, void *state, struct rule_reason *why)
{
    struct temporal *t = state;
    if (is_reset(e, t))
        return false;
    for (unsigned i = e->p->n_stages; i-- > 0;) { /* backwards: one act is one step */
        bool is_next = i == 0 || (t->at_s[i - 1] && e->now_s - t->at_s[i - 1] >= e->p->after_s &&
                                  e->now_s - t->begin_s[i - 1] <= e->p->timeframe_s);
        if (!is_next || !rule_match_one(e->match, e->p->stages[i], e->view))
            continue;
        t->at_s[i] = e->now_s;
        t->begin_s[i] = i == 0 ? e->now_s : t->begin_s[i - 1];
        if (i + 1 == e->p->n_stages)
            return tell(e, t->begin_s[i], t, why);
    }
    return false;
}

const struct rule_type *type_temporal(void)
{
    static const struct rule_type type = {"temporal", NULL, "an act of each of `stages` within `timeframe`, in any order",
                                          sizeof(struct temporal), true, feed_any_order, NULL, NULL};
    return &type;
}

const struct rule_type *type_temporal_ordered(void)
{
    static const struct rule_type type = {"temporal_ordered", NULL,
                                          "an act of each of `stages` within `timeframe`, in that order",
                                          sizeof(struct temporal), true, feed_ordered, NULL, NULL};
    return &type;
}
