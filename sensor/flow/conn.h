/* SPDX-License-Identifier: Apache-2.0
 * One connection: in-order bytes and explicit gaps of both directions in, HTTP transactions out. Pairs requests with
 * responses, counts bodies to their end, hands body bytes only to who asked. Knows no application and no person. */
#ifndef FLOW_CONN_H
#define FLOW_CONN_H

#include "base/counter.h"
#include "record/transaction.h"

/* What the flow knows of itself; owned by the flow, readable for the connection's whole life. */
struct flow_info {
    uint64_t hash;            /* of both endpoints and the first packet's time: the same in every run */
    struct endpoint client, server; /* by SYN; midstream: the lower port is the server's, until content tells */
    uint16_t vlan[2];
    uint8_t tunnel;           /* enum tunnel_kind */
    bool is_ip6;              /* IPv6 packets: their addresses may still be IPv4-mapped ones */
    bool is_midstream;        /* no SYN was seen */
    bool saw[2];              /* packets of client / server direction were seen */
    uint64_t first_ns, last_ns;
    uint64_t syn_ack_ns;      /* SYN-ACK whose ACK has not been seen; 0 = none */
    uint32_t rtt_us;          /* from there to the ACK; 0 = not seen or, the SYN-ACK being sent again, not sure (Karn) */
    uint64_t packets[2], bytes[2]; /* by direction: wire payload bytes, duplicates not counted */
    uint64_t missing[2];      /* gap bytes */
    const struct tls_facts *tls; /* NULL: not encrypted */
    struct ipaddr proxied;    /* the source in a PROXY preface; zero: none */
    uint32_t numbered;        /* transactions of connections that were tunnels to what comes now */
};

/* Where the bytes of a body go, if anybody wants them. Zeroed = nobody. */
struct body_tap {
    void (*feed)(void *ctx, struct span bytes); /* in order, borrowed */
    void (*gap)(void *ctx, uint64_t bytes);     /* so many are missing here; may be NULL */
    void *ctx;
    uint64_t limit;    /* after so many bytes the rest is only counted; 0 = all */
    bool want_decoded; /* undo Content-Encoding (gzip, deflate, br) with bomb limits; else as on the wire after de-chunking */
    bool (*is_done)(void *ctx); /* asked after each feed: whether nobody wants the rest; NULL: to the limit */
};

struct conn_hooks {
    void *ctx;
    /* The request head is complete. The hook may fill *tap to see the request body. */
    void (*on_request)(void *ctx, struct transaction *t, struct body_tap *tap);
    /* The final response head is complete (also when its request was never seen). May fill *tap. */
    void (*on_response)(void *ctx, struct transaction *t, struct body_tap *tap);
    /* Both messages ended or were given up; the last call for this transaction. Always after on_request or on_response. */
    void (*on_end)(void *ctx, struct transaction *t);
};

struct conn_pool; /* memory of all connections of one worker: arenas and buffers, reserved at the start */
struct conn;

struct conn_limits {
    uint32_t max_conns;   /* concurrently parsed connections */
    uint32_t max_active;  /* concurrently open transactions' memory blocks */
};

struct conn_pool *conn_pool_new(const struct conn_limits *limits, const struct conn_hooks *hooks);
void conn_pool_free(struct conn_pool *p); /* connections must have been ended */
struct counters conn_counters(const struct conn_pool *p);

enum { CONN_CLIENT = 0, CONN_SERVER = 1 }; /* direction: who sent the bytes */

/* A new connection over 'info' (borrowed). NULL when the pool is used up (counted). */
struct conn *conn_new(struct conn_pool *p, const struct flow_info *info);
/* In-order bytes of one direction. 'first_ns' is the packet time of the packet that carried them. */
void conn_data(struct conn *c, int direction, struct span bytes, uint64_t now_ns);
/* So many bytes of this direction are not in the capture ('is_acked': the receiver has confirmed them). */
void conn_gap(struct conn *c, int direction, uint64_t bytes, bool is_acked, uint64_t now_ns);
/* How many of the next bytes of a direction nobody wants to see: a body without a tap whose length is known
 * (HTTP/2: to the end of its frame). */
uint64_t conn_skippable(const struct conn *c, int direction);
/* So many of these came, unseen; not more than conn_skippable said. */
void conn_skip(struct conn *c, int direction, uint64_t bytes, uint64_t now_ns);
/* This direction sends no more (FIN). */
void conn_fin(struct conn *c, int direction, uint64_t now_ns);
/* The connection is over (both FIN, RST, expiry, end of capture): ends every transaction and frees it. */
void conn_end(struct conn *c, uint64_t now_ns);
/* What it turned out to speak. CONN_OTHER: bytes are only counted from then on. HTTP/1 may become HTTP/2 (Upgrade) or
 * something else. */
enum conn_speaks { CONN_UNSURE, CONN_HTTP1, CONN_OTHER, CONN_HTTP2 };
enum conn_speaks conn_speaks(const struct conn *c);
/* What both sides have agreed to speak elsewhere (ALPN): CONN_HTTP2 says so before the first byte, anything else is left
 * to what the bytes are. Bytes of either direction that are passed over first have to be told with conn_gap. */
void conn_expect(struct conn *c, enum conn_speaks speaks);
/* Whether nothing but a whole PROXY preface has come; then also who it names as the client (zero: nobody). */
bool conn_is_prefaced(const struct conn *c, struct ipaddr *source);
/* Whether nothing has come but the front of what may become such a preface. */
bool conn_is_prefacing(const struct conn *c);
/* Of one that is CONN_OTHER since the last call: whether it became a tunnel (2xx to CONNECT), how many transactions it
 * had and what host it leads to (borrowed until the next call into any connection). */
bool conn_is_tunnel(const struct conn *c, uint32_t *numbered, struct span *host);
/* Whether a request waits for the rest of its answer. */
bool conn_is_asked(const struct conn *c);
/* Whether there is room enough to keep what it has learnt while nothing is said. */
bool conn_may_idle(const struct conn *c);
/* True when content showed that the flow's 'client' is really the server (midstream). */
bool conn_is_swapped(const struct conn *c);

#endif
