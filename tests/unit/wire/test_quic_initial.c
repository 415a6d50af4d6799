/* SPDX-License-Identifier: Apache-2.0
 * QUIC Initial packets: the examples of RFC 9001 and RFC 9369, hellos in pieces, Retry, negotiation, and what is
 * broken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/quic_vectors.h"
#include "support/unhex.h"
#include "wire/quic_initial.h"
#include "wire/tls_fingerprint.h"

#define N(array) (sizeof(array) / sizeof *(array))

static struct quic_memory memory;
static uint8_t hello_bytes[512];
static struct span hello;

static int set_up(void **state)
{
    (void)state;
    memory = (struct quic_memory){.opener = quic_opener_new(), .blocks = pool_new(QUIC_BLOCK, 4)};
    hello = unhex(quic_hello, hello_bytes, sizeof hello_bytes);
    return !memory.opener || !memory.blocks;
}

static int tear_down(void **state)
{
    (void)state;
    quic_opener_free(memory.opener);
    pool_free(memory.blocks);
    return 0;
}

static void feed(struct quic_initial *q, const char *hex, bool from_client, struct quic_facts *facts)
{
    static uint8_t bytes[2048];
    quic_initial_datagram(q, &memory, unhex(hex, bytes, sizeof bytes), from_client, facts);
}

static void keys_of_the_rfc(void **state)
{
    static const struct {
        uint32_t version;
        bool is_server;
        const char *key, *iv, *hp;
    } rows[] = {
        {QUIC_V1, false, "1f369613dd76d5467730efcbe3b1a22d", "fa044b2f42a3fd3b46fb255c",
         "9f50449e04a0e810283a1e9933adedd2"},
        {QUIC_V1, true, "cf3a5331653c364c88f0f379b6067e37", "0ac1493ca1905853b0bba03e",
         "c206b8d9b9f0f37644430b490eeaa314"},
        {QUIC_V2, false, "8b1a0bc121284290a29e0971b5cd045d", "91f73e2351d8fa91660e909f",
         "45b95e15235d6f45a6b19cbcb0294ba9"},
        {QUIC_V2, true, "82db637861d55e1d011f19ea71d5d2a7", "dd13c276499c0249d3310652",
         "edf6d05c83121201b436e16877593c3a"},
    };
    (void)state;
    for (size_t i = 0; i < N(rows); i++) {
        struct quic_keys keys;
        uint8_t want[16], cid[8];
        unhex("8394c8f03e515708", cid, sizeof cid);
        quic_keys_derive(quic_version_find(rows[i].version), span_of(cid, sizeof cid), rows[i].is_server, &keys);
        unhex(rows[i].key, want, sizeof want);
        assert_memory_equal(keys.key, want, 16);
        unhex(rows[i].iv, want, sizeof want);
        assert_memory_equal(keys.iv, want, 12);
        unhex(rows[i].hp, want, sizeof want);
        assert_memory_equal(keys.hp, want, 16);
    }
}

static void examples_of_the_rfc(void **state)
{
    static const struct {
        const char *client, *server;
        uint32_t version;
    } rows[] = {{quic_client_v1, quic_server_v1, QUIC_V1}, {quic_client_v2, quic_server_v2, QUIC_V2}};
    (void)state;
    for (size_t i = 0; i < N(rows); i++) {
        struct quic_initial q;
        struct quic_facts facts;
        struct tls_client_hello client;
        struct tls_server_hello server;
        char ja4[TLS_JA4_SIZE];
        quic_initial_init(&q);
        feed(&q, rows[i].client, true, &facts);
        assert_int_equal(facts.version, rows[i].version);
        assert_int_equal(facts.opened, 1);
        assert_false(facts.is_bad);
        assert_true(span_eq(facts.client_hello, hello));
        assert_true(tls_client_hello_read(facts.client_hello, false, &client));
        assert_true(span_eq(client.sni, SPAN("example.com")));
        assert_true(span_eq(client.alpn_first, SPAN("alpn")));
        tls_fingerprint_ja4(&client, TLS_OVER_QUIC, ja4);
        assert_memory_equal(ja4, "q13d0211an_", 11);
        feed(&q, rows[i].server, false, &facts);
        assert_true(tls_server_hello_read(facts.server_hello, &server));
        assert_int_equal(server.version, 0x0304);
        assert_int_equal(server.cipher, 0x1301);
        assert_false(server.is_bad);
        feed(&q, rows[i].client, true, &facts); /* once is enough */
        assert_null(facts.client_hello.at);
        quic_initial_fini(&q, &memory);
        assert_int_equal(pool_used(memory.blocks), 0);
    }
}

