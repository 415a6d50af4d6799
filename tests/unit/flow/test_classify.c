/* SPDX-License-Identifier: Apache-2.0
 * nDPI behind its door: TLS with a server name over IPv4 and IPv6, SSH, DNS, noise, the pool's end, hostile bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "flow/classify.h"

enum { TCP = 6, UDP = 17, SYN = 2, ACK = 16, PSH = 8 };

struct conversation {
    bool is6;
    uint8_t protocol;
    uint16_t port;       /* of the server */
    uint32_t next[2];    /* sequence numbers */
    uint64_t now_ns;
};

static void put16(struct text *t, uint32_t v)
{
    text_add_char(t, (char)(uint8_t)(v >> 8));
    text_add_char(t, (char)(uint8_t)v);
}

static void put32(struct text *t, uint32_t v)
{
    put16(t, v >> 16);
    put16(t, v & 0xffff);
}

static void put_ip(struct text *t, const struct conversation *v, int direction, size_t size)
{
    static const char *const v4[2] = {"\xc0\x00\x02\x07", "\xc6\x33\x64\x08"};
    if (v->is6) {
        put32(t, 6u << 28);
        put16(t, (uint32_t)size);
        text_add_char(t, (char)v->protocol);
        text_add_char(t, 64);
        for (int i = 0; i < 2; i++) {
            text_add(t, SPAN("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0"));
            text_add_char(t, (i == 0) == (direction == 0) ? 7 : 8);
        }
        return;
    }
    put16(t, 0x4500);
    put16(t, (uint32_t)size + 20);
    put32(t, 0x4000);
    text_add_char(t, 64);
    text_add_char(t, (char)v->protocol);
    put16(t, 0);
    text_add(t, span_of(v4[direction], 4));
    text_add(t, span_of(v4[!direction], 4));
}

/* Sends one packet of the conversation through the classifier. */
static bool send(struct classify *c, struct classify_flow *f, struct conversation *v, int direction, int flags,
                 struct span payload)
{
    struct text packet = {0};
    put_ip(&packet, v, direction, payload.size + (v->protocol == TCP ? 20 : 8));
    put16(&packet, direction ? v->port : 40000);
    put16(&packet, direction ? 40000 : v->port);
    if (v->protocol == TCP) {
        put32(&packet, v->next[direction]);
        put32(&packet, v->next[!direction]);
        put16(&packet, 0x5000u | (uint32_t)flags);
        put16(&packet, 65000);
        put32(&packet, 0);
    } else {
        put16(&packet, (uint32_t)payload.size + 8);
        put16(&packet, 0);
    }
    text_add(&packet, payload);
    v->next[direction] += (uint32_t)payload.size + (flags & SYN ? 1 : 0);
    v->now_ns += 1000000;
    bool is_done = classify_packet(c, f, text_span(&packet), direction, v->now_ns);
    text_fini(&packet);
    return is_done;
}

static void shake_hands(struct classify *c, struct classify_flow *f, struct conversation *v)
{
    assert_false(send(c, f, v, 0, SYN, SPAN("")));
    assert_false(send(c, f, v, 1, SYN | ACK, SPAN("")));
    assert_false(send(c, f, v, 0, ACK, SPAN("")));
}

/* A TLS record with a ClientHello (RFC 8446, 4.1.2) that asks for 'name', or for none. */
static void put_hello(struct text *t, const char *name)
{
    struct text body = {0}, extensions = {0};
    size_t size = strlen(name);
    put16(&extensions, 10); /* supported groups */
    put16(&extensions, 4);
    put16(&extensions, 2);
    put16(&extensions, 29);
    if (size) {
        put16(&extensions, 0); /* server name (RFC 6066, 3) */
        put16(&extensions, (uint32_t)size + 5);
        put16(&extensions, (uint32_t)size + 3);
        text_add_char(&extensions, 0);
        put16(&extensions, (uint32_t)size);
        text_add_str(&extensions, name);
    }
    put16(&body, 0x0303);
    for (uint32_t i = 0; i < 8; i++)
        put32(&body, i * 0x01234567u);
    text_add_char(&body, 0); /* session id */
    put16(&body, 4);
    put16(&body, 0x1301);
    put16(&body, 0xc02f);
    put16(&body, 0x0100); /* compression: null */
    put16(&body, (uint32_t)extensions.size);
    text_add(&body, text_span(&extensions));
    put16(t, 0x1603);
    text_add_char(t, 1);
    put16(t, (uint32_t)body.size + 4);
    put32(t, 1u << 24 | (uint32_t)body.size);
    text_add(t, text_span(&body));
    text_fini(&body);
    text_fini(&extensions);
}

