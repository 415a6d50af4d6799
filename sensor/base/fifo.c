/* SPDX-License-Identifier: Apache-2.0
 * A ring of slots, and chains of those whose ids fall into one bucket, the newest first. Slots are named by the lower half
 * of a count that goes on for ever: a chain ends by itself where it comes to one that has been overwritten. */
#include "base/fifo.h"

#include "base/assert.h"
#include "base/reserve.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define CACHE_LINE 64u

struct slot {
    uint8_t id[16];
    uint32_t before; /* the one before it in the chain; 0 = none */
    uint32_t spare;
};

struct fifo {
    uint8_t *slots;
    uint32_t *newest; /* number of the newest of each bucket */
    size_t stride;
    uint32_t max;  /* slots, and buckets */
    uint32_t next; /* number of the next one, never 0 */
};

struct fifo *fifo_new(size_t value_size, uint32_t max)
{
    struct fifo *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    ASSERT(max && (max & (max - 1)) == 0);
    *f = (struct fifo){.stride = (sizeof(struct slot) + value_size + 7) & ~(size_t)7, .max = max, .next = 1};
    f->slots = reserve(max, f->stride);
    f->newest = reserve(max, sizeof *f->newest);
    if (!f->slots || !f->newest) {
        fifo_free(f);
        return NULL;
    }
    return f;
}

void fifo_free(struct fifo *f)
{
    if (!f)
        return;
    reserve_free(f->slots, f->max, f->stride);
    reserve_free(f->newest, f->max, sizeof *f->newest);
    free(f);
}

static uint32_t *bucket_of(const struct fifo *f, const uint8_t id[16])
{
    uint32_t word;
    memcpy(&word, id, sizeof word);
    return &f->newest[word & (f->max - 1)];
}

static struct slot *slot_at(const struct fifo *f, uint32_t number)
{
    return (struct slot *)(void *)(f->slots + (size_t)(number & (f->max - 1)) * f->stride);
}

/* Whether a slot still holds what it had under this number. After 2^32 an old number may seem to be a new one: then a
 * chain goes on into another, and the ids still tell which slot is meant. */
static bool is_kept(const struct fifo *f, uint32_t number)
{
    return number && f->next - number <= f->max;
}

void *fifo_put(struct fifo *f, const uint8_t id[16])
{
    uint32_t number = f->next, *newest = bucket_of(f, id);
    struct slot *slot = slot_at(f, number);
    f->next += number == UINT32_MAX ? 2 : 1;
    memset(slot, 0, f->stride);
    memcpy(slot->id, id, sizeof slot->id);
    slot->before = is_kept(f, *newest) ? *newest : 0;
    *newest = number;
    for (size_t at = 0; at < f->stride; at += CACHE_LINE) /* the next was used a whole turn ago: it comes until it is needed */
        __builtin_prefetch((const uint8_t *)slot_at(f, f->next) + at, 1);
    return slot + 1;
}

void *fifo_find(const struct fifo *f, const uint8_t id[16])
{
    uint32_t number = *bucket_of(f, id), last = f->next;
    while (is_kept(f, number) && f->next - number > f->next - last) { /* each is older than the one before */
        struct slot *slot = slot_at(f, number);
        if (memcmp(slot->id, id, sizeof slot->id) == 0)
            return slot + 1;
        last = number;
        number = slot->before;
    }
    return NULL;
}

void fifo_fetch(const struct fifo *f, const uint8_t id[16])
{
    __builtin_prefetch(bucket_of(f, id), 1);
}
