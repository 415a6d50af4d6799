/* SPDX-License-Identifier: Apache-2.0
 * Keyed hashes of secrets: HMAC-SHA-256 (RFC 2104), cut to 128 bits. The only way a token leaves its parser. */
#ifndef BASE_KEYED_H
#define BASE_KEYED_H

#include "base/span.h"

#define KEYED_SIZE 16

struct keyed; /* one deployment key, ready for use; one thread at a time */

/* The documented key of replays that were given none. */
struct keyed *keyed_new_default(void);
/* A key from raw bytes (>= 16), copied; NULL when too short or the crypto library fails. */
struct keyed *keyed_new(struct span key);
void keyed_free(struct keyed *k); /* wipes the key */
/* HMAC of 'domain' (a short constant: "cookie", "token", ...), NUL, 'secret'. */
void keyed_hash(struct keyed *k, struct span domain, struct span secret, uint8_t out[KEYED_SIZE]);
/* HMAC-SHA-256 of a message, whole: to sign what is sent. */
void keyed_mac(struct keyed *k, struct span message, uint8_t out[32]);

#endif
