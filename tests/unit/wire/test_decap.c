/* SPDX-License-Identifier: Apache-2.0
 * Every link layer and tunnel around the same inner TCP segment must give the same inner facts; every prefix of each
 * such frame must end in exactly one of the books. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"
#include "support/packet_build.h"
#include "wire/decap.h"

#define PAYLOAD "GET / HTTP/1.1\r\n\r\n"

enum { ETHER = 1, NULL_BSD = 0, RAW = 101, COOKED = 113, COOKED2 = 276, PPP = 9, LOOP = 108, MPLS = 219, HDLC = 104 };

static void inner(struct packet_build *b, bool is6)
{
    packet_build_payload(b, SPAN(PAYLOAD));
    packet_build_tcp(b, &(struct packet_build_tcp){.src = 40000,
                                                   .dst = 80,
                                                   .seq = 1000,
                                                   .ack = 2000,
                                                   .flags = 0x18,
                                                   .options = SPAN("\x01\x01\x08\x0a\0\0\0\x01\0\0\0\x02")});
    packet_build_ip(b, &(struct packet_build_ip){.src = is6 ? "2001:db8::1" : "10.1.0.1",
                                                 .dst = is6 ? "2001:db8::2" : "10.1.0.2",
                                                 .protocol = 6,
                                                 .id = 77,
                                                 .ttl = 63});
}

static void outer(struct packet_build *b, uint8_t protocol)
{
    packet_build_ip(b, &(struct packet_build_ip){.src = "192.0.2.1", .dst = "192.0.2.2", .protocol = protocol});
    packet_build_ether(b, 0x0800);
}

static void outer_udp(struct packet_build *b, uint16_t port)
{
    packet_build_udp(b, 50000, port);
    outer(b, 17);
}

static void ether(struct packet_build *b)
{
    packet_build_ether(b, 0x0800);
}
static void ether6(struct packet_build *b)
{
    packet_build_ether(b, 0x86dd);
}
static void bare(struct packet_build *b)
{
    (void)b;
}

static void vlan(struct packet_build *b)
{
    packet_build_vlan(b, 0x6064, 0x0800); /* priority 3, id 100 */
    packet_build_ether(b, 0x8100);
}

static void qinq(struct packet_build *b)
{
    packet_build_vlan(b, 100, 0x0800);
    packet_build_vlan(b, 200, 0x8100);
    packet_build_ether(b, 0x88a8);
}

static void qinq_three(struct packet_build *b)
{
    packet_build_vlan(b, 100, 0x0800);
    packet_build_vlan(b, 200, 0x8100);
    packet_build_vlan(b, 300, 0x8100);
    packet_build_ether(b, 0x9100);
}

static void vntag(struct packet_build *b)
{
    PACKET_BUILD_PUSH(b, "\0\x01\0\x02\x08\0");
    packet_build_ether(b, 0x8926);
}

static void etag(struct packet_build *b)
{
    PACKET_BUILD_PUSH(b, "\0\x01\0\x02\0\0\x08\0");
    packet_build_ether(b, 0x893f);
}

static void backbone(struct packet_build *b)
{
    ether(b);
    PACKET_BUILD_PUSH(b, "\0\0\0\x07");
    packet_build_ether(b, 0x88e7);
}

static void snap(struct packet_build *b)
{
    PACKET_BUILD_PUSH(b, "\xaa\xaa\x03\0\0\0\x08\0");
    packet_build_ether(b, 98);
}

static void cooked(struct packet_build *b)
{
    PACKET_BUILD_PUSH(b, "\0\0\0\1\0\6\2\0\0\0\0\1\0\0\x08\0");
}
static void cooked_vlan(struct packet_build *b)
{
    PACKET_BUILD_PUSH(b, "\0\0\0\1\0\6\2\0\0\0\0\1\0\0\x81\0\0\x64\x08\0");
}
static void cooked2(struct packet_build *b)
{
    PACKET_BUILD_PUSH(b, "\x08\0\0\0\0\0\0\2\0\1\0\6\2\0\0\0\0\1\0\0");
}
static void null_little(struct packet_build *b)
{
    PACKET_BUILD_PUSH(b, "\2\0\0\0");
}
static void null_big(struct packet_build *b)
{
    PACKET_BUILD_PUSH(b, "\0\0\0\2");
}
static void null_six(struct packet_build *b)
{
    PACKET_BUILD_PUSH(b, "\x1e\0\0\0");
}
static void ppp(struct packet_build *b)
{
    PACKET_BUILD_PUSH(b, "\xff\x03\0\x21");
}
static void ppp_short(struct packet_build *b)
{
    PACKET_BUILD_PUSH(b, "\x21");
}
static void ppp_six(struct packet_build *b)
{
    PACKET_BUILD_PUSH(b, "\0\x57");
}
static void hdlc(struct packet_build *b)
{
    PACKET_BUILD_PUSH(b, "\x0f\0\x08\0");
}

