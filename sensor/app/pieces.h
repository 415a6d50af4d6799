/* SPDX-License-Identifier: Apache-2.0
 * Which bytes of one object have come: a bounded list of pieces, in order, merged where they touch. */
#ifndef APP_PIECES_H
#define APP_PIECES_H

#include <stdbool.h>
#include <stdint.h>

#define PIECES_MAX 32

struct piece {
    uint64_t from, to; /* bytes [from, to) */
    uint64_t have;     /* distinct bytes that surely came of these; less than to - from where a gap was closed */
};

struct pieces { /* zeroed = nothing */
    uint32_t n;
    struct piece at[PIECES_MAX];
};

/* Adds bytes [from, to). When the list is full, the two pieces with the smallest gap between them become one: the bytes
 * of the gap do not count, nor do they later (so the sum may be too small, never too large). True when that happened. */
bool pieces_add(struct pieces *p, uint64_t from, uint64_t to);
/* Adds all of 'more'; true as above. */
bool pieces_join(struct pieces *p, const struct pieces *more);
/* Distinct bytes that came. */
uint64_t pieces_bytes(const struct pieces *p);
/* Whether that is exact: no closed gap is left. */
bool pieces_are_exact(const struct pieces *p);

#endif
