/* SPDX-License-Identifier: Apache-2.0
 * What the analysis side remembers of cases: which case a file belongs to (from case pages and lists of files), which
 * customer a case belongs to (from case pages), which case a session looked at last, which session a pre-signed link
 * was handed to. One for all workers; it lives right before identity and sees candidates in their total order, so the
 * number of workers changes nothing. */
#ifndef APP_MEMORY_H
#define APP_MEMORY_H

#include "base/counter.h"
#include "record/activity.h"

struct memory;

/* NULL when memory cannot be reserved. Its tables are capped; the least recently used entry makes room (counted). */
struct memory *memory_new(void);
void memory_free(struct memory *m);
/* Learns from a candidate, takes its facts out, and completes it: case, customer, the file's true name, the session
 * behind a link. Call before identity_settle, in order of (done_ns, flow_hash, number). The id stays as it is. */
void memory_settle(struct memory *m, struct activity *a);
struct counters memory_counters(const struct memory *m);

#endif
