/* SPDX-License-Identifier: Apache-2.0
 * Whether bits mean what they say: how often an honest credential's day is as surprising as b bits, which should be
 * 2^-b. */
#ifndef EVAL_TAILS_H
#define EVAL_TAILS_H

#include "record/activity.h"

#define TAILS_STEPS 5 /* 6, 8, 10, 12, 14 bits */

enum tails_model { TAILS_SENSOR, TAILS_POISSON, TAILS_NORMAL, TAILS_MODELS };

struct tails_counts {
    uint64_t days; /* credential-days */
    uint64_t above[TAILS_MODELS][TAILS_STEPS];
};

struct tails;

/* Days that end within [from_ns, to_ns) are counted, all teach. NULL when memory is short. */
struct tails *tails_new(uint64_t from_ns, uint64_t to_ns);
void tails_free(struct tails *t);
void tails_feed(struct tails *t, const struct activity *a);
/* Adds what was counted. */
void tails_add(const struct tails *t, struct tails_counts *out);
double tails_bits(int step);
const char *tails_model_name(enum tails_model m);

#endif
