/* SPDX-License-Identifier: Apache-2.0
 * One thread. OUT/feed is the journal: each entry of the order as it was applied. At the start it is read from its first entry on, and
 * the state is what it was; the files of alerts and activities have their lines already and are compared with what comes. */
#include "run/analyser.h"

#include <signal.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "base/times.h"
#include "run/counters_file.h"
#include "run/delivery.h"
#include "run/feed_in.h"
#include "run/out_dir.h"
#include "run/project.h"
#include "run/service.h"
#include "run/setup.h"
#include "store/log_reader.h"
#include "store/log_writer.h"

#define TURN_MS 5u
#define DURABLE_TURNS 20u /* a tenth of a second */
#define PROJECT_TURNS 4u
#define DELIVERY_END_MS 5000u
#define RELEASE_MS 500u

struct analyser {
    struct settings settings; /* the given ones, without what the feed is for; its texts are borrowed */
    const struct live_hooks *hooks;
    struct setup setup;
    struct analysis *analysis;
    struct log_writer *journal;
    struct feed_in *feed;
    struct project *project;
    struct delivery *delivery; /* while it leads, and there are sinks */
    struct loop *loop;
    struct loop_event *timer, *interrupt, *terminate;
    struct service service;
    struct text dir, line, tell;
    uint64_t ticked_s, turns;
    bool is_resuming;
    int rc;
    uint8_t entry[FEED_BATCH_MAX];
};

static void on_alert(void *ctx, const struct alert *a)
{
    struct analyser *n = ctx;
    if (n->is_resuming || !n->feed || !feed_in_leads(n->feed))
        return;
    n->hooks->on_alert(n->hooks->ctx, a);
    if (n->delivery)
        delivery_wake(n->delivery);
}

/* Packet time has come to that second: as often as packets would tell it. */
static void tick(struct analyser *n, uint64_t second)
{
    if (second <= n->ticked_s)
        return;
    n->ticked_s = second;
    analysis_tick(n->analysis, second * NS_PER_S);
}

/* The same in every analyser, at the same entry. */
static void apply(struct analyser *n, struct span entry)
{
    struct feed_batch b;
    struct feed_item item;
    struct activity a;
    struct text ignored = {.max = 64};
    if (feed_batch_read(entry, &b, &ignored) == E_OK) {
        uint32_t flags = b.flags;
        uint64_t now_ns = b.now_ns;
        while (feed_batch_next(&b, &item))
            if (activity_unpack(item.packed, &a, &ignored) == E_OK) {
                tick(n, a.done_ns / NS_PER_S);
                analysis_candidate(n->analysis, &a);
            }
        tick(n, now_ns / NS_PER_S);
        if (flags & FEED_BATCH_END)
            analysis_settle(n->analysis);
    }
    feed_in_applied(n->feed, entry);
    text_fini(&ignored);
}

static void on_entry(void *ctx, struct span entry)
{
    struct analyser *n = ctx;
    struct feed_batch b;
    struct text ignored = {.max = 64};
    (void)feed_batch_read(entry, &b, &ignored); /* it was checked */
    feed_line(entry, &n->line);
    if (log_writer_append(n->journal, text_span(&n->line), b.now_ns) != feed_in_position(n->feed) + 1 && n->rc == 0) {
        log_warn("feed: the journal cannot be written: %s", log_writer_trouble(n->journal));
        n->rc = E_IO;
        loop_stop(n->loop);
    }
    (void)log_writer_flush(n->journal); /* what does not go waits */
    if (n->rc == 0)
        apply(n, entry);
    text_fini(&ignored);
}

static void on_end(void *ctx, int code)
{
    struct analyser *n = ctx;
    n->rc = n->rc ? n->rc : code;
    loop_stop(n->loop);
}

/* --- leading --- */

static void stop_delivery(struct analyser *n, uint32_t ms)
{
    if (!n->delivery)
        return;
    (void)delivery_stop(n->delivery, ms);
    text_clear(&n->tell);
    delivery_tell(n->delivery, &n->tell);
    project_sinks(n->project);
    delivery_free(n->delivery);
    n->delivery = NULL;
}

static void on_lead(void *ctx, bool is_leader)
{
    struct analyser *n = ctx;
    if (is_leader) {
        project_begin(n->project);
        return;
    }
    project_stop(n->project);
    stop_delivery(n, 0);
}

/* Where the sinks are is known. */
static void on_sinks(void *ctx)
{
    struct analyser *n = ctx;
    struct text why = {0};
    const struct sink_configs *sinks = n->settings.sinks;
    if (!sinks || !sinks->n || n->delivery)
        return;
    analysis_flush(n->analysis);
    if (delivery_new(&(struct delivery_options){.sinks = sinks, .dir = n->settings.out, .keeps_position = true}, &n->delivery, &why) ||
        delivery_start(n->delivery)) {
        log_warn("sinks cannot be served: %s", text_str(&why));
        delivery_free(n->delivery);
        n->delivery = NULL;
    }
    text_fini(&why);
}

/* --- the loop --- */

static void on_timer(void *ctx)
{
    struct analyser *n = ctx;
    n->turns++;
    feed_in_turn(n->feed);
    analysis_flush(n->analysis);
    service_turn(&n->service, loop_now_ms(n->loop), n->turns);
    if (n->turns % PROJECT_TURNS == 0)
        project_turn(n->project);
    if (n->turns % DURABLE_TURNS)
        return;
    analysis_turn(n->analysis);
    (void)log_writer_turn(n->journal); /* whether more is left to pack shows the next one */
    if (log_writer_sync(n->journal))
        feed_in_durable(n->feed);
}

static void on_signal(void *ctx)
{
    struct analyser *n = ctx;
    service_stopping();
    loop_stop(n->loop);
}

