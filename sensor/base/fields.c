/* SPDX-License-Identifier: Apache-2.0
 * Look-up in a list of fields. */
#include "base/fields.h"

const struct field *fields_next(const struct fields *f, struct span name, uint16_t *from)
{
    for (uint16_t i = *from; i < f->n; i++) {
        if (span_eq_nocase(f->list[i].name, name)) {
            *from = (uint16_t)(i + 1);
            return &f->list[i];
        }
    }
    *from = f->n;
    return NULL;
}

struct span fields_get(const struct fields *f, struct span name)
{
    uint16_t from = 0;
    const struct field *hit = fields_next(f, name, &from);
    return hit ? hit->value : span_of(NULL, 0);
}
