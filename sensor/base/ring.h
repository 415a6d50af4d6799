/* SPDX-License-Identifier: Apache-2.0
 * A ring of fixed-size items between exactly one producer and one consumer thread (C11 atomics, so that the thread
 * sanitizer can follow). Items are copied by value. */
#ifndef BASE_RING_H
#define BASE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ring;

struct ring *ring_new(size_t item_size, uint32_t n_items); /* n_items: a power of two */
void ring_free(struct ring *r);
/* Producer: copies 'size' bytes (<= item_size) in. False when full: nothing was written. */
bool ring_push(struct ring *r, const void *item, size_t size);
/* Consumer: the oldest item in place, or NULL when empty; ring_pop frees its slot afterwards. */
const void *ring_front(struct ring *r);
void ring_pop(struct ring *r);
/* Items in it now; either side may ask. */
uint32_t ring_used(const struct ring *r);

#endif
