/* SPDX-License-Identifier: Apache-2.0
 * The event loop: timers, descriptors, signals, wake-ups from another thread, removal from inside a callback. */
#include "io/loop.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"

struct probe {
    struct loop *loop;
    struct loop_event *event;
    int calls, stop_after, result;
};

static void on_call(void *ctx)
{
    struct probe *p = ctx;
    if (++p->calls == p->stop_after)
        loop_stop(p->loop);
}

static void timers_run_once_or_often(void **state)
{
    (void)state;
    struct loop *l = loop_new();
    struct probe often = {.loop = l, .stop_after = 5}, once = {.loop = l}, never = {.loop = l};
    struct loop_event *a = loop_timer(l, on_call, &often);
    struct loop_event *b = loop_timer(l, on_call, &once);
    struct loop_event *c = loop_timer(l, on_call, &never);
    loop_timer_every(a, 5);
    loop_timer_once(b, 1);
    loop_timer_once(c, 1);
    loop_timer_stop(c);
    uint64_t begin = loop_now_ms(l);
    assert_int_equal(loop_run(l), E_OK);
    uint64_t took = loop_now_ms(l) - begin;
    assert_in_range(took, 20, 2000);
    assert_int_equal(often.calls, 5);
    assert_int_equal(once.calls, 1);
    assert_int_equal(never.calls, 0);
    loop_timer_once(a, 1); /* from often to once */
    often.calls = 10;
    for (int i = 0; i < 5; i++)
        assert_int_equal(loop_run_once(l, 5), E_OK);
    assert_int_equal(often.calls, 11);
    loop_remove(a);
    loop_remove(b);
    loop_remove(c);
    loop_free(l);
}

static void run_once_waits_no_longer_than_told(void **state)
{
    (void)state;
    struct loop *l = loop_new();
    uint64_t begin = loop_now_ms(l);
    assert_int_equal(loop_run_once(l, 0), E_OK);
    assert_true(loop_now_ms(l) - begin < 500);
    begin = loop_now_ms(l);
    assert_int_equal(loop_run_once(l, 40), E_OK);
    assert_in_range(loop_now_ms(l) - begin, 35, 1500);
    loop_free(l);
}

static void on_nested(void *ctx)
{
    struct probe *p = ctx;
    bool is_refused = loop_run_once(p->loop, 0) == E_STATE && loop_run_once(p->loop, 10) == E_STATE;
    p->result = is_refused ? loop_run(p->loop) : E_OK;
    loop_stop(p->loop);
}

static void refuses_to_run_inside_itself(void **state)
{
    (void)state;
    struct loop *l = loop_new();
    struct probe p = {.loop = l};
    struct loop_event *timer = loop_timer(l, on_nested, &p);
    loop_timer_once(timer, 1);
    assert_int_equal(loop_run(l), E_OK);
    assert_int_equal(p.result, E_STATE);
    loop_remove(timer);
    loop_free(l);
}

static void on_inner(void *ctx)
{
    struct probe *outer = ctx;
    struct loop *inner = loop_new();
    struct probe p = {.loop = inner, .stop_after = 1};
    struct loop_event *timer = loop_timer(inner, on_call, &p);
    loop_timer_once(timer, 1);
    assert_int_equal(loop_run(inner), E_OK);
    outer->calls = p.calls;
    loop_remove(timer);
    loop_free(inner);
    loop_stop(outer->loop);
}

static void lets_another_loop_run_inside(void **state)
{
    (void)state;
    struct loop *l = loop_new();
    struct probe p = {.loop = l};
    struct loop_event *timer = loop_timer(l, on_inner, &p);
    loop_timer_once(timer, 1);
    assert_int_equal(loop_run(l), E_OK);
    assert_int_equal(p.calls, 1);
    loop_remove(timer);
    loop_free(l);
}

static void on_fd(void *ctx, bool is_read, bool is_write)
{
    struct probe *p = ctx;
    p->result |= is_read ? 1 : is_write ? 2 : 4;
    p->calls++;
}

static void on_fd_remove(void *ctx, bool is_read, bool is_write)
{
    struct probe *p = ctx;
    on_fd(ctx, is_read, is_write);
    loop_remove(p->event);
}

static void watches_descriptors_for_what_was_asked(void **state)
{
    (void)state;
    struct loop *l = loop_new();
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct probe reader = {.loop = l}, writer = {.loop = l};
    struct loop_event *in = loop_fd(l, ends[0], on_fd, &reader);
    struct loop_event *out = loop_fd(l, ends[1], on_fd, &writer);
    loop_run_once(l, 5);
    assert_int_equal(writer.calls, 0); /* nothing asked yet */
    loop_fd_read(in, true);
    loop_fd_write(out, true);
    loop_run_once(l, 50);
    assert_int_equal(writer.result, 2);
    assert_int_equal(reader.calls, 0);
    loop_fd_write(out, false);
    int before = writer.calls;
    assert_int_equal(write(ends[1], "x", 1), 1);
    loop_run_once(l, 50);
    assert_int_equal(reader.result, 1);
    assert_int_equal(writer.calls, before);
    loop_remove(in);
    in = loop_fd(l, ends[0], on_fd_remove, &reader);
    reader.event = in;
    reader.calls = 0;
    loop_fd_read(in, true);
    loop_run_once(l, 50);
    loop_run_once(l, 5);
    assert_int_equal(reader.calls, 1); /* removed itself although bytes are waiting still */
    loop_remove(out);
    close(ends[0]);
    close(ends[1]);
    loop_free(l);
}

static void hears_signals(void **state)
{
    (void)state;
    struct loop *l = loop_new();
    struct probe p = {.loop = l, .stop_after = 2};
    struct loop_event *a = loop_signal(l, SIGTERM, on_call, &p);
    struct loop_event *b = loop_signal(l, SIGHUP, on_call, &p);
    kill(getpid(), SIGTERM);
    kill(getpid(), SIGHUP);
    assert_int_equal(loop_run(l), E_OK);
    assert_int_equal(p.calls, 2);
    loop_remove(a);
    loop_remove(b);
    loop_free(l);
}

#define RINGS 20000

static void *ring(void *arg)
{
    for (int i = 0; i < RINGS; i++)
        loop_wake(arg);
    return NULL;
}

static void wakes_from_other_threads(void **state)
{
    (void)state;
    struct loop *l = loop_new();
    struct probe p = {.loop = l};
    struct loop_event *waker = loop_waker(l, on_call, &p);
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ring, waker), 0);
    loop_run_once(l, 1000);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    loop_run_once(l, 0);
    loop_run_once(l, 0);
    int calls = p.calls;
    assert_in_range(calls, 1, 2 * RINGS);
    loop_run_once(l, 5);
    assert_int_equal(p.calls, calls); /* the bell is quiet again */
    loop_wake(waker);
    loop_run_once(l, 1000);
    assert_int_equal(p.calls, calls + 1);
    loop_remove(waker);
    loop_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_run_once_or_often),       cmocka_unit_test(run_once_waits_no_longer_than_told),
        cmocka_unit_test(refuses_to_run_inside_itself),   cmocka_unit_test(lets_another_loop_run_inside),
        cmocka_unit_test(watches_descriptors_for_what_was_asked), cmocka_unit_test(hears_signals),
        cmocka_unit_test(wakes_from_other_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
