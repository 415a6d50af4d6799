/* SPDX-License-Identifier: Apache-2.0
 * What a JSON Web Token (RFC 7519, compact JWS) says of itself: who, from whom, since when. Nothing is verified; what the
 * server makes of it shows in its answer. */
#ifndef WIRE_JWT_H
#define WIRE_JWT_H

#include "base/arena.h"
#include "wire/json_scan.h"

#define JWT_NAMES 4 /* claims that may name the user */

struct jwt_claims { /* what to look for; compiled once */
    struct json_pointer list[JSON_SCAN_POINTERS];
    uint8_t n_names;
};

/* Begins with the claims every token is asked for (iss, tid, iat, exp). */
void jwt_claims_init(struct jwt_claims *c);
/* One more claim that names the user, in the order they count. E_BAD with a reason, E_LIMIT after JWT_NAMES. */
int jwt_claims_add(struct jwt_claims *c, struct span name, const char **why);

struct jwt {
    struct span names[JWT_NAMES]; /* texts of the naming claims, in their order; at == NULL: not there, empty, or no text */
    struct span issuer, tenant;   /* iss; tid (Microsoft Entra) */
    uint64_t issued_s, expires_s; /* iat, exp: seconds since 1970 */
    bool has_issued, has_expires;
    bool is_signed;               /* it has a signature, and does not say "alg":"none" */
};

/* Reads a token; texts lie in the arena. A claim that stands there twice counts as not there. E_BAD when it is no token of
 * three parts whose claims are a whole JSON object (an encrypted one, RFC 7516, has five); E_LIMIT without room. */
int jwt_read(struct span token, const struct jwt_claims *claims, struct arena *a, struct jwt *out);
/* Whether a text has the form of an encrypted token (RFC 7516, 7.1: five parts). */
bool jwt_is_encrypted(struct span token);

#endif
