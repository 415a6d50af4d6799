/* SPDX-License-Identifier: Apache-2.0
 * Two threads. Only activities cross, by value, over the ring; a full ring makes the worker wait (the kernel's capture
 * buffer is the queue behind it), so nothing is dropped here without the kernel counting it. */
#include "run/live.h"

#include "base/err.h"
#include "base/log.h"
#include "base/ring.h"
#include "base/times.h"
#include "io/loop.h"
#include "run/analysis.h"
#include "run/counters_file.h"
#include "run/pipeline.h"
#include "run/setup.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#define RING_ITEMS 4096u
#define RING_WAIT_US 200u
#define DRAIN_MS 50u /* upper bound of the delay of a record whose wake-up was lost in the race of push and drain */

struct live {
    struct setup setup;
    struct source *source;
    struct pipeline *pipeline;
    struct analysis *analysis;
    struct line_file *counters; /* NULL: nobody wants them */
    struct ring *ring;
    struct loop *loop;
    struct loop_event *waker, *timer, *interrupt, *terminate;
    _Atomic uint64_t packet_ns; /* the worker's packet time */
    _Atomic int worker_rc;      /* 0 while it runs */
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

static void *worker(void *ctx)
{
    struct live *l = ctx;
    struct packet packet;
    int rc;
    while ((rc = source_next(l->source, &packet)) >= 0) {
        if (rc == 0)
            continue;
        pipeline_packet(l->pipeline, &packet);
        atomic_store_explicit(&l->packet_ns, pipeline_now(l->pipeline), memory_order_relaxed);
    }
    pipeline_flush(l->pipeline);
    atomic_store(&l->worker_rc, rc);
    loop_wake(l->waker);
    return NULL;
}

/* Analysis thread, from here on. */
static void drain(struct live *l)
{
    const struct activity *candidate;
    while ((candidate = ring_front(l->ring))) {
        analysis_candidate(l->analysis, candidate);
        ring_pop(l->ring);
    }
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
    if (now_ns / NS_PER_S != l->ticked_s) {
        l->ticked_s = now_ns / NS_PER_S;
        analysis_tick(l->analysis, now_ns);
    }
}

static void on_signal(void *ctx)
{
    struct live *l = ctx;
    source_stop(l->source);
}

static int open_all(struct live *l, const struct settings *s, const struct live_hooks *hooks, struct text *why)
{
    int rc = setup_init(&l->setup, s, why);
    if (rc)
        return rc;
    rc = analysis_new(s, text_str(&l->setup.rules_dir), true, &(struct analysis_hooks){hooks->ctx, hooks->on_alert},
                      &l->analysis, why);
    if (rc == 0)
        rc = pipeline_new(s, l->setup.profiles, l->setup.key, &(struct pipeline_hooks){l, on_candidate, NULL}, &l->pipeline);
    if (rc == 0 && s->counters)
        rc = line_file_open(&l->counters, s->counters, true, why);
    if (rc)
        return rc;
    l->ring = ring_new(sizeof(struct activity), RING_ITEMS);
    l->loop = loop_new();
    if (!l->ring || !l->loop)
        return E_NOMEM;
    l->waker = loop_waker(l->loop, on_wake, l);
    l->timer = loop_timer(l->loop, on_timer, l);
    l->interrupt = loop_signal(l->loop, SIGINT, on_signal, l);
    l->terminate = loop_signal(l->loop, SIGTERM, on_signal, l);
    if (!l->waker || !l->timer || !l->interrupt || !l->terminate)
        return E_NOMEM;
    loop_timer_every(l->timer, DRAIN_MS);
    return 0;
}

/* Signals are for the loop's thread: the worker is started with all of them blocked. */
static int start_worker(struct live *l, pthread_t *thread)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
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
    struct loop_event *events[] = {l->waker, l->timer, l->interrupt, l->terminate};
    for (size_t i = 0; i < sizeof events / sizeof *events; i++)
        loop_remove(events[i]);
    loop_free(l->loop);
    ring_free(l->ring);
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
    counters_file_write(l->counters, &stats, l->pipeline, l->analysis);
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
        if (l.counters)
            write_counters(&l);
    }
    return close_all(&l, rc, why);
}
