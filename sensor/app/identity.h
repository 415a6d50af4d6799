/* SPDX-License-Identifier: Apache-2.0
 * The analysis side of identity: which credential a session value, token or login belongs to, over time. Candidates in,
 * settled activities out (user.name final), and 'identify' activities for what a session did before it had a name. */
#ifndef APP_IDENTITY_H
#define APP_IDENTITY_H

#include "base/counter.h"
#include "record/activity.h"

struct identity;

typedef void identity_emit_fn(void *ctx, struct activity *settled);

/* 'max_sessions': cap of known session values (least recently used goes, counted). */
struct identity *identity_new(uint32_t max_sessions);
void identity_free(struct identity *id);
/* "who a nameless token is": activities that would be called 'credential' are called 'name'. */
int identity_alias(struct identity *id, struct span name, struct span credential);
/* Settles one candidate, in order of (done_ns, flow_hash, number), and calls emit once or more. The candidate is changed. */
void identity_settle(struct identity *id, struct activity *candidate, identity_emit_fn *emit, void *ctx);
struct counters identity_counters(const struct identity *id);
/* The known sessions as text lines, and back (for --state). */
void identity_save(const struct identity *id, void (*line)(void *ctx, const char *text), void *ctx);
int identity_load(struct identity *id, const char *line);

#endif
