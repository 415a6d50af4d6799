/* SPDX-License-Identifier: Apache-2.0
 * D12: many different customers or cases in a day, or day after day customers never touched before. */
#include "detect/conduct.h"

#include <math.h>

static const struct rule *rule(const struct scene *s)
{
    return s->rules->head[SCORED_BREADTH];
}

static void judge(struct scene *s)
{
    if (!s->by_volume.is_over || scene_is_volume_told(s) || !(fmax(s->conduct.customers, s->conduct.cases) >= 1 && fmax(fmax(s->conduct.customers, s->conduct.cases), s->conduct.slow) >= conduct_amount(&s->conduct)))
        return;
    struct finding f = {.rule = rule(s), .family = STORY_VOLUME, .risk = scene_risk(&s->by_volume), .is_scored = true};
    conduct_why(s, &s->conduct, &f);
    scene_report_volume(s, &f);
}

const struct detector *det_breadth(void)
{
    static const struct detector detector = {SCORED_BREADTH, judge};
    return &detector;
}
