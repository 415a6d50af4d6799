/* SPDX-License-Identifier: Apache-2.0
 * The walk from layer to layer and the books on how each frame ended. */
#include "wire/decap.h"

#include "base/err.h"
#include "wire/decap_walk.h"

#include <string.h>

static const struct counter_def defs[] = {
    {"decap_received", "packets", "frames handed to the decoder"},
    {"decap_reassembled", "packets", "datagrams put together from fragments and decoded again"},
    {"decap_tcp", "packets", "decoded to a TCP segment"},
    {"decap_udp", "packets", "decoded to a UDP datagram"},
    {"decap_fragment", "packets", "decoded to an IP fragment"},
    {"decap_other_ip", "packets", "decoded to another IP protocol (ICMP, ESP, ...)"},
    {"decap_not_ip", "packets", "carries no IP (ARP, spanning tree, ...)"},
    {"decap_unknown_link", "packets", "link type not read; capture with another one"},
    {"decap_truncated", "packets", "the capture cut it inside a header; raise the snap length"},
    {"decap_bad", "packets", "a header contradicts itself"},
    {"decap_too_deep", "packets", "more tunnels inside each other than are followed"},
    {"decap_snapped", "packets", "decoded, but the capture cut its payload; raise the snap length"},
    {"decap_tunnelled", "packets", "decoded inside at least one tunnel"},
};

_Static_assert(sizeof defs / sizeof *defs * sizeof(uint64_t) == sizeof(struct decap_counts),
               "one name for each counter");

struct counters decap_counters(const struct decap_counts *counts)
{
    return (struct counters){defs, &counts->received, sizeof defs / sizeof *defs};
}

bool walk_enter(struct walk *w, enum decap_tunnel kind)
{
    if (w->tunnels == DECAP_MAX_TUNNELS)
        return false;
    w->tunnels++;
    w->d->tunnel = kind;
    if (!w->has_outer && kind != DECAP_MPLS && kind != DECAP_PPPOE) {
        w->has_outer = true;
        w->d->outer_src = w->d->src;
        w->d->outer_dst = w->d->dst;
    }
    return true;
}

static enum layer step(struct walk *w, enum layer layer)
{
    switch (layer) {
    case LAYER_IP:
    case LAYER_IP4:
    case LAYER_IP6:
    case LAYER_TCP:
    case LAYER_UDP: return ip_step(w, layer);
    case LAYER_ETHER:
    case LAYER_TYPE:
    case LAYER_LLC:
    case LAYER_MPLS:
    case LAYER_PPPOE:
    case LAYER_PPP:
    case LAYER_WLAN: return link_step(w, layer);
    default: return tunnel_step(w, layer);
    }
}

static void count(struct decap_counts *counts, enum layer end, const struct dissected *d)
{
    switch (end) {
    case END_TCP: counts->tcp++; break;
    case END_UDP: counts->udp++; break;
    case END_FRAGMENT: counts->fragment++; break;
    case END_OTHER_IP: counts->other_ip++; break;
    case END_NOT_IP: counts->not_ip++; return;
    case END_UNKNOWN_LINK: counts->unknown_link++; return;
    case END_TRUNCATED: counts->truncated++; return;
    case END_TOO_DEEP: counts->too_deep++; return;
    default: counts->bad++; return;
    }
    counts->snapped += (d->is_fragment ? d->fragment.size : d->payload.size) < d->payload_wire;
    counts->tunnelled += d->tunnel != DECAP_NONE;
}

static int walk(struct walk *w, enum layer layer, struct decap_counts *counts)
{
    while (layer < END_TCP)
        layer = step(w, layer);
    if (w->has_fallback && (layer == END_BAD || (layer == END_NOT_IP && w->is_doubtful))) {
        *w->d = w->fallback;
        layer = END_UDP;
    }
    count(counts, layer, w->d);
    return layer <= END_OTHER_IP ? 0 : E_BAD;
}

#define ETHERNET 1u
#define ETHER_SIZE 14u
#define IP4_SIZE 20u
#define TCP_SIZE 20u

/* Ethernet, IPv4 without options, TCP: what nearly all frames are, read in one go. False when it is anything else, cut
 * inside its headers or contradicts itself; then the walk tells what it is. */
static bool is_plain(const struct packet *p, struct dissected *d)
{
    if (p->link != ETHERNET || p->caught < ETHER_SIZE + IP4_SIZE + TCP_SIZE)
        return false;
    const uint8_t *ip = p->bytes + ETHER_SIZE, *tcp = ip + IP4_SIZE;
    if (be16(p->bytes + 12) != 0x0800 || ip[0] != 0x45 || be16(ip + 6) & 0x3fff || ip[9] != 6)
        return false;
    size_t total = be16(ip + 2), header = (tcp[12] >> 4) * 4u, caught = p->caught - ETHER_SIZE;
    if (header < TCP_SIZE || total < IP4_SIZE + header || caught < IP4_SIZE + header)
        return false;
    *d = (struct dissected){
        .src = {ipaddr_from4(ip + 12), be16(tcp)},
        .dst = {ipaddr_from4(ip + 16), be16(tcp + 2)},
        .ip = span_of(ip, caught < total ? caught : total),
        .ip_header_size = IP4_SIZE,
        .protocol = 6,
        .ttl = ip[8],
        .ip_id = be16(ip + 4),
        .payload = span_of(tcp + header, (caught < total ? caught : total) - IP4_SIZE - header),
        .payload_wire = (uint32_t)(total - IP4_SIZE - header),
        .seq = be32(tcp + 4),
        .ack = be32(tcp + 8),
        .window = be16(tcp + 14),
        .urgent = be16(tcp + 18),
        .tcp_flags = tcp[13],
    };
    return true;
}

int decap_packet(const struct packet *p, struct dissected *d, struct decap_counts *counts)
{
    if (is_plain(p, d)) {
        counts->received++;
        count(counts, END_TCP, d);
        return 0;
    }
    memset(d, 0, sizeof *d);
    struct walk w;
    w.d = d;
    w.left = span_of(p->bytes, p->caught);
    w.wire = p->wire > p->caught ? p->wire : p->caught;
    w.vlans = w.tunnels = 0;
    w.has_outer = w.has_fallback = w.is_doubtful = false;
    counts->received++;
    return walk(&w, link_first(&w, p->link), counts);
}

int decap_ip(struct span ip, struct dissected *d, struct decap_counts *counts)
{
    struct walk w;
    w.d = d;
    w.left = ip;
    w.wire = ip.size;
    w.vlans = d->vlan[1] ? 2 : d->vlan[0] ? 1 : 0;
    w.tunnels = 0;
    w.has_outer = !ipaddr_is_zero(&d->outer_src.ip);
    w.has_fallback = w.is_doubtful = false;
    d->is_fragment = d->more_fragments = false;
    d->fragment_offset = 0;
    d->fragment = d->payload = span_of(NULL, 0);
    d->payload_wire = 0;
    counts->reassembled++;
    return walk(&w, LAYER_IP, counts);
}
