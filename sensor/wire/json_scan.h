/* SPDX-License-Identifier: Apache-2.0
 * Picks a few values out of a JSON text (RFC 8259) that streams by in slices: keeps nothing else, does not recurse,
 * and counts the decoded size of a base64 string of any length. It looks for values; it is no validator. */
#ifndef WIRE_JSON_SCAN_H
#define WIRE_JSON_SCAN_H

#include "wire/base64.h"
#include "wire/json_pointer.h"

#define JSON_SCAN_POINTERS 8    /* a scan looks for so many at once */
#define JSON_SCAN_VALUE_MAX 256 /* bytes of a captured value; longer ones are cut at a character */

#define JSON_SCAN_LONG_MAX 8192 /* of a LONG one */

enum json_kind { JSON_NONE, JSON_STRING, JSON_NUMBER, JSON_TRUE, JSON_FALSE, JSON_NULL, JSON_OBJECT, JSON_ARRAY };

struct json_value {
    uint8_t kind;        /* enum json_kind; NONE = not found (yet). Containers are noted, not captured. */
    bool is_cut;         /* TEXT, LONG: longer than kept, or with bytes missing */
    bool is_unsure;      /* BASE64, SIZE: bytes were missing, the string is no base64, or its end has not come */
    bool is_done;        /* the value ended */
    uint32_t n;          /* how many values matched; the first one is kept */
    uint64_t size;       /* BASE64: decoded bytes so far. SIZE, LONG: bytes */
    uint16_t text_size;
    char text[JSON_SCAN_VALUE_MAX];
};

/* Room for a LONG value. */
struct json_long {
    uint16_t size;
    bool is_cut;
    uint8_t bytes[JSON_SCAN_LONG_MAX];
};

static inline void json_long_put(struct json_long *room, struct span bytes)
{
    struct span fits = span_sub(bytes, 0, (size_t)(JSON_SCAN_LONG_MAX - room->size));
    if (fits.size)
        memcpy(room->bytes + room->size, fits.at, fits.size);
    room->size = (uint16_t)(room->size + fits.size);
    room->is_cut |= fits.size < bytes.size;
}

/* Told for each match at its end, in the order of the text (a filtered one: when its element ends, first match
 * only). 'element': index of the first "*" or filter step, 0 without one. Borrowed during the call. */
typedef void json_scan_fn(void *ctx, size_t which, uint32_t element, const struct json_value *value);

struct json_scan { /* opaque but for 'values'; about 4 KiB, the caller's memory */
    struct json_value values[JSON_SCAN_POINTERS]; /* in the order of the pointers; a filtered one counts once is_done */

    const struct json_pointer *pointers; /* borrowed */
    json_scan_fn *fn;
    void *ctx;
    uint8_t n, state, depth, escape;
    bool is_broken, is_done;
    bool is_key, keep_text, keep_long, count_base64, text_cut, string_gap; /* of the string in progress */
    uint8_t live[JSON_POINTER_STEPS + 1];   /* by depth: pointers whose first 'depth' steps match, as bits */
    uint8_t is_array[JSON_POINTER_STEPS + 1];
    uint32_t index[JSON_POINTER_STEPS + 1];
    uint8_t next_live;                   /* pointers that the coming value of this container matches so far */
    uint8_t taking;                      /* pointers whose last step is the value in progress */
    uint8_t filtering;                   /* pointers whose filter member is the value in progress */
    uint8_t matched;                     /* pointers whose element in progress has passed its filter */
    uint8_t held;                        /* pointers with a value that waits for that */
    uint32_t element[JSON_SCAN_POINTERS];
    uint64_t skip_depth;                 /* open brackets inside a container nobody asked about */
    uint32_t junk;                       /* bytes before the first bracket */
    uint32_t code;                       /* \uXXXX in progress */
    uint16_t high;                       /* first half of a surrogate pair */
    uint16_t text_size;
    uint64_t string_size, raw_size;      /* decoded bytes and raw bytes of the string in progress */
    char text[JSON_SCAN_VALUE_MAX];
    struct base64_count base64;
    void (*on_base64)(void *ctx, struct span text); /* set by the caller, or NULL: a BASE64 string as it streams by */
    struct json_long *room;              /* set by the caller, or NULL: where the first string of a LONG pointer goes */
    struct json_value shown;             /* what the hook is given of later matches */
};

/* 'pointers' (at most JSON_SCAN_POINTERS; further ones are ignored) are borrowed; fn may be NULL. */
void json_scan_init(struct json_scan *s, const struct json_pointer *pointers, size_t n, json_scan_fn *fn, void *ctx);
void json_scan_feed(struct json_scan *s, struct span bytes);
/* So many bytes are missing: nothing more is captured, but a base64 string in progress is counted on by estimate
 * (is_unsure). */
void json_scan_gap(struct json_scan *s, uint64_t bytes);
/* The outermost value ended / nothing more can be found (a gap, malformed). */
/* It was malformed, bytes of it were missing, or it has begun and not ended. */
static inline bool json_scan_broke_off(const struct json_scan *s)
{
    return s->is_broken || (!s->is_done && (s->depth || s->skip_depth));
}
static inline bool json_scan_is_done(const struct json_scan *s)
{
    return s->is_done;
}
static inline bool json_scan_is_broken(const struct json_scan *s)
{
    return s->is_broken;
}
static inline struct span json_value_text(const struct json_value *v)
{
    return span_of(v->text, v->text_size);
}

#endif
