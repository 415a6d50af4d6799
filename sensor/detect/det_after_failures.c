/* SPDX-License-Identifier: Apache-2.0
 * D17: a sign-in succeeds after a burst of failures, of that name or from that source, and place or client are new.
 * From the usual place it is a forgotten password and stays silent. */
#include "detect/scene.h"

#include <math.h>
#include <stdio.h>

static const struct rule *rule(const struct scene *s)
{
    return s->rules->head[SCORED_SUCCESS_AFTER_FAILURES];
}

/* The source goes through names: those of others, and few of them get in. */
static bool is_spraying(const struct scene *s, const struct source *source, unsigned of_others, unsigned names)
{
    const struct rules *r = s->rules;
    return source && names >= r->success_after_failures.names && of_others >= r->success_after_failures.failures &&
           !sources_gets_in(s->sources, source, s->now_s);
}

static bool is_unusual(const struct scene *s, bool is_sprayed)
{
    const struct context *c = &s->visit->context;
    if (s->is_young || !s->is_mature) /* no usual place to compare with */
        return is_sprayed && (s->b->sessions == 0 || context_is_new(c) || s->is_young);
    return context_is_new(c) && s->by_context.is_over;
}

static void judge(struct scene *s)
{
    if (!s->is_visit_new && !s->is_login && !s->by_context.is_over)
        return;
    uint32_t within_s = s->rules->success_after_failures.within_s;
    const struct source *source = sources_find(s->sources, &s->a->source);
    unsigned of_source = source ? source_burst(source, s->now_s, within_s) : 0;
    unsigned of_name = sources_name_failures(s->sources, baseline_name(s->b), s->now_s, within_s);
    unsigned names = source ? source_names(source, s->now_s, within_s) : 0;
    double failures = of_source > of_name ? of_source : of_name;
    double least = s->rules->success_after_failures.failures;
    if (failures < least || !is_unusual(s, is_spraying(s, source, of_source - fmin(of_name, of_source), names)) || scene_has_context(s, rule(s)))
        return;
    struct finding f = {
        .rule = rule(s), .family = STORY_CONTEXT, .risk = rule(s)->risk, .over_bits = fmin(10, log2(failures / least))};
    char value[ALERT_TEXT];
    snprintf(value, sizeof value, "%u failures from this source over %u names, %u of this name", of_source, names,
             of_name);
    finding_why(&f, "event.outcome", value, "a few typing errors at most", 4 + log2(failures / least));
    scene_why_context(s, &f);
    scene_report_context(s, &f);
}

const struct detector *det_after_failures(void)
{
    static const struct detector detector = {SCORED_SUCCESS_AFTER_FAILURES, judge};
    return &detector;
}
