/* SPDX-License-Identifier: Apache-2.0
 * Two legs of one act share everything but the connection: the proxy is the server of the first and the client of the
 * second. A count of told legs that wait for their twin tells repeated requests from twins. */
#include "app/legs.h"

#include "base/hash.h"
#include "base/map.h"
#include "base/times.h"

#include <stdlib.h>

#define WINDOW_NS (10 * NS_PER_S)
#define MIXED_NS (20 * NS_PER_MS) /* a tap that mixes frames up may show the leg behind the proxy first */
#define MAX_PROXIES 4096u
#define IDS 4u
#define MISSES_MAX 3 /* legs held in vain, one after the other: the front is not on the tap any more */

struct key {
    uint8_t hash[16];
};

struct act {
    struct ipaddr peer, server; /* of the leg that was told */
    uint64_t time_ns;
    uint32_t n, waiting;        /* legs told, and those of them whose twin has not come */
    uint8_t id[IDS][16];        /* of the last of them */
};

struct proxy { /* a client of the application whose own clients are on the tap */
    uint32_t misses;
};

struct held {
    struct key key;
    bool is_dropped;
    struct activity leg; /* a candidate, or the amend of one that is held */
};

enum { COUNT_MERGED, COUNT_AMENDED, COUNT_HELD, COUNT_LATE, COUNT_FULL, COUNTERS };

static const struct counter_def defs[COUNTERS] = {
    {"legs_merged", "activities", "the same act on the other side of a proxy, left out: both legs are on the tap"},
    {"legs_amended", "activities", "acts told from behind a proxy and then amended by the leg in front of it"},
    {"legs_held", "records", "held back behind a proxy until its other side has come"},
    {"legs_late", "records", "held back for 10 s in vain"},
    {"legs_full", "records", "told before their other side came: too many were held"},
};

struct legs {
    struct map *acts;    /* what was done, as a hash -> struct act */
    struct map *dropped; /* event.id of a leg left out: its amends go too */
    struct map *moved;   /* event.id of a front leg that became an amend -> that of the act: its amends follow */
    struct map *proxies; /* address of a proxy's back side -> struct proxy */
    struct held *held;   /* a ring, in order of records */
    uint32_t max_held, first, n_held;
    struct activity scratch;
    legs_fn *fn;
    void *ctx;
    uint64_t counts[COUNTERS];
};

struct legs *legs_new(uint32_t max, uint32_t max_held, legs_fn *fn, void *ctx)
{
    struct legs *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    l->fn = fn;
    l->ctx = ctx;
    l->max_held = max_held;
    l->acts = map_new(16, sizeof(struct act), max, 0);
    l->dropped = map_new(16, 1, max, 0);
    l->moved = map_new(16, 16, max, 0);
    l->proxies = map_new(sizeof(struct ipaddr), sizeof(struct proxy), MAX_PROXIES, 0);
    l->held = calloc(max_held, sizeof *l->held);
    if (!l->acts || !l->dropped || !l->moved || !l->proxies || !l->held) {
        legs_free(l);
        return NULL;
    }
    return l;
}

void legs_free(struct legs *l)
{
    if (!l)
        return;
    struct map *maps[] = {l->acts, l->dropped, l->moved, l->proxies};
    for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++)
        if (maps[i])
            map_free(maps[i]);
    free(l->held);
    free(l);
}

struct counters legs_counters(const struct legs *l)
{
    return (struct counters){defs, l->counts, COUNTERS};
}

/* What the client got of a file may differ from what the proxy did: a piece, an abort, "not modified". */
static bool is_file(const struct activity *a)
{
    return (a->action == ACTION_DOWNLOAD || a->action == ACTION_PREVIEW || a->action == ACTION_EXPORT) &&
           a->outcome != OUTCOME_FAILURE;
}

static void key_of(const struct activity *a, struct key *key)
{
    struct {
        uint64_t target, method;
        struct ipaddr source;
        uint8_t session[SESSION_HASH_SIZE];
        uint32_t action, status;
    } what = {hash64(activity_get(a, STR_TARGET), 0), hash64(activity_get(a, STR_METHOD), 0), a->source, {0}, a->action,
              is_file(a) ? 200 : a->status};
    memcpy(what.session, a->session, sizeof what.session);
    hash128(span_of(&what, sizeof what), 0, key->hash);
}

/* Whether a leg in front of a proxy (its own client end and server, and time) belongs to one behind it. A proxy has one
 * address or two; where it has two, that the person himself stands at the front leg's end must do. */
static bool is_pair(const struct ipaddr *front_peer, const struct ipaddr *front_server, uint64_t front_ns,
                    const struct ipaddr *back_peer, uint64_t back_ns, const struct ipaddr *person)
{
    bool is_direct = ipaddr_eq(front_peer, person) && !ipaddr_eq(back_peer, person);
    return front_ns <= back_ns + MIXED_NS && back_ns < front_ns + WINDOW_NS && (is_direct || ipaddr_eq(front_server, back_peer));
}

static bool is_front_of(const struct activity *a, const struct ipaddr *back_peer, uint64_t back_ns)
{
    return is_pair(&a->peer.ip, &a->server.ip, a->time_ns, back_peer, back_ns, &a->source);
}

static void note_proxy(struct legs *l, const struct ipaddr *back)
{
    bool is_new;
    struct proxy *p = map_touch(l->proxies, back, &is_new);
    p->misses = 0;
}

static void drop(struct legs *l, const uint8_t id[16])
{
    bool is_new;
    map_touch(l->dropped, id, &is_new);
}

/* --- what is held --- */

static struct held *held_at(struct legs *l, uint32_t i)
{
    return &l->held[(l->first + i) % l->max_held];
}

