/* SPDX-License-Identifier: Apache-2.0
 * A set-associative table of packet hashes with their time: the oldest of a set makes room. No list to expire, nothing
 * to walk, one cache line a packet; a window's worth of full-size frames at 10 Gbit/s fills a third of it. */
#include "flow/dedup.h"

#include <stdlib.h>
#include <string.h>

#define SETS 4096u
#define WAYS 8u

/* An entry is 40 bits of the hash and 24 of the time in units of 2^16 ns, which come round after 18 minutes. 0 = free.
 */
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

_Static_assert(sizeof defs / sizeof *defs * sizeof(uint64_t) == sizeof(struct dedup_counts),
               "one name for each counter");

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

static uint64_t load64(const uint8_t *at)
{
    uint64_t v;
    memcpy(&v, at, sizeof v);
    return v;
}

static uint32_t load32(const uint8_t *at)
{
    uint32_t v;
    memcpy(&v, at, sizeof v);
    return v;
}

/* Two words of the packet as a 128-bit product, folded (the step of wyhash and XXH3). The products are independent of
 * each other and only added up, so they overlap: a packet has few words, and gathering them for a hash of bytes, or
 * chaining them, would cost more than hashing them. 'place' makes equal words in other places differ. */
static uint64_t fold(unsigned place, uint64_t a, uint64_t b)
{
    uint64_t secret = 0x9e3779b97f4a7c15u * (2 * place + 1);
    __uint128_t product = (__uint128_t)(a ^ secret) * (b ^ (secret + 0xe7037ed1a0b428dbu));
    return (uint64_t)(product >> 64) ^ (uint64_t)product;
}

/* First and last bytes. */
static uint64_t fold_ends(unsigned place, struct span bytes)
{
    if (bytes.size >= 16) {
        const uint8_t *end = bytes.at + bytes.size;
        return fold(place, load64(bytes.at), load64(bytes.at + 8)) + fold(place + 1, load64(end - 16), load64(end - 8));
    }
    uint8_t few[16] = {0};
    if (bytes.size > 0)
        memcpy(few, bytes.at, bytes.size);
    return fold(place, load64(few), load64(few + 8));
}

/* All of the header but its checksum. Options count: a repeat of an acknowledgement often differs in its timestamp
 * alone. */
static uint64_t fold_tcp(unsigned place, const uint8_t *header, size_t size)
{
    uint64_t hash = fold(place, load64(header), load64(header + 8));
    uint64_t rest = (uint64_t)size << 16 | (uint64_t)header[18] << 8 | header[19];
    size_t at = 20;
    for (; at + 8 <= size; at += 8)
        hash += fold(++place, load64(header + at), rest);
    return at + 4 <= size ? hash + fold(++place, load32(header + at), rest) : hash + rest;
}

enum { PLACE_SOURCE, PLACE_DESTINATION, PLACE_SIZES, PLACE_FRAGMENT, PLACE_ENDS, PLACE_HEADER = PLACE_ENDS + 2 };

static uint64_t fingerprint(const struct dissected *d)
{
    const uint8_t *src = d->src.ip.bytes, *dst = d->dst.ip.bytes;
    struct span part = d->is_fragment ? d->fragment : d->payload;
    struct span transport = span_from(d->ip, d->ip_header_size);
    uint64_t hash =
        fold(PLACE_SOURCE, load64(src), load64(src + 8)) + fold(PLACE_DESTINATION, load64(dst), load64(dst + 8)) +
        fold(PLACE_SIZES, (uint64_t)d->payload_wire << 32 | part.size, (uint64_t)d->ip_id << 8 | d->protocol);
    if (d->is_fragment)
        return hash + fold(PLACE_FRAGMENT, d->fragment_offset, d->more_fragments) + fold_ends(PLACE_ENDS, part);
    if (d->protocol == 6)
        return hash + fold_tcp(PLACE_HEADER, transport.at, transport.size - part.size) + fold_ends(PLACE_ENDS, part);
    if (d->protocol == 17)
        return hash + fold(PLACE_HEADER, load32(transport.at), 1) + fold_ends(PLACE_ENDS, part);
    return hash + fold_ends(PLACE_ENDS, transport);
}

/* Frames of two CPUs or ports come a little out of time order, so the distance counts, not its sign. */
static bool is_near(uint64_t entry, uint32_t now)
{
    return ((now - (uint32_t)entry + WINDOW_UNITS) & TIME_MASK) <= 2 * WINDOW_UNITS;
}

uint64_t dedup_hash(const struct dedup *dd, const struct dissected *d)
{
    uint64_t hash = fingerprint(d);
    __builtin_prefetch(dd->sets[hash % SETS], 1);
    return hash;
}

bool dedup_is_copy(struct dedup *dd, uint64_t hash, uint64_t now_ns)
{
    uint64_t *set = dd->sets[hash % SETS];
    uint32_t now = (uint32_t)(now_ns >> 16);
    uint64_t entry = (hash & ~(uint64_t)TIME_MASK) | (now & TIME_MASK);
    for (unsigned i = 0; i < WAYS; i++) {
        if ((set[i] ^ entry) >> TIME_BITS == 0 && set[i] != 0 && is_near(set[i], now)) {
            dd->counts->copies++;
            return true;
        }
    }
    dd->counts->crowded += set[WAYS - 1] != 0 && is_near(set[WAYS - 1], now);
    for (unsigned i = WAYS - 1; i > 0; i--) /* the newest comes first, the oldest falls out */
        set[i] = set[i - 1];
    set[0] = entry;
    dd->counts->fresh++;
    return false;
}
