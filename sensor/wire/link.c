/* SPDX-License-Identifier: Apache-2.0
 * Link layers: Ethernet and its tags, Linux cooked, loopback, raw IP, PPP, HDLC, and MPLS and PPPoE in between. */
#include "wire/decap_walk.h"

/* The numbers files and devices use for link types (tcpdump.org/linktypes.html); raw IP has several. */
enum {
    LINK_NULL = 0,
    LINK_ETHERNET = 1,
    LINK_PPP = 9,
    LINK_RAW_12 = 12,
    LINK_RAW_14 = 14,
    LINK_PPP_SERIAL = 50,
    LINK_PPP_ETHER = 51,
    LINK_RAW = 101,
    LINK_HDLC = 104,
    LINK_WLAN = 105,
    LINK_LOOP = 108,
    LINK_COOKED = 113,
    LINK_RADIOTAP = 127,
    LINK_ARCNET = 129,
    LINK_MPLS = 219,
    LINK_IP4 = 228,
    LINK_IP6 = 229,
    LINK_NFLOG = 239,
    LINK_COOKED2 = 276,
};

enum {
    TYPE_IP4 = 0x0800,
    TYPE_VLAN = 0x8100,
    TYPE_IP6 = 0x86dd,
    TYPE_MPLS = 0x8847,
    TYPE_MPLS_MULTICAST = 0x8848,
    TYPE_PPPOE = 0x8864,
    TYPE_PROVIDER = 0x88a8,
    TYPE_BACKBONE = 0x88e7,
    TYPE_VNTAG = 0x8926,
    TYPE_ETAG = 0x893f,
    TYPE_QINQ_OLD1 = 0x9100,
    TYPE_QINQ_OLD2 = 0x9200,
    TYPE_QINQ_OLD3 = 0x9300,
    TYPE_BRIDGED = 0x6558,
    TYPE_PPP = 0x880b,
    TYPE_ARUBA = 0x8200,
    TYPE_ERSPAN2 = 0x88be,
    TYPE_ERSPAN3 = 0x22eb,
};

bool decap_knows_link(uint32_t link)
{
    switch (link) {
    case LINK_NULL:
    case LINK_ETHERNET:
    case LINK_PPP:
    case LINK_RAW_12:
    case LINK_RAW_14:
    case LINK_PPP_SERIAL:
    case LINK_PPP_ETHER:
    case LINK_RAW:
    case LINK_HDLC:
    case LINK_WLAN:
    case LINK_LOOP:
    case LINK_COOKED:
    case LINK_RADIOTAP:
    case LINK_ARCNET:
    case LINK_MPLS:
    case LINK_IP4:
    case LINK_IP6:
    case LINK_NFLOG:
    case LINK_COOKED2: return true;
    default: return false;
    }
}

/* A 4-byte address family in the byte order of the machine that captured; 2 is IPv4 everywhere, IPv6 has many
 * numbers. */
static enum layer loopback(struct walk *w)
{
    if (w->left.size < 4)
        return walk_short(w);
    uint32_t family = be32(w->left.at);
    if (family > 0xffff)
        family = __builtin_bswap32(family);
    walk_skip(w, 4);
    switch (family) {
    case 2: return LAYER_IP4;
    case 10:
    case 24:
    case 28:
    case 30: return LAYER_IP6;
    default: return END_NOT_IP;
    }
}

enum layer link_typed(struct walk *w, size_t at, size_t size)
{
    if (w->left.size < size)
        return walk_short(w);
    w->type = be16(w->left.at + at);
    walk_skip(w, size);
    return LAYER_TYPE;
}

enum layer link_first(struct walk *w, uint32_t link)
{
    switch (link) {
    case LINK_ETHERNET: return LAYER_ETHER;
    case LINK_COOKED: return link_typed(w, 14, 16);
    case LINK_COOKED2: return link_typed(w, 0, 20);
    case LINK_RAW:
    case LINK_RAW_12:
    case LINK_RAW_14:
    case LINK_IP4:
    case LINK_IP6: return LAYER_IP;
    case LINK_NULL:
    case LINK_LOOP: return loopback(w);
    case LINK_PPP:
    case LINK_PPP_SERIAL: return LAYER_PPP;
    case LINK_PPP_ETHER: return LAYER_PPPOE;
    case LINK_HDLC: return link_typed(w, 2, 4);
    case LINK_MPLS: return LAYER_MPLS;
    case LINK_WLAN: return LAYER_WLAN;
    case LINK_RADIOTAP: return link_radiotap(w);
    case LINK_NFLOG: return link_nflog(w);
    case LINK_ARCNET: return link_arcnet(w);
    default: return END_UNKNOWN_LINK;
    }
}

