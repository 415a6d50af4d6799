/* SPDX-License-Identifier: Apache-2.0
 * Two maps by address. From where a computer is usually worked is a baseline of its own in the store, "@remote/ADDRESS": its
 * places are the other ends, whole addresses instead of prefixes (a relayed tool's is the tool). */
#include "detect/remote.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/map.h"
#include "base/times.h"

#define MAX_STAY_S 86400u /* who has not acted for a day is not counted as one of an address */

struct presence {
    struct remote_present who[REMOTE_PRESENT];
    uint32_t n;
    uint32_t crowded_s; /* packet time up to which the address counts as a proxy's */
};

struct remotes {
    struct map *present, *controls; /* by struct ipaddr */
    struct store *store;
};

struct remotes *remotes_new(uint32_t max_addresses, struct store *store)
{
    struct remotes *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->present = map_new(sizeof(struct ipaddr), sizeof(struct presence), max_addresses, 13);
    r->controls = map_new(sizeof(struct ipaddr), sizeof(struct remote_control), max_addresses, 14);
    r->store = store;
    if (!r->present || !r->controls) {
        remotes_free(r);
        return NULL;
    }
    return r;
}

void remotes_free(struct remotes *r)
{
    if (!r)
        return;
    map_free(r->present);
    map_free(r->controls);
    free(r);
}

/* The credential's own entry, a free one, or that of who left longest ago; NULL when all are in use: a proxy. */
static struct remote_present *entry_for(struct presence *p, uint64_t credential, uint32_t now_s)
{
    struct remote_present *oldest = &p->who[0];
    for (uint32_t i = 0; i < p->n; i++) {
        if (p->who[i].credential == credential)
            return &p->who[i];
        if (p->who[i].last_s < oldest->last_s)
            oldest = &p->who[i];
    }
    if (p->n < REMOTE_PRESENT)
        return &p->who[p->n++];
    return now_s - oldest->last_s > MAX_STAY_S ? oldest : NULL;
}

void remotes_present(struct remotes *r, const struct ipaddr *address, uint64_t credential, struct span name,
                     const struct visit_key *visit, uint32_t now_s)
{
    bool is_new;
    struct presence *p = map_touch(r->present, address, &is_new);
    struct remote_present *who = entry_for(p, credential, now_s);
    if (!who) {
        p->crowded_s = now_s + MAX_STAY_S;
        return;
    }
    who->last_s = now_s;
    who->visit = *visit;
    if (who->credential == credential)
        return;
    struct span cut = span_sub(name, 0, sizeof who->name - 1);
    who->credential = credential;
    memcpy(who->name, cut.at, cut.size);
    who->name[cut.size] = 0;
}

uint32_t remotes_who(const struct remotes *r, const struct ipaddr *address, uint32_t now_s, uint32_t active_s,
                     const struct remote_present *out[REMOTE_PRESENT])
{
    const struct presence *p = map_find(r->present, address);
    uint32_t n = 0;
    if (!p || p->crowded_s > now_s)
        return 0;
    for (uint32_t i = 0; i < p->n; i++)
        if (now_s - p->who[i].last_s <= active_s)
            out[n++] = &p->who[i];
    return n;
}

static struct baseline *habits(struct remotes *r, const struct ipaddr *address)
{
    char name[BASELINE_NAME_MAX], ip[IPADDR_TEXT_MAX];
    bool is_new;
    int n = snprintf(name, sizeof name, "@remote/%s", ipaddr_text(address, ip));
    return r->store->ops->fetch(r->store, span_of(name, (size_t)n), &is_new);
}

/* The other end as a place: all of an IPv4 address, the half of an IPv6 one; of a relayed tool its name. */
static struct place end_of(const struct remote_control *c)
{
    struct place p = {.is_v6 = !ipaddr_is4(&c->by)};
    uint64_t hash = hash64(span_text(c->tool->name), 15);
    if (c->tool->is_relayed)
        memcpy(p.prefix, &hash, sizeof p.prefix);
    else if (p.is_v6)
        memcpy(p.prefix, c->by.bytes, sizeof p.prefix);
    else
        memcpy(p.prefix, c->by.bytes + 12, 4);
    return p;
}

