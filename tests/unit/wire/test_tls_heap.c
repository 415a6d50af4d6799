/* SPDX-License-Identifier: Apache-2.0
 * Records, handshakes, hellos, fingerprints and QUIC Initial packets, good and forged: once the pools and the opener
 * are there, the heap is not asked. Needs the allocation hooks of a sanitizer's runtime; skips without. */
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
#include "wire/tls_handshake.h"
#include "wire/tls_record.h"

static volatile bool is_armed;
static volatile uint64_t n_taken;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
/* of the sanitizer's runtime; not every package of the compiler has its headers */
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *, size_t),
                                              void (*on_free)(const volatile void *));
static void on_malloc(const volatile void *memory, size_t size)
{
    (void)memory, (void)size;
    n_taken += is_armed;
}

static void on_free(const volatile void *memory)
{
    (void)memory;
}

static bool trap_install(void)
{
    return __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free) > 0;
}
#else
static bool trap_install(void)
{
    return false;
}
#endif

static uint8_t client[1300], server[300], forged[1300], hello[400];
static struct quic_memory quic;
static struct tls_record_memory records;
static struct tls_handshake_memory messages;

static unsigned on_hello(struct span body)
{
    struct tls_client_hello h;
    char text[TLS_JA4_SIZE];
    if (!tls_client_hello_read(body, false, &h))
        return 0;
    tls_fingerprint_ja3(&h, text);
    tls_fingerprint_ja4(&h, TLS_OVER_QUIC, text);
    return 1;
}

static unsigned play_quic(void)
{
    struct quic_initial q;
    struct quic_facts facts;
    quic_initial_init(&q);
    quic_initial_datagram(&q, &quic, span_of(client, 1200), true, &facts);
    unsigned n = on_hello(facts.client_hello);
    quic_initial_datagram(&q, &quic, span_of(forged, 1200), true, &facts);
    quic_initial_datagram(&q, &quic, span_of(server, 137), false, &facts);
    struct tls_server_hello h;
    char text[TLS_JA3_SIZE];
    n += tls_server_hello_read(facts.server_hello, &h);
    tls_fingerprint_ja3s(&h, text);
    quic_initial_fini(&q, &quic);
    return n;
}

/* The same hello in two records, in pieces of 10 bytes. */
static unsigned play_tls(struct span stream)
{
    struct tls_record_reader r;
    struct tls_handshake h;
    struct tls_record_out record;
    struct tls_handshake_out message;
    unsigned n = 0;
    tls_record_init(&r);
    tls_handshake_init(&h);
    for (size_t at = 0; at < stream.size; at += 10) {
        struct tls_record_input input = {.bytes = span_sub(stream, at, 10)};
        while (tls_record_step(&r, &records, &input, &record) != TLS_RECORD_MORE)
            while (record.data.size && tls_handshake_step(&h, &messages, &record.data, &message) != TLS_HANDSHAKE_MORE)
                n += on_hello(message.body);
    }
    tls_record_fini(&r, &records);
    tls_handshake_fini(&h, &messages);
    return n;
}

static void nothing_from_the_heap(void **state)
{
    (void)state;
    if (!trap_install())
        skip();
    quic = (struct quic_memory){.opener = quic_opener_new(), .blocks = pool_new(QUIC_BLOCK, 2)};
    records.blocks = pool_new(TLS_RECORD_BLOCK, 1);
    messages = (struct tls_handshake_memory){.small = pool_new(TLS_HANDSHAKE_SMALL, 1),
                                             .large = pool_new(TLS_HANDSHAKE_LARGE, 1)};
    unhex(quic_client_v1, client, sizeof client);
    unhex(quic_server_v1, server, sizeof server);
    memcpy(forged, client, sizeof forged);
    forged[1000] ^= 1;
    memcpy(hello, "\x16\x03\x01\x00\x64\x01\x00\x00\xed", 9); /* 100 bytes, then 141 */
    uint8_t body[300];
    unhex(quic_hello, body, sizeof body);
    memcpy(hello + 9, body, 96);
    memcpy(hello + 105, "\x16\x03\x01\x00\x8d", 5);
    memcpy(hello + 110, body + 96, 141);
    assert_int_equal(play_quic() + play_tls(span_of(hello, 251)), 3); /* the first time OpenSSL sets itself up */
    unsigned n = 0;
    is_armed = true;
    for (int i = 0; i < 100; i++)
        n += play_quic() + play_tls(span_of(hello, 251));
    is_armed = false;
    assert_int_equal(n, 300);
    assert_int_equal(n_taken, 0);
    quic_opener_free(quic.opener);
    pool_free(quic.blocks);
    pool_free(records.blocks);
    pool_free(messages.small);
    pool_free(messages.large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_from_the_heap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
