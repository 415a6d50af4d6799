/* SPDX-License-Identifier: Apache-2.0
 * The hellos of DTLS 1.0 and 1.2 (RFC 6347), and of 1.3 as far as they look the same (RFC 9147): whole in one datagram, as
 * nearly all are. Nothing is kept, so one in fragments is not read. */
#ifndef WIRE_DTLS_HELLO_H
#define WIRE_DTLS_HELLO_H

#include "base/span.h"

/* The first unprotected ClientHello or ServerHello of a datagram: its type (enum tls_handshake_type) and body. False when
 * there is none: 'body' is empty then. */
bool dtls_hello_find(struct span datagram, uint8_t *type, struct span *body);

#endif
