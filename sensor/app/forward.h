/* SPDX-License-Identifier: Apache-2.0
 * Who the client is when proxies stand in between: which hop of X-Forwarded-For, Forwarded, X-Real-IP or the PROXY
 * protocol is the person's own address, and whether the client itself sent such a field. */
#ifndef APP_FORWARD_H
#define APP_FORWARD_H

#include "record/transaction.h"

struct forward_trust {
    const struct prefix *list; /* borrowed */
    size_t n;                  /* 0: private addresses are proxies */
};

struct forward {
    struct ipaddr client; /* the person's address */
    bool is_forwarded;    /* a trusted proxy named it; else it is the connection's */
    bool is_forged;       /* beyond the last trusted hop stands a public address the client itself claimed */
};

/* Walks from the connection towards the client for as long as the hop at hand is a trusted proxy: the PROXY protocol's
 * source first, then X-Forwarded-For, else Forwarded, else X-Real-IP, right to left. Stops at the first hop that is not
 * trusted, or before one that is no address. 'fields': the request's, or those of them that are forwarding fields. */
void forward_resolve(const struct forward_trust *trust, const struct transaction *t, const struct fields *fields,
                     struct forward *out);

/* The same, from what was found for the same bytes lately: a proxy sends the same field for each request of a person. */
#define FORWARD_MEMOS 1024u /* a power of two */
struct forward_memo { /* zeroed at the start */
    uint8_t key[16];
    struct forward found;
};
void forward_recall(struct forward_memo memos[FORWARD_MEMOS], const struct forward_trust *trust, const struct transaction *t,
                    const struct fields *fields, struct forward *out);

#endif
