/* SPDX-License-Identifier: Apache-2.0
 * D30: what a person has called malicious acts again: the same session, the same address where it is not usual for the
 * credential, or the credential with the client that the thief had. */
#include "detect/marks.h"
#include "detect/scene.h"

static const struct rule *own_rule(const struct scene *s)
{
    return s->rules->head[SCORED_MARKED];
}

static void judge(struct scene *s)
{
    const struct visit *v = s->visit;
    char ip[IPADDR_TEXT_MAX];
    struct finding f = {.rule = own_rule(s), .family = STORY_CONTEXT, .risk = own_rule(s)->risk};
    if (scene_has_context(s, own_rule(s)))
        return;
    bool is_new = context_is_new(&v->context);
    if (marks_of_session(s->marks, s->a->session, s->now_ns))
        finding_why(&f, "casetap.session.id", "a session confirmed as stolen", "", 0);
    if (v->context.level != LEVEL_KNOWN && marks_of_source(s->marks, &s->a->source, s->now_ns))
        finding_why(&f, "source.ip", ipaddr_text(&s->a->source, ip), "an attacker's, by a person's word", 0);
    if (is_new && marks_of_client(s->marks, s->credential, v->client.agent, s->now_ns))
        finding_why(&f, "user_agent.name", v->client.name, "the attacker's of this credential, by a person's word", 0);
    if (f.n_why)
        scene_report_certain(s, &f);
}

const struct detector *det_marked(void)
{
    static const struct detector detector = {SCORED_MARKED, judge};
    return &detector;
}