static void release_first(struct legs *l)
{
    struct held *h = held_at(l, 0);
    bool is_dropped = h->is_dropped;
    l->first = (l->first + 1) % l->max_held;
    l->n_held--;
    if (is_dropped)
        return;
    struct proxy *p = map_find(l->proxies, &h->leg.peer.ip);
    if (p && h->leg.action != ACTION_AMEND && ++p->misses == MISSES_MAX)
        map_remove(l->proxies, &h->leg.peer.ip);
    l->fn(l->ctx, &h->leg);
}

void legs_release(struct legs *l, uint64_t now_ns)
{
    while (l->n_held && (held_at(l, 0)->is_dropped || now_ns == UINT64_MAX || held_at(l, 0)->leg.done_ns + WINDOW_NS < now_ns)) {
        l->counts[COUNT_LATE] += !held_at(l, 0)->is_dropped;
        release_first(l);
    }
}

static void hold(struct legs *l, const struct key *key, const struct activity *a)
{
    if (l->n_held == l->max_held) {
        l->counts[COUNT_FULL] += !held_at(l, 0)->is_dropped;
        release_first(l);
    }
    struct held *h = held_at(l, l->n_held++);
    h->key = *key;
    h->is_dropped = false;
    memcpy(&h->leg, a, activity_size(a));
    l->counts[COUNT_HELD]++;
}

static bool is_held(struct legs *l, const uint8_t id[16])
{
    for (uint32_t i = 0; i < l->n_held; i++)
        if (!held_at(l, i)->is_dropped && memcmp(held_at(l, i)->leg.id, id, 16) == 0)
            return true;
    return false;
}

/* The back leg that this front one belongs to, if it is held: it is left out, and so is what amends it. */
static bool take_held(struct legs *l, const struct key *key, const struct activity *front)
{
    for (uint32_t i = 0; i < l->n_held; i++) {
        struct held *h = held_at(l, i);
        if (h->is_dropped || memcmp(&h->key, key, sizeof *key) != 0 || h->leg.action == ACTION_AMEND ||
            !is_front_of(front, &h->leg.peer.ip, h->leg.time_ns))
            continue;
        h->is_dropped = true;
        drop(l, h->leg.id);
        note_proxy(l, &h->leg.peer.ip);
        for (uint32_t k = i + 1; k < l->n_held; k++)
            if (memcmp(held_at(l, k)->leg.amends, h->leg.id, 16) == 0)
                held_at(l, k)->is_dropped = true;
        return true;
    }
    return false;
}

/* --- what is told --- */

/* The leg behind the proxy was told already: what is nearer the client amends it. */
static void amend(struct legs *l, const uint8_t told[16], const struct activity *front)
{
    bool is_new;
    memcpy(&l->scratch, front, activity_size(front));
    l->scratch.action = ACTION_AMEND;
    l->scratch.flags &= ~(ACT_SESSION_NEW | ACT_SESSION_END);
    memcpy(l->scratch.amends, told, sizeof l->scratch.amends);
    memcpy(map_touch(l->moved, front->id, &is_new), told, sizeof l->scratch.amends);
    drop(l, told);
    l->counts[COUNT_AMENDED]++;
    l->fn(l->ctx, &l->scratch);
}

static void take_amend(struct legs *l, const struct activity *a)
{
    static const struct key none;
    const uint8_t *told = map_find(l->moved, a->amends);
    if (told) {
        memcpy(&l->scratch, a, activity_size(a));
        memcpy(l->scratch.amends, told, sizeof l->scratch.amends);
        l->fn(l->ctx, &l->scratch);
    } else if (map_find(l->dropped, a->amends)) {
        return;
    } else if (l->n_held && is_held(l, a->amends)) {
        hold(l, &none, a);
    } else {
        l->fn(l->ctx, a);
    }
}

/* Whether the other leg was told before; then this one is left out, or amends it. */
static bool take_twin(struct legs *l, struct act *told, const struct activity *a)
{
    bool is_front = is_front_of(a, &told->peer, told->time_ns);
    if (!told->waiting || (!is_front && !is_pair(&told->peer, &told->server, told->time_ns, &a->peer.ip, a->time_ns, &a->source)))
        return false;
    uint32_t oldest = told->n - told->waiting;
    bool is_known = told->waiting-- <= IDS;
    l->counts[COUNT_MERGED]++;
    note_proxy(l, is_front ? &told->peer : &a->peer.ip);
    if (is_front && is_known)
        amend(l, told->id[oldest % IDS], a);
    else
        drop(l, a->id);
    return true;
}

void legs_take(struct legs *l, const struct activity *a)
{
    bool is_new;
    struct key key;
    legs_release(l, a->done_ns);
    if (a->action == ACTION_CONNECTION || a->action == ACTION_IDENTIFY) {
        l->fn(l->ctx, a);
        return;
    }
    if (a->action == ACTION_AMEND) {
        take_amend(l, a);
        return;
    }
    key_of(a, &key);
    struct act *told = map_touch(l->acts, &key, &is_new);
    if (!is_new && take_twin(l, told, a))
        return;
    bool is_alone = !take_held(l, &key, a);
    l->counts[COUNT_MERGED] += !is_alone;
    if (is_alone && map_find(l->proxies, &a->peer.ip)) {
        hold(l, &key, a);
        return;
    }
    bool goes_on = !is_new && ipaddr_eq(&told->peer, &a->peer.ip) && a->time_ns < told->time_ns + WINDOW_NS;
    told->waiting = (goes_on ? told->waiting : 0) + is_alone; /* a twin that was held is none to wait for */
    told->peer = a->peer.ip;
    told->server = a->server.ip;
    told->time_ns = a->time_ns;
    memcpy(told->id[told->n++ % IDS], a->id, sizeof a->id);
    l->fn(l->ctx, a);
}
