/* SPDX-License-Identifier: Apache-2.0
 * The flow of a packet and its life: made at its first packet, fed, closed by its stream, idle time, a new handshake on
 * the same addresses, lack of room, or the end of the capture. Ends are stamped with the packet time at which they were
 * due. */
#include "flow/flow_table.h"

#include "base/hash.h"
#include "base/map.h"
#include "base/times.h"
#include "flow/dedup.h"
#include "flow/flow_crypt.h"
#include "flow/flow_life.h"
#include "flow/flow_sums.h"
#include "flow/ipcomp.h"
#include "flow/ipfrag.h"

#include <stdlib.h>
#include <string.h>

#define MAX_NESTED 4 /* fragments of a tunnel of fragments of something compressed ... */
#define RECENT_BITS 8

/* received = bad_sum + duplicates + fragments + undecodable + other_ip + tcp + udp; tcp = tcp_segments + after_close.
 * flows = idle + closed + reused + lost + evicted + flushed + those in the table. */
struct flow_counts {
    uint64_t received;
    uint64_t bad_sum, duplicates, fragments, undecodable, other_ip, tcp, udp;
    uint64_t after_close;
    uint64_t flows, idle, closed, reused, lost, evicted, flushed;
};

static const struct counter_def defs[] = {
    {"flow_received", "packets", "decoded packets handed to the flow table"},
    {"flow_bad_sum", "packets",
     "of a client, with a wrong checksum where those before were right, so that no server takes it: made to blind a "
     "sensor, or damaged"},
    {"flow_duplicates", "packets", "copies of a packet just seen; in no other count"},
    {"flow_fragments", "packets", "IP fragments that did not make a datagram whole"},
    {"flow_undecodable", "packets", "fragments and compressed packets that made one that is not decodable"},
    {"flow_other_ip", "packets", "neither TCP nor UDP"},
    {"flow_tcp", "packets", "TCP segments"},
    {"flow_udp", "packets", "UDP datagrams"},
    {"flow_after_close", "packets", "TCP segments of a connection that had ended"},
    {"flow_flows", "flows", "begun"},
    {"flow_idle", "flows", "ended without packets for the idle time"},
    {"flow_closed", "flows", "ended by FIN or RST"},
    {"flow_reused", "flows", "ended by a new handshake on the same addresses"},
    {"flow_lost", "flows", "ended because both sides went on elsewhere in the sequence: a handshake was not seen"},
    {"flow_evicted", "flows", "ended to make room; raise the cap"},
    {"flow_flushed", "flows", "open at the end of the capture"},
};

_Static_assert(sizeof defs / sizeof *defs * sizeof(uint64_t) == sizeof(struct flow_counts),
               "one name for each counter");

struct all_counts {
    struct flow_counts flow;
    struct dedup_counts dedup;
    struct ipfrag_counts ipfrag;
    struct ipcomp_counts ipcomp;
    struct tcp_counts tcp;
};

#define N_COUNTERS (sizeof(struct all_counts) / sizeof(uint64_t))

struct recent {
    struct flow *f; /* NULL: none */
    uint32_t at;    /* in the map */
};

struct flow_table {
    struct flow_home home;
    struct map *flows;
    struct dedup *dedup; /* NULL: not wanted */
    struct ipfrag *fragments;
    struct ipcomp *ipcomp;
    struct recent recent[1u << RECENT_BITS]; /* by their ports: most packets are of a flow that had one lately */
    uint64_t now_ns;
    struct all_counts all;
    struct counter_def defs[N_COUNTERS];
};

static uint32_t recent_slot(uint16_t port, uint16_t other)
{
    return ((uint32_t)(port ^ other) * 0x9e3779b1u) >> (32 - RECENT_BITS);
}

/* ---- end of a flow ---- */

