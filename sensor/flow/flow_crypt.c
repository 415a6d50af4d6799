/* SPDX-License-Identifier: Apache-2.0
 * Encrypted flows: plaintext goes on to the connection, closed ones are measured. */
#include "flow/flow_crypt.h"

#include "wire/tls_fingerprint.h"
#include "wire/tls_hello.h"

#include <stdlib.h>

#define QUIC_TURN 128u /* bytes: a smaller datagram of the client only acknowledges */

struct flow_crypt_counts {
    uint64_t quic, quic_hellos, quic_bad, quic_unknown, refused, bursts_untold;
};

static const struct counter_def DEFS[] = {
    {"quic_flows", "flows", "that began like QUIC"},
    {"quic_hellos", "flows", "of these, whose ClientHello was read"},
    {"quic_bad", "datagrams", "malformed, or that did not open"},
    {"quic_unknown", "datagrams", "of a QUIC version that is not known"},
    {"crypt_refused", "flows", "encrypted, but not looked at for lack of memory; raise the limit"},
    {"crypt_bursts_untold", "downloads", "by their size, not told of connections that waited in vain for secrets; their flow counts them"},
};

_Static_assert(sizeof DEFS / sizeof DEFS[0] * sizeof(uint64_t) == sizeof(struct flow_crypt_counts),
               "one name for each counter");

struct flow_crypt_home {
    struct tls_conn_pool *tls;
    struct pool *crypts;
    struct quic_memory quic;
    struct flow *first, *last; /* closed, secrets may still come; in the order of closing */
    struct flow_crypt_counts counts;
};

/* ---- plaintext ---- */

static void on_data(void *ctx, int dir, struct span bytes, uint64_t ns)
{
    flow_life_plain_data(ctx, dir, bytes, ns);
}

static void on_gap(void *ctx, int dir, uint64_t bytes, uint64_t ns)
{
    flow_life_plain_gap(ctx, dir, bytes, true, ns);
}

static void on_fin(void *ctx, int dir, uint64_t ns)
{
    flow_life_plain_fin(ctx, dir, ns);
}

static uint64_t skippable(void *ctx, int dir)
{
    const struct flow *f = ctx;
    return f->conn ? conn_skippable(f->conn, dir) : 0;
}

static void on_skip(void *ctx, int dir, uint64_t bytes, uint64_t ns)
{
    struct flow *f = ctx;
    if (f->conn)
        conn_skip(f->conn, dir, bytes, ns);
}

struct flow_crypt_home *flow_crypt_home_new(const struct tls_conn_limits *limits, uint32_t max_flows,
                                            struct tls_keys *keys)
{
    struct flow_crypt_home *h = calloc(1, sizeof *h);
    if (!h)
        return NULL;
    h->tls = tls_conn_pool_new(limits, &(struct tls_conn_ops){on_data, on_gap, on_fin, skippable, on_skip}, keys);
    h->crypts = pool_new(sizeof(struct flow_crypt), max_flows / 4 + 256);
    h->quic.opener = quic_opener_new();
    h->quic.blocks = pool_new(QUIC_BLOCK, max_flows / 256 + 64);
    if (!h->tls || !h->crypts || !h->quic.opener || !h->quic.blocks) {
        flow_crypt_home_free(h);
        return NULL;
    }
    return h;
}

void flow_crypt_home_free(struct flow_crypt_home *h)
{
    if (!h)
        return;
    tls_conn_pool_free(h->tls);
    pool_free(h->crypts);
    quic_opener_free(h->quic.opener);
    pool_free(h->quic.blocks);
    free(h);
}

struct counters flow_crypt_counters(const struct flow_crypt_home *h, size_t i)
{
    switch (i) {
    case 0: return tls_conn_counters(h->tls);
    case 1: return tls_conn_open_counters(h->tls);
    case 2: return (struct counters){DEFS, &h->counts.quic, sizeof DEFS / sizeof DEFS[0]};
    default: return (struct counters){0};
    }
}

