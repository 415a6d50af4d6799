/* SPDX-License-Identifier: Apache-2.0
 * Hellos built piece by piece: what is read of them, also of broken ones, and their fingerprints. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/quic_vectors.h"
#include "support/unhex.h"
#include "wire/dtls_hello.h"
#include "wire/tls_fingerprint.h"
#include "wire/tls_hello.h"

#define N(array) (sizeof(array) / sizeof *(array))
#define RANDOM "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define RETRY "cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c"

/* A client hello: version, random, session id of two bytes, two ciphers and a GREASE one, null compression. */
#define CLIENT "0303" RANDOM "02aabb 0006 1a1a 1301 c02f 0100"

static bool read_client(const char *hex, bool is_dtls, uint8_t bytes[2048], struct tls_client_hello *h)
{
    return tls_client_hello_read(unhex(hex, bytes, 2048), is_dtls, h);
}

static void client_fields(void **state)
{
    uint8_t bytes[2048];
    struct tls_client_hello h;
    (void)state;
    assert_true(read_client(CLIENT "0085"
                                   "0a0a0000"                                  /* GREASE */
                                   "0000000e 000c 00 0009 6465736b2e74657374 " /* desk.test */
                                   "000a0006 0004 2a2a 001d"                   /* groups */
                                   "000b0002 0100"                             /* point formats */
                                   "000d0006 0004 0403 0804"                   /* signature algorithms */
                                   "0010000e 000c 02 6832 08 687474702f312e31" /* h2, http/1.1 */
                                   "00160000 00170000"                         /* encrypt-then-MAC, extended secret */
                                   "001c0002 4001"                             /* record size limit */
                                   "00230001 ee"                               /* session ticket */
                                   "002b0007 06 4a4a 0304 0303"                /* versions */
                                   "0033000d 000b 2a2a 0001 00 001d 0002 1234" /* key shares */
                                   "fe0d0001 00 ff010001 00 002a0000 00290002 0000",
                            false, bytes, &h));
    assert_false(h.is_bad);
    assert_int_equal(h.legacy_version, 0x0303);
    assert_int_equal(h.version, 0x0304);
    assert_int_equal(h.random.size, 32);
    assert_true(span_eq(h.session_id, SPAN("\xaa\xbb")));
    assert_int_equal(h.ciphers.size, 6);
    assert_true(span_eq(h.sni, SPAN("desk.test")));
    assert_true(span_eq(h.alpn_first, SPAN("h2")));
    assert_int_equal(h.record_size_limit, 0x4001);
    assert_true(h.has_sni && h.has_alpn && h.has_extensions && h.has_psk && h.has_early_data && h.has_ech);
    assert_true(h.has_extended_master_secret && h.has_encrypt_then_mac && h.has_renegotiation_info);
    assert_true(h.has_session_ticket && h.has_ticket);
    struct span rest = h.alpn, name, key;
    assert_true(tls_protocol_next(&rest, &name) && span_eq(name, SPAN("h2")));
    assert_true(tls_protocol_next(&rest, &name) && span_eq(name, SPAN("http/1.1")));
    assert_false(tls_protocol_next(&rest, &name));
    uint16_t value;
    rest = h.key_shares;
    assert_true(tls_key_share_next(&rest, &value, &key) && tls_is_grease(value));
    assert_true(tls_key_share_next(&rest, &value, &key) && value == 0x001d && key.size == 2);
    assert_false(tls_key_share_next(&rest, &value, &key));
    rest = h.signature_algorithms;
    assert_true(tls_u16_next(&rest, &value) && value == 0x0403);
    struct tls_extension e;
    rest = h.extensions;
    for (value = 0; tls_extension_next(&rest, &e); value++)
        continue;
    assert_int_equal(value, 16);
}

