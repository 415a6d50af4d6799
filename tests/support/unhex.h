/* SPDX-License-Identifier: Apache-2.0
 * Hexadecimal text to bytes, spaces left out; for test vectors. */
#ifndef SUPPORT_UNHEX_H
#define SUPPORT_UNHEX_H

#include <stdio.h>
#include <stdlib.h>

#include "base/span.h"

/* Into 'room' bytes at 'out'; ends the test program where the text is none. */
static inline struct span unhex(const char *text, uint8_t *out, size_t room)
{
    size_t n = 0;
    for (; *text; text++) {
        unsigned byte;
        if (*text == ' ')
            continue;
        if (n == room || sscanf(text, "%2x", &byte) != 1 || !text[1])
            abort();
        out[n++] = (uint8_t)byte;
        text++;
    }
    return span_of(out, n);
}

#endif
