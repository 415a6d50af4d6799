/* SPDX-License-Identifier: Apache-2.0
 * Compressed IP payloads: undone for both families, refused when they are no DEFLATE, cut, or more than IP can carry. */
#include "flow/ipcomp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/packet_build.h"

/* Behind an IPComp header: a stored block (RFC 1951, 3.2.4), which is DEFLATE and readable. */
#define STORED(size, inverse) "\x01" size "\x00" inverse "\xff"
#define UDP "\x04\xd2\x00\x35\x00\x0a\x00\x00hi" /* 1234 > 53, 10 bytes */

static int dissect(struct packet_build *b, const char *ip, size_t size, uint32_t type, struct dissected *d)
{
    struct decap_counts counts = {0};
    packet_build_payload(b, span_of(ip, size));
    packet_build_ether(b, (uint16_t)type);
    struct packet p = packet_build_done(b, 1, 1);
    return decap_packet(&p, d, &counts);
}

static const char head4[] = "\x45\x00\x00\x2b\x00\x07\x00\x00\x40\x6c\x00\x00\x0a\x00\x00\x01\x0a\x00\x00\x02";
static const char head6[] = "\x60\x00\x00\x00\x00\x13\x6c\x40\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"
                            "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02";

static void test_undone(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool is6;
        const char *payload;
        size_t size;
        bool is_good;
    } rows[] = {
#define ROW(name, is6, bytes, good) {name, is6, bytes, sizeof bytes - 1, good}
        ROW("a datagram, IPv4", false, "\x11\x00\x00\x02" STORED("\x0a", "\xf5") UDP, true),
        ROW("a datagram, IPv6", true, "\x11\x00\x63\x5c" STORED("\x0a", "\xf5") UDP, true),
        ROW("cut", false, "\x11\x00\x00\x02" STORED("\x0a", "\xf5") "\x04\xd2\x00\x35\x00\x0a\x00\x00h", false),
        ROW("another method", false, "\x11\x00\x00\x03\xff\xff\xff\xff\xff\xff", false),
        ROW("a header and nothing", false, "\x11\x00\x00\x02", false),
        ROW("less than a header", true, "\x11\x00\x00", false),
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ipcomp_counts counts = {0};
        struct ipcomp *c = ipcomp_new(&counts);
        static struct packet_build b;
        struct dissected d;
        struct decap_counts decap = {0};
        struct span whole;
        char ip[200];
        size_t head = rows[i].is6 ? 40 : 20;
        memcpy(ip, rows[i].is6 ? head6 : head4, head);
        memcpy(ip + head, rows[i].payload, rows[i].size);
        ip[rows[i].is6 ? 5 : 3] = (char)(rows[i].size + (rows[i].is6 ? 0 : 20));
        assert_non_null(c);
        assert_int_equal(dissect(&b, ip, head + rows[i].size, rows[i].is6 ? 0x86dd : 0x0800, &d), 0);
        assert_int_equal(d.protocol, IPCOMP_PROTOCOL);
        if (ipcomp_inflate(c, &d, &whole) != rows[i].is_good)
            fail_msg("%s", rows[i].name);
        assert_int_equal(counts.received, 1);
        assert_int_equal(counts.inflated + counts.bad, 1);
        if (rows[i].is_good) {
            assert_int_equal(decap_ip(whole, &d, &decap), 0);
            assert_int_equal(d.src.port, 1234);
            assert_true(span_eq(d.payload, SPAN("hi")));
        }
        ipcomp_free(c);
    }
}

/* 70,000 bytes of one letter: one literal, and 271 copies of 258 from distance 1, with the fixed codes (RFC 1951, 3.2.6). */
static size_t bomb(char *out)
{
    size_t bits = 0;
    memset(out, 0, 600);
#define PUT(value, n)                                                                                                  \
    for (int i = (n) - 1; i >= 0; i--, bits++)                                                                         \
    out[bits / 8] = (char)((unsigned char)out[bits / 8] | ((unsigned)(value) >> i & 1u) << bits % 8)
    PUT(1, 1); /* last block */
    PUT(2, 2); /* fixed codes: 01, low bit first */
    PUT(0x30 + 'a', 8);
    for (int n = 0; n < 271; n++) {
        PUT(0xc5, 8); /* length 258 */
        PUT(0, 5);    /* distance 1 */
    }
    PUT(0, 7); /* end */
    return bits / 8 + 1;
}

static void test_no_more_than_ip_carries(void **state)
{
    (void)state;
    struct ipcomp_counts counts = {0};
    struct ipcomp *c = ipcomp_new(&counts);
    static struct packet_build b;
    struct dissected d;
    struct span whole;
    char ip[700] = {0};
    memcpy(ip, head4, 20);
    memcpy(ip + 20, "\x11\x00\x00\x02", 4);
    size_t size = 24 + bomb(ip + 24);
    ip[2] = (char)(size >> 8);
    ip[3] = (char)size;
    assert_int_equal(dissect(&b, ip, size, 0x0800, &d), 0);
    assert_false(ipcomp_inflate(c, &d, &whole));
    assert_int_equal(counts.bad, 1);
    ipcomp_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_undone),
        cmocka_unit_test(test_no_more_than_ip_carries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