/* Broken and odd ones: what stands before the error is there. */
static void client_oddities(void **state)
{
    static const struct {
        const char *hex, *sni;
        uint16_t version;
        bool is_read, is_bad, has_sni;
    } rows[] = {
        {"", "", 0, false, true, false},
        {"0303 0011", "", 0, false, true, false},
        {CLIENT, "", 0x0303, true, false, false},
        {CLIENT "0000", "", 0x0303, true, false, false},
        {CLIENT "00", "", 0x0303, true, true, false},
        {CLIENT "0004 00000000", "", 0x0303, true, false, true}, /* empty server_name */
        {CLIENT "000a 00000006 0004 00 0001 61", "a", 0x0303, true, false, true},
        {CLIENT "000a 00000006 0004 01 0001 61", "", 0x0303, true, false, true}, /* not a host name */
        {CLIENT "000e 0000000a 0008 01 0001 62 00 0001 61", "a", 0x0303, true, false, true},
        {CLIENT "000a 00000006 0004 00 0009 61", "", 0x0303, true, true, true},
        {CLIENT "0014 00000006 0004 00 0001 61 00000006 0004 00 0001 62", "a", 0x0303, true, false, true}, /* twice */
        {CLIENT "0100 00000006 0004 00 0001 61", "a", 0x0303, true, true, true},                           /* cut */
        {CLIENT "000b 00000006 0004 00 0001 61 ff", "a", 0x0303, true, true, true},
        {CLIENT "0006 002b0002 0103", "", 0x0303, true, false, false},
        {CLIENT "0007 002b0003 02 0304", "", 0x0304, true, false, false},
        {CLIENT "0007 002b0003 02 0a0a", "", 0x0303, true, false, false}, /* nothing but GREASE */
        {CLIENT "0009 002b0005 02 0304 0303", "", 0x0304, true, true, false},
        {CLIENT "0006 00100002 0000", "", 0x0303, true, false, false},
        {CLIENT "0007 00100003 0001 09", "", 0x0303, true, true, false},
        {"0300" RANDOM "00 0002 000a 0100", "", 0x0300, true, false, false},
        {"0303" RANDOM "00 0003 000a01 0100", "", 0x0303, true, true, false}, /* odd list of ciphers */
        {"0303" RANDOM "00 ffff 000a", "", 0x0303, true, true, false},
        {"0303" RANDOM "21 00", "", 0x0303, true, true, false},
    };
    (void)state;
    for (size_t i = 0; i < N(rows); i++) {
        uint8_t bytes[2048];
        struct tls_client_hello h;
        assert_int_equal(read_client(rows[i].hex, false, bytes, &h), rows[i].is_read);
        assert_int_equal(h.is_bad, rows[i].is_bad);
        if (rows[i].is_read)
            assert_int_equal(h.version, rows[i].version);
        assert_true(span_eq(h.sni, span_text(rows[i].sni)));
        assert_int_equal(h.has_sni, rows[i].has_sni);
    }
}

