/* SPDX-License-Identifier: Apache-2.0
 * Two threads. Only activities cross, by value, over the ring; a full ring makes the worker wait (the kernel's capture
 * buffer is the queue behind it), so nothing is dropped here without the kernel counting it. The other way go only the
 * secrets of TLS key logs, over a ring of their own, some milliseconds of them at a time. */
#include "run/live.h"

#include "base/err.h"
#include "base/log.h"
#include "base/ring.h"
#include "base/times.h"
#include "io/key_feed.h"
#include "io/loop.h"
#include "run/analysis.h"
#include "run/counters_file.h"
#include "run/delivery.h"
#include "run/pipeline.h"
#include "run/service.h"
#include "run/setup.h"
#include "run/unmapped_file.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#define RING_ITEMS 4096u
#define RING_WAIT_US 200u
#define KEY_ITEMS 4096u /* also what the worker takes in one turn: packets do not wait for more */
#define DELIVERY_END_MS 5000u
#define TURN_MS 20u     /* upper bound of the delay of a secret, and of a record whose wake-up was lost in the race of push and drain */

struct live {
    struct setup setup;
    struct source *source;
    struct pipeline *pipeline;
    struct analysis *analysis;
    struct delivery *delivery;             /* NULL without sinks */
    const struct live_hooks *hooks;
    struct line_file *counters, *unmapped; /* NULL: nobody wants them */
    struct ring *ring;
    struct ring *secrets;   /* from the analysis thread to the worker */
    struct loop *loop;
    struct key_feed *keys;
    _Atomic bool has_secrets;   /* the worker is to take some: set once in a turn, for all connections are asked then */
    bool is_working;        /* the worker runs */
    struct loop_event *waker, *timer, *interrupt, *terminate, *hangup;
    _Atomic uint64_t packet_ns; /* the worker's packet time */
    _Atomic int worker_rc;      /* 0 while it runs */
    _Atomic uint64_t beats;     /* turns of the worker, for the watchdog */
    struct service service;
    uint64_t ticked_s;
};

/* Worker thread. */
static void on_candidate(void *ctx, const struct activity *candidate)
{
    struct live *l = ctx;
    while (!ring_push(l->ring, candidate, activity_size(candidate))) {
        loop_wake(l->waker);
        usleep(RING_WAIT_US);
    }
    if (ring_used(l->ring) == 1)
        loop_wake(l->waker);
}

static void take_keys(struct live *l)
{
    const struct tls_keylog_entry *entry;
    if (!atomic_exchange_explicit(&l->has_secrets, false, memory_order_relaxed))
        return;
    for (uint32_t i = 0; i < KEY_ITEMS && (entry = ring_front(l->secrets)); i++) {
        pipeline_key_add(l->pipeline, entry);
        explicit_bzero((void *)(uintptr_t)entry, sizeof *entry);
        ring_pop(l->secrets);
    }
    pipeline_keys(l->pipeline);
}

static void *worker(void *ctx)
{
    struct live *l = ctx;
    struct packet packet;
    int rc;
    while ((rc = source_next(l->source, &packet)) >= 0) {
        take_keys(l);
        atomic_fetch_add_explicit(&l->beats, 1, memory_order_relaxed);
        if (rc == 0)
            continue;
        pipeline_packet(l->pipeline, &packet);
        atomic_store_explicit(&l->packet_ns, pipeline_now(l->pipeline), memory_order_relaxed);
    }
    atomic_store(&l->has_secrets, true);
    take_keys(l);
    pipeline_flush(l->pipeline);
    atomic_store(&l->worker_rc, rc);
    loop_wake(l->waker);
    return NULL;
}

/* Analysis thread, from here on. */
static void on_alert(void *ctx, const struct alert *a)
{
    struct live *l = ctx;
    l->hooks->on_alert(l->hooks->ctx, a);
    if (l->delivery)
        delivery_wake(l->delivery);
}

static void drain(struct live *l)
{
    const struct activity *candidate;
    while ((candidate = ring_front(l->ring))) {
        analysis_candidate(l->analysis, candidate);
        ring_pop(l->ring);
    }
}

