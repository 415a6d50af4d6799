/* SPDX-License-Identifier: Apache-2.0
 * The activity log that is written ahead: a record is appended before anything else learns of it.
 * A replay that was stopped and is begun again finds what it had written, record by record, and goes on behind it. */
#ifndef RUN_AHEAD_H
#define RUN_AHEAD_H

#include "base/counter.h"
#include "record/activity.h"
#include "run/settings.h"

struct ahead;

/* NULL without --log. 'is_live' appends whatever comes; else what the log has already is not appended again. E_IO, E_USAGE, E_STATE,
 * E_BAD with a line in why. */
int ahead_open(struct ahead **out, const struct settings *s, bool is_live, struct text *why);
/* One record and its line. Failures are sticky and told by ahead_close. */
void ahead_append(struct ahead *a, const struct activity *act, struct span line);
/* What was appended outlives this process. */
void ahead_flush(struct ahead *a);
/* Packs a piece of what is closed, for some milliseconds. */
void ahead_tick(struct ahead *a);
/* Live, some times a second: packs what is closed; once a second what was appended goes to the disk. */
void ahead_turn(struct ahead *a);
const char *ahead_dir(const struct ahead *a);
struct counters ahead_counters(const struct ahead *a);
/* What a person should know, for the summary. */
void ahead_tell(const struct ahead *a, struct text *out);
/* Ends the log (with 'keep': packs and closes it; else it stays as after a crash). E_IO, E_BAD with a line in why. */
int ahead_close(struct ahead *a, bool keep, struct text *why);

#endif
