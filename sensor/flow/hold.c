/* SPDX-License-Identifier: Apache-2.0
 * A list of runs, each a list of blocks. New segments mostly continue the last run, so that is looked at first. */
#include "flow/hold.h"

#include "base/assert.h"

_Static_assert(sizeof(struct hold_block) <= 2048, "a full-size Ethernet segment fits one block of 2 KiB");

struct pool *hold_pool_new(uint32_t mib)
{
    return pool_new(sizeof(struct hold_block), (mib ? mib : 1) * ((1u << 20) / (uint32_t)sizeof(struct hold_block)));
}

uint32_t hold_need(const struct segment *s)
{
    return (uint32_t)(s->bytes.size / HOLD_BLOCK_DATA) + 2;
}

static uint32_t run_end(const struct hold_block *run)
{
    return run->run_last->seq + run->run_last->wire;
}

uint32_t hold_end(const struct hold *h)
{
    return run_end(h->last);
}

/* Fills a block from the front of *s and moves *s behind it. */
static void fill(struct hold_block *b, struct segment *s, uint32_t until)
{
    uint32_t wire = until - s->seq;
    uint32_t caught = s->bytes.size < wire ? (uint32_t)s->bytes.size : wire;
    if (caught > HOLD_BLOCK_DATA)
        caught = wire = HOLD_BLOCK_DATA;
    b->next = b->next_run = b->prev_run = NULL;
    b->time_ns = s->time_ns;
    b->seq = s->seq;
    b->wire = wire;
    b->caught = caught;
    b->ack = s->ack;
    if (caught > 0)
        memcpy(b->data, s->bytes.at, caught);
    s->seq += wire;
    s->wire -= wire;
    s->bytes = span_from(s->bytes, wire);
}

/* A run of the part of *s before 'until'; moves *s behind what was kept. NULL when no block was to be had. */
static struct hold_block *make_run(struct hold *h, struct pool *pool, struct segment *s, uint32_t until)
{
    struct hold_block *run = NULL;
    while (s->seq != until) {
        struct hold_block *b = pool_take(pool);
        if (!b)
            break;
        fill(b, s, until);
        h->blocks++;
        if (run)
            run->run_last->next = b;
        else
            run = b;
        run->run_last = b;
    }
    return run;
}

/* Puts 'run' behind 'before' (NULL: at the front); runs that touch become one. Returns the run it ended up in. */
static struct hold_block *link_run(struct hold *h, struct hold_block *before, struct hold_block *run)
{
    struct hold_block *after = before ? before->next_run : h->first;
    if (before && run_end(before) == run->seq) {
        before->run_last->next = run;
        before->run_last = run->run_last;
        run = before;
    } else {
        run->prev_run = before;
        run->next_run = after;
        *(before ? &before->next_run : &h->first) = run;
        *(after ? &after->prev_run : &h->last) = run;
        h->runs++;
    }
    if (after && run_end(run) == after->seq) {
        run->run_last->next = after;
        run->run_last = after->run_last;
        run->next_run = after->next_run;
        *(run->next_run ? &run->next_run->prev_run : &h->last) = run;
        h->runs--;
    }
    return run;
}

/* The last run that begins at or before 'seq', or NULL. Most segments belong near the end. */
static struct hold_block *run_before(const struct hold *h, uint32_t seq)
{
    struct hold_block *run = h->last;
    if (h->first && seq_before(seq, h->first->seq))
        return NULL;
    while (run && seq_before(seq, run->seq))
        run = run->prev_run;
    return run;
}

static void skip(struct segment *s, uint32_t bytes)
{
    s->seq += bytes;
    s->wire -= bytes;
    s->bytes = span_from(s->bytes, bytes);
}

uint32_t hold_put(struct hold *h, struct pool *pool, const struct segment *whole, uint32_t *refused)
{
    struct segment s = *whole;
    struct hold_block *before = run_before(h, s.seq);
    uint32_t kept = 0;
    *refused = 0;
    while (s.wire > 0) {
        uint32_t end = s.seq + s.wire;
        if (before && seq_before(s.seq, run_end(before))) {
            uint32_t covered = run_end(before) - s.seq;
            skip(&s, covered < s.wire ? covered : s.wire);
            continue;
        }
        struct hold_block *after = before ? before->next_run : h->first;
        uint32_t until = after && seq_before(after->seq, end) ? after->seq : end;
        uint32_t from = s.seq;
        struct hold_block *run = NULL;
        if (until != from && (h->runs < HOLD_MAX_RUNS || (before && run_end(before) == from)))
            run = make_run(h, pool, &s, until);
        if (run)
            before = link_run(h, before, run);
        kept += s.seq - from;
        if (s.seq != until) { /* no block, or no run */
            *refused += until - s.seq;
            skip(&s, until - s.seq);
        }
        if (s.wire > 0 && !(before && seq_before(s.seq, run_end(before))))
            before = after; /* refused bytes left a hole between the two */
    }
    return kept;
}

struct hold_block *hold_take(struct hold *h)
{
    struct hold_block *b = h->first;
    ASSERT(b);
    struct hold_block *heir = b->next; /* what is left of the first run, if anything */
    if (heir) {
        heir->run_last = b->run_last;
        heir->next_run = b->next_run;
        heir->prev_run = NULL;
        *(heir->next_run ? &heir->next_run->prev_run : &h->last) = heir;
    } else {
        heir = b->next_run;
        *(heir ? &heir->prev_run : &h->last) = NULL;
        h->runs--;
    }
    h->first = heir;
    h->blocks--;
    return b;
}

uint64_t hold_clear(struct hold *h, struct pool *pool)
{
    uint64_t bytes = 0;
    while (h->first) {
        struct hold_block *b = hold_take(h);
        bytes += b->wire;
        pool_give(pool, b);
    }
    return bytes;
}
