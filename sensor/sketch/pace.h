/* SPDX-License-Identifier: Apache-2.0
 * How many in the last so-many seconds: the times of the latest PACE_MAX events, exactly. */
#ifndef SKETCH_PACE_H
#define SKETCH_PACE_H

#include <stdint.h>

#define PACE_MAX 64

struct pace { /* zeroed = no events */
    uint32_t at_s[PACE_MAX];
    uint32_t n; /* events so far */
};

/* Counts one event. */
void pace_add(struct pace *p, uint32_t now_s);
/* Events in (now_s - window_s, now_s], at most PACE_MAX. */
unsigned pace_count(const struct pace *p, uint32_t now_s, uint32_t window_s);

#endif
