/* SPDX-License-Identifier: Apache-2.0
 * How a credential shows itself in a request: session cookie, Authorization, key in a field or argument, pre-signed
 * link. Values leave as keyed hashes; only what is no secret leaves as text. */
#ifndef APP_CRED_H
#define APP_CRED_H

#include "app/assertion.h"
#include "app/head.h"
#include "app/profile_rules.h"
#include "base/keyed.h"

struct cred_hasher; /* the deployment key, and hashes of values seen lately */

struct cred_hasher *cred_hasher_new(struct keyed *key, uint32_t max); /* 'key' is borrowed */
void cred_hasher_free(struct cred_hasher *h);
/* The keyed hash of a session value or token: equal values, equal hashes, whichever way they were sent. */
void cred_hash(struct cred_hasher *h, struct span value, uint8_t out[SESSION_HASH_SIZE]);

struct cred {
    uint8_t kind;                       /* enum cred_kind of what acts; CRED_NONE: nothing was shown */
    bool has_session, has_cookie;
    uint8_t session[SESSION_HASH_SIZE]; /* of what acts */
    uint8_t cookie[SESSION_HASH_SIZE];  /* of the session cookie, when has_cookie (it may not be what acts) */
    uint64_t cookie_name;               /* hash64 of its name */
    bool has_other;                     /* another value came under that name: applications differ in which they take */
    uint8_t other[SESSION_HASH_SIZE];
    bool is_rotating;                   /* each answer replaces the cookie */
    bool has_remember;
    uint8_t remember[SESSION_HASH_SIZE]; /* of the remember-me cookie, when has_remember; it acts where nothing else does */
    bool is_negotiating;                /* it is a step of Negotiate or NTLM */
    bool has_kerberos;
    bool is_malformed;                  /* an Authorization field of a scheme the profile reads that could not be read */
    const struct session_rule *rule;    /* the one that says what acts */
    struct span claim;                  /* public part: user of Basic and NTLM, id of a key; borrowed */
};

/* The first of the profile's sessions that is there. 'query': of the target, raw. Decoded texts lie in the arena. */
void cred_read(struct cred_hasher *h, const struct profile *profile, const struct request_head *head,
               struct span query, struct arena *a, struct cred *out);

/* What a token says of itself, read when there is something to tell. Texts lie in it. */
struct cred_token {
    struct vouched vouched;
    struct span claim;    /* who a JSON Web Token names */
    struct span acts_for; /* whom the sender of a key says it acts for */
    bool is_malformed;    /* it looks like a JSON Web Token, and is none */
    bool is_unsigned;     /* it is one anybody could have written: it names nobody */
    size_t used;
    uint8_t bytes[JSON_SCAN_VALUE_MAX + ASSERTION_ISSUER + ASSERTION_TENANT];
};

void cred_token(const struct cred *cred, const struct request_head *head, struct span query, struct cred_token *out);
/* The one common name of a certificate's subject (RFC 4514), else the whole subject. */
struct span cred_certificate_name(struct span subject);

struct cred_set { /* what the answer did to the session cookie */
    uint8_t state; /* enum cookie_state: COOKIE_NONE when it set none */
    bool is_removed;
    bool is_successor; /* a new value under the name that was sent */
    bool has_remember;
    uint32_t until_s; /* seconds since 1970 at which the browser drops the session cookie; 0 = not said */
    uint32_t remember_until_s; /* the same of the remember-me value */
    uint8_t session[SESSION_HASH_SIZE];  /* of the value set, unless removed */
    uint8_t remember[SESSION_HASH_SIZE]; /* of the remember-me value set, when has_remember */
};

void cred_set_read(struct cred_hasher *h, const struct profile *profile, const struct response_head *head,
                   const struct cred *sent, uint64_t now_s, struct cred_set *out);
/* The secret of a pre-signed link in a URL, as the profile's sessions name it; false when it is none. */
bool cred_link(struct cred_hasher *h, const struct profile *profile, struct span query,
               uint8_t out[SESSION_HASH_SIZE]);

#endif
