/* SPDX-License-Identifier: Apache-2.0
 * Inside of decap: where the walk through a frame's layers stands, and the layers each file of it knows. One step reads
 * one header and names the next layer; the walk ends when that is an outcome. */
#ifndef WIRE_DECAP_WALK_H
#define WIRE_DECAP_WALK_H

#include "wire/decap.h"

enum layer {
    /* still to be read */
    LAYER_ETHER,
    LAYER_TYPE,
    LAYER_LLC,
    LAYER_IP,
    LAYER_IP4,
    LAYER_IP6,
    LAYER_TCP,
    LAYER_UDP,
    LAYER_GRE,
    LAYER_MPLS,
    LAYER_PPPOE,
    LAYER_PPP,
    LAYER_WLAN,
    LAYER_ERSPAN2,
    LAYER_ERSPAN3,
    LAYER_VXLAN,
    LAYER_VXLAN_GPE,
    LAYER_GENEVE,
    LAYER_GTP,
    LAYER_GRE_UDP,
    LAYER_L2TP,
    LAYER_AYIYA,
    /* outcomes, in the order of struct decap_counts */
    END_TCP,
    END_UDP,
    END_FRAGMENT,
    END_OTHER_IP,
    END_NOT_IP,
    END_UNKNOWN_LINK,
    END_TRUNCATED,
    END_BAD,
    END_TOO_DEEP,
};

struct walk {
    struct dissected *d;
    struct span left; /* caught bytes from the layer to be read on */
    size_t wire;      /* the same, as long as it was on the wire: >= left.size */
    uint16_t type;    /* EtherType of what comes, for LAYER_TYPE */
    uint8_t vlans;    /* tags seen so far */
    uint8_t tunnels;  /* entered so far */
    bool has_outer;
    bool has_fallback; /* 'fallback' is what the packet is when the guessed tunnel does not hold together, */
    bool is_doubtful;  /* or, of a tunnel whose header proves little, holds no IP either */
    struct dissected fallback;
};

static inline uint16_t be16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static inline uint32_t be32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* The outcome when a header does not fit: the capture cut it, or it never was whole. */
static inline enum layer walk_short(const struct walk *w)
{
    return w->wire > w->left.size ? END_TRUNCATED : END_BAD;
}

/* Goes behind 'size' bytes that the caller has checked to be there. */
static inline void walk_skip(struct walk *w, size_t size)
{
    w->left.at += size;
    w->left.size -= size;
    w->wire -= size;
}

/* Goes behind a header of 'size' bytes; false when it is not there as a whole. */
static inline bool walk_take(struct walk *w, size_t size)
{
    if (size > w->left.size)
        return false;
    walk_skip(w, size);
    return true;
}

/* Notes a tunnel whose inside comes next; false when that is one too many. The outermost keeps its addresses. */
bool walk_enter(struct walk *w, enum decap_tunnel kind);

/* link.c: link layers and what they carry */
enum layer link_first(struct walk *w, uint32_t link);
enum layer link_step(struct walk *w, enum layer layer);
/* An EtherType at 'at' in a header of 'size' bytes; goes behind it. */
enum layer link_typed(struct walk *w, size_t at, size_t size);
/* link_rare.c: wireless (and its radiotap header), nflog, ARCnet */
enum layer link_wlan(struct walk *w);
enum layer link_radiotap(struct walk *w);
enum layer link_nflog(struct walk *w);
enum layer link_arcnet(struct walk *w);
/* ip.c: IPv4, IPv6, TCP, UDP */
enum layer ip_step(struct walk *w, enum layer layer);
/* tunnel.c: what carries a packet inside a packet */
enum layer tunnel_step(struct walk *w, enum layer layer);
/* The tunnel a UDP datagram to this port may be, when its header looks like one; END_UDP when not. */
enum layer tunnel_of_udp(const struct walk *w, uint16_t port);

#endif
