/* SPDX-License-Identifier: Apache-2.0
 * What was learned, learned again from the activity log under the verdicts that stand now: so a verdict is taken back as if it
 * had never been given, and what a thief taught is forgotten exactly. In steps, so that a live sensor goes on meanwhile. */
#ifndef RUN_REBUILD_H
#define RUN_REBUILD_H

#include "run/activity_log.h"
#include "run/analysis.h"
#include "run/feedback_log.h"

struct rebuild;

struct rebuild_options {
    const struct settings *settings; /* borrowed */
    const char *rules_dir;           /* borrowed */
    const char *log;                 /* activities.ndjson, as far as it is written */
    bool is_from_nothing;            /* the log has all there ever was: else it goes on from the settings' starting state */
    bool has_geo;
};

/* 'standing' is taken over, also on failure. E_IO, E_CONF, E_NOMEM with a line in why. */
int rebuild_new(struct rebuild **out, const struct rebuild_options *options, struct feedback_log *standing, struct text *why);
/* Takes up to 'max' activities. E_MORE: there are more; E_END: the log's end, for now (asked again, it looks for more); else an
 * error with a line in why. */
int rebuild_step(struct rebuild *r, uint32_t max, struct text *why);
/* Packet time of the log's first activity; 0 before the first step. */
uint64_t rebuild_first_ns(const struct rebuild *r);
/* What has come out, as of 'now_ns'; the caller frees it. */
struct analysis *rebuild_take(struct rebuild *r, uint64_t now_ns);
void rebuild_free(struct rebuild *r); /* NULL does nothing */

#endif
