/* SPDX-License-Identifier: Apache-2.0
 * One key for both directions of a flow. */
#include "flow/flow.h"

#include <string.h>

static uint64_t big_endian(const uint8_t *at)
{
    uint64_t word = 0;
    for (int i = 0; i < 8; i++) /* one load and a swap */
        word = word << 8 | at[i];
    return word;
}

/* By address, then by port. */
static bool is_ordered(const struct endpoint *a, const struct endpoint *b)
{
    uint64_t high = big_endian(a->ip.bytes), other_high = big_endian(b->ip.bytes);
    uint64_t low = big_endian(a->ip.bytes + 8), other_low = big_endian(b->ip.bytes + 8);
    if (high != other_high)
        return high < other_high;
    return low != other_low ? low < other_low : a->port <= b->port;
}

bool flow_key_of(const struct dissected *d, struct flow_key *key)
{
    bool is_first = is_ordered(&d->src, &d->dst);
    memset(key, 0, sizeof *key);
    key->ip[!is_first] = d->src.ip;
    key->ip[is_first] = d->dst.ip;
    key->port[!is_first] = d->src.port;
    key->port[is_first] = d->dst.port;
    key->protocol = d->protocol;
    return is_first;
}
