/* SPDX-License-Identifier: Apache-2.0
 * What a page or answer lists: the files of a case, or cases with their customers. Gathered while the body streams by,
 * as the lines of facts that the memory of cases reads (candidate.h); bounded, whole lines only. */
#ifndef APP_LISTING_H
#define APP_LISTING_H

#include "app/profile_rules.h"

#define LISTING_BYTES 3072 /* of all lines together */
#define LISTING_VALUE 256  /* of one value */
#define LISTING_DOMAIN 96  /* of the domain of a requestor's address */

struct listing {
    const struct route *route; /* whose list it is, or NULL: nothing is gathered */
    uint32_t element;          /* of a JSON list: the one in progress */
    uint16_t id_size, name_size, domain_size, next_size, size;
    bool has_next;             /* a text list: the next row's id has come */
    uint64_t lost;             /* lines left out: no room */
    uint8_t id[LISTING_VALUE], name[LISTING_VALUE], domain[LISTING_DOMAIN], next[LISTING_VALUE];
    uint8_t lines[LISTING_BYTES];
};

void listing_init(struct listing *l, const struct route *route);
/* A value of slot 'slot' in array element 'element' of a JSON answer; id, name and requestor may come in any order. */
void listing_json(struct listing *l, unsigned slot, uint32_t element, struct span value);
/* The same of a page, in the order of the page. A value that begins the next case waits for listing_turn. */
void listing_text(struct listing *l, unsigned slot, struct span value);
/* The row in progress is over; the case that waits is the next. False when none waited. */
bool listing_turn(struct listing *l);
/* Bytes are missing: whose the values behind the hole are is not known. */
void listing_gap(struct listing *l);
/* The body is over. May be called again. */
void listing_end(struct listing *l);
/* The domain of the first e-mail address in 'text' (RFC 5321, 4.1.2), in lower case; bytes written, 0 when there is
 * none or it does not fit. */
size_t listing_domain(struct span text, uint8_t *out, size_t max);

#endif
