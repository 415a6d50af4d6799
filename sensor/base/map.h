/* SPDX-License-Identifier: Apache-2.0
 * A capped hash map of fixed-size keys and values that remembers the order of use. All memory is reserved at the start
 * (untouched pages cost nothing), nothing is allocated later; when full, the least recently touched entry makes room. */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map;

typedef void map_evict_fn(void *ctx, const void *key, void *value);

/* Keys are compared as bytes: zero the padding. NULL when memory cannot be reserved. 'max' >= 1. */
struct map *map_new(size_t key_size, size_t value_size, uint32_t max, uint64_t seed);
void map_free(struct map *m); /* does not call evict */
/* Called for the entry that makes room, before it goes. */
void map_on_evict(struct map *m, map_evict_fn *fn, void *ctx);
/* The value, or NULL. Does not change the order of use. Valid until the entry is removed. */
void *map_find(const struct map *m, const void *key);
/* map_find and the rest of map_touch, for who has something to do in between: what was found, and its place. map_use makes
 * that place the most recently used; it must not have been removed since. */
uint32_t map_at(const struct map *m, const void *key, void **value);
void map_use(struct map *m, uint32_t at);
/* The place of the most recently used; the map is not empty. */
uint32_t map_newest(const struct map *m);
/* Begins to fetch what map_find or map_touch of this key reads first, for who has something to do in between: of a large
 * table it is in no cache. */
void map_fetch(const struct map *m, const void *key);
/* Finds or makes (value zeroed, *is_new set), and makes it the most recently used. Never NULL. */
void *map_touch(struct map *m, const void *key, bool *is_new);
void map_remove(struct map *m, const void *key);
uint32_t map_size(const struct map *m);
uint64_t map_evicted(const struct map *m); /* how many made room so far */
/* Walks from the least to the most recently used; start with *at = UINT32_MAX. False at the end. The entry just handed
 * out may be removed before the next call. */
bool map_walk(const struct map *m, uint32_t *at, const void **key, void **value);
/* The least recently used entry; false when empty. */
bool map_oldest(const struct map *m, const void **key, void **value);

#endif
