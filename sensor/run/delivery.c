/* SPDX-License-Identifier: Apache-2.0
 * Sinks, each with its queue, its batch under way and its patience. */
#include "run/delivery.h"

#include "base/err.h"
#include "base/hash.h"
#include "base/log.h"
#include "run/alert_spool.h"
#include "run/outlet.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define READ_BYTES ((size_t)256 << 10)
#define TURN_MS 1000u /* how often it is looked whether the log was renamed */

static const struct counter_def defs[] = {
    {"sink_delivered", "alerts", "lines of the alert log that a sink has taken, each sink counted"},
    {"sink_filtered", "alerts", "below a sink's severity, or updates it does not want"},
    {"sink_failures", "attempts", "a sink could not be reached, or did not take what was sent; it is sent again"},
    {"sink_refused", "alerts",
     "a sink said to the end that it will not have them: they are in the alert log alone; the log names them"},
    {"sink_skipped", "alerts",
     "a sink was away for longer than its spool holds: the oldest are in the alert log alone"},
    {"sink_unreadable", "lines", "of the alert log that are no alerts: somebody else wrote there"},
    {"sink_unkept", "positions", "could not be written: after a restart those alerts come again, under their ids"},
};
struct delivery_counts {
    uint64_t delivered, filtered, failures, refused, skipped, unreadable, unkept;
};
_Static_assert(sizeof(struct delivery_counts) / sizeof(uint64_t) == sizeof defs / sizeof defs[0], "one each");

struct sink {
    struct delivery *d;
    const struct sink_config *config;
    struct alert_spool *spool;
    struct outlet *outlet;
    struct loop_event *retry;
    struct batch batch;
    uint64_t batch_bytes; /* of the log, that the batch stands for */
    uint32_t n_failed;    /* attempts in a row */
    bool is_busy, is_told;
    char why[320]; /* of the last failure */
    uint64_t n_delivered, n_refused, n_skipped;
};

struct delivery {
    struct loop *loop;
    struct loop_event *waker, *turn;
    struct sink sinks[SINKS_MAX];
    size_t n;
    struct alert_kept *kept;
    pthread_t thread;
    bool has_thread, is_stopping;
    uint64_t deadline_ms;
    _Atomic bool wants_reopen, wants_stop;
    _Atomic uint32_t patience_ms;
    struct delivery_counts counts;
};

static void pump(struct sink *s);

static bool is_idle(struct sink *s)
{
    return !s->is_busy && !s->batch.n && !alert_spool_waiting(s->spool);
}

static void advance(struct sink *s, uint64_t bytes)
{
    if (!alert_spool_advance(s->spool, bytes)) {
        if (s->d->counts.unkept++ == 0)
            log_warn("sink %s: its position cannot be kept; after a restart alerts come again", s->config->name);
    }
}

/* Attempts grow apart, up to retry-most; what they differ by comes from the alert, so that sensors do not knock in
 * step. */
static uint32_t pause_ms(const struct sink *s)
{
    uint64_t ms = s->config->retry_ms;
    for (uint32_t i = 1; i < s->n_failed && ms < s->config->retry_most_ms; i++)
        ms *= 2;
    ms = ms < s->config->retry_most_ms ? ms : s->config->retry_most_ms;
    uint8_t spread[16];
    hash128(span_of(s->batch.items[0].id, 32), s->n_failed, spread);
    return (uint32_t)(ms - ms * spread[0] / 1024); /* up to a quarter less */
}

static void drop_batch(struct sink *s)
{
    advance(s, s->batch_bytes);
    s->batch.n = 0;
    s->batch_bytes = 0;
    text_clear(&s->batch.bytes);
}

/* A sink that has been away for longer than its spool holds: the oldest go, counted. */
static void keep_bound(struct sink *s)
{
    uint64_t before = s->n_skipped;
    while (alert_spool_waiting(s->spool) > s->config->spool) {
        if (s->batch.n) {
            for (size_t i = 0; i < s->batch.n; i++)
                s->n_skipped += s->batch.items[i].state == ITEM_WAITING;
            drop_batch(s);
            continue;
        }
        struct span lines = alert_spool_read(s->spool, 0, READ_BYTES);
        uint64_t over = alert_spool_waiting(s->spool) - s->config->spool, gone = 0;
        for (size_t end; gone < over && (end = span_find_byte(lines, '\n', gone)) != SIZE_MAX; gone = end + 1)
            s->n_skipped++;
        if (!gone)
            break;
        advance(s, gone);
    }
    if (s->n_skipped > before && before == 0)
        log_warn("sink %s: away for longer than its spool holds; the oldest alerts are skipped, they are in the alert "
                 "log alone",
                 s->config->name);
    s->d->counts.skipped += s->n_skipped - before;
}

