/* SPDX-License-Identifier: Apache-2.0
 * How protected records are laid out, version by version and mode by mode; for tls_open.c alone. */
#ifndef WIRE_TLS_OPEN_FORM_H
#define WIRE_TLS_OPEN_FORM_H

#include "wire/tls_cipher.h"
#include "wire/tls_open.h"

/* Opens a record under sequence number 'seq'; nothing of the opener moves, but for stream ciphers. Returns what
 * tls_opener_open does. */
int tls_form_open(struct tls_opener *o, uint64_t seq, const struct tls_record *record, struct span fragment,
                  uint8_t *out, struct tls_opened *opened);
/* False when a record cannot be of this sequence number: cheaper than to open it. */
bool tls_form_is_plausible(struct tls_opener *o, uint64_t seq, struct span fragment);
/* The record that ends in 'tail' is behind us: CBC with implicit IVs goes on from its last block. */
void tls_form_pass(struct tls_opener *o, struct span tail);
/* Plaintext size of a record of which only the end is to hand; 0, E_BAD, E_DENIED as tls_opener_skip. */
int tls_form_measure(struct tls_opener *o, const struct tls_record *record, struct span tail,
                     struct tls_skipped *skipped);

#endif
