/* SPDX-License-Identifier: Apache-2.0
 * Keyed ciphers out of OpenSSL, for tls_open.c alone: contexts are made when a slot is first taken for a cipher and
 * used again by the next connection that wants it. The only user of OpenSSL's EVP. */
#ifndef WIRE_TLS_CIPHER_H
#define WIRE_TLS_CIPHER_H

#include "wire/tls_schedule.h"

struct tls_cipher_pool;

/* What one opener keeps secret; in locked memory. */
struct tls_slot_secret {
    uint8_t iv[TLS_IV_MAX];        /* fixed part of the nonce; CBC with implicit IVs: the next one */
    uint8_t traffic[TLS_HASH_MAX]; /* TLS 1.3: the traffic secret, for the next generation */
    struct tls_hmac mac;
};

struct tls_open_slot {
    struct tls_slot_secret *secret;
    void *main, *keystream;     /* contexts; NULL for the NULL cipher, and where there is no keystream */
    struct tls_open_slot *next; /* while it is free */
    uint8_t cipher;             /* enum tls_cipher_id the contexts are for */
    bool is_broken;             /* a stream cipher that lost its place */
};

struct tls_cipher_pool *tls_cipher_pool_new(uint32_t max);
void tls_cipher_pool_free(struct tls_cipher_pool *p);
bool tls_cipher_pool_is_locked(const struct tls_cipher_pool *p);
bool tls_cipher_can(const struct tls_cipher_pool *p, enum tls_cipher_id cipher);
uint64_t tls_cipher_made(const struct tls_cipher_pool *p); /* contexts taken from the heap so far */

/* A slot without a key; NULL when all are out or the heap gives no context. */
struct tls_open_slot *tls_cipher_take(struct tls_cipher_pool *p, enum tls_cipher_id cipher);
/* Overwrites the key, wipes the secrets. */
void tls_cipher_give(struct tls_cipher_pool *p, struct tls_open_slot *slot);
/* Sets the key; as long as the cipher's shape says. */
void tls_cipher_key(struct tls_open_slot *slot, const uint8_t *key);

/* Decrypts 'text' into 'out' when the tag (16 or 8 bytes, as the shape says) fits nonce (12 bytes) and 'aad'. */
bool tls_cipher_open(struct tls_open_slot *slot, const uint8_t *nonce, struct span aad, struct span text,
                     const uint8_t *tag, uint8_t *out);
/* The same without a tag, for 'text' that begins 'at' bytes into the record's. */
void tls_cipher_peek(struct tls_open_slot *slot, const uint8_t *nonce, size_t at, struct span text, uint8_t *out);
/* Whole blocks. */
void tls_cipher_cbc(struct tls_open_slot *slot, const uint8_t *iv, struct span blocks, uint8_t *out);
/* The next bytes of a stream cipher. */
void tls_cipher_stream(struct tls_open_slot *slot, struct span text, uint8_t *out);

#endif
