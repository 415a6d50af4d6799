/* SPDX-License-Identifier: Apache-2.0
 * D09: many different files within minutes. */
#include "detect/conduct.h"

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
    conduct_report(s, rule(s));
}

const struct detector *det_burst(void)
{
    static const struct detector detector = {SCORED_DOWNLOAD_BURST, judge};
    return &detector;
}
