/* SPDX-License-Identifier: Apache-2.0
 * What the files of extract_*.c share: one body at work, and the pools. Nobody else includes it. */
#ifndef APP_EXTRACT_PARTS_H
#define APP_EXTRACT_PARTS_H

#include "app/byteranges.h"
#include "app/extract.h"
#include "app/extract_text.h"
#include "base/pool.h"
#include "wire/content.h"

#define FINDERS 8

enum { BODY_PLAIN, BODY_FORM, BODY_MULTIPART, BODY_JSON, BODY_RANGES };

/* A urlencoded form as it came, and room to decode it. */
struct form {
    uint32_t size;
    bool is_cut;
    uint8_t raw[EXTRACT_FORM], plain[EXTRACT_FORM];
};

struct scan {
    struct extractor *owner;
    struct extract *x;
    const struct profile *profile;
    uint64_t slots;
    uint8_t kind, n_finders, n_pointers;
    struct form *form;
    struct json_long *token; /* room for the token of an answer, or NULL */
    uint8_t token_slot;      /* whose it is; UINT8_MAX: it holds none */
    struct finder finders[FINDERS];
    uint8_t pointer_slot[JSON_SCAN_POINTERS];
    uint8_t want_slot[MULTIPART_WANT_MAX];
    union {
        struct {
            struct json_pointer pointers[JSON_SCAN_POINTERS];
            struct json_scan scan;
        } json;
        struct multipart multipart;
        struct byteranges ranges;
    };
    uint8_t column[LIST_COLUMNS]; /* finders of a list of cases in a page, counted from 1; 0 = there is none */
    struct listing list;
};

enum { COUNT_BODIES, COUNT_NO_ROOM, COUNT_FORM_CUT, COUNT_VALUES_FULL, COUNT_TOO_LONG, COUNT_LIST_FULL, COUNT_MALFORMED,
       COUNTERS };

struct extractor {
    struct pool *scans, *forms, *tokens;
    uint64_t counts[COUNTERS];
};

#define KIND(kind) (1u << (kind))

/* Where a slot stands in x->found; -1 when nobody asked for it. */
int extract_rank(const struct extract *x, unsigned slot);
/* The slots of 'profile' among 'slots' that are of one of these kinds. */
uint64_t extract_slots(const struct profile *profile, uint64_t slots, unsigned kinds);
/* Keeps a value (the first of its slot); its encoding is undone on the way. */
void extract_keep(struct extractor *e, struct extract *x, unsigned slot, enum decode how, struct span raw, uint64_t number);
/* extract_form.c: the fields of a whole form, and what it asserts. */
void extract_form_end(struct scan *s);

#endif