static void hand_secrets(struct live *l)
{
    if (ring_used(l->secrets) == 0)
        return;
    atomic_store_explicit(&l->has_secrets, true, memory_order_relaxed);
    source_wake(l->source);
}

static void on_key_line(void *ctx, struct span text)
{
    struct live *l = ctx;
    struct tls_keylog_entry entry;
    if (!pipeline_key_read(l->pipeline, text, &entry))
        return;
    if (!l->is_working)
        pipeline_key_add(l->pipeline, &entry);
    else
        while (!ring_push(l->secrets, &entry, sizeof entry) && !atomic_load(&l->worker_rc)) {
            hand_secrets(l);
            drain(l); /* or the worker might wait for us */
            usleep(RING_WAIT_US);
        }
    explicit_bzero(&entry, sizeof entry);
}

static int open_keys(struct live *l, const struct settings *s, struct text *why)
{
    for (size_t i = 0; i < s->keylogs.n; i++) {
        struct text said = {0};
        int rc = key_feed_add(l->keys, s->keylogs.at[i], &said);
        if (rc)
            text_addf(why, "--keylog: %s", text_str(&said));
        else if (said.size)
            log_warn("key log: %s", text_str(&said));
        text_fini(&said);
        if (rc)
            return rc;
    }
    if (s->keylogs.n && !pipeline_keys_are_locked(l->pipeline))
        log_warn("key log: the memory for secrets cannot be locked, they may be swapped out; raise RLIMIT_MEMLOCK");
    return 0;
}

static void on_wake(void *ctx)
{
    struct live *l = ctx;
    int ended = atomic_load(&l->worker_rc); /* before draining: what it pushed last is then in the ring */
    drain(l);
    if (ended)
        loop_stop(l->loop);
}

static void on_timer(void *ctx)
{
    struct live *l = ctx;
    uint64_t now_ns = atomic_load_explicit(&l->packet_ns, memory_order_relaxed);
    on_wake(l);
    hand_secrets(l);
    analysis_turn(l->analysis);
    analysis_flush(l->analysis);
    service_turn(&l->service, loop_now_ms(l->loop), atomic_load_explicit(&l->beats, memory_order_relaxed));
    if (now_ns / NS_PER_S != l->ticked_s) {
        l->ticked_s = now_ns / NS_PER_S;
        analysis_tick(l->analysis, now_ns);
    }
}

static void on_signal(void *ctx)
{
    struct live *l = ctx;
    service_stopping();
    source_stop(l->source);
}

/* Renamed logs and files of sinks are gone on with under their old names. */
static void on_hangup(void *ctx)
{
    struct live *l = ctx;
    analysis_reopen(l->analysis);
    if (l->delivery)
        delivery_reopen(l->delivery);
}

static int open_delivery(struct live *l, const struct settings *s, struct text *why)
{
    if (!s->sinks || !s->sinks->n)
        return 0;
    int rc = delivery_new(&(struct delivery_options){.sinks = s->sinks, .dir = s->out, .keeps_position = true}, &l->delivery, why);
    return rc ? rc : delivery_start(l->delivery);
}

static int open_all(struct live *l, const struct settings *s, const struct live_hooks *hooks, struct text *why)
{
    l->hooks = hooks;
    int rc = setup_init(&l->setup, s, why);
    if (rc)
        return rc;
    rc = analysis_new(s, text_str(&l->setup.rules_dir), true, &(struct analysis_hooks){.ctx = l, .on_alert = on_alert},
                      &l->analysis, why);
    if (rc == 0)
        rc = pipeline_new(s, l->setup.profiles, l->setup.key, &(struct pipeline_hooks){.ctx = l, .on_candidate = on_candidate}, &l->pipeline);
    if (rc == 0 && s->counters)
        rc = line_file_open(&l->counters, s->counters, true, why);
    if (rc == 0 && s->out)
        rc = unmapped_file_open(&l->unmapped, s->out, why);
    if (rc)
        return rc;
    l->ring = ring_new(sizeof(struct activity), RING_ITEMS);
    l->secrets = ring_new(sizeof(struct tls_keylog_entry), KEY_ITEMS);
    l->loop = loop_new();
    l->keys = l->loop ? key_feed_new(l->loop, on_key_line, l) : NULL;
    if (!l->ring || !l->secrets || !l->keys)
        return E_NOMEM;
    l->waker = loop_waker(l->loop, on_wake, l);
    l->timer = loop_timer(l->loop, on_timer, l);
    l->interrupt = loop_signal(l->loop, SIGINT, on_signal, l);
    l->terminate = loop_signal(l->loop, SIGTERM, on_signal, l);
    l->hangup = loop_signal(l->loop, SIGHUP, on_hangup, l);
    if (!l->waker || !l->timer || !l->interrupt || !l->terminate || !l->hangup)
        return E_NOMEM;
    loop_timer_every(l->timer, TURN_MS);
    rc = open_keys(l, s, why);
    return rc ? rc : open_delivery(l, s, why);
}

