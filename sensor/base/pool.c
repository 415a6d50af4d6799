/* SPDX-License-Identifier: Apache-2.0
 * A pool is one reservation and a list of what came back; blocks never taken are never touched. */
#include "base/pool.h"

#include "base/assert.h"
#include "base/reserve.h"

#include <stdlib.h>
#include <string.h>

#define HUGE_AFTER 1024u /* blocks */

struct pool {
    uint8_t *blocks;
    void *free_list; /* linked through the first word of each block */
    size_t block_size;
    uint32_t max, fresh, used; /* fresh: blocks taken at least once */
};

struct pool *pool_new(size_t block_size, uint32_t max)
{
    struct pool *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    size_t unit = sizeof(max_align_t);
    p->block_size = ((block_size < unit ? unit : block_size) + unit - 1) / unit * unit;
    p->max = max;
    p->blocks = reserve(max ? max : 1, p->block_size);
    if (!p->blocks) {
        free(p);
        return NULL;
    }
    return p;
}

void pool_free(struct pool *p)
{
    if (!p)
        return;
    explicit_bzero(p->blocks, p->fresh * p->block_size); /* some held cookies: the heap gets none of them back */
    reserve_free(p->blocks, p->max ? p->max : 1, p->block_size);
    free(p);
}

void *pool_take(struct pool *p)
{
    void *block = p->free_list;
    if (block)
        p->free_list = *(void **)block;
    else if (p->fresh == HUGE_AFTER)
        reserve_huge(p->blocks, p->max, p->block_size);
    if (!block && p->fresh < p->max)
        block = p->blocks + (size_t)p->fresh++ * p->block_size;
    if (block)
        p->used++;
    return block;
}

void pool_give(struct pool *p, void *block)
{
    if (!block)
        return;
    ASSERT(p->used > 0);
    *(void **)block = p->free_list;
    p->free_list = block;
    p->used--;
}

uint32_t pool_used(const struct pool *p)
{
    return p->used;
}

uint32_t pool_max(const struct pool *p)
{
    return p->max;
}