static void mpls(struct packet_build *b)
{
    PACKET_BUILD_PUSH(b, "\0\x01\0\x40\0\x02\x01\x40");
    packet_build_ether(b, 0x8847);
}

static void mpls_ether(struct packet_build *b)
{
    ether(b);
    PACKET_BUILD_PUSH(b, "\0\x02\x01\x40\0\0\0\0");
    packet_build_ether(b, 0x8847);
}

static void mpls_link(struct packet_build *b)
{
    PACKET_BUILD_PUSH(b, "\0\x02\x01\x40");
}

static void pppoe(struct packet_build *b)
{
    PACKET_BUILD_PUSH(b, "\x11\0\0\x05\0\x64\0\x21");
    packet_build_append(b, SPAN("\0\0\0\0"));
    packet_build_ether(b, 0x8864);
}

static void gre_ip(struct packet_build *b)
{
    PACKET_BUILD_PUSH(b, "\0\0\x08\0");
    outer(b, 47);
}
static void gre_six(struct packet_build *b)
{
    PACKET_BUILD_PUSH(b, "\0\0\x86\xdd");
    outer(b, 47);
}

static void gre_all(struct packet_build *b)
{
    ether(b);
    PACKET_BUILD_PUSH(b, "\xb0\0\x65\x58\x12\x34\0\0\0\0\0\7\0\0\0\1");
    outer(b, 47);
}

static void gre_ppp(struct packet_build *b)
{
    PACKET_BUILD_PUSH(b, "\x30\x81\x88\x0b\0\x10\0\1\0\0\0\1\0\0\0\1\xff\x03\0\x21");
    outer(b, 47);
}

static void erspan1(struct packet_build *b)
{
    vlan(b);
    PACKET_BUILD_PUSH(b, "\0\0\x88\xbe");
    outer(b, 47);
}

static void erspan2(struct packet_build *b)
{
    ether(b);
    PACKET_BUILD_PUSH(b, "\x10\0\x88\xbe\0\0\0\1\x10\x64\0\1\0\0\0\0");
    outer(b, 47);
}

static void erspan3(struct packet_build *b)
{
    ether(b);
    PACKET_BUILD_PUSH(b, "\x10\0\x22\xeb\0\0\0\1\x20\x64\0\1\0\0\0\0\0\0\0\0");
    outer(b, 47);
}

static void erspan3_platform(struct packet_build *b)
{
    ether(b);
    PACKET_BUILD_PUSH(b, "\x10\0\x22\xeb\0\0\0\1\x20\x64\0\1\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0");
    outer(b, 47);
}

static void erspan3_ip(struct packet_build *b)
{
    PACKET_BUILD_PUSH(b, "\x10\0\x22\xeb\0\0\0\1\x20\x64\0\1\0\0\0\0\0\0\x08\0");
    outer(b, 47);
}

static void vxlan(struct packet_build *b)
{
    ether(b);
    PACKET_BUILD_PUSH(b, "\x08\0\0\0\0\0\x2a\0");
    outer_udp(b, 4789);
}

static void vxlan_policy(struct packet_build *b)
{
    ether(b);
    PACKET_BUILD_PUSH(b, "\x88\0\0\x05\0\0\x2a\x01");
    outer_udp(b, 4789);
}

static void vxlan_gpe(struct packet_build *b)
{
    PACKET_BUILD_PUSH(b, "\x0c\0\0\1\0\0\x2a\0");
    outer_udp(b, 4790);
}

static void gre_in_udp(struct packet_build *b)
{
    PACKET_BUILD_PUSH(b, "\0\0\x08\0");
    outer_udp(b, 4754);
}

static void l2tp(struct packet_build *b)
{
    PACKET_BUILD_PUSH(b, "\x4a\x02\0\x80\0\1\0\2\0\1\0\1\0\2\0\0\xff\x03\0\x21");
    outer_udp(b, 1701);
}

static void ayiya(struct packet_build *b)
{
    PACKET_BUILD_PUSH(b, "\x44\x52\x11\x29\0\0\0\0iiiiiiiiiiiiiiiissssssssssssssssssss");
    outer_udp(b, 5072);
}

static void ayiya_answer(struct packet_build *b)
{
    PACKET_BUILD_PUSH(b, "\x44\x52\x11\x29\0\0\0\0iiiiiiiiiiiiiiiissssssssssssssssssss");
    packet_build_udp(b, 5072, 50000);
    outer(b, 17);
}

