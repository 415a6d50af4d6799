/* SPDX-License-Identifier: Apache-2.0
 * Builds frames for tests from the inside out: the payload first, then one header after the other in front of it. */
#ifndef SUPPORT_PACKET_BUILD_H
#define SUPPORT_PACKET_BUILD_H

#include "base/packet.h"
#include "base/span.h"

#define PACKET_BUILD_ROOM 70000u

struct packet_build {
    uint8_t room[PACKET_BUILD_ROOM];
    size_t from; /* the frame is room[from] to the end */
};

struct packet_build_tcp {
    uint16_t src, dst;
    uint32_t seq, ack;
    uint8_t flags;
    struct span options; /* a multiple of 4 bytes */
};

struct packet_build_ip {
    const char *src, *dst; /* text; the family decides the version */
    uint8_t protocol;
    uint8_t ttl; /* 0 = 64 */
    uint32_t id;
    struct span options; /* IPv4: a multiple of 4 bytes */
    uint32_t fragment_offset;
    bool is_fragment, more_fragments;
    bool no_length; /* total length 0, as segmentation offload leaves it */
};

/* Begins; 'payload' may be a part of the frame built before. */
void packet_build_payload(struct packet_build *b, struct span payload);
/* Any bytes in front of what is there. */
void packet_build_push(struct packet_build *b, struct span bytes);
#define PACKET_BUILD_PUSH(b, literal) packet_build_push((b), SPAN(literal))
/* Bytes behind it: padding, trailers. */
void packet_build_append(struct packet_build *b, struct span bytes);
void packet_build_tcp(struct packet_build *b, const struct packet_build_tcp *tcp);
void packet_build_udp(struct packet_build *b, uint16_t src, uint16_t dst);
void packet_build_ip(struct packet_build *b, const struct packet_build_ip *ip);
void packet_build_ether(struct packet_build *b, uint16_t type);
/* The tag and the type behind it: an Ethernet header with type 0x8100 comes next. */
void packet_build_vlan(struct packet_build *b, uint16_t id, uint16_t type);
/* The frame as a packet; borrows 'b'. */
struct packet packet_build_done(const struct packet_build *b, uint32_t link, uint64_t time_ns);
struct span packet_build_span(const struct packet_build *b);

#endif
