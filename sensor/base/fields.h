/* SPDX-License-Identifier: Apache-2.0
 * A list of name-value pairs (header fields, query arguments, form fields, cookies), borrowed and in order. */
#ifndef BASE_FIELDS_H
#define BASE_FIELDS_H

#include "base/span.h"

struct field {
    struct span name, value;
};

struct fields {
    struct field *list; /* caller's storage */
    uint16_t n, max;
    bool is_cut; /* more came than fit */
};

/* Appends; false and is_cut when full. */
static inline bool fields_add(struct fields *f, struct span name, struct span value)
{
    if (f->n == f->max) {
        f->is_cut = true;
        return false;
    }
    f->list[f->n++] = (struct field){name, value};
    return true;
}

/* The next field called 'name' (ASCII-caseless) at or after *from, which moves behind it; NULL when there is none. */
const struct field *fields_next(const struct fields *f, struct span name, uint16_t *from);
/* The value of the first field called 'name'; a span with at == NULL when there is none. */
struct span fields_get(const struct fields *f, struct span name);

#endif
