/* SPDX-License-Identifier: Apache-2.0
 * Bump allocation. */
#include "base/arena.h"

void *arena_alloc(struct arena *a, size_t size)
{
    size_t from = (a->used + 7) & ~(size_t)7;
    if (from > a->size || size > a->size - from) {
        a->is_full = true;
        return NULL;
    }
    a->used = from + size;
    return a->at + from;
}

struct span arena_copy(struct arena *a, struct span s)
{
    if (s.size > a->size - a->used) {
        a->is_full = true;
        return span_of(NULL, 0);
    }
    uint8_t *copy = a->at + a->used; /* bytes need no alignment */
    if (s.size)
        memcpy(copy, s.at, s.size);
    a->used += s.size;
    return span_of(copy, s.size);
}
