/* SPDX-License-Identifier: Apache-2.0
 * Where the pieces in a multipart/byteranges answer belong (RFC 9110, 14.6). */
#ifndef APP_BYTERANGES_H
#define APP_BYTERANGES_H

#include "wire/multipart.h"

#define BYTERANGES_LIST 3072

struct byteranges { /* one body's; not to be copied once initialised */
    struct multipart reader;
    bool is_given_up; /* half a list would say that the other pieces did not come: then there is none */
    uint16_t size;
    uint8_t list[BYTERANGES_LIST];
};

/* 'boundary' is copied. E_BAD when it is none. */
int byteranges_init(struct byteranges *b, struct span boundary);
void byteranges_feed(struct byteranges *b, struct span bytes);
/* So many bytes are missing here. */
void byteranges_gap(struct byteranges *b, uint64_t bytes);
/* No more comes: the pieces, a line each, as far as they came: "p<from>-<to>/<total>", bytes [from, to), and at last
 * "p.". Empty when it is not known where all of them belong. Borrowed from 'b'. */
struct span byteranges_end(struct byteranges *b);

#endif
