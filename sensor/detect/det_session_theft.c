/* SPDX-License-Identifier: Apache-2.0
 * D07: a session value or token is used from a second network and with a second client. Needs no baseline. */
#include "detect/scene.h"

#include <stdio.h>

static const struct rule *rule(const struct scene *s)
{
    return s->rules->head[SCORED_SESSION_THEFT];
}

static void client_text(const struct client *c, char out[ALERT_TEXT])
{
    snprintf(out, ALERT_TEXT, "%s %u", c->name[0] ? c->name : "unknown client", c->major);
}

static void report(struct scene *s, const struct mismatch *m, double bits)
{
    struct finding f = {
        .rule = rule(s), .family = STORY_CONTEXT, .risk = rule(s)->risk, .over_bits = bits - s->rules->session_theft.bits};
    char value[ALERT_TEXT], usual[ALERT_TEXT], ip[IPADDR_TEXT_MAX], was_ip[IPADDR_TEXT_MAX];
    snprintf(value, sizeof value, "%s%s%.2s", ipaddr_text(&s->a->source, ip), s->visit->place.country[0] ? " " : "",
             s->visit->place.country);
    snprintf(usual, sizeof usual, "%s%s%.2s in this session", ipaddr_text(&m->like->ip, was_ip),
             m->like->place.country[0] ? " " : "", m->like->place.country);
    finding_why(&f, "source.ip", value, usual, m->place_bits);
    char was[ALERT_TEXT - 32];
    client_text(&s->visit->client, value);
    snprintf(was, sizeof was, "%s %u", m->like->client.name[0] ? m->like->client.name : "unknown client",
             m->like->client.major);
    snprintf(usual, sizeof usual, "%s in this session", was);
    finding_why(&f, "user_agent.name", value, usual, m->client_bits);
    if (m->overlap_bits > 0)
        finding_why(&f, "casetap.session.id", "both at the same time", "one client at a time", m->overlap_bits);
    scene_report_context(s, &f);
    alert_relate_ip(story_alert(stories_find(s->stories, &s->visit->story, s->now_ns, UINT64_MAX / 2)), &m->like->ip);
}

static void judge(struct scene *s)
{
    if (!s->session)
        return;
    const struct place *place = &s->visit->place;
    const struct client *client = &s->visit->client;
    struct face *face = session_face(s->session, place, client);
    if (face && !face->is_stolen) {
        face->last_s = s->now_s;
        face->ip = s->a->source;
        if (client->major > face->client.major)
            face->client.major = client->major;
        return;
    }
    struct mismatch m = session_compare(s->rules, s->session, place, client, s->now_s);
    double bits = m.place_bits + m.client_bits + m.overlap_bits;
    bool is_stolen = m.like && m.place_bits > 0 && m.client_bits > 0 && bits >= s->rules->session_theft.bits;
    if (is_stolen && !scene_has_context(s, rule(s)))
        report(s, &m, bits);
    if (!face)
        face = session_add_face(s->session, &s->a->source, place, client, s->now_s);
    face->last_s = s->now_s;
    face->is_stolen = is_stolen;
}

const struct detector *det_session_theft(void)
{
    static const struct detector detector = {SCORED_SESSION_THEFT, judge};
    return &detector;
}
