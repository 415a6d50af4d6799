/* SPDX-License-Identifier: Apache-2.0
 * Cipher suites by their number in the hello: cipher, MAC and hash of the key schedule (the IANA registry of TLS
 * cipher suites; RFC 8446, 5246, 5288, 6655, 7905, 6209, 6367, 5932, 4492, 2246). Key exchange and authentication do
 * not matter here: the secrets come from a key log. */
#ifndef WIRE_TLS_SUITE_H
#define WIRE_TLS_SUITE_H

#include "wire/tls_hmac.h"

enum tls_cipher_id {
    TLS_CIPHER_NULL,
    TLS_CIPHER_RC4_128,
    TLS_CIPHER_RC4_40, /* export: 40 bits of key */
    TLS_CIPHER_RC2_40_CBC,
    TLS_CIPHER_DES40_CBC,
    TLS_CIPHER_DES_CBC,
    TLS_CIPHER_3DES_CBC,
    TLS_CIPHER_IDEA_CBC,
    TLS_CIPHER_SEED_CBC,
    TLS_CIPHER_AES_128_CBC,
    TLS_CIPHER_AES_256_CBC,
    TLS_CIPHER_CAMELLIA_128_CBC,
    TLS_CIPHER_CAMELLIA_256_CBC,
    TLS_CIPHER_ARIA_128_CBC,
    TLS_CIPHER_ARIA_256_CBC,
    TLS_CIPHER_AES_128_GCM,
    TLS_CIPHER_AES_256_GCM,
    TLS_CIPHER_CAMELLIA_128_GCM,
    TLS_CIPHER_CAMELLIA_256_GCM,
    TLS_CIPHER_ARIA_128_GCM,
    TLS_CIPHER_ARIA_256_GCM,
    TLS_CIPHER_AES_128_CCM,
    TLS_CIPHER_AES_256_CCM,
    TLS_CIPHER_AES_128_CCM_8,
    TLS_CIPHER_AES_256_CCM_8,
    TLS_CIPHER_CHACHA20_POLY1305,
    TLS_CIPHERS,
};

enum tls_mode { TLS_MODE_NULL, TLS_MODE_STREAM, TLS_MODE_CBC, TLS_MODE_GCM, TLS_MODE_CCM, TLS_MODE_CHACHA };

/* What a cipher looks like; sizes in bytes. */
struct tls_cipher_shape {
    const char *name;      /* of the cipher in OpenSSL; NULL for TLS_CIPHER_NULL */
    const char *keystream; /* AEAD: of what makes the keystream inside it, in OpenSSL: block or stream cipher */
    uint8_t mode;          /* enum tls_mode */
    uint8_t key_size;      /* of the key */
    uint8_t key_material;  /* taken from the key block; less than key_size for the export ciphers */
    uint8_t block_size;    /* CBC; else 1 */
    uint8_t fixed_iv_size; /* from the key block or schedule: AEAD of TLS 1.2; CBC: of TLS 1.0 and before */
    uint8_t nonce_size;    /* explicit nonce in each record of TLS 1.2: 8, or 0 */
    uint8_t tag_size;      /* AEAD */
};

struct tls_suite {
    uint16_t id;
    uint8_t cipher;   /* enum tls_cipher_id */
    uint8_t mac;      /* enum tls_hash: of CBC, stream and NULL suites */
    uint8_t prf;      /* enum tls_hash: of TLS 1.2's PRF and of TLS 1.3 */
    bool is_tls13;    /* of TLS 1.3 only; the others are never of it */
    const char *name; /* as IANA writes it */
};

/* NULL when the number is not known. */
const struct tls_suite *tls_suite_find(uint16_t id);
const struct tls_cipher_shape *tls_suite_shape(const struct tls_suite *suite);

#endif
