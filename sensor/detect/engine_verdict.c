/* SPDX-License-Identifier: Apache-2.0
 * A person's verdicts reach the baseline, the visit and the story they are about. */
#include "base/times.h"
#include "detect/engine_parts.h"
#include "detect/verdict.h"
#include "enrich/client.h"

/* The alert's credential, place and client as they were; its visit, or one made up in 'none'. */
static void set_verdict_scene(struct engine *e, const struct feedback *f, struct visit *none, struct scene *s)
{
    struct user_agent agent;
    activity_init(&e->scratch);
    e->scratch.source = f->source;
    e->scratch.asn = f->asn;
    memcpy(e->scratch.country, f->country, sizeof e->scratch.country);
    memcpy(e->scratch.session, f->session, sizeof e->scratch.session);
    client_parse(span_text(f->agent), &agent);
    e->scratch.client_family = agent.family;
    e->scratch.client_major = agent.major;
    activity_set(&e->scratch, STR_USER, span_text(f->user));
    activity_set(&e->scratch, STR_AGENT, span_text(f->agent));
    activity_set(&e->scratch, STR_CLIENT, span_text(f->client));
    struct place place = place_of(&e->scratch.source, e->scratch.country, e->scratch.asn);
    struct client client = agents_client(e->agents, &e->scratch);
    engine_scene(e, s, &e->scratch);
    s->now_ns = f->time_ns;
    s->now_s = time_s(f->time_ns);
    struct visit_key key = engine_visit_key(s->credential, &place, &client);
    s->visit = map_find(e->visits, &key);
    if (s->visit)
        return;
    *none = (struct visit){.place = place, .client = client, .start_s = s->now_s, .last_s = s->now_s, .is_alerted = true};
    s->visit = none;
}

static void keep_verdict(struct engine *e, const struct scene *s)
{
    e->store->ops->put(e->store, s->b);
    e->counts[COUNT_VERDICTS]++;
}

void engine_verdict(struct engine *e, const struct feedback *f)
{
    struct visit none;
    struct scene s;
    if (!e->has_fleet)
        engine_fleet(e);
    if ((f->verdict != VERDICT_BENIGN && f->verdict != VERDICT_MALICIOUS) || !f->user[0] || engine_is_unnamed(span_text(f->user)))
        return;
    set_verdict_scene(e, f, &none, &s);
    if (f->verdict == VERDICT_BENIGN)
        verdict_benign(&s, f, e->peers);
    else
        verdict_malicious(&s, f, e->marks);
    keep_verdict(e, &s);
}

void engine_thaw(struct engine *e, const struct feedback *f)
{
    struct visit none;
    struct scene s;
    if (f->verdict != VERDICT_MALICIOUS || !f->user[0])
        return;
    set_verdict_scene(e, f, &none, &s);
    verdict_thaw(&s);
    keep_verdict(e, &s);
}

void engine_adopt(struct engine *e, struct store *store, const struct roster *roster, void *ctx)
{
    e->store = store;
    e->roster = roster;
    remotes_adopt(e->remotes, store);
    stories_adopt(e->stories, ctx);
}
