/* SPDX-License-Identifier: Apache-2.0
 * D27: somebody works a computer from afar on which a person has a session with the desk. In 2022 thieves read a vendor's
 * customers through the workstation of an engineer: right address, right cookie, right browser; only the way in was odd. */
#include "detect/remote.h"

#include <stdio.h>

#include "base/times.h"

static const struct rule *own_rule(const struct scene *s)
{
    return s->rules->head[SCORED_REMOTE_CONTROL];
}

static void report(struct scene *s, const struct remote_control *c)
{
    char value[ALERT_TEXT], usual[ALERT_TEXT], ip[IPADDR_TEXT_MAX], since[TIME_TEXT_MAX];
    struct finding f = {.rule = own_rule(s), .family = STORY_CONTEXT, .risk = own_rule(s)->risk, .over_bits = c->bits - s->rules->remote_control.bits};
    snprintf(value, sizeof value, "%s %s %s, since %.19sZ", c->tool->name, c->tool->is_relayed ? "through" : "from",
             ipaddr_text(&c->by, ip), time_text(c->since_ns, since));
    if (c->sessions)
        snprintf(usual, sizeof usual, "%u connections of such tools before, from elsewhere or not yet trusted", c->sessions);
    else
        snprintf(usual, sizeof usual, "never for this computer");
    finding_why(&f, "network.application", value, usual, c->bits);
    remotes_alerted(s->remotes, &s->a->source, s->now_ns);
    scene_report_certain(s, &f);
}

static void judge(struct scene *s)
{
    if (s->a->action == ACTION_AMEND || s->a->action == ACTION_IDENTIFY)
        return;
    const struct remote_control *c =
        remotes_control(s->remotes, &s->a->source, s->rules->remote_control.lasts_s, s->now_ns);
    if (c && (double)c->bits >= s->rules->remote_control.bits && !scene_has_context(s, own_rule(s)))
        report(s, c);
}

const struct detector *det_remote_control(void)
{
    static const struct detector detector = {SCORED_REMOTE_CONTROL, judge};
    return &detector;
}