/* The pieces in every order; the one with another connection id opens only after another has. */
static void pieces_in_any_order(void **state)
{
    static const char *const pieces[] = {quic_piece_first, quic_piece_middle, quic_piece_last};
    static const struct {
        int order[3];
        int whole_at; /* which of the three completes it, 3 = none */
    } rows[] = {{{0, 1, 2}, 2}, {{0, 2, 1}, 2}, {{2, 0, 1}, 2}, {{2, 1, 0}, 2}, {{1, 0, 2}, 3}, {{0, 0, 2}, 3}};
    (void)state;
    for (size_t i = 0; i < N(rows); i++) {
        struct quic_initial q;
        struct quic_facts facts;
        quic_initial_init(&q);
        for (int at = 0; at < 3; at++) {
            feed(&q, pieces[rows[i].order[at]], true, &facts);
            assert_int_equal(facts.client_hello.at != NULL, at == rows[i].whole_at);
            assert_int_equal(facts.closed, rows[i].order[at] == 1 && at == 0);
            if (at == rows[i].whole_at)
                assert_true(span_eq(facts.client_hello, hello));
        }
        quic_initial_fini(&q, &memory);
    }
}

static void same_facts(const struct quic_facts *a, const struct quic_facts *b)
{
    assert_int_equal(a->version, b->version);
    assert_int_equal(a->is_long, b->is_long);
    assert_int_equal(a->is_negotiation, b->is_negotiation);
    assert_int_equal(a->is_retry, b->is_retry);
    assert_int_equal(a->is_unknown_version, b->is_unknown_version);
    assert_int_equal(a->is_bad, b->is_bad);
    assert_int_equal(a->opened, b->opened);
    assert_int_equal(a->closed, b->closed);
    assert_null(a->server_hello.at);
}

static void single_datagrams(void **state)
{
    static const struct {
        const char *hex;
        bool from_client;
        struct quic_facts want;
        bool has_hello;
    } rows[] = {
        {quic_coalesced, true, {.version = 1, .is_long = true, .opened = 2}, true},
        {quic_closing, true, {.version = 1, .is_long = true, .opened = 1}, false},
        {quic_strange_frame, true, {.version = 1, .is_long = true, .opened = 1, .is_bad = true}, false},
        {quic_huge_hello, true, {.version = 1, .is_long = true, .opened = 1, .is_bad = true}, false},
        {quic_server_v1, false, {.version = 1, .is_long = true, .closed = 1}, false}, /* no client seen */
        {quic_retry_v1, false, {.version = 1, .is_long = true, .is_retry = true}, false},
        {"80 00000000 00 00 00000001 6b3343cf", false, {.is_long = true, .is_negotiation = true}, false},
        {"c0 0a1a2a3a 08 0011223344556677 00 00",
         true,
         {.version = 0x0a1a2a3a, .is_long = true, .is_unknown_version = true},
         false},
        {"c0 51303433 08 0011223344556677 00 00",
         true,
         {.version = 0x51303433, .is_long = true, .is_unknown_version = true},
         false},
        {"40 0011223344556677", true, {.version = 0}, false},
        {"c0 00000001 15 0011", true, {.version = 1, .is_long = true, .is_bad = true}, false},
        {"c0 00000001 00 00 00 44", true, {.version = 1, .is_long = true, .is_bad = true}, false},
        {"c0 00000001 00 00 00 02 0102", true, {.version = 1, .is_long = true, .closed = 1}, false},
        {"", true, {.version = 0}, false},
    };
    (void)state;
    for (size_t i = 0; i < N(rows); i++) {
        struct quic_initial q;
        struct quic_facts facts;
        quic_initial_init(&q);
        feed(&q, rows[i].hex, rows[i].from_client, &facts);
        assert_int_equal(facts.client_hello.at != NULL, rows[i].has_hello);
        same_facts(&facts, &rows[i].want);
        quic_initial_fini(&q, &memory);
        assert_int_equal(pool_used(memory.blocks), 0);
    }
}

