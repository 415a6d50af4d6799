/* SPDX-License-Identifier: Apache-2.0
 * Heads like one that was read lately. Of the fields that clients and servers send, most are the same each time, and those
 * that are not (a cookie, a date, an address) differ in letters and digits alone: then every field stands where it stood,
 * and one comparison tells so in a fraction of the time that reading the lines takes. */
#ifndef WIRE_HTTP1_TWIN_H
#define WIRE_HTTP1_TWIN_H

#include "wire/http1_head.h"

#define HTTP1_TWIN_SIZE 1024u /* bytes of fields of a head that is remembered, at most */
#define HTTP1_TWIN_FIELDS 40u
#define HTTP1_TWINS 64u /* heads remembered, by their size; a power of two */

struct http1_twin {
    uint16_t size; /* of the bytes behind the start line, with the empty line; 0: none */
    uint8_t role, n;
    bool has_folds, has_bad_lines;
    struct {
        uint16_t name, name_size, value, value_size;
    } fields[HTTP1_TWIN_FIELDS];
    uint8_t outline[HTTP1_TWIN_SIZE]; /* the bytes that tell fields apart; 'x' for all others: no value is kept */
};

/* About 90 KiB; zeroed by its owner, one per thread. */
struct http1_twins {
    struct http1_twin known[HTTP1_TWINS];
};

/* http1_head_parse, with the same result for any bytes. */
int http1_twins_parse(struct http1_twins *twins, struct span bytes, enum http1_role role, struct http1_head *out);

#endif
