/* SPDX-License-Identifier: Apache-2.0
 * Documents and tokens somebody is named by: SAML responses, Negotiate and NTLM messages, JSON Web Tokens. The first byte
 * picks the parser; what comes out has to lie within the input or the arena and hold no control characters, and a response
 * in doubt must name nobody. */
#include "base/assert.h"
#include "base/err.h"
#include "wire/jwt.h"
#include "wire/negotiate.h"
#include "wire/saml.h"
#include "wire/xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t memory[16384];

static void check(struct span part, struct span whole)
{
    ASSERT(!part.at || (part.at >= whole.at && part.at + part.size <= whole.at + whole.size));
    for (size_t i = 0; i < part.size; i++)
        ASSERT(part.at[i] >= ' ' && part.at[i] != 0x7f);
}

static void fuzz_saml(struct span in)
{
    struct saml s;
    struct xml x;
    size_t tokens = 0;
    enum xml_kind kind;
    xml_init(&x, in);
    do {
        kind = xml_next(&x);
        ASSERT(++tokens <= 2 * in.size + 2 && x.depth <= XML_DEPTH);
    } while (kind != XML_END && kind != XML_BAD);
    int rc = saml_read(in, &s);
    ASSERT(kind == XML_END || rc == E_BAD);
    ASSERT((!rc && !s.is_ambiguous) || (!s.name_id.at && !s.n_attributes));
    check(s.name_id, in);
    check(s.issuer, in);
    for (uint8_t i = 0; i < s.n_attributes; i++)
        check(s.attributes[i].value, in);
    (void)saml_attribute(&s, SPAN("mail"));
}

static void fuzz_negotiate(struct span in, struct arena *a)
{
    struct negotiate n;
    int rc = negotiate_read(in, a, &n);
    ASSERT(!rc || n.kind != NEGOTIATE_NTLM);
    ASSERT(a->used <= NEGOTIATE_ROOM);
    if (rc || n.kind != NEGOTIATE_NTLM)
        return;
    ASSERT(n.user.size <= NEGOTIATE_NAME_MAX && n.domain.size <= NEGOTIATE_NAME_MAX);
    for (int i = 0; i < 2; i++)
        if ((i ? n.user : n.domain).size)
            check(i ? n.user : n.domain, span_of(a->at, a->used));
}

static void fuzz_jwt(struct span in, struct arena *a)
{
    struct jwt_claims claims;
    struct jwt j;
    const char *why;
    jwt_claims_init(&claims);
    ASSERT(jwt_claims_add(&claims, SPAN("email"), &why) == E_OK && jwt_claims_add(&claims, SPAN("sub"), &why) == E_OK);
    bool is_closed = jwt_is_encrypted(in);
    if (jwt_read(in, &claims, a, &j))
        return;
    ASSERT(!is_closed);
    struct span room = span_of(a->at, a->used);
    check(j.issuer, room);
    check(j.tenant, room);
    for (int i = 0; i < JWT_NAMES; i++)
        check(j.names[i], room);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    if (size == 0)
        return 0;
    struct span in = span_of(data + 1, size - 1);
    arena_init(&a, memory, sizeof memory);
    switch (data[0] % 3) {
    case 0: fuzz_saml(in); break;
    case 1: fuzz_negotiate(in, &a); break;
    default: fuzz_jwt(in, &a); break;
    }
    return 0;
}
