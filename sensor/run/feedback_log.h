/* SPDX-License-Identifier: Apache-2.0
 * The verdicts of persons (feedback.ndjson), each taken up when packet time has come to its time; which of them stand, and
 * which alerts they silence. */
#ifndef RUN_FEEDBACK_LOG_H
#define RUN_FEEDBACK_LOG_H

#include "base/counter.h"
#include "record/alert.h"
#include "record/feedback.h"

#define FEEDBACK_LOG_MAX 65536u /* records */

struct feedback_log;

/* Reads the file. With 'is_live' it need not be there yet, and what is wrong in it is passed over and counted; else E_IO, or
 * E_BAD with "FILE:LINE: what". E_NOMEM. */
int feedback_log_open(struct feedback_log **out, const char *path, bool is_live, struct text *why);
/* Those that stand of what was taken up so far, to be taken up again from the beginning; without undo, suppress. */
struct feedback_log *feedback_log_standing(const struct feedback_log *l);
void feedback_log_free(struct feedback_log *l); /* NULL does nothing */
/* Live: takes in whole lines that were added to the file since. */
void feedback_log_poll(struct feedback_log *l);
/* The next record to be taken up at that packet time, in order of time and place in the file; NULL: none. Borrowed until the
 * next poll. */
const struct feedback *feedback_log_due(struct feedback_log *l, uint64_t now_ns);
/* The next malicious verdict that stands and whose time is over by then; NULL: none. */
const struct feedback *feedback_log_over(struct feedback_log *l, uint64_t now_ns);
/* The record that one takes back, or NULL. */
const struct feedback *feedback_log_target(const struct feedback_log *l, const struct feedback *undo);
/* Whether taking this record up needs what the baselines have learned to be learned again: it takes a verdict back, or says
 * since when a credential was a thief's. */
bool feedback_log_rebuilds(const struct feedback_log *l, const struct feedback *f);
/* Whether any record of the log does. */
bool feedback_log_may_rebuild(const struct feedback_log *l);
/* Whether a verdict that stands says that this credential's act of that packet time was a thief's ('since'). */
bool feedback_log_forgets(const struct feedback_log *l, struct span user, uint64_t time_ns);
/* Whether a person asked not to be told of such alerts; counts it. */
bool feedback_log_silences(struct feedback_log *l, const struct alert *a);
/* One line of the summary for all, one for each suppression that silenced something. */
void feedback_log_tell(const struct feedback_log *l, struct text *out);
struct counters feedback_log_counters(const struct feedback_log *l);

#endif
