/* SPDX-License-Identifier: Apache-2.0
 * Each world is made once and heard by all judges at the same time. */
#include "eval/bench.h"

#include "base/err.h"
#include "base/times.h"
#include "eval/emit.h"

#include <stdlib.h>

static const double budgets[BENCH_BUDGETS] = {0, 5, 10, 25, 50};

struct hearing {
    struct bench *b;
    struct world *w;
    struct emitter *emitter;
    struct scorer scorers[BENCH_JUDGES];
    void *judges[BENCH_JUDGES];
    struct tails *tails;
    struct activity activity;
};

void bench_init(struct bench *b)
{
    *b = (struct bench){.first_seed = 1, .n_seeds = 1};
    params_default(&b->p);
    while (judge_at(b->n_judges))
        b->n_judges++;
    for (uint32_t j = 0; j < b->n_judges; j++)
        for (int i = 0; i < BENCH_BUDGETS; i++)
            b->results[j][i].budget = budgets[i];
}

void bench_fini(struct bench *b)
{
    for (uint32_t j = 0; j < b->n_judges; j++)
        for (int i = 0; i < BENCH_BUDGETS; i++)
            score_result_fini(&b->results[j][i]);
}

static void on_act(void *ctx, const struct act *act)
{
    struct hearing *h = ctx;
    bool needs_id = act->action == ACTION_DOWNLOAD; /* the engine remembers files by it */
    emitter_fill(h->emitter, h->w, act, needs_id, &h->activity);
    h->b->activities++;
    h->b->downloads += act->action == ACTION_DOWNLOAD;
    for (uint32_t j = 0; j < h->b->n_judges; j++)
        if (h->judges[j]) {
            h->scorers[j].act = act;
            judge_at(j)->feed(h->judges[j], &h->activity);
        }
    tails_feed(h->tails, &h->activity);
}

static uint64_t day_ns(double day)
{
    return (WORLD_START_S + (uint64_t)day * S_PER_DAY) * NS_PER_S;
}

static bool open_hearing(struct hearing *h, struct bench *b, uint64_t seed)
{
    *h = (struct hearing){.b = b};
    h->w = world_new(&b->p, seed);
    h->emitter = emitter_new();
    h->tails = tails_new(day_ns(b->p.learn_from), day_ns(b->p.test_from));
    bool is_good = h->w && h->emitter && h->tails;
    for (uint32_t j = 0; j < b->n_judges && is_good; j++) {
        if (b->skip[j])
            continue;
        h->scorers[j].w = h->w;
        h->scorers[j].told = j == 0 ? b->told : NULL;
        h->judges[j] = judge_at(j)->make(judge_at(j), score_say, &h->scorers[j]);
        is_good = h->judges[j] != NULL;
    }
    return is_good;
}

static void close_hearing(struct hearing *h)
{
    for (uint32_t j = 0; j < h->b->n_judges; j++) {
        if (h->judges[j])
            judge_at(j)->free(h->judges[j]);
        score_fini(&h->scorers[j]);
    }
    tails_free(h->tails);
    emitter_free(h->emitter);
    world_free(h->w);
}

static void take_scores(struct hearing *h)
{
    struct bench *b = h->b;
    for (uint32_t j = 0; j < b->n_judges; j++)
        for (int i = 0; i < BENCH_BUDGETS && h->judges[j]; i++)
            score_add(&h->scorers[j], judge_at(j), &b->results[j][i]);
    for (uint32_t i = 0; i < h->w->truths.n; i++)
        b->truths[h->w->truths.at[i].kind] += h->w->truths.at[i].acts > 0;
    for (uint32_t i = 0; i < h->w->n_people; i++)
        b->sessions += h->w->people[i].role == ROLE_MACHINE ? 0 : h->w->people[i].sessions;
    tails_add(h->tails, &b->tails);
}

int bench_run(struct bench *b, void (*tell)(void *ctx, uint64_t seed), void *ctx)
{
    int rc = 0;
    struct hearing *h = malloc(sizeof *h);
    for (uint64_t seed = b->first_seed; h && rc == 0 && seed < b->first_seed + b->n_seeds; seed++) {
        rc = open_hearing(h, b, seed) ? 0 : E_NOMEM;
        for (int day = 0; rc == 0 && day < (int)b->p.days; day++)
            world_day(h->w, day, on_act, h);
        if (rc == 0)
            take_scores(h);
        close_hearing(h);
        if (rc == 0 && tell)
            tell(ctx, seed);
    }
    rc = h ? rc : E_NOMEM;
    free(h);
    return rc;
}
