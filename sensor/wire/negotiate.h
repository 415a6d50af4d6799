/* SPDX-License-Identifier: Apache-2.0
 * Credentials of the schemes Negotiate and NTLM (RFC 4559): the user an NTLM AUTHENTICATE_MESSAGE names (MS-NLMP, 2.2.1.3),
 * raw or in SPNEGO (RFC 4178); Kerberos is told as such, its ticket is closed to us. Responses to challenges stay where
 * they are. */
#ifndef WIRE_NEGOTIATE_H
#define WIRE_NEGOTIATE_H

#include "base/arena.h"

enum negotiate_kind {
    NEGOTIATE_OTHER,
    NEGOTIATE_NTLM_STEP, /* NTLM, a message before the last: nobody is named yet */
    NEGOTIATE_NTLM,      /* the last one */
    NEGOTIATE_KERBEROS,
};

struct negotiate {
    enum negotiate_kind kind;
    struct span user, domain; /* of NEGOTIATE_NTLM: UTF-8 in the arena; empty: none was given (user: anonymous) */
};

#define NEGOTIATE_NAME_MAX 128 /* bytes of user and of domain, as UTF-8 */
/* The most room in the arena it takes. */
#define NEGOTIATE_ROOM 4096

/* 'credentials': what follows the scheme, base64. E_BAD when it is none, or when the message's names are malformed, in an
 * unknown code page, too long, or hold control characters; E_LIMIT without room. */
int negotiate_read(struct span credentials, struct arena *a, struct negotiate *out);

#endif
