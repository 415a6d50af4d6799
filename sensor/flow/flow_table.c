/* SPDX-License-Identifier: Apache-2.0
 * The flow of a packet and its life: made at its first packet, fed, closed by its stream, idle time, a new handshake on the
 * same addresses, lack of room, or the end of the capture. Ends are stamped with the packet time at which they were due. */
#include "flow/flow_table.h"

#include "base/hash.h"
#include "base/map.h"
#include "base/times.h"
#include "flow/dedup.h"
#include "flow/flow.h"
#include "flow/ipfrag.h"
#include "flow/timers.h"

#include <stdlib.h>
#include <string.h>

#define PROTO_TCP 6
#define PROTO_UDP 17
#define MAX_NESTED_FRAGMENTS 4   /* fragments of a tunnel of fragments ... */
#define NDPI_TCP_PACKETS 12      /* after the first payload; TLS and SSH are known by then */
#define NDPI_UDP_PACKETS 8
#define UDP_IDLE_S 60u
#define ASKING_IDLE_S 86400u     /* a client may wait long for its answer */

/* received = duplicates + fragments + undecodable + other_ip + tcp + udp; tcp = tcp_segments + after_close.
 * flows = idle + closed + reused + lost + evicted + flushed + those in the table. */
struct flow_counts {
    uint64_t received;
    uint64_t duplicates, fragments, undecodable, other_ip, tcp, udp;
    uint64_t after_close;
    uint64_t flows, idle, closed, reused, lost, evicted, flushed;
};

