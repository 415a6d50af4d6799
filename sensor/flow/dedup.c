/* SPDX-License-Identifier: Apache-2.0
 * A set-associative table of packet hashes with their time: the oldest of a set makes room. No list to expire, nothing to
 * walk, one cache line a packet; a window's worth of full-size frames at 10 Gbit/s fills a third of it. */
#include "flow/dedup.h"

#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

#define SETS 4096u
#define WAYS 8u
#define SAMPLE 16u

/* An entry is 40 bits of the hash and 24 of the time in units of 2^16 ns, which come round after 18 minutes. 0 = free. */
#define TIME_BITS 24
#define TIME_MASK ((1u << TIME_BITS) - 1)
#define WINDOW_UNITS ((uint32_t)(DEDUP_WINDOW_NS >> 16))

struct dedup {
    _Alignas(64) uint64_t sets[SETS][WAYS];
    struct dedup_counts *counts;
};

static const struct counter_def defs[] = {
    {"dedup_fresh", "packets", "seen for the first time within the window"},
    {"dedup_copies", "packets", "the same frame delivered again; not counted in any flow"},
    {"dedup_crowded", "packets", "forgotten before the window ended; some copies may have been counted twice"},
};

_Static_assert(sizeof defs / sizeof *defs * sizeof(uint64_t) == sizeof(struct dedup_counts), "one name for each counter");

struct dedup *dedup_new(struct dedup_counts *counts)
{
    struct dedup *dd = aligned_alloc(_Alignof(struct dedup), sizeof *dd);
    if (!dd)
        return NULL;
    memset(dd, 0, sizeof *dd);
    dd->counts = counts;
    return dd;
}

void dedup_free(struct dedup *dd)
{
    free(dd);
}

struct counters dedup_counters(const struct dedup_counts *counts)
{
    return (struct counters){defs, &counts->fresh, sizeof defs / sizeof *defs};
}

/* What makes a packet itself, without padding between the members. */
struct fingerprint {
    uint8_t src[16], dst[16];
    uint32_t ids[4]; /* IP id; offset and flags of a fragment; protocol and caught size; size on the wire */
    uint8_t head[20]; /* transport header without its checksum */
    uint8_t first[SAMPLE], last[SAMPLE];
};

static void put_ends(struct fingerprint *f, struct span bytes)
{
    size_t n = bytes.size < SAMPLE ? bytes.size : SAMPLE;
    if (n == 0)
        return;
    memcpy(f->first, bytes.at, n);
    memcpy(f->last, bytes.at + bytes.size - n, n);
}

static uint64_t fingerprint(const struct dissected *d)
{
    struct fingerprint f;
    memset(&f, 0, sizeof f);
    memcpy(f.src, d->src.ip.bytes, sizeof f.src);
    memcpy(f.dst, d->dst.ip.bytes, sizeof f.dst);
    f.ids[0] = d->ip_id;
    f.ids[2] = d->protocol;
    uint64_t seed = 0;
    if (d->is_fragment) {
        f.ids[1] = d->fragment_offset << 1 | d->more_fragments;
        f.ids[2] |= (uint32_t)d->fragment.size << 8;
        f.ids[3] = d->payload_wire;
        put_ends(&f, d->fragment);
        return hash64(span_of(&f, sizeof f), seed);
    }
    struct span transport = span_from(d->ip, d->ip_header_size);
    f.ids[2] |= (uint32_t)d->payload.size << 8;
    f.ids[3] = d->payload_wire;
    if (d->protocol == 6) { /* options count: a repeat of an acknowledgement often differs in its timestamp alone */
        memcpy(f.head, transport.at, 16);
        memcpy(f.head + 16, transport.at + 18, 2);
        size_t options = transport.size - 20 - d->payload.size;
        if (options > 0)
            seed = hash64(span_sub(transport, 20, options), 0);
        put_ends(&f, d->payload);
    } else if (d->protocol == 17) {
        memcpy(f.head, transport.at, 6);
        put_ends(&f, d->payload);
    } else {
        put_ends(&f, transport);
        f.ids[3] = (uint32_t)transport.size;
    }
    return hash64(span_of(&f, sizeof f), seed);
}

/* Frames of two CPUs or ports come a little out of time order, so the distance counts, not its sign. */
static bool is_near(uint64_t entry, uint32_t now)
{
    return ((now - (uint32_t)entry + WINDOW_UNITS) & TIME_MASK) <= 2 * WINDOW_UNITS;
}

/* Which of a set makes room: a free entry or the oldest. */
static uint64_t *victim(uint64_t *set, uint32_t now)
{
    uint64_t *oldest = set;
    uint32_t most = 0;
    for (unsigned i = 0; i < WAYS; i++) {
        if (set[i] == 0)
            return &set[i];
        uint32_t age = (now - (uint32_t)set[i] + WINDOW_UNITS) & TIME_MASK;
        if (age > most) {
            most = age;
            oldest = &set[i];
        }
    }
    return oldest;
}

bool dedup_is_copy(struct dedup *dd, const struct dissected *d, uint64_t now_ns)
{
    uint64_t hash = fingerprint(d);
    uint64_t *set = dd->sets[hash % SETS];
    uint32_t now = (uint32_t)(now_ns >> 16);
    uint64_t entry = (hash & ~(uint64_t)TIME_MASK) | (now & TIME_MASK);
    for (unsigned i = 0; i < WAYS; i++) {
        if ((set[i] ^ entry) >> TIME_BITS == 0 && set[i] != 0 && is_near(set[i], now)) {
            dd->counts->copies++;
            return true;
        }
    }
    uint64_t *place = victim(set, now);
    dd->counts->crowded += *place != 0 && is_near(*place, now);
    *place = entry;
    dd->counts->fresh++;
    return false;
}
