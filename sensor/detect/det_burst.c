/* SPDX-License-Identifier: Apache-2.0
 * D09: many different files within minutes. */
#include "detect/conduct.h"

#include <math.h>

static const struct rule *rule(const struct scene *s)
{
    return s->rules->head[SCORED_DOWNLOAD_BURST];
}

/* The burst is what is most surprising, or so many cases in so short a time. */
static bool is_fast(const struct scene *s)
{
    const struct conduct *c = &s->conduct;
    bool is_burst = c->burst >= 1 && c->burst >= conduct_amount(c);
    return is_burst || (s->b->window_files >= s->rules->download_burst.files && c->pace > conduct_amount(c));
}

static void judge(struct scene *s)
{
    if (!s->by_volume.is_over || scene_is_volume_told(s, rule(s)) || !is_fast(s))
        return;
    struct finding f = {.rule = rule(s), .family = STORY_VOLUME, .risk = scene_risk(&s->by_volume), .is_scored = true};
    conduct_why(s, &s->conduct, &f);
    scene_report_volume(s, &f);
}

const struct detector *det_burst(void)
{
    static const struct detector detector = {SCORED_DOWNLOAD_BURST, judge};
    return &detector;
}