/* All but the removal from the map. */
static void end_flow(struct flow_table *t, struct flow *f, uint64_t now_ns)
{
    flow_life_close(f, now_ns);
    flow_life_settle(f);
    timers_idle_clear(&t->home.timers, f);
    struct recent *r = &t->recent[recent_slot(f->key.port[0], f->key.port[1])];
    if (r->f == f)
        r->f = NULL;
}

static void remove_flow(struct flow_table *t, struct flow *f, uint64_t now_ns)
{
    struct flow_key key = f->key;
    end_flow(t, f, now_ns);
    map_remove(t->flows, &key);
}

static void on_evict(void *ctx, const void *key, void *value)
{
    struct flow_table *t = ctx;
    (void)key; /* the map removes it itself */
    t->all.flow.evicted++;
    end_flow(t, value, t->now_ns);
}

/* ---- the table ---- */

static void add_defs(struct flow_table *t, size_t *n, struct counters c)
{
    memcpy(&t->defs[*n], c.defs, c.n * sizeof *c.defs);
    *n += c.n;
}

static void name_counters(struct flow_table *t)
{
    size_t n = 0;
    add_defs(t, &n, (struct counters){defs, &t->all.flow.received, sizeof defs / sizeof *defs});
    add_defs(t, &n, dedup_counters(&t->all.dedup));
    add_defs(t, &n, ipfrag_counters(&t->all.ipfrag));
    add_defs(t, &n, ipcomp_counters(&t->all.ipcomp));
    add_defs(t, &n, tcp_counters(&t->all.tcp));
}

struct counters flow_table_counters(const struct flow_table *t)
{
    return (struct counters){t->defs, (const uint64_t *)&t->all, N_COUNTERS};
}

struct counters flow_table_crypt_counters(const struct flow_table *t, size_t i)
{
    return t->home.crypt ? flow_crypt_counters(t->home.crypt, i) : (struct counters){0};
}

uint32_t flow_table_size(const struct flow_table *t)
{
    return map_size(t->flows);
}

static uint32_t or_else(uint32_t value, uint32_t usual)
{
    return value ? value : usual;
}

struct flow_table *flow_table_new(const struct flow_limits *limits, const struct flow_parts *parts)
{
    struct flow_table *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    uint32_t max = or_else(limits->max_flows, 262144);
    struct flow_home *home = &t->home;
    *home = (struct flow_home){
        .conns = parts->conns, .classify = parts->classify, .on_other = parts->on_other, .on_named = parts->on_named, .on_burst = parts->on_burst,
        .ctx = parts->ctx};
    home->idle_ns = or_else(limits->idle_s, 300) * NS_PER_S;
    home->closed_ns = or_else(limits->closed_s, 5) * NS_PER_S;
    home->key_wait_ns = parts->tls ? parts->tls->wait_ns : 0;
    t->flows = map_new(sizeof(struct flow_key), sizeof(struct flow), max, 0);
    home->names = pool_new(sizeof(struct flow_names), max);
    home->crypt = parts->tls ? flow_crypt_home_new(parts->tls, max, parts->keys) : NULL;
    t->fragments = ipfrag_new(or_else(limits->fragment_mib, 8), &t->all.ipfrag);
    t->ipcomp = ipcomp_new(&t->all.ipcomp);
    t->dedup = limits->no_dedup ? NULL : dedup_new(&t->all.dedup);
    struct tcp_ops ops = flow_life_ops();
    bool is_tcp = tcp_init(&home->tcp, or_else(limits->reorder_mib, 64), &ops, &t->all.tcp);
    if (!t->flows || !home->names || !t->fragments || !t->ipcomp || !is_tcp || (!t->dedup && !limits->no_dedup) ||
        (parts->tls && !home->crypt)) {
        flow_table_free(t);
        return NULL;
    }
    map_on_evict(t->flows, on_evict, t);
    name_counters(t);
    return t;
}

void flow_table_free(struct flow_table *t)
{
    if (!t)
        return;
    if (t->flows)
        flow_table_flush(t, t->now_ns);
    map_free(t->flows);
    flow_crypt_home_free(t->home.crypt);
    pool_free(t->home.names);
    ipfrag_free(t->fragments);
    ipcomp_free(t->ipcomp);
    dedup_free(t->dedup);
    tcp_fini(&t->home.tcp);
    free(t);
}

