/* SPDX-License-Identifier: Apache-2.0
 * Counts as records can hold them: ECS "long" is signed. */
#ifndef RECORD_COUNT_H
#define RECORD_COUNT_H

#include <stdint.h>

/* What a hostile head claims beyond 2^63 - 1 is said as that. */
static inline uint64_t count_long(uint64_t value)
{
    return value <= INT64_MAX ? value : INT64_MAX;
}

#endif
