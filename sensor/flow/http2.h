/* SPDX-License-Identifier: Apache-2.0
 * A connection that speaks HTTP/2 (RFC 9113): its frames into the transactions of its streams, told through the hooks of
 * the connection. Bodies are counted by their framing, one stream beside the other. When header state is lost in a gap,
 * streams and bytes go on, and what cannot be known of a head is marked. Inside of flow/ only. */
#ifndef FLOW_HTTP2_H
#define FLOW_HTTP2_H

#include "flow/conn_exchange.h"
#include "wire/hpack.h"
#include "wire/http2_frame.h"

struct http2;

enum http2_how {
    HTTP2_BY_PREFACE, /* the first line of the client's preface has been read */
    HTTP2_BY_UPGRADE, /* 101: the connection's only exchange is stream 1 (RFC 7540, 3.2) */
    HTTP2_BY_ALPN,    /* agreed upon elsewhere */
    HTTP2_BY_SERVER,  /* the server spoke first: unproven until the client's preface has come */
    HTTP2_BY_GUESS,   /* joined midstream: unproven until a header block could be read */
};

/* Makes c->http2. False when no memory is to be had (counted). Until it is proven, conn_speaks says CONN_UNSURE. */
bool http2_begin(struct conn *c, enum http2_how how);
/* It is HTTP/2, and who is the client is known. */
void http2_prove(struct http2 *h);
/* Bytes or a gap of one direction. It was no HTTP/2 when c->http2 is gone; *in holds what has not been read. */
void http2_take(struct conn *c, int direction, struct http1_input *in, bool is_acked);
/* How many of the next bytes of a direction nobody wants to see: the rest of a DATA frame whose body has no tap, or of
 * a frame that is not read. */
uint64_t http2_skippable(const struct conn *c, int direction);
/* This direction sends no more. */
void http2_fin(struct conn *c, int direction, uint64_t now_ns);
/* Ends all its transactions, with 'flags', and frees c->http2. */
void http2_end(struct conn *c, uint32_t flags, uint64_t now_ns);
/* Whether a request waits for the rest of its answer. */
bool http2_is_asked(const struct conn *c);
/* Ends one of its transactions, to make room. */
void http2_give_up(struct exchange *e, uint64_t now_ns);

size_t http2_size(void); /* of the pool's blocks, bytes */
struct counters http2_counters(const struct http2_counts *counts);

#endif
