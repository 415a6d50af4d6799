/* SPDX-License-Identifier: Apache-2.0
 * Worlds of several seeds through several judges at several budgets. */
#ifndef EVAL_BENCH_H
#define EVAL_BENCH_H

#include "eval/score.h"
#include "eval/tails.h"

#define BENCH_BUDGETS 5 /* every alert, 5, 10, 25, 50 a day */
#define BENCH_JUDGES 8

struct bench {
    struct params p;
    uint64_t first_seed;
    uint32_t n_seeds, n_judges; /* judges: the first so many of judge_at(); those marked */
    bool skip[BENCH_JUDGES];
    FILE *told; /* what the sensor says, line by line; may be NULL */
    struct result results[BENCH_JUDGES][BENCH_BUDGETS];
    struct tails_counts tails;
    uint64_t activities, downloads, sessions;
    uint32_t truths[TRUTH_N];
};

/* The defaults of the parameters, seeds from 1 on. */
void bench_init(struct bench *b);
void bench_fini(struct bench *b);
/* Runs all seeds, one after the other. E_NOMEM. 'tell' (may be NULL) hears after each seed. */
int bench_run(struct bench *b, void (*tell)(void *ctx, uint64_t seed), void *ctx);

#endif
