/* SPDX-License-Identifier: Apache-2.0
 * Recorded captures through both halves in one thread, as fast as they can be read; recorded activities through the
 * second. */
#ifndef RUN_REPLAY_H
#define RUN_REPLAY_H

#include "capture/source.h"
#include "record/alert.h"
#include "run/activity_log.h"
#include "run/analysis.h"
#include "run/settings.h"
#include "run/summary.h"

struct replay_hooks {
    void *ctx;
    void (*on_alert)(void *ctx, const struct alert *a);
    /* Why each transaction took its route; a paragraph or a JSON line. Only with s->explain_routes "-"; may be NULL. */
    void (*on_explained)(void *ctx, struct span why);
    /* After every 4,096 packets or activities (which then stand in stats->packets): for progress. May be NULL. */
    void (*on_progress)(void *ctx, const struct source_stats *stats);
    /* Of a log, behind its last record: what was learned, and the times it spans. May be NULL. */
    void (*on_end)(void *ctx, const struct analysis *a, const struct summary_span *span);
};

/* Replays an open source (borrowed) to its end, or until source_stop. Fills the summary. On failure the output files are
 * removed. Errors as of analysis_new and setup_init. */
int replay_run(const struct settings *s, struct source *source, const struct replay_hooks *hooks, struct summary *summary,
               struct text *why);

/* The same with an open activity log (borrowed). Options that are about packets are refused with E_USAGE; E_BAD for a log
 * of another schema. */
int replay_log_run(const struct settings *s, struct activity_log *log, const struct replay_hooks *hooks,
                   struct summary *summary, struct text *why);

#endif
