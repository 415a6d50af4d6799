/* SPDX-License-Identifier: Apache-2.0
 * Bytes as lower-case hexadecimal text. */
#ifndef BASE_HEX_H
#define BASE_HEX_H

#include "base/span.h"

/* Writes 2 * bytes.size digits and a NUL to out; returns out. */
static inline char *hex_text(struct span bytes, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < bytes.size; i++) {
        out[2 * i] = digits[bytes.at[i] >> 4];
        out[2 * i + 1] = digits[bytes.at[i] & 15];
    }
    out[2 * bytes.size] = 0;
    return out;
}

#endif
