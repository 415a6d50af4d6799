/* SPDX-License-Identifier: Apache-2.0
 * D01: a visit from a place that is new for the credential, unusual enough to be told before anything is fetched. */
#include "detect/scene.h"

static const struct rule *rule(const struct scene *s)
{
    return s->rules->head[SCORED_NEW_LOCATION];
}

static void judge(struct scene *s)
{
    const struct visit *v = s->visit;
    if (s->is_young || v->context.level == LEVEL_KNOWN || v->context.is_newcomer ||
        scene_is_told(s))
        return; /* what another rule has told about this visit says more than this one could add */
    double change = v->has_change ? s->rules->download_after_new.change_bits : 0;
    double bits = context_bits(&v->context) + change;
    if (bits < s->rules->new_location.bits)
        return;
    struct finding f = {
        .rule = rule(s), .family = STORY_CONTEXT, .risk = rule(s)->risk, .over_bits = bits - s->rules->new_location.bits};
    scene_why_context(s, &f);
    if (change > 0)
        finding_why(&f, "event.action", action_name((enum action)s->a->action), "not from a new place", change);
    scene_report_context(s, &f);
}

const struct detector *det_new_location(void)
{
    static const struct detector detector = {SCORED_NEW_LOCATION, judge};
    return &detector;
}
