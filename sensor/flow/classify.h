/* SPDX-License-Identifier: Apache-2.0
 * What a flow that is not HTTP speaks: protocol and TLS server name, by nDPI. The only user of nDPI; one object per
 * worker (an nDPI module is not shared between threads). */
#ifndef FLOW_CLASSIFY_H
#define FLOW_CLASSIFY_H

#include "base/counter.h"
#include "base/span.h"

struct classify;
struct classify_flow; /* nDPI's state of one flow, from a capped pool */

/* 'heap_kib': what nDPI may allocate for flows and caches, beside them; 0 = 16,384. What it asks for beyond that it does not get
 * (counted). NULL without memory. */
struct classify *classify_new(uint32_t max_flows, uint32_t heap_kib);
/* Makes nDPI itself, which takes some 30 ms and memory from the heap; without it the first flow does. False when that
 * fails: then no flow is looked at. */
bool classify_prepare(struct classify *c);
void classify_free(struct classify *c);
/* NULL when the pool is used up (counted). */
struct classify_flow *classify_flow_new(struct classify *c);
void classify_flow_free(struct classify *c, struct classify_flow *f);
/* One packet of the flow, as an IP packet, 'direction' 0 = from the first sender. True when it needs no more packets. */
bool classify_packet(struct classify *c, struct classify_flow *f, struct span ip, int direction, uint64_t now_ns);
/* What is known so far: nDPI's protocol name ("TLS.Google", "RDP", "Unknown") and the TLS server name or "". */
void classify_result(struct classify *c, struct classify_flow *f, char protocol[64], char sni[256]);
struct counters classify_counters(const struct classify *c);

#endif
