/* SPDX-License-Identifier: Apache-2.0
 * What a judge said, against what really happened: thresholds learned on the days before the attacks, alerts counted on
 * the days after. Adds up over worlds. */
#ifndef EVAL_SCORE_H
#define EVAL_SCORE_H

#include "eval/judge.h"
#include "eval/world.h"

#include <stdio.h>

#define SCORE_DAYS 64 /* of a test, at most */
#define THICKNESS 4   /* earlier sessions of the victim: 0, 1-4, 5-19, 20 and more */

/* What one judge said in one world. */
struct scorer {
    const struct world *w; /* borrowed */
    const struct act *act; /* what is being fed; borrowed */
    FILE *told;            /* every line in words goes there; may be NULL; borrowed */
    struct line *lines;
    size_t n, cap;
};

struct share {
    uint32_t hit, n;
};

struct numbers {
    double *at;
    size_t n, cap;
};

/* One judge at one budget, over all worlds so far. */
struct result {
    double budget; /* alerts a day; 0 = every alert the judge raises */
    struct share classes[ATTACK_N], thick[THICKNESS], thick_plain[THICKNESS]; /* all attacks; naive, VPN, targeted */
    struct numbers delays_s[ATTACK_N];
    struct numbers false_a_day;      /* of each day of each test: alerts that name no attack */
    double false_by_day[SCORE_DAYS]; /* by day of the test, all worlds added */
    uint32_t n_days, n_worlds;
    uint64_t true_alerts, false_alerts;
    uint32_t cases[TRUTH_N], case_alerts[TRUTH_N]; /* innocent cases, and alerts about them */
};

/* A judge_say_fn; ctx is a struct scorer. */
void score_say(void *ctx, const struct verdict *v);
void score_fini(struct scorer *s);
/* Learns the threshold for r->budget (not of a judge without ranks), applies it, adds to the result. */
void score_add(struct scorer *s, const struct judge *judge, struct result *r);
void score_result_fini(struct result *r);
/* Wilson's interval at 95 % (Wilson 1927), in [0, 1]. */
void score_wilson(struct share s, double *low, double *high);
/* The q-quantile, sorting 'n'; 0 when it is empty. */
double score_quantile(struct numbers *n, double q);
void score_numbers_add(struct numbers *n, double value);

#endif
