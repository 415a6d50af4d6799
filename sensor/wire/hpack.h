/* SPDX-License-Identifier: Apache-2.0
 * Header blocks of one direction of an HTTP/2 connection (HPACK, RFC 7541). The only user of nghttp2, of which it uses
 * the header decoder alone, with memory from pools made at the start.
 *
 * What a block means depends on all blocks before it. When one of them was not seen, the entries of the dynamic table
 * that came before are unknown; those that come after it stand in front and are known again. So a lost decoder goes on:
 * literals, the static table and what has been added since are read, the rest is counted and never guessed. */
#ifndef WIRE_HPACK_H
#define WIRE_HPACK_H

#include "base/counter.h"
#include "base/span.h"

#define HPACK_TABLE 4096u          /* the dynamic table before SETTINGS say otherwise (RFC 9113, 6.5.2) */
#define HPACK_MAX_TABLE 65536u     /* the largest that is followed */
#define HPACK_MAX_MEMORY (512u << 10) /* bytes one decoder may take: more than the largest table and value need */

struct hpack_pool;

/* 'bytes': memory of all decoders of a worker together (an idle one takes 2 KiB and its table), at least 4 MiB.
 * NULL when memory cannot be reserved. */
struct hpack_pool *hpack_pool_new(uint64_t bytes);
void hpack_pool_free(struct hpack_pool *p); /* every decoder must have been ended */
/* Whether no size of memory is more than half used up. */
bool hpack_has_room(const struct hpack_pool *p);
struct counters hpack_counters(const struct hpack_pool *p);

struct nghttp2_hd_inflater;

/* Must not move between the first block and hpack_fini. */
struct hpack {
    struct hpack_pool *pool;
    struct nghttp2_hd_inflater *inflater; /* NULL until the first block */
    void *hooks;                          /* its view of our memory */
    uint32_t max_table;                   /* what the encoder may use */
    uint32_t table;                       /* what it used when state was lost */
    uint32_t used;                        /* bytes of the pool */
    bool is_lost;                         /* blocks before this were not seen */
    bool is_fresh;                        /* and none since */
};

void hpack_init(struct hpack *h, struct hpack_pool *pool);
void hpack_fini(struct hpack *h);
/* The receiver's SETTINGS let the encoder use a table of so many bytes. What was allowed once stays allowed: when a
 * change takes effect cannot be seen from outside. */
void hpack_allow(struct hpack *h, uint32_t table_size);
/* A block was not seen. */
void hpack_lose(struct hpack *h);

typedef void hpack_field_fn(void *ctx, struct span name, struct span value); /* borrowed until it returns */

/* Decodes one whole block. *n_unknown: fields whose name or value is not known, which are left out. 0; E_BAD when it is
 * no header block, E_LIMIT without memory: then the decoder is lost, and what was told before is of no worth. */
int hpack_decode(struct hpack *h, struct span block, hpack_field_fn *out, void *ctx, uint32_t *n_unknown);

#endif
