/* SPDX-License-Identifier: Apache-2.0
 * What the analysis side remembers of cases: which case a file belongs to (from case pages and lists of files), which
 * customer a case belongs to (customers.h), which case a session looked at last, which session a pre-signed link
 * was handed to. One for all workers; it lives right before identity and sees candidates in their total order, so the
 * number of workers changes nothing. */
#ifndef APP_MEMORY_H
#define APP_MEMORY_H

#include "app/customers.h"

struct memory;

/* NULL when memory cannot be reserved. Its tables are capped; the least recently used entry makes room (counted). */
struct memory *memory_new(void);
void memory_free(struct memory *m);
/* Learns from a candidate, takes its facts out, and completes it: case, customer, the file's true name, the session
 * behind a link. Call before identity_settle, in order of (done_ns, flow_hash, number). The id stays as it is. */
void memory_settle(struct memory *m, struct activity *a);
/* The activity just settled is final now: if its case or customer is not known, it waits for it. */
void memory_wait(struct memory *m, const struct activity *settled);
/* Whose the cases are: for the operator's file, and for what has been completed (customers_take). */
struct customers *memory_customers(struct memory *m);
/* What is known of files and cases as text lines, and back (for --state). memory_load gives E_BAD for a line that is
 * none of memory_save's. */
void memory_save(const struct memory *m, void (*line)(void *ctx, const char *text), void *ctx);
int memory_load(struct memory *m, const char *line);
struct counters memory_counters(const struct memory *m);

#endif
