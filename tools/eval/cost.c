/* SPDX-License-Identifier: Apache-2.0
 * Each activity is timed by itself; what the clock takes is taken off. */
#include "eval/cost.h"

#include "base/err.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/times.h"
#include "eval/emit.h"
#include "eval/judge.h"
#include "store/baseline.h"

#include <stdlib.h>
#include <time.h>

#define MOST 8192u         /* activities that are kept before they are fed */
#define SLOWEST_US 1000.0  /* the machine did something else */
#define VISIT_S 3600u      /* as learning.visit-gap */
#define MAX_PLACES 1000000u

struct place_key {
    uint64_t who, agent;
    uint8_t net[8];
};

struct meter {
    struct world *w;
    struct emitter *emitter;
    struct map *places; /* of a credential with a client, and when they were seen: begins a visit? */
    void *judge;
    struct activity *acts;
    uint32_t n;
    double clock_us, sum_us[2];
    uint64_t count[2];
    struct cost *out;
};

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static double spent_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double clock_costs(void)
{
    double least = 1e9;
    for (int i = 0; i < 1000; i++) {
        double before = now_us(), after = now_us();
        least = after - before < least ? after - before : least;
    }
    return least;
}

static void no_verdict(void *ctx, const struct verdict *v)
{
    (void)ctx;
    (void)v;
}

static bool begins_visit(struct meter *m, const struct activity *a)
{
    bool is_new;
    struct place_key key = {hash64(activity_get(a, STR_USER), 1), hash64(activity_get(a, STR_AGENT), 2), {0}};
    struct place place = place_of(&a->source, a->country, a->asn);
    memcpy(key.net, place.prefix, sizeof key.net);
    uint32_t *last_s = map_touch(m->places, &key, &is_new), now_s = time_s(a->done_ns);
    bool is_visit = is_new || now_s - *last_s > VISIT_S;
    *last_s = now_s;
    return is_visit && a->size[STR_USER];
}

/* Twice over the activities would teach the engine twice: whole days are timed by the thread's clock, each act by the other. */
static void feed_all(struct meter *m)
{
    static bool visits[MOST];
    for (uint32_t i = 0; i < m->n; i++)
        visits[i] = begins_visit(m, &m->acts[i]);
    double from_s = spent_s(), at = now_us();
    for (uint32_t i = 0; i < m->n; i++) {
        judge_at(0)->feed(m->judge, &m->acts[i]);
        double now = now_us(), us = now - at - m->clock_us;
        at = now;
        if (us > SLOWEST_US)
            continue;
        m->sum_us[visits[i]] += us > 0 ? us : 0;
        m->count[visits[i]]++;
    }
    m->out->seconds += spent_s() - from_s - m->n * m->clock_us / 1e6;
    m->out->activities += m->n;
    m->n = 0;
}

static void on_act(void *ctx, const struct act *act)
{
    struct meter *m = ctx;
    emitter_fill(m->emitter, m->w, act, act->action == ACTION_DOWNLOAD, &m->acts[m->n]);
    if (++m->n == MOST)
        feed_all(m);
}

int cost_run(const struct params *p, uint64_t seed, struct cost *out)
{
    struct meter m = {.w = world_new(p, seed), .emitter = emitter_new(), .acts = calloc(MOST, sizeof *m.acts), .out = out};
    m.places = map_new(sizeof(struct place_key), sizeof(uint32_t), MAX_PLACES, 3);
    m.judge = judge_at(0)->make(judge_at(0), no_verdict, NULL);
    *out = (struct cost){.state_bytes = sizeof(struct baseline)};
    bool is_good = m.w && m.emitter && m.acts && m.places && m.judge;
    m.clock_us = clock_costs();
    for (int day = 0; is_good && day < (int)p->days; day++) {
        world_day(m.w, day, on_act, &m);
        feed_all(&m);
    }
    out->visits = m.count[1];
    out->act_us = m.count[0] ? m.sum_us[0] / (double)m.count[0] : 0;
    out->visit_us = m.count[1] ? m.sum_us[1] / (double)m.count[1] : 0;
    if (m.judge)
        judge_at(0)->free(m.judge);
    map_free(m.places);
    free(m.acts);
    emitter_free(m.emitter);
    world_free(m.w);
    return is_good ? 0 : E_NOMEM;
}
