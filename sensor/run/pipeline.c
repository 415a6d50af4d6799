/* SPDX-License-Identifier: Apache-2.0
 * Wires the packet floors together: decap, flow table, connections, applications. */
#include "run/pipeline.h"

#include "base/err.h"
#include "base/times.h"
#include "enrich/remote_tool.h"
#include "flow/flow_table.h"
#include "wire/tls_keys.h"

#include <stdio.h>
#include <stdlib.h>

#define KEY_WAIT_NS (10 * NS_PER_S)       /* packet time that secrets may be late */
#define KEY_LIFE_NS (2 * 86400 * NS_PER_S) /* packet time that secrets are kept after the last of a connection came */

#define KEYS_FED 65536u                   /* connections whose secrets are held, 300 bytes each */
#define KEYS_EMBEDDED 4096u               /* the same where only a capture file can bring some */

struct pipeline_counts {
    uint64_t transactions, closed_flows, other_flows;
};

static const struct counter_def counter_defs[] = {
    {"pipeline_transactions", "transactions", "HTTP transactions"},
    {"pipeline_flows_encrypted", "flows", "TLS, DTLS or QUIC: nothing inside is seen; tap behind the termination"},
    {"pipeline_flows_other", "flows", "neither HTTP nor encrypted, or without payload"},
};

#define FRAGMENTS_S 30u /* a late fragment may be what a stream waits for: such frames alone let no less time pass */

struct pipeline {
    struct pipeline_hooks hooks;
    struct decap_counts decap;
    struct app *app;
    struct conn_pool *conns;
    struct classify *classify;
    struct flow_table *flows;
    struct tls_keys *keys;
    struct tls_keylog_counts keylog;
    struct pipeline_counts counts;
    uint64_t first_ns, now_ns, ticked_s;
    uint32_t unread_link;
};

static void on_candidate(void *ctx, const struct activity *candidate)
{
    struct pipeline *p = ctx;
    p->hooks.on_candidate(p->hooks.ctx, candidate);
}

static void on_transaction(void *ctx, const struct transaction *t, const struct ipaddr *forwarded)
{
    struct pipeline *p = ctx;
    p->counts.transactions++;
    if (p->hooks.on_transaction)
        p->hooks.on_transaction(p->hooks.ctx, t, forwarded);
}

static void on_route(void *ctx, const struct app_route *r)
{
    struct pipeline *p = ctx;
    p->hooks.on_explained(p->hooks.ctx, r->why);
}

/* nDPI's names are "TLS", "TLS.Slack", "QUIC" ... */
static bool is_encrypted(const struct flow_other *o)
{
    struct span name = span_text(o->protocol);
    return o->closed || span_starts(name, SPAN("TLS")) || span_starts(name, SPAN("DTLS")) || span_starts(name, SPAN("QUIC"));
}

static void tell_closed(struct pipeline *p, const struct flow_other *o)
{
    const struct flow_info *info = o->info;
    struct ipaddr client = app_client_of(p->app, &info->client, &info->proxied);
    struct transaction t = {
        .flow_hash = info->hash,
        .client = info->client,
        .server = info->server,
        .vlan = {info->vlan[0], info->vlan[1]},
        .tunnel = (enum tunnel_kind)info->tunnel,
        .rtt_us = info->rtt_us,
        .proxy_protocol_client = info->proxied,
        .tls = o->tls,
        .request_ns = info->first_ns,
        .end_ns = info->last_ns,
        .flags = (info->saw[0] && info->saw[1] ? 0 : TXN_ONE_SIDED) | (info->is_midstream ? TXN_MIDSTREAM : 0),
        .closed = o->closed,
    };
    if (p->hooks.on_transaction)
        p->hooks.on_transaction(p->hooks.ctx, &t, ipaddr_eq(&client, &info->client.ip) ? NULL : &client);
}

static const char *protocol_of(const struct flow_other *o)
{
    if (o->protocol[0] || !o->closed)
        return o->protocol;
    return o->tls->is_quic ? "QUIC" : "TLS";
}

/* What an activity of a flow without HTTP has in common. */
static void begin_activity(const struct pipeline *p, const struct flow_other *o, enum action action, struct activity *a)
{
    const struct flow_info *info = o->info;
    activity_init(a);
    a->action = (uint8_t)action;
    a->done_ns = p->now_ns;
    a->flow_hash = info->hash;
    a->source = app_client_of(p->app, &info->client, &info->proxied);
    a->peer = info->client;
    a->server = info->server;
    a->rtt_us = ipaddr_eq(&a->source, &a->peer.ip) ? info->rtt_us : 0;
    a->size_known = SIZE_OBSERVED;
    a->flags = ACT_HAS_BODY | (is_encrypted(o) ? ACT_ENCRYPTED : 0) | (info->saw[0] && info->saw[1] ? 0 : ACT_ONE_SIDED);
    activity_set(a, STR_PROTOCOL, span_text(protocol_of(o)));
    activity_set(a, STR_SNI, span_text(o->server_name));
    if (o->tls) {
        activity_set(a, STR_JA3, span_text(o->tls->ja3));
        activity_set(a, STR_JA4, span_text(o->tls->ja4));
    }
}

