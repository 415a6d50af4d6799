/* SPDX-License-Identifier: Apache-2.0
 * Between the stream of a flow and who listens: the connection while it may be HTTP, nDPI for a few packets when it is
 * not, and what is told at the end. */
#include "flow/flow_life.h"

#include "base/times.h"
#include "flow/flow_crypt.h"
#include "wire/http1_proxy.h"

#define NDPI_TCP_PACKETS 12 /* after the first payload; TLS and SSH are known by then */
#define NDPI_UDP_PACKETS 8
#define UDP_IDLE_S 60u
#define ASKING_IDLE_S 86400u /* a client may wait long for its answer */
#define STALL_IDLE_S 3600u   /* an answer that has begun may pause */
#define KEPT_IDLE_S 604800u  /* what was learnt at the start cannot be learnt again */

static void drop_ndpi(struct flow *f)
{
    if (f->ndpi)
        classify_flow_free(f->home->classify, f->ndpi);
    f->ndpi = NULL;
}

/* nDPI has seen enough: its answer stays, its memory goes. */
static void keep_names(struct flow *f)
{
    struct flow_home *home = f->home;
    if (!f->ndpi)
        return;
    struct flow_names *had = f->names, now;
    f->names = had ? had : pool_take(home->names);
    if (f->names) {
        classify_result(home->classify, f->ndpi, now.protocol, now.sni);
        memcpy(f->names->protocol, now.protocol, sizeof now.protocol);
        if (!had || !had->sni[0]) /* else where its tunnel leads */
            memcpy(f->names->sni, now.sni, sizeof now.sni);
    }
    drop_ndpi(f);
    if (f->names && home->on_named && !f->is_named) {
        struct flow_other other = flow_life_other(f);
        f->is_named = true;
        home->on_named(home->ctx, &other);
    }
}

