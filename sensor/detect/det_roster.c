/* SPDX-License-Identifier: Apache-2.0
 * What the operator's roster makes certain, without any baseline: D28, an account used after its owner has left; D29, a
 * person's sign-in with a service account. In 2023 the thieves of a vendor's desk came as its service account, by browser. */
#include "detect/learn.h"
#include "detect/scene.h"

#include <stdio.h>

#include "base/times.h"

static const struct rule *leaver_rule(const struct scene *s)
{
    return s->rules->head[SCORED_LEAVER];
}

static const struct rule *service_rule(const struct scene *s)
{
    return s->rules->head[SCORED_SERVICE_SIGNIN];
}

static void judge_leaver(struct scene *s)
{
    const struct roster_person *p = s->person;
    char value[TIME_TEXT_MAX], left[ALERT_TEXT], at[TIME_TEXT_MAX];
    if (!p || !(p->flags & ROSTER_LEAVES) || s->a->time_ns < p->leaves_ns ||
        scene_has_context(s, leaver_rule(s)))
        return;
    struct finding f = {.rule = leaver_rule(s), .family = STORY_CONTEXT, .risk = leaver_rule(s)->risk};
    snprintf(left, sizeof left, "the roster: left %.10s%s%.100s", time_text(p->leaves_ns, at), p->organisation ? ", " : "",
             roster_organisation(s->roster, p->organisation));
    finding_why(&f, "event.start", time_text(s->a->time_ns, value), left, 0);
    scene_report_certain(s, &f);
}

/* What only a person with a browser does. A program that fetches a form's cookie says so by its User-Agent. */
static bool is_interactive(const struct activity *a)
{
    if (a->flags & ACT_MACHINE || a->action == ACTION_AMEND || a->action == ACTION_IDENTIFY || !a->size[STR_AGENT])
        return false;
    return learn_is_of_person((enum cred_kind)a->cred_kind);
}

static void judge_service(struct scene *s)
{
    char value[ALERT_TEXT];
    if (!s->is_declared_service || !is_interactive(s->a) ||
        scene_has_context(s, service_rule(s)))
        return;
    struct finding f = {.rule = service_rule(s), .family = STORY_CONTEXT, .risk = service_rule(s)->risk};
    struct span client = activity_get(s->a, STR_CLIENT);
    snprintf(value, sizeof value, "%.*s, %s", (int)(client.size < 100 ? client.size : 100), (const char *)client.at,
             cred_kind_name((enum cred_kind)s->a->cred_kind));
    finding_why(&f, "user_agent.name", value, "declared a service account: no browser", 0);
    scene_why_context(s, &f);
    scene_report_certain(s, &f);
}

const struct detector *det_leaver(void)
{
    static const struct detector detector = {SCORED_LEAVER, judge_leaver};
    return &detector;
}

const struct detector *det_service(void)
{
    static const struct detector detector = {SCORED_SERVICE_SIGNIN, judge_service};
    return &detector;
}