static void aruba(struct packet_build *b)
{
    PACKET_BUILD_PUSH(b, "\x88\1\0\0aaaaaabbbbbbcccccc\0\0\0\0\xaa\xaa\3\0\0\0\x08\0");
    PACKET_BUILD_PUSH(b, "\0\0\x82\0");
    outer(b, 47);
}

static void wlan(struct packet_build *b)
{
    PACKET_BUILD_PUSH(b, "\x08\3\0\0aaaaaabbbbbbcccccc\0\0dddddd\xaa\xaa\3\0\0\0\x08\0");
    PACKET_BUILD_PUSH(b, "\0\0\x08\0\0\0\0\0"); /* radiotap */
}

static void nflog(struct packet_build *b)
{
    size_t size = packet_build_span(b).size + 4;
    uint8_t head[4] = {(uint8_t)size, (uint8_t)(size >> 8), 9, 0};
    packet_build_push(b, span_of(head, sizeof head));
    PACKET_BUILD_PUSH(b, "\2\0\0\0\5\0\x0a\0x\0\0\0");
}

static void nflog_big(struct packet_build *b)
{
    size_t size = packet_build_span(b).size + 4;
    uint8_t head[4] = {(uint8_t)(size >> 8), (uint8_t)size, 0, 9};
    packet_build_push(b, span_of(head, sizeof head));
    PACKET_BUILD_PUSH(b, "\2\0\0\0\0\5\0\x0ax\0\0\0");
}

static void arcnet(struct packet_build *b)
{
    PACKET_BUILD_PUSH(b, "\1\2\0\0\xd4\0\0\1");
}

static void vxlan_linux(struct packet_build *b)
{
    vlan(b);
    PACKET_BUILD_PUSH(b, "\x08\0\0\0\0\0\x2a\0");
    outer_udp(b, 8472);
}

static void geneve(struct packet_build *b)
{
    ether(b);
    PACKET_BUILD_PUSH(b, "\x01\0\x65\x58\0\0\x2a\0\1\2\3\0");
    outer_udp(b, 6081);
}

static void geneve_ip(struct packet_build *b)
{
    PACKET_BUILD_PUSH(b, "\0\0\x08\0\0\0\x2a\0");
    outer_udp(b, 6081);
}

static void gtp_with(struct packet_build *b, struct span rest)
{
    uint8_t head[8] = {rest.size ? 0x34 : 0x30, 255, 0, (uint8_t)(packet_build_span(b).size + rest.size), 0, 0, 0, 1};
    packet_build_push(b, rest);
    packet_build_push(b, span_of(head, sizeof head));
    outer_udp(b, 2152);
}

static void gtp(struct packet_build *b)
{
    gtp_with(b, span_of(NULL, 0));
}
static void gtp_extended(struct packet_build *b)
{
    gtp_with(b, SPAN("\0\1\0\x85\1\0\0\0"));
}

static void ipip(struct packet_build *b)
{
    outer(b, 4);
}
static void sixinfour(struct packet_build *b)
{
    outer(b, 41);
}

static void fourinsix(struct packet_build *b)
{
    packet_build_ip(b, &(struct packet_build_ip){.src = "fd00::1", .dst = "fd00::2", .protocol = 4});
    packet_build_ether(b, 0x86dd);
}

static void four_tunnels(struct packet_build *b)
{
    vxlan(b);
    PACKET_BUILD_PUSH(b, "\0\0\x65\x58");
    outer(b, 47);
    PACKET_BUILD_PUSH(b, "\0\x02\x01\x40\0\0\0\0");
    packet_build_ether(b, 0x8847);
    PACKET_BUILD_PUSH(b, "\0\0\x65\x58");
    outer(b, 47);
}

