/* SPDX-License-Identifier: Apache-2.0
 * RFC 791, 3.1 and RFC 8200, 3. */
#include "flow/ip_header.h"

#include <string.h>

static void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

void ip_header_write(uint8_t *at, const struct dissected *d, bool is6, uint8_t protocol, uint32_t size)
{
    memset(at, 0, ip_header_size(is6));
    if (is6) {
        at[0] = 0x60;
        put16(at + 4, size);
        at[6] = protocol;
        at[7] = d->ttl;
        memcpy(at + 8, d->src.ip.bytes, 16);
        memcpy(at + 24, d->dst.ip.bytes, 16);
    } else {
        at[0] = 0x45;
        put16(at + 2, 20 + size);
        put16(at + 4, d->ip_id);
        at[8] = d->ttl;
        at[9] = protocol;
        memcpy(at + 12, d->src.ip.bytes + 12, 4);
        memcpy(at + 16, d->dst.ip.bytes + 12, 4);
    }
}
