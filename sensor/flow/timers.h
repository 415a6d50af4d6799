/* SPDX-License-Identifier: Apache-2.0
 * When to look at a flow again, in packet time: a wheel of seconds for idle ones (looked at lazily: a packet does not
 * move its flow), and two lists for streams that wait for something. The caller compares with the exact deadline. */
#ifndef FLOW_TIMERS_H
#define FLOW_TIMERS_H

#include "flow/flow.h"

#define TIMERS_SLOTS 512u

struct timers {
    struct flow *slots[TIMERS_SLOTS];
    uint64_t at_s; /* slots before this second are empty */
    struct flow *first[FLOW_TIMERS], *last[FLOW_TIMERS];
};

/* Asks for the flow at about deadline_ns (at most TIMERS_SLOTS seconds from now: then it comes early). */
void timers_idle_set(struct timers *t, struct flow *f, uint64_t deadline_ns);
void timers_idle_clear(struct timers *t, struct flow *f);
/* Takes one flow out whose second has come (not later than now_ns), or NULL. Flows put back with a later deadline do
 * not come again for the same now_ns. */
struct flow *timers_idle_next(struct timers *t, uint64_t now_ns);

/* Follows f->tcp.deadline_ns after it may have changed. */
void timers_wait_update(struct timers *t, struct flow *f, uint64_t now_ns);
void timers_wait_clear(struct timers *t, struct flow *f);
/* Takes one flow out that is to be looked at, or NULL. */
struct flow *timers_wait_next(struct timers *t, uint64_t now_ns);

#endif
