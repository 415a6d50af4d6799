/* SPDX-License-Identifier: Apache-2.0
 * A timer wheel and two queues. Each queue has one length of waiting, so its front is due first (but for flows that
 * come back with a rest of their time: they are looked at no later than one more waiting time). */
#include "flow/timers.h"

#include "base/times.h"

#define NO_SLOT UINT32_MAX

void timers_idle_set(struct timers *t, struct flow *f, uint64_t deadline_ns)
{
    uint64_t second = deadline_ns / NS_PER_S;
    if (second < t->at_s)
        second = t->at_s;
    if (second > t->at_s + TIMERS_SLOTS - 1)
        second = t->at_s + TIMERS_SLOTS - 1;
    uint32_t slot = (uint32_t)(second % TIMERS_SLOTS);
    f->idle_slot = slot;
    f->idle_prev = NULL;
    f->idle_next = t->slots[slot];
    if (f->idle_next)
        f->idle_next->idle_prev = f;
    t->slots[slot] = f;
}

void timers_idle_clear(struct timers *t, struct flow *f)
{
    if (f->idle_slot == NO_SLOT)
        return;
    *(f->idle_prev ? &f->idle_prev->idle_next : &t->slots[f->idle_slot]) = f->idle_next;
    if (f->idle_next)
        f->idle_next->idle_prev = f->idle_prev;
    f->idle_slot = NO_SLOT;
}

/* The slot of now_ns itself stays for the next time, as deadlines in it may lie behind now_ns. */
struct flow *timers_idle_next(struct timers *t, uint64_t now_ns)
{
    uint64_t now_s = now_ns / NS_PER_S;
    if (now_s > t->at_s + TIMERS_SLOTS) /* all slots once are enough */
        t->at_s = now_s - TIMERS_SLOTS;
    for (; t->at_s < now_s; t->at_s++) {
        struct flow *f = t->slots[t->at_s % TIMERS_SLOTS];
        if (f) {
            timers_idle_clear(t, f);
            return f;
        }
    }
    return NULL;
}

void timers_wait_clear(struct timers *t, struct flow *f)
{
    if (!f->wait_ns)
        return;
    *(f->wait_prev ? &f->wait_prev->wait_next : &t->first[f->wait_list]) = f->wait_next;
    *(f->wait_next ? &f->wait_next->wait_prev : &t->last[f->wait_list]) = f->wait_prev;
    f->wait_ns = 0;
}

void timers_wait_update(struct timers *t, struct flow *f, uint64_t now_ns)
{
    uint64_t deadline = f->tcp.deadline_ns;
    if (!deadline || (f->wait_ns && f->wait_ns <= deadline)) /* looked at early enough, and then again */
        return;
    timers_wait_clear(t, f);
    f->wait_list = deadline <= now_ns + TCP_GRACE_NS ? FLOW_TIMER_FAST : FLOW_TIMER_SLOW;
    f->wait_ns = deadline;
    f->wait_next = NULL;
    f->wait_prev = t->last[f->wait_list];
    *(f->wait_prev ? &f->wait_prev->wait_next : &t->first[f->wait_list]) = f;
    t->last[f->wait_list] = f;
}

struct flow *timers_wait_next(struct timers *t, uint64_t now_ns)
{
    for (int i = 0; i < FLOW_TIMERS; i++) {
        struct flow *f = t->first[i];
        if (f && f->wait_ns <= now_ns) {
            timers_wait_clear(t, f);
            return f;
        }
    }
    return NULL;
}
