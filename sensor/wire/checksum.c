/* SPDX-License-Identifier: Apache-2.0
 * The ones' complement sum of 16-bit words (RFC 1071), eight bytes at a time. */
#include "wire/checksum.h"

#include <string.h>

/* Words as the machine loads them: the order of bytes within them does not matter to the sum, until its end. */
static uint64_t sum_of(struct span s)
{
    uint64_t low = 0, high = 0, word;
    size_t at = 0;
    for (; at + sizeof word <= s.size; at += sizeof word) {
        memcpy(&word, s.at + at, sizeof word);
        low += (uint32_t)word;
        high += word >> 32;
    }
    if (at < s.size) {
        word = 0;
        memcpy(&word, s.at + at, s.size - at);
        low += (uint32_t)word;
        high += word >> 32;
    }
    return low + high;
}

/* What an IPv4 address has before it here (RFC 4291, 2.5.5.2) adds 0xffff, which is 0 in such a sum. */
static uint64_t sum_of_address(const struct ipaddr *ip)
{
    return sum_of(span_of(ip->bytes, sizeof ip->bytes));
}

enum checksum checksum_of_tcp(const struct dissected *d)
{
    struct span segment = span_from(d->ip, d->ip_header_size);
    if (d->payload.size != d->payload_wire || d->payload_wire > CHECKSUM_MAX_PAYLOAD || segment.size < 20)
        return CHECKSUM_UNKNOWN;
    uint8_t rest[4] = {0, 6, (uint8_t)(segment.size >> 8), (uint8_t)segment.size};
    uint64_t sum = sum_of_address(&d->src.ip) + sum_of_address(&d->dst.ip) + sum_of(span_of(rest, sizeof rest)) +
                   sum_of(segment);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum == 0xffff ? CHECKSUM_RIGHT : CHECKSUM_WRONG;
}
