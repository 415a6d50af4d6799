/* SPDX-License-Identifier: Apache-2.0
 * Base64 (RFC 4648): both alphabets at once, padding optional, white space skipped (MIME, RFC 2045). Decodes what
 * is small, counts what is large. */
#ifndef WIRE_BASE64_H
#define WIRE_BASE64_H

#include "base/span.h"

/* Decodes 'text' into 'out'; *size is what was written. E_BAD for another character or an impossible length,
 * E_LIMIT when it needs more than 'max' bytes (then 'max' bytes are there). */
int base64_decode(struct span text, void *out, size_t max, size_t *size);

/* Counts the decoded size of a text fed in slices, keeping nothing of it. Begin with a zeroed struct. */
struct base64_count {
    uint64_t groups_bytes; /* of finished groups */
    uint64_t symbols;      /* characters of the alphabet fed */
    uint8_t pending;       /* symbols of the group in progress */
    uint8_t pads;          /* '=' after them */
    bool is_bad;           /* a character of neither alphabet, or misplaced padding, was fed */
};

void base64_count_feed(struct base64_count *c, struct span text);
/* The decoded size so far, as if the text ended here; *is_exact (may be NULL) is false for text that is no base64. */
uint64_t base64_count_size(const struct base64_count *c, bool *is_exact);

#endif
