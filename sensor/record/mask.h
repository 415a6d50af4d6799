/* SPDX-License-Identifier: Apache-2.0
 * The pieces of a request target without its secrets, for writers that want no copy. target_mask() in transaction.h is
 * the whole of it in a text. */
#ifndef RECORD_MASK_H
#define RECORD_MASK_H

#include "record/transaction.h"

struct mask_iter {
    struct span left;
    enum { MASK_SCHEME, MASK_AUTHORITY, MASK_PATH, MASK_QUERY } part;
    bool in_value, past_equals; /* of a query argument */
    bool is_secret;             /* by the name just read */
};

struct mask_iter mask_begin(struct span target);
/* The next piece, never empty; false at the end. Pieces end at ASCII characters only. */
bool mask_next(struct mask_iter *m, struct span *piece);

#endif
