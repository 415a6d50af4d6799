/* SPDX-License-Identifier: Apache-2.0
 * Lines of a TLS key log (RFC 9850; NSS, curl, browsers and OpenSSL's callback write it): which secret belongs to which
 * connection. One line in, one entry out; nothing is kept. */
#ifndef WIRE_TLS_KEYLOG_H
#define WIRE_TLS_KEYLOG_H

#include "base/counter.h"
#include "base/span.h"

#define TLS_RANDOM_SIZE 32u /* bytes of a ClientHello's random */
#define TLS_SECRET_MAX 48u  /* bytes: the master secret, or the output of SHA-384; TLS has no longer ones */

enum tls_secret {
    TLS_SECRET_MASTER,           /* CLIENT_RANDOM: the master secret of SSL 3.0 to TLS 1.2 */
    TLS_SECRET_CLIENT_EARLY,     /* CLIENT_EARLY_TRAFFIC_SECRET: 0-RTT data */
    TLS_SECRET_CLIENT_HANDSHAKE, /* CLIENT_HANDSHAKE_TRAFFIC_SECRET */
    TLS_SECRET_SERVER_HANDSHAKE, /* SERVER_HANDSHAKE_TRAFFIC_SECRET */
    TLS_SECRET_CLIENT_TRAFFIC,   /* CLIENT_TRAFFIC_SECRET_0 */
    TLS_SECRET_SERVER_TRAFFIC,   /* SERVER_TRAFFIC_SECRET_0 */
    TLS_SECRETS,
};

struct tls_keylog_entry {
    uint8_t label;           /* enum tls_secret */
    uint8_t size;            /* of the secret, bytes: 32 or 48 */
    uint8_t session_id_size; /* not 0: an older "RSA Session-ID:" line, that names the connection by its session id; it
                              * stands in 'client_random', filled up with zeros */
    uint8_t client_random[TLS_RANDOM_SIZE];
    uint8_t secret[TLS_SECRET_MAX];
};

/* Every line ends in exactly one of the others, so lines = the sum of the rest. Zeroed by its owner. */
struct tls_keylog_counts {
    uint64_t lines;
    uint64_t entries; /* secrets that are used */
    uint64_t blank;   /* comments and empty lines */
    uint64_t other;   /* well-formed, of a label that is not used here: EXPORTER_SECRET, ECH_*, QUIC_*, ... */
    uint64_t rsa;     /* "RSA" lines with a premaster secret: not used */
    uint64_t garbage; /* anything else */
};
struct counters tls_keylog_counters(const struct tls_keylog_counts *counts);

/* One line, with or without its line end. True when *entry is filled; else the counts tell why not. The caller wipes
 * *entry after use. */
bool tls_keylog_line(struct span line, struct tls_keylog_counts *counts, struct tls_keylog_entry *entry);

#endif