static const struct wrapping {
    const char *name;
    void (*wrap)(struct packet_build *b);
    uint32_t link;
    enum decap_tunnel tunnel;
    uint16_t vlan[2];
    bool is6, has_outer;
} wrappings[] = {
    {"ethernet", ether, ETHER, DECAP_NONE, {0, 0}, false, false},
    {"ethernet, IPv6", ether6, ETHER, DECAP_NONE, {0, 0}, true, false},
    {"802.1Q", vlan, ETHER, DECAP_NONE, {100, 0}, false, false},
    {"802.1ad", qinq, ETHER, DECAP_NONE, {200, 100}, false, false},
    {"three tags: the outer two are told", qinq_three, ETHER, DECAP_NONE, {300, 200}, false, false},
    {"VN-tag", vntag, ETHER, DECAP_NONE, {0, 0}, false, false},
    {"E-tag", etag, ETHER, DECAP_NONE, {0, 0}, false, false},
    {"802.1ah", backbone, ETHER, DECAP_NONE, {0, 0}, false, false},
    {"SNAP", snap, ETHER, DECAP_NONE, {0, 0}, false, false},
    {"raw", bare, RAW, DECAP_NONE, {0, 0}, false, false},
    {"raw, older number", bare, 12, DECAP_NONE, {0, 0}, true, false},
    {"raw IPv4", bare, 228, DECAP_NONE, {0, 0}, false, false},
    {"raw IPv6", bare, 229, DECAP_NONE, {0, 0}, true, false},
    {"cooked", cooked, COOKED, DECAP_NONE, {0, 0}, false, false},
    {"cooked with a tag", cooked_vlan, COOKED, DECAP_NONE, {100, 0}, false, false},
    {"cooked 2", cooked2, COOKED2, DECAP_NONE, {0, 0}, false, false},
    {"loopback, little-endian", null_little, NULL_BSD, DECAP_NONE, {0, 0}, false, false},
    {"loopback, big-endian", null_big, NULL_BSD, DECAP_NONE, {0, 0}, false, false},
    {"loopback, IPv6 of macOS", null_six, NULL_BSD, DECAP_NONE, {0, 0}, true, false},
    {"loopback of OpenBSD", null_big, LOOP, DECAP_NONE, {0, 0}, false, false},
    {"PPP", ppp, PPP, DECAP_NONE, {0, 0}, false, false},
    {"PPP, compressed", ppp_short, 50, DECAP_NONE, {0, 0}, false, false},
    {"PPP, IPv6", ppp_six, PPP, DECAP_NONE, {0, 0}, true, false},
    {"HDLC", hdlc, HDLC, DECAP_NONE, {0, 0}, false, false},
    {"MPLS, two labels", mpls, ETHER, DECAP_MPLS, {0, 0}, false, false},
    {"MPLS, pseudowire", mpls_ether, ETHER, DECAP_MPLS, {0, 0}, false, false},
    {"MPLS as the link", mpls_link, MPLS, DECAP_MPLS, {0, 0}, false, false},
    {"PPPoE", pppoe, ETHER, DECAP_PPPOE, {0, 0}, false, false},
    {"GRE", gre_ip, ETHER, DECAP_GRE, {0, 0}, false, true},
    {"GRE, IPv6 inside", gre_six, ETHER, DECAP_GRE, {0, 0}, true, true},
    {"GRE, all options, Ethernet inside", gre_all, ETHER, DECAP_GRE, {0, 0}, false, true},
    {"GRE version 1, PPP inside", gre_ppp, ETHER, DECAP_GRE, {0, 0}, false, true},
    {"ERSPAN I, tagged inside", erspan1, ETHER, DECAP_ERSPAN, {100, 0}, false, true},
    {"ERSPAN II", erspan2, ETHER, DECAP_ERSPAN, {0, 0}, false, true},
    {"ERSPAN III", erspan3, ETHER, DECAP_ERSPAN, {0, 0}, false, true},
    {"ERSPAN III, platform header", erspan3_platform, ETHER, DECAP_ERSPAN, {0, 0}, false, true},
    {"ERSPAN III, bare packet", erspan3_ip, ETHER, DECAP_ERSPAN, {0, 0}, false, true},
    {"VXLAN", vxlan, ETHER, DECAP_VXLAN, {0, 0}, false, true},
    {"VXLAN, Linux port, tagged inside", vxlan_linux, ETHER, DECAP_VXLAN, {100, 0}, false, true},
    {"VXLAN, reserved bits set", vxlan_policy, ETHER, DECAP_VXLAN, {0, 0}, false, true},
    {"VXLAN-GPE", vxlan_gpe, ETHER, DECAP_VXLAN, {0, 0}, false, true},
    {"GRE in UDP", gre_in_udp, ETHER, DECAP_GRE, {0, 0}, false, true},
    {"L2TP, all fields", l2tp, ETHER, DECAP_PPPOE, {0, 0}, false, false},
    {"AYIYA", ayiya, ETHER, DECAP_IPIP, {0, 0}, true, true},
    {"AYIYA, answer", ayiya_answer, ETHER, DECAP_IPIP, {0, 0}, true, true},
    {"GRE of wireless frames", aruba, ETHER, DECAP_GRE, {0, 0}, false, true},
    {"wireless with radiotap", wlan, 127, DECAP_NONE, {0, 0}, false, false},
    {"nflog", nflog, 239, DECAP_NONE, {0, 0}, false, false},
    {"nflog, big-endian", nflog_big, 239, DECAP_NONE, {0, 0}, false, false},
    {"ARCnet", arcnet, 129, DECAP_NONE, {0, 0}, false, false},
    {"GENEVE, options", geneve, ETHER, DECAP_GENEVE, {0, 0}, false, true},
    {"GENEVE, IP inside", geneve_ip, ETHER, DECAP_GENEVE, {0, 0}, false, true},
    {"GTP-U", gtp, ETHER, DECAP_GTP, {0, 0}, false, true},
    {"GTP-U, extension header", gtp_extended, ETHER, DECAP_GTP, {0, 0}, false, true},
    {"IP in IP", ipip, ETHER, DECAP_IPIP, {0, 0}, false, true},
    {"6in4", sixinfour, ETHER, DECAP_IPIP, {0, 0}, true, true},
    {"4in6", fourinsix, ETHER, DECAP_IPIP, {0, 0}, false, false},
    {"four tunnels", four_tunnels, ETHER, DECAP_VXLAN, {0, 0}, false, true},
};

