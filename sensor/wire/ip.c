/* SPDX-License-Identifier: Apache-2.0
 * IPv4 (RFC 791), IPv6 (RFC 8200), TCP (RFC 9293), UDP (RFC 768): from the IP header to the transport payload. */
#include "wire/decap_walk.h"

enum {
    PROTO_HOP_BY_HOP = 0,
    PROTO_IP4 = 4,
    PROTO_TCP = 6,
    PROTO_UDP = 17,
    PROTO_IP6 = 41,
    PROTO_ROUTING = 43,
    PROTO_FRAGMENT = 44,
    PROTO_GRE = 47,
    PROTO_AH = 51,
    PROTO_OPTIONS = 60,
    PROTO_MOBILITY = 135,
    PROTO_MPLS = 137,
    PROTO_ETHERNET = 143,
};

#define MAX_EXTENSIONS 192 /* more than fit an Ethernet frame: hosts take as many as come */

static enum layer enter(struct walk *w, enum decap_tunnel kind, enum layer inside)
{
    return walk_enter(w, kind) ? inside : END_TOO_DEEP;
}

static enum layer by_protocol(struct walk *w)
{
    switch (w->d->protocol) {
    case PROTO_TCP: return LAYER_TCP;
    case PROTO_UDP: return LAYER_UDP;
    case PROTO_GRE: return LAYER_GRE;
    case PROTO_IP4: return enter(w, DECAP_IPIP, LAYER_IP4);
    case PROTO_IP6: return enter(w, DECAP_IPIP, LAYER_IP6);
    case PROTO_MPLS: return LAYER_MPLS;
    case PROTO_ETHERNET: return enter(w, DECAP_IPIP, LAYER_ETHER);
    default: return END_OTHER_IP;
    }
}

/* Cuts what follows the header to 'size' bytes on the wire: behind it is padding. */
static void cut(struct walk *w, size_t header, size_t size)
{
    w->left = span_sub(w->left, header, size);
    w->wire = size;
}

static enum layer fragment(struct walk *w, uint32_t offset, bool more)
{
    struct dissected *d = w->d;
    d->is_fragment = true;
    d->more_fragments = more;
    d->fragment_offset = offset;
    d->fragment = w->left;
    d->payload_wire = (uint32_t)w->wire;
    return END_FRAGMENT;
}

static void set_ip(struct walk *w, size_t total, size_t header)
{
    struct dissected *d = w->d;
    d->ip = span_sub(w->left, 0, total);
    d->ip_header_size = (uint32_t)header;
    d->payload = span_of(NULL, 0); /* that of a datagram around it is not this packet's */
    d->payload_wire = 0;
    d->src.port = d->dst.port = 0;
}

static enum layer ip4(struct walk *w)
{
    struct dissected *d = w->d;
    const uint8_t *h = w->left.at;
    if (w->left.size < 20)
        return walk_short(w);
    size_t header = (h[0] & 15u) * 4u;
    size_t total = be16(h + 2);
    if (total == 0)
        total = w->wire;
    if (h[0] >> 4 != 4 || header < 20 || total < header)
        return END_BAD;
    if (header > w->left.size)
        return walk_short(w);
    set_ip(w, total, header);
    d->ip_id = be16(h + 4);
    d->ttl = h[8];
    d->protocol = h[9];
    d->src.ip = ipaddr_from4(h + 12);
    d->dst.ip = ipaddr_from4(h + 16);
    cut(w, header, total - header);
    uint32_t fragmenting = be16(h + 6);
    if (fragmenting & 0x3fff)
        return fragment(w, (fragmenting & 0x1fff) * 8, fragmenting & 0x2000);
    return by_protocol(w);
}

/* Size of the extension header at 'at' that has a next-header and a length byte, or 0 when 'protocol' is none. */
static size_t extension_size(uint8_t protocol, const uint8_t *at)
{
    switch (protocol) {
    case PROTO_HOP_BY_HOP:
    case PROTO_ROUTING:
    case PROTO_OPTIONS:
    case PROTO_MOBILITY: return (at[1] + 1u) * 8u;
    case PROTO_AH: /* RFC 4302 counts it in 4-byte units */ return (at[1] + 2u) * 4u;
    case PROTO_FRAGMENT: return 8;
    default: return 0;
    }
}

