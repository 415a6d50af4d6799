/* SPDX-License-Identifier: Apache-2.0
 * From a captured frame to the transport payload: link layers, VLAN, MPLS, PPPoE, tunnels (nested to a limit), IPv4
 * with options, IPv6 with extension headers, TCP, UDP. Bytes in, facts out; nothing is kept. */
#ifndef WIRE_DECAP_H
#define WIRE_DECAP_H

#include "base/counter.h"
#include "base/ipaddr.h"
#include "base/packet.h"

#define DECAP_MAX_TUNNELS 4

enum decap_tunnel {
    DECAP_NONE,
    DECAP_GRE,
    DECAP_ERSPAN,
    DECAP_VXLAN,
    DECAP_GENEVE,
    DECAP_IPIP,
    DECAP_MPLS,
    DECAP_PPPOE,
    DECAP_GTP,
}; /* the innermost one; same order as enum tunnel_kind of record/ */

struct dissected {
    struct endpoint src, dst; /* innermost; ports 0 when not TCP or UDP, or in a later fragment */
    uint16_t vlan[2];         /* outermost two tags, 0 = none */
    enum decap_tunnel tunnel;
    struct endpoint outer_src, outer_dst; /* of the outermost tunnel, zero without one */

    struct span ip;          /* innermost IP packet, cut to its own total length and to what was caught */
    uint32_t ip_header_size; /* up to the transport header or fragment data */
    uint8_t protocol;        /* innermost IP protocol number after extension headers: 6 TCP, 17 UDP */
    uint8_t ttl;
    uint32_t ip_id; /* v4 identification, or v6 fragment identification */

    bool is_fragment; /* then only 'fragment' and the IP facts hold */
    bool more_fragments;
    uint32_t fragment_offset; /* bytes */
    struct span fragment;     /* this fragment's data */

    /* TCP and UDP */
    struct span payload;   /* caught bytes of the transport payload */
    uint32_t payload_wire; /* its size on the wire (>= payload.size when snaplen cut it); of a fragment: its data's */
    uint32_t seq, ack;     /* TCP, host order */
    uint16_t window, urgent;
    uint8_t tcp_flags; /* FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32 */
};

#define DECAP_FIN 0x01u
#define DECAP_SYN 0x02u
#define DECAP_RST 0x04u
#define DECAP_ACK 0x10u
#define DECAP_URG 0x20u

/* Counters of this module; one per thread, zeroed by its owner. Every frame and every reassembled datagram ends in
 * exactly one of the first group, so received + reassembled = sum of the first group. The table that names them stands
 * in decap.c in the same order. */
struct decap_counts {
    uint64_t received, reassembled;
    uint64_t tcp, udp, fragment, other_ip;                   /* decoded */
    uint64_t not_ip, unknown_link, truncated, bad, too_deep; /* not decoded, each for one reason */
    uint64_t snapped;   /* decoded, but the capture cut its payload (also counted above) */
    uint64_t tunnelled; /* decoded inside at least one tunnel (also counted above) */
};
struct counters decap_counters(const struct decap_counts *counts);

/* Fills 'd'. 0 for tcp, udp, fragment and other IP protocols; E_BAD when it is not decodable (counted by reason).
 * Spans of 'd' borrow the packet. No checksum is verified: offloading leaves them unset in frames the host sends. An IP
 * total length of 0 (segmentation offload) means the rest of the frame; bytes behind the total length are padding. */
int decap_packet(const struct packet *p, struct dissected *d, struct decap_counts *counts);
/* The same for a bare IP packet (a reassembled datagram, counted as such); keeps the outer facts already in 'd'. */
int decap_ip(struct span ip, struct dissected *d, struct decap_counts *counts);
/* Whether a DLT_ (or LINKTYPE_) value is a link type decap_packet reads. */
bool decap_knows_link(uint32_t link);

#endif
