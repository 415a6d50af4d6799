/* SPDX-License-Identifier: Apache-2.0
 * Whatever raises alerts over activities: the sensor's engine, and what it is compared with. A judge sees activities
 * alone. */
#ifndef EVAL_JUDGE_H
#define EVAL_JUDGE_H

#include "record/activity.h"

struct alert;

/* One line of an alert: raised, or grown. Lines of one alert share its key; the score of an alert is its highest so
 * far. */
struct verdict {
    uint64_t key, time_ns;
    double score; /* comparable within one judge */
    const struct alert *alert; /* the sensor's own words; NULL of others */
};

/* Called while the activity that decided is fed. */
typedef void judge_say_fn(void *ctx, const struct verdict *v);

struct judge {
    const char *name;
    bool is_ranked; /* scores differ: a threshold can be learned; else every alert counts */
    double again;   /* an alert whose score has grown by so much is told again, and counts again; 0: never */
    double a_day; /* its own budget, where it keeps one; else 0 */
    void *(*make)(const struct judge *judge, judge_say_fn *say, void *ctx); /* NULL when memory is short */
    void (*feed)(void *self, const struct activity *a);
    void (*free)(void *self);
};

/* Those there are; NULL after the last. The first is the sensor's own engine. */
const struct judge *judge_at(size_t i);

const struct judge *judge_engine(unsigned which); /* with a budget of 10, 5, 25, 50 */
const struct judge *judge_static(void);
const struct judge *judge_freeman(void);
const struct judge *judge_zscore(void);
const struct judge *judge_elastalert(void);

#endif
