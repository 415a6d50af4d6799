/* SPDX-License-Identifier: Apache-2.0
 * What the engine costs: a world's activities are made a day at a time and fed from memory. */
#ifndef EVAL_COST_H
#define EVAL_COST_H

#include "eval/params.h"

struct cost {
    uint64_t activities, visits;    /* visits: activities of a person or program from a place after a pause, which are scored */
    double seconds;                 /* of this thread's processor time, in the engine alone */
    double act_us, visit_us;        /* means: of activities that begin no visit, and of those that do; above a millisecond left out */
    uint64_t state_bytes;           /* of one credential in the store */
};

/* Runs one world. E_NOMEM. */
int cost_run(const struct params *p, uint64_t seed, struct cost *out);

#endif
