/* SPDX-License-Identifier: Apache-2.0
 * Replay of an activity log: the second half alone. Who and where were settled when the log was written. */
#include "base/err.h"
#include "base/times.h"
#include "run/counters_file.h"
#include "run/replay.h"
#include "run/setup.h"
#include "run/sinks.h"
#include "sink/sink.h"

#define PROGRESS_RECORDS 4096u

/* Options that would do nothing without packets. */
static int refuse_options(const struct settings *s, struct text *why)
{
    const char *name = s->filter ? "filter" : s->keylogs.n ? "keylog" : s->transactions ? "transactions" : NULL;
    if (!name)
        return 0;
    text_addf(why, "--%s: there are no packets in an activity log", name);
    return E_USAGE;
}

static void tell_progress(const struct activity_log *log, const struct replay_hooks *hooks)
{
    struct activity_log_stats n;
    activity_log_stats(log, &n);
    if (hooks->on_progress && n.activities % PROGRESS_RECORDS == 0)
        hooks->on_progress(hooks->ctx, &(struct source_stats){.packets = n.activities,
                                                              .total_bytes = n.total_bytes,
                                                              .read_bytes = n.read_bytes});
}

static int read_all(struct analysis *analysis, struct activity_log *log, const struct replay_hooks *hooks,
                    struct summary_span *span, struct text *why)
{
    const struct activity *a;
    int rc;
    *span = (struct summary_span){UINT64_MAX, 0};
    while ((rc = activity_log_next(log, &a, why)) > 0) {
        analysis_recorded(analysis, a);
        span->first_ns = a->time_ns < span->first_ns ? a->time_ns : span->first_ns;
        if (a->done_ns / NS_PER_S > span->last_ns / NS_PER_S)
            analysis_tick(analysis, a->done_ns);
        span->last_ns = a->done_ns > span->last_ns ? a->done_ns : span->last_ns;
        tell_progress(log, hooks);
    }
    if (rc == E_END)
        analysis_tick(analysis, span->last_ns);
    return rc == E_END ? 0 : rc;
}

static int write_counters(const char *path, const struct analysis *a, struct text *why)
{
    struct line_file *file = NULL;
    int rc = path ? line_file_open(&file, path, true, why) : 0;
    if (rc || !file)
        return rc;
    counters_file_write(file, &(struct source_stats){0}, (struct counters){0}, NULL, a);
    return line_file_close(file, true, why);
}

int replay_log_run(const struct settings *s, struct activity_log *log, const struct replay_hooks *hooks,
                   struct summary *summary, struct text *why)
{
    struct setup setup = {0};
    struct summary_span span;
    struct analysis *analysis = NULL;
    struct text more = {0};
    int rc = refuse_options(s, why);
    if (rc == 0)
        rc = setup_init(&setup, s, why);
    if (rc == 0)
        rc = analysis_new(s, text_str(&setup.rules_dir), false,
                          &(struct analysis_hooks){.ctx = hooks->ctx,
                                                    .on_alert = hooks->on_alert,
                                                    .is_recorded = true,
                                                    .has_geo = activity_log_has_geo(log)}, &analysis, why);
    if (rc == 0)
        rc = read_all(analysis, log, hooks, &span, why);
    if (rc == 0 && hooks->on_end)
        hooks->on_end(hooks->ctx, analysis, &span);
    if (rc == 0)
        rc = write_counters(s->counters, analysis, why);
    if (rc == 0)
        summary_take_log(summary, log, &span, analysis);
    if (analysis) {
        int finished = analysis_finish(analysis, rc == 0, rc ? &more : why);
        rc = rc ? rc : finished;
    }
    analysis_free(analysis);
    setup_fini(&setup);
    text_fini(&more);
    return rc ? rc : sinks_deliver(s, &summary->text, why);
}