static void expect_result(struct classify *c, struct classify_flow *f, const char *protocol, const char *sni)
{
    char got_protocol[64], got_sni[256];
    classify_result(c, f, got_protocol, got_sni);
    assert_string_equal(got_protocol, protocol);
    assert_string_equal(got_sni, sni);
}

static uint64_t count(const struct classify *c, const char *name)
{
    struct counters counters = classify_counters(c);
    for (size_t i = 0; i < counters.n; i++)
        if (strcmp(counters.defs[i].name, name) == 0)
            return counters.values[i];
    fail_msg("no counter %s", name);
    return 0;
}

static void test_tls(void **state)
{
    (void)state;
    struct classify *c = classify_new(8, 0);
    assert_non_null(c);
    for (int is6 = 0; is6 < 2; is6++) {
        struct text hello = {0};
        struct conversation v = {.is6 = is6, .protocol = TCP, .port = 443};
        struct classify_flow *f = classify_flow_new(c);
        put_hello(&hello, "Support.Example.TEST");
        expect_result(c, f, "Unknown", "");
        shake_hands(c, f, &v);
        assert_true(send(c, f, &v, 0, PSH | ACK, text_span(&hello)));
        expect_result(c, f, "TLS", "support.example.test");
        uint64_t packets = count(c, "classify_packets");
        assert_true(send(c, f, &v, 1, PSH | ACK, SPAN("more")));
        assert_int_equal(count(c, "classify_packets"), packets); /* it needs no more */
        classify_flow_free(c, f);
        text_fini(&hello);
    }
    assert_int_equal(count(c, "classify_flows"), 2);
    classify_free(c);
}

static void test_tls_in_pieces(void **state)
{
    (void)state;
    struct classify *c = classify_new(8, 0);
    struct text hello = {0};
    struct conversation v = {.protocol = TCP, .port = 8443}, w = {.protocol = TCP, .port = 22};
    struct classify_flow *f = classify_flow_new(c), *g = classify_flow_new(c);
    put_hello(&hello, "desk.example.test");
    shake_hands(c, f, &v);
    shake_hands(c, g, &w);
    (void)send(c, f, &v, 0, ACK, span_sub(text_span(&hello), 0, 60));
    (void)send(c, g, &w, 1, ACK, SPAN("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"));
    (void)send(c, f, &v, 0, PSH | ACK, span_from(text_span(&hello), 60));
    (void)send(c, g, &w, 0, PSH | ACK, SPAN("SSH-2.0-OpenSSH_9.2p1\r\n"));
    expect_result(c, f, "TLS", "desk.example.test");
    expect_result(c, g, "SSH", "");
    classify_flow_free(c, f);
    classify_flow_free(c, g);
    classify_free(c);
    text_fini(&hello);
}

static void test_no_name(void **state)
{
    (void)state;
    struct classify *c = classify_new(8, 0);
    struct text hello = {0};
    struct conversation v = {.protocol = TCP, .port = 443};
    struct classify_flow *f = classify_flow_new(c);
    put_hello(&hello, "");
    shake_hands(c, f, &v);
    (void)send(c, f, &v, 0, PSH | ACK, text_span(&hello));
    expect_result(c, f, "TLS", "");
    classify_flow_free(c, f);

    /* a DNS question has a host name, too, but it is no server name */
    struct conversation dns = {.protocol = UDP, .port = 53};
    f = classify_flow_new(c);
    (void)send(c, f, &dns, 0, 0, SPAN("\x12\x34\1\0\0\1\0\0\0\0\0\0\4desk\7example\4test\0\0\1\0\1"));
    expect_result(c, f, "DNS", "");
    classify_flow_free(c, f);
    classify_free(c);
    text_fini(&hello);
}

/* What nothing matches is given up after a bounded number of packets, and is not guessed by its port. */
static void test_unknown(void **state)
{
    (void)state;
    struct classify *c = classify_new(8, 0);
    struct conversation v = {.protocol = TCP, .port = 3389};
    struct classify_flow *f = classify_flow_new(c);
    shake_hands(c, f, &v);
    int n = 3;
    uint8_t noise[200];
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (uint8_t)(i * 167 + 13);
    while (!send(c, f, &v, n & 1, PSH | ACK, span_of(noise, sizeof noise)))
        assert_in_range(n++, 0, 100);
    assert_int_equal(n + 1, 24);
    assert_int_equal(count(c, "classify_flows_given_up"), 0);
    expect_result(c, f, "Unknown", "");
    expect_result(c, f, "Unknown", "");
    assert_int_equal(count(c, "classify_flows_given_up"), 1);
    classify_flow_free(c, f);
    classify_free(c);
}

