/* SPDX-License-Identifier: Apache-2.0
 * Segments of one direction that came before their turn, in order of sequence number, as runs of bytes without a hole.
 * Bytes seen first stay: a later segment only fills what is missing. Copies, in blocks of a pool shared by all flows.
 */
#ifndef FLOW_HOLD_H
#define FLOW_HOLD_H

#include "base/pool.h"
#include "base/span.h"

#define HOLD_BLOCK_DATA 1984u
#define HOLD_MAX_RUNS 1024u /* of one direction: bounds the walk to the place of a segment */

/* a is before b on the circle of sequence numbers (RFC 9293, 3.4). */
static inline bool seq_before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

struct hold_block {
    struct hold_block *next;                /* of the same run */
    struct hold_block *run_last;            /* valid in the first block of a run */
    struct hold_block *next_run, *prev_run; /* the same */
    uint64_t time_ns;                       /* of the packet that brought it */
    uint32_t seq, wire;                     /* first byte, length on the wire */
    uint32_t caught;                        /* bytes of it in 'data': fewer when the capture cut the packet */
    uint32_t ack;                           /* what the sender had got from the other side */
    uint8_t data[HOLD_BLOCK_DATA];
};

struct hold {
    struct hold_block *first, *last; /* first blocks of the first and last run */
    uint32_t runs;
    uint32_t blocks;
};

struct segment {
    uint32_t seq, wire, ack;
    struct span bytes; /* caught, <= wire */
    uint64_t time_ns;
};

struct pool *hold_pool_new(uint32_t mib);
/* How many blocks a segment can need at most. */
uint32_t hold_need(const struct segment *s);
/* Keeps what is not held yet; returns how many bytes (on the wire) that were. *refused: bytes for which there was no
 * block or no run left. */
uint32_t hold_put(struct hold *h, struct pool *pool, const struct segment *s, uint32_t *refused);
/* Takes the first block out; the caller gives it back to the pool. 'h' must not be empty. */
struct hold_block *hold_take(struct hold *h);
/* The end of the last run. 'h' must not be empty. */
uint32_t hold_end(const struct hold *h);
/* Gives all back; returns how many bytes (on the wire) were held. */
uint64_t hold_clear(struct hold *h, struct pool *pool);

#endif
