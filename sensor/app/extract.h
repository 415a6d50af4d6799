/* SPDX-License-Identifier: Apache-2.0
 * Values out of bodies, as a profile's slots ask for them: form fields, uploaded parts, JSON members, text between
 * markers, what SAML and OpenID Connect assert. Bodies stream through; what is kept is a few small values per transaction.
 * Parsers' memory comes from pools and is held only while a body runs. */
#ifndef APP_EXTRACT_H
#define APP_EXTRACT_H

#include "app/assertion.h"
#include "app/listing.h"
#include "flow/conn.h"

#define EXTRACT_SLOTS 28   /* values of one transaction */
#define EXTRACT_BYTES 1536 /* of all of them together */
#define EXTRACT_VALUE 256  /* of one */
#define EXTRACT_FORM 65536 /* bytes of a urlencoded form that are read */

struct found {
    uint64_t number; /* size of an uploaded part, of a secret, of base64's content; offset of a text's end */
    uint16_t at, size;
    bool is_there;   /* it stands in the body */
    bool is_twice;   /* a field stands in a form twice, a member in JSON, with different values */
    bool is_long;    /* it is longer than EXTRACT_VALUE, or has bytes missing: no text rather than half of it */
    bool is_unsure;  /* bytes are missing, or its end was not seen: 'number' may be off */
};

struct scan; /* parsers at work on one body */

struct extract { /* one transaction's; zeroed at its start */
    uint64_t request, response; /* slots in use */
    struct scan *scan[2];       /* of the request, of the answer */
    struct vouched vouched;     /* of the request's SAML response or id_token; its texts stand in 'bytes' */
    struct found found[EXTRACT_SLOTS];
    uint16_t used;
    uint8_t bytes[EXTRACT_BYTES];
};

struct extractor; /* the pools of one worker */

/* 'max': bodies inspected at the same time. NULL when memory cannot be reserved. */
struct extractor *extractor_new(uint32_t max);
void extractor_free(struct extractor *e);
struct counters extractor_counters(const struct extractor *e);

/* Looks for 'slots' of 'profile' in the body to come; fills *tap when the body's media type can hold any of them.
 * 'type' is the value of its Content-Type (may be empty). */
void extract_request(struct extractor *e, struct extract *x, const struct profile *profile, uint64_t slots,
                     struct span type, struct body_tap *tap);
/* 'route': whose list of objects the answer may hold, or NULL. Of multipart/byteranges the parts are listed. */
void extract_response(struct extractor *e, struct extract *x, const struct profile *profile,
                      const struct route *route, uint64_t slots, struct span type, struct body_tap *tap);
/* The request's body is over, or nobody needs more of it: its values are final. May be called again. */
void extract_request_end(struct extractor *e, struct extract *x);
/* The same for the answer. Its list stays readable until extract_fini. */
void extract_response_end(struct extract *x);
/* Gives all memory back and wipes the values. */
void extract_fini(struct extractor *e, struct extract *x);

/* What was found of a slot; NULL when nobody asked for it. */
const struct found *extract_found(const struct extract *x, unsigned slot);
/* Its text; at == NULL when there is none. */
struct span extract_value(const struct extract *x, unsigned slot);
/* The list: lines "o<object>\t<file>\n" ("\t<file>" may be absent) or "c<case>\t<customer>\t<domain>\n" (one of the
 * last two may be empty). Empty when there was none. Of an answer in parts (multipart/byteranges) instead the pieces: "p<from>-<to>/<total>\n", and "p.\n" when none is missing. */
struct span extract_list(const struct extract *x);

/* Undoes character references of HTML, or escapes of JSON, or percent-encoding; at most 'max' bytes. */
size_t extract_decode(enum decode how, struct span raw, uint8_t *out, size_t max);

#endif
