/* SPDX-License-Identifier: Apache-2.0
 * The people half: from an activity candidate to settled activities and alerts. One thread owns it. */
#ifndef RUN_ANALYSIS_H
#define RUN_ANALYSIS_H

#include "base/counter.h"
#include "detect/budget.h"
#include "detect/detections.h"
#include "enrich/roster.h"
#include "record/alert.h"
#include "run/settings.h"
#include "store/baseline.h"

struct analysis;
struct feedback_log;

struct analysis_hooks {
    void *ctx;
    void (*on_alert)(void *ctx, const struct alert *a); /* after it was written; borrowed */
    bool is_recorded; /* what comes are recorded activities: no records of sessions are written */
    bool has_geo;     /* they bring country or AS along */
    bool is_again;    /* live: everything from the first candidate on comes once more, and the files have part of it */
};

struct analysis_totals {
    uint64_t activities, downloads, credentials, alerts, updates;
    uint64_t alerts_by_severity[4]; /* low, medium, high, critical; an alert counts by its last line */
};

/* Opens the databases, the store, the rules ('rules_dir') and the output files of the settings. 'is_live' appends to the
 * output files instead of replacing them at the end. E_IO, E_CONF, E_BAD with a line in why. */
int analysis_new(const struct settings *s, const char *rules_dir, bool is_live, const struct analysis_hooks *hooks,
                 struct analysis **out, struct text *why);
/* What the levels of the budget are now; false while that channel's is provisional. */
bool analysis_level(const struct analysis *a, enum channel c, struct level_interval *out);
/* What the roster says, for 'check'; zeros without one. */
struct roster_totals analysis_roster(const struct analysis *a);
/* The detections that are loaded. */
const struct detections *analysis_detections(const struct analysis *a);
/* What people.yaml beside the rules declares: names that stand for others, patterns and domains, services. */
void analysis_people(const struct analysis *a, size_t *names, size_t *patterns, size_t *services);
/* Candidates in order of (done_ns, flow_hash, number). */
void analysis_candidate(struct analysis *a, const struct activity *candidate);
/* An activity as it was recorded, settled and enriched then: goes to the activity log and the detectors as it is. In the
 * order in which they were recorded. */
void analysis_recorded(struct analysis *a, const struct activity *recorded);
/* Verdicts to take up as packet time comes to them, which have no further effect on what was learned before; taken over. */
void analysis_give_feedback(struct analysis *a, struct feedback_log *standing);
/* Live, some times a second: takes in new verdicts, and goes on with what they made necessary. */
void analysis_turn(struct analysis *a);
/* What a person is to know of the verdicts, for the summary; nothing without any. */
void analysis_tell_feedback(const struct analysis *a, struct text *out);
/* What was written so far is in the files; cheap when it is there already. */
void analysis_flush(struct analysis *a);
/* The alert log was renamed: goes on in a new one. What cannot be opened stays as it is, told by analysis_finish. */
void analysis_reopen(struct analysis *a);
/* Packet time moved on. */
void analysis_tick(struct analysis *a, uint64_t now_ns);
/* Writes what waits: baselines, state, files. E_IO with a line in why; with 'keep' false the output files are removed. */
int analysis_finish(struct analysis *a, bool keep, struct text *why);
/* Nothing more will come of what waits for more. */
void analysis_settle(struct analysis *a);
/* Each baseline it has learned, by name; false where another process keeps them. */
typedef void analysis_each_fn(void *ctx, const struct baseline *b);
bool analysis_each_baseline(struct analysis *a, analysis_each_fn *fn, void *ctx);
void analysis_free(struct analysis *a);
void analysis_totals(const struct analysis *a, struct analysis_totals *out);
/* The databases in use, one line each; NULL after the last. */
/* How many cases (or patterns of them) and domains of requestors the operator named. */
void analysis_customers(const struct analysis *a, size_t *cases, size_t *domains);
const char *analysis_database(const struct analysis *a, size_t i);
/* The counters of module i: "identity", "detect", "store", "memory", "transfers", "legs", "sessions"; defs == NULL after the last. */
struct counters analysis_counters(const struct analysis *a, size_t i);

#endif
