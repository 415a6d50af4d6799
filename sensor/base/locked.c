/* SPDX-License-Identifier: Apache-2.0
 * Pages of the system: a lock is for whole pages, and so is what a core dump leaves out. */
#include "base/locked.h"

#include <string.h>
#include <sys/mman.h>

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

void locked_free(struct locked *l)
{
    if (!l->at)
        return;
    explicit_bzero(l->at, l->size);
    munmap(l->at, l->size);
    *l = (struct locked){0};
}
