/* SPDX-License-Identifier: Apache-2.0
 * What was put last, by ids that are hashes already: it forgets in the order of entering and costs a map's tenth, as nothing
 * is kept in order and nothing has to leave. */
#ifndef BASE_FIFO_H
#define BASE_FIFO_H

#include <stddef.h>
#include <stdint.h>

struct fifo;

/* The last 'max' (a power of two) values of value_size bytes are kept. NULL when memory cannot be reserved. */
struct fifo *fifo_new(size_t value_size, uint32_t max);
void fifo_free(struct fifo *f);
/* Room for the value of this id, zeroed, aligned to 8; the oldest makes room. An id put again is found as it was put last.
 * Borrowed until 'max' more were put. */
void *fifo_put(struct fifo *f, const uint8_t id[16]);
/* The value of this id, or NULL. */
void *fifo_find(const struct fifo *f, const uint8_t id[16]);
/* Begins to fetch what fifo_put or fifo_find of this id will look up. */
void fifo_fetch(const struct fifo *f, const uint8_t id[16]);

#endif
