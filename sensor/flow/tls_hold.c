/* SPDX-License-Identifier: Apache-2.0
 * A queue of blocks. */
#include "flow/tls_hold.h"

#include <string.h>

struct pool *tls_hold_pool_new(uint32_t mib)
{
    return pool_new(sizeof(struct tls_hold_item), (uint32_t)(((uint64_t)mib << 20) / sizeof(struct tls_hold_item)));
}

static struct tls_hold_item *append(struct tls_hold *h, struct pool *pool, uint64_t order, uint64_t ns)
{
    struct tls_hold_item *item = pool_take(pool);
    if (!item)
        return NULL;
    memset(item, 0, offsetof(struct tls_hold_item, data));
    item->order = order;
    item->ns = ns;
    if (h->last)
        h->last->next = item;
    else
        h->first = item;
    h->last = item;
    h->items++;
    return item;
}

bool tls_hold_bytes(struct tls_hold *h, struct pool *pool, struct span bytes, uint64_t order, uint64_t ns)
{
    while (bytes.size) {
        struct tls_hold_item *item = append(h, pool, order, ns);
        if (!item)
            return false;
        item->size = bytes.size < TLS_HOLD_DATA ? (uint32_t)bytes.size : TLS_HOLD_DATA;
        memcpy(item->data, bytes.at, item->size);
        h->bytes += item->size;
        bytes = span_from(bytes, item->size);
    }
    return true;
}

bool tls_hold_gap(struct tls_hold *h, struct pool *pool, uint64_t bytes, uint64_t order, uint64_t ns)
{
    struct tls_hold_item *item = append(h, pool, order, ns);
    if (!item)
        return false;
    item->gap = bytes;
    h->bytes += bytes;
    return true;
}

bool tls_hold_fin(struct tls_hold *h, struct pool *pool, uint64_t order, uint64_t ns)
{
    struct tls_hold_item *item = append(h, pool, order, ns);
    if (item)
        item->is_fin = true;
    return item != NULL;
}

void tls_hold_drop(struct tls_hold *h, struct pool *pool)
{
    struct tls_hold_item *item = h->first;
    h->first = item->next;
    if (!h->first)
        h->last = NULL;
    h->items--;
    h->bytes -= item->size - item->from + item->gap;
    pool_give(pool, item);
}

void tls_hold_clear(struct tls_hold *h, struct pool *pool)
{
    while (h->first)
        tls_hold_drop(h, pool);
}
