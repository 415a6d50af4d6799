/* SPDX-License-Identifier: Apache-2.0
 * Undoes IP payload compression (RFC 3173) with DEFLATE (RFC 2394), as IPsec gateways apply it in front of
 * authentication. Which method a negotiated number means is not on the wire: DEFLATE is tried. */
#ifndef FLOW_IPCOMP_H
#define FLOW_IPCOMP_H

#include "base/counter.h"
#include "wire/decap.h"

#define IPCOMP_PROTOCOL 108u

/* received = inflated + bad. */
struct ipcomp_counts {
    uint64_t received, inflated, bad;
};

struct ipcomp;

/* 'counts' is zeroed and kept by the caller. NULL without memory. */
struct ipcomp *ipcomp_new(struct ipcomp_counts *counts);
void ipcomp_free(struct ipcomp *c);
/* A packet whose d->protocol is IPCOMP_PROTOCOL. True when it could be undone: *whole is then an IP packet with a plain
 * header, valid until the next call. */
bool ipcomp_inflate(struct ipcomp *c, const struct dissected *d, struct span *whole);
struct counters ipcomp_counters(const struct ipcomp_counts *counts);

#endif
