/* SPDX-License-Identifier: Apache-2.0
 * Checksums of segments: of every size against a plain sum, and what they do not judge. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/packet_build.h"
#include "wire/checksum.h"

static const struct {
    const char *src, *dst;
} ends[] = {{"10.1.0.1", "203.0.113.80"}, {"2001:db8::1", "2001:db8:ffff::2"}};

/* RFC 1071 as it stands there: 16-bit words, big-endian. */
static uint32_t plain_sum(uint32_t sum, const uint8_t *at, size_t size)
{
    for (size_t i = 0; i < size; i++)
        sum += i % 2 ? at[i] : (uint32_t)at[i] << 8;
    return sum;
}

static void build(struct packet_build *b, struct dissected *d, unsigned v6, size_t size)
{
    static uint8_t payload[2000];
    static struct decap_counts counts;
    for (size_t i = 0; i < size; i++)
        payload[i] = (uint8_t)(i * 7 + size);
    packet_build_payload(b, span_of(payload, size));
    packet_build_tcp(b, &(struct packet_build_tcp){.src = 40000, .dst = 80, .seq = 77, .ack = 88, .flags = 0x18});
    packet_build_ip(b, &(struct packet_build_ip){.src = ends[v6].src, .dst = ends[v6].dst, .protocol = 6});
    packet_build_ether(b, v6 ? 0x86dd : 0x0800);
    struct packet p = packet_build_done(b, 1, 1);
    assert_int_equal(decap_packet(&p, d, &counts), 0);
}

/* Writes the right one. */
static void settle(const struct dissected *d, bool is_v6)
{
    uint8_t *tcp = (uint8_t *)(uintptr_t)(d->ip.at + d->ip_header_size);
    size_t size = d->ip.size - d->ip_header_size;
    tcp[16] = tcp[17] = 0;
    size_t skip = is_v6 ? 0 : 12;
    uint32_t sum = plain_sum(6 + (uint32_t)size, tcp, size);
    sum = plain_sum(plain_sum(sum, d->src.ip.bytes + skip, 16 - skip), d->dst.ip.bytes + skip, 16 - skip);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    tcp[16] = (uint8_t)(~sum >> 8);
    tcp[17] = (uint8_t)~sum;
}

static void test_every_size(void **state)
{
    struct packet_build *b = *state;
    struct dissected d;
    for (unsigned v6 = 0; v6 < 2; v6++)
        for (size_t size = 0; size <= CHECKSUM_MAX_PAYLOAD + 1; size++) {
            build(b, &d, v6, size);
            settle(&d, v6);
            enum checksum want = size > CHECKSUM_MAX_PAYLOAD ? CHECKSUM_UNKNOWN : CHECKSUM_RIGHT;
            assert_int_equal(checksum_of_tcp(&d), want);
            ((uint8_t *)(uintptr_t)d.ip.at)[d.ip.size - 1] ^= 0x20;
            assert_int_equal(checksum_of_tcp(&d), want == CHECKSUM_RIGHT ? CHECKSUM_WRONG : want);
        }
}

static void test_cut(void **state)
{
    struct dissected d;
    build(*state, &d, 0, 100);
    d.payload.size -= 1;
    assert_int_equal(checksum_of_tcp(&d), CHECKSUM_UNKNOWN);
}

static int setup(void **state)
{
    *state = calloc(1, sizeof(struct packet_build));
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_size), cmocka_unit_test(test_cut)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
