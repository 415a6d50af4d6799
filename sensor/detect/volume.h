/* SPDX-License-Identifier: Apache-2.0
 * How much is usual per day or window: the credential's own history, with the fleet's as prior, worth five days. */
#ifndef DETECT_VOLUME_H
#define DETECT_VOLUME_H

#include "sketch/surprise.h"
#include "store/baseline.h"

/* 'which': offset of a struct moments in struct baseline; 'start': what an untaught fleet is taken to do. */
struct spread volume_usual(const struct baseline *b, const struct baseline *fleet, size_t which, struct spread start);
/* The same for the cases of a day. */
struct spread volume_usual_cases(const struct baseline *b, const struct baseline *fleet);
/* The rising sum with today's cases so far: more than 'spare' deviations above usual, day after day, add up (CUSUM). */
double volume_slow_cases(const struct baseline *b, const struct baseline *fleet, double spare);
/* "2.9 on an active day (12 days)". Returns out. */
const char *volume_text(const struct baseline *b, size_t which, struct spread usual, char *out, size_t size);

#endif
