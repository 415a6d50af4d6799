/* SPDX-License-Identifier: Apache-2.0
 * Published vectors of the key schedules: RFC 8448 section 3 (TLS 1.3, and one of its records), the PRF of TLS 1.2 and
 * of TLS 1.0, HMAC (RFC 2202, 4231); and the table of suites. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/hex.h"
#include "wire/tls_open.h"
#include "wire/tls_schedule.h"

#define N(array) (sizeof(array) / sizeof *(array))

static struct span bytes_of(const char *hex, uint8_t *out)
{
    size_t n = 0;
    unsigned byte;
    for (; sscanf(hex + 2 * n, "%2x", &byte) == 1 && hex[2 * n]; n++)
        out[n] = (uint8_t)byte;
    return span_of(out, n);
}

static void assert_hex(struct span got, const char *hex)
{
    char text[512];
    assert_true(got.size < 256);
    assert_string_equal(hex_text(got, text), hex);
}

static void test_traffic_keys(void **state)
{
    (void)state;
    static const struct {
        const char *secret, *key, *iv;
    } rows[] = {
        {"b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38", "3fce516009c21727d0f2e4e86ee403bc",
         "5d313eb2671276ee13000b30"},
        {"b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21", "dbfaa693d1762c5b666af5d950258d01",
         "5bd3c71b836e0b76bb73265f"},
        {"a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643", "9f02283b6c9c07efc26bb9f2ac92e356",
         "cf782b88dd83549aadf1e984"},
        {"9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5", "17422dda596ed5d9acd890e3c63f5051",
         "5b78923dee08579033e523d9"},
    };
    for (size_t i = 0; i < N(rows); i++) {
        uint8_t secret[64];
        struct tls_record_keys keys;
        tls_schedule_13(tls_suite_find(0x1301), bytes_of(rows[i].secret, secret), &keys);
        assert_hex(span_of(keys.key, 16), rows[i].key);
        assert_hex(span_of(keys.iv, 12), rows[i].iv);
    }
}

static void test_record(void **state)
{
    (void)state;
    uint8_t secret[64], wire[128], out[128];
    struct tls_open_pool *pool = tls_open_pool_new(1);
    struct tls_opener o = {0};
    struct tls_opened opened;
    struct span fragment =
        bytes_of("a23f7054b62c94d0affafe8228ba55cbefacea42f914aa66bcab3f2b9819a8a5b46b395bd54a9a20441e"
                 "2b62974e1f5a6292a2977014bd1e3deae63aeebb21694915e4",
                 wire);
    const struct tls_record record = {23, 0x0303, fragment.size};
    assert_int_equal(
        tls_opener_init_13(&o, pool, tls_suite_find(0x1301),
                           bytes_of("9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5", secret)),
        0);
    assert_int_equal(tls_opener_open(&o, &record, fragment, out, &opened), 0);
    assert_int_equal(opened.type, 23);
    assert_int_equal(opened.data.size, 50);
    for (size_t i = 0; i < opened.data.size; i++)
        assert_int_equal(opened.data.at[i], i);
    tls_opener_close(&o);
    tls_open_pool_free(pool);
}

static void test_prf(void **state)
{
    (void)state;
    static const struct {
        uint16_t version;
        enum tls_hash hash;
        const char *secret, *label, *seed, *out; /* hexadecimal but for the label */
    } rows[] = {
        {0x0303, TLS_HASH_SHA256, "9bbe436ba940f017b17652849a71db35", "test label", "a0ba9f936cda311827a6f796ffd5198c",
         "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e14baf9af0fa022f7077de"
         "f17"
         "abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff70187347b66"},
        {0x0301, TLS_HASH_SHA256, "736563726574", "label", "73656564", "b5baf4722b91851a8816d22ebd8c1d8cc2e94d55"},
        {0x0302, TLS_HASH_SHA256, "73656372657478", "key expansion", "73656564",
         "faf52355d83e9d1c735b33fa01dae9f46a1758c4c3a86544611a7e1da65b84a28fb195438c86b1400a71ba9dbeeae3a9bb6c926647ef5"
         "0b4f1e0a7d2"},
        {0x0303, TLS_HASH_SHA384, "736563726574", "label", "73656564",
         "e6a6f199a9f16f9a566570cd0d8da71e04b551e24dcb65207061adcda3ae99c3c68fb6cf5990ae7658dbd83be3e72c96cae20c34a7968"
         "9708b1c2a88"},
    };
    for (size_t i = 0; i < N(rows); i++) {
        uint8_t secret[64], seed[64], out[128];
        struct span b = bytes_of(rows[i].seed, seed);
        size_t size = strlen(rows[i].out) / 2;
        tls_prf(rows[i].version, rows[i].hash, bytes_of(rows[i].secret, secret), rows[i].label, span_sub(b, 0, 3),
                span_from(b, 3), out, size);
        assert_hex(span_of(out, size), rows[i].out);
    }
}

