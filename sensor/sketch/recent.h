/* SPDX-License-Identifier: Apache-2.0
 * A count that fades: events within about the last window, in eight bytes. Two halves of the window take turns, so what
 * is told covers between half a window and a whole one. */
#ifndef SKETCH_RECENT_H
#define SKETCH_RECENT_H

#include <stdint.h>

struct recent {    /* zeroed = no events */
    uint32_t half; /* index of the half window that 'now' counts */
    uint16_t now, before;
};

/* Counts one event; 'window_s' >= 2 must be the same in every call. */
void recent_add(struct recent *r, uint32_t now_s, uint32_t window_s);
unsigned recent_count(const struct recent *r, uint32_t now_s, uint32_t window_s);

#endif
