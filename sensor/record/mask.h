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

/* What the caller knows of a path's segments, decoded. */
struct mask_known {
    struct span keep[8]; /* ids of cases, objects, files: stay, however random they look */
    struct span hide[2]; /* secrets */
    uint8_t n_keep, n_hide;
};

struct mask_iter {
    struct span left;
    struct span before; /* the path segment before what is left */
    const struct mask_known *known; /* borrowed, or NULL */
    enum mask_level level;
    enum { MASK_SCHEME, MASK_AUTHORITY, MASK_PATH, MASK_QUERY } part;
    bool in_value, past_equals; /* of a query argument */
    size_t hidden_from;         /* by the name just read: values of this size and more are hidden; SIZE_MAX = none */
};

/* Hidden are: user information; values of arguments and of parameters of the path by their names, and those that look
 * like a token; of the path a segment that is a token by its format (JSON Web Token, base64url of a JSON object), or that
 * stands behind one that says so ("/token/..."); with MASK_LIKELY also 32 and more characters of hexadecimal (other than a
 * UUID) or base64url that look random. 'known' may be NULL. */
struct mask_iter mask_begin(struct span target, enum mask_level level);
/* The next piece, never empty; false at the end. Pieces end at ASCII characters only. */
bool mask_next(struct mask_iter *m, struct span *piece);
/* All pieces, appended to out. */
void target_mask_at(struct span target, enum mask_level level, struct text *out);
/* The same, likely secrets, with what is known of its path. */
void target_mask_known(struct span target, const struct mask_known *known, struct text *out);
/* Whether a path segment (decoded) behind 'before' may be a secret, as mask_next would hide it. */
bool mask_is_secret_segment(struct span segment, struct span before, enum mask_level level);

#endif
