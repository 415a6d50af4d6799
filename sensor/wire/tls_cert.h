/* SPDX-License-Identifier: Apache-2.0
 * The leaf of a Certificate message (RFC 5246 section 7.4.2, RFC 8446 section 4.4.2): whose it is, who issued it, how
 * long it is valid. In TLS 1.2 it is in the clear, the client's too. One d2i_X509 a message, freed before the return.
 */
#ifndef WIRE_TLS_CERT_H
#define WIRE_TLS_CERT_H

#include "base/span.h"

#define TLS_CERT_MAX 16384u /* bytes of a leaf that is looked into */
#define TLS_CERT_NAME 256u
#define TLS_CERT_SUBJECT 512u

struct tls_cert {
    char name[TLS_CERT_NAME];       /* common name of the subject, else its first DNS name; "" when neither */
    char subject[TLS_CERT_SUBJECT]; /* RFC 4514 text; cut where it is longer (is_cut) */
    char issuer[TLS_CERT_NAME];     /* common name of the issuer, else its organisation */
    int64_t not_before, not_after;  /* seconds since 1970, 0 = unreadable */
    uint32_t n_chain;               /* certificates in the message */
    bool is_cut;
};

/* 'body' is the message without its handshake header. 0; E_BAD when it is malformed or the leaf is none; E_LIMIT when
 * the leaf is larger than TLS_CERT_MAX; E_NONE when the list is empty (a client without a certificate). The direction
 * the message went tells whose certificate it is. Bytes below 0x20 never reach a text. */
int tls_cert_read(struct span body, bool is_tls13, struct tls_cert *cert);

#endif
