/* SPDX-License-Identifier: Apache-2.0
 * Headers are written into the room in front of the frame. Checksums stay zero, as with offloading. */
#include "support/packet_build.h"

#include "base/assert.h"
#include "base/ipaddr.h"

static uint8_t *push(struct packet_build *b, size_t size)
{
    ASSERT(size <= b->from);
    b->from -= size;
    memset(b->room + b->from, 0, size);
    return b->room + b->from;
}

static void put16(uint8_t *at, size_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
    put16(at, value >> 16);
    put16(at + 2, value);
}

void packet_build_payload(struct packet_build *b, struct span payload)
{
    b->from = PACKET_BUILD_ROOM - payload.size;
    if (payload.size > 0)
        memmove(b->room + b->from, payload.at, payload.size);
}

void packet_build_push(struct packet_build *b, struct span bytes)
{
    uint8_t *at = push(b, bytes.size);
    if (bytes.size > 0)
        memcpy(at, bytes.at, bytes.size);
}

void packet_build_append(struct packet_build *b, struct span bytes)
{
    size_t size = PACKET_BUILD_ROOM - b->from;
    ASSERT(bytes.size <= b->from);
    memmove(b->room + b->from - bytes.size, b->room + b->from, size);
    b->from -= bytes.size;
    memcpy(b->room + PACKET_BUILD_ROOM - bytes.size, bytes.at, bytes.size);
}

struct span packet_build_span(const struct packet_build *b)
{
    return span_of(b->room + b->from, PACKET_BUILD_ROOM - b->from);
}

void packet_build_tcp(struct packet_build *b, const struct packet_build_tcp *tcp)
{
    packet_build_push(b, tcp->options);
    uint8_t *h = push(b, 20);
    put16(h, tcp->src);
    put16(h + 2, tcp->dst);
    put32(h + 4, tcp->seq);
    put32(h + 8, tcp->ack);
    h[12] = (uint8_t)((20 + tcp->options.size) / 4 << 4);
    h[13] = tcp->flags;
    put16(h + 14, 65535);
}

void packet_build_udp(struct packet_build *b, uint16_t src, uint16_t dst)
{
    size_t size = packet_build_span(b).size + 8;
    uint8_t *h = push(b, 8);
    put16(h, src);
    put16(h + 2, dst);
    put16(h + 4, size);
}

static void build_ip4(struct packet_build *b, const struct packet_build_ip *ip, const struct ipaddr *src,
                      const struct ipaddr *dst)
{
    packet_build_push(b, ip->options);
    size_t header = 20 + ip->options.size;
    size_t total = packet_build_span(b).size + 20;
    uint8_t *h = push(b, 20);
    h[0] = (uint8_t)(0x40 | header / 4);
    put16(h + 2, ip->no_length ? 0 : total);
    put16(h + 4, ip->id);
    put16(h + 6, ip->fragment_offset / 8 | (ip->more_fragments ? 0x2000u : 0u));
    h[8] = ip->ttl ? ip->ttl : 64;
    h[9] = ip->protocol;
    memcpy(h + 12, src->bytes + 12, 4);
    memcpy(h + 16, dst->bytes + 12, 4);
}

static void build_ip6(struct packet_build *b, const struct packet_build_ip *ip, const struct ipaddr *src,
                      const struct ipaddr *dst)
{
    uint8_t protocol = ip->protocol;
    if (ip->is_fragment) {
        uint8_t *f = push(b, 8);
        f[0] = protocol;
        put16(f + 2, ip->fragment_offset | (ip->more_fragments ? 1u : 0u));
        put32(f + 4, ip->id);
        protocol = 44;
    }
    size_t size = packet_build_span(b).size;
    uint8_t *h = push(b, 40);
    h[0] = 0x60;
    put16(h + 4, ip->no_length ? 0 : size);
    h[6] = protocol;
    h[7] = ip->ttl ? ip->ttl : 64;
    memcpy(h + 8, src->bytes, 16);
    memcpy(h + 24, dst->bytes, 16);
}

void packet_build_ip(struct packet_build *b, const struct packet_build_ip *ip)
{
    struct ipaddr src, dst;
    ASSERT(ipaddr_parse(span_text(ip->src), &src) && ipaddr_parse(span_text(ip->dst), &dst));
    if (strchr(ip->src, ':'))
        build_ip6(b, ip, &src, &dst);
    else
        build_ip4(b, ip, &src, &dst);
}

void packet_build_ether(struct packet_build *b, uint16_t type)
{
    uint8_t *h = push(b, 14);
    memcpy(h, "\x02\0\0\0\0\x02\x02\0\0\0\0\x01", 12);
    put16(h + 12, type);
}

void packet_build_vlan(struct packet_build *b, uint16_t id, uint16_t type)
{
    uint8_t *h = push(b, 4);
    put16(h, id);
    put16(h + 2, type);
}

struct packet packet_build_done(const struct packet_build *b, uint32_t link, uint64_t time_ns)
{
    struct span s = packet_build_span(b);
    return (struct packet){.time_ns = time_ns,
                           .bytes = s.at,
                           .caught = (uint32_t)s.size,
                           .wire = (uint32_t)s.size,
                           .link = link,
                           .number = 1};
}
