/* SPDX-License-Identifier: Apache-2.0
 * A bump allocator over memory of fixed size: allocate, mark, rewind. Full is a sticky flag, seen at the end. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/span.h"

struct arena {
    uint8_t *at;
    size_t size, used;
    bool is_full; /* an allocation did not fit since the last reset */
};

static inline void arena_init(struct arena *a, void *memory, size_t size)
{
    *a = (struct arena){memory, size, 0, false};
}
/* Eight-byte aligned, not zeroed; NULL and is_full when there is no room. */
void *arena_alloc(struct arena *a, size_t size);
/* A copy of 's' in the arena; {NULL, 0} and is_full when there is no room. */
struct span arena_copy(struct arena *a, struct span s);
static inline size_t arena_mark(const struct arena *a)
{
    return a->used;
}
static inline void arena_rewind(struct arena *a, size_t mark)
{
    a->used = mark;
    a->is_full = false;
}

#endif
