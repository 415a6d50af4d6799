/* SPDX-License-Identifier: Apache-2.0
 * The leaf of Certificate messages, of TLS 1.2 and 1.3: names, issuer, validity; broken lists and broken certificates.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"
#include "support/cert_vectors.h"
#include "support/unhex.h"
#include "wire/tls_cert.h"

#define N(array) (sizeof(array) / sizeof *(array))

struct message {
    uint8_t bytes[40000];
    size_t size;
};

static void put_u24(struct message *m, size_t value)
{
    m->bytes[m->size++] = (uint8_t)(value >> 16);
    m->bytes[m->size++] = (uint8_t)(value >> 8);
    m->bytes[m->size++] = (uint8_t)value;
}

/* A Certificate message with these certificates; TLS 1.3: a context of two bytes, and extensions behind each. */
static struct span build(struct message *m, bool is_tls13, const char *const *certs, size_t n)
{
    m->size = 0;
    if (is_tls13) {
        memcpy(m->bytes, "\x02\xaa\xbb", 3);
        m->size = 3;
    }
    size_t length_at = m->size;
    put_u24(m, 0);
    for (size_t i = 0; i < n; i++) {
        size_t at = m->size;
        put_u24(m, 0);
        size_t size = unhex(certs[i], m->bytes + m->size, sizeof m->bytes - m->size).size;
        m->size = at;
        put_u24(m, size);
        m->size += size;
        if (is_tls13) {
            memcpy(m->bytes + m->size, "\x00\x01\xcc", 3);
            m->size += 3;
        }
    }
    size_t end = m->size;
    m->size = length_at;
    put_u24(m, end - length_at - 3);
    m->size = end;
    return span_of(m->bytes, end);
}

#define FROM_2023 INT64_C(1672531200)
#define TO_2033 INT64_C(1988150400)

static void leaves(void **state)
{
    static const struct {
        const char *der, *name, *subject, *issuer;
        int64_t to;
        bool is_cut;
    } rows[] = {
        {cert_plain, "desk.example", "CN=desk.example,O=Desk\\, Inc.,C=DE", "Example CA 1", TO_2033, false},
        {cert_san_only, "files.example", "O=Desk", "Only Org", TO_2033, false},
        {cert_utf8, "Zo\xc3\xab H\xc3\xa4rt", "CN=Zo\xc3\xab H\xc3\xa4rt", "Example CA 1", INT64_C(2884809600), false},
        {cert_control, "a?b?c", "CN=a\\0Ab\\09c", "Example CA 1", TO_2033, false},
        {cert_bare, "", "", "Only Org", TO_2033, false},
    };
    static struct message m;
    (void)state;
    for (size_t i = 0; i < 2 * N(rows); i++) {
        struct tls_cert cert;
        const char *const chain[] = {rows[i / 2].der, cert_bare};
        bool is_tls13 = i % 2;
        assert_int_equal(tls_cert_read(build(&m, is_tls13, chain, 2), is_tls13, &cert), E_OK);
        assert_string_equal(cert.name, rows[i / 2].name);
        assert_string_equal(cert.subject, rows[i / 2].subject);
        assert_string_equal(cert.issuer, rows[i / 2].issuer);
        assert_int_equal(cert.not_before, FROM_2023);
        assert_int_equal(cert.not_after, rows[i / 2].to);
        assert_int_equal(cert.n_chain, 2);
        assert_int_equal(cert.is_cut, rows[i / 2].is_cut);
    }
}

static void long_subjects_are_cut(void **state)
{
    static struct message m;
    struct tls_cert cert;
    const char *const chain[] = {cert_long};
    (void)state;
    assert_int_equal(tls_cert_read(build(&m, false, chain, 1), false, &cert), E_OK);
    assert_true(cert.is_cut);
    assert_int_equal(strlen(cert.subject), TLS_CERT_SUBJECT - 1);
    assert_string_equal(cert.name, "long.example");
}

static void broken_messages(void **state)
{
    static const struct {
        const char *hex;
        bool is_tls13;
        int error;
    } rows[] = {
        {"", false, E_BAD},
        {"0000", false, E_BAD},
        {"000000", false, E_NONE}, /* a client without a certificate */
        {"00000000", true, E_NONE},
        {"000004 000001 30", false, E_BAD},
        {"000003 000000", false, E_BAD},
        {"000005 000010 3000", false, E_BAD},
        {"000010 000001 30", false, E_BAD},
        {"02aa", true, E_BAD},
    };
    (void)state;
    for (size_t i = 0; i < N(rows); i++) {
        uint8_t bytes[32];
        struct tls_cert cert;
        assert_int_equal(tls_cert_read(unhex(rows[i].hex, bytes, sizeof bytes), rows[i].is_tls13, &cert),
                         rows[i].error);
    }
}

/* Every byte of a leaf changed, and every length cut: an answer, whatever it is, and texts that end. */
static void damaged_leaves(void **state)
{
    static struct message m;
    const char *const chain[] = {cert_san_only};
    (void)state;
    struct span body = build(&m, false, chain, 1);
    for (size_t i = 0; i < body.size; i++) {
        struct tls_cert cert;
        m.bytes[i] ^= 0x81;
        (void)tls_cert_read(body, false, &cert); /* only that it returns, under the sanitizers */
        m.bytes[i] ^= 0x81;
        assert_true(memchr(cert.name, 0, sizeof cert.name) && memchr(cert.subject, 0, sizeof cert.subject));
        assert_int_equal(tls_cert_read(span_sub(body, 0, i), false, &cert), E_BAD);
    }
}

static void oversize_leaf(void **state)
{
    static struct message m;
    struct tls_cert cert;
    (void)state;
    m.size = 0;
    put_u24(&m, TLS_CERT_MAX + 4);
    put_u24(&m, TLS_CERT_MAX + 1);
    memset(m.bytes + m.size, 0x30, TLS_CERT_MAX + 1);
    assert_int_equal(tls_cert_read(span_of(m.bytes, m.size + TLS_CERT_MAX + 1), false, &cert), E_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaves),         cmocka_unit_test(long_subjects_are_cut), cmocka_unit_test(broken_messages),
        cmocka_unit_test(damaged_leaves), cmocka_unit_test(oversize_leaf),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