#define N_WRAPPINGS (sizeof wrappings / sizeof *wrappings)

static uint64_t outcomes(const struct decap_counts *c)
{
    return c->tcp + c->udp + c->fragment + c->other_ip + c->not_ip + c->unknown_link + c->truncated + c->bad +
           c->too_deep;
}

static void expect_inner(const struct dissected *d, const struct wrapping *w)
{
    char text[IPADDR_TEXT_MAX];
    assert_string_equal(ipaddr_text(&d->src.ip, text), w->is6 ? "2001:db8::1" : "10.1.0.1");
    assert_string_equal(ipaddr_text(&d->dst.ip, text), w->is6 ? "2001:db8::2" : "10.1.0.2");
    assert_int_equal(d->src.port, 40000);
    assert_int_equal(d->dst.port, 80);
    assert_int_equal(d->seq, 1000);
    assert_int_equal(d->ack, 2000);
    assert_int_equal(d->tcp_flags, 0x18);
    assert_int_equal(d->protocol, 6);
    assert_int_equal(d->ttl, 63);
    assert_int_equal(d->ip_id, w->is6 ? 0 : 77);
    assert_true(span_eq(d->payload, SPAN(PAYLOAD)));
    assert_int_equal(d->payload_wire, sizeof PAYLOAD - 1);
    assert_int_equal(d->tunnel, w->tunnel);
    assert_int_equal(d->vlan[0], w->vlan[0]);
    assert_int_equal(d->vlan[1], w->vlan[1]);
    assert_int_equal(d->ip.size, d->ip_header_size + 32 + sizeof PAYLOAD - 1);
    if (w->has_outer) {
        assert_string_equal(ipaddr_text(&d->outer_src.ip, text), "192.0.2.1");
        assert_string_equal(ipaddr_text(&d->outer_dst.ip, text), "192.0.2.2");
    }
}

static void test_wrappings(void **state)
{
    struct packet_build *b = *state;
    for (size_t i = 0; i < N_WRAPPINGS; i++) {
        const struct wrapping *w = &wrappings[i];
        struct decap_counts counts = {0};
        struct dissected d;
        inner(b, w->is6);
        w->wrap(b);
        struct packet p = packet_build_done(b, w->link, 1);
        if (decap_packet(&p, &d, &counts) != 0)
            fail_msg("%s: not decoded", w->name);
        print_message("%s\n", w->name);
        expect_inner(&d, w);
        assert_int_equal(counts.received, 1);
        assert_int_equal(counts.tcp, 1);
        assert_int_equal(counts.tunnelled, w->tunnel != DECAP_NONE);
        assert_int_equal(counts.snapped, 0);
        assert_true(decap_knows_link(w->link));
    }
}

/* A frame cut by the snap length keeps its wire sizes; a frame that was short on the wire is nothing but bad. */
static void test_prefixes(void **state)
{
    struct packet_build *b = *state;
    struct decap_counts counts = {0};
    uint64_t n = 0;
    for (size_t i = 0; i < N_WRAPPINGS; i++) {
        inner(b, wrappings[i].is6);
        wrappings[i].wrap(b);
        struct packet whole = packet_build_done(b, wrappings[i].link, 1);
        for (uint32_t size = 0; size < whole.wire; size++) {
            uint8_t *copy = malloc(size ? size : 1); /* so that the sanitizer sees every byte too far */
            memcpy(copy, whole.bytes, size);
            struct dissected d;
            struct packet snapped = whole, shorter = whole;
            snapped.bytes = shorter.bytes = copy;
            snapped.caught = shorter.caught = shorter.wire = size;
            if (decap_packet(&snapped, &d, &counts) == 0 && d.protocol == 6 && d.tunnel == wrappings[i].tunnel)
                assert_int_equal(d.payload_wire, sizeof PAYLOAD - 1);
            (void)decap_packet(&shorter, &d, &counts); /* only the books count here */
            free(copy);
            n += 2;
            assert_int_equal(counts.received, n);
            assert_int_equal(outcomes(&counts), n);
        }
    }
    assert_true(counts.truncated > 0 && counts.snapped > 0 && counts.bad > 0);
}

