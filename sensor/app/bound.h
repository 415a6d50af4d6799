/* SPDX-License-Identifier: Apache-2.0
 * Connections that were authenticated themselves: NTLM names the user once, and every later request of the connection is
 * that user's (MS-NTHT, 1.3.1). Bounded: the least recently used is forgotten. */
#ifndef APP_BOUND_H
#define APP_BOUND_H

#include "app/cred.h"
#include "record/transaction.h"

struct bound;

struct bound *bound_new(uint32_t max); /* connections; NULL when memory cannot be reserved */
void bound_free(struct bound *b);
/* A request, with what was read of its credential: one that shows nothing but perhaps a cookie gets the connection's user.
 * 'client': who sends it, behind trusted proxies: a connection several of them share is nobody's. The claim borrows until
 * the next call. True when it did. */
bool bound_request(struct bound *b, const struct transaction *t, const struct ipaddr *client, struct cred *cred);
/* Its answer: accepted, the connection is this user's; refused, nobody's. */
void bound_response(struct bound *b, const struct transaction *t, const struct ipaddr *client, const struct cred *cred);

#endif