static void emit(struct pipeline *p, struct activity *a)
{
    activity_seal(a);
    p->hooks.on_candidate(p->hooks.ctx, a);
}

static bool is_remote_tool(const struct flow_other *o)
{
    return remote_tool_of(span_text(o->protocol), span_text(o->server_name)) != NULL;
}

/* Somebody begins to work a computer from afar: told at once, for it may be the one of a person at the desk; its end, with
 * its bytes, by on_other. */
static void on_named(void *ctx, const struct flow_other *o)
{
    struct pipeline *p = ctx;
    struct activity a;
    if (!is_remote_tool(o))
        return;
    begin_activity(p, o, ACTION_CONNECTION, &a);
    a.flags &= ~ACT_HAS_BODY; /* not known yet */
    a.time_ns = o->info->first_ns;
    emit(p, &a);
}

/* A flow that is not HTTP: told as an activity when it went to or came from a host that serves a known application, or is one
 * of a tool to work a computer from afar. */
static void on_other(void *ctx, const struct flow_other *o)
{
    struct pipeline *p = ctx;
    const struct flow_info *info = o->info;
    struct activity a;
    *(is_encrypted(o) ? &p->counts.closed_flows : &p->counts.other_flows) += 1;
    if (o->closed)
        tell_closed(p, o);
    if (!app_watches(p->app, &info->server.ip) && !app_watches(p->app, &info->client.ip) &&
        !app_watches_name(p->app, span_text(o->server_name)) && !is_remote_tool(o))
        return;
    begin_activity(p, o, ACTION_CONNECTION, &a);
    a.time_ns = info->first_ns;
    a.body_bytes = info->bytes[CONN_SERVER];
    a.missing_bytes = info->missing[CONN_SERVER];
    emit(p, &a);
}

/* Where nothing of a desk can be read, the address is the credential (of IPv6 its /64): each burst that looks like a
 * download is told as one, of a file that has no name. */
static void on_burst(void *ctx, const struct flow_other *o, uint64_t bytes, uint64_t from_ns, uint64_t to_ns)
{
    struct pipeline *p = ctx;
    struct activity a;
    char ip[IPADDR_TEXT_MAX], name[IPADDR_TEXT_MAX + 16], object[48];
    if (!app_is_closed(p->app, span_text(o->server_name)))
        return;
    begin_activity(p, o, ACTION_DOWNLOAD, &a);
    a.time_ns = from_ns;
    a.number = o->closed->bursts;
    a.done_ns = to_ns > p->now_ns ? to_ns : p->now_ns;
    a.outcome = OUTCOME_SUCCESS;
    a.body_bytes = bytes;
    struct ipaddr who = a.source;
    bool is4 = ipaddr_is4(&who);
    if (!is4)
        memset(who.bytes + 8, 0, 8);
    int n = snprintf(name, sizeof name, "address:%s%s", ipaddr_text(&who, ip), is4 ? "" : "/64");
    activity_set(&a, STR_USER, span_of(name, (size_t)n));
    n = snprintf(object, sizeof object, "burst %u of %016llx", o->closed->bursts, (unsigned long long)o->info->hash);
    activity_set(&a, STR_OBJECT, span_of(object, (size_t)n));
    emit(p, &a);
}

int pipeline_new(const struct settings *s, const struct profiles *profiles, struct keyed *key,
                 const struct pipeline_hooks *hooks, struct pipeline **out)
{
    struct pipeline *p = calloc(1, sizeof *p);
    if (!p)
        return E_NOMEM;
    p->hooks = *hooks;
    p->first_ns = UINT64_MAX;
    p->unread_link = UINT32_MAX;
    uint32_t max_flows = (uint32_t)s->max_flows;
    p->app = app_new(&(struct app_options){.profiles = profiles, .key = key, .trusted = s->trusted, .n_trusted = s->n_trusted,
                                           .scan_budget = s->scan_limit << 20, .has_hash = s->sha256,
                                           .emit = on_candidate, .on_fact = on_candidate,
                                           .on_transaction = on_transaction,
                                           .on_route = hooks->on_explained ? on_route : NULL,
                                           .explain = hooks->explain_json ? APP_EXPLAIN_JSON : APP_EXPLAIN_TEXT, .ctx = p});
    if (p->app) {
        struct conn_hooks from_app = hooks->instead ? *hooks->instead : app_hooks(p->app);
        p->conns = conn_pool_new(&(struct conn_limits){.max_conns = max_flows}, &from_app);
    }
    p->classify = classify_new(4096, 0);
    bool is_live = s->interface != NULL, is_fed = s->keylogs.n > 0;
    p->keys = tls_keys_new(&(struct tls_keys_limits){.max_connections = is_fed ? KEYS_FED : KEYS_EMBEDDED,
                                                     .life_ns = is_live ? KEY_LIFE_NS : 0});
    bool is_ready = p->classify && (!is_live || classify_prepare(p->classify)); /* a capture may need none of it */
    if (p->conns && is_ready && p->keys)
        p->flows = flow_table_new(&(struct flow_limits){.max_flows = max_flows},
                                  &(struct flow_parts){.conns = p->conns,
                                                       .classify = p->classify,
                                                       .tls = &(struct tls_conn_limits){.wait_ns = KEY_WAIT_NS,
                                                                                       .is_fed = is_fed,
                                                                                       .is_eager = s->verify_tls},
                                                       .keys = p->keys,
                                                       .on_other = on_other,
                                                       .on_named = on_named,
                                                       .on_burst = on_burst,
                                                       .ctx = p});
    if (!p->flows) {
        pipeline_free(p);
        return E_NOMEM;
    }
    *out = p;
    return 0;
}