static int decode(const struct packet_build *b, uint32_t link, struct dissected *d, struct decap_counts *counts)
{
    struct packet p = packet_build_done(b, link, 1);
    *counts = (struct decap_counts){0};
    int got = decap_packet(&p, d, counts);
    assert_int_equal(outcomes(counts), 1);
    assert_int_equal(got, counts->tcp + counts->udp + counts->fragment + counts->other_ip ? 0 : E_BAD);
    return got;
}

static void test_five_tunnels_are_too_deep(void **state)
{
    struct packet_build *b = *state;
    struct decap_counts counts;
    struct dissected d;
    inner(b, false);
    for (int i = 0; i < DECAP_MAX_TUNNELS + 1; i++)
        packet_build_ip(b, &(struct packet_build_ip){.src = "192.0.2.1", .dst = "192.0.2.2", .protocol = 4});
    assert_int_equal(decode(b, RAW, &d, &counts), E_BAD);
    assert_int_equal(counts.too_deep, 1);
}

static void test_padding_is_no_payload(void **state)
{
    struct packet_build *b = *state;
    struct decap_counts counts;
    struct dissected d;
    packet_build_payload(b, span_of(NULL, 0));
    packet_build_tcp(b, &(struct packet_build_tcp){.src = 1, .dst = 2, .flags = 0x10});
    packet_build_ip(b, &(struct packet_build_ip){.src = "10.0.0.1", .dst = "10.0.0.2", .protocol = 6});
    packet_build_append(b, SPAN("\0\0\0\0\0\0"));
    packet_build_ether(b, 0x0800);
    assert_int_equal(decode(b, ETHER, &d, &counts), 0);
    assert_int_equal(d.payload.size, 0);
    assert_int_equal(d.payload_wire, 0);
}

static void test_offload_without_length(void **state)
{
    struct packet_build *b = *state;
    struct decap_counts counts;
    struct dissected d;
    static uint8_t big[66000];
    const char *const src[] = {"10.0.0.1", "fd00::1"}, *const dst[] = {"10.0.0.2", "fd00::2"};
    for (int i = 0; i < 2; i++) {
        packet_build_payload(b, span_of(big, sizeof big));
        packet_build_tcp(b, &(struct packet_build_tcp){.src = 1, .dst = 2, .flags = 0x10});
        packet_build_ip(b, &(struct packet_build_ip){.src = src[i], .dst = dst[i], .protocol = 6, .no_length = true});
        packet_build_ether(b, i ? 0x86dd : 0x0800);
        assert_int_equal(decode(b, ETHER, &d, &counts), 0);
        assert_int_equal(d.payload.size, sizeof big);
        assert_int_equal(d.payload_wire, sizeof big);
    }
}

static void test_ip4_options_and_ip6_extensions(void **state)
{
    struct packet_build *b = *state;
    struct decap_counts counts;
    struct dissected d;
    packet_build_payload(b, SPAN("x"));
    packet_build_udp(b, 53, 5353);
    packet_build_ip(b, &(struct packet_build_ip){
                           .src = "10.0.0.1", .dst = "10.0.0.2", .protocol = 17, .options = SPAN("\x94\4\0\0")});
    assert_int_equal(decode(b, RAW, &d, &counts), 0);
    assert_int_equal(d.ip_header_size, 24);
    assert_int_equal(d.payload_wire, 1);
    assert_int_equal(counts.udp, 1);

    packet_build_payload(b, SPAN("x"));
    packet_build_udp(b, 53, 5353);
    PACKET_BUILD_PUSH(b, "\x11\0\0\0\0\0\0\7");                 /* atomic fragment */
    PACKET_BUILD_PUSH(b, "\x2c\1\0\0\0\0\0\0\0\0\0\0");         /* authentication, 12 bytes */
    PACKET_BUILD_PUSH(b, "\x33\0\1\4\0\0\0\0");                 /* destination options */
    PACKET_BUILD_PUSH(b, "\x3c\1\1\4\0\0\0\0\0\0\0\0\0\0\0\0"); /* hop by hop, 16 bytes */
    packet_build_ip(b, &(struct packet_build_ip){.src = "fd00::1", .dst = "fd00::2", .protocol = 0});
    assert_int_equal(decode(b, RAW, &d, &counts), 0);
    assert_int_equal(d.ip_header_size, 40 + 16 + 8 + 12 + 8);
    assert_int_equal(d.protocol, 17);
    assert_int_equal(d.dst.port, 5353);
}

