/* SPDX-License-Identifier: Apache-2.0
 * The event loop on libevent: one base, no locks; eventfd for the one thing that crosses threads. */
#include "io/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/util.h>

#include "base/assert.h"
#include "base/err.h"

struct loop {
    struct event_base *base;
    struct event *patience; /* ends a loop_run_once that nothing else ended */
    struct evutil_monotonic_timer *clock;
    bool is_running;
};

struct loop_event {
    struct event *main;  /* timer, signal, readable */
    struct event *write; /* descriptors only */
    loop_fn *fn;
    loop_fd_fn *fd_fn;
    void *ctx;
    struct loop *loop;
    int wake_fd; /* -1 but for wakers */
};

/* libevent wants a callback; what counts is that the loop comes round. */
static void on_patience(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
}

static void on_fn(evutil_socket_t fd, short what, void *arg)
{
    struct loop_event *e = arg;
    (void)fd;
    (void)what;
    e->fn(e->ctx); /* may free e */
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct loop_event *e = arg;
    (void)fd;
    (void)what;
    e->fd_fn(e->ctx, true, false); /* may free e */
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct loop_event *e = arg;
    (void)fd;
    (void)what;
    e->fd_fn(e->ctx, false, true); /* may free e */
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
    struct loop_event *e = arg;
    uint64_t rings;
    (void)what;
    if (read((int)fd, &rings, sizeof rings) != (ssize_t)sizeof rings)
        return; /* somebody's spurious wake-up */
    e->fn(e->ctx);
}

