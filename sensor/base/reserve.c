/* SPDX-License-Identifier: Apache-2.0
 * calloc, which takes what is large straight from the kernel; and a hint. */
#include "base/reserve.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define HUGE_PAGE ((size_t)2 << 20)

void *reserve(size_t n, size_t item_size)
{
    return calloc(n, item_size);
}

void reserve_huge(void *at, size_t n, size_t item_size)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), from = ((uintptr_t)at + page - 1) & ~(page - 1);
    if (n * item_size >= HUGE_PAGE)
        (void)madvise((void *)from, n * item_size - (from - (uintptr_t)at), MADV_HUGEPAGE); /* without it: small pages */
}