/* ---- the flow of a packet ---- */

/* Who opens a connection is known by its handshake. Without it the lower port is taken for the server's: who sends first
 * in the capture is chance. */
static bool is_from_server(const struct dissected *d)
{
    if (d->protocol != FLOW_TCP)
        return false;
    return d->tcp_flags & DECAP_SYN ? d->tcp_flags & DECAP_ACK : d->src.port < d->dst.port;
}

static void begin_flow(struct flow_table *t, struct flow *f, const struct flow_key *key, const struct dissected *d,
                       bool sender_is_first, uint64_t now_ns)
{
    memset(f, 0, sizeof *f);
    f->key = *key;
    f->home = &t->home;
    bool from_server = is_from_server(d);
    f->first_is_client = sender_is_first != from_server;
    struct {
        struct flow_key key;
        uint64_t first_ns;
    } identity = {*key, now_ns};
    f->info = (struct flow_info){
        .hash = hash64(span_of(&identity, sizeof identity), 0),
        .client = from_server ? d->dst : d->src,
        .server = from_server ? d->src : d->dst,
        .vlan = {d->vlan[0], d->vlan[1]},
        .tunnel = (uint8_t)d->tunnel,
        .is_ip6 = d->ip.size > 0 && d->ip.at[0] >> 4 == 6,
        .is_midstream = d->protocol == FLOW_TCP,
        .first_ns = now_ns,
        .last_ns = now_ns,
    };
    t->all.flow.flows++;
    if (d->protocol == FLOW_TCP)
        (void)flow_sums_is_refused(f, from_server, d);
    timers_idle_set(&t->home.timers, f, flow_life_deadline(f));
}

static void begin_again(struct flow_table *t, struct flow *f, const struct dissected *d, bool sender_is_first,
                        uint64_t now_ns)
{
    struct flow_key key = f->key;
    end_flow(t, f, now_ns);
    begin_flow(t, f, &key, d, sender_is_first, now_ns);
}

/* A handshake that was captured after other packets of its connection tells who is the client, as long as nobody was
 * told otherwise. */
static void turn_round(struct flow *f, const struct dissected *d, bool sender_is_first)
{
    struct flow_info *i = &f->info;
    if (f->conn || i->missing[0] || i->missing[1] || !(d->tcp_flags & DECAP_SYN) || d->tcp_flags & DECAP_RST ||
        (sender_is_first == f->first_is_client) != is_from_server(d))
        return;
    f->first_is_client = !f->first_is_client;
    struct endpoint client = i->server;
    uint64_t packets = i->packets[0], bytes = i->bytes[0];
    bool saw = i->saw[0];
    i->server = i->client;
    i->client = client;
    i->packets[0] = i->packets[1];
    i->packets[1] = packets;
    i->bytes[0] = i->bytes[1];
    i->bytes[1] = bytes;
    i->saw[0] = i->saw[1];
    i->saw[1] = saw;
    tcp_swap(&f->tcp);
}

static int direction_of(const struct flow *f, bool sender_is_first)
{
    return sender_is_first == f->first_is_client ? CONN_CLIENT : CONN_SERVER;
}

/* Whether the flow that holds these addresses is another one than this packet's; ends it then in the books. */
static bool is_other_flow(struct flow_table *t, struct flow *f, const struct dissected *d, int dir, uint64_t now_ns)
{
    struct flow_counts *c = &t->all.flow;
    bool is_fresh = !f->closed_ns && now_ns < f->info.last_ns + NS_PER_S; /* no limit is shorter */
    uint64_t deadline = is_fresh ? UINT64_MAX : flow_life_deadline(f);
    if (deadline <= now_ns) {
        *(f->closed_ns ? &c->closed : &c->idle) += 1;
        flow_life_close(f, deadline);
        return true;
    }
    if (d->protocol != FLOW_TCP)
        return false;
    if (tcp_begins_anew(&f->tcp, dir, d)) {
        *(f->closed_ns ? &c->closed : &c->reused) += 1;
        return true;
    }
    if (f->closed_ns && tcp_goes_on(&f->tcp, dir, d)) {
        c->closed++;
        return true;
    }
    return false;
}

