/* SPDX-License-Identifier: Apache-2.0
 * Which response belongs to which request, and what becomes of both when bytes are lost. Inside of flow/ only. */
#ifndef FLOW_CONN_PAIR_H
#define FLOW_CONN_PAIR_H

#include "flow/conn_exchange.h"

/* Ends the exchanges at the front both halves of which are done. */
void conn_pair_settle(struct conn *c, uint64_t now_ns);
/* Ends all, as they are; 'flags' are added to each. */
void conn_pair_end_all(struct conn *c, uint32_t flags, uint64_t now_ns);

/* A request begins: ends what its coming shows to be over, and makes its exchange. NULL without memory. */
struct exchange *conn_pair_request(struct conn *c, uint64_t now_ns);
/* Whether a request, seen or not, waits for its response. */
bool conn_pair_has_awaiting(const struct conn *c);
/* A response begins ('is_found': after sync was lost): the exchange it belongs to, or a new one without a request. Where
 * nothing is missing of the connection and it 'can_wait', the latter is_early: a client takes what waits to be read for
 * the answer to what it asks next. NULL without memory. */
struct exchange *conn_pair_response(struct conn *c, bool is_found, bool can_wait, uint64_t now_ns);
/* No request will come for a response that came before it. */
void conn_pair_end_early(struct conn *c);

/* Whether a message found after sync was lost can be one; else it is body bytes that look like one. */
bool conn_pair_is_plausible(const struct conn *c, int half);
/* A half has come to the end of its framing. */
void conn_pair_complete(struct conn *c, int half, uint64_t now_ns);
/* A half whose end will not be seen: connection over, or the direction. */
void conn_pair_abort(struct exchange *e, int half);
/* Sync was lost in a direction: inside the message that was coming, or where one should have begun. */
void conn_pair_lose_inside(struct conn *c, int half, bool by_gap);
void conn_pair_lose_start(struct conn *c, int half, uint64_t now_ns);
/* Sync is back inside the message it was lost in: so many bytes of its body have passed. */
void conn_pair_find_inside(struct conn *c, int half, uint64_t bytes);
/* So many bytes are missing while sync is lost. */
void conn_pair_miss(struct conn *c, int half, uint64_t bytes, bool is_acked);

#endif
