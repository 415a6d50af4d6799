/* SPDX-License-Identifier: Apache-2.0
 * D12: many different customers or cases in a day, or day after day more cases than usual. */
#include "detect/conduct.h"

#include <math.h>

#define REASON_BITS 2.0 /* as a reason of what is told it spends no alert: what the volume channel asks at least is enough */

static const struct rule *rule(const struct scene *s)
{
    return s->rules->head[SCORED_BREADTH];
}

/* The width is what is most surprising. */
static bool is_broad(const struct conduct *c)
{
    double width = fmax(c->customers, c->cases);
    return width >= 1 && fmax(width, c->slow) >= conduct_amount(c);
}

static void judge(struct scene *s)
{
    bool is_reason = scene_is_told(s) && conduct_bits(&s->conduct) >= REASON_BITS;
    if (!(s->by_volume.is_over || is_reason) || scene_is_volume_told(s, rule(s)) || !is_broad(&s->conduct))
        return;
    conduct_report(s, rule(s));
}

const struct detector *det_breadth(void)
{
    static const struct detector detector = {SCORED_BREADTH, judge};
    return &detector;
}
