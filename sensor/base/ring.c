/* SPDX-License-Identifier: Apache-2.0
 * Two counters that only grow; each side writes its own and reads the other's with acquire and release order. */
#include "base/ring.h"

#include "base/assert.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct ring {
    _Alignas(64) _Atomic uint32_t head; /* producer's: items ever pushed */
    _Alignas(64) _Atomic uint32_t tail; /* consumer's: items ever popped */
    _Alignas(64) size_t item_size;
    uint32_t mask;
    uint8_t *items;
};

struct ring *ring_new(size_t item_size, uint32_t n_items)
{
    ASSERT(n_items && (n_items & (n_items - 1)) == 0);
    struct ring *r = aligned_alloc(64, (sizeof *r + 63) / 64 * 64);
    if (!r)
        return NULL;
    size_t stride = (item_size + 63) & ~(size_t)63;
    r->item_size = stride;
    r->mask = n_items - 1;
    r->items = calloc(n_items, stride);
    atomic_init(&r->head, 0);
    atomic_init(&r->tail, 0);
    if (!r->items) {
        free(r);
        return NULL;
    }
    return r;
}

void ring_free(struct ring *r)
{
    if (!r)
        return;
    free(r->items);
    free(r);
}

bool ring_push(struct ring *r, const void *item, size_t size)
{
    ASSERT(size <= r->item_size);
    uint32_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
    if (head - atomic_load_explicit(&r->tail, memory_order_acquire) > r->mask)
        return false;
    memcpy(r->items + (size_t)(head & r->mask) * r->item_size, item, size);
    atomic_store_explicit(&r->head, head + 1, memory_order_release);
    return true;
}

const void *ring_front(struct ring *r)
{
    uint32_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
    if (tail == atomic_load_explicit(&r->head, memory_order_acquire))
        return NULL;
    return r->items + (size_t)(tail & r->mask) * r->item_size;
}

void ring_pop(struct ring *r)
{
    atomic_fetch_add_explicit(&r->tail, 1, memory_order_release);
}

uint32_t ring_used(const struct ring *r)
{
    uint32_t tail = atomic_load_explicit(&((struct ring *)(uintptr_t)r)->tail, memory_order_acquire);
    return atomic_load_explicit(&((struct ring *)(uintptr_t)r)->head, memory_order_acquire) - tail;
}
