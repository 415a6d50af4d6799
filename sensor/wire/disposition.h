/* SPDX-License-Identifier: Apache-2.0
 * Content-Disposition: of responses (RFC 6266, names by RFC 8187) and of form-data parts (RFC 7578). */
#ifndef WIRE_DISPOSITION_H
#define WIRE_DISPOSITION_H

#include "base/arena.h"

enum disposition_type {
    DISPOSITION_NONE, DISPOSITION_INLINE, DISPOSITION_ATTACHMENT, DISPOSITION_FORM_DATA, DISPOSITION_OTHER,
};

struct disposition {
    enum disposition_type type; /* OTHER is to be treated like ATTACHMENT (RFC 6266, 4.2) */
    struct span name;           /* of a form field; at == NULL when absent */
    struct span filename;       /* filename* if usable, else filename; cleaned UTF-8; at == NULL: absent or empty */
    bool has_filename;          /* a filename parameter was there, perhaps empty (a form's file input left alone) */
};

/* Never fails: what cannot be read is left out. Decoded values lie in the arena (or in 'field'); without room they
 * are left out and a->is_full is set. */
void disposition_parse(struct span field, struct arena *a, struct disposition *out);
/* A file name fit to be shown: the part after the last '/' or '\\', as UTF-8 (bytes that are none are read as
 * ISO-8859-1), controls and bidirectional overrides as '_', trimmed; "." and ".." give nothing. Copies only where
 * something changes. */
struct span disposition_clean_name(struct span raw, struct arena *a);

#endif
