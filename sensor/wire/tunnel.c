/* SPDX-License-Identifier: Apache-2.0
 * Packets inside packets: GRE, ERSPAN, VXLAN, GENEVE, GTP-U. Each step enters the tunnel and leaves the walk at the
 * inner frame or packet. */
#include "wire/decap_walk.h"

enum {
    PORT_L2TP = 1701,
    PORT_GTP = 2152,
    PORT_GRE = 4754,
    PORT_VXLAN = 4789,
    PORT_VXLAN_GPE = 4790,
    PORT_AYIYA = 5072,
    PORT_GENEVE = 6081,
    PORT_VXLAN_LINUX = 8472,
};

#define GRE_HAS_CHECKSUM 0x8000u
#define GRE_HAS_ROUTING 0x4000u
#define GRE_HAS_KEY 0x2000u
#define GRE_HAS_SEQUENCE 0x1000u
#define GRE_HAS_ACK 0x0080u
#define GRE_VERSION 0x0007u
#define GRE_ERSPAN2 0x88be

/* RFC 2784 and 2890; version 1 is that of PPTP (RFC 2637). ERSPAN I is ERSPAN II without a sequence number and
 * header. */
static enum layer gre(struct walk *w)
{
    if (w->left.size < 4)
        return walk_short(w);
    uint16_t flags = be16(w->left.at);
    uint16_t type = be16(w->left.at + 2);
    uint16_t version = flags & GRE_VERSION;
    if (version > 1 || flags & GRE_HAS_ROUTING)
        return END_OTHER_IP;
    size_t size = 4;
    size += flags & GRE_HAS_CHECKSUM ? 4 : 0;
    size += flags & GRE_HAS_KEY ? 4 : 0;
    size += flags & GRE_HAS_SEQUENCE ? 4 : 0;
    size += version == 1 && flags & GRE_HAS_ACK ? 4 : 0;
    if (version == 1 && !(flags & GRE_HAS_SEQUENCE)) /* a bare acknowledgement */
        return END_OTHER_IP;
    if (!walk_take(w, size))
        return walk_short(w);
    if (!walk_enter(w, DECAP_GRE))
        return END_TOO_DEEP;
    w->type = type;
    if (type == GRE_ERSPAN2 && !(flags & GRE_HAS_SEQUENCE)) {
        w->d->tunnel = DECAP_ERSPAN;
        return LAYER_ETHER;
    }
    return LAYER_TYPE;
}

/* draft-foschiano-erspan-03, type II: 8 bytes, version 1. */
static enum layer erspan2(struct walk *w)
{
    if (w->left.size < 8)
        return walk_short(w);
    if (w->left.at[0] >> 4 != 1)
        return END_BAD;
    w->d->tunnel = DECAP_ERSPAN;
    walk_skip(w, 8);
    return LAYER_ETHER;
}

/* The same draft, type III: 12 bytes, version 2, and 8 more when the last bit says so; frame type 2 is a bare
 * packet. */
static enum layer erspan3(struct walk *w)
{
    if (w->left.size < 12)
        return walk_short(w);
    if (w->left.at[0] >> 4 != 2)
        return END_BAD;
    unsigned frame_type = w->left.at[10] >> 2 & 31u;
    size_t size = w->left.at[11] & 1 ? 20 : 12;
    if (!walk_take(w, size))
        return walk_short(w);
    w->d->tunnel = DECAP_ERSPAN;
    return frame_type == 2 ? LAYER_IP : LAYER_ETHER;
}

/* Ports are no proof: if the inside does not hold together the packet stays the UDP datagram it is. */
static enum layer enter_udp(struct walk *w, enum decap_tunnel kind, size_t header, enum layer inside)
{
    w->fallback = *w->d;
    w->has_fallback = true;
    w->d->payload = span_of(NULL, 0);
    w->d->payload_wire = 0;
    if (!walk_enter(w, kind))
        return END_TOO_DEEP;
    return walk_take(w, header) ? inside : walk_short(w);
}

/* draft-ietf-nvo3-vxlan-gpe: VXLAN with the kind of the inner packet in its fourth byte. */
static enum layer vxlan_gpe(struct walk *w)
{
    uint8_t next = w->left.at[0] & 4 ? w->left.at[3] : 3;
    return enter_udp(w, DECAP_VXLAN, 8, next == 1 ? LAYER_IP4 : next == 2 ? LAYER_IP6 : LAYER_ETHER);
}

/* RFC 2661, data messages: flags say which fields there are; PPP follows. Told as PPPoE, which is PPP over something
 * too. */
