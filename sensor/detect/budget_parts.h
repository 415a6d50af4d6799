/* SPDX-License-Identifier: Apache-2.0
 * What a budget is made of, for its own files only. */
#ifndef DETECT_BUDGET_PARTS_H
#define DETECT_BUDGET_PARTS_H

#include "base/map.h"
#include "detect/budget.h"
#include "sketch/spot.h"

#define WEEK 8u /* today and seven days before it */

struct unit {
    float score;
    uint32_t last_s;
};

struct channel_state {
    struct map *units;
    struct spot spot;
    uint32_t day;                      /* of closed[0], since 1970 */
    uint32_t closed[WEEK], told[WEEK]; /* units closed and alerts told on the latest days */
    uint32_t sure[WEEK];               /* of those told: sure ones */
    double sure_credit;                /* sure units that the tail may still learn: as many as are due by chance */
    uint32_t days;                     /* how many days before today have been counted */
};

struct budget {
    double a_day;
    struct channel_state channels[CHANNELS];
};

/* The share of its units that the channel tells, and the bits that it takes at least. */
double budget_q(const struct budget *b, enum channel c);
double budget_least(enum channel c);

#endif
