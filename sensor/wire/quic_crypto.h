/* SPDX-License-Identifier: Apache-2.0
 * The protection of QUIC Initial packets (RFC 9001 section 5, RFC 9369 section 3.3): keys from a version and a
 * connection id, header protection, AES-128-GCM. No heap after quic_opener_new. */
#ifndef WIRE_QUIC_CRYPTO_H
#define WIRE_QUIC_CRYPTO_H

#include "base/span.h"

#define QUIC_TAG 16u    /* bytes of the AEAD's tag */
#define QUIC_SAMPLE 16u /* bytes of ciphertext that header protection looks at */

struct quic_opener; /* the ciphers, ready for use; one thread at a time */

struct quic_opener *quic_opener_new(void); /* NULL when the crypto library fails */
void quic_opener_free(struct quic_opener *o);

struct quic_keys {
    uint8_t key[16], iv[12], hp[16];
};

/* How a version protects and numbers its packets; versions that share all of it share a row. */
struct quic_version {
    uint32_t first, last; /* version numbers, inclusive */
    uint8_t salt[20];
    bool is_v2; /* labels and packet types of RFC 9369 */
};

/* NULL when the version is not known. */
const struct quic_version *quic_version_find(uint32_t version);
/* The keys of the client's, or the server's, Initial packets; 'cid' is the first Destination Connection ID of the
 * client. */
void quic_keys_derive(const struct quic_version *version, struct span cid, bool is_server, struct quic_keys *keys);

struct quic_packet {
    struct span header; /* from the first byte up to the packet number */
    struct span sealed; /* packet number, ciphertext and tag */
};

/* Takes off header protection and opens the packet: *plain is in the opener, until its next use. False when it is too
 * short, or its tag does not fit. */
bool quic_opener_open(struct quic_opener *o, const struct quic_keys *keys, const struct quic_packet *packet,
                      struct span *plain);

#endif
