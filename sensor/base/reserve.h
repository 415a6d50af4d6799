/* SPDX-License-Identifier: Apache-2.0
 * Memory of tables, taken at the start. */
#ifndef BASE_RESERVE_H
#define BASE_RESERVE_H

#include <stddef.h>

/* Zeroed room for 'n' items, given back with free(); NULL without memory. Pages that are never touched cost nothing. Where
 * there are megabytes of it, huge pages are asked for (Linux gives them or not): a table is touched at random, and most of
 * what that costs is finding the page. */
void *reserve(size_t n, size_t item_size);

#endif
