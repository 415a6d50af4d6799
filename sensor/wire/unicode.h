/* SPDX-License-Identifier: Apache-2.0
 * Single characters of UTF-8 (RFC 3629), for parsers that have to decode or clean names. */
#ifndef WIRE_UNICODE_H
#define WIRE_UNICODE_H

#include "base/span.h"

/* Bytes (1-4) of the well-formed character at the front of 's', and its code point; 0 when there is none. */
size_t unicode_get(struct span s, uint32_t *code);
/* Writes 'code' to 'out'; bytes written (1-4). What is no scalar value becomes U+FFFD. */
size_t unicode_put(uint32_t code, uint8_t out[4]);
/* Whether all of 's' is well-formed. */
bool unicode_is_valid(struct span s);
/* The size of the longest front part of 's' that does not end within a character: for cutting at a cap. */
size_t unicode_cut(struct span s);

#endif