static void ssl2_client(void **state)
{
    static const struct {
        const char *hex;
        size_t challenge, session_id; /* bytes; 0 = none of the format */
    } rows[] = {
        {"01 0301 0003 0000 0010 000005 00112233445566778899aabbccddeeff", 16, 0},
        {"01 0300 0000 0002 0020 abcd" RANDOM, 32, 2},
        {"02 0301 0003 0000 0010 000005 00112233445566778899aabbccddeeff", 0, 0},   /* no ClientHello */
        {"01 0301 0003 0000 000f 000005 00112233445566778899aabbccddee", 0, 0},     /* challenge too short */
        {"01 0301 0000 0000 0021" RANDOM "20", 0, 0},                               /* and too long */
        {"01 0301 0003 0000 0010 000005 00112233445566778899aabbccddee", 0, 0},     /* cut */
        {"01 0301", 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < N(rows); i++) {
        uint8_t bytes[2048];
        struct tls_client_hello h;
        assert_int_equal(tls_client_hello_read_ssl2(unhex(rows[i].hex, bytes, sizeof bytes), &h), rows[i].challenge > 0);
        if (rows[i].challenge == 0)
            continue;
        assert_int_equal(h.random.size, rows[i].challenge);
        assert_int_equal(h.session_id.size, rows[i].session_id);
    }
}

static void dtls_client(void **state)
{
    uint8_t bytes[2048];
    char ja4[TLS_JA4_SIZE];
    struct tls_client_hello h;
    (void)state;
    assert_true(read_client("fefd" RANDOM "00 03c00c1e 0002 c02f 0100 0009 002b0005 04 fefc fefd", true, bytes, &h));
    assert_int_equal(h.cookie.size, 3);
    assert_int_equal(h.version, 0xfefc);
    assert_false(h.is_bad);
    tls_fingerprint_ja4(&h, TLS_OVER_DTLS, ja4);
    assert_memory_equal(ja4, "dd3i010100_", 11);
}

static void same_server(const struct tls_server_hello *a, const struct tls_server_hello *b)
{
    assert_int_equal(a->legacy_version, b->legacy_version);
    assert_int_equal(a->version, b->version);
    assert_int_equal(a->cipher, b->cipher);
    assert_int_equal(a->compression, b->compression);
    assert_int_equal(a->group, b->group);
    assert_int_equal(a->psk_identity, b->psk_identity);
    assert_int_equal(a->record_size_limit, b->record_size_limit);
    assert_int_equal(a->has_extensions, b->has_extensions);
    assert_int_equal(a->has_psk, b->has_psk);
    assert_int_equal(a->has_session_ticket, b->has_session_ticket);
    assert_int_equal(a->has_extended_master_secret, b->has_extended_master_secret);
    assert_int_equal(a->has_encrypt_then_mac, b->has_encrypt_then_mac);
    assert_int_equal(a->has_renegotiation_info, b->has_renegotiation_info);
    assert_int_equal(a->is_retry, b->is_retry);
    assert_int_equal(a->is_bad, b->is_bad);
}

static void server_hellos(void **state)
{
    static const struct {
        const char *hex;
        struct tls_server_hello want; /* without the spans */
        const char *alpn;
    } rows[] = {
        {"0303" RANDOM "01aa 1301 00 000e 002b0002 0304 00330004 001d 0000",
         {.legacy_version = 0x0303, .version = 0x0304, .cipher = 0x1301, .group = 29, .has_extensions = true},
         ""},
        {"0303" RETRY "00 1302 00 000c 002b0002 0304 00330002 0018",
         {.legacy_version = 0x0303,
          .version = 0x0304,
          .cipher = 0x1302,
          .group = 24,
          .has_extensions = true,
          .is_retry = true},
         ""},
        {"0303" RANDOM
         "00 c02f 01 0026 00100005 0003 02 6832 00170000 00160000 00230000 ff010001 00 00290002 0001 001c0002 0200",
         {.legacy_version = 0x0303,
          .version = 0x0303,
          .cipher = 0xc02f,
          .compression = 1,
          .psk_identity = 1,
          .record_size_limit = 0x200,
          .has_extensions = true,
          .has_psk = true,
          .has_session_ticket = true,
          .has_extended_master_secret = true,
          .has_encrypt_then_mac = true,
          .has_renegotiation_info = true},
         "h2"},
        {"0301" RANDOM "00 002f 00", {.legacy_version = 0x0301, .version = 0x0301, .cipher = 0x2f}, ""},
        {"7f12" RANDOM "1301 0004 00280000", /* a draft: no session id, no compression */
         {.legacy_version = 0x7f12, .version = 0x7f12, .cipher = 0x1301, .has_extensions = true},
         ""},
        {"0303" RANDOM "00 1301 00 0006 002b0001 03",
         {.legacy_version = 0x0303, .version = 0x0303, .cipher = 0x1301, .has_extensions = true, .is_bad = true},
         ""},
        {"0303" RANDOM "00 1301", {.legacy_version = 0x0303, .version = 0x0303, .cipher = 0x1301, .is_bad = true}, ""},
        {"0303" RANDOM "00 1301 00 0009 0000", /* cut */
         {.legacy_version = 0x0303, .version = 0x0303, .cipher = 0x1301, .has_extensions = true, .is_bad = true},
         ""},
    };
    (void)state;
    for (size_t i = 0; i < N(rows); i++) {
        uint8_t bytes[256];
        struct tls_server_hello h;
        assert_true(tls_server_hello_read(unhex(rows[i].hex, bytes, sizeof bytes), &h));
        assert_true(span_eq(h.alpn, span_text(rows[i].alpn)));
        same_server(&h, &rows[i].want);
    }
    struct tls_server_hello h;
    assert_false(tls_server_hello_read(SPAN("\x03\x03"), &h));
    assert_true(h.is_bad);
}

static void encrypted_extensions(void **state)
{
    static const struct {
        const char *hex, *alpn;
        uint16_t limit;
        bool has_early_data, is_bad;
    } rows[] = {
        {"0000", "", 0, false, false},
        {"0013 00100005 0003 02 6832 002a0000 001c0002 4001", "h2", 0x4001, true, false},
        {"", "", 0, false, true},
        {"0005 00100001 00", "", 0, false, true},
    };
    (void)state;
    for (size_t i = 0; i < N(rows); i++) {
        uint8_t bytes[64];
        struct tls_encrypted_extensions got;
        tls_encrypted_extensions_read(unhex(rows[i].hex, bytes, sizeof bytes), &got);
        assert_true(span_eq(got.alpn, span_text(rows[i].alpn)));
        assert_int_equal(got.record_size_limit, rows[i].limit);
        assert_int_equal(got.has_early_data, rows[i].has_early_data);
        assert_int_equal(got.is_bad, rows[i].is_bad);
    }
}

/* The hashes were made by other means: md5sum and sha256sum over the texts in the comments. */
static void fingerprints(void **state)
{
    static const struct {
        const char *hex;
        enum tls_transport transport;
        const char *ja3, *ja4;
    } rows[] = {
        /* 771,4865-49199,, | 1301,c02f */
        {CLIENT, TLS_OVER_TCP, "6ac28f635e78b6e59638f7a1e035f458", "t12i020000_c1929292aa6b_000000000000"},
        /* 771,4865-49199,0-10-11-13-16,29,0 | 000a,000b,000d_0403,0804 */
        {CLIENT "0031 0a0a0000 00000006 0004 00 0001 61 000a0006 0004 2a2a 001d 000b0002 0100 000d0006 0004 0403 0804"
                "00100005 0003 02 6832",
         TLS_OVER_TCP, "9d7605bf52b38c7c0ffa7e3c712901c8", "t12d0205h2_c1929292aa6b_876bcc86782c"},
        /* one character of ALPN; no signature algorithms: 002b | 771,4865-49199,16-43,, */
        {CLIENT "000f 00100004 0002 01 78 002b0003 02 0304", TLS_OVER_QUIC, "adb9dce2e057fbc578d495a2df79275c",
         "q13i0202xx_c1929292aa6b_b9a491fefe05"},
        /* ALPN of ab ... cd: the first and last digit of its hexadecimal form */
        {CLIENT "0009 00100005 0003 02 abcd", TLS_OVER_TCP, "361b5573bf5e601ff48f26f08b28093e",
         "t12i0201ad_c1929292aa6b_000000000000"},
        /* nothing at all: 771,,,, */
        {"0303" RANDOM "00 0000 0100", TLS_OVER_TCP, "bddda940f9963577c41d7c28b1a5f65f",
         "t12i000000_000000000000_000000000000"},
    };
    (void)state;
    for (size_t i = 0; i < N(rows); i++) {
        uint8_t bytes[2048];
        char text[TLS_JA4_SIZE];
        struct tls_client_hello h;
        assert_true(read_client(rows[i].hex, false, bytes, &h));
        assert_false(h.is_bad);
        tls_fingerprint_ja3(&h, text);
        assert_string_equal(text, rows[i].ja3);
        tls_fingerprint_ja4(&h, rows[i].transport, text);
        assert_string_equal(text, rows[i].ja4);
    }
}

static void server_fingerprint(void **state)
{
    uint8_t bytes[256];
    char text[TLS_JA3_SIZE];
    struct tls_server_hello h;
    (void)state;
    assert_true(
        tls_server_hello_read(unhex("0303" RANDOM "00 c02f 00 0008 00170000 00230000", bytes, sizeof bytes), &h));
    tls_fingerprint_ja3s(&h, text); /* 771,49199,23-35 */
    assert_string_equal(text, "16cbdce5febc050c1a04fe40bc2e53f8");
}

/* More ciphers than two digits count, in falling order and twice each: sorted, all of them hashed. */
static void many_ciphers(void **state)
{
    uint8_t bytes[2048] = {3, 3};
    size_t n = 35, list = 35;
    (void)state;
    n += 2;
    for (unsigned i = 200; i-- > 0;)
        for (int twice = 0; twice < 2; twice++) {
            bytes[n++] = 0xc0;
            bytes[n++] = (uint8_t)i;
        }
    bytes[list] = (uint8_t)((n - list - 2) >> 8);
    bytes[list + 1] = (uint8_t)(n - list - 2);
    bytes[n++] = 1;
    bytes[n++] = 0;
    struct tls_client_hello h;
    char text[TLS_JA4_SIZE];
    assert_true(tls_client_hello_read(span_of(bytes, n), false, &h));
    assert_false(h.is_bad);
    tls_fingerprint_ja4(&h, TLS_OVER_TCP, text);
    assert_string_equal(text, "t12i990000_e3e7a11b3464_000000000000"); /* of c000,c000,c001,c001 ... c0c7,c0c7 */
}

static void version_names(void **state)
{
    (void)state;
    assert_string_equal(tls_version_name(0x0304), "TLS 1.3");
    assert_string_equal(tls_version_name(0x0300), "SSL 3.0");
    assert_string_equal(tls_version_name(0xfefd), "DTLS 1.2");
    assert_null(tls_version_name(0x0305));
}

static void hellos_in_datagrams(void **state)
{
    static const struct {
        const char *hex;
        uint8_t type; /* 0 = none */
        size_t size;
    } rows[] = {
        {"16 feff 0000 000000000000 000f 01 000003 0000 000000 000003 aabbcc", 1, 3},
        {"16 fefd 0000 000000000001 000d 02 000001 0001 000000 000001 aa", 2, 1},
        {"16 0100 0000 000000000000 000d 01 000001 0000 000000 000001 aa", 1, 1}, /* Cisco's version */
        {"16 fefd 0000 000000000001 000c 0e 000000 0001 000000 000000 16 fefd 0000 000000000002 000d 02 000001 0001 "
         "000000 "
         "000001 aa",
         2, 1}, /* second record */
        {"16 fefd 0000 000000000001 0019 0e 000000 0001 000000 000000 02 000001 0001 000000 000001 aa", 2, 1},
        {"16 fefd 0001 000000000001 000d 02 000001 0001 000000 000001 aa", 0, 0}, /* protected */
        {"16 fefd 0000 000000000001 000d 01 000002 0001 000000 000001 aa", 0, 0}, /* a fragment */
        {"16 fefd 0000 000000000001 000d 01 000002 0001 000001 000001 aa", 0, 0},
        {"16 fefd 0000 000000000001 000d 01 000002 0001 000000 000002 aa", 0, 0}, /* beyond its record */
        {"16 fefd 0000 000000000001 000e 01 000001 0001 000000 000001 aa", 0, 0}, /* cut */
        {"17 fefd 0000 000000000001 0001 aa", 0, 0},
        {"16 0303 0000 000000000001 000d 01 000001 0001 000000 000001 aa", 0, 0},
        {"16 fefd", 0, 0},
        {"", 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < N(rows); i++) {
        uint8_t bytes[128], type = 0;
        struct span body;
        assert_int_equal(dtls_hello_find(unhex(rows[i].hex, bytes, sizeof bytes), &type, &body), rows[i].type != 0);
        if (rows[i].type)
            assert_int_equal(type, rows[i].type);
        assert_int_equal(body.size, rows[i].size);
    }
}

/* The hello of RFC 9001 cut at every length, and with every byte changed: what comes out lies inside of it. */
static void damaged_hellos(void **state)
{
    uint8_t bytes[512];
    (void)state;
    struct span whole = unhex(quic_hello, bytes, sizeof bytes);
    for (size_t i = 0; i < whole.size; i++) {
        struct tls_client_hello h;
        char text[TLS_JA4_SIZE];
        uint8_t *copy = malloc(i + 1); /* its own allocation: sanitizers see what is read outside */
        assert_non_null(copy);
        memcpy(copy, whole.at, i);
        assert_int_equal(tls_client_hello_read(span_of(copy, i), false, &h), i >= 34);
        if (i > 40)
            tls_fingerprint_ja4(&h, TLS_OVER_QUIC, text);
        free(copy);
        bytes[i] ^= 0xff;
        if (tls_client_hello_read(whole, false, &h)) {
            tls_fingerprint_ja4(&h, TLS_OVER_QUIC, text);
            assert_int_equal(strlen(text), TLS_JA4_SIZE - 1);
            tls_fingerprint_ja3(&h, text);
        }
        bytes[i] ^= 0xff;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(client_fields),      cmocka_unit_test(client_oddities),      cmocka_unit_test(dtls_client),
        cmocka_unit_test(ssl2_client),
        cmocka_unit_test(server_hellos),      cmocka_unit_test(encrypted_extensions), cmocka_unit_test(fingerprints),
        cmocka_unit_test(server_fingerprint), cmocka_unit_test(many_ciphers),         cmocka_unit_test(version_names),
        cmocka_unit_test(damaged_hellos),     cmocka_unit_test(hellos_in_datagrams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
