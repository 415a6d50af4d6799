/* SPDX-License-Identifier: Apache-2.0
 * A flow that is encrypted: TLS between its stream and its connection, QUIC in its datagrams, and what can be measured
 * of one that stays closed. Inside of flow/ only. */
#ifndef FLOW_FLOW_CRYPT_H
#define FLOW_FLOW_CRYPT_H

#include "flow/flow_life.h"
#include "flow/tls_conn.h"
#include "wire/quic_initial.h"

#define FLOW_CRYPT_BURSTS 4u

/* The server's bytes between two turns of the client. */
struct burst {
    uint64_t bytes, first_ns, last_ns;
    uint32_t number; /* of the flow, from 1 */
};

/* Of an encrypted flow; from a pool. In a list of its home while the flow is closed and secrets may still come. */
struct flow_crypt {
    struct tls_conn *tls;      /* NULL: QUIC, or given back */
    struct quic_initial quic;
    uint8_t quic_datagrams[2]; /* looked at */
    struct tls_facts facts;    /* of QUIC */
    struct closed_flow closed;
    uint64_t client_ns;        /* when the client first sent */
    struct burst burst;        /* since the client's last turn */
    struct burst kept[FLOW_CRYPT_BURSTS]; /* that look like downloads, while it may still be opened */
    uint8_t n_kept;
    bool is_lingering;         /* in the list */
    struct flow *next, *prev;  /* of it */
};

/* What all encrypted flows of a table share. */
struct flow_crypt_home;

/* NULL without memory, or when the crypto library fails. 'keys' may be NULL and is borrowed. */
struct flow_crypt_home *flow_crypt_home_new(const struct tls_conn_limits *limits, uint32_t max_flows,
                                            struct tls_keys *keys);
void flow_crypt_home_free(struct flow_crypt_home *h);
struct counters flow_crypt_counters(const struct flow_crypt_home *h, size_t i); /* 0 and 1; defs == NULL after that */
/* Secrets have come, or packet time has. May settle flows that are closed. */
void flow_crypt_poll(struct flow_crypt_home *h, uint64_t now_ns);

/* Whether the first bytes of a direction make this an encrypted flow (then it is one from now on). */
bool flow_crypt_begins(struct flow *f, struct span bytes);
/* From the stream. */
void flow_crypt_data(struct flow *f, int dir, struct span bytes, uint64_t ns);
void flow_crypt_gap(struct flow *f, int dir, uint64_t bytes, uint64_t ns);
void flow_crypt_fin(struct flow *f, int dir, uint64_t ns);
/* A UDP datagram: QUIC, perhaps. */
void flow_crypt_datagram(struct flow *f, int dir, const struct dissected *d, uint64_t ns);
/* The stream is over. True when its secrets may still come: then flow_life_settle is called as soon as they have, or
 * will not. */
bool flow_crypt_lingers(struct flow *f);
/* No more will come: what waited is given up. Facts and measures stay until flow_crypt_free. */
void flow_crypt_finish(struct flow *f, uint64_t now_ns);
/* The facts of an encrypted flow; NULL: it is none. */
const struct tls_facts *flow_crypt_facts(const struct flow *f);
/* The measures of one that stayed closed; NULL: it did not. */
const struct closed_flow *flow_crypt_closed(const struct flow *f);
void flow_crypt_free(struct flow *f);

#endif