static struct timeval ms_timeval(uint64_t ms)
{
    return (struct timeval){.tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
}

struct loop *loop_new(void)
{
    struct loop *l = calloc(1, sizeof *l);
    struct event_config *config = event_config_new();
    if (l && config) {
        event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
        event_config_set_flag(config, EVENT_BASE_FLAG_IGNORE_ENV);
        l->base = event_base_new_with_config(config);
        l->clock = evutil_monotonic_timer_new();
        if (l->base)
            l->patience = evtimer_new(l->base, on_patience, NULL);
    }
    if (config)
        event_config_free(config);
    if (!l || !l->base || !l->patience || !l->clock || evutil_configure_monotonic_time(l->clock, 0) != 0) {
        loop_free(l);
        return NULL;
    }
    return l;
}

void loop_free(struct loop *l)
{
    if (!l)
        return;
    ASSERT(!l->is_running);
    if (l->patience)
        event_free(l->patience);
    if (l->base)
        event_base_free(l->base);
    if (l->clock)
        evutil_monotonic_timer_free(l->clock);
    free(l);
}

static int loop_turn(struct loop *l, int flags)
{
    if (l->is_running)
        return E_STATE;
    l->is_running = true;
    int result = event_base_loop(l->base, flags);
    l->is_running = false;
    return result < 0 ? E_IO : E_OK;
}

int loop_run(struct loop *l)
{
    return loop_turn(l, EVLOOP_NO_EXIT_ON_EMPTY);
}

int loop_run_once(struct loop *l, int timeout_ms)
{
    if (timeout_ms <= 0)
        return loop_turn(l, EVLOOP_NONBLOCK);
    if (l->is_running)
        return E_STATE;
    struct timeval limit = ms_timeval((uint64_t)timeout_ms);
    if (event_add(l->patience, &limit) != 0)
        return E_IO;
    int result = loop_turn(l, EVLOOP_ONCE);
    event_del(l->patience);
    return result;
}

void loop_stop(struct loop *l)
{
    event_base_loopbreak(l->base);
}

uint64_t loop_now_ms(const struct loop *l)
{
    struct timeval now = {0};
    evutil_gettime_monotonic(l->clock, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_usec / 1000;
}

struct event_base *loop_base(struct loop *l)
{
    return l->base;
}

static struct loop_event *loop_event_new(struct loop *l, loop_fn *fn, loop_fd_fn *fd_fn, void *ctx)
{
    struct loop_event *e = calloc(1, sizeof *e);
    if (e)
        *e = (struct loop_event){.fn = fn, .fd_fn = fd_fn, .ctx = ctx, .loop = l, .wake_fd = -1};
    return e;
}

/* e when its libevent half came to be, else NULL with nothing left behind. */
static struct loop_event *loop_event_whole(struct loop_event *e, bool is_good)
{
    if (e && !is_good) {
        loop_remove(e);
        return NULL;
    }
    return e;
}

struct loop_event *loop_timer(struct loop *l, loop_fn *fn, void *ctx)
{
    struct loop_event *e = loop_event_new(l, fn, NULL, ctx);
    if (e)
        e->main = event_new(l->base, -1, 0, on_fn, e);
    return loop_event_whole(e, e && e->main);
}

static void loop_timer_start(struct loop_event *timer, uint32_t ms, short kind)
{
    struct timeval span = ms_timeval(ms);
    event_del(timer->main);
    /* An event that was made once can be made again with other flags; its memory stays. */
    event_assign(timer->main, timer->loop->base, -1, kind, on_fn, timer);
    event_add(timer->main, &span);
}

void loop_timer_once(struct loop_event *timer, uint32_t ms)
{
    loop_timer_start(timer, ms, 0);
}

void loop_timer_every(struct loop_event *timer, uint32_t ms)
{
    ASSERT(ms >= 1);
    loop_timer_start(timer, ms, EV_PERSIST);
}

void loop_timer_stop(struct loop_event *timer)
{
    event_del(timer->main);
}

struct loop_event *loop_fd(struct loop *l, int fd, loop_fd_fn *fn, void *ctx)
{
    struct loop_event *e = loop_event_new(l, NULL, fn, ctx);
    if (e) {
        e->main = event_new(l->base, fd, EV_READ | EV_PERSIST, on_readable, e);
        e->write = event_new(l->base, fd, EV_WRITE | EV_PERSIST, on_writable, e);
    }
    return loop_event_whole(e, e && e->main && e->write);
}

static void loop_fd_switch(struct event *side, bool is_on)
{
    if (is_on)
        event_add(side, NULL);
    else
        event_del(side);
}

void loop_fd_read(struct loop_event *e, bool is_on)
{
    loop_fd_switch(e->main, is_on);
}

void loop_fd_write(struct loop_event *e, bool is_on)
{
    loop_fd_switch(e->write, is_on);
}

struct loop_event *loop_signal(struct loop *l, int signal_number, loop_fn *fn, void *ctx)
{
    struct loop_event *e = loop_event_new(l, fn, NULL, ctx);
    if (e)
        e->main = evsignal_new(l->base, signal_number, on_fn, e);
    return loop_event_whole(e, e && e->main && event_add(e->main, NULL) == 0);
}

struct loop_event *loop_waker(struct loop *l, loop_fn *fn, void *ctx)
{
    struct loop_event *e = loop_event_new(l, fn, NULL, ctx);
    if (e)
        e->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (e && e->wake_fd >= 0)
        e->main = event_new(l->base, e->wake_fd, EV_READ | EV_PERSIST, on_wake, e);
    return loop_event_whole(e, e && e->main && event_add(e->main, NULL) == 0);
}

void loop_wake(struct loop_event *waker)
{
    int saved = errno;
    uint64_t ring = 1;
    /* It fails only when 2^64-2 rings are waiting already: the bell rings anyway. */
    ssize_t written = write(waker->wake_fd, &ring, sizeof ring);
    (void)written;
    errno = saved;
}

void loop_remove(struct loop_event *e)
{
    if (!e)
        return;
    if (e->main)
        event_free(e->main);
    if (e->write)
        event_free(e->write);
    if (e->wake_fd >= 0)
        close(e->wake_fd);
    free(e);
}
