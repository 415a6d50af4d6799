/* SPDX-License-Identifier: Apache-2.0
 * Inside of tcp: what would end a connection, or put another in its place, and may be meant for the sensor alone. A
 * client can send a packet that its server never gets or does not take (Ptacek and Newsham, 1998); what the server sends
 * is never doubted. */
#ifndef FLOW_TCP_DOUBT_H
#define FLOW_TCP_DOUBT_H

#include "flow/tcp.h"

/* A SYN that is not of this connection and has not begun another: counted, nothing else. */
bool tcp_doubt_is_false_syn(struct tcp *t, struct tcp_stream *s, int dir, const struct dissected *d);
/* A SYN-ACK that does not acknowledge what came with the SYN: the server will get that again, perhaps otherwise. */
void tcp_doubt_syn_data(struct tcp *t, struct tcp_stream *s, int dir, const struct dissected *d);
/* Whether the FIN of this direction is one to its receiver. */
bool tcp_doubt_is_fin(const struct tcp_stream *s, int dir);
/* Whether a FIN at 'seq' may take the place of the one that is known. */
bool tcp_doubt_is_moved(const struct tcp_half *h, uint32_t seq);
/* Data has come from behind the FIN. True when that was none. */
bool tcp_doubt_drop_fin(struct tcp *t, struct tcp_half *h);
/* A segment of who may have reset the connection: then it goes on. */
void tcp_doubt_reset(struct tcp *t, struct tcp_stream *s, int dir, const struct dissected *d, uint64_t now_ns);

#endif