/* Whether 'd' is of this flow; then *sender_is_first is known too. */
static bool is_recent(const struct flow *f, const struct dissected *d, bool *sender_is_first)
{
    if (!f || f->key.protocol != d->protocol)
        return false;
    *sender_is_first = f->key.port[0] == d->src.port && ipaddr_eq(&f->key.ip[0], &d->src.ip);
    int other = *sender_is_first ? 1 : 0;
    return (*sender_is_first || (f->key.port[1] == d->src.port && ipaddr_eq(&f->key.ip[1], &d->src.ip))) &&
           f->key.port[other] == d->dst.port && ipaddr_eq(&f->key.ip[other], &d->dst.ip);
}

/* The idle deadline has come nearer. */
static void reset_idle(struct flow *f)
{
    timers_idle_clear(&f->home->timers, f);
    timers_idle_set(&f->home->timers, f, flow_life_deadline(f));
}

static void expire_stream(struct flow *f, uint64_t now_ns)
{
    if (!f->tcp.deadline_ns || f->tcp.deadline_ns > now_ns || f->closed_ns)
        return;
    if (tcp_expire(&f->home->tcp, &f->tcp, f, now_ns) == TCP_OVER) {
        flow_life_close(f, f->tcp.end_ns);
        reset_idle(f);
    }
}

static void count_packet(struct flow *f, const struct dissected *d, int dir, uint64_t now_ns)
{
    f->info.saw[dir] = true;
    f->info.packets[dir]++;
    f->info.bytes[dir] += d->payload_wire;
    if (d->tcp_flags & DECAP_SYN && d->protocol == FLOW_TCP)
        f->info.is_midstream = false;
    if (now_ns > f->info.last_ns)
        f->info.last_ns = now_ns;
}

static void feed_tcp(struct flow_table *t, struct flow *f, const struct dissected *d, bool sender_is_first,
                     uint64_t now_ns)
{
    if (f->closed_ns) {
        t->all.flow.after_close++;
        return;
    }
    turn_round(f, d, sender_is_first);
    int dir = direction_of(f, sender_is_first);
    count_packet(f, d, dir, now_ns);
    if (f->info.syn_ack_ns || d->tcp_flags & DECAP_SYN)
        flow_life_handshake(f, d, dir, now_ns);
    enum tcp_result result = tcp_feed(&t->home.tcp, &f->tcp, f, dir, d, now_ns);
    if (result == TCP_LOST) {
        t->all.flow.lost++;
        f->info.packets[dir]--;
        f->info.bytes[dir] -= d->payload_wire;
        begin_again(t, f, d, sender_is_first, now_ns);
        dir = direction_of(f, sender_is_first);
        count_packet(f, d, dir, now_ns);
        result = tcp_feed(&t->home.tcp, &f->tcp, f, dir, d, now_ns);
    }
    if ((f->speaks == CONN_OTHER || f->crypt) && d->payload_wire > 0)
        flow_life_classify(f, d, dir, now_ns);
    if (result == TCP_OVER)
        flow_life_close(f, now_ns);
    else if (f->tcp.deadline_ns)
        timers_wait_update(&t->home.timers, f, now_ns);
    if (result == TCP_OVER || d->tcp_flags & DECAP_FIN)
        reset_idle(f);
}

static void feed_udp(struct flow *f, const struct dissected *d, bool sender_is_first, uint64_t now_ns)
{
    int dir = direction_of(f, sender_is_first);
    count_packet(f, d, dir, now_ns);
    if (d->payload_wire == 0)
        return;
    flow_crypt_datagram(f, dir, d, now_ns);
    flow_life_classify(f, d, dir, now_ns);
}