/* Signals are for the loop's thread: the worker is started with all of them blocked. */
static int start_worker(struct live *l, pthread_t *thread)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    l->is_working = true;
    int rc = pthread_create(thread, NULL, worker, l);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc ? E_NOMEM : 0;
}

/* Also when the loop itself failed: then the worker may still be waiting for room in the ring. */
static void stop_worker(struct live *l, pthread_t thread)
{
    source_stop(l->source);
    while (!atomic_load(&l->worker_rc)) {
        drain(l);
        usleep(RING_WAIT_US);
    }
    pthread_join(thread, NULL);
    drain(l);
}

static int close_all(struct live *l, int rc, struct text *why)
{
    struct text more = {0};
    int closed = line_file_close(l->counters, true, rc ? &more : why); /* also after a failure: then they matter most */
    int also = line_file_close(l->unmapped, true, rc || closed ? &more : why);
    closed = closed ? closed : also;
    struct loop_event *events[] = {l->waker, l->timer, l->interrupt, l->terminate, l->hangup};
    for (size_t i = 0; i < sizeof events / sizeof *events; i++)
        loop_remove(events[i]);
    if (l->delivery)
        (void)delivery_stop(l->delivery, 0); /* it has been, unless the start failed */
    delivery_free(l->delivery);
    key_feed_free(l->keys);
    loop_free(l->loop);
    ring_free(l->ring);
    ring_free(l->secrets);
    pipeline_free(l->pipeline);
    analysis_free(l->analysis);
    setup_fini(&l->setup);
    text_fini(&more);
    return rc ? rc : closed;
}

static void write_counters(struct live *l)
{
    struct source_stats stats;
    source_stats(l->source, &stats);
    counters_file_write(l->counters, &stats, key_feed_counters(l->keys), l->pipeline, l->analysis);
}

/* What the sinks have not got then they get after the next start. */
static void end_delivery(struct live *l, struct summary *summary)
{
    if (!l->delivery)
        return;
    (void)delivery_stop(l->delivery, DELIVERY_END_MS);
    delivery_tell(l->delivery, &summary->text);
    if (l->counters)
        counters_file_more(l->counters, delivery_counters(l->delivery));
}

int live_run(const struct settings *s, struct source *source, const struct live_hooks *hooks, struct summary *summary,
             struct text *why)
{
    struct live l = {.source = source};
    pthread_t thread;
    int rc = open_all(&l, s, hooks, why);
    if (rc == 0)
        rc = start_worker(&l, &thread);
    if (rc == 0) {
        hooks->on_ready(hooks->ctx);
        service_ready(&l.service, "capturing");
        rc = loop_run(l.loop);
        stop_worker(&l, thread);
        int ended = atomic_load(&l.worker_rc);
        if (rc == 0 && ended != E_END) {
            text_addf(why, "capture stopped: %s", source_last_note(source, err_text(ended)));
            rc = ended;
        }
        analysis_tick(l.analysis, pipeline_now(l.pipeline));
        int finished = analysis_finish(l.analysis, true, why);
        rc = rc ? rc : finished;
        summary_take(summary, s, source, l.pipeline, l.analysis, l.setup.is_default_key);
        if (l.unmapped)
            unmapped_file_write(l.unmapped, app_unmapped(pipeline_app(l.pipeline)));
        if (l.counters)
            write_counters(&l);
        end_delivery(&l, summary);
    }
    return close_all(&l, rc, why);
}