void flow_crypt_poll(struct flow_crypt_home *h, uint64_t now_ns)
{
    tls_conn_pool_poll(h->tls, now_ns);
    for (struct flow *f = h->first, *next; f; f = next) {
        next = f->crypt->next;
        if (!tls_conn_is_waiting(f->crypt->tls))
            flow_life_settle(f);
    }
}

/* ---- measures of what stays closed ---- */

static bool may_open(const struct flow_crypt *c)
{
    return c->tls && tls_conn_is_waiting(c->tls) && !tls_conn_is_open(c->tls);
}

static void tell_burst(struct flow *f, const struct burst *b)
{
    struct flow_other other = flow_life_other(f);
    if (!f->home->on_burst || !other.closed)
        return;
    struct closed_flow then = *other.closed;
    then.bursts = b->number;
    other.closed = &then;
    f->home->on_burst(f->home->ctx, &other, b->bytes, b->first_ns, b->last_ns);
}

/* What looked like downloads while secrets could still come: told if they did not. */
static void tell_kept(struct flow *f)
{
    struct flow_crypt *c = f->crypt;
    if (!c->n_kept || may_open(c))
        return;
    for (unsigned i = 0; i < c->n_kept; i++)
        tell_burst(f, &c->kept[i]);
    c->n_kept = 0;
}

static void tell_or_keep(struct flow *f)
{
    struct flow_crypt *c = f->crypt;
    if (!may_open(c))
        tell_burst(f, &c->burst);
    else if (c->n_kept < FLOW_CRYPT_BURSTS)
        c->kept[c->n_kept++] = c->burst;
    else
        f->home->crypt->counts.bursts_untold++;
}

static void end_burst(struct flow *f)
{
    struct flow_crypt *c = f->crypt;
    struct closed_flow *m = &c->closed;
    uint64_t bytes = c->burst.bytes;
    tell_kept(f);
    if (!bytes)
        return;
    c->burst.number = ++m->bursts;
    if (bytes > m->largest)
        m->largest = bytes;
    if (bytes >= CLOSED_DOWNLOAD_BYTES) {
        m->downloads++;
        m->download_bytes += bytes;
        tell_or_keep(f);
    }
    c->burst.bytes = 0;
}

static void measure(struct flow *f, int dir, uint64_t bytes, bool is_turn, uint64_t ns)
{
    struct flow_crypt *c = f->crypt;
    struct closed_flow *m = &c->closed;
    m->bytes[dir] += bytes;
    if (dir == CONN_CLIENT) {
        if (is_turn)
            end_burst(f);
        if (!c->client_ns)
            c->client_ns = ns;
        return;
    }
    if (!c->burst.bytes)
        c->burst.first_ns = ns;
    c->burst.last_ns = ns;
    c->burst.bytes += bytes;
    if (!m->first_byte_ns && c->client_ns && ns > c->client_ns)
        m->first_byte_ns = ns - c->client_ns;
}

/* ---- TLS ---- */

static struct flow_crypt *begin(struct flow *f)
{
    struct flow_crypt_home *h = f->home->crypt;
    struct flow_crypt *c = pool_take(h->crypts);
    if (!c)
        h->counts.refused++;
    else
        *c = (struct flow_crypt){0};
    return f->crypt = c;
}

bool flow_crypt_begins(struct flow *f, struct span bytes)
{
    struct flow_crypt_home *h = f->home->crypt;
    struct ipaddr source;
    bool is_begun = f->conn && !conn_is_prefaced(f->conn, &source);
    if (!h || f->crypt || is_begun || f->speaks != CONN_UNSURE || !tls_conn_may_begin(bytes) || !begin(f))
        return false;
    f->crypt->tls = tls_conn_new(h->tls, f);
    if (!f->crypt->tls) {
        flow_crypt_free(f);
        return false;
    }
    f->info.tls = tls_conn_facts(f->crypt->tls);
    return true;
}

