/* SPDX-License-Identifier: Apache-2.0
 * D20: a machine's token or service credential leaves its track: another network, another program, other routes. Told
 * at its first act, not at its first download. */
#include "detect/scene.h"

#include <math.h>
#include <stdio.h>

#define FEW_DAYS 3

static const struct rule *rule(const struct scene *s)
{
    return s->rules->head[SCORED_MACHINE];
}

static bool is_program_new(const struct baseline *b, const struct client *client)
{
    for (size_t i = 0; i < BASELINE_CLIENTS; i++)
        if (b->clients[i].trust == TRUST_USUAL && b->clients[i].agent == client->agent)
            return client->major < b->clients[i].major;
    return true;
}

struct off_track {
    double place, program, route;
};

static struct off_track measure(const struct scene *s)
{
    const struct visit *v = s->visit;
    struct off_track off = {0, 0, s->is_route_new ? s->rules->machine.route_bits : 0};
    if (v->context.level != LEVEL_KNOWN && s->source_class != NETWORK_OWN) {
        bool is_shared = peers_count(s->peers, &v->place, LEVEL_PREFIX) >= s->rules->context.peers;
        off.place =
            is_shared ? fmin(s->rules->context.peer_bits, s->rules->machine.place_bits) : s->rules->machine.place_bits;
    }
    if (is_program_new(s->b, &v->client))
        off.program = s->rules->machine.client_bits;
    return off;
}

static void report(struct scene *s, const struct off_track *off, double over)
{
    struct finding f = {.rule = rule(s), .family = STORY_CONTEXT, .risk = rule(s)->risk, .over_bits = over};
    char value[ALERT_TEXT], usual[ALERT_TEXT], ip[IPADDR_TEXT_MAX];
    if (off->place > 0) {
        snprintf(value, sizeof value, "%s%s%.2s", ipaddr_text(&s->a->source, ip), s->visit->place.country[0] ? " " : "",
                 s->visit->place.country);
        finding_why(&f, "source.ip", value, context_usual_place(s->b, LEVEL_PREFIX, usual, sizeof usual), off->place);
    }
    if (off->program > 0) {
        struct span agent = activity_get(s->a, STR_AGENT);
        snprintf(value, sizeof value, "%.*s", (int)(agent.size < 120 ? agent.size : 120), (const char *)agent.at);
        finding_why(&f, "user_agent.original", value, context_usual_client(s->b, usual, sizeof usual), off->program);
    }
    if (off->route > 0) {
        struct span route = activity_get(s->a, STR_ROUTE);
        snprintf(value, sizeof value, "%.*s", (int)(route.size < 120 ? route.size : 120), (const char *)route.at);
        finding_why(&f, "casetap.route", value, "never used by this credential", off->route);
    }
    scene_report_context(s, &f);
}

static void judge(struct scene *s)
{
    if (!s->is_machine || s->b->sessions == 0 || (!s->is_visit_new && !s->is_route_new))
        return;
    struct off_track off = measure(s);
    /* then one thing alone may be how it always was */
    bool is_thin = s->b->acts < s->rules->machine.acts || s->b->active_days < FEW_DAYS;
    double limit = is_thin ? s->rules->machine.thin_bits : s->rules->machine.bits;
    double bits = off.place + off.program + off.route;
    if (bits >= limit && !scene_has_context(s, rule(s)))
        report(s, &off, bits - limit);
}

const struct detector *det_machine(void)
{
    static const struct detector detector = {SCORED_MACHINE, judge};
    return &detector;
}