static void test_pool(void **state)
{
    (void)state;
    struct classify *c = classify_new(2, 0);
    struct classify_flow *a = classify_flow_new(c), *b = classify_flow_new(c);
    assert_non_null(a);
    assert_non_null(b);
    assert_null(classify_flow_new(c));
    assert_int_equal(count(c, "classify_flows_refused"), 1);
    classify_flow_free(c, a);
    classify_flow_free(c, NULL);
    a = classify_flow_new(c);
    assert_non_null(a);
    expect_result(c, a, "Unknown", "");
    classify_flow_free(c, a);
    classify_flow_free(c, b);
    classify_free(c);
}

/* With next to no memory nDPI asks in vain, which is counted, and goes on knowing less; with little, what a flow had goes to
 * the next one. */
static void test_memory(void **state)
{
    (void)state;
    struct text hello = {0};
    put_hello(&hello, "desk.example.test");
    for (uint32_t kib = 1; kib <= 512; kib *= 512) {
        struct classify *c = classify_new(2, kib);
        for (int n = 0; n < 50; n++) {
            struct conversation v = {.protocol = TCP, .port = 8443};
            struct classify_flow *f = classify_flow_new(c);
            shake_hands(c, f, &v);
            (void)send(c, f, &v, 0, ACK, span_sub(text_span(&hello), 0, 60));
            (void)send(c, f, &v, 0, PSH | ACK, span_from(text_span(&hello), 60));
            if (kib > 1) {
                expect_result(c, f, "TLS", "desk.example.test");
            } else {
                char protocol[64], sni[256];
                classify_result(c, f, protocol, sni);
                assert_string_equal(sni, "");
            }
            classify_flow_free(c, f);
        }
        assert_true((count(c, "classify_memory_refused") > 0) == (kib == 1));
        classify_free(c);
    }
    text_fini(&hello);
}

/* A flow that begins as UDP and goes on as TCP, or the other way round: nDPI's state of the one is not the other's. */
static void test_mixed_transport(void **state)
{
    (void)state;
    struct classify *c = classify_new(4, 0);
    struct text hello = {0};
    put_hello(&hello, "support.example.test");
    for (int first = 0; first < 2; first++) {
        struct conversation tcp = {.protocol = TCP, .port = 443}, udp = {.protocol = UDP, .port = 443};
        struct classify_flow *f = classify_flow_new(c);
        uint64_t unfit = count(c, "classify_packets_unfit");
        for (int i = 0; i < 4; i++) {
            (void)send(c, f, first ? &tcp : &udp, 0, PSH | ACK, SPAN("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"));
            (void)send(c, f, first ? &udp : &tcp, 0, PSH | ACK, span_sub(text_span(&hello), 0, 60));
        }
        assert_int_equal(count(c, "classify_packets_unfit"), unfit + 4);
        classify_flow_free(c, f);
    }
    classify_free(c);
    text_fini(&hello);
}

/* Packets cut anywhere and bytes changed anywhere: the bytes stand at the end of their block, so that the address sanitizer
 * sees a read behind them where it is our own. */
static void test_hostile(void **state)
{
    (void)state;
    struct classify *c = classify_new(4, 0);
    struct text hello = {0}, packet = {0};
    struct conversation v = {.protocol = TCP, .port = 443};
    put_hello(&hello, "support.example.test");
    put_ip(&packet, &v, 0, 20 + hello.size);
    put16(&packet, 40000);
    put16(&packet, 443);
    text_add(&packet, SPAN("\0\0\0\1\0\0\0\1\x50\x18\xff\xff\0\0\0\0"));
    text_add(&packet, text_span(&hello));
    for (size_t size = 0; size <= packet.size; size++) {
        for (int change = 0; change < 3; change++) {
            struct classify_flow *f = classify_flow_new(c);
            uint8_t *copy = malloc(size ? size : 1);
            char protocol[64], sni[256];
            memcpy(copy, packet.at, size);
            if (change && size)
                copy[size - 1] = change == 1 ? 0xff : 0;
            (void)classify_packet(c, f, span_of(copy, size), 0, 1);
            classify_result(c, f, protocol, sni);
            for (const char *at = sni; *at; at++)
                assert_in_range(*at, '!', '~');
            classify_flow_free(c, f);
            free(copy);
        }
    }
    classify_free(c);
    text_fini(&hello);
    text_fini(&packet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tls), cmocka_unit_test(test_tls_in_pieces), cmocka_unit_test(test_no_name),
        cmocka_unit_test(test_unknown), cmocka_unit_test(test_pool), cmocka_unit_test(test_memory), cmocka_unit_test(test_mixed_transport),
        cmocka_unit_test(test_hostile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