static void test_fragments(void **state)
{
    struct packet_build *b = *state;
    struct decap_counts counts;
    struct dissected d;
    const char *const src[] = {"10.0.0.1", "fd00::1"}, *const dst[] = {"10.0.0.2", "fd00::2"};
    for (int i = 0; i < 2; i++) {
        packet_build_payload(b, SPAN("12345678"));
        packet_build_ip(b, &(struct packet_build_ip){.src = src[i],
                                                     .dst = dst[i],
                                                     .protocol = 6,
                                                     .id = 4711,
                                                     .is_fragment = true,
                                                     .fragment_offset = 1480,
                                                     .more_fragments = true});
        assert_int_equal(decode(b, RAW, &d, &counts), 0);
        assert_int_equal(counts.fragment, 1);
        assert_true(d.is_fragment && d.more_fragments);
        assert_int_equal(d.fragment_offset, 1480);
        assert_int_equal(d.ip_id, 4711);
        assert_int_equal(d.protocol, 6);
        assert_int_equal(d.payload_wire, 8);
        assert_true(span_eq(d.fragment, SPAN("12345678")));
    }
}

static void test_datagram_put_together(void **state)
{
    struct packet_build *b = *state;
    struct decap_counts counts;
    struct dissected d;
    inner(b, false);
    vxlan_linux(b);
    assert_int_equal(decode(b, ETHER, &d, &counts), 0);
    inner(b, true);
    assert_int_equal(decap_ip(packet_build_span(b), &d, &counts), 0);
    expect_inner(&d, &(struct wrapping){.tunnel = DECAP_VXLAN, .vlan = {100, 0}, .is6 = true, .has_outer = true});
    assert_int_equal(counts.received, 1);
    assert_int_equal(counts.reassembled, 1);
    assert_int_equal(outcomes(&counts), 2);
}

/* What carries no IP, what is not a tunnel though its port says so, and headers that contradict themselves. */
static const struct plain {
    const char *name;
    struct span bytes;
    uint32_t link;
    size_t counter; /* offset in struct decap_counts */
} plains[] = {
#define AT(member) offsetof(struct decap_counts, member)
    {"ARP", SPAN("\2\2\2\2\2\2\2\2\2\2\2\2\x08\6\0\1\x08\0\6\4\0\1"), ETHER, AT(not_ip)},
    {"spanning tree", SPAN("\1\x80\xc2\0\0\0\2\2\2\2\2\2\0\x26\x42\x42\3\0\0\0\0\0"), ETHER, AT(not_ip)},
    {"PPPoE discovery stage", SPAN("\2\2\2\2\2\2\2\2\2\2\2\2\x88\x63\x11\x09\0\0\0\0"), ETHER, AT(not_ip)},
    {"PPP control", SPAN("\xff\3\xc0\x21\1\1\0\4"), PPP, AT(not_ip)},
    {"unknown link", SPAN("abcdefgh"), 147, AT(unknown_link)},
    {"runt", SPAN("\2\2\2"), ETHER, AT(bad)},
    {"IPv4 in name only", SPAN("\2\2\2\2\2\2\2\2\2\2\2\2\x08\0\x65\0\0\x14\0\0\0\0\x40\6\0\0\1\1\1\1\2\2\2\2"), ETHER,
     AT(bad)},
    {"header length 4", SPAN("\x41\0\0\x14\0\0\0\0\x40\6\0\0\1\1\1\1\2\2\2\2"), RAW, AT(bad)},
    {"total length 10", SPAN("\x45\0\0\x0a\0\0\0\0\x40\6\0\0\1\1\1\1\2\2\2\2"), RAW, AT(bad)},
    {"neither 4 nor 6", SPAN("\x75\0\0\x14\0\0\0\0\x40\6\0\0\1\1\1\1\2\2\2\2"), RAW, AT(bad)},
    {"TCP header of 16",
     SPAN("\x45\0\0\x28\0\0\0\0\x40\6\0\0\1\1\1\1\2\2\2\2\0\1\0\2\0\0\0\0\0\0\0\0\x40\0\0\0\0\0\0\0"), RAW, AT(bad)},
    {"TCP header of 60 in 20",
     SPAN("\x45\0\0\x28\0\0\0\0\x40\6\0\0\1\1\1\1\2\2\2\2\0\1\0\2\0\0\0\0\0\0\0\0\xf0\0\0\0\0\0\0\0"), RAW, AT(bad)},
    {"UDP of 3", SPAN("\x45\0\0\x1c\0\0\0\0\x40\x11\0\0\1\1\1\1\2\2\2\2\0\1\0\2\0\3\0\0"), RAW, AT(bad)},
    {"UDP to the VXLAN port",
     SPAN("\x45\0\0\x24\0\0\0\0\x40\x11\0\0\1\1\1\1\2\2\2\2\0\1\x12\xb5\0\x10\0\0\1\2\3\4\5\6\7\x08"), RAW, AT(udp)},
    {"UDP that nearly is VXLAN",
     SPAN("\x45\0\0\x24\0\0\0\0\x40\x11\0\0\1\1\1\1\2\2\2\2\0\1\x12\xb5\0\x10\0\0\x08\0\0\0\0\0\1\0"), RAW, AT(udp)},
    {"UDP that nearly is GTP",
     SPAN("\x45\0\0\x24\0\0\0\0\x40\x11\0\0\1\1\1\1\2\2\2\2\0\1\x08\x68\0\x10\0\0\x30\xff\0\0\0\0\1\0"), RAW, AT(udp)},
    {"ICMP", SPAN("\x45\0\0\x1c\0\0\0\0\x40\1\0\0\1\1\1\1\2\2\2\2\x08\0\0\0\0\0\0\0"), RAW, AT(other_ip)},
    {"UDP to the GRE port",
     SPAN("\x45\0\0\x24\0\0\0\0\x40\x11\0\0\1\1\1\1\2\2\2\2\0\1\x12\x92\0\x10\0\0\0\0\x12\x34\0\0\1\0"), RAW, AT(udp)},
    {"UDP to the L2TP port",
     SPAN("\x45\0\0\x24\0\0\0\0\x40\x11\0\0\1\1\1\1\2\2\2\2\0\1\x06\xa5\0\x10\0\0\0\2\0\1\0\1\xc0\x21"), RAW, AT(udp)},
    {"encrypted wireless", SPAN("\x08\x41\0\0aaaaaabbbbbbcccccc\0\0\xaa\xaa\3\0\0\0\x08\0"), 105, AT(not_ip)},
    {"GRE with source routes", SPAN("\x45\0\0\x18\0\0\0\0\x40\x2f\0\0\1\1\1\1\2\2\2\2\x40\0\x08\0"), RAW, AT(other_ip)},
    {"ERSPAN II of version 2",
     SPAN("\x45\0\0\x24\0\0\0\0\x40\x2f\0\0\1\1\1\1\2\2\2\2\x10\0\x88\xbe\0\0\0\1\x20\0\0\0\0\0\0\0"), RAW, AT(bad)},
    {"IPv6, no next header",
     SPAN("\x60\0\0\0\0\0\x3b\x40\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\2"), RAW, AT(other_ip)},
};