/* It was no TLS after all: what was taken for it goes where it belongs. */
static void go_plain(struct flow *f, uint64_t ns)
{
    uint8_t first[2][8];
    size_t n[2];
    for (int dir = 0; dir < 2; dir++) {
        struct span bytes = tls_conn_first(f->crypt->tls, dir);
        n[dir] = bytes.size;
        memcpy(first[dir], bytes.at ? bytes.at : (const uint8_t *)"", bytes.size);
    }
    flow_crypt_free(f);
    for (int dir = 0; dir < 2; dir++)
        if (n[dir])
            flow_life_plain_data(f, dir, span_of(first[dir], n[dir]), ns);
}

/* True when the bytes at hand are not the TLS connection's (any more). */
static bool is_settled(struct flow *f, uint64_t ns)
{
    switch (tls_conn_state(f->crypt->tls)) {
    case TLS_CONN_GOING: return false;
    case TLS_CONN_FOREIGN: go_plain(f, ns); return true;
    case TLS_CONN_CLOSED:
        if (f->speaks == CONN_UNSURE)
            flow_life_is_other(f, ns);
        return true;
    }
    return false;
}

void flow_crypt_data(struct flow *f, int dir, struct span bytes, uint64_t ns)
{
    struct flow_crypt *c = f->crypt;
    measure(f, dir, bytes.size, true, ns);
    bool was_going = tls_conn_state(c->tls) == TLS_CONN_GOING;
    if (was_going)
        tls_conn_data(c->tls, dir, bytes, ns);
    if (!is_settled(f, ns))
        return;
    if (!f->crypt) /* it was no TLS */
        flow_life_plain_data(f, dir, bytes, ns);
    else if (!was_going) /* an open connection was lost: what its transactions still get is not seen */
        flow_life_plain_gap(f, dir, bytes.size, true, ns);
}

void flow_crypt_gap(struct flow *f, int dir, uint64_t bytes, uint64_t ns)
{
    struct flow_crypt *c = f->crypt;
    measure(f, dir, bytes, true, ns);
    c->closed.missing[dir] += bytes;
    bool was_going = tls_conn_state(c->tls) == TLS_CONN_GOING;
    if (was_going)
        tls_conn_gap(c->tls, dir, bytes, ns);
    if (!is_settled(f, ns))
        return;
    if (!f->crypt || !was_going)
        flow_life_plain_gap(f, dir, bytes, true, ns);
}

void flow_crypt_fin(struct flow *f, int dir, uint64_t ns)
{
    bool was_going = tls_conn_state(f->crypt->tls) == TLS_CONN_GOING;
    if (was_going)
        tls_conn_fin(f->crypt->tls, dir, ns);
    if (is_settled(f, ns) && (!f->crypt || !was_going))
        flow_life_plain_fin(f, dir, ns);
}

/* ---- QUIC ---- */

static void keep_text(char *to, size_t room, struct span text)
{
    size_t n = text.size < room - 1 ? text.size : room - 1;
    for (size_t i = 0; i < n; i++)
        to[i] = text.at[i] > ' ' && text.at[i] < 0x7f ? (char)text.at[i] : '?';
    to[n] = 0;
}

static void keep_client_hello(struct flow_crypt *c, struct span body)
{
    struct tls_client_hello h;
    struct tls_facts *f = &c->facts;
    if (!tls_client_hello_read(body, false, &h))
        return;
    f->version = h.version;
    f->has_ech = h.has_ech;
    f->has_early_data = h.has_early_data;
    keep_text(f->server_name, sizeof f->server_name, h.sni);
    keep_text(f->alpn, sizeof f->alpn, h.alpn_first);
    tls_fingerprint_ja3(&h, f->ja3);
    tls_fingerprint_ja4(&h, TLS_OVER_QUIC, f->ja4);
}

static void keep_server_hello(struct flow_crypt *c, struct span body)
{
    struct tls_server_hello h;
    if (!tls_server_hello_read(body, &h) || h.is_retry)
        return;
    c->facts.version = h.version;
    c->facts.cipher = h.cipher;
    tls_fingerprint_ja3s(&h, c->facts.ja3s);
}

