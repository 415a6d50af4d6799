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

struct act {
    struct ipaddr peer, server; /* of the leg that was told */
    uint64_t time_ns;
    uint32_t waiting;           /* legs told whose twin has not come */
};

struct legs {
    struct map *acts;    /* what was done, as a hash -> struct act */
    struct map *dropped; /* event.id of a leg left out: its amends go too */
    struct {
        uint64_t merged;
    } counts;
};

static const struct counter_def defs[] = {
    {"legs_merged", "activities", "the same act on the other side of a proxy, left out: both legs are on the tap"},
};

struct legs *legs_new(uint32_t max)
{
    struct legs *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    l->acts = map_new(16, sizeof(struct act), max, 0);
    l->dropped = map_new(16, 1, max, 0);
    if (!l->acts || !l->dropped) {
        legs_free(l);
        return NULL;
    }
    return l;
}

void legs_free(struct legs *l)
{
    if (!l)
        return;
    map_free(l->acts);
    map_free(l->dropped);
    free(l);
}

static void key_of(const struct activity *a, uint8_t key[16])
{
    struct {
        uint64_t target, method;
        struct ipaddr source;
        uint8_t session[SESSION_HASH_SIZE];
        uint32_t action, status;
    } what = {hash64(activity_get(a, STR_TARGET), 0), hash64(activity_get(a, STR_METHOD), 0), a->source, {0}, a->action, a->status};
    memcpy(what.session, a->session, sizeof what.session);
    hash128(span_of(&what, sizeof what), 0, key);
}

/* Whether a leg in front of a proxy (its own client end and server, and time) belongs to one behind it. A proxy has one
 * address or two; where it has two, that the person himself stands at the front leg's end must do. */
static bool is_pair(const struct ipaddr *front_peer, const struct ipaddr *front_server, uint64_t front_ns,
                    const struct ipaddr *back_peer, uint64_t back_ns, const struct ipaddr *person)
{
    bool is_direct = ipaddr_eq(front_peer, person) && !ipaddr_eq(back_peer, person);
    return front_ns <= back_ns + MIXED_NS && back_ns < front_ns + WINDOW_NS && (is_direct || ipaddr_eq(front_server, back_peer));
}

static bool is_twin(const struct act *told, const struct activity *a)
{
    return told->waiting && (is_pair(&a->peer.ip, &a->server.ip, a->time_ns, &told->peer, told->time_ns, &a->source) ||
                             is_pair(&told->peer, &told->server, told->time_ns, &a->peer.ip, a->time_ns, &a->source));
}

bool legs_is_told(struct legs *l, const struct activity *a)
{
    bool is_new;
    uint8_t key[16];
    if (a->action == ACTION_CONNECTION || a->action == ACTION_IDENTIFY)
        return false;
    if (a->action == ACTION_AMEND)
        return map_find(l->dropped, a->amends) != NULL;
    key_of(a, key);
    struct act *told = map_touch(l->acts, key, &is_new);
    if (!is_new && is_twin(told, a)) {
        told->waiting--;
        l->counts.merged++;
        map_touch(l->dropped, a->id, &is_new);
        return true;
    }
    bool goes_on = !is_new && ipaddr_eq(&told->peer, &a->peer.ip) && a->time_ns < told->time_ns + WINDOW_NS;
    *told = (struct act){a->peer.ip, a->server.ip, a->time_ns, goes_on ? told->waiting + 1 : 1};
    return false;
}

struct counters legs_counters(const struct legs *l)
{
    return (struct counters){defs, &l->counts.merged, sizeof defs / sizeof *defs};
}
