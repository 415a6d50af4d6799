/* SPDX-License-Identifier: Apache-2.0
 * What came over one direction of a TLS connection and waits for a secret: bytes, gaps and the end, in their order.
 * Inside of flow/ only. */
#ifndef FLOW_TLS_HOLD_H
#define FLOW_TLS_HOLD_H

#include "base/pool.h"
#include "base/span.h"

#define TLS_HOLD_DATA 2000u /* bytes of a block: a segment of an Ethernet */

struct tls_hold_item {
    struct tls_hold_item *next;
    uint64_t order; /* among the items of both directions */
    uint64_t ns;    /* packet time */
    uint64_t gap;   /* missing bytes; then there are no others */
    uint32_t size, from;
    bool is_fin;
    uint8_t data[TLS_HOLD_DATA];
};

struct tls_hold {
    struct tls_hold_item *first, *last;
    uint32_t items;
    uint64_t bytes; /* gaps included */
};

struct pool *tls_hold_pool_new(uint32_t mib);
/* False when the pool is used up: nothing, or not all, was kept. */
bool tls_hold_bytes(struct tls_hold *h, struct pool *pool, struct span bytes, uint64_t order, uint64_t ns);
bool tls_hold_gap(struct tls_hold *h, struct pool *pool, uint64_t bytes, uint64_t order, uint64_t ns);
bool tls_hold_fin(struct tls_hold *h, struct pool *pool, uint64_t order, uint64_t ns);
/* Gives the first item back. */
void tls_hold_drop(struct tls_hold *h, struct pool *pool);
void tls_hold_clear(struct tls_hold *h, struct pool *pool);

#endif
