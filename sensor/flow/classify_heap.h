/* SPDX-License-Identifier: Apache-2.0
 * The memory nDPI may take while packets come: blocks of a few sizes out of one region of fixed size, reserved at the start.
 * Inside of flow/ only. */
#ifndef FLOW_CLASSIFY_HEAP_H
#define FLOW_CLASSIFY_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLASSIFY_HEAP_LARGEST 65536u /* bytes */

struct classify_heap;

/* 'kib': size of the region. NULL without memory. */
struct classify_heap *classify_heap_new(uint32_t kib);
void classify_heap_free(struct classify_heap *h);
/* A block of at least 'size' bytes, aligned to 16, not zeroed. NULL when there is none left of its size or the next two, or
 * 'size' is more than the largest has. */
void *classify_heap_take(struct classify_heap *h, size_t size);
/* Takes it back. False when it is not of this heap. */
bool classify_heap_give(struct classify_heap *h, void *block);
/* Blocks that are out now. */
uint32_t classify_heap_used(const struct classify_heap *h);

#endif