static void failed(struct sink *s, const char *why)
{
    s->n_failed++;
    s->d->counts.failures++;
    snprintf(s->why, sizeof s->why, "%s", why);
    if (!s->is_told)
        log_warn("sink %s: cannot deliver to %s: %s; it is tried again", s->config->name,
                 s->config->type == SINK_REDIS ? "Redis" : s->config->url, why);
    s->is_told = true;
    loop_timer_once(s->retry, pause_ms(s));
}

static void count_settled(struct sink *s)
{
    for (size_t i = 0; i < s->batch.n; i++) {
        const struct batch_item *item = &s->batch.items[i];
        if (item->state == ITEM_DONE) {
            s->n_delivered++;
            s->d->counts.delivered++;
        } else {
            if (s->n_refused++ == 0)
                log_warn("sink %s: alert %s is refused for good (%s); further ones are counted", s->config->name,
                         item->id, s->why);
            s->d->counts.refused++;
        }
    }
}

static void on_done(void *ctx, const char *why)
{
    struct sink *s = ctx;
    bool is_whole = true;
    s->is_busy = false;
    for (size_t i = 0; i < s->batch.n; i++)
        is_whole = is_whole && s->batch.items[i].state != ITEM_WAITING;
    if (!is_whole) {
        failed(s, why[0] ? why : "not all was taken");
        return;
    }
    if (why[0])
        snprintf(s->why, sizeof s->why, "%s", why);
    count_settled(s);
    drop_batch(s);
    if (s->is_told)
        log_warn("sink %s: delivers again", s->config->name);
    s->is_told = false;
    s->n_failed = 0;
    loop_timer_once(s->retry,
                    1); /* goes on in a turn of its own: an outlet that is done at once calls from inside pump */
}

static void add_item(struct sink *s, const struct alert *a)
{
    struct batch *b = &s->batch;
    struct batch_item *item = &b->items[b->n];
    struct text id = {0};
    *item = (struct batch_item){.at = b->bytes.size, .update = a->update};
    format_id(a, &id);
    snprintf(item->id, sizeof item->id, "%s", text_str(&id));
    text_fini(&id);
    sink_wrap(s->config, a, &b->bytes);
    item->size = b->bytes.size - item->at;
    b->n++;
}

static void take_line(struct sink *s, struct span line)
{
    const struct alert *a;
    struct text why = {0};
    if (alert_parse(line, s->d->kept, &a, &why) != 0) {
        if (s->d->counts.unreadable++ == 0)
            log_warn("sink %s: a line of the alert log is no alert: %s", s->config->name, text_str(&why));
    } else if (a->risk < s->config->least_risk || (a->update && s->config->no_updates)) {
        s->d->counts.filtered++;
    } else {
        add_item(s, a);
    }
    text_fini(&why);
}

/* Lines of the log into the batch; false when there was none. */
static bool fill(struct sink *s)
{
    struct span lines = alert_spool_read(s->spool, 0, READ_BYTES);
    bool is_any = lines.size > 0;
    while (lines.size && s->batch.n < BATCH_MAX) {
        size_t end = span_find_byte(lines, '\n', 0);
        take_line(s, span_sub(lines, 0, end));
        s->batch_bytes += end + 1;
        lines = span_from(lines, end + 1);
    }
    if (is_any && !s->batch.n)
        drop_batch(s); /* nothing of it is for this sink */
    return is_any;
}

static void pump(struct sink *s)
{
    if (s->is_busy)
        return;
    keep_bound(s);
    while (!s->batch.n && fill(s))
        continue;
    if (!s->batch.n)
        return;
    s->is_busy = true;
    s->outlet->ops->send(s->outlet, &s->batch);
}

static void on_retry(void *ctx)
{
    pump(ctx);
}

static void pump_all(struct delivery *d)
{
    for (size_t i = 0; i < d->n; i++) {
        if (!d->sinks[i].n_failed) /* others have their own time */
            pump(&d->sinks[i]);
    }
}

static void on_wake(void *ctx)
{
    struct delivery *d = ctx;
    if (atomic_exchange(&d->wants_reopen, false)) {
        for (size_t i = 0; i < d->n; i++) {
            struct sink *s = &d->sinks[i];
            alert_spool_reopen(s->spool);
            if (s->outlet->ops->reopen && !s->is_busy)
                s->outlet->ops->reopen(s->outlet);
        }
    }
    if (atomic_load(&d->wants_stop) && !d->is_stopping) {
        d->is_stopping = true;
        d->deadline_ms = loop_now_ms(d->loop) + atomic_load(&d->patience_ms);
        loop_timer_every(d->turn, 20);
    }
    pump_all(d);
}

static void on_turn(void *ctx)
{
    struct delivery *d = ctx;
    bool is_all = true;
    pump_all(d);
    for (size_t i = 0; i < d->n; i++)
        is_all = is_all && is_idle(&d->sinks[i]);
    if (d->is_stopping && (is_all || loop_now_ms(d->loop) >= d->deadline_ms))
        loop_stop(d->loop);
}

