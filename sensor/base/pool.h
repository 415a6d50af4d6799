/* SPDX-License-Identifier: Apache-2.0
 * A pool of equal blocks, reserved at the start (untouched pages cost nothing); take and give back, never malloc after. */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stddef.h>
#include <stdint.h>

struct pool;

struct pool *pool_new(size_t block_size, uint32_t max);
void pool_free(struct pool *p);
void *pool_take(struct pool *p);             /* not zeroed; NULL when all are out */
void pool_give(struct pool *p, void *block); /* NULL does nothing */
uint32_t pool_used(const struct pool *p);
uint32_t pool_max(const struct pool *p);

#endif
