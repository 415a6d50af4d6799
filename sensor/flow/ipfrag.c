/* SPDX-License-Identifier: Apache-2.0
 * Each datagram is a list of pieces in order of offset, in blocks of a pool; a new fragment only fills what is missing.
 * The last piece complete, the pieces are copied behind a fresh IP header. */
#include "flow/ipfrag.h"

#include "base/map.h"
#include "base/pool.h"
#include "flow/ip_header.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_DATA 2032u
#define MAX_DATAGRAMS 4096u
#define MAX_BLOCKS 256u /* of one datagram: an Ethernet frame's worth of the smallest fragments, in any order */
#define NO_END UINT32_MAX

struct piece {
    struct piece *next;
    uint32_t from, size;
    uint8_t data[BLOCK_DATA];
};

struct datagram_key {
    struct ipaddr src, dst;
    uint32_t id;
    uint8_t protocol, is6, zero[2];
};

struct datagram {
    struct piece *pieces;
    uint32_t end;  /* where the last fragment ends, NO_END before it came */
    uint32_t have; /* bytes */
    uint32_t blocks;
    uint64_t first_ns;
};

struct ipfrag {
    struct ipfrag_counts *counts;
    struct map *datagrams;
    struct pool *blocks;
    uint8_t whole[IP_HEADER_MAX + IP_PAYLOAD_MAX];
};

static const struct counter_def defs[] = {
    {"ipfrag_received", "packets", "IP fragments"},
    {"ipfrag_held", "packets", "kept until their datagram is whole"},
    {"ipfrag_completing", "packets", "the one that made a datagram whole"},
    {"ipfrag_repeated", "packets", "brought nothing new"},
    {"ipfrag_snapped", "packets", "cut by the capture, so of no use; raise the snap length"},
    {"ipfrag_bad", "packets", "size or end contradict another fragment or the rules"},
    {"ipfrag_too_long", "packets", "reach beyond 65,535 bytes"},
    {"ipfrag_no_room", "packets", "no memory left, or too many pieces of one datagram"},
    {"ipfrag_overlaps", "packets", "overlapped an earlier one; the earlier bytes stayed"},
    {"ipfrag_datagrams", "datagrams", "begun"},
    {"ipfrag_timed_out", "datagrams", "given up after 30 s: fragments were lost"},
    {"ipfrag_evicted", "datagrams", "given up to make room for others"},
};

_Static_assert(sizeof defs / sizeof *defs * sizeof(uint64_t) == sizeof(struct ipfrag_counts),
               "one name for each counter");

struct counters ipfrag_counters(const struct ipfrag_counts *counts)
{
    return (struct counters){defs, &counts->received, sizeof defs / sizeof *defs};
}

static void release(struct ipfrag *f, struct datagram *g)
{
    while (g->pieces) {
        struct piece *next = g->pieces->next;
        pool_give(f->blocks, g->pieces);
        g->pieces = next;
    }
}

static void on_evict(void *ctx, const void *key, void *value)
{
    struct ipfrag *f = ctx;
    (void)key; /* the map removes it itself */
    release(f, value);
    f->counts->evicted++;
}

struct ipfrag *ipfrag_new(uint32_t mib, struct ipfrag_counts *counts)
{
    struct ipfrag *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    f->counts = counts;
    f->datagrams = map_new(sizeof(struct datagram_key), sizeof(struct datagram), MAX_DATAGRAMS, 0);
    f->blocks = pool_new(sizeof(struct piece), (mib ? mib : 1) * ((1u << 20) / (uint32_t)sizeof(struct piece)));
    if (!f->datagrams || !f->blocks) {
        ipfrag_free(f);
        return NULL;
    }
    map_on_evict(f->datagrams, on_evict, f);
    return f;
}

void ipfrag_free(struct ipfrag *f)
{
    if (!f)
        return;
    map_free(f->datagrams);
    pool_free(f->blocks);
    free(f);
}

/* A block for one piece of 'g'; older datagrams make room. The least recently touched is never 'g', the newest. */
static struct piece *take_block(struct ipfrag *f, struct datagram *g)
{
    const void *key;
    void *oldest;
    if (g->blocks == MAX_BLOCKS)
        return NULL;
    struct piece *p = pool_take(f->blocks);
    while (!p && map_oldest(f->datagrams, &key, &oldest) && oldest != g) {
        on_evict(f, key, oldest);
        map_remove(f->datagrams, key);
        p = pool_take(f->blocks);
    }
    if (p)
        g->blocks++;
    return p;
}

/* Puts what fits behind the bytes of 'p' into its block; returns how much that was. */
static uint32_t append(struct datagram *g, struct piece *p, struct span bytes)
{
    uint32_t room = BLOCK_DATA - p->size;
    uint32_t n = bytes.size < room ? (uint32_t)bytes.size : room;
    if (n > 0)
        memcpy(p->data + p->size, bytes.at, n);
    p->size += n;
    g->have += n;
    return n;
}

/* Copies [from, from + bytes.size) between 'before' (NULL: the front) and what follows; returns the link behind it,
 * NULL when memory is used up. */