/* Shows one packet to nDPI, as long as it wants more and we grant it. */
void flow_life_classify(struct flow *f, const struct dissected *d, int dir, uint64_t now_ns)
{
    struct flow_home *home = f->home;
    unsigned max_packets = f->key.protocol == FLOW_TCP ? NDPI_TCP_PACKETS : NDPI_UDP_PACKETS;
    if (!home->classify || f->ndpi_packets == max_packets)
        return;
    if (!f->ndpi)
        f->ndpi = classify_flow_new(home->classify);
    if (!f->ndpi) {
        f->ndpi_packets = (uint8_t)max_packets;
        return;
    }
    f->ndpi_packets++;
    if (classify_packet(home->classify, f->ndpi, d->ip, dir, now_ns))
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

static bool is_http2(const struct tls_facts *tls)
{
    return tls && tls->is_alpn_chosen && span_eq(span_text(tls->alpn), SPAN("h2"));
}

static bool has_conn(struct flow *f)
{
    if (f->conn || f->speaks == CONN_OTHER || !f->home->conns)
        return f->conn != NULL;
    f->conn = conn_new(f->home->conns, &f->info);
    if (f->conn && is_http2(f->info.tls))
        conn_expect(f->conn, CONN_HTTP2);
    return f->conn != NULL;
}

void flow_life_is_other(struct flow *f, uint64_t ns)
{
    f->speaks = CONN_OTHER;
    end_conn(f, ns);
}

/* What comes through a tunnel is a connection of its own; where it leads is its name, if it says none itself. */
static bool begin_tunnel(struct flow *f, uint64_t ns)
{
    struct span host;
    if (f->crypt || !conn_is_tunnel(f->conn, &f->info.numbered, &host))
        return false;
    if (!f->names && (f->names = pool_take(f->home->names)))
        *f->names = (struct flow_names){0};
    if (f->names) {
        memcpy(f->names->sni, host.at, host.size);
        f->names->sni[host.size] = 0;
    }
    end_conn(f, ns);
    f->speaks = CONN_UNSURE;
    return true;
}

/* A connection that is not HTTP is given back at once; what comes is only counted. */
static void note_speaks(struct flow *f, uint64_t ns)
{
    enum conn_speaks speaks = conn_speaks(f->conn);
    if (speaks == CONN_OTHER && begin_tunnel(f, ns))
        return;
    if (f->speaks != CONN_UNSURE)
        return;
    f->speaks = (uint8_t)speaks;
    if (f->speaks == CONN_OTHER)
        end_conn(f, ns);
}

void flow_life_plain_data(struct flow *f, int dir, struct span bytes, uint64_t ns)
{
    if (!has_conn(f))
        return;
    conn_data(f->conn, dir, bytes, ns);
    note_speaks(f, ns);
}

void flow_life_plain_gap(struct flow *f, int dir, uint64_t bytes, bool is_acked, uint64_t ns)
{
    if (!has_conn(f))
        return;
    conn_gap(f->conn, dir, bytes, is_acked, ns);
    note_speaks(f, ns);
}

void flow_life_plain_fin(struct flow *f, int dir, uint64_t ns)
{
    if (f->conn)
        conn_fin(f->conn, dir, ns);
}

/* The front of 'bytes' that belongs to a PROXY preface goes to the connection; TLS may follow, which is not the
 * connection's to look into. What is left. */
static struct span take_preface(struct flow *f, struct span bytes, uint64_t ns)
{
    size_t size = f->conn ? 0 : http1_proxy_size(bytes);
    if (size) {
        flow_life_plain_data(f, CONN_CLIENT, span_sub(bytes, 0, size), ns);
        bytes = span_from(bytes, size);
    }
    while (f->conn && bytes.size && conn_is_prefacing(f->conn)) { /* one cut into segments */
        flow_life_plain_data(f, CONN_CLIENT, span_sub(bytes, 0, 1), ns);
        bytes = span_from(bytes, 1);
    }
    if (f->conn)
        (void)conn_is_prefaced(f->conn, &f->info.proxied);
    return bytes;
}

static void on_data(void *ctx, int dir, struct span bytes, uint64_t ns)
{
    struct flow *f = ctx;
    f->is_asking = dir == CONN_CLIENT;
    if (dir == CONN_CLIENT && f->speaks == CONN_UNSURE && !f->crypt) {
        bytes = take_preface(f, bytes, ns);
        if (!bytes.size)
            return;
    }
    if (f->crypt || flow_crypt_begins(f, bytes))
        flow_crypt_data(f, dir, bytes, ns);
    else
        flow_life_plain_data(f, dir, bytes, ns);
}

static void on_gap(void *ctx, int dir, uint64_t bytes, bool is_acked, uint64_t ns)
{
    struct flow *f = ctx;
    f->info.missing[dir] += bytes;
    f->is_asking = dir == CONN_CLIENT;
    if (f->crypt)
        flow_crypt_gap(f, dir, bytes, ns);
    else
        flow_life_plain_gap(f, dir, bytes, is_acked, ns);
}

static void on_fin(void *ctx, int dir, uint64_t ns)
{
    struct flow *f = ctx;
    if (f->crypt)
        flow_crypt_fin(f, dir, ns);
    else
        flow_life_plain_fin(f, dir, ns);
}

struct flow_other flow_life_other(const struct flow *f)
{
    const struct tls_facts *tls = flow_crypt_facts(f);
    return (struct flow_other){
        .info = &f->info,
        .protocol = f->names ? f->names->protocol : "",
        .server_name = tls && tls->server_name[0] ? tls->server_name : f->names ? f->names->sni : "",
        .tls = tls,
        .closed = flow_crypt_closed(f),
    };
}

static void tell_other(struct flow *f)
{
    struct flow_other other = flow_life_other(f);
    f->home->on_other(f->home->ctx, &other);
}

void flow_life_settle(struct flow *f)
{
    struct flow_home *home = f->home;
    uint64_t end_ns = f->closed_ns; /* whenever its secrets came, this is when it ended */
    if (f->is_told)
        return;
    f->is_told = true;
    flow_crypt_finish(f, end_ns);
    end_conn(f, end_ns);
    if ((f->speaks == CONN_UNSURE || f->speaks == CONN_OTHER) && home->on_other)
        tell_other(f);
    flow_crypt_free(f);
    pool_give(home->names, f->names);
    f->names = NULL;
}

void flow_life_close(struct flow *f, uint64_t now_ns)
{
    struct flow_home *home = f->home;
    if (f->closed_ns)
        return;
    if (f->key.protocol == FLOW_TCP)
        tcp_flush(&home->tcp, &f->tcp, f, now_ns);
    timers_wait_clear(&home->timers, f);
    f->closed_ns = now_ns ? now_ns : 1;
    keep_names(f);
    if (!flow_crypt_lingers(f))
        flow_life_settle(f);
}

/* Whether what comes later cannot be read, or not be ascribed to its client, without what has come: keys, the header
 * state of HTTP/2, a PROXY preface. Half of the room for it is kept for connections that begin. */
static bool is_worth_keeping(const struct flow *f, bool is_http2)
{
    struct tls_conn *tls = f->crypt ? f->crypt->tls : NULL;
    if (!f->conn || (!is_http2 && f->speaks != CONN_HTTP1) || (tls && !tls_conn_may_idle(tls)))
        return false;
    return tls || is_http2 ? conn_may_idle(f->conn) : !ipaddr_is_zero(&f->info.proxied);
}

uint64_t flow_life_deadline(const struct flow *f)
{
    const struct flow_home *home = f->home;
    if (f->closed_ns)
        return f->closed_ns + (f->is_told || home->closed_ns > home->key_wait_ns ? home->closed_ns : home->key_wait_ns);
    if (f->key.protocol == FLOW_UDP)
        return f->info.last_ns + (home->idle_ns < UDP_IDLE_S * NS_PER_S ? home->idle_ns : UDP_IDLE_S * NS_PER_S);
    bool are_closing = f->tcp.half[1].is_finished && f->tcp.half[0].has_fin; /* but for an acknowledgement */
    if (are_closing || (f->tcp.is_alone && (f->tcp.half[0].is_finished || f->tcp.half[1].is_finished)))
        return f->info.last_ns + home->closed_ns;
    bool is_http2 = f->conn && conn_speaks(f->conn) == CONN_HTTP2; /* where the client may speak last at any time */
    if (is_http2 ? conn_is_asked(f->conn) : f->conn && f->is_asking && f->speaks == CONN_HTTP1)
        return f->info.last_ns + ASKING_IDLE_S * NS_PER_S;
    if (f->conn && f->speaks == CONN_HTTP1 && conn_is_asked(f->conn) && home->idle_ns < STALL_IDLE_S * NS_PER_S)
        return f->info.last_ns + STALL_IDLE_S * NS_PER_S;
    if (is_worth_keeping(f, is_http2))
        return f->info.last_ns + KEPT_IDLE_S * NS_PER_S;
    return f->info.last_ns + home->idle_ns;
}

/* While an answer comes, or secrets that fit would be lost with the connection. */
static bool is_busy(void *ctx)
{
    const struct flow *f = ctx;
    return f->crypt || (f->conn && conn_is_asked(f->conn));
}

struct tcp_ops flow_life_ops(void)
{
    return (struct tcp_ops){on_data, on_gap, on_fin, is_busy};
}

void flow_life_handshake(struct flow *f, const struct dissected *d, int direction, uint64_t now_ns)
{
    struct flow_info *i = &f->info;
    if (d->tcp_flags & DECAP_SYN) {
        bool is_first = direction == CONN_SERVER && d->tcp_flags & DECAP_ACK && i->packets[CONN_SERVER] == 1;
        i->syn_ack_ns = is_first ? now_ns : 0;
        return;
    }
    bool is_ack = direction == CONN_CLIENT && d->tcp_flags & DECAP_ACK && !(d->tcp_flags & DECAP_RST) && !d->payload_wire;
    if (is_ack && d->ack == f->tcp.half[CONN_SERVER].start && now_ns > i->syn_ack_ns) {
        uint64_t us = (now_ns - i->syn_ack_ns) / 1000;
        i->rtt_us = us == 0 ? 1 : us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
    }
    i->syn_ack_ns = 0;
}
