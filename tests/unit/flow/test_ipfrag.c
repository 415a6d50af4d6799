/* SPDX-License-Identifier: Apache-2.0
 * Fragments as scripts: pieces in any order in, the whole datagram or the reason why not out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/times.h"
#include "flow/ipfrag.h"
#include "support/packet_build.h"

static const uint64_t t0 = 1700000000ULL * NS_PER_S;

struct bench {
    struct packet_build build;
    struct ipfrag_counts counts;
    struct ipfrag *frags;
};

struct piece {
    uint32_t offset;
    const char *bytes;
    bool is_last;
    uint32_t id, seconds;
};

/* UDP 1 -> 2, length 32. As it holds zeros, it is no text: "h" stands for it. */
#define HEAD "\0\1\0\2\0\x20\0\0"

static bool feed(struct bench *b, bool is6, const struct piece *piece, struct span *whole)
{
    struct decap_counts counts = {0};
    struct dissected d;
    packet_build_payload(&b->build, strcmp(piece->bytes, "h") == 0 ? SPAN(HEAD) : span_text(piece->bytes));
    packet_build_ip(&b->build, &(struct packet_build_ip){.src = is6 ? "fd00::1" : "10.0.0.1",
                                                         .dst = is6 ? "fd00::2" : "10.0.0.2",
                                                         .protocol = 17,
                                                         .id = piece->id,
                                                         .is_fragment = true,
                                                         .fragment_offset = piece->offset,
                                                         .more_fragments = !piece->is_last});
    struct packet p = packet_build_done(&b->build, 101, t0 + piece->seconds * NS_PER_S);
    assert_int_equal(decap_packet(&p, &d, &counts), 0);
    assert_true(d.is_fragment);
    return ipfrag_feed(b->frags, &d, p.time_ns, whole);
}

static const struct script {
    const char *name;
    const char *told; /* payload of the datagram; NULL = never whole */
    struct piece pieces[8];
    size_t counter; /* which must not be zero */
} scripts[] = {
#define AT(member) offsetof(struct ipfrag_counts, member)
    {"in order",
     "aaaaaaaabbbbbbbbcccccccc",
     {{0, "h", false, 1, 0}, {8, "aaaaaaaabbbbbbbb", false, 1, 0}, {24, "cccccccc", true, 1, 0}},
     AT(completing)},
    {"backwards",
     "aaaaaaaabbbbbbbbcccccccc",
     {{24, "cccccccc", true, 1, 0}, {16, "bbbbbbbb", false, 1, 0}, {8, "aaaaaaaa", false, 1, 0}, {0, "h", false, 1, 0}},
     AT(completing)},
    {"twice",
     "aaaaaaaabbbbbbbbcccccccc",
     {{0, "h", false, 1, 0}, {0, "h", false, 1, 0}, {24, "cccccccc", true, 1, 0}, {8, "aaaaaaaabbbbbbbb", false, 1, 0}},
     AT(repeated)},
    {"overlap: the first bytes stay",
     "aaaaaaaabbbbbbbbcccccccc",
     {{0, "h", false, 1, 0}, {8, "aaaaaaaabbbbbbbb", false, 1, 0}, {16, "XXXXXXXXcccccccc", true, 1, 0}},
     AT(overlaps)},
    {"overlap from the front and over two",
     "aaaaaaaabbbbbbbbcccccccc",
     {{16, "bbbbbbbb", false, 1, 0},
      {24, "cccccccc", true, 1, 0},
      {8, "aaaaaaaaXXXXXXXX", false, 1, 0},
      {0, "h", false, 1, 0}},
     AT(overlaps)},
    {"another identification", NULL, {{0, "h", false, 1, 0}, {8, "aaaaaaaabbbbbbbbcccccccc", true, 2, 0}}, AT(held)},
    {"too late", NULL, {{0, "h", false, 1, 0}, {8, "aaaaaaaabbbbbbbbcccccccc", true, 1, 31}}, AT(timed_out)},
    {"behind the end",
     "aaaaaaaabbbbbbbbcccccccc",
     {{24, "cccccccc", true, 1, 0},
      {32, "dddddddd", false, 1, 0},
      {0, "h", false, 1, 0},
      {8, "aaaaaaaabbbbbbbb", false, 1, 0}},
     AT(bad)},
    {"two ends",
     "aaaaaaaabbbbbbbbcccccccc",
     {{24, "cccccccc", true, 1, 0},
      {16, "XXXXXXXX", true, 1, 0},
      {0, "h", false, 1, 0},
      {8, "aaaaaaaabbbbbbbb", false, 1, 0}},
     AT(bad)},
    {"end inside of what is there",
     NULL,
     {{16, "aaaaaaaabbbbbbbb", false, 1, 0}, {8, "XXXXXXXX", true, 1, 0}},
     AT(bad)},
    {"not in units of 8", NULL, {{0, "hhhh", false, 1, 0}, {8, "aaaaaaaabbbbbbbbcccccccc", true, 1, 0}}, AT(bad)},
    {"more than a datagram", NULL, {{65528, "aaaaaaaa", true, 1, 0}}, AT(too_long)},
};

static void expect_sum(const struct ipfrag_counts *c)
{
    assert_int_equal(c->received,
                     c->held + c->completing + c->repeated + c->snapped + c->bad + c->too_long + c->no_room);
}

static void begin(struct bench *b, uint32_t mib)
{
    memset(&b->counts, 0, sizeof b->counts);
    b->frags = ipfrag_new(mib, &b->counts);
    assert_non_null(b->frags);
}