void pipeline_free(struct pipeline *p)
{
    if (!p)
        return;
    if (p->flows)
        flow_table_free(p->flows);
    if (p->classify)
        classify_free(p->classify);
    if (p->conns)
        conn_pool_free(p->conns);
    if (p->app)
        app_free(p->app);
    tls_keys_free(p->keys);
    free(p);
}

void pipeline_packet(struct pipeline *p, const struct packet *packet)
{
    struct dissected d;
    if (packet->time_ns > p->now_ns)
        p->now_ns = packet->time_ns;
    if (packet->time_ns < p->first_ns)
        p->first_ns = packet->time_ns;
    bool is_packet = decap_packet(packet, &d, &p->decap) == 0;
    uint64_t now_s = p->now_ns / NS_PER_S;
    bool is_due = now_s != p->ticked_s && (!is_packet || !d.is_fragment || now_s >= p->ticked_s + FRAGMENTS_S);
    if (is_due) {
        p->ticked_s = now_s;
        tls_keys_expire(p->keys, p->now_ns);
        flow_table_tick(p->flows, p->now_ns);
        app_tick(p->app);
    }
    if (is_packet)
        flow_table_packet(p->flows, packet, &d, &p->decap);
    else if (p->unread_link == UINT32_MAX && !decap_knows_link(packet->link))
        p->unread_link = packet->link;
}

bool pipeline_key_read(struct pipeline *p, struct span line, struct tls_keylog_entry *entry)
{
    return tls_keylog_line(line, &p->keylog, entry);
}

void pipeline_key_add(struct pipeline *p, const struct tls_keylog_entry *entry)
{
    tls_keys_add(p->keys, entry, p->now_ns);
}

bool pipeline_keys_are_locked(const struct pipeline *p)
{
    return tls_keys_is_locked(p->keys);
}

void pipeline_key_line(struct pipeline *p, struct span line)
{
    struct tls_keylog_entry entry;
    if (pipeline_key_read(p, line, &entry))
        pipeline_key_add(p, &entry);
    explicit_bzero(&entry, sizeof entry);
}

void pipeline_key_log(struct pipeline *p, struct span log)
{
    while (log.size) {
        size_t end = span_find_byte(log, '\n', 0);
        pipeline_key_line(p, span_sub(log, 0, end));
        log = end == SIZE_MAX ? span_of(NULL, 0) : span_from(log, end + 1);
    }
    pipeline_keys(p);
}

void pipeline_keys(struct pipeline *p)
{
    flow_table_keys(p->flows, p->now_ns);
}

void pipeline_flush(struct pipeline *p)
{
    flow_table_flush(p->flows, p->now_ns);
    app_tick(p->app);
}

uint64_t pipeline_now(const struct pipeline *p)
{
    return p->now_ns;
}

uint64_t pipeline_first(const struct pipeline *p)
{
    return p->first_ns;
}

uint32_t pipeline_unread_link(const struct pipeline *p)
{
    return p->unread_link;
}

uint64_t pipeline_transactions(const struct pipeline *p)
{
    return p->counts.transactions;
}

const struct app *pipeline_app(const struct pipeline *p)
{
    return p->app;
}

struct counters pipeline_counters(const struct pipeline *p, size_t i)
{
    switch (i) {
    case 0: return decap_counters(&p->decap);
    case 1: return flow_table_counters(p->flows);
    case 2: return conn_counters(p->conns);
    case 3: return classify_counters(p->classify);
    case 4: return app_counters(p->app);
    case 5: return (struct counters){counter_defs, &p->counts.transactions, sizeof counter_defs / sizeof *counter_defs};
    case 6: return tls_keylog_counters(&p->keylog);
    case 7: return tls_keys_counters(p->keys);
    case 8: return app_file_counters(p->app);
    case 9: return app_content_counters(p->app);
    case 10: return unmapped_counters(app_unmapped(p->app));
    case 11: return app_body_counters(p->app);
    default: return flow_table_crypt_counters(p->flows, i - 12);
    }
}
