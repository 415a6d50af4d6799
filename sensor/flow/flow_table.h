/* SPDX-License-Identifier: Apache-2.0
 * All flows of one worker: finds or makes the flow of a packet, reassembles fragments and TCP, feeds connections,
 * expires. The order: duplicate check, fragments, flow, stream, connection. */
#ifndef FLOW_FLOW_TABLE_H
#define FLOW_FLOW_TABLE_H

#include "flow/classify.h"
#include "flow/conn.h"
#include "flow/tls_conn.h"
#include "wire/decap.h"

struct flow_table;

struct flow_limits {
    uint32_t max_flows;        /* 0 = 262144 */
    uint32_t reorder_mib;      /* memory for out-of-order segments of all flows; 0 = 64 */
    uint32_t fragment_mib;     /* memory for IP fragments; 0 = 8 */
    uint32_t idle_s, closed_s; /* TCP without packets, after FIN or RST; 0 = 300, 5. Longer: 86,400 while a client waits
                                * for its answer, 3,600 inside of one, 604,800 where what comes could not be read
                                * without what has come (keys, HTTP/2, PROXY) and half of the room is free */
    bool no_dedup;             /* count a frame mirrored twice as two */
};

/* A flow that is not HTTP, or that nobody could look into: named, or come to its end. Everything is borrowed. */
struct flow_other {
    const struct flow_info *info;
    const char *protocol, *server_name; /* nDPI's name of it; of the handshake; "" = none */
    const struct tls_facts *tls;        /* NULL: not TLS or QUIC */
    const struct closed_flow *closed;   /* NULL: not encrypted, or decrypted */
};
typedef void flow_other_fn(void *ctx, const struct flow_other *other);
/* In a flow that stays closed the server has sent so much at once that it looks like a download; 'from_ns' to 'to_ns'.
 * It is burst closed->bursts of the flow. */
typedef void flow_burst_fn(void *ctx, const struct flow_other *other, uint64_t bytes, uint64_t from_ns, uint64_t to_ns);

/* What the table hands on to; all borrowed. */
struct flow_parts {
    struct conn_pool *conns;
    struct classify *classify;         /* NULL: nobody classifies */
    const struct tls_conn_limits *tls; /* NULL: encrypted flows are not looked at */
    struct tls_keys *keys;             /* NULL: none */
    flow_other_fn *on_other;           /* NULL: nobody wants to know */
    flow_other_fn *on_named;           /* the same, as soon as nDPI knows what the flow speaks; it goes on */
    flow_burst_fn *on_burst;           /* the same */
    void *ctx;
};

/* NULL without memory. */
struct flow_table *flow_table_new(const struct flow_limits *limits, const struct flow_parts *parts);
/* Secrets have come: connections that waited for them go on. */
void flow_table_keys(struct flow_table *t, uint64_t now_ns);
/* Counters of TLS and QUIC by part; defs == NULL after the last. */
struct counters flow_table_crypt_counters(const struct flow_table *t, size_t i);
/* Ends every flow (in a fixed order) and frees. */
void flow_table_free(struct flow_table *t);
/* One decoded packet (flow_table_packet reassembles fragments itself, with decap_ip). */
void flow_table_packet(struct flow_table *t, const struct packet *p, struct dissected *d, struct decap_counts *counts);
/* Packet time has come to now_ns: expires what is idle. Called at most once per packet-time second. */
void flow_table_tick(struct flow_table *t, uint64_t now_ns);
/* Ends every flow, in order of (last packet, hash): end of capture. */
void flow_table_flush(struct flow_table *t, uint64_t now_ns);
struct counters flow_table_counters(const struct flow_table *t);
uint32_t flow_table_size(const struct flow_table *t);

#endif