/* Streams that have waited long enough come before what is new. */
static void expire_streams(struct flow_table *t, uint64_t now_ns)
{
    for (struct flow *f; (f = timers_wait_next(&t->home.timers, now_ns));) {
        expire_stream(f, now_ns);
        if (!f->closed_ns)
            timers_wait_update(&t->home.timers, f, now_ns);
    }
}

/* The flow of a packet, as far as the table has one. */
struct known {
    struct flow *f; /* NULL: none */
    uint32_t at;    /* in the map */
    bool sender_is_first;
};

static struct known find_flow(const struct flow_table *t, const struct dissected *d)
{
    const struct recent *r = &t->recent[recent_slot(d->src.port, d->dst.port)];
    struct known k = {.f = r->f, .at = r->at};
    struct flow_key key;
    void *value;
    if (is_recent(k.f, d, &k.sender_is_first))
        return k;
    k.sender_is_first = flow_key_of(d, &key);
    k.at = map_at(t->flows, &key, &value);
    k.f = value;
    return k;
}

/* Begins to fetch what feed will read, so that it comes while the table of copies is looked at: with many flows neither is
 * in the cache. */
static struct known fetch_flow(const struct flow_table *t, const struct dissected *d)
{
    struct known k = find_flow(t, d);
    if (k.f) {
        __builtin_prefetch(&k.f->tcp);
        __builtin_prefetch(k.f->conn, 1);
    }
    return k;
}

/* The flow of a packet, found or begun. */
static struct flow *take_flow(struct flow_table *t, struct known *k, const struct dissected *d, uint64_t now_ns)
{
    struct flow_key key;
    if (k->f) {
        map_use(t->flows, k->at);
        expire_stream(k->f, now_ns);
        if (is_other_flow(t, k->f, d, direction_of(k->f, k->sender_is_first), now_ns))
            begin_again(t, k->f, d, k->sender_is_first, now_ns);
        return k->f;
    }
    bool is_new, sender_is_first = flow_key_of(d, &key);
    k->f = map_touch(t->flows, &key, &is_new);
    k->at = map_newest(t->flows);
    begin_flow(t, k->f, &key, d, sender_is_first, now_ns);
    return k->f;
}

static void feed(struct flow_table *t, struct known *k, const struct dissected *d, uint64_t now_ns)
{
    struct flow *f = take_flow(t, k, d, now_ns);
    t->recent[recent_slot(d->src.port, d->dst.port)] = (struct recent){f, k->at};
    if (d->protocol == FLOW_TCP)
        feed_tcp(t, f, d, k->sender_is_first, now_ns);
    else
        feed_udp(f, d, k->sender_is_first, now_ns);
}

/* A segment that its receiver does not take (counted). */
static bool is_refused(struct flow_table *t, const struct known *k, const struct dissected *d)
{
    if (!k->f || d->protocol != FLOW_TCP || k->f->closed_ns ||
        !flow_sums_is_refused(k->f, direction_of(k->f, k->sender_is_first), d))
        return false;
    t->all.flow.bad_sum++;
    return true;
}

/* True for the second copy of a frame (counted). */
static bool is_copy(struct flow_table *t, uint64_t hash, uint64_t now_ns)
{
    bool is = t->dedup && dedup_is_copy(t->dedup, hash, now_ns);
    t->all.flow.duplicates += is;
    return is;
}

/* Makes whole packets of fragments and compressed ones. False when there is nothing to go on with (counted). */
static bool make_whole(struct flow_table *t, struct dissected *d, struct decap_counts *counts, uint64_t now_ns)
{
    struct span whole;
    for (int n = 0; d->is_fragment || d->protocol == IPCOMP_PROTOCOL; n++) {
        if (d->is_fragment && (n == MAX_NESTED || !ipfrag_feed(t->fragments, d, now_ns, &whole))) {
            t->all.flow.fragments++;
            return false;
        }
        if (!d->is_fragment && (n == MAX_NESTED || !ipcomp_inflate(t->ipcomp, d, &whole)))
            return true; /* some other IP */
        if (decap_ip(whole, d, counts) != 0) {
            t->all.flow.undecodable++;
            return false;
        }
    }
    return true;
}

