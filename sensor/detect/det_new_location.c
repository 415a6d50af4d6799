/* SPDX-License-Identifier: Apache-2.0
 * D01: a visit from a place that is new for the credential, unusual enough to be told before anything is fetched. */
#include "detect/conduct.h"

static const struct rule *rule(const struct scene *s)
{
    return s->rules->head[SCORED_NEW_LOCATION];
}

static void judge(struct scene *s)
{
    if (!s->by_context.is_over || scene_is_told(s))
        return; /* what another rule has told about this visit says more than this one could add */
    struct finding f = {.rule = rule(s), .family = STORY_CONTEXT, .risk = scene_risk(&s->by_context), .is_scored = true};
    scene_why_context(s, &f);
    if (s->visit->has_change)
        finding_why(&f, "event.action", action_name((enum action)s->a->action), "not from a new place",
                    s->rules->download_after_new.change_bits);
    conduct_why(s, &s->conduct, &f);
    scene_report_context(s, &f);
}

const struct detector *det_new_location(void)
{
    static const struct detector detector = {SCORED_NEW_LOCATION, judge};
    return &detector;
}
