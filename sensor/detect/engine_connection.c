/* SPDX-License-Identifier: Apache-2.0
 * Connections beside HTTP: somebody works the computer of a person who has a session. */
#include "base/times.h"
#include "detect/engine_parts.h"
#include "detect/learn.h"

/* A computer begins to be worked from afar: judged for each credential that is at work there. */
void engine_connection(struct engine *e, const struct activity *a)
{
    const struct remote_present *who[REMOTE_PRESENT];
    bool is_young = learn_is_young(&e->rules, &e->fleet, e->now_ns);
    const struct ipaddr *address = remotes_connection(e->remotes, a, &e->rules, e->peers, is_young, e->now_ns);
    e->counts[address ? COUNT_REMOTE : COUNT_CONNECTIONS]++;
    uint32_t n = address ? remotes_who(e->remotes, address, time_s(e->now_ns), e->rules.remote_control.active_s, who) : 0;
    for (uint32_t i = 0; i < n; i++) {
        struct visit *v = map_find(e->visits, &who[i]->visit);
        struct scene s;
        if (!v)
            continue;
        memcpy(&e->scratch, a, activity_size(a));
        activity_set(&e->scratch, STR_USER, span_text(who[i]->name));
        e->scratch.source = *address;
        engine_scene(e, &s, &e->scratch);
        s.visit = v;
        if (e->rules.head[SCORED_REMOTE_CONTROL])
            det_remote_control()->judge(&s);
        engine_tell(e, &s);
        e->store->ops->put(e->store, s.b);
    }
}

struct visit_key scene_visit_key(const struct scene *s)
{
    return engine_visit_key(s->credential, &s->visit->place, &s->visit->client);
}