static void test_hmac(void **state)
{
    (void)state;
    static const struct {
        enum tls_hash hash;
        uint8_t byte;
        size_t key_size; /* of that byte */
        const char *text, *mac;
    } rows[] = {
        {TLS_HASH_MD5, 0x0b, 16, "Hi There", "9294727a3638bb1c13f48ef8158bfc9d"},
        {TLS_HASH_SHA1, 0x0b, 20, "Hi There", "b617318655057264e28bc0b6fb378c8ef146be00"},
        {TLS_HASH_SHA1, 0xaa, 80, "Test Using Larger Than Block-Size Key - Hash Key First",
         "aa4ae5e15272d00e95705637ce8a3b55ed402112"},
        {TLS_HASH_SHA256, 0x0b, 20, "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {TLS_HASH_SHA384, 0x0b, 20, "Hi There",
         "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f4af152e8b2fa9cb6"},
        {TLS_HASH_SHA384, 0xaa, 131, "Test Using Larger Than Block-Size Key - Hash Key First",
         "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c60c2ef6ab4030fe8296248df163f44952"},
    };
    for (size_t i = 0; i < N(rows); i++) {
        uint8_t key[131], mac[TLS_HASH_MAX];
        struct tls_hmac h;
        memset(key, rows[i].byte, sizeof key);
        tls_hmac_init(&h, rows[i].hash, span_of(key, rows[i].key_size));
        struct span text = span_text(rows[i].text);
        tls_hmac_of(&h, (struct span[]){span_sub(text, 0, 3), span_from(text, 3)}, 2, mac);
        assert_hex(span_of(mac, tls_hash_size(rows[i].hash)), rows[i].mac);
    }
}

static void test_suites(void **state)
{
    (void)state;
    unsigned n = 0;
    for (unsigned id = 0; id < 65536; id++) {
        const struct tls_suite *suite = tls_suite_find((uint16_t)id);
        if (!suite)
            continue;
        const struct tls_cipher_shape *shape = tls_suite_shape(suite);
        n++;
        assert_int_equal(suite->id, id);
        assert_true(suite->cipher < TLS_CIPHERS && shape->key_size <= TLS_KEY_MAX &&
                    shape->fixed_iv_size <= TLS_IV_MAX);
        assert_true((shape->tag_size > 0) == (shape->mode >= TLS_MODE_GCM));
        assert_true(shape->tag_size == 0 || suite->mac == TLS_HASH_NONE);
        assert_true(shape->tag_size > 0 || suite->mac != TLS_HASH_NONE || id == 0);
        assert_int_equal(memcmp(suite->name, "TLS_", 4), 0);
    }
    assert_int_equal(n, 337);
    assert_string_equal(tls_suite_find(0xc02f)->name, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
    assert_int_equal(tls_suite_find(0x1302)->prf, TLS_HASH_SHA384);
    assert_int_equal(tls_suite_find(0xc027)->mac, TLS_HASH_SHA256);
    assert_null(tls_suite_find(0x0a0a));
    assert_null(tls_suite_find(0xffff));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_traffic_keys), cmocka_unit_test(test_record), cmocka_unit_test(test_prf),
        cmocka_unit_test(test_hmac),         cmocka_unit_test(test_suites),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
