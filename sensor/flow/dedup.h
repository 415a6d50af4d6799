/* SPDX-License-Identifier: Apache-2.0
 * Tells a frame that a SPAN port or two taps delivered twice from a packet sent twice. Fixed memory, packet time only.
 */
#ifndef FLOW_DEDUP_H
#define FLOW_DEDUP_H

#include "base/counter.h"
#include "wire/decap.h"

/* Copies of one frame reach the capture within this. It is far below the shortest retransmission timeout (200 ms on
 * Linux); an earlier repeat (fast retransmit, tail loss probe) carries another IPv4 identification, and where it does
 * not (IPv6) it brings nothing that the first one did not. */
#define DEDUP_WINDOW_NS 10000000ULL

struct dedup_counts {
    uint64_t fresh, copies; /* every packet asked about is one of both */
    uint64_t crowded;       /* a packet was forgotten inside the window for lack of room */
};

struct dedup;

/* 'counts' is zeroed and kept by the caller. NULL without memory. */
struct dedup *dedup_new(struct dedup_counts *counts);
void dedup_free(struct dedup *dd);
/* What makes a packet itself: innermost addresses, protocol, IP identification, fragment offset, whole transport header
 * but its checksum, payload length, its first and last 16 bytes. Not: TTL, traffic class, IP checksum and options, link
 * layer, VLAN, tunnel, as those differ behind a router or a tagging port. Begins to fetch what dedup_is_copy will read.
 */
uint64_t dedup_hash(const struct dedup *dd, const struct dissected *d);
/* True when a packet of the same hash was asked about less than the window ago. */
bool dedup_is_copy(struct dedup *dd, uint64_t hash, uint64_t now_ns);
struct counters dedup_counters(const struct dedup_counts *counts);

#endif
