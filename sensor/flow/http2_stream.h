/* SPDX-License-Identifier: Apache-2.0
 * The streams of an HTTP/2 connection and what becomes of their exchanges. Inside of flow/ only. */
#ifndef FLOW_HTTP2_STREAM_H
#define FLOW_HTTP2_STREAM_H

#include "flow/http2.h"

#define HTTP2_BUCKETS 64u
#define HTTP2_RECENT 32u
#define HTTP2_LINGER_NS 1000000000ULL /* a reset stream is over when nothing has come for so long */

struct http2 {
    struct conn *conn;
    struct http2_frame frame[2];              /* by direction */
    struct hpack hpack[2];                    /* by direction */
    struct exchange *buckets[HTTP2_BUCKETS];  /* by stream */
    struct exchange *latest;                  /* whose bytes came last */
    uint32_t recent[HTTP2_RECENT];            /* streams that were reset, as a ring: what still comes for them is late */
    uint32_t highest[2];                      /* stream, by who began it: client, server */
    uint64_t reset_due_ns;                    /* no reset stream is over before */
    uint16_t n_reset;                         /* streams the client has reset, and what was under way still comes */
    uint32_t early_resets;                    /* by the client, before an answer began */
    uint8_t n_recent;
    bool is_sure;                             /* proven to be HTTP/2, and who is the client is known */
    bool is_wrong;                            /* a guess, disproved */
    bool was_refused;                         /* a stream was not followed for lack of room */
};

static inline struct http2_counts *http2_stream_counts(const struct http2 *h)
{
    return &h->conn->pool->http2_counts;
}

/* What this direction sends. */
static inline int http2_stream_half(const struct http2 *h, int direction)
{
    return direction ^ (int)h->conn->is_swapped;
}

/* Whether the sender of this half is on the tap. */
static inline bool http2_stream_was_seen(const struct http2 *h, int half)
{
    return h->conn->info->saw[conn_direction(h->conn, half)];
}

/* The exchange of a stream, or NULL. */
struct exchange *http2_stream_find(struct http2 *h, uint32_t stream);
/* A new one. When too many are open, or no memory is to be had, the oldest of the others makes room; NULL (counted). */
struct exchange *http2_stream_open(struct http2 *h, uint32_t stream, uint64_t now_ns);
/* The exchange of HTTP/1 that asked for the upgrade becomes stream 1. */
void http2_stream_adopt(struct http2 *h, struct exchange *e);
/* Whether it was reset a short while ago. */
bool http2_stream_was_reset(const struct http2 *h, uint32_t stream);

/* A half has come to its end. */
void http2_stream_complete(struct exchange *e, int half, uint64_t now_ns);
/* A half whose end will not be seen. */
void http2_stream_abort(struct exchange *e, int half);
/* Ends it, if both halves are done. */
void http2_stream_settle(struct exchange *e, uint64_t now_ns);
/* Ends it as it is. */
void http2_stream_end(struct exchange *e, uint32_t flags, uint64_t now_ns);
/* RST_STREAM. What the server had sent before it knew is still on its way: its size counts, it went over the wire. */
void http2_stream_reset(struct exchange *e, bool by_client, uint64_t now_ns);

/* Ends the reset streams for which nothing comes any more. */
void http2_stream_expire(struct http2 *h, uint64_t now_ns);

/* Sync was lost in a direction: any of its open bodies may have lost bytes. */
void http2_stream_lose(struct http2 *h, int half, bool by_gap);
/* It was found again. */
void http2_stream_found(struct http2 *h, int half);
/* Bytes of a direction that is not on the tap have been acknowledged, or not. */
void http2_stream_hide(struct http2 *h, uint64_t bytes, bool is_acked);
/* WINDOW_UPDATE of the receiver: so many bytes of a stream the sender of which is not on the tap have arrived. */
void http2_stream_credit(struct exchange *e, uint32_t bytes);

#endif