static int open_sink(struct delivery *d, const struct delivery_options *o, const struct sink_config *c,
                     struct text *why)
{
    struct sink *s = &d->sinks[d->n];
    struct text log = {0}, position = {0};
    *s = (struct sink){.d = d, .config = c, .batch = {.bytes = {.max = (size_t)64 << 20}}};
    text_addf(&log, "%s/alerts.ndjson", o->dir);
    text_addf(&position, "%s/%s.sink", o->dir, c->name);
    s->spool = alert_spool_new(text_str(&log), o->keeps_position ? text_str(&position) : NULL);
    s->retry = loop_timer(d->loop, on_retry, s);
    int rc = s->spool && s->retry ? outlet_new(d->loop, c, on_done, s, &s->outlet, why) : E_NOMEM;
    text_fini(&log);
    text_fini(&position);
    d->n++;
    return rc;
}

int delivery_new(const struct delivery_options *o, struct delivery **out, struct text *why)
{
    struct delivery *d = calloc(1, sizeof *d);
    *out = NULL;
    if (!d)
        return E_NOMEM;
    d->loop = loop_new();
    d->kept = alert_kept_new();
    d->waker = d->loop ? loop_waker(d->loop, on_wake, d) : NULL;
    d->turn = d->loop ? loop_timer(d->loop, on_turn, d) : NULL;
    int rc = d->kept && d->waker && d->turn ? E_OK : E_NOMEM;
    for (size_t i = 0; i < o->sinks->n && rc == 0; i++)
        rc = open_sink(d, o, &o->sinks->at[i], why);
    if (rc) {
        delivery_free(d);
        return rc;
    }
    loop_timer_every(d->turn, TURN_MS);
    *out = d;
    return E_OK;
}

static void *work(void *ctx)
{
    struct delivery *d = ctx;
    (void)loop_run(
        d->loop); /* it fails only when the system has no more memory: then nothing is delivered, and told at the end */
    return NULL;
}

int delivery_start(struct delivery *d)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    d->has_thread = pthread_create(&d->thread, NULL, work, d) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    delivery_wake(d);
    return d->has_thread ? E_OK : E_NOMEM;
}

void delivery_wake(struct delivery *d)
{
    loop_wake(d->waker);
}

void delivery_reopen(struct delivery *d)
{
    atomic_store(&d->wants_reopen, true);
    loop_wake(d->waker);
}

bool delivery_stop(struct delivery *d, uint32_t ms)
{
    bool is_all = true;
    atomic_store(&d->patience_ms, ms);
    atomic_store(&d->wants_stop, true);
    loop_wake(d->waker);
    if (d->has_thread)
        pthread_join(d->thread, NULL);
    else
        (void)loop_run(d->loop); /* as in work() */
    d->has_thread = false;
    for (size_t i = 0; i < d->n; i++)
        is_all = is_all && is_idle(&d->sinks[i]) && !d->sinks[i].n_refused && !d->sinks[i].n_skipped;
    return is_all;
}

/* Lines that the sink has not got. */
static uint64_t left_of(struct sink *s)
{
    uint64_t n = 0, ahead = 0;
    for (struct span lines; (lines = alert_spool_read(s->spool, ahead, READ_BYTES)).size; ahead += lines.size) {
        for (size_t i = 0; i < lines.size; i++)
            n += lines.at[i] == '\n';
    }
    for (size_t i = 0; i < s->batch.n; i++) /* what is settled of a batch that is not */
        n -= s->batch.items[i].state != ITEM_WAITING;
    return n;
}

void delivery_tell(const struct delivery *d, struct text *out)
{
    for (size_t i = 0; i < d->n; i++) {
        struct sink s = d->sinks[i];
        uint64_t left = left_of(&s);
        for (size_t k = 0; k < s.batch.n; k++)
            s.n_delivered += s.batch.items[k].state == ITEM_DONE;
        text_addf(out, "sink      %s: %llu delivered", s.config->name, (unsigned long long)s.n_delivered);
        if (left)
            text_addf(out, ", %llu not: %s", (unsigned long long)left, s.why[0] ? s.why : "no time left");
        if (s.n_refused)
            text_addf(out, ", %llu refused: %s", (unsigned long long)s.n_refused, s.why);
        if (s.n_skipped)
            text_addf(out, ", %llu skipped, the spool was full", (unsigned long long)s.n_skipped);
        text_add_char(out, '\n');
    }
}

void delivery_free(struct delivery *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < d->n; i++) {
        struct sink *s = &d->sinks[i];
        if (s->outlet)
            s->outlet->ops->free(s->outlet);
        alert_spool_free(s->spool);
        loop_remove(s->retry);
        text_fini(&s->batch.bytes);
    }
    loop_remove(d->waker);
    loop_remove(d->turn);
    loop_free(d->loop);
    alert_kept_free(d->kept);
    free(d);
}

struct counters delivery_counters(const struct delivery *d)
{
    return d ? (struct counters){defs, (const uint64_t *)&d->counts, sizeof defs / sizeof *defs} : (struct counters){0};
}
