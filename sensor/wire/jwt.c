/* SPDX-License-Identifier: Apache-2.0
 * The claims in one pass. */
#include "wire/jwt.h"

#include "base/err.h"
#include "wire/auth.h"

enum { CLAIM_ISS, CLAIM_TID, CLAIM_IAT, CLAIM_EXP, CLAIM_NAMES };
_Static_assert(CLAIM_NAMES + JWT_NAMES <= JSON_SCAN_POINTERS, "one scan finds them all");

#define HEAD_MAX 512 /* decoded bytes of a token's head that are looked at */

static struct json_pointer member(const char *key)
{
    struct json_pointer p = {.n = 1, .filter = UINT8_MAX, .want = JSON_SCAN_TEXT};
    p.steps[0].kind = JSON_STEP_KEY;
    p.steps[0].key_size = (uint8_t)strlen(key);
    memcpy(p.steps[0].key, key, p.steps[0].key_size);
    return p;
}

void jwt_claims_init(struct jwt_claims *c)
{
    c->list[CLAIM_ISS] = member("iss");
    c->list[CLAIM_TID] = member("tid");
    c->list[CLAIM_IAT] = member("iat");
    c->list[CLAIM_EXP] = member("exp");
    c->n_names = 0;
}

int jwt_claims_add(struct jwt_claims *c, struct span name, const char **why)
{
    char pointer[JSON_POINTER_KEY_MAX + 2] = "/";
    *why = "too many";
    if (c->n_names == JWT_NAMES)
        return E_LIMIT;
    *why = "too long";
    if (name.size > JSON_POINTER_KEY_MAX)
        return E_BAD;
    memcpy(pointer + 1, name.at, name.size);
    struct json_pointer *out = &c->list[CLAIM_NAMES + c->n_names];
    int rc = json_pointer_compile(span_of(pointer, name.size + 1), JSON_SCAN_TEXT, out, why);
    c->n_names = (uint8_t)(c->n_names + (rc == E_OK));
    return rc;
}

static bool is_clean(struct span s)
{
    for (size_t i = 0; i < s.size; i++)
        if (s.at[i] < ' ' || s.at[i] == 0x7f)
            return false;
    return s.size > 0;
}

static struct span text_of(const struct json_value *v, struct arena *a)
{
    struct span text = json_value_text(v);
    bool is_one = v->is_done && v->n == 1 && v->kind == JSON_STRING && !v->is_cut;
    return is_one && is_clean(text) ? arena_copy(a, text) : span_of(NULL, 0);
}

/* A NumericDate: seconds, perhaps with a fraction, which does not matter here. */
static bool date_of(const struct json_value *v, uint64_t *seconds)
{
    struct span text = json_value_text(v);
    bool is_one = v->is_done && v->n == 1 && v->kind == JSON_NUMBER && !v->is_cut;
    return is_one && span_u64(span_sub(text, 0, span_find_byte(text, '.', 0)), seconds) && *seconds <= UINT32_MAX;
}

/* Whether the head names an algorithm other than "none". */
static bool has_algorithm(struct span token)
{
    struct json_pointer alg = member("alg");
    struct json_scan scan;
    uint8_t head[HEAD_MAX];
    size_t size = 0;
    if (base64_decode(span_sub(token, 0, span_find_byte(token, '.', 0)), head, sizeof head, &size))
        return false;
    json_scan_init(&scan, &alg, 1, NULL, NULL);
    json_scan_feed(&scan, span_of(head, size));
    const struct json_value *v = &scan.values[0];
    return v->is_done && v->n == 1 && v->kind == JSON_STRING && !span_eq_nocase(json_value_text(v), SPAN("none"));
}

static struct span last_part(struct span token)
{
    struct span part = token;
    while (token.at && span_split(&token, '.', &part))
        continue;
    return part;
}

int jwt_read(struct span token, const struct jwt_claims *claims, struct arena *a, struct jwt *out)
{
    struct span text;
    struct json_scan scan;
    *out = (struct jwt){.has_issued = false};
    int rc = auth_jwt_claims(token, a, &text);
    if (rc)
        return rc;
    json_scan_init(&scan, claims->list, CLAIM_NAMES + claims->n_names, NULL, NULL);
    json_scan_feed(&scan, text);
    if (!json_scan_is_done(&scan) || json_scan_is_broken(&scan))
        return E_BAD;
    out->issuer = text_of(&scan.values[CLAIM_ISS], a);
    out->tenant = text_of(&scan.values[CLAIM_TID], a);
    out->has_issued = date_of(&scan.values[CLAIM_IAT], &out->issued_s);
    out->has_expires = date_of(&scan.values[CLAIM_EXP], &out->expires_s);
    for (uint8_t i = 0; i < claims->n_names; i++)
        out->names[i] = text_of(&scan.values[CLAIM_NAMES + i], a);
    out->is_signed = last_part(token).size && has_algorithm(token);
    return a->is_full ? E_LIMIT : E_OK;
}

bool jwt_is_encrypted(struct span token)
{
    unsigned parts = 0;
    uint8_t first[3];
    size_t size;
    struct span part, head = span_sub(token, 0, span_find_byte(token, '.', 0));
    while (token.at && parts < 6 && span_split(&token, '.', &part))
        parts++;
    return parts == 5 && !base64_decode(span_sub(head, 0, 4), first, sizeof first, &size) && size && first[0] == '{';
}
