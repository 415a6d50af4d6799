/* SPDX-License-Identifier: Apache-2.0
 * Pages of the system: a lock is for whole pages, and so is what a core dump leaves out. */
#include "base/locked.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define WINDOW 256u /* pages asked about at once */

struct locked locked_new(size_t size)
{
    struct locked l = {0};
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED)
        return l;
    /* pages that are never touched hold no secret and should not cost memory */
    l.is_locked = mlock2(at, size, MLOCK_ONFAULT) == 0;
    (void)madvise(at, size, MADV_DONTDUMP); /* a kernel without it dumps them: nothing to be done */
    l.at = at;
    l.size = size;
    return l;
}

/* Pages that were never touched would be made only to be wiped. */
static void wipe(const struct locked *l)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    unsigned char is_there[WINDOW];
    for (size_t at = 0; at < l->size; at += WINDOW * page) {
        uint8_t *from = (uint8_t *)l->at + at;
        size_t left = l->size - at, size = left < WINDOW * page ? left : WINDOW * page;
        bool is_known = l->is_locked && mincore(from, size, is_there) == 0; /* not locked: it may be swapped out */
        for (size_t i = 0; i * page < size; i++)
            if (!is_known || is_there[i] & 1)
                explicit_bzero(from + i * page, size - i * page < page ? size - i * page : page);
    }
}

void locked_free(struct locked *l)
{
    if (!l->at)
        return;
    wipe(l);
    munmap(l->at, l->size);
    *l = (struct locked){0};
}
