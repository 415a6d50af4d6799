/* SPDX-License-Identifier: Apache-2.0
 * Between the readers of wire/ and the slots of a profile. */
#include "app/assertion.h"

#include "app/extract.h"
#include "base/err.h"
#include "wire/base64.h"
#include "wire/jwt.h"
#include "wire/saml.h"
#include "wire/url.h"

struct telling {
    const struct profile *profile;
    uint64_t slots;
    assertion_fn *found;
    void *ctx;
};

static bool is_clean(struct span s)
{
    for (size_t i = 0; i < s.size; i++)
        if (s.at[i] < ' ' || s.at[i] == 0x7f)
            return false;
    return s.size > 0;
}

/* The next slot of this kind among *slots, or -1. */
static int next_slot(const struct telling *t, uint64_t *slots, enum slot_kind kind)
{
    for (; *slots; *slots &= *slots - 1) {
        unsigned slot = (unsigned)__builtin_ctzll(*slots);
        if (t->profile->slots[slot].kind != kind)
            continue;
        *slots &= *slots - 1;
        return (int)slot;
    }
    return -1;
}

static bool read_saml(const struct telling *t, struct span xml, struct vouched *out)
{
    struct saml saml;
    uint64_t left = t->slots;
    if (saml_read(xml, &saml))
        return false;
    out->bits |= (saml.is_signed ? ASSERTED_SIGNED : 0) | (saml.is_encrypted ? ASSERTED_ENCRYPTED : 0) |
                 (saml.is_ambiguous ? ASSERTED_AMBIGUOUS : 0);
    out->issuer = saml.issuer;
    for (int slot = next_slot(t, &left, SLOT_SAML); slot >= 0; slot = next_slot(t, &left, SLOT_SAML)) {
        uint8_t plain[EXTRACT_VALUE];
        struct span name = t->profile->slots[slot].name;
        struct span raw = span_eq(name, SPAN("name_id")) ? saml.name_id : saml_attribute(&saml, name);
        struct span value = span_of(plain, extract_decode(DECODE_HTML, raw, plain, sizeof plain));
        if (raw.at && is_clean(value))
            t->found(t->ctx, (unsigned)slot, value);
    }
    return true;
}

static bool read_id_token(const struct telling *t, struct span token, struct arena *a, struct vouched *out)
{
    struct jwt_claims claims;
    struct jwt jwt;
    int wanted[JWT_NAMES], n = 0;
    uint64_t left = t->slots;
    const char *why;
    jwt_claims_init(&claims);
    for (int slot = next_slot(t, &left, SLOT_ID_TOKEN); slot >= 0; slot = next_slot(t, &left, SLOT_ID_TOKEN))
        if (!jwt_claims_add(&claims, t->profile->slots[slot].name, &why))
            wanted[n++] = slot;
    bool is_encrypted = jwt_is_encrypted(token);
    if (is_encrypted)
        out->bits |= ASSERTED_ENCRYPTED;
    if (jwt_read(token, &claims, a, &jwt))
        return is_encrypted;
    out->bits |= jwt.is_signed ? ASSERTED_SIGNED : 0;
    out->issuer = jwt.issuer;
    out->tenant = jwt.tenant;
    out->has_issued = jwt.has_issued;
    out->has_expires = jwt.has_expires;
    out->issued_s = jwt.issued_s;
    out->expires_s = jwt.expires_s;
    for (int i = 0; i < n; i++)
        if (jwt.names[i].at)
            t->found(t->ctx, (unsigned)wanted[i], jwt.names[i]);
    return true;
}

bool assertion_read(enum assertion kind, const struct profile *profile, uint64_t slots, struct span field, unsigned n,
                    struct arena *scratch, struct vouched *out, assertion_fn *found, void *ctx)
{
    struct telling t = {profile, slots, found, ctx};
    *out = (struct vouched){.kind = (uint8_t)kind};
    if (n > 1) {
        out->bits = ASSERTED_AMBIGUOUS;
        return true;
    }
    struct span text = url_decode(field, false, scratch); /* base64 has '+', not spaces */
    if (!text.at)
        return false;
    if (kind == ASSERTION_ID_TOKEN)
        return read_id_token(&t, text, scratch, out);
    size_t room = text.size / 4 * 3 + 3, size = 0;
    uint8_t *xml = arena_alloc(scratch, room);
    return xml && base64_decode(text, xml, room, &size) == E_OK && read_saml(&t, span_of(xml, size), out);
}

static int32_t seconds(uint64_t later, uint64_t earlier)
{
    int64_t d = (int64_t)later - (int64_t)earlier;
    return d > INT32_MAX ? INT32_MAX : d < INT32_MIN ? INT32_MIN : (int32_t)d;
}

void assertion_note(const struct vouched *v, uint64_t now_s, struct activity *a)
{
    if (!v->kind)
        return;
    a->assertion = v->kind;
    a->asserted = v->bits;
    if (v->issuer.size)
        activity_set(a, STR_ISSUER, v->issuer);
    if (v->tenant.size)
        activity_set(a, STR_TENANT, v->tenant);
    if (v->has_issued) {
        a->asserted |= ASSERTED_AGE;
        a->token_age_s = seconds(now_s, v->issued_s);
    }
    if (v->has_expires) {
        a->asserted |= ASSERTED_EXPIRY;
        a->token_left_s = seconds(v->expires_s, now_s);
        if (a->token_left_s < 0)
            a->flags |= ACT_TOKEN_EXPIRED;
    }
}
