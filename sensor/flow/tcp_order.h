/* SPDX-License-Identifier: Apache-2.0
 * Inside of tcp: hands the bytes, gaps and ends of a stream to its ops in an order that both directions agree on. */
#ifndef FLOW_TCP_ORDER_H
#define FLOW_TCP_ORDER_H

#include "flow/tcp.h"

/* Whether all of the other side that the sender had got ('ack') has been handed on. */
bool tcp_order_is_answered(const struct tcp_stream *s, int dir, uint32_t ack);
/* Hands on a segment that begins at 'next'; what the capture cut off it is a gap. */
void tcp_order_data(struct tcp *t, struct tcp_stream *s, void *ctx, int dir, const struct segment *g);
/* The first held block, which stands at 'next'. */
void tcp_order_held(struct tcp *t, struct tcp_stream *s, void *ctx, int dir);
void tcp_order_gap(struct tcp *t, struct tcp_stream *s, void *ctx, int dir, uint32_t bytes, uint64_t ns);
/* The byte with this sequence number is urgent (RFC 6093): not of the stream, as of then. */
void tcp_order_urgent(struct tcp_half *h, uint32_t seq);
void tcp_order_fin(struct tcp *t, struct tcp_stream *s, void *ctx, int dir);
/* Holes before 'over' are not waited for any more; the gaps are stamped 'ns'. */
void tcp_order_give_up(struct tcp_half *h, uint32_t over, uint64_t ns);
/* Hands on whatever is possible. */
void tcp_order_drain(struct tcp *t, struct tcp_stream *s, void *ctx);

#endif
