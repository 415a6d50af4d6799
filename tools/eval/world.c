/* SPDX-License-Identifier: Apache-2.0
 * The world's days: everybody's work, the attacks, sorted by time. */
#include "eval/world.h"

#include "base/assert.h"
#include "eval/attack.h"
#include "eval/people.h"
#include "eval/work.h"

#include <stdlib.h>

struct world *world_new(const struct params *p, uint64_t seed)
{
    struct world *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->p = *p;
    w->seed = seed;
    w->n_orgs = (uint32_t)p->organisations;
    w->n_people = (uint32_t)p->credentials;
    w->orgs = calloc(w->n_orgs, sizeof *w->orgs);
    w->people = calloc(w->n_people, sizeof *w->people);
    if (!w->orgs || !w->people) {
        world_free(w);
        return NULL;
    }
    people_make(w);
    for (uint32_t i = 0; i < w->n_people; i++)
        w->n_insiders += w->people[i].role < ROLE_CUSTOMER;
    w->next_session = w->n_people;
    attack_plan(w);
    return w;
}

void world_free(struct world *w)
{
    if (!w)
        return;
    free(w->orgs);
    free(w->people);
    free(w->truths.at);
    free(w->attacks);
    free(w->acts.at);
    free(w);
}

void world_add(struct world *w, const struct act *a)
{
    struct acts *acts = &w->acts;
    if (acts->n == acts->cap) {
        acts->cap = acts->cap ? acts->cap * 2 : 65536;
        acts->at = realloc(acts->at, acts->cap * sizeof *acts->at);
        ASSERT(acts->at);
    }
    acts->at[acts->n] = *a;
    acts->at[acts->n++].number = ++w->next_number;
}

static int by_time(const void *a, const void *b)
{
    const struct act *x = a, *y = b;
    if (x->ms != y->ms)
        return x->ms < y->ms ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

void world_day(struct world *w, int day, void (*fn)(void *ctx, const struct act *a), void *ctx)
{
    for (uint32_t who = 0; who < w->n_people; who++)
        work_day(w, who, day);
    work_remote_help(w, day);
    attack_day(w, day);
    struct acts *acts = &w->acts;
    if (acts->n == 0)
        return;
    qsort(acts->at, acts->n, sizeof *acts->at, by_time);
    uint64_t end_ms = world_ms(day + 1, 0);
    size_t n = 0;
    for (; n < acts->n && acts->at[n].ms < end_ms; n++)
        fn(ctx, &acts->at[n]);
    acts->n -= n;
    memmove(acts->at, acts->at + n, acts->n * sizeof *acts->at);
}