static void retry_begins_again(void **state)
{
    (void)state;
    struct quic_initial q;
    struct quic_facts facts;
    quic_initial_init(&q);
    feed(&q, quic_piece_first, true, &facts);
    feed(&q, quic_retry_v1, false, &facts);
    assert_true(facts.is_retry);
    assert_int_equal(pool_used(memory.blocks), 0); /* what had come is void */
    feed(&q, quic_after_retry, true, &facts);
    assert_true(span_eq(facts.client_hello, hello));
    quic_initial_fini(&q, &memory);
    quic_initial_init(&q); /* the same with the Retry lost */
    feed(&q, quic_client_v1, true, &facts);
    feed(&q, quic_after_retry, true, &facts);
    assert_int_equal(facts.opened, 1);
    quic_initial_fini(&q, &memory);
}

/* A changed byte anywhere in header or body: nothing comes out. */
static void forged_packets_stay_closed(void **state)
{
    uint8_t bytes[512];
    (void)state;
    struct span whole = unhex(quic_after_retry, bytes, sizeof bytes);
    for (size_t i = 0; i < whole.size; i++) {
        struct quic_initial q;
        struct quic_facts facts;
        quic_initial_init(&q);
        bytes[i] ^= 0x01;
        quic_initial_datagram(&q, &memory, whole, true, &facts);
        assert_null(facts.client_hello.at);
        assert_int_equal(facts.opened, 0);
        bytes[i] ^= 0x01;
        quic_initial_datagram(&q, &memory, span_sub(whole, 0, i), true, &facts); /* and a cut one */
        assert_int_equal(facts.opened, 0);
        quic_initial_fini(&q, &memory);
    }
}

static void no_memory_is_counted(void **state)
{
    (void)state;
    void *blocks[4];
    for (size_t i = 0; i < N(blocks); i++)
        blocks[i] = pool_take(memory.blocks);
    struct quic_initial q;
    struct quic_facts facts;
    uint64_t before = memory.refused;
    quic_initial_init(&q);
    feed(&q, quic_client_v1, true, &facts);
    assert_int_equal(memory.refused, before + 1);
    assert_null(facts.client_hello.at);
    quic_initial_fini(&q, &memory);
    for (size_t i = 0; i < N(blocks); i++)
        pool_give(memory.blocks, blocks[i]);
}

static void probes(void **state)
{
    static const struct {
        const char *hex;
        bool is_quic;
    } rows[] = {
        {quic_client_v1, true},
        {quic_client_v2, true},
        {"c0 ff00001d 08 0011223344556677 00 00", true},
        {"c0 ff000005 08 0011223344556677 00 00", true},
        {"c0 1a2a3a4a 08 0011223344556677 00 00", true},
        {"80 00000000 00 00 00000001", true},
        {"80 00000000 00 00 000001", false},
        {"c0 00000001 15 000102030405060708090a0b0c0d0e0f1011121314 00", false},
        {"c0 51303433 08 0011223344556677 00 00", false},
        {"40 00000001 00 00", false},
        {"17fefd0001000000000001", false},
        {"c0 000000", false},
        {"", false},
    };
    (void)state;
    for (size_t i = 0; i < N(rows); i++) {
        uint8_t bytes[2048];
        assert_int_equal(quic_initial_probe(unhex(rows[i].hex, bytes, sizeof bytes)), rows[i].is_quic);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_of_the_rfc),      cmocka_unit_test(examples_of_the_rfc),
        cmocka_unit_test(pieces_in_any_order),  cmocka_unit_test(single_datagrams),
        cmocka_unit_test(retry_begins_again),   cmocka_unit_test(forged_packets_stay_closed),
        cmocka_unit_test(no_memory_is_counted), cmocka_unit_test(probes),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