static const struct counter_def defs[] = {
    {"flow_received", "packets", "decoded packets handed to the flow table"},
    {"flow_duplicates", "packets", "copies of a packet just seen; in no other count"},
    {"flow_fragments", "packets", "IP fragments that did not make a datagram whole"},
    {"flow_undecodable", "packets", "fragments that made a datagram whole that is not decodable"},
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

_Static_assert(sizeof defs / sizeof *defs * sizeof(uint64_t) == sizeof(struct flow_counts), "one name for each counter");

struct all_counts {
    struct flow_counts flow;
    struct dedup_counts dedup;
    struct ipfrag_counts ipfrag;
    struct tcp_counts tcp;
};

#define N_COUNTERS (sizeof(struct all_counts) / sizeof(uint64_t))

struct flow_table {
    struct map *flows;
    struct pool *names;
    struct dedup *dedup; /* NULL: not wanted */
    struct ipfrag *fragments;
    struct conn_pool *conns;
    struct classify *classify;
    flow_other_fn *on_other;
    void *ctx;
    uint64_t idle_ns, closed_ns, now_ns;
    struct flow *recent; /* of the packet before: most packets come in runs */
    struct tcp tcp;
    struct timers timers;
    struct all_counts all;
    struct counter_def defs[N_COUNTERS];
};

/* ---- the connection of a flow ---- */

static void drop_ndpi(struct flow *f)
{
    if (f->ndpi)
        classify_flow_free(f->table->classify, f->ndpi);
    f->ndpi = NULL;
}

/* nDPI has seen enough: its answer stays, its memory goes. */
static void keep_names(struct flow *f)
{
    struct flow_table *t = f->table;
    if (!f->ndpi)
        return;
    f->names = pool_take(t->names);
    if (f->names)
        classify_result(t->classify, f->ndpi, f->names->protocol, f->names->sni);
    drop_ndpi(f);
}

/* Shows one packet to nDPI, as long as it wants more and we grant it. */
static void classify(struct flow *f, const struct dissected *d, int dir, unsigned max_packets, uint64_t now_ns)
{
    struct flow_table *t = f->table;
    if (!t->classify || f->ndpi_packets == max_packets)
        return;
    if (!f->ndpi)
        f->ndpi = classify_flow_new(t->classify);
    if (!f->ndpi) {
        f->ndpi_packets = (uint8_t)max_packets;
        return;
    }
    f->ndpi_packets++;
    if (classify_packet(t->classify, f->ndpi, d->ip, dir, now_ns))
        f->ndpi_packets = (uint8_t)max_packets;
    if (f->ndpi_packets == max_packets)
        keep_names(f);
}

static void end_conn(struct flow *f, uint64_t now_ns)
{
    if (f->conn)
        conn_end(f->conn, now_ns);
    f->conn = NULL;
}

static bool has_conn(struct flow *f)
{
    if (!f->conn && f->speaks != CONN_OTHER && f->table->conns)
        f->conn = conn_new(f->table->conns, &f->info);
    return f->conn != NULL;
}

/* A connection that is not HTTP is given back at once; what comes is only counted. */
static void note_speaks(struct flow *f, uint64_t ns)
{
    if (f->speaks != CONN_UNSURE)
        return;
    f->speaks = (uint8_t)conn_speaks(f->conn);
    if (f->speaks == CONN_OTHER)
        end_conn(f, ns);
}

static void on_data(void *ctx, int dir, struct span bytes, uint64_t ns)
{
    struct flow *f = ctx;
    f->is_asking = dir == CONN_CLIENT;
    if (!has_conn(f))
        return;
    conn_data(f->conn, dir, bytes, ns);
    note_speaks(f, ns);
}

static void on_gap(void *ctx, int dir, uint64_t bytes, bool is_acked, uint64_t ns)
{
    struct flow *f = ctx;
    f->info.missing[dir] += bytes;
    f->is_asking = dir == CONN_CLIENT;
    if (!has_conn(f))
        return;
    conn_gap(f->conn, dir, bytes, is_acked, ns);
    note_speaks(f, ns);
}

static void on_fin(void *ctx, int dir, uint64_t ns)
{
    struct flow *f = ctx;
    if (f->conn)
        conn_fin(f->conn, dir, ns);
}

/* ---- end of a flow ---- */

/* The stream is over: tells what there was. The flow stays a while, so that stragglers do not begin another. */
static void close_flow(struct flow *f, uint64_t now_ns)
{
    struct flow_table *t = f->table;
    if (f->closed_ns)
        return;
    if (f->key.protocol == PROTO_TCP)
        tcp_flush(&t->tcp, &f->tcp, f, now_ns);
    timers_wait_clear(&t->timers, f);
    f->closed_ns = now_ns ? now_ns : 1;
    end_conn(f, now_ns);
    keep_names(f);
    if (f->speaks != CONN_HTTP1 && t->on_other)
        t->on_other(t->ctx, &f->info, f->names ? f->names->protocol : "", f->names ? f->names->sni : "");
    pool_give(t->names, f->names);
    f->names = NULL;
}

/* All but the removal from the map. */
static void end_flow(struct flow *f, uint64_t now_ns)
{
    close_flow(f, now_ns);
    timers_idle_clear(&f->table->timers, f);
    if (f->table->recent == f)
        f->table->recent = NULL;
}

static void remove_flow(struct flow *f, uint64_t now_ns)
{
    struct flow_key key = f->key;
    struct map *flows = f->table->flows;
    end_flow(f, now_ns);
    map_remove(flows, &key);
}

static void on_evict(void *ctx, const void *key, void *value)
{
    struct flow_table *t = ctx;
    (void)key; /* the map removes it itself */
    t->all.flow.evicted++;
    end_flow(value, t->now_ns);
}

static uint64_t idle_deadline(const struct flow *f)
{
    const struct flow_table *t = f->table;
    if (f->closed_ns)
        return f->closed_ns + t->closed_ns;
    if (f->key.protocol == PROTO_UDP)
        return f->info.last_ns + (t->idle_ns < UDP_IDLE_S * NS_PER_S ? t->idle_ns : UDP_IDLE_S * NS_PER_S);
    if (f->tcp.is_alone && (f->tcp.half[0].is_finished || f->tcp.half[1].is_finished))
        return f->info.last_ns + t->closed_ns;
    if (f->conn && f->is_asking && f->speaks == CONN_HTTP1)
        return f->info.last_ns + ASKING_IDLE_S * NS_PER_S;
    return f->info.last_ns + t->idle_ns;
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
    add_defs(t, &n, tcp_counters(&t->all.tcp));
}

struct counters flow_table_counters(const struct flow_table *t)
{
    return (struct counters){t->defs, (const uint64_t *)&t->all, N_COUNTERS};
}

uint32_t flow_table_size(const struct flow_table *t)
{
    return map_size(t->flows);
}

static uint32_t or_else(uint32_t value, uint32_t usual)
{
    return value ? value : usual;
}

struct flow_table *flow_table_new(const struct flow_limits *limits, struct conn_pool *conns, struct classify *classify,
                                  flow_other_fn *on_other, void *ctx)
{
    struct flow_table *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    uint32_t max = or_else(limits->max_flows, 262144);
    t->conns = conns;
    t->classify = classify;
    t->on_other = on_other;
    t->ctx = ctx;
    t->idle_ns = or_else(limits->idle_s, 300) * NS_PER_S;
    t->closed_ns = or_else(limits->closed_s, 5) * NS_PER_S;
    t->flows = map_new(sizeof(struct flow_key), sizeof(struct flow), max, 0);
    t->names = pool_new(sizeof(struct flow_names), max);
    t->fragments = ipfrag_new(or_else(limits->fragment_mib, 8), &t->all.ipfrag);
    t->dedup = limits->no_dedup ? NULL : dedup_new(&t->all.dedup);
    bool is_tcp = tcp_init(&t->tcp, or_else(limits->reorder_mib, 64), &(struct tcp_ops){on_data, on_gap, on_fin}, &t->all.tcp);
    if (!t->flows || !t->names || !t->fragments || !is_tcp || (!t->dedup && !limits->no_dedup)) {
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
    pool_free(t->names);
    ipfrag_free(t->fragments);
    dedup_free(t->dedup);
    tcp_fini(&t->tcp);
    free(t);
}

/* ---- the flow of a packet ---- */

/* Both directions get the same key; true when the sender is ip[0]. */
static bool key_of(const struct dissected *d, struct flow_key *key)
{
    int order = memcmp(d->src.ip.bytes, d->dst.ip.bytes, sizeof d->src.ip.bytes);
    bool is_first = order < 0 || (order == 0 && d->src.port <= d->dst.port);
    memset(key, 0, sizeof *key);
    key->ip[!is_first] = d->src.ip;
    key->ip[is_first] = d->dst.ip;
    key->port[!is_first] = d->src.port;
    key->port[is_first] = d->dst.port;
    key->protocol = d->protocol;
    return is_first;
}

/* Who opens a connection is known by its handshake; without it the first sender is taken for the client. */
static bool is_from_server(const struct dissected *d)
{
    return d->protocol == PROTO_TCP && (d->tcp_flags & (DECAP_SYN | DECAP_ACK)) == (DECAP_SYN | DECAP_ACK);
}

static void begin_flow(struct flow_table *t, struct flow *f, const struct flow_key *key, const struct dissected *d,
                       bool sender_is_first, uint64_t now_ns)
{
    memset(f, 0, sizeof *f);
    f->key = *key;
    f->table = t;
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
        .is_midstream = d->protocol == PROTO_TCP,
        .first_ns = now_ns,
        .last_ns = now_ns,
    };
    t->all.flow.flows++;
    timers_idle_set(&t->timers, f, idle_deadline(f));
}

static void begin_again(struct flow *f, const struct dissected *d, bool sender_is_first, uint64_t now_ns)
{
    struct flow_key key = f->key;
    end_flow(f, now_ns);
    begin_flow(f->table, f, &key, d, sender_is_first, now_ns);
}

static int direction_of(const struct flow *f, bool sender_is_first)
{
    return sender_is_first == f->first_is_client ? CONN_CLIENT : CONN_SERVER;
}

/* Whether the flow that holds these addresses is another one than this packet's; ends it then in the books. */
static bool is_other_flow(struct flow *f, const struct dissected *d, int dir, uint64_t now_ns)
{
    struct flow_counts *c = &f->table->all.flow;
    uint64_t deadline = idle_deadline(f);
    if (deadline <= now_ns) {
        *(f->closed_ns ? &c->closed : &c->idle) += 1;
        close_flow(f, deadline);
        return true;
    }
    if (d->protocol != PROTO_TCP)
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

/* Whether 'd' is of the flow of the packet before; then *sender_is_first is known too. */
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
    timers_idle_clear(&f->table->timers, f);
    timers_idle_set(&f->table->timers, f, idle_deadline(f));
}

static void expire_stream(struct flow *f, uint64_t now_ns)
{
    struct flow_table *t = f->table;
    uint64_t deadline = f->tcp.deadline_ns;
    if (!deadline || deadline > now_ns || f->closed_ns)
        return;
    if (tcp_expire(&t->tcp, &f->tcp, f, now_ns) == TCP_OVER) {
        close_flow(f, deadline);
        reset_idle(f);
    }
}

static void count_packet(struct flow *f, const struct dissected *d, int dir, uint64_t now_ns)
{
    f->info.saw[dir] = true;
    f->info.packets[dir]++;
    f->info.bytes[dir] += d->payload_wire;
    if (d->tcp_flags & DECAP_SYN && d->protocol == PROTO_TCP)
        f->info.is_midstream = false;
    if (now_ns > f->info.last_ns)
        f->info.last_ns = now_ns;
}

static void feed_tcp(struct flow *f, const struct dissected *d, bool sender_is_first, uint64_t now_ns)
{
    struct flow_table *t = f->table;
    int dir = direction_of(f, sender_is_first);
    if (f->closed_ns) {
        t->all.flow.after_close++;
        return;
    }
    count_packet(f, d, dir, now_ns);
    enum tcp_result result = tcp_feed(&t->tcp, &f->tcp, f, dir, d, now_ns);
    if (result == TCP_LOST) {
        t->all.flow.lost++;
        f->info.packets[dir]--;
        f->info.bytes[dir] -= d->payload_wire;
        begin_again(f, d, sender_is_first, now_ns);
        dir = direction_of(f, sender_is_first);
        count_packet(f, d, dir, now_ns);
        result = tcp_feed(&t->tcp, &f->tcp, f, dir, d, now_ns);
    }
    if (f->speaks == CONN_OTHER && d->payload_wire > 0)
        classify(f, d, dir, NDPI_TCP_PACKETS, now_ns);
    if (result == TCP_OVER)
        close_flow(f, now_ns);
    else if (f->tcp.deadline_ns)
        timers_wait_update(&t->timers, f, now_ns);
    if (result == TCP_OVER || d->tcp_flags & DECAP_FIN)
        reset_idle(f);
}

static void feed_udp(struct flow *f, const struct dissected *d, bool sender_is_first, uint64_t now_ns)
{
    int dir = direction_of(f, sender_is_first);
    count_packet(f, d, dir, now_ns);
    if (d->payload_wire > 0)
        classify(f, d, dir, NDPI_UDP_PACKETS, now_ns);
}

/* Streams that have waited long enough come before what is new. */
static void expire_streams(struct flow_table *t, uint64_t now_ns)
{
    for (struct flow *f; (f = timers_wait_next(&t->timers, now_ns));) {
        expire_stream(f, now_ns);
        if (!f->closed_ns)
            timers_wait_update(&t->timers, f, now_ns);
    }
}

static void feed(struct flow_table *t, const struct dissected *d, uint64_t now_ns)
{
    struct flow *f = t->recent;
    bool is_new = false, sender_is_first;
    if (!is_recent(f, d, &sender_is_first)) {
        struct flow_key key;
        sender_is_first = key_of(d, &key);
        f = map_touch(t->flows, &key, &is_new);
        if (is_new)
            begin_flow(t, f, &key, d, sender_is_first, now_ns);
    }
    if (!is_new) {
        expire_stream(f, now_ns);
        if (is_other_flow(f, d, direction_of(f, sender_is_first), now_ns))
            begin_again(f, d, sender_is_first, now_ns);
    }
    t->recent = f;
    if (d->protocol == PROTO_TCP)
        feed_tcp(f, d, sender_is_first, now_ns);
    else
        feed_udp(f, d, sender_is_first, now_ns);
}

/* True for the second copy of a frame (counted). */
static bool is_copy(struct flow_table *t, uint64_t hash, uint64_t now_ns)
{
    bool is = t->dedup && dedup_is_copy(t->dedup, hash, now_ns);
    t->all.flow.duplicates += is;
    return is;
}

/* Makes whole datagrams of fragments. False when there is nothing to go on with (counted). */
static bool defragment(struct flow_table *t, struct dissected *d, struct decap_counts *counts, uint64_t now_ns)
{
    for (int n = 0; d->is_fragment; n++) {
        struct span whole;
        if (n == MAX_NESTED_FRAGMENTS || !ipfrag_feed(t->fragments, d, now_ns, &whole)) {
            t->all.flow.fragments++;
            return false;
        }
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
        t->timers.at_s = now_ns / NS_PER_S;
    if (now_ns > t->now_ns)
        t->now_ns = now_ns;
    expire_streams(t, now_ns);
    if (is_copy(t, hash, now_ns))
        return;
    if (!defragment(t, d, counts, now_ns))
        return;
    if (d->protocol == PROTO_TCP)
        t->all.flow.tcp++;
    else if (d->protocol == PROTO_UDP)
        t->all.flow.udp++;
    else
        t->all.flow.other_ip++;
    if (d->protocol == PROTO_TCP || d->protocol == PROTO_UDP)
        feed(t, d, now_ns);
}

/* ---- time and the end ---- */

void flow_table_tick(struct flow_table *t, uint64_t now_ns)
{
    expire_streams(t, now_ns);
    ipfrag_expire(t->fragments, now_ns);
    for (struct flow *f; (f = timers_idle_next(&t->timers, now_ns));) {
        uint64_t deadline = idle_deadline(f);
        if (deadline > now_ns) {
            timers_idle_set(&t->timers, f, deadline);
            continue;
        }
        *(f->closed_ns ? &t->all.flow.closed : &t->all.flow.idle) += 1;
        remove_flow(f, deadline);
    }
}

static int by_last_packet(const void *a, const void *b)
{
    const struct flow_info *x = &(*(struct flow *const *)a)->info, *y = &(*(struct flow *const *)b)->info;
    if (x->last_ns != y->last_ns)
        return x->last_ns < y->last_ns ? -1 : 1;
    return (x->hash > y->hash) - (x->hash < y->hash);
}

static void flush_flow(struct flow *f, uint64_t now_ns)
{
    struct flow_counts *c = &f->table->all.flow;
    *(f->closed_ns ? &c->closed : &c->flushed) += 1;
    remove_flow(f, now_ns);
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
            flush_flow(order[i], now_ns);
        free(order);
    }
    while (map_oldest(t->flows, &key, &value)) /* only without memory for the order */
        flush_flow(value, now_ns);
}