static void test_plain(void **state)
{
    struct packet_build *b = *state;
    for (size_t i = 0; i < sizeof plains / sizeof *plains; i++) {
        struct decap_counts counts;
        struct dissected d;
        packet_build_payload(b, plains[i].bytes);
        (void)decode(b, plains[i].link, &d, &counts); /* the counter below says how it ended */
        if (*(const uint64_t *)(const void *)((const uint8_t *)&counts + plains[i].counter) != 1)
            fail_msg("%s: ended otherwise", plains[i].name);
    }
    assert_false(decap_knows_link(147));
}

static void test_endless_extensions(void **state)
{
    struct packet_build *b = *state;
    struct decap_counts counts;
    struct dissected d;
    packet_build_payload(b, span_of(NULL, 0));
    for (int i = 0; i < 1000; i++)
        PACKET_BUILD_PUSH(b, "\x3c\0\1\4\0\0\0\0");
    packet_build_ip(b, &(struct packet_build_ip){.src = "fd00::1", .dst = "fd00::2", .protocol = 60});
    assert_int_equal(decode(b, RAW, &d, &counts), E_BAD);
    assert_int_equal(counts.bad, 1);
}

static int setup(void **state)
{
    *state = malloc(sizeof(struct packet_build));
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    free(*state);
    return 0;
}

/* What another protocol carries is not told; least of all the payload of the tunnel's datagram. */
static void test_other_protocol_inside(void **state)
{
    static const uint8_t protocols[] = {50, 132, 0xfd};
    struct packet_build *b = *state;
    for (size_t i = 0; i < sizeof protocols; i++) {
        struct dissected d;
        struct decap_counts counts;
        packet_build_payload(b, SPAN(PAYLOAD));
        packet_build_ip(b, &(struct packet_build_ip){.src = "10.1.0.1", .dst = "10.1.0.2", .protocol = protocols[i]});
        gre_in_udp(b);
        assert_int_equal(decode(b, ETHER, &d, &counts), 0);
        assert_int_equal(counts.other_ip, 1);
        assert_int_equal(d.protocol, protocols[i]);
        assert_int_equal(d.payload.size, 0);
        assert_int_equal(d.payload_wire, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wrappings),
        cmocka_unit_test(test_prefixes),
        cmocka_unit_test(test_five_tunnels_are_too_deep),
        cmocka_unit_test(test_other_protocol_inside),
        cmocka_unit_test(test_padding_is_no_payload),
        cmocka_unit_test(test_offload_without_length),
        cmocka_unit_test(test_ip4_options_and_ip6_extensions),
        cmocka_unit_test(test_fragments),
        cmocka_unit_test(test_datagram_put_together),
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_endless_extensions),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
