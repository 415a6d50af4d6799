/* SPDX-License-Identifier: Apache-2.0
 * Inside of tcp: where each direction of a connection begins. */
#ifndef FLOW_TCP_START_H
#define FLOW_TCP_START_H

#include "flow/tcp.h"

#define TCP_START_WINDOW (1u << 20) /* further away than this is another connection's */

/* The direction begins here; 'is_soft': a guess that its first data may correct. */
void tcp_start_at(struct tcp_half *h, uint32_t seq, bool is_soft);
/* What a segment with 'size' bytes of payload says of the beginning of its own direction. */
void tcp_start_note(struct tcp_stream *s, int dir, const struct dissected *d, uint32_t size);
/* The other side acknowledges less than was taken for the beginning, before that is settled. */
void tcp_start_early_ack(struct tcp_half *h, uint32_t ack);
/* Both beginnings are known, or have had their time. */
void tcp_start_settle(struct tcp *t, struct tcp_stream *s);
/* Whether a SYN cannot be of this connection. */
bool tcp_start_contradicts(const struct tcp_stream *s, int direction, const struct dissected *d);

#endif
