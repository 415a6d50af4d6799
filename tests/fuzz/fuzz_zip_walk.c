/* SPDX-License-Identifier: Apache-2.0
 * ZIP files: what comes out of them is the same whole and in slices, and no decoder is lost. The first byte says how long
 * the slices are. */
#include "base/assert.h"
#include "base/hash.h"
#include "wire/zip_walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    uint64_t hash, bytes;
    uint32_t members;
};

static void on_member(void *ctx)
{
    ((struct seen *)ctx)->members++;
}

static void on_data(void *ctx, struct span bytes)
{
    struct seen *s = ctx;
    for (size_t i = 0; i < bytes.size; i++)
        s->hash = s->hash * 31 + bytes.at[i];
    s->bytes += bytes.size;
}

static bool walk(struct coding_pool *pool, struct span file, size_t step, struct seen *s)
{
    struct zip_walk z;
    *s = (struct seen){0};
    zip_walk_init(&z, pool, &(struct zip_hooks){s, on_member, on_data});
    for (size_t at = 0; at < file.size; at += step)
        if (!zip_walk_feed(&z, span_sub(file, at, step)))
            break;
    return zip_walk_end(&z);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct coding_pool *pool;
    struct seen whole, sliced;
    if (!pool)
        pool = coding_pool_new(&(struct coding_limits){.max_gzip = 1, .max_brotli = 1, .max_out = 1 << 20});
    if (size < 2 || !pool)
        return 0;
    struct span file = span_of(data + 1, size - 1);
    bool is_blind = walk(pool, file, file.size, &whole);
    ASSERT(walk(pool, file, data[0] % 40u + 1, &sliced) == is_blind);
    ASSERT(whole.members == sliced.members);
    if (!is_blind) /* of what a decoder refuses, more comes out the longer the slice is */
        ASSERT(whole.hash == sliced.hash && whole.bytes == sliced.bytes);
    ASSERT(whole.bytes <= (uint64_t)1100 * size + (1 << 20));
    return 0;
}