static float judge_end(const struct baseline *b, const struct place *end, const struct rules *rules, const struct peers *peers)
{
    for (size_t i = 0; i < BASELINE_PLACES; i++)
        if (b->places[i].trust == TRUST_USUAL && place_same_prefix(&b->places[i], end))
            return 0;
    if (peers_count(peers, end, LEVEL_PREFIX) >= rules->context.peers)
        return (float)rules->context.peer_bits; /* who administers many computers comes to this one, too */
    return (float)rules->remote_control.new_bits;
}

/* As a place of a person is learned: two days and no alert, or an alert that is long ago. */
static void learn_end(struct baseline *b, const struct place *end, const struct rules *rules, bool is_young, uint32_t now_s)
{
    struct place *p = baseline_learn_place(b, end, now_s);
    uint32_t age = now_s - p->first_s;
    bool is_quiet = b->alert_s < p->first_s || now_s - b->alert_s >= rules->learning.forgive_s;
    bool is_proven = p->days >= 2 && age >= rules->learning.quarantine_s && is_quiet;
    if (is_young || is_proven)
        p->trust = TRUST_USUAL;
    if (!b->first_ns)
        b->first_ns = now_s * NS_PER_S;
    b->last_ns = now_s * NS_PER_S;
    b->sessions++;
}

static bool is_end(const struct activity *a)
{
    return a->flags & ACT_HAS_BODY;
}

const struct ipaddr *remotes_connection(struct remotes *r, const struct activity *a, const struct rules *rules,
                                        struct peers *peers, bool is_young, uint64_t now_ns)
{
    const struct remote_tool *tool = remote_tool_of(activity_get(a, STR_PROTOCOL), activity_get(a, STR_SNI));
    if (!tool)
        return NULL;
    const struct ipaddr *worked = tool->is_relayed ? &a->source : &a->server.ip;
    const struct ipaddr *by = tool->is_relayed ? &a->server.ip : &a->source;
    bool is_new;
    struct remote_control *c = map_touch(r->controls, worked, &is_new);
    bool is_same = !is_new && c->tool == tool && (tool->is_relayed || ipaddr_eq(&c->by, by));
    if (is_end(a)) {
        if (is_same)
            c->until_ns = a->done_ns;
        else if (is_new)
            map_remove(r->controls, worked);
        return NULL;
    }
    struct baseline *b = habits(r, worked);
    *c = (struct remote_control){.tool = tool, .by = *by, .since_ns = a->time_ns, .sessions = b->sessions};
    struct place end = end_of(c);
    c->bits = judge_end(b, &end, rules, peers);
    const struct place *known = baseline_place(b, &end);
    bool was_usual = known && known->trust == TRUST_USUAL;
    learn_end(b, &end, rules, is_young, time_s(now_ns));
    known = baseline_place(b, &end);
    if (known->trust == TRUST_USUAL && !was_usual)
        peers_add_place(peers, b, known);
    r->store->ops->put(r->store, b);
    return worked;
}

const struct remote_control *remotes_control(const struct remotes *r, const struct ipaddr *address, uint32_t lasts_s,
                                             uint64_t now_ns)
{
    const struct remote_control *c = map_find(r->controls, address);
    if (!c || now_ns < c->since_ns)
        return NULL;
    uint64_t until = c->until_ns ? c->until_ns : c->since_ns + lasts_s * NS_PER_S;
    return now_ns <= until ? c : NULL;
}

void remotes_alerted(struct remotes *r, const struct ipaddr *address, uint64_t now_ns)
{
    const struct remote_control *c = map_find(r->controls, address);
    if (!c)
        return;
    struct baseline *b = habits(r, address);
    struct place end = end_of(c), *p = baseline_place(b, &end);
    b->alert_s = time_s(now_ns);
    if (p && p->trust != TRUST_USUAL)
        p->trust = TRUST_ALERTED;
    r->store->ops->put(r->store, b);
}

void remotes_adopt(struct remotes *r, struct store *store)
{
    r->store = store;
}

uint64_t remotes_evicted(const struct remotes *r)
{
    return map_evicted(r->present) + map_evicted(r->controls);
}