/* --- the start --- */

static int resume(struct analyser *n, struct text *why)
{
    struct log_reader *r;
    struct span lines, line;
    const char *dir = text_str(&n->dir);
    if (!segments_are_in(dir))
        return E_OK;
    int rc = log_reader_open(&r, dir, why);
    if (rc)
        return rc;
    if (log_reader_first(r) > 1) {
        text_addf(why, "%s: the journal's beginning is missing; put a copy of another analyser's directory in its place", dir);
        log_reader_free(r);
        return E_STATE;
    }
    n->is_resuming = true;
    while ((rc = log_reader_lines(r, &lines, why)) > 0)
        while (rc > 0 && span_split(&lines, '\n', &line)) {
            struct feed_batch b;
            if (!line.size)
                continue;
            struct span entry = feed_line_read(line, n->entry);
            if (feed_batch_read(entry, &b, why)) {
                text_addf(why, " (%s, entry %llu of the journal)", dir, (unsigned long long)feed_in_position(n->feed) + 1);
                rc = E_BAD;
            } else {
                apply(n, entry);
            }
        }
    log_reader_free(r);
    n->is_resuming = false;
    analysis_flush(n->analysis);
    feed_in_durable(n->feed);
    if (rc == 0 && feed_in_position(n->feed))
        log_info("feed: goes on behind entry %llu", (unsigned long long)feed_in_position(n->feed));
    return rc;
}

static int open_loop(struct analyser *n)
{
    n->loop = loop_new();
    n->timer = n->loop ? loop_timer(n->loop, on_timer, n) : NULL;
    n->interrupt = n->loop ? loop_signal(n->loop, SIGINT, on_signal, n) : NULL;
    n->terminate = n->loop ? loop_signal(n->loop, SIGTERM, on_signal, n) : NULL;
    return n->timer && n->interrupt && n->terminate ? E_OK : E_NOMEM;
}

static int open_all(struct analyser *n, const struct settings *s, struct text *why)
{
    int rc = setup_init(&n->setup, s, why);
    text_addf(&n->dir, "%s/feed", s->out ? s->out : ".");
    if (rc == 0)
        rc = open_loop(n);
    if (rc == 0)
        rc = feed_in_open(&n->feed, n->loop, &(struct feed_in_options){.settings = s, .journal = text_str(&n->dir), .ctx = n,
                                                                       .on_entry = on_entry, .on_lead = on_lead, .on_end = on_end}, why);
    if (rc == 0)
        rc = out_dir_make(s->out, why);
    if (rc == 0)
        rc = log_writer_open(&n->journal, &(struct log_options){.dir = text_str(&n->dir)}, why);
    if (rc == 0)
        rc = analysis_new(&n->settings, text_str(&n->setup.rules_dir), true,
                          &(struct analysis_hooks){.ctx = n, .on_alert = on_alert, .is_again = true}, &n->analysis, why);
    if (rc)
        return rc;
    n->project = project_new(&(struct project_options){.feed = n->feed, .analysis = n->analysis, .settings = s, .on_sinks = on_sinks, .ctx = n});
    return n->project ? resume(n, why) : E_NOMEM;
}

static int write_counters(struct analyser *n, const char *path, struct text *why)
{
    struct line_file *file = NULL;
    int rc = path ? line_file_open(&file, path, true, why) : 0;
    if (rc || !file)
        return rc;
    counters_file_write(file, &(struct source_stats){0}, feed_in_counters(n->feed), NULL, n->analysis);
    counters_file_more(file, project_counters(n->project));
    return line_file_close(file, true, why);
}

static void close_all(struct analyser *n)
{
    struct text ignored = {0};
    stop_delivery(n, 0);
    if (n->loop) {
        loop_remove(n->timer);
        loop_remove(n->interrupt);
        loop_remove(n->terminate);
    }
    project_free(n->project);
    feed_in_free(n->feed);
    loop_free(n->loop);
    analysis_free(n->analysis); /* nothing of its state is ended: it goes on with the next start */
    (void)log_writer_close(n->journal, &ignored); /* what could not be written was told, and ended the run */
    setup_fini(&n->setup);
    text_fini(&n->dir);
    text_fini(&n->line);
    text_fini(&n->tell);
    text_fini(&ignored);
}

int analyser_run(const struct settings *s, const struct live_hooks *hooks, struct summary *summary, struct text *why)
{
    struct analyser *n = calloc(1, sizeof *n);
    if (!n)
        return E_NOMEM;
    n->settings = *s;
    n->settings.redis = NULL; /* its own memory is the truth; what stands in Redis is written from there */
    n->settings.log_days = 0;
    n->hooks = hooks;
    n->line.max = n->tell.max = (size_t)1 << 20;
    int rc = open_all(n, s, why);
    if (rc == 0) {
        loop_timer_every(n->timer, TURN_MS);
        hooks->on_ready(hooks->ctx);
        service_ready(&n->service, "analysing");
        rc = loop_run(n->loop);
        stop_delivery(n, DELIVERY_END_MS);
        analysis_flush(n->analysis);
        (void)log_writer_sync(n->journal); /* what was not is read again from Redis */
        feed_in_end(n->feed, RELEASE_MS);
        rc = rc ? rc : n->rc;
        if (n->rc)
            text_addf(why, "%s", *feed_in_trouble(n->feed) ? feed_in_trouble(n->feed) : "the journal cannot be written");
        feed_in_tell(n->feed, &summary->text);
        text_add(&summary->text, text_span(&n->tell));
        int counted = write_counters(n, s->counters, rc ? &(struct text){.max = 1} : why);
        rc = rc ? rc : counted;
    }
    close_all(n);
    free(n);
    return rc;
}