static struct piece **fill(struct ipfrag *f, struct datagram *g, struct piece *before, uint32_t from, struct span bytes)
{
    struct piece **link = before ? &before->next : &g->pieces;
    if (before && before->from + before->size == from) {
        uint32_t n = append(g, before, bytes);
        from += n;
        bytes = span_from(bytes, n);
    }
    while (bytes.size > 0) {
        struct piece *p = take_block(f, g);
        if (!p)
            return NULL;
        p->from = from;
        p->size = 0;
        p->next = *link;
        *link = p;
        link = &p->next;
        uint32_t n = append(g, p, bytes);
        from += n;
        bytes = span_from(bytes, n);
    }
    return link;
}

enum outcome { HELD, REPEATED, NO_ROOM };

/* Puts what of [from, from + bytes.size) is not there yet between the pieces. */
static enum outcome insert(struct ipfrag *f, struct datagram *g, uint32_t from, struct span bytes)
{
    uint32_t had = g->have;
    bool has_overlap = false;
    struct piece *before = NULL, **link = &g->pieces;
    while (bytes.size > 0) {
        struct piece *p = *link;
        if (p && p->from + p->size <= from) {
            before = p;
            link = &p->next;
            continue;
        }
        uint32_t hole = p && p->from < from + bytes.size ? (p->from > from ? p->from - from : 0) : (uint32_t)bytes.size;
        link = fill(f, g, before, from, span_sub(bytes, 0, hole));
        if (!link)
            return NO_ROOM;
        from += hole;
        bytes = span_from(bytes, hole);
        if (bytes.size > 0) { /* stands at *link, which is there: step over what is covered */
            uint32_t covered = (*link)->from + (*link)->size - from;
            uint32_t step = covered < bytes.size ? covered : (uint32_t)bytes.size;
            has_overlap = true;
            from += step;
            bytes = span_from(bytes, step);
        }
    }
    if (g->have == had)
        return REPEATED;
    f->counts->overlaps += has_overlap;
    return HELD;
}

static struct span assemble(struct ipfrag *f, const struct datagram *g, const struct dissected *d, bool is6)
{
    uint32_t header = ip_header_size(is6);
    uint8_t *h = f->whole;
    ip_header_write(h, d, is6, d->protocol, g->end);
    for (const struct piece *p = g->pieces; p; p = p->next)
        memcpy(h + header + p->from, p->data, p->size);
    return span_of(h, header + g->end);
}

/* Whether the fragment can be part of any datagram; counts why not. */
static bool is_usable(struct ipfrag *f, const struct dissected *d, bool is6)
{
    uint32_t size = (uint32_t)d->fragment.size;
    if (size < d->payload_wire)
        f->counts->snapped++;
    else if (size == 0 || (d->more_fragments && size % 8 != 0))
        f->counts->bad++;
    else if (d->fragment_offset + size > IP_PAYLOAD_MAX - (is6 ? 0 : 20))
        f->counts->too_long++;
    else
        return true;
    return false;
}

static bool agrees_on_end(struct datagram *g, const struct dissected *d)
{
    uint32_t end = d->fragment_offset + (uint32_t)d->fragment.size;
    if (d->more_fragments)
        return end <= g->end;
    if (g->end != NO_END)
        return end == g->end;
    for (const struct piece *p = g->pieces; p; p = p->next)
        if (p->from + p->size > end)
            return false;
    g->end = end;
    return true;
}

static struct datagram *find(struct ipfrag *f, const struct datagram_key *key, uint64_t now_ns)
{
    bool is_new;
    struct datagram *g = map_touch(f->datagrams, key, &is_new);
    if (!is_new && now_ns > g->first_ns + IPFRAG_TIMEOUT_NS) { /* the identification came round again */
        f->counts->timed_out++;
        release(f, g);
        is_new = true;
    }
    if (is_new) {
        *g = (struct datagram){.end = NO_END, .first_ns = now_ns};
        f->counts->datagrams++;
    }
    return g;
}

bool ipfrag_feed(struct ipfrag *f, const struct dissected *d, uint64_t now_ns, struct span *whole)
{
    bool is6 = d->ip.at[0] >> 4 == 6;
    f->counts->received++;
    if (!is_usable(f, d, is6))
        return false;
    struct datagram_key key = {.src = d->src.ip, .dst = d->dst.ip, .id = d->ip_id, .protocol = d->protocol, .is6 = is6};
    struct datagram *g = find(f, &key, now_ns);
    if (!agrees_on_end(g, d)) {
        f->counts->bad++;
        return false;
    }
    enum outcome outcome = insert(f, g, d->fragment_offset, d->fragment);
    if (outcome == REPEATED) {
        f->counts->repeated++;
        return false;
    }
    if (outcome == NO_ROOM) {
        f->counts->no_room++;
        return false;
    }
    if (g->have != g->end) {
        f->counts->held++;
        return false;
    }
    f->counts->completing++;
    *whole = assemble(f, g, d, is6);
    release(f, g);
    map_remove(f->datagrams, &key);
    return true;
}

void ipfrag_expire(struct ipfrag *f, uint64_t now_ns)
{
    const void *key;
    void *value;
    while (map_oldest(f->datagrams, &key, &value)) {
        struct datagram *g = value;
        if (now_ns <= g->first_ns + IPFRAG_TIMEOUT_NS)
            return;
        f->counts->timed_out++;
        release(f, g);
        map_remove(f->datagrams, key);
    }
}
