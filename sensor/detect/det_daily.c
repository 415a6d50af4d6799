/* SPDX-License-Identifier: Apache-2.0
 * D10: more files or more bytes in a day than is usual. */
#include "detect/conduct.h"

static const struct rule *rule(const struct scene *s)
{
    return s->rules->head[SCORED_DAILY_VOLUME];
}

/* A burst or breadth says more of the same day. */
static bool is_said_better(struct scene *s)
{
    return scene_has_context(s, s->rules->head[SCORED_DOWNLOAD_BURST]) ||
           scene_has_context(s, s->rules->head[SCORED_BREADTH]);
}

static void judge(struct scene *s)
{
    bool is_much = conduct_amount(&s->conduct) > 0 || s->takes_file;
    if (!s->by_volume.is_over || !is_much || scene_is_volume_told(s, rule(s)) || is_said_better(s))
        return;
    conduct_report(s, rule(s));
}

const struct detector *det_daily(void)
{
    static const struct detector detector = {SCORED_DAILY_VOLUME, judge};
    return &detector;
}
