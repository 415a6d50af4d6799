/* SPDX-License-Identifier: Apache-2.0
 * Recorded captures through both halves in one thread, as fast as they can be read. */
#ifndef RUN_REPLAY_H
#define RUN_REPLAY_H

#include "capture/source.h"
#include "record/alert.h"
#include "run/settings.h"
#include "run/summary.h"

struct replay_hooks {
    void *ctx;
    void (*on_alert)(void *ctx, const struct alert *a);
    /* After every 4,096 packets: for progress. May be NULL. */
    void (*on_progress)(void *ctx, const struct source_stats *stats);
};

/* Replays an open source (borrowed) to its end, or until source_stop. Fills the summary. On failure the output files are
 * removed. Errors as of analysis_new and setup_init. */
int replay_run(const struct settings *s, struct source *source, const struct replay_hooks *hooks, struct summary *summary,
               struct text *why);

#endif
