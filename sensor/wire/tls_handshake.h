/* SPDX-License-Identifier: Apache-2.0
 * Handshake messages of one direction out of the plaintext of its handshake records (RFC 8446 section 4): a message may
 * span records, a record may hold several. Bounded: what is worth reading is kept, the rest is skipped by its length.
 */
#ifndef WIRE_TLS_HANDSHAKE_H
#define WIRE_TLS_HANDSHAKE_H

#include "base/pool.h"
#include "base/span.h"

#define TLS_HANDSHAKE_SMALL 4096u  /* block of most messages, header included */
#define TLS_HANDSHAKE_LARGE 65536u /* what is kept of a message, header included */

enum tls_handshake_type {
    TLS_HELLO_REQUEST = 0,
    TLS_CLIENT_HELLO = 1,
    TLS_SERVER_HELLO = 2, /* also HelloRetryRequest of TLS 1.3 */
    TLS_NEW_SESSION_TICKET = 4,
    TLS_END_OF_EARLY_DATA = 5,
    TLS_ENCRYPTED_EXTENSIONS = 8,
    TLS_CERTIFICATE = 11,
    TLS_SERVER_KEY_EXCHANGE = 12,
    TLS_CERTIFICATE_REQUEST = 13,
    TLS_SERVER_HELLO_DONE = 14,
    TLS_CERTIFICATE_VERIFY = 15,
    TLS_CLIENT_KEY_EXCHANGE = 16,
    TLS_FINISHED = 20,
    TLS_CERTIFICATE_STATUS = 22,
    TLS_KEY_UPDATE = 24,
};

struct tls_handshake_memory {
    struct pool *small, *large; /* blocks of TLS_HANDSHAKE_SMALL and TLS_HANDSHAKE_LARGE bytes */
    uint64_t refused;           /* messages that were only measured because the pools were used up */
};

/* The members are the machine's own. Zeroed by tls_handshake_init. */
struct tls_handshake {
    uint8_t n_header; /* bytes of the message header so far */
    uint8_t header[4];
    bool is_kept;   /* the message under way is collected */
    bool is_handed; /* the block holds what was handed out last */
    bool is_large;  /* the block is of the large pool */
    uint32_t have;  /* bytes of the body so far */
    uint8_t *block;
};

enum tls_handshake_event {
    TLS_HANDSHAKE_MORE,    /* the fragment is used up */
    TLS_HANDSHAKE_MESSAGE, /* a message is over */
};

struct tls_handshake_out {
    uint8_t type;        /* enum tls_handshake_type, or unknown */
    uint32_t length;     /* of its body, bytes */
    struct span body;    /* kept types only: ClientHello, ServerHello, EncryptedExtensions, Certificate, KeyUpdate,
                          * Finished; valid until the next call. Empty when it was only measured */
    struct span message; /* the same with its 4 bytes of header */
    bool is_kept;        /* 'body' is the body */
    bool is_cut;         /* the body is longer than what is kept: 'body' is its beginning */
};

void tls_handshake_init(struct tls_handshake *h);
/* Gives back what it holds. */
void tls_handshake_fini(struct tls_handshake *h, struct tls_handshake_memory *memory);
/* Takes bytes off the front of *fragment. The caller steps until TLS_HANDSHAKE_MORE. */
enum tls_handshake_event tls_handshake_step(struct tls_handshake *h, struct tls_handshake_memory *memory,
                                            struct span *fragment, struct tls_handshake_out *out);
/* Whether a fragment is one whole ClientHello or ServerHello in the clear: behind a ChangeCipherSpec that protects nothing
 * (RFC 8446 appendix D.4, after a HelloRetryRequest). Ciphertext looks like that by chance once in 2^40. */
bool tls_handshake_is_hello(struct span fragment);
/* A record is missing or could not be read: the message under way is dropped, the next fragment begins a message. True
 * when there was one. */
bool tls_handshake_gap(struct tls_handshake *h, struct tls_handshake_memory *memory);

#endif
