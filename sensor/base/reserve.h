/* SPDX-License-Identifier: Apache-2.0
 * Memory of tables, taken at the start. */
#ifndef BASE_RESERVE_H
#define BASE_RESERVE_H

#include <stddef.h>

/* Zeroed room for 'n' items, the first at the begin of a cache line; NULL without memory. Pages that are never touched cost
 * nothing. */
void *reserve(size_t n, size_t item_size);
/* Gives it back; the same sizes. NULL is allowed. */
void reserve_free(void *at, size_t n, size_t item_size);
/* Asks for huge pages for what of it is not touched yet (Linux gives them or not), where there are megabytes: a large table
 * is touched at random, and most of what that costs is finding the page. A table that stays small is better without: a huge
 * page is zeroed whole at its first touch. */
void reserve_huge(void *at, size_t n, size_t item_size);

#endif
