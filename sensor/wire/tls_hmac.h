/* SPDX-License-Identifier: Apache-2.0
 * HMAC (RFC 2104) and the MAC of SSL 3.0 (RFC 6101 section 5.2.3.1) with the hashes of TLS. The keyed states are made
 * once and copied for each message: nothing here takes memory from the heap. */
#ifndef WIRE_TLS_HMAC_H
#define WIRE_TLS_HMAC_H

#include "base/span.h"

enum tls_hash { TLS_HASH_NONE, TLS_HASH_MD5, TLS_HASH_SHA1, TLS_HASH_SHA256, TLS_HASH_SHA384 };

#define TLS_HASH_MAX 48u        /* bytes, of the longest digest */
#define TLS_HASH_BLOCK_MAX 128u /* bytes, of the longest block */
#define TLS_HASH_STATE 216u     /* bytes, of the largest state */

struct tls_digest { /* a hash under way; the state is the library's */
    uint8_t hash;   /* enum tls_hash */
    _Alignas(8) uint8_t state[TLS_HASH_STATE];
};

struct tls_hmac { /* two states that have read the key */
    struct tls_digest inner, outer;
};

/* Bytes; 0 for TLS_HASH_NONE. */
size_t tls_hash_size(enum tls_hash hash);

void tls_digest_init(struct tls_digest *d, enum tls_hash hash);
void tls_digest_add(struct tls_digest *d, struct span bytes);
/* Writes tls_hash_size bytes. */
void tls_digest_end(struct tls_digest *d, uint8_t *out);

/* A key of any length, copied into the states; the caller wipes *h. */
void tls_hmac_init(struct tls_hmac *h, enum tls_hash hash, struct span key);
/* The same for the MAC of SSL 3.0 (MD5 and SHA-1 only). */
void tls_hmac_init_ssl3(struct tls_hmac *h, enum tls_hash hash, struct span key);
/* The MAC of 'n' spans read one after the other. */
void tls_hmac_of(const struct tls_hmac *h, const struct span *parts, size_t n, uint8_t *out);

#endif
