/* SPDX-License-Identifier: Apache-2.0
 * The live sensor: a worker thread that owns packets, the calling thread that owns people, a ring between them. */
#ifndef RUN_LIVE_H
#define RUN_LIVE_H

#include "capture/source.h"
#include "record/alert.h"
#include "run/settings.h"
#include "run/summary.h"

struct live_hooks {
    void *ctx;
    void (*on_alert)(void *ctx, const struct alert *a); /* analysis thread */
    void (*on_ready)(void *ctx);                        /* both halves run: capture has begun */
};

/* Captures from an open live source (borrowed) until SIGINT or SIGTERM, or until the source fails. Then drains the ring,
 * ends every flow and writes what waits. Errors as of replay_run; E_IO when the source failed. */
int live_run(const struct settings *s, struct source *source, const struct live_hooks *hooks, struct summary *summary,
             struct text *why);

#endif
