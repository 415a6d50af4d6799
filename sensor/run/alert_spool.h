/* SPDX-License-Identifier: Apache-2.0
 * One reader's place in the alert log: follows it as it grows and when it is renamed, and keeps the place in a small
 * file that is replaced whole. */
#ifndef RUN_ALERT_SPOOL_H
#define RUN_ALERT_SPOOL_H

#include "base/text.h"

struct alert_spool;

/* 'position': file of the place, or NULL. The log need not be there yet. */
struct alert_spool *alert_spool_new(const char *log, const char *position);
void alert_spool_free(struct alert_spool *s);
/* The whole lines that stand at 'ahead' bytes behind the place, up to 'max' bytes (at least one line, however long);
 * borrowed until the next call. Empty: nothing new. What is handed out is on disk. */
struct span alert_spool_read(struct alert_spool *s, uint64_t ahead, size_t max);
/* Moves the place and keeps it. False when it could not be kept: then lines come again after a restart. */
bool alert_spool_advance(struct alert_spool *s, uint64_t bytes);
/* Bytes behind the place. */
uint64_t alert_spool_waiting(struct alert_spool *s);
/* Looks whether another file has the log's name by now, which is gone on with once this one is read. */
void alert_spool_reopen(struct alert_spool *s);

#endif
