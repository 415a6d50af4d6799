/* SPDX-License-Identifier: Apache-2.0
 * Both legs of a proxy on one tap: the client's request to the proxy and the proxy's to the application are one act. The leg
 * that is told first stands, the other one is left out. Lives before memory and identity, on the analysis side. */
#ifndef APP_LEGS_H
#define APP_LEGS_H

#include "base/counter.h"
#include "record/activity.h"

struct legs;

/* NULL when memory cannot be reserved. 'max': acts remembered; the least recently used makes room. */
struct legs *legs_new(uint32_t max);
void legs_free(struct legs *l);
/* Whether this candidate (or what it amends) is the other leg of one that was told before: same action, person, session,
 * method, target and status, the one in front not later (20 ms, where frames are mixed up) and at most 10 s earlier than
 * the one behind; and the person himself is at the front connection's end, or its server is the back one's client. In
 * order of records. */
bool legs_is_told(struct legs *l, const struct activity *candidate);
struct counters legs_counters(const struct legs *l);

#endif
