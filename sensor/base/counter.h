/* SPDX-License-Identifier: Apache-2.0
 * Counters. A module keeps its counts as plain uint64_t members of its own object and describes them once in a static
 * table; whoever reports asks the object for a 'struct counters' view. Plain adds by one owner thread; readers may be stale. */
#ifndef BASE_COUNTER_H
#define BASE_COUNTER_H

#include <stddef.h>
#include <stdint.h>

struct counter_def {
    const char *name; /* area_thing_outcome */
    const char *unit; /* packets, bytes, flows, ... */
    const char *help; /* what it means, and what to do when it grows */
};

struct counters {
    const struct counter_def *defs;
    const uint64_t *values; /* as many as defs */
    size_t n;
};

#endif
