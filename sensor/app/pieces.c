/* SPDX-License-Identifier: Apache-2.0
 * Sorted, disjoint, not touching; inserting merges. */
#include "app/pieces.h"

#include <string.h>

static uint64_t min64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t max64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* 'new' grows over an older piece that it overlaps or touches. Of the older one's bytes those count that 'new' cannot
 * have brought. */
static void absorb(struct piece *new, const struct piece *old, uint64_t from, uint64_t to)
{
    uint64_t low = max64(old->from, from), high = min64(old->to, to);
    uint64_t common = high > low ? high - low : 0;
    new->have += old->have > common ? old->have - common : 0;
    new->from = min64(new->from, old->from);
    new->to = max64(new->to, old->to);
}

/* A full list with one more to come: the smallest gap is closed, the first of equal ones. */
static void close_gap(struct piece *at, uint32_t n)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i + 1 < n; i++)
        if (at[i + 1].from - at[i].to < at[best + 1].from - at[best].to)
            best = i;
    at[best].to = at[best + 1].to;
    at[best].have += at[best + 1].have;
    memmove(at + best + 1, at + best + 2, (n - best - 2) * sizeof *at);
}

static bool add(struct pieces *p, const struct piece *more)
{
    struct piece list[PIECES_MAX + 1], new = *more;
    uint32_t n = 0, i = 0;
    while (i < p->n && p->at[i].to < more->from)
        list[n++] = p->at[i++];
    while (i < p->n && p->at[i].from <= more->to)
        absorb(&new, &p->at[i++], more->from, more->to);
    list[n++] = new;
    while (i < p->n)
        list[n++] = p->at[i++];
    bool is_full = n > PIECES_MAX;
    if (is_full)
        close_gap(list, n--);
    memcpy(p->at, list, n * sizeof *list);
    p->n = n;
    return is_full;
}

bool pieces_add(struct pieces *p, uint64_t from, uint64_t to)
{
    return to > from && add(p, &(struct piece){from, to, to - from});
}

bool pieces_join(struct pieces *p, const struct pieces *more)
{
    bool is_full = false;
    for (uint32_t i = 0; i < more->n; i++)
        is_full |= add(p, &more->at[i]);
    return is_full;
}

uint64_t pieces_bytes(const struct pieces *p)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < p->n; i++)
        sum += p->at[i].have;
    return sum;
}

bool pieces_are_exact(const struct pieces *p)
{
    for (uint32_t i = 0; i < p->n; i++)
        if (p->at[i].have != p->at[i].to - p->at[i].from)
            return false;
    return true;
}
