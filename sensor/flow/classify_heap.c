/* SPDX-License-Identifier: Apache-2.0
 * Each size has its part of the region: an address tells the size of its block. A block given back holds the link to the
 * next free one. */
#include "flow/classify_heap.h"

#include <stdlib.h>

#include "base/assert.h"

#define ALIGN 16u
#define TRIES 3u /* sizes that are tried for one block */

/* Sizes, and how many sixteenths of the region each gets: mostly the handshake messages nDPI puts together (2 KiB each at
 * first). */
static const struct {
    uint32_t size, share;
} plan[] = {{64, 1}, {256, 1}, {1024, 1}, {2048, 5}, {4096, 3}, {16384, 3}, {CLASSIFY_HEAP_LARGEST, 2}};

#define N_SIZES (sizeof plan / sizeof plan[0])

struct free_block {
    struct free_block *next;
};

struct part {
    uint8_t *at, *end, *fresh; /* from 'fresh' on no block has been taken yet */
    struct free_block *free;
};

struct classify_heap {
    uint8_t *region;
    uint32_t used;
    struct part parts[N_SIZES];
};

struct classify_heap *classify_heap_new(uint32_t kib)
{
    struct classify_heap *h = calloc(1, sizeof *h);
    if (!h)
        return NULL;
    h->region = aligned_alloc(ALIGN, (size_t)kib * 1024);
    if (!h->region) {
        classify_heap_free(h);
        return NULL;
    }
    uint8_t *at = h->region;
    for (size_t i = 0; i < N_SIZES; i++) {
        size_t blocks = (size_t)kib * 64 * plan[i].share / plan[i].size;
        h->parts[i] = (struct part){at, at + blocks * plan[i].size, at, NULL};
        at = h->parts[i].end;
    }
    return h;
}

void classify_heap_free(struct classify_heap *h)
{
    if (!h)
        return;
    free(h->region);
    free(h);
}

static void *take(struct part *p, uint32_t size)
{
    struct free_block *b = p->free;
    if (b) {
        p->free = b->next;
        return b;
    }
    if (p->fresh == p->end)
        return NULL;
    p->fresh += size;
    return p->fresh - size;
}

void *classify_heap_take(struct classify_heap *h, size_t size)
{
    unsigned tries = 0;
    for (size_t i = 0; i < N_SIZES && tries < TRIES; i++) {
        if (plan[i].size < size)
            continue;
        void *block = take(&h->parts[i], plan[i].size);
        tries++;
        h->used += block != NULL;
        if (block)
            return block;
    }
    return NULL;
}

bool classify_heap_give(struct classify_heap *h, void *block)
{
    uintptr_t at = (uintptr_t)block;
    for (size_t i = 0; i < N_SIZES; i++) {
        struct part *p = &h->parts[i];
        if (at < (uintptr_t)p->at || at >= (uintptr_t)p->end)
            continue;
        ASSERT((at - (uintptr_t)p->at) % plan[i].size == 0);
        struct free_block *b = block;
        b->next = p->free;
        p->free = b;
        h->used--;
        return true;
    }
    return false;
}

uint32_t classify_heap_used(const struct classify_heap *h)
{
    return h->used;
}
