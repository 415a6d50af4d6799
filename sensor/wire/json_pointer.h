/* SPDX-License-Identifier: Apache-2.0
 * Pointers into JSON texts (RFC 6901), with steps for "any element" and "the element that is called so". */
#ifndef WIRE_JSON_POINTER_H
#define WIRE_JSON_POINTER_H

#include "base/span.h"

#define JSON_POINTER_STEPS 8
#define JSON_POINTER_KEY_MAX 48 /* bytes of one key, decoded */

/* What is wanted of the value. */
enum json_scan_want {
    JSON_SCAN_TEXT,   /* the value: a string decoded to UTF-8, a number or literal as written */
    JSON_SCAN_BASE64, /* a string's decoded size; its bytes are not kept */
    JSON_SCAN_SIZE,   /* a string's size in decoded UTF-8 bytes; its bytes are not kept (for secrets) */
    JSON_SCAN_LONG,   /* a string, into room of the caller's (for tokens, which are longer than names) */
};

enum json_step_kind {
    JSON_STEP_KEY,
    JSON_STEP_NUMBER, /* an index of an array, or a key of digits of an object */
    JSON_STEP_ANY,
    JSON_STEP_FILTER,
};

/* One step of a pointer: a key, an index, any element, or the element which is an object with key == value. */
struct json_step {
    uint8_t kind;                /* enum json_step_kind */
    uint8_t key_size, value_size;
    uint32_t index;
    char key[JSON_POINTER_KEY_MAX];
    char value[JSON_POINTER_KEY_MAX];
};

struct json_pointer {
    struct json_step steps[JSON_POINTER_STEPS];
    uint8_t n;
    uint8_t filter;              /* the one [key=value] step, or UINT8_MAX */
    uint8_t want;                /* enum json_scan_want */
};

/* Compiles a JSON pointer (RFC 6901, with ~0 and ~1), extended by the steps "*" (each element of an array or member
 * of an object) and "[key=value]" (the array element that is an object with this string member, wherever it stands
 * in it; one a pointer): "/Filename", "/CustomFields/[name=Customer]/values/0", "/items/" "*" "/id". E_BAD when
 * malformed (and *why, if not NULL, says it), E_LIMIT when a step is too long or there are too many. */
int json_pointer_compile(struct span text, enum json_scan_want want, struct json_pointer *out, const char **why);

/* Whether 'step' is the pointer's first "*" or filter: the one that tells the element. */
bool json_pointer_tells_element(const struct json_pointer *p, size_t step);

#endif
