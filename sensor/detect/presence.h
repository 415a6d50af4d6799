/* SPDX-License-Identifier: Apache-2.0
 * Whether the owner was elsewhere just before: a person cannot be in two places, and who travels is gone from home. */
#ifndef DETECT_PRESENCE_H
#define DETECT_PRESENCE_H

#include "detect/peers.h"
#include "store/baseline.h"

/* A visit to a usual place that differs on 'level' has begun within the eight hours before. */
struct presence {
    double chance; /* that one has, whoever comes now: by how often and when the credential comes. 0: nothing is known */
    bool is_seen;
};

/* Pure. Of levels LEVEL_NETWORK and LEVEL_COUNTRY; the chance is 0 for others. */
struct presence presence_of(const struct baseline *b, const struct place *place, enum place_level level, uint64_t now_ns);

#endif
