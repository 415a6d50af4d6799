/* SPDX-License-Identifier: Apache-2.0
 * Memory for secrets: pages of their own that are locked (not swapped out), left out of core dumps, and wiped at the
 * end.
 */
#ifndef BASE_LOCKED_H
#define BASE_LOCKED_H

#include <stdbool.h>
#include <stddef.h>

struct locked {
    void *at;       /* zeroed; NULL when memory cannot be reserved */
    size_t size;    /* bytes */
    bool is_locked; /* false: the system refused (RLIMIT_MEMLOCK), the pages may be swapped out */
};

struct locked locked_new(size_t size);
/* Wipes and releases; *l is then empty. An empty one stays so. */
void locked_free(struct locked *l);

#endif
