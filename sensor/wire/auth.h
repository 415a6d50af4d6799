/* SPDX-License-Identifier: Apache-2.0
 * Authorization fields: the scheme, and the public part of the credentials. Passwords are never decoded into
 * memory; the raw credentials span is only for hashing by the caller. */
#ifndef WIRE_AUTH_H
#define WIRE_AUTH_H

#include "base/arena.h"

enum auth_scheme { AUTH_NONE, AUTH_BASIC, AUTH_BEARER, AUTH_TOKEN, AUTH_DIGEST, AUTH_NEGOTIATE, AUTH_OTHER };

struct auth {
    enum auth_scheme scheme; /* TOKEN: "token"; NEGOTIATE: also NTLM; OTHER: a scheme not listed */
    struct span name;        /* the scheme as written */
    struct span credentials; /* what follows it, trimmed: SECRET, hash it and forget it */
};

/* Splits the value of an Authorization field. False when it is empty. A value without a space (a bare key) has
 * scheme OTHER, an empty name and all of it as credentials. */
bool auth_split(struct span field, struct auth *out);
/* The user of Basic credentials (RFC 7617), at most 256 bytes, in the arena. Decoding stops at the colon. E_BAD
 * when there is no base64 or no colon; E_NONE when it is empty; E_LIMIT when too long or without room. */
int auth_basic_user(struct span credentials, struct arena *a, struct span *user);
/* The password of Basic credentials: SECRET, for hashing where it is a token; wipe it. At most 'max' bytes. E_BAD, E_LIMIT
 * as above. */
int auth_basic_password(struct span credentials, uint8_t *out, size_t max, size_t *size);
/* The user name of Digest credentials (RFC 7616). E_NONE without one. */
int auth_digest_user(struct span credentials, struct arena *a, struct span *user);
/* The claims (JSON text) of a signed JWT (RFC 7519, compact JWS: three base64url parts), decoded into the arena.
 * E_BAD when it is none; E_LIMIT without room. The signature is not decoded. */
int auth_jwt_claims(struct span token, struct arena *a, struct span *claims);

#endif
