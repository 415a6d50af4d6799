/* SPDX-License-Identifier: Apache-2.0
 * Which second packet is a copy of the first, and which was sent twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/times.h"
#include "flow/dedup.h"
#include "support/packet_build.h"

static const uint64_t t0 = 1700000000ULL * NS_PER_S;

struct variant {
    const char *name;
    struct packet_build_ip ip;
    struct packet_build_tcp tcp;
    struct span payload;
    uint64_t after_ns;
    bool is_tagged, is_copy;
};

#define IP4_OF(sender, number) .ip.src = sender, .ip.dst = "10.0.0.2", .ip.protocol = 6, .ip.id = number
#define IP4 IP4_OF("10.0.0.1", 7)
#define IP6 .ip.src = "fd00::1", .ip.dst = "fd00::2", .ip.protocol = 6
#define TCP_OF(port, number, answer, bits)                                                                             \
    .tcp.src = port, .tcp.dst = 80, .tcp.seq = number, .tcp.ack = answer, .tcp.flags = bits
#define TCP TCP_OF(1000, 5, 6, 0x18)
#define BODY .payload = SPAN("The same sixteen bytes at the front, then more, and sixteen at the end")

static const struct variant originals[] = {{.name = "IPv4", IP4, TCP, BODY}, {.name = "IPv6", IP6, TCP, BODY}};

static const struct variant seconds[2][16] = {
    {
        {.name = "the same frame", IP4, TCP, BODY, .is_copy = true},
        {.name = "tagged", IP4, TCP, BODY, .is_tagged = true, .is_copy = true},
        {.name = "behind a router", IP4, TCP, BODY, .ip.ttl = 63, .is_copy = true},
        {.name = "9.9 ms later", IP4, TCP, BODY, .after_ns = 9900000, .is_copy = true},
        {.name = "10.1 ms later", IP4, TCP, BODY, .after_ns = 10100000},
        {.name = "retransmission: another identification", IP4_OF("10.0.0.1", 8), TCP, BODY},
        {.name = "another sequence number", IP4, TCP_OF(1000, 6, 6, 0x18), BODY},
        {.name = "another acknowledgement", IP4, TCP_OF(1000, 5, 7, 0x18), BODY},
        {.name = "other flags", IP4, TCP_OF(1000, 5, 6, 0x10), BODY},
        {.name = "an option", IP4, TCP, BODY, .tcp.options = SPAN("\1\1\1\1")},
        {.name = "another port", IP4, TCP_OF(1001, 5, 6, 0x18), BODY},
        {.name = "another sender", IP4_OF("10.0.0.3", 7), TCP, BODY},
        {.name = "another end",
         IP4,
         TCP,
         .payload = SPAN("The same sixteen bytes at the front, then more, and sixteen at the enD")},
        {.name = "longer",
         IP4,
         TCP,
         .payload = SPAN("The same sixteen bytes at the front, then more,  and sixteen at the end")},
        {.name = "no payload", IP4, TCP},
    },
    {
        {.name = "the same frame", IP6, TCP, BODY, .is_copy = true},
        {.name = "behind a router", IP6, TCP, BODY, .ip.ttl = 63, .is_copy = true},
        {.name = "retransmission after 200 ms", IP6, TCP, BODY, .after_ns = 200000000},
        {.name = "another sequence number", IP6, TCP_OF(1000, 6, 6, 0x18), BODY},
    },
};

static bool ask(struct dedup *dd, struct packet_build *b, const struct variant *v)
{
    struct decap_counts counts = {0};
    struct dissected d;
    bool is6 = strchr(v->ip.src, ':') != NULL;
    packet_build_payload(b, v->payload);
    packet_build_tcp(b, &v->tcp);
    packet_build_ip(b, &v->ip);
    if (v->is_tagged)
        packet_build_vlan(b, 100, is6 ? 0x86dd : 0x0800);
    packet_build_ether(b, v->is_tagged ? 0x8100 : is6 ? 0x86dd : 0x0800);
    struct packet p = packet_build_done(b, 1, t0 + v->after_ns);
    assert_int_equal(decap_packet(&p, &d, &counts), 0);
    return dedup_is_copy(dd, dedup_hash(dd, &d), p.time_ns);
}

static void test_pairs(void **state)
{
    struct packet_build *b = *state;
    for (int family = 0; family < 2; family++) {
        for (const struct variant *v = seconds[family]; v->name; v++) {
            struct dedup_counts counts = {0};
            struct dedup *dd = dedup_new(&counts);
            assert_non_null(dd);
            assert_false(ask(dd, b, &originals[family]));
            if (ask(dd, b, v) != v->is_copy)
                fail_msg("%s, %s: %s", originals[family].name, v->name, v->is_copy ? "not told" : "taken for a copy");
            assert_int_equal(counts.fresh, v->is_copy ? 1 : 2);
            assert_int_equal(counts.copies, v->is_copy ? 1 : 0);
            dedup_free(dd);
        }
    }
}

/* Fragments have no ports: offset and identification tell them apart. */
static void test_fragments(void **state)
{
    struct packet_build *b = *state;
    struct dedup_counts counts = {0};
    struct dedup *dd = dedup_new(&counts);
    static const struct {
        uint32_t id, offset;
        bool is_copy;
    } cases[] = {{1, 0, false}, {1, 8, false}, {1, 0, true}, {2, 0, false}, {2, 0, true}, {1, 8, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct decap_counts decap = {0};
        struct dissected d;
        packet_build_payload(b, SPAN("12345678"));
        packet_build_ip(b, &(struct packet_build_ip){.src = "10.0.0.1",
                                                     .dst = "10.0.0.2",
                                                     .protocol = 17,
                                                     .id = cases[i].id,
                                                     .fragment_offset = cases[i].offset,
                                                     .more_fragments = true});
        struct packet p = packet_build_done(b, 101, t0);
        assert_int_equal(decap_packet(&p, &d, &decap), 0);
        assert_int_equal(dedup_is_copy(dd, dedup_hash(dd, &d), t0), cases[i].is_copy);
    }
    dedup_free(dd);
}

static bool ask_number(struct dedup *dd, struct packet_build *b, uint32_t number, uint64_t after_ns)
{
    struct variant v = originals[0];
    v.tcp.seq = number;
    v.after_ns = after_ns;
    return ask(dd, b, &v);
}

/* The far copy of a burst is still known as long as the burst fits; what is forgotten is counted. */
static void test_burst(void **state)
{
    struct packet_build *b = *state;
    struct dedup_counts counts = {0};
    struct dedup *dd = dedup_new(&counts);
    for (uint32_t i = 0; i < 8000; i++)
        assert_false(ask_number(dd, b, i, i * 1000));
    assert_int_equal(counts.fresh, 8000);
    assert_true(counts.crowded < 8);
    for (uint32_t i = 0; i < 8000; i++)
        (void)ask_number(dd, b, i, 8000000); /* what was crowded out is fresh again */
    assert_true(counts.copies > 7980);
    for (uint32_t i = 0; i < 100000; i++)
        assert_false(ask_number(dd, b, 10000 + i, 9000000));
    assert_true(counts.crowded > 60000);
    assert_int_equal(counts.fresh + counts.copies, 116000);
    dedup_free(dd);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_fragments),
        cmocka_unit_test(test_burst),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