static bool begin_quic(struct flow *f, int dir, struct span payload)
{
    struct flow_crypt_home *h = f->home->crypt;
    if (f->crypt)
        return !f->crypt->tls;
    if (dir != CONN_CLIENT || f->info.packets[CONN_CLIENT] > 1 || !quic_initial_probe(payload) || !begin(f))
        return false;
    h->counts.quic++;
    quic_initial_init(&f->crypt->quic);
    f->crypt->facts.is_quic = true;
    f->crypt->facts.sight = TLS_NO_KEYS;
    f->info.tls = &f->crypt->facts;
    return true;
}

static void look_into(struct flow_crypt_home *h, struct flow_crypt *c, int dir, struct span payload)
{
    struct quic_facts facts;
    quic_initial_datagram(&c->quic, &h->quic, payload, dir == CONN_CLIENT, &facts);
    h->counts.quic_bad += facts.is_bad || facts.closed;
    h->counts.quic_unknown += facts.is_unknown_version;
    if (facts.client_hello.size) {
        h->counts.quic_hellos++;
        keep_client_hello(c, facts.client_hello);
    }
    if (facts.server_hello.size)
        keep_server_hello(c, facts.server_hello);
}

void flow_crypt_datagram(struct flow *f, int dir, const struct dissected *d, uint64_t ns)
{
    struct flow_crypt_home *h = f->home->crypt;
    if (!h || !begin_quic(f, dir, d->payload))
        return;
    struct flow_crypt *c = f->crypt;
    measure(f, dir, d->payload_wire, d->payload_wire >= QUIC_TURN, ns);
    bool is_done = c->quic.is_done[CONN_CLIENT] && c->quic.is_done[CONN_SERVER];
    if (is_done || c->quic_datagrams[dir] == QUIC_LOOK_DATAGRAMS)
        return;
    c->quic_datagrams[dir]++;
    look_into(h, c, dir, d->payload);
    if (c->quic.is_done[CONN_CLIENT] && c->quic.is_done[CONN_SERVER])
        quic_initial_fini(&c->quic, &h->quic);
}

/* ---- the end ---- */

bool flow_crypt_lingers(struct flow *f)
{
    struct flow_crypt *c = f->crypt;
    if (!c || !c->tls || !tls_conn_is_waiting(c->tls))
        return false;
    struct flow_crypt_home *h = f->home->crypt;
    c->is_lingering = true;
    c->prev = h->last;
    *(h->last ? &h->last->crypt->next : &h->first) = f;
    h->last = f;
    return true;
}

static void unlist(struct flow_crypt_home *h, struct flow_crypt *c)
{
    if (!c->is_lingering)
        return;
    *(c->prev ? &c->prev->crypt->next : &h->first) = c->next;
    *(c->next ? &c->next->crypt->prev : &h->last) = c->prev;
    c->is_lingering = false;
}

void flow_crypt_finish(struct flow *f, uint64_t now_ns)
{
    struct flow_crypt *c = f->crypt;
    if (!c)
        return;
    if (c->tls) {
        tls_conn_finish(c->tls, now_ns);
        if (tls_conn_state(c->tls) == TLS_CONN_FOREIGN)
            go_plain(f, now_ns);
    }
    if (f->crypt)
        end_burst(f);
}

const struct tls_facts *flow_crypt_facts(const struct flow *f)
{
    return f->info.tls;
}

const struct closed_flow *flow_crypt_closed(const struct flow *f)
{
    return f->crypt && f->info.tls->sight != TLS_OPEN ? &f->crypt->closed : NULL;
}

void flow_crypt_free(struct flow *f)
{
    struct flow_crypt *c = f->crypt;
    if (!c)
        return;
    struct flow_crypt_home *h = f->home->crypt;
    unlist(h, c);
    if (c->tls)
        tls_conn_free(c->tls);
    quic_initial_fini(&c->quic, &h->quic);
    pool_give(h->crypts, c);
    f->crypt = NULL;
    f->info.tls = NULL;
}