static enum layer vlan(struct walk *w)
{
    if (w->left.size < 4)
        return walk_short(w);
    if (w->vlans < 2)
        w->d->vlan[w->vlans++] = be16(w->left.at) & 0x0fff;
    w->type = be16(w->left.at + 2);
    walk_skip(w, 4);
    return LAYER_TYPE;
}

/* IEEE 802.3 length instead of a type: only SNAP carries IP (RFC 1042). */
static enum layer llc(struct walk *w)
{
    if (w->left.size < 8)
        return END_NOT_IP;
    if (!span_starts(w->left, SPAN("\xaa\xaa\x03\0\0\0")))
        return END_NOT_IP;
    return link_typed(w, 6, 8);
}

static enum layer by_type(struct walk *w)
{
    switch (w->type) {
    case TYPE_IP4: return LAYER_IP4;
    case TYPE_IP6: return LAYER_IP6;
    case TYPE_VLAN:
    case TYPE_PROVIDER:
    case TYPE_QINQ_OLD1:
    case TYPE_QINQ_OLD2:
    case TYPE_QINQ_OLD3: return vlan(w);
    case TYPE_MPLS:
    case TYPE_MPLS_MULTICAST: return LAYER_MPLS;
    case TYPE_PPPOE: return LAYER_PPPOE;
    case TYPE_VNTAG: return link_typed(w, 4, 6);
    case TYPE_ETAG: return link_typed(w, 6, 8);
    case TYPE_BACKBONE: /* IEEE 802.1ah: a service tag, then a whole frame */
        return walk_take(w, 4) ? LAYER_ETHER : walk_short(w);
    case TYPE_BRIDGED: return LAYER_ETHER;
    case TYPE_PPP: return LAYER_PPP;
    case TYPE_ERSPAN2: return LAYER_ERSPAN2;
    case TYPE_ERSPAN3: return LAYER_ERSPAN3;
    default:
        if ((w->type & 0xff00) == TYPE_ARUBA && w->d->tunnel == DECAP_GRE) /* access points of that maker, by queue */
            return LAYER_WLAN;
        return w->type < 0x0600 ? LAYER_LLC : END_NOT_IP;
    }
}

/* RFC 3032; nothing says what the stack carries, so the first nibble decides (RFC 4928): an IP version, 0 for the
 * control word of a pseudowire (RFC 4385), else an Ethernet frame without one. */
static enum layer mpls(struct walk *w)
{
    bool is_bottom = false;
    if (!walk_enter(w, DECAP_MPLS))
        return END_TOO_DEEP;
    while (!is_bottom) {
        if (w->left.size < 4)
            return walk_short(w);
        is_bottom = w->left.at[2] & 1;
        walk_skip(w, 4);
    }
    if (w->left.size == 0)
        return walk_short(w);
    switch (w->left.at[0] >> 4) {
    case 4: return LAYER_IP4;
    case 6: return LAYER_IP6;
    case 0: return walk_take(w, 4) ? LAYER_ETHER : walk_short(w);
    default: return LAYER_ETHER;
    }
}

/* RFC 2516, session stage. */
static enum layer pppoe(struct walk *w)
{
    if (w->left.size < 6)
        return walk_short(w);
    if (w->left.at[0] != 0x11)
        return END_BAD;
    if (w->left.at[1] != 0)
        return END_NOT_IP;
    if (!walk_enter(w, DECAP_PPPOE))
        return END_TOO_DEEP;
    walk_skip(w, 6);
    return LAYER_PPP;
}

/* RFC 1661: address and control may be left out, and the protocol number compressed to one odd byte. */
static enum layer ppp(struct walk *w)
{
    if (span_starts(w->left, SPAN("\xff\x03")))
        walk_skip(w, 2);
    if (w->left.size < 2)
        return walk_short(w);
    uint16_t protocol = w->left.at[0];
    size_t size = 1;
    if (!(protocol & 1)) {
        protocol = be16(w->left.at);
        size = 2;
    }
    walk_skip(w, size);
    switch (protocol) {
    case 0x0021: return LAYER_IP4;
    case 0x0057: return LAYER_IP6;
    case 0x0281: return LAYER_MPLS;
    default: return END_NOT_IP;
    }
}

enum layer link_step(struct walk *w, enum layer layer)
{
    switch (layer) {
    case LAYER_ETHER: return link_typed(w, 12, 14);
    case LAYER_TYPE: return by_type(w);
    case LAYER_LLC: return llc(w);
    case LAYER_MPLS: return mpls(w);
    case LAYER_PPPOE: return pppoe(w);
    case LAYER_WLAN: return link_wlan(w);
    default: return ppp(w);
    }
}
