/* SPDX-License-Identifier: Apache-2.0
 * Cookie and Set-Cookie (RFC 6265, read as section 5 says user agents must: tolerant). */
#ifndef WIRE_COOKIE_H
#define WIRE_COOKIE_H

#include "base/span.h"

/* Takes the next pair off the value of a Cookie field. Names and values are trimmed; one pair of quotation marks
 * around a value is dropped. A pair without '=' is a value without name. False at the end. */
bool cookie_next(struct span *rest, struct span *name, struct span *value);

struct cookie_set {
    struct span name, value;  /* value without surrounding quotation marks */
    struct span domain, path; /* at == NULL when absent */
    int64_t max_age;          /* seconds, when has_max_age; clamped */
    uint64_t expires_s;       /* seconds since 1970, when has_expires */
    bool has_max_age, has_expires, is_secure, is_http_only;
};

/* The value of one Set-Cookie field. False when it sets nothing (no '=' or no name). Unknown attributes are
 * skipped. */
bool cookie_set_parse(struct span field, struct cookie_set *out);
/* Whether it takes the cookie away: Max-Age <= 0, else Expires not after 'now_s' (packet time), or an empty value. */
bool cookie_set_is_removal(const struct cookie_set *c, uint64_t now_s);
/* A cookie date (RFC 6265, 5.1.1). False when it is none. */
bool cookie_date(struct span text, uint64_t *seconds);

#endif
