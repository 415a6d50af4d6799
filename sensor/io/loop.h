/* SPDX-License-Identifier: Apache-2.0
 * An event loop: timers, file descriptors, signals and wake-ups from other threads, by callback, in one thread. A loop
 * is never run from inside one of its own callbacks; a second loop may be.
 *
 * Life: loop_new; loop_timer, loop_fd, loop_signal, loop_waker in any order; loop_run or loop_run_once; loop_remove
 * each; loop_free. A callback may remove any event, its own too. */
#ifndef IO_LOOP_H
#define IO_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct loop_event; /* one registration */

typedef void loop_fn(void *ctx);
/* is_read, is_write: which of the two is possible now (a closed or broken descriptor counts as both). One per call. */
typedef void loop_fd_fn(void *ctx, bool is_read, bool is_write);

/* NULL when the system gives no memory or no descriptor. */
struct loop *loop_new(void);
/* All events of it were removed before. NULL does nothing. */
void loop_free(struct loop *l);

/* Calls back until loop_stop. E_STATE when called from one of its own callbacks; E_IO when the system call fails. */
int loop_run(struct loop *l);
/* Waits for the first thing to happen, at most timeout_ms (0 = do not wait), and serves what there is. Same errors. */
int loop_run_once(struct loop *l, int timeout_ms);
/* Lets loop_run (or loop_run_once) return after the callback that is running; from the loop's own thread only. */
void loop_stop(struct loop *l);
/* Milliseconds of a clock that only goes forward: for deadlines of input and output, never for records. */
uint64_t loop_now_ms(const struct loop *l);

/* What libevent's own sockets are made on; for io/ only. */
struct event_base;
struct event_base *loop_base(struct loop *l);

/* A timer, not running yet. NULL when out of memory (as all below). */
struct loop_event *loop_timer(struct loop *l, loop_fn *fn, void *ctx);
/* Starts it anew: one call in 'ms', or one every 'ms' (>= 1). */
void loop_timer_once(struct loop_event *timer, uint32_t ms);
void loop_timer_every(struct loop_event *timer, uint32_t ms);
void loop_timer_stop(struct loop_event *timer);

/* Watches a descriptor (borrowed, non-blocking), at first for nothing. */
struct loop_event *loop_fd(struct loop *l, int fd, loop_fd_fn *fn, void *ctx);
void loop_fd_read(struct loop_event *e, bool is_on);
void loop_fd_write(struct loop_event *e, bool is_on);

/* A signal, as an ordinary callback. Only one loop of a process may ask for signals. */
struct loop_event *loop_signal(struct loop *l, int signal_number, loop_fn *fn, void *ctx);

/* A bell that other threads may ring: fn runs once in the loop's thread after one or more loop_wake. */
struct loop_event *loop_waker(struct loop *l, loop_fn *fn, void *ctx);
/* Safe from any thread and from a signal handler; never blocks. */
void loop_wake(struct loop_event *waker);

/* Ends a registration and frees it. NULL does nothing. */
void loop_remove(struct loop_event *e);

#endif