static void test_scripts(void **state)
{
    struct bench *b = *state;
    for (size_t i = 0; i < 2 * sizeof scripts / sizeof *scripts; i++) {
        const struct script *script = &scripts[i / 2];
        struct span whole = {0};
        bool is_whole = false;
        begin(b, 1);
        for (const struct piece *piece = script->pieces; piece->bytes; piece++) {
            assert_false(is_whole);
            is_whole = feed(b, i % 2, piece, &whole);
        }
        if (is_whole != (script->told != NULL))
            fail_msg("%s: %s", script->name, is_whole ? "made whole" : "not made whole");
        if (is_whole) {
            struct decap_counts counts = {0};
            struct dissected d = {0};
            assert_int_equal(decap_ip(whole, &d, &counts), 0);
            assert_int_equal(counts.udp, 1);
            assert_int_equal(d.dst.port, 2);
            if (!span_eq(d.payload, span_text(script->told)))
                fail_msg("%s: other bytes", script->name);
        }
        assert_true(*(const uint64_t *)(const void *)((const uint8_t *)&b->counts + script->counter) > 0);
        expect_sum(&b->counts);
        ipfrag_free(b->frags);
    }
}

/* A flood of first fragments costs the memory given and no more; the newest datagram can still be made whole. */
static void test_flood(void **state)
{
    struct bench *b = *state;
    static char big[1481];
    struct span whole;
    memset(big, 'x', 1480);
    begin(b, 1);
    for (uint32_t id = 0; id < 20000; id++)
        assert_false(feed(b, true, &(struct piece){8, big, false, id, 0}, &whole));
    assert_true(b->counts.evicted > 19000);
    assert_false(feed(b, true, &(struct piece){0, "h", false, 19999, 0}, &whole));
    assert_true(feed(b, true, &(struct piece){1488, "end", true, 19999, 0}, &whole));
    assert_int_equal(whole.size, 40 + 1491);
    expect_sum(&b->counts);
    ipfrag_free(b->frags);
}

/* A datagram in crumbs is given a bounded number of pieces. */
static void test_crumbs(void **state)
{
    struct bench *b = *state;
    struct span whole;
    begin(b, 1);
    for (uint32_t i = 0; i < 1000; i++)
        assert_false(feed(b, false, &(struct piece){16 * i, "12345678", false, 1, 0}, &whole));
    assert_true(b->counts.no_room > 700);
    expect_sum(&b->counts);
    ipfrag_free(b->frags);
}

/* A full Ethernet frame in fragments of 8 bytes, in order, backwards, and every second one first. */
static void test_smallest_fragments(void **state)
{
    struct bench *b = *state;
    for (int order = 0; order < 3; order++) {
        struct span whole = {0};
        bool is_whole = false;
        begin(b, 1);
        for (uint32_t i = 0; i < 184; i++) {
            uint32_t n = order == 0 ? i : order == 1 ? 183 - i : (i * 2) % 184 + i / 92;
            char text[9];
            snprintf(text, sizeof text, "%8u", n);
            assert_false(is_whole);
            is_whole = feed(b, false, &(struct piece){8 * n, text, n == 183, 1, 0}, &whole);
        }
        assert_true(is_whole);
        assert_int_equal(whole.size, 20 + 184 * 8);
        for (uint32_t n = 0; n < 184; n++)
            assert_int_equal(atoi((const char *)whole.at + 20 + 8 * n), n); /* digits end at the next one's blanks */
        ipfrag_free(b->frags);
    }
}

static void test_expiry(void **state)
{
    struct bench *b = *state;
    struct span whole;
    begin(b, 1);
    for (uint32_t id = 0; id < 10; id++)
        assert_false(feed(b, false, &(struct piece){8, "12345678", false, id, id}, &whole));
    ipfrag_expire(b->frags, t0 + 30 * NS_PER_S);
    assert_int_equal(b->counts.timed_out, 0);
    ipfrag_expire(b->frags, t0 + 35 * NS_PER_S);
    assert_int_equal(b->counts.timed_out, 5);
    ipfrag_free(b->frags);
}

static void test_snapped(void **state)
{
    struct bench *b = *state;
    struct dissected d = {.is_fragment = true, .fragment = SPAN("1234"), .payload_wire = 8, .ip = SPAN("\x45")};
    struct span whole;
    begin(b, 1);
    assert_false(ipfrag_feed(b->frags, &d, t0, &whole));
    assert_int_equal(b->counts.snapped, 1);
    expect_sum(&b->counts);
    ipfrag_free(b->frags);
}

/* 65,535 bytes in all, the largest there is. */
static void test_largest(void **state)
{
    struct bench *b = *state;
    static char big[1481];
    struct span whole = {0};
    bool is_whole = false;
    memset(big, 'x', 1480);
    begin(b, 1);
    for (uint32_t offset = 0; offset < 65515; offset += 1480) {
        uint32_t size = 65515 - offset < 1480 ? 65515 - offset : 1480;
        is_whole = feed(b, false, &(struct piece){offset, big + 1480 - size, offset + size == 65515, 1, 0}, &whole);
    }
    assert_true(is_whole);
    assert_int_equal(whole.size, 65535);
    ipfrag_free(b->frags);
}

static int setup(void **state)
{
    *state = malloc(sizeof(struct bench));
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
        cmocka_unit_test(test_scripts), cmocka_unit_test(test_flood),
        cmocka_unit_test(test_crumbs),  cmocka_unit_test(test_smallest_fragments),
        cmocka_unit_test(test_expiry),  cmocka_unit_test(test_snapped),
        cmocka_unit_test(test_largest),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
