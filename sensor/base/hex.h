/* SPDX-License-Identifier: Apache-2.0
 * Bytes as lower-case hexadecimal text, and back. */
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

/* The value of a digit in lower case, as we write them; -1 for what is none. */
static inline int hex_lower(uint8_t c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* In either case, as others do. */
static inline int hex_digit(uint8_t c)
{
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : hex_lower(c);
}

/* Reads exactly 2 * size digits in lower case; false when the text is anything else ('out' may be written to then). */
static inline bool hex_bytes(struct span text, uint8_t *out, size_t size)
{
    bool is_good = text.size == 2 * size;
    for (size_t i = 0; is_good && i < size; i++) {
        int high = hex_lower(text.at[2 * i]), low = hex_lower(text.at[2 * i + 1]);
        is_good = high >= 0 && low >= 0;
        out[i] = (uint8_t)(is_good ? high << 4 | low : 0);
    }
    return is_good;
}

#endif
