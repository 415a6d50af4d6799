/* SPDX-License-Identifier: Apache-2.0
 * Replay: source, pipeline, analysis, one after the other. */
#include "run/replay.h"

#include "base/err.h"
#include "base/times.h"
#include "io/key_feed.h"
#include "run/analysis.h"
#include "run/counters_file.h"
#include "run/pipeline.h"
#include "run/setup.h"
#include "run/sinks.h"
#include "run/unmapped_file.h"
#include "sink/sink.h"

#define PROGRESS_PACKETS 4096u

struct replay {
    struct setup setup;
    struct pipeline *pipeline;
    struct analysis *analysis;
    struct line_file *transactions, *counters, *unmapped, *explained; /* NULL: nobody wants them */
    struct text line, notes;
    const struct replay_hooks *hooks;
};

static void on_candidate(void *ctx, const struct activity *candidate)
{
    struct replay *r = ctx;
    analysis_candidate(r->analysis, candidate);
}

static void on_transaction(void *ctx, const struct transaction *t, const struct ipaddr *forwarded)
{
    struct replay *r = ctx;
    text_clear(&r->line);
    transaction_json(t, forwarded, &r->line);
    (void)line_file_write(r->transactions, text_span(&r->line)); /* sticky: told at close */
}

static void on_explained(void *ctx, struct span why)
{
    struct replay *r = ctx;
    if (r->explained)
        (void)line_file_write(r->explained, why); /* sticky: told at close */
    else if (r->hooks->on_explained)
        r->hooks->on_explained(r->hooks->ctx, why);
}

static int open_all(struct replay *r, const struct settings *s, const struct replay_hooks *hooks, struct text *why)
{
    r->hooks = hooks;
    int rc = setup_init(&r->setup, s, why);
    if (rc)
        return rc;
    rc = analysis_new(s, text_str(&r->setup.rules_dir), false, &(struct analysis_hooks){.ctx = hooks->ctx, .on_alert = hooks->on_alert},
                      &r->analysis, why);
    if (rc == 0 && s->transactions)
        rc = line_file_open(&r->transactions, s->transactions, true, why);
    if (rc == 0 && s->counters)
        rc = line_file_open(&r->counters, s->counters, true, why);
    if (rc == 0 && s->explain_routes && strcmp(s->explain_routes, "-") != 0)
        rc = line_file_open(&r->explained, s->explain_routes, true, why);
    if (rc == 0 && s->out)
        rc = unmapped_file_open(&r->unmapped, s->out, why);
    if (rc == 0)
        rc = pipeline_new(s, r->setup.profiles, r->setup.key,
                          &(struct pipeline_hooks){.ctx = r,
                                                   .on_candidate = on_candidate,
                                                   .on_transaction = r->transactions ? on_transaction : NULL,
                                                   .on_explained = s->explain_routes ? on_explained : NULL,
                                                   .explain_json = s->json},
                          &r->pipeline);
    return rc;
}

static void on_key_line(void *ctx, struct span line)
{
    struct replay *r = ctx;
    pipeline_key_line(r->pipeline, line);
}

static void on_embedded_keys(void *ctx, struct span log)
{
    struct replay *r = ctx;
    pipeline_key_log(r->pipeline, log);
}

/* All secrets are there before the first packet: how late they came does not matter then. */
static int read_keys(struct replay *r, const struct settings *s, struct text *why)
{
    for (size_t i = 0; i < s->keylogs.n; i++) {
        struct text said = {0};
        int rc = key_feed_read(s->keylogs.at[i], on_key_line, r, &said);
        if (said.size)
            text_addf(rc ? why : &r->notes, rc ? "%s" : "note      %s\n", text_str(&said));
        text_fini(&said);
        if (rc)
            return rc;
    }
    return 0;
}

static int read_all(struct replay *r, struct source *source, const struct replay_hooks *hooks, struct text *why)
{
    struct packet packet;
    struct source_stats stats;
    uint64_t ticked_s = 0;
    int rc;
    source_on_secrets(source, on_embedded_keys, r);
    while ((rc = source_next(source, &packet)) >= 0) {
        if (rc == 0)
            continue; /* a pipe that pauses */
        pipeline_packet(r->pipeline, &packet);
        uint64_t now_ns = pipeline_now(r->pipeline);
        if (now_ns / NS_PER_S != ticked_s) {
            ticked_s = now_ns / NS_PER_S;
            analysis_tick(r->analysis, now_ns);
        }
        if (hooks->on_progress && packet.number % PROGRESS_PACKETS == 0) {
            source_stats(source, &stats);
            hooks->on_progress(hooks->ctx, &stats);
        }
    }
    if (rc != E_END) {
        text_addf(why, "reading stopped: %s", source_last_note(source, err_text(rc)));
        return rc;
    }
    pipeline_flush(r->pipeline);
    analysis_tick(r->analysis, pipeline_now(r->pipeline));
    return 0;
}

static int close_all(struct replay *r, int rc, struct text *why)
{
    struct text more = {0};
    struct line_file *files[] = {r->transactions, r->counters, r->unmapped, r->explained};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        int closed = line_file_close(files[i], rc == 0, rc ? &more : why);
        rc = rc ? rc : closed;
    }
    if (r->analysis) {
        int finished = analysis_finish(r->analysis, rc == 0, rc ? &more : why);
        rc = rc ? rc : finished;
    }
    pipeline_free(r->pipeline);
    analysis_free(r->analysis);
    setup_fini(&r->setup);
    text_fini(&r->line);
    text_fini(&r->notes);
    text_fini(&more);
    return rc;
}

int replay_run(const struct settings *s, struct source *source, const struct replay_hooks *hooks, struct summary *summary,
               struct text *why)
{
    struct replay r = {.line = {.max = (size_t)1 << 20}};
    int rc = open_all(&r, s, hooks, why);
    if (rc == 0)
        rc = read_keys(&r, s, why);
    if (rc == 0)
        rc = read_all(&r, source, hooks, why);
    if (rc == 0) {
        summary_take(summary, s, source, r.pipeline, r.analysis, r.setup.is_default_key);
        text_add(&summary->text, text_span(&r.notes));
    }
    if (rc == 0 && r.unmapped)
        unmapped_file_write(r.unmapped, app_unmapped(pipeline_app(r.pipeline)));
    if (rc == 0 && r.counters) {
        struct source_stats stats;
        source_stats(source, &stats);
        counters_file_write(r.counters, &stats, (struct counters){0}, r.pipeline, r.analysis);
    }
    rc = close_all(&r, rc, why);
    return rc ? rc : sinks_deliver(s, &summary->text, why);
}
