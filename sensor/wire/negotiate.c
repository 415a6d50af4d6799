/* SPDX-License-Identifier: Apache-2.0
 * As much DER as SPNEGO needs, and the fixed head of an NTLM message. */
#include "wire/negotiate.h"

#include "base/err.h"
#include "wire/base64.h"
#include "wire/unicode.h"

#define TOKEN_MAX (NEGOTIATE_ROOM - 2 * NEGOTIATE_NAME_MAX) /* NTLM stays far below; of Kerberos the beginning is enough */
#define NTLM_AUTHENTICATE 3u
#define NTLM_HEAD 64u     /* up to and with the flags */
#define NTLM_UNICODE 0x1u /* NegotiateFlags */

static const uint8_t kerberos_oid[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02};
static const uint8_t kerberos_oid_ms[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x82, 0xf7, 0x12, 0x01, 0x02, 0x02};
static const uint8_t spnego_oid[] = {0x06, 0x06, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x02};

static uint32_t little(struct span s, size_t at, size_t size)
{
    uint32_t value = 0;
    for (size_t i = size; i-- > 0;)
        value = value << 8 | s.at[at + i];
    return value;
}

/* Takes one DER element with this tag off the front; of a cut one, what there is. False when another stands there. */
static bool der_take(struct span *s, uint8_t tag, struct span *value)
{
    struct reader r = reader_of(*s);
    if (reader_u8(&r) != tag)
        return false;
    uint64_t size = reader_u8(&r);
    if (size & 0x80) {
        unsigned n = size & 0x7f;
        if (n == 0 || n > 4)
            return false;
        for (size = 0; n; n--)
            size = size << 8 | reader_u8(&r);
    }
    if (r.is_bad)
        return false;
    *value = span_sub(r.left, 0, size);
    *s = span_from(r.left, size);
    return true;
}

static bool is_kerberos(struct span token)
{
    return span_starts(token, span_of(kerberos_oid, sizeof kerberos_oid)) ||
           span_starts(token, span_of(kerberos_oid_ms, sizeof kerberos_oid_ms));
}

/* The mechanism's own token inside SPNEGO, and whether Kerberos is what the client likes best. */
static struct span spnego_token(struct span token, bool *has_kerberos)
{
    struct span inner, sequence, part;
    *has_kerberos = false;
    if (der_take(&token, 0x60, &inner)) { /* InitialContextToken (RFC 2743, 3.1) */
        *has_kerberos = is_kerberos(inner);
        if (!span_starts(inner, span_of(spnego_oid, sizeof spnego_oid)))
            return SPAN("");
        token = span_from(inner, sizeof spnego_oid);
    }
    if (!der_take(&token, 0xa0, &inner) && !der_take(&token, 0xa1, &inner)) /* negTokenInit, negTokenResp */
        return SPAN("");
    if (!der_take(&inner, 0x30, &sequence))
        return SPAN("");
    struct span mechanisms;
    for (uint8_t tag = 0xa0; tag <= 0xa3; tag++) {
        if (!der_take(&sequence, tag, &part))
            continue;
        if (tag == 0xa0 && der_take(&part, 0x30, &mechanisms))
            *has_kerberos = is_kerberos(mechanisms);
        if (tag == 0xa2)
            return der_take(&part, 0x04, &inner) ? inner : SPAN("");
    }
    return SPAN("");
}

/* UTF-16LE to UTF-8; false for what is none, and for control characters. */
static bool wide_name(struct span raw, uint8_t *out, size_t *size)
{
    *size = 0;
    if (raw.size % 2)
        return false;
    for (size_t i = 0; i < raw.size; i += 2) {
        uint32_t code = little(raw, i, 2);
        if (code >= 0xd800 && code < 0xdc00 && i + 4 <= raw.size) {
            uint32_t low = little(raw, i + 2, 2);
            if (low < 0xdc00 || low > 0xdfff)
                return false;
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
            i += 2;
        }
        if (code < ' ' || code == 0x7f || (code >= 0xd800 && code < 0xe000) || *size > NEGOTIATE_NAME_MAX - 4)
            return false;
        *size += unicode_put(code, out + *size);
    }
    return true;
}

/* The code page of an OEM name is not said: only what is the same in all of them. */
static bool plain_name(struct span raw, uint8_t *out, size_t *size)
{
    *size = raw.size;
    if (raw.size > NEGOTIATE_NAME_MAX)
        return false;
    for (size_t i = 0; i < raw.size; i++) {
        if (raw.at[i] < ' ' || raw.at[i] >= 0x7f)
            return false;
        out[i] = raw.at[i];
    }
    return true;
}

/* The name whose length and offset stand at 'at' in the head. */
static int ntlm_name(struct span message, size_t at, bool is_wide, struct arena *a, struct span *out)
{
    uint32_t size = little(message, at, 2), offset = little(message, at + 4, 4);
    uint8_t name[NEGOTIATE_NAME_MAX];
    size_t used = 0;
    *out = SPAN("");
    if (size == 0)
        return E_OK;
    if (offset < NTLM_HEAD || offset > message.size || size > message.size - offset)
        return E_BAD;
    struct span raw = span_sub(message, offset, size);
    if (!(is_wide ? wide_name(raw, name, &used) : plain_name(raw, name, &used)))
        return E_BAD;
    *out = arena_copy(a, span_of(name, used));
    return out->at ? E_OK : E_LIMIT;
}

static int ntlm_read(struct span message, struct arena *a, struct negotiate *out)
{
    if (message.size < 12)
        return E_BAD;
    out->kind = NEGOTIATE_NTLM_STEP;
    if (little(message, 8, 4) != NTLM_AUTHENTICATE)
        return E_OK;
    if (message.size < NTLM_HEAD)
        return E_BAD;
    bool is_wide = little(message, 60, 4) & NTLM_UNICODE;
    int rc = ntlm_name(message, 28, is_wide, a, &out->domain);
    rc = rc ? rc : ntlm_name(message, 36, is_wide, a, &out->user);
    if (!rc)
        out->kind = NEGOTIATE_NTLM;
    return rc;
}

int negotiate_read(struct span credentials, struct arena *a, struct negotiate *out)
{
    static const uint8_t signature[] = {'N', 'T', 'L', 'M', 'S', 'S', 'P', 0};
    struct span ntlm = span_of(signature, sizeof signature);
    size_t room = credentials.size / 4 * 3 + 3, size = 0;
    if (room > TOKEN_MAX)
        room = TOKEN_MAX;
    *out = (struct negotiate){NEGOTIATE_OTHER, SPAN(""), SPAN("")};
    uint8_t *plain = arena_alloc(a, room);
    if (!plain)
        return E_LIMIT;
    int rc = base64_decode(credentials, plain, room, &size);
    struct span token = span_of(plain, size), inner;
    bool has_kerberos = false;
    if (rc && rc != E_LIMIT)
        return E_BAD;
    if (span_starts(token, ntlm))
        return ntlm_read(token, a, out);
    inner = spnego_token(token, &has_kerberos);
    if (span_starts(inner, ntlm))
        return ntlm_read(inner, a, out);
    if (has_kerberos)
        out->kind = NEGOTIATE_KERBEROS;
    return E_OK;
}
