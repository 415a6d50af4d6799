/* SPDX-License-Identifier: Apache-2.0
 * The pieces of a request target without its secrets, for writers that want no copy. target_mask() in transaction.h is
 * the whole of it in a text. */
#ifndef RECORD_MASK_H
#define RECORD_MASK_H

#include "record/transaction.h"

/* How much is taken for a secret. Activities are kept for years and tied to people: everything that may be one. The
 * transaction log is written on request, to compare the wire with: what is one by its name or its format, so that ids of
 * objects, which look just as random, can still be told. */
enum mask_level {
    MASK_LIKELY, /* by name, by part of a name, by format, by looking random */
    MASK_CERTAIN /* by name (token, password, signature, sid, ...) or format (JSON Web Token, user:password@) */
};

struct mask_iter {
    struct span left;
    enum mask_level level;
    enum { MASK_SCHEME, MASK_AUTHORITY, MASK_PATH, MASK_QUERY } part;
    bool in_value, past_equals; /* of a query argument */
    size_t hidden_from;         /* by the name just read: values of this size and more are hidden; SIZE_MAX = none */
};

struct mask_iter mask_begin(struct span target, enum mask_level level);
/* The next piece, never empty; false at the end. Pieces end at ASCII characters only. */
bool mask_next(struct mask_iter *m, struct span *piece);
/* All pieces, appended to out. */
void target_mask_at(struct span target, enum mask_level level, struct text *out);

#endif
