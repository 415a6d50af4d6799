/* SPDX-License-Identifier: Apache-2.0
 * Assertions about who signs in that a browser posts: a SAML response, an id_token of OpenID Connect (OAuth 2.0 Form Post
 * Response Mode). What they say goes to the slots a profile asks for; who vouches for it, and until when, is noted. */
#ifndef APP_ASSERTION_H
#define APP_ASSERTION_H

#include "app/profile_rules.h"

#define ASSERTION_ISSUER 120 /* bytes of an issuer that are kept, and of a tenant */
#define ASSERTION_TENANT 40

struct vouched {
    uint8_t kind;  /* enum assertion; ASSERTION_NONE: there was none */
    uint8_t bits;  /* ASSERTED_SIGNED, _ENCRYPTED, _AMBIGUOUS */
    bool has_issued, has_expires;
    uint64_t issued_s, expires_s;
    struct span issuer, tenant; /* at == NULL: not said */
};

/* A value of a slot: a name in plain UTF-8 without control characters. */
typedef void assertion_fn(void *ctx, unsigned slot, struct span value);

/* Reads the value of a form field as it came (percent-encoded), which stood there 'n' times; twice is ambiguous.
 * 'slots': of 'profile', those of SLOT_SAML or SLOT_ID_TOKEN are answered. Texts in *out lie in 'scratch'.
 * False when it is none, is malformed, or needs more room than 'scratch' has. */
bool assertion_read(enum assertion kind, const struct profile *profile, uint64_t slots, struct span field, unsigned n,
                    struct arena *scratch, struct vouched *out, assertion_fn *found, void *ctx);
/* By packet time: age, expiry, what vouches. */
void assertion_note(const struct vouched *v, uint64_t now_s, struct activity *a);

#endif
