/* SPDX-License-Identifier: Apache-2.0
 * The thieves: of each class so many, spread over the days of the test. Each follows a published pattern (incidents),
 * none knows a detector. */
#ifndef EVAL_ATTACK_H
#define EVAL_ATTACK_H

#include "eval/world.h"

struct attack {
    enum truth_kind kind;
    int day;             /* NEVER: done */
    uint32_t who, truth; /* the victim; the case of the truth */
    uint32_t days_done;
};

/* Chooses victims and days. */
void attack_plan(struct world *w);
/* Adds the acts of that day's attacks; after the honest work of the day was added. */
void attack_day(struct world *w, int day);

#endif