static enum layer l2tp(struct walk *w)
{
    uint16_t flags = be16(w->left.at);
    size_t size = 6;
    size += flags & 0x4000 ? 2 : 0; /* length */
    size += flags & 0x0800 ? 4 : 0; /* sequence numbers */
    if (flags & 0x0200) {           /* offset */
        if (w->left.size < size + 2)
            return walk_short(w);
        size += 2u + be16(w->left.at + size);
    }
    w->is_doubtful = true;
    return enter_udp(w, DECAP_PPPOE, size, LAYER_PPP);
}

/* draft-massar-v6ops-ayiya-02: identity and signature have lengths of their own. */
static enum layer ayiya(struct walk *w)
{
    const uint8_t *h = w->left.at;
    w->is_doubtful = true;
    return enter_udp(w, DECAP_IPIP, 8 + ((size_t)1 << (h[0] >> 4)) + (h[1] >> 4) * 4u, LAYER_IP6);
}

/* RFC 8086. */
static enum layer gre_udp(struct walk *w)
{
    w->fallback = *w->d;
    w->has_fallback = w->is_doubtful = true;
    enum layer next = gre(w);
    return next == END_OTHER_IP ? END_UDP : next;
}

/* RFC 8926. */
static enum layer geneve(struct walk *w)
{
    w->type = be16(w->left.at + 2);
    return enter_udp(w, DECAP_GENEVE, 8 + (w->left.at[0] & 63u) * 4u, LAYER_TYPE);
}

/* 3GPP TS 29.281: 8 bytes, 4 more when any option flag is set, then extension headers in 4-byte units, each of which
 * ends with the type of the next. */
static enum layer gtp(struct walk *w)
{
    const uint8_t *h = w->left.at;
    w->is_doubtful = true;
    size_t size = 8;
    if (h[0] & 7) {
        size = 12;
        uint8_t next = w->left.size >= 12 && h[0] & 4 ? h[11] : 0;
        while (next != 0) {
            if (size >= w->left.size)
                return walk_short(w);
            size_t extension = h[size] * 4u;
            if (extension == 0)
                return END_UDP;
            size += extension;
            if (size > w->left.size)
                return walk_short(w);
            next = h[size - 1];
        }
    }
    return enter_udp(w, DECAP_GTP, size, LAYER_IP);
}

enum layer tunnel_of_udp(const struct walk *w, uint16_t port)
{
    const uint8_t *h = w->left.at;
    if (w->left.size < 8)
        return END_UDP;
    switch (port) {
    case PORT_VXLAN:
    case PORT_VXLAN_LINUX: /* RFC 7348; reserved bits are to be ignored */ return h[0] & 8 ? LAYER_VXLAN : END_UDP;
    case PORT_VXLAN_GPE: return h[0] & 8 ? LAYER_VXLAN_GPE : END_UDP;
    case PORT_L2TP: /* version 2, a data message */ return (be16(h) & 0x800f) == 2 ? LAYER_L2TP : END_UDP;
    case PORT_AYIYA: /* forward, IPv6 */ return (h[2] & 15) == 1 && h[3] == 41 ? LAYER_AYIYA : END_UDP;
    case PORT_GRE: return LAYER_GRE_UDP;
    case PORT_GENEVE: return h[0] >> 6 == 0 && h[7] == 0 ? LAYER_GENEVE : END_UDP;
    case PORT_GTP: /* version 1, protocol type GTP, a user packet */
        return h[0] >> 4 == 3 && h[1] == 255 && be16(h + 2) + 8u <= w->wire ? LAYER_GTP : END_UDP;
    default: return END_UDP;
    }
}

enum layer tunnel_step(struct walk *w, enum layer layer)
{
    switch (layer) {
    case LAYER_GRE: return gre(w);
    case LAYER_ERSPAN2: return erspan2(w);
    case LAYER_ERSPAN3: return erspan3(w);
    case LAYER_VXLAN:
        w->is_doubtful = w->left.at[0] != 8 || w->left.at[7] != 0;
        return enter_udp(w, DECAP_VXLAN, 8, LAYER_ETHER);
    case LAYER_GENEVE: return geneve(w);
    case LAYER_VXLAN_GPE: return vxlan_gpe(w);
    case LAYER_L2TP: return l2tp(w);
    case LAYER_AYIYA: return ayiya(w);
    case LAYER_GRE_UDP: return gre_udp(w);
    default: return gtp(w);
    }
}
