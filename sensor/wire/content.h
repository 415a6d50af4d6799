/* SPDX-License-Identifier: Apache-2.0
 * Content-Type, Content-Range and Range (RFC 9110, 8.3 and 14). */
#ifndef WIRE_CONTENT_H
#define WIRE_CONTENT_H

#include "base/span.h"

struct content_type {
    char media[96];       /* "type/subtype", lower case, NUL-terminated; "" when malformed or too long */
    uint8_t media_size;
    struct span boundary; /* borrowed, unquoted; at == NULL when absent */
    struct span charset;
};

/* False when the field holds no type/subtype (then media is ""). */
bool content_type_parse(struct span field, struct content_type *out);
static inline struct span content_type_media(const struct content_type *t)
{
    return span_of(t->media, t->media_size);
}

struct content_range {
    uint64_t first, last; /* bytes, both inclusive, when has_range */
    uint64_t total;       /* of the whole file, when has_total */
    bool has_range, has_total;
};

/* "bytes 0-99/1234", "bytes 0-99/" + "*", "bytes " + "*" + "/1234". E_BAD when malformed, of another unit, or last
 * >= total. */
int content_range_parse(struct span field, struct content_range *out);

struct content_wanted {
    uint64_t first, last; /* of the first range: bytes=first-last; last UINT64_MAX for "first-" */
    uint64_t suffix;      /* of "-suffix": the last so many bytes; 0 = not of that form */
    uint32_t n;           /* how many ranges are asked for */
};

/* The request field "Range: bytes=0-99,200-". E_BAD when malformed or of another unit. */
int content_wanted_parse(struct span field, struct content_wanted *out);

#endif
