/* SPDX-License-Identifier: Apache-2.0
 * What is large comes from the kernel by page, not from the allocator: pages are zero without being touched, and a sanitizer
 * does not mark gigabytes at each start. What is written past its end meets a page that cannot be written. */
#include "base/reserve.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define HUGE_PAGE ((size_t)2 << 20)
#define LARGE ((size_t)32 << 10) /* from here on, two calls of the kernel cost less than touching the pages */
#define CACHE_LINE 64u

static size_t page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

static size_t up_to(size_t size, size_t unit)
{
    return (size + unit - 1) & ~(unit - 1);
}

static void *reserve_small(size_t size)
{
    void *at = aligned_alloc(CACHE_LINE, up_to(size ? size : 1, CACHE_LINE));
    return at ? memset(at, 0, size) : NULL;
}

/* Its end, but for what aligns it, is the end of a page. */
static void *reserve_pages(size_t size)
{
    size_t page = page_size(), room = up_to(size, page);
    uint8_t *at = mmap(NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED)
        return NULL;
    (void)mprotect(at + room, page, PROT_NONE); /* without it: no fence */
    return at + room - up_to(size, CACHE_LINE);
}

void *reserve(size_t n, size_t item_size)
{
    size_t size;
    if (__builtin_mul_overflow(n, item_size, &size) || size > SIZE_MAX / 2)
        return NULL;
    return size < LARGE ? reserve_small(size) : reserve_pages(size);
}

void reserve_free(void *at, size_t n, size_t item_size)
{
    size_t size = n * item_size, page = page_size();
    if (size < LARGE)
        free(at);
    else if (at)
        (void)munmap((void *)((uintptr_t)at & ~(page - 1)), up_to(size, page) + page); /* it was mapped so: it cannot fail */
}

void reserve_huge(void *at, size_t n, size_t item_size)
{
    uintptr_t from = up_to((uintptr_t)at, page_size());
    if (n * item_size >= HUGE_PAGE)
        (void)madvise((void *)from, n * item_size - (from - (uintptr_t)at), MADV_HUGEPAGE); /* without it: small pages */
}
