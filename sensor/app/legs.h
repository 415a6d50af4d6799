/* SPDX-License-Identifier: Apache-2.0
 * Both legs of a proxy on one tap: the client's request to the proxy and the proxy's to the application are one act, told
 * as the leg nearest the client shows it (what he got: a piece, a "304" from a cache, an abort; his TLS). Lives before
 * memory and identity, on the analysis side. */
#ifndef APP_LEGS_H
#define APP_LEGS_H

#include "base/counter.h"
#include "record/activity.h"

struct legs;

/* A candidate that goes on. Borrowed during the call. */
typedef void legs_fn(void *ctx, const struct activity *candidate);

/* NULL when memory cannot be reserved. 'max': acts remembered (the least recently used makes room); 'max_held': legs held
 * back until the other one comes. */
struct legs *legs_new(uint32_t max, uint32_t max_held, legs_fn *fn, void *ctx);
void legs_free(struct legs *l);
/* A candidate, in order of records. Two legs are one act with the same action, person, session, method and target, and,
 * but for files that succeeded, status; the one in front not later (20 ms, where frames are mixed up) and at most 10 s
 * earlier than the one behind; and the person himself is at the front connection's end, or its server is the back one's
 * client.
 * Behind a proxy whose other side is on the tap a leg is held back until the front one has come, which is then told
 * alone, or for 10 s of packet time. Of the first act, before that is known, the front leg amends the back one. */
void legs_take(struct legs *l, const struct activity *candidate);
/* It is 'now_ns' of packet time: what has been held for too long goes on. UINT64_MAX: all of it. */
void legs_release(struct legs *l, uint64_t now_ns);
struct counters legs_counters(const struct legs *l);

#endif
