/* SPDX-License-Identifier: Apache-2.0
 * D10: more files or more bytes in a day than is usual. */
#include "detect/conduct.h"

#include <math.h>

static const struct rule *rule(const struct scene *s)
{
    return s->rules->head[SCORED_DAILY_VOLUME];
}

static void judge(struct scene *s)
{
    if (!s->by_volume.is_over || scene_is_volume_told(s) || !(conduct_amount(&s->conduct) > 0 || s->takes_file))
        return;
    struct finding f = {.rule = rule(s), .family = STORY_VOLUME, .risk = scene_risk(&s->by_volume), .is_scored = true};
    conduct_why(s, &s->conduct, &f);
    scene_report_volume(s, &f);
}

const struct detector *det_daily(void)
{
    static const struct detector detector = {SCORED_DAILY_VOLUME, judge};
    return &detector;
}