void flow_table_packet(struct flow_table *t, const struct packet *p, struct dissected *d, struct decap_counts *counts)
{
    uint64_t now_ns = p->time_ns;
    uint64_t hash = t->dedup ? dedup_hash(t->dedup, d) : 0; /* early: its table is rarely in the cache */
    t->all.flow.received++;
    if (t->now_ns == 0)
        t->home.timers.at_s = now_ns / NS_PER_S;
    if (now_ns > t->now_ns)
        t->now_ns = now_ns;
    struct known known = fetch_flow(t, d);
    bool is_whole = !d->is_fragment && d->protocol != IPCOMP_PROTOCOL;
    if ((is_whole && is_refused(t, &known, d)) || is_copy(t, hash, now_ns))
        return;
    if (!is_whole && !make_whole(t, d, counts, now_ns))
        return;
    /* only now: a fragment that comes late may be what a stream waits for */
    expire_streams(t, now_ns);
    if (!is_whole) {
        known = find_flow(t, d);
        if (is_refused(t, &known, d))
            return;
    }
    if (d->protocol == FLOW_TCP)
        t->all.flow.tcp++;
    else if (d->protocol == FLOW_UDP)
        t->all.flow.udp++;
    else
        t->all.flow.other_ip++;
    if (d->protocol != FLOW_TCP && d->protocol != FLOW_UDP)
        return;
    feed(t, &known, d, now_ns);
}

/* ---- time and the end ---- */

void flow_table_keys(struct flow_table *t, uint64_t now_ns)
{
    if (t->home.crypt)
        flow_crypt_poll(t->home.crypt, now_ns);
}

void flow_table_tick(struct flow_table *t, uint64_t now_ns)
{
    expire_streams(t, now_ns);
    flow_table_keys(t, now_ns);
    ipfrag_expire(t->fragments, now_ns);
    for (struct flow *f; (f = timers_idle_next(&t->home.timers, now_ns));) {
        uint64_t deadline = flow_life_deadline(f);
        if (deadline > now_ns) {
            timers_idle_set(&t->home.timers, f, deadline);
            continue;
        }
        *(f->closed_ns ? &t->all.flow.closed : &t->all.flow.idle) += 1;
        remove_flow(t, f, deadline);
    }
}

static int by_last_packet(const void *a, const void *b)
{
    const struct flow_info *x = &(*(struct flow *const *)a)->info, *y = &(*(struct flow *const *)b)->info;
    if (x->last_ns != y->last_ns)
        return x->last_ns < y->last_ns ? -1 : 1;
    return (x->hash > y->hash) - (x->hash < y->hash);
}

static void flush_flow(struct flow_table *t, struct flow *f, uint64_t now_ns)
{
    struct flow_counts *c = &t->all.flow;
    *(f->closed_ns ? &c->closed : &c->flushed) += 1;
    remove_flow(t, f, now_ns);
}

void flow_table_flush(struct flow_table *t, uint64_t now_ns)
{
    uint32_t n = map_size(t->flows), at = UINT32_MAX;
    struct flow **order = malloc((n ? n : 1) * sizeof(struct flow *));
    const void *key;
    void *value;
    if (order) {
        for (uint32_t i = 0; map_walk(t->flows, &at, &key, &value); i++)
            order[i] = value;
        qsort(order, n, sizeof(struct flow *), by_last_packet);
        for (uint32_t i = 0; i < n; i++)
            flush_flow(t, order[i], now_ns);
        free(order);
    }
    while (map_oldest(t->flows, &key, &value)) /* only without memory for the order */
        flush_flow(t, value, now_ns);
}
