/* SPDX-License-Identifier: Apache-2.0
 * From logged secrets to the keys of records: HKDF-Expand-Label of TLS 1.3 (RFC 8446 section 7), the PRF of TLS 1.2
 * (RFC 5246 section 5), of TLS 1.0 and 1.1 (RFC 2246 section 5) and the MD5 and SHA-1 cascade of SSL 3.0 (RFC 6101
 * section 6.2.2). Nothing is kept, nothing is taken from the heap; callers wipe what they get. */
#ifndef WIRE_TLS_SCHEDULE_H
#define WIRE_TLS_SCHEDULE_H

#include "wire/tls_suite.h"

#define TLS_KEY_MAX 32u /* bytes of a cipher key */
#define TLS_IV_MAX 16u

struct tls_record_keys { /* of one direction */
    uint8_t mac[TLS_HASH_MAX], key[TLS_KEY_MAX], iv[TLS_IV_MAX];
};

/* HKDF-Expand-Label(secret, label, context, size); 'label' without its "tls13 ". size <= 255. */
void tls_expand_label(enum tls_hash hash, struct span secret, const char *label, struct span context, uint8_t *out,
                      size_t size);
/* Key and IV of a traffic secret (section 7.3). */
void tls_schedule_13(const struct tls_suite *suite, struct span secret, struct tls_record_keys *keys);
/* The traffic secret after a KeyUpdate (section 7.2), as long as the one before; 'next' may be the same memory. */
void tls_schedule_update(const struct tls_suite *suite, struct span secret, uint8_t *next);

/* PRF of 'version' (0x0300 to 0x0303) over label and two seeds. 'hash' is of the suite, for TLS 1.2. */
void tls_prf(uint16_t version, enum tls_hash hash, struct span secret, const char *label, struct span seed_a,
             struct span seed_b, uint8_t *out, size_t size);
/* The keys of one direction out of the key block. 'is_server': of what the server sends. */
void tls_schedule_12(const struct tls_suite *suite, uint16_t version, struct span master, struct span client_random,
                     struct span server_random, bool is_server, struct tls_record_keys *keys);

#endif