static bool is_extension(uint8_t protocol)
{
    static const uint8_t none[2];
    return extension_size(protocol, none) != 0;
}

static enum layer extensions(struct walk *w)
{
    struct dissected *d = w->d;
    for (unsigned n = 0; is_extension(d->protocol); n++) {
        const uint8_t *at = w->left.at;
        if (n == MAX_EXTENSIONS)
            return END_BAD;
        if (w->left.size < 8)
            return walk_short(w);
        size_t size = extension_size(d->protocol, at);
        if (size > w->wire)
            return END_BAD;
        if (size > w->left.size)
            return END_TRUNCATED;
        bool is_fragment_header = d->protocol == PROTO_FRAGMENT;
        d->protocol = at[0];
        d->ip_header_size += (uint32_t)size;
        walk_skip(w, size);
        if (!is_fragment_header)
            continue;
        d->ip_id = be32(at + 4);
        uint32_t fragmenting = be16(at + 2);
        if (fragmenting & 0xfff9) /* an atomic fragment (RFC 6946) is whole */
            return fragment(w, fragmenting & 0xfff8, fragmenting & 1);
    }
    return by_protocol(w);
}

static enum layer ip6(struct walk *w)
{
    struct dissected *d = w->d;
    const uint8_t *h = w->left.at;
    if (w->left.size < 40)
        return walk_short(w);
    if (h[0] >> 4 != 6)
        return END_BAD;
    size_t payload = be16(h + 4);
    if (payload == 0) /* segmentation offload, or nothing */
        payload = w->wire - 40;
    set_ip(w, payload + 40, 40);
    d->ip_id = 0;
    d->protocol = h[6];
    d->ttl = h[7];
    d->src.ip = ipaddr_from6(h + 8);
    d->dst.ip = ipaddr_from6(h + 24);
    cut(w, 40, payload);
    return extensions(w);
}

static enum layer ip(struct walk *w)
{
    if (w->left.size == 0)
        return walk_short(w);
    switch (w->left.at[0] >> 4) {
    case 4: return LAYER_IP4;
    case 6: return LAYER_IP6;
    default: return END_BAD;
    }
}

static enum layer tcp(struct walk *w)
{
    struct dissected *d = w->d;
    const uint8_t *h = w->left.at;
    if (w->left.size < 20)
        return walk_short(w);
    size_t header = (h[12] >> 4) * 4u;
    if (header < 20 || header > w->wire)
        return END_BAD;
    d->src.port = be16(h);
    d->dst.port = be16(h + 2);
    d->seq = be32(h + 4);
    d->ack = be32(h + 8);
    d->tcp_flags = h[13];
    d->window = be16(h + 14);
    d->urgent = be16(h + 18);
    d->payload = span_from(w->left, header);
    d->payload_wire = (uint32_t)(w->wire - header);
    return END_TCP;
}

static enum layer udp(struct walk *w)
{
    struct dissected *d = w->d;
    const uint8_t *h = w->left.at;
    if (w->left.size < 8)
        return walk_short(w);
    size_t size = be16(h + 4);
    if (size == 0 || size > w->wire) /* segmentation offload; or a lie, as the IP header bounds it */
        size = w->wire;
    if (size < 8)
        return END_BAD;
    d->src.port = be16(h);
    d->dst.port = be16(h + 2);
    cut(w, 8, size - 8);
    d->payload = w->left;
    d->payload_wire = (uint32_t)w->wire;
    enum layer layer = tunnel_of_udp(w, d->dst.port);
    return layer == END_UDP ? tunnel_of_udp(w, d->src.port) : layer; /* answers of a tunnel broker */
}

enum layer ip_step(struct walk *w, enum layer layer)
{
    switch (layer) {
    case LAYER_IP4: return ip4(w);
    case LAYER_IP6: return ip6(w);
    case LAYER_TCP: return tcp(w);
    case LAYER_UDP: return udp(w);
    default: return ip(w);
    }
}
