/* SPDX-License-Identifier: Apache-2.0
 * Undoes content codings as the bytes stream by: gzip, deflate (RFC 1950, 1951, 1952) and br (RFC 7932), RFC
 * 9110, 8.4.1. The only user of zlib and brotli. Their memory comes from a pool made at the start; output and ratio are
 * bounded. */
#ifndef WIRE_CODING_H
#define WIRE_CODING_H

#include "base/counter.h"
#include "base/span.h"

struct coding_pool;
struct coding;

struct coding_limits {
    uint32_t max_gzip;   /* bodies of gzip and deflate decoded at once (64 KiB each); 0 = 256 */
    uint32_t max_brotli; /* bodies of br decoded at once (5 MiB each); 0 = 16 */
    uint64_t max_out;    /* decoded bytes of one body; 0 = 256 MiB */
    uint32_t max_ratio;  /* decoded bytes for one coded byte, once 1 MiB has come out; 0 = 1100 */
};

/* NULL when memory cannot be reserved. 'limits' may be NULL. */
struct coding_pool *coding_pool_new(const struct coding_limits *limits);
void coding_pool_free(struct coding_pool *p); /* every coding must have been freed */
struct counters coding_counters(const struct coding_pool *p);

enum coding_kind { CODING_IDENTITY, CODING_GZIP, CODING_DEFLATE, CODING_BROTLI, CODING_UNKNOWN };
/* Of a Content-Encoding value; more than one real coding on top of each other is CODING_UNKNOWN. */
enum coding_kind coding_kind_of(struct span content_encoding);

/* NULL for identity and unknown, and when the pool is used up (counted). */
struct coding *coding_new(struct coding_pool *p, enum coding_kind kind);
void coding_free(struct coding_pool *p, struct coding *c);

typedef void coding_out_fn(void *ctx, struct span bytes); /* decoded bytes, borrowed */
/* Decodes the next bytes. 0; E_BAD when they are not of the coding; E_LIMIT at a bomb limit or when the decoder wants
 * more memory than a slot has. After an error every call returns it again. Bytes behind the end are ignored. */
int coding_feed(struct coding *c, struct span bytes, coding_out_fn *out, void *ctx);
/* Whether the coding's own end was reached, and how many bytes came out. */
bool coding_is_done(const struct coding *c);
uint64_t coding_size(const struct coding *c);
/* How many of the bytes fed were of it: what follows its end is not. */
uint64_t coding_used(const struct coding *c);

#endif
