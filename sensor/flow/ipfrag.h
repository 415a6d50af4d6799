/* SPDX-License-Identifier: Apache-2.0
 * Puts IP fragments together, IPv4 (RFC 791) and IPv6 (RFC 8200, 4.5). Where fragments overlap, the bytes seen first
 * stay. Memory and packet time are bounded; the least recently touched datagram makes room. */
#ifndef FLOW_IPFRAG_H
#define FLOW_IPFRAG_H

#include "base/counter.h"
#include "wire/decap.h"

#define IPFRAG_TIMEOUT_NS 30000000000ULL /* RFC 791 allows 15 s to 4 minutes, hosts wait 30 */

/* received = held + completing + the reasons why one was not kept. */
struct ipfrag_counts {
    uint64_t received;
    uint64_t held, completing;                          /* kept; brought a datagram to its end */
    uint64_t repeated, snapped, bad, too_long, no_room; /* not kept */
    uint64_t overlaps;                                  /* fragments of which a part was there already */
    uint64_t datagrams, timed_out, evicted;             /* begun; given up */
};

struct ipfrag;

/* 'mib': memory for the data of fragments; 'counts' is zeroed and kept by the caller. NULL without memory. */
struct ipfrag *ipfrag_new(uint32_t mib, struct ipfrag_counts *counts);
void ipfrag_free(struct ipfrag *f);
/* One fragment (d->is_fragment). True when it completes its datagram: *whole is then an IP packet with a plain header,
 * valid until the next call. */
bool ipfrag_feed(struct ipfrag *f, const struct dissected *d, uint64_t now_ns, struct span *whole);
/* Gives up what has waited too long. */
void ipfrag_expire(struct ipfrag *f, uint64_t now_ns);
struct counters ipfrag_counters(const struct ipfrag_counts *counts);

#endif
