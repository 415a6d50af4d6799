/* SPDX-License-Identifier: Apache-2.0
 * What the operator's roster makes certain, without any baseline: D28, an account used after its owner has left; D29, a
 * person's sign-in with a service account. In 2023 the thieves of a vendor's desk came as its service account, by browser. */
#include "detect/scene.h"

#include <stdio.h>

#include "base/times.h"

static const struct rule leaver_rule = {
    .id = "D28",
    .name = "Credential used after its owner has left",
    .action = "leaver-active",
    .category = "deterministic",
    .description = "The roster says that the owner of this credential had left when it was used: either it was not "
                   "closed and somebody has it, or the roster is wrong.",
    .first_step = "Lock the account and end its sessions now; then list what it did since the day its owner left.",
    .tactics = {"TA0001", "TA0003"},
    .techniques = {"T1078"},
};

static const struct rule service_rule = {
    .id = "D29",
    .name = "Interactive use of a service account",
    .action = "service-interactive",
    .category = "deterministic",
    .description = "An account declared a service's was used like a person's: a browser signed in with it or carried its "
                   "session.",
    .first_step = "Ask the service's owner who signed in; if nobody did, change its secret, end its sessions, and list "
                  "what the session read.",
    .tactics = {"TA0001", "TA0009"},
    .techniques = {"T1078", "T1213.004"},
};

#define LEAVER_RISK 80 /* critical: no question of how unusual */
#define SERVICE_RISK 75

static void judge_leaver(struct scene *s)
{
    const struct roster_person *p = s->person;
    char value[TIME_TEXT_MAX], left[ALERT_TEXT], at[TIME_TEXT_MAX];
    if (!p || !(p->flags & ROSTER_LEAVES) || !s->rules->leaver.enabled || s->a->time_ns < p->leaves_ns ||
        scene_has_context(s, &leaver_rule))
        return;
    struct finding f = {.rule = &leaver_rule, .family = STORY_CONTEXT, .risk = LEAVER_RISK};
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
    switch ((enum cred_kind)a->cred_kind) {
    case CRED_COOKIE:
    case CRED_FORM:
    case CRED_JSON:
    case CRED_SAML:
    case CRED_OIDC:
    case CRED_NTLM:
    case CRED_KERBEROS: return true;
    default: return false;
    }
}

static void judge_service(struct scene *s)
{
    char value[ALERT_TEXT];
    if (!s->is_declared_service || !s->rules->service_signin.enabled || !is_interactive(s->a) ||
        scene_has_context(s, &service_rule))
        return;
    struct finding f = {.rule = &service_rule, .family = STORY_CONTEXT, .risk = SERVICE_RISK};
    struct span client = activity_get(s->a, STR_CLIENT);
    snprintf(value, sizeof value, "%.*s, %s", (int)(client.size < 100 ? client.size : 100), (const char *)client.at,
             cred_kind_name((enum cred_kind)s->a->cred_kind));
    finding_why(&f, "user_agent.name", value, "declared a service account: no browser", 0);
    scene_why_context(s, &f);
    scene_report_certain(s, &f);
}

const struct detector *det_leaver(void)
{
    static const struct detector detector = {&leaver_rule, judge_leaver};
    return &detector;
}

const struct detector *det_service(void)
{
    static const struct detector detector = {&service_rule, judge_service};
    return &detector;
}
