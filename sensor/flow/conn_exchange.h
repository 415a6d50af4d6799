/* SPDX-License-Identifier: Apache-2.0
 * One open transaction of a connection and its memory, the connection itself, and the pool of both. Inside of flow/
 * only. */
#ifndef FLOW_CONN_EXCHANGE_H
#define FLOW_CONN_EXCHANGE_H

#include "base/arena.h"
#include "flow/conn_body.h"
#include "wire/http1.h"
#include "wire/http1_twin.h"

#define CONN_BLOCK 4096u /* of an exchange: the struct, and what of its heads fits behind it */
#define CONN_LARGE (HTTP1_MAX_HEAD + HTTP1_MAX_FIELDS * sizeof(struct field) + 64) /* a head that does not */
#define CONN_MAX_OPEN 256u

enum { CONN_REQUEST, CONN_RESPONSE }; /* the two halves of an exchange */
enum conn_progress { CONN_AWAITED, CONN_COMING, CONN_DONE };

struct exchange {
    struct transaction t;
    struct conn *conn;
    struct exchange *next;          /* of the connection, in the order of their requests */
    struct exchange *older, *newer; /* of the pool */
    struct conn_body body[2];
    struct arena arena;  /* the rest of the block */
    void *large[2];      /* heads that did not fit */
    uint8_t progress[2]; /* enum conn_progress */
    bool is_told;        /* a hook has seen it */
    bool is_ghost;       /* a request that must have been, in a gap: holds its place in the order of answers */
    bool is_mixed;       /* one-sided: its answer's bytes cannot be told from those of others */
    bool has_unacked;    /* bytes of its answer are missing that nobody acknowledged */
    bool is_early;       /* its answer came before its request, which may be yet to come: nobody was told of it */
    bool is_lost[2];     /* sync was lost inside it */
    uint64_t missing_before[2]; /* of its bodies, when that happened */
    bool is_followed;    /* another message began where its answer must have ended */
    bool
        is_doubtful; /* its response was found after a loss, and has no end: the next request shows whether it is one */

    /* HTTP/2 */
    bool is_unsure[2];            /* some of the missing bytes of its body may be padding */
    struct exchange *bucket_next; /* of the streams of the connection */
    uint64_t reset_ns;            /* when its client reset it, or what came last after that; 0 = not */
    uint64_t seen[2];             /* bytes of its bodies that were in DATA frames on the tap */
    uint64_t hidden, credited;    /* one-sided: bytes of the other side since it began; of these, by its window updates */
};

struct conn {
    struct conn_pool *pool;
    const struct flow_info *info;
    struct exchange *first, *last;
    struct exchange *active[2]; /* by half: whose body bytes are coming */
    struct exchange *lost[2];   /* by half: whose bytes go by while sync is lost */
    struct http1 side[2];       /* by direction */
    struct http2 *http2;        /* once it speaks that: then 'side' is off */
    struct ipaddr proxy_client;
    uint32_t number;
    uint16_t n_open;
    uint8_t speaks;
    bool is_swapped, has_roles;
    bool is_maybe;                   /* its first bytes are no HTTP, but it may follow */
    bool had_gap[2], is_finished[2]; /* by half */
    bool is_pipelining;              /* a request came while another one waited for its answer */
    bool is_prefaced;                /* a PROXY preface has come */
    bool is_tunnel;                  /* a 2xx to CONNECT: what follows is between others */
    bool is_skipping;                /* what is told as a gap was there, but unread */
    bool is_request_missed;          /* since the last request there was a gap where one may have been */
};

_Static_assert(sizeof(struct conn) <= 312, "an idle connection stays small");

struct conn_counts {
    uint64_t opened, refused, http, other, swapped, proxied, upgraded;
    uint64_t transactions, no_request, no_response, gap, cut, ambiguous, aborted;
    uint64_t interim, bare, resyncs, found, junk, heads_refused, blocks_refused, evicted, too_many;
};

#define HTTP2_RAPID 200u /* streams a client resets before their answers begin: then it is counted as an attack */
struct http2_counts {
    uint64_t conns, upgraded, guessed, refused;
    uint64_t streams, too_many, untracked, untold, unowned;
    uint64_t blocks_lost, blocks_cut, partial, pushed, tunnels, trailers;
    uint64_t resets, early_resets, rapid, goaway, odd;
};

struct conn_pool {
    struct conn_hooks hooks;
    struct pool *conns, *blocks, *large, *http2s;
    struct hpack_pool *hpacks;
    struct coding_pool *codings;
    struct exchange *oldest, *newest; /* open exchanges of all connections */
    struct http1_memory memory;
    struct conn_counts counts;
    struct http2_counts http2_counts;
    struct counter_def *defs; /* ours and those of coding, http2, hpack */
    uint64_t *values;
    char tunnel_host[256];                         /* of the last CONNECT; "" when longer */
    struct http1_twins twins;
    struct field fields[HTTP1_MAX_FIELDS];         /* of the head being parsed */
    struct field request_fields[HTTP1_MAX_FIELDS]; /* of one that its answer ends */
    uint8_t text[HTTP1_MAX_HEAD], crumbs[HTTP1_MAX_HEAD]; /* of a head of HTTP/2 being read: all of it; its cookies */
};

/* Memory for another transaction of 'c': the oldest open one of another connection is given up. False when there is
 * none. */
bool conn_make_room(struct conn *c, uint64_t now_ns);
/* Appends an exchange to the connection's; NULL when no block is to be had (counted). Number and addresses are set. */
struct exchange *conn_exchange_new(struct conn *c);
/* Takes it out of the connection and gives its memory back; tells nobody. */
void conn_exchange_free(struct exchange *e);
/* Copies a parsed head into the exchange's memory and fills the transaction's fields of that half. 'bytes' is what the
 * head was parsed from. TXN_CUT when not all of it could be kept. */
void conn_exchange_keep(struct exchange *e, int half, struct span bytes, const struct http1_head *head);
/* The direction that sends this half. */
static inline int conn_direction(const struct conn *c, int half)
{
    return half ^ (int)c->is_swapped;
}
static inline struct body_measure *conn_measure(struct exchange *e, int half)
{
    return half == CONN_REQUEST ? &e->t.request_body : &e->t.response_body;
}
/* Whether there is no body whatever the fields say (RFC 9110, 6.4.1). */
bool conn_exchange_has_no_body(const struct exchange *e, int half);
/* Where the end of a body was not seen, but is known to have come: takes its size from what its head said, Content-Length
 * or, in a 206, Content-Range. False when it said nothing of the kind, or less than was 'seen'. */
bool conn_exchange_take_said(struct exchange *e, int half, uint64_t seen);
/* Calls of the hooks, with the flags brought up to date. The end of an early one tells of its response first. */
void conn_exchange_tell_request(struct exchange *e);
void conn_exchange_tell_response(struct exchange *e);
/* The same for a response that came before its request: what came of its body goes by its tap. */
void conn_exchange_tell_early(struct exchange *e);
void conn_exchange_tell_end(struct exchange *e, uint64_t now_ns);

#endif
