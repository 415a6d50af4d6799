/* SPDX-License-Identifier: Apache-2.0
 * Takes the public half out of credentials and leaves the secret half where it is. */
#include "wire/auth.h"

#include "base/err.h"
#include "wire/base64.h"
#include "wire/param.h"

#define USER_MAX 256

static enum auth_scheme scheme_of(struct span name)
{
    static const struct {
        struct span name;
        enum auth_scheme scheme;
    } known[] = {
        {{(const uint8_t *)"basic", 5}, AUTH_BASIC},         {{(const uint8_t *)"bearer", 6}, AUTH_BEARER},
        {{(const uint8_t *)"token", 5}, AUTH_TOKEN},         {{(const uint8_t *)"digest", 6}, AUTH_DIGEST},
        {{(const uint8_t *)"negotiate", 9}, AUTH_NEGOTIATE}, {{(const uint8_t *)"ntlm", 4}, AUTH_NEGOTIATE},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (span_eq_nocase(name, known[i].name))
            return known[i].scheme;
    return AUTH_OTHER;
}

bool auth_split(struct span field, struct auth *out)
{
    *out = (struct auth){0};
    field = span_trim(field);
    if (field.size == 0)
        return false;
    size_t space = 0;
    while (space < field.size && field.at[space] != ' ' && field.at[space] != '\t')
        space++;
    if (space == field.size) {
        out->scheme = AUTH_OTHER;
        out->credentials = field;
        return true;
    }
    out->name = span_sub(field, 0, space);
    out->scheme = scheme_of(out->name);
    out->credentials = span_trim(span_from(field, space));
    return true;
}

/* Decodes four characters at a time, so that at most two bytes of the password are ever in plain. */
int auth_basic_user(struct span credentials, struct arena *a, struct span *user)
{
    uint8_t plain[USER_MAX + 3];
    size_t size = 0, got = 0;
    int result = E_BAD;
    while (credentials.size && result == E_BAD) {
        if (size > USER_MAX) {
            result = E_LIMIT;
            break;
        }
        if (base64_decode(span_sub(credentials, 0, 4), plain + size, 3, &got) != E_OK || got == 0)
            break;
        credentials = span_from(credentials, 4);
        size_t colon = span_find_byte(span_of(plain, size + got), ':', size);
        size += got;
        if (colon == SIZE_MAX)
            continue;
        *user = arena_copy(a, span_of(plain, colon));
        result = colon == 0 ? E_NONE : colon > USER_MAX || !user->at ? E_LIMIT : E_OK;
    }
    explicit_bzero(plain, sizeof plain);
    return result;
}

int auth_basic_password(struct span credentials, uint8_t *out, size_t max, size_t *size)
{
    uint8_t plain[2 * USER_MAX];
    size_t got = 0;
    int rc = base64_decode(credentials, plain, sizeof plain, &got);
    size_t colon = rc ? SIZE_MAX : span_find_byte(span_of(plain, got), ':', 0);
    if (!rc && colon == SIZE_MAX)
        rc = E_BAD;
    if (!rc && got - colon - 1 > max)
        rc = E_LIMIT;
    *size = rc ? 0 : got - colon - 1;
    if (*size)
        memcpy(out, plain + colon + 1, *size);
    explicit_bzero(plain, sizeof plain);
    return rc;
}

int auth_digest_user(struct span credentials, struct arena *a, struct span *user)
{
    struct span rest = credentials, part;
    while (param_split(&rest, ',', &part)) {
        size_t equals = span_find_byte(part, '=', 0);
        if (equals == SIZE_MAX || !span_eq_nocase(span_trim(span_sub(part, 0, equals)), SPAN("username")))
            continue;
        *user = param_value(span_trim(span_from(part, equals + 1)), false, a);
        if (!user->at)
            return E_LIMIT;
        return user->size == 0 ? E_NONE : user->size > USER_MAX ? E_LIMIT : E_OK;
    }
    return E_NONE;
}

int auth_jwt_claims(struct span token, struct arena *a, struct span *claims)
{
    struct span rest = token, head, body, signature;
    if (!span_split(&rest, '.', &head) || !span_split(&rest, '.', &body) || !span_split(&rest, '.', &signature) ||
        rest.at)
        return E_BAD;
    /* every JOSE header is a JSON object, so its base64url begins with that of '{"' or '{' and white space */
    uint8_t first[3];
    size_t size;
    if (base64_decode(span_sub(head, 0, 4), first, sizeof first, &size) != E_OK || size == 0 || first[0] != '{' ||
        body.size < 2)
        return E_BAD;
    size_t mark = arena_mark(a), room = body.size / 4 * 3 + 3;
    uint8_t *to = arena_alloc(a, room);
    if (!to)
        return E_LIMIT;
    if (base64_decode(body, to, room, &size) != E_OK || size < 2 || to[0] != '{') {
        arena_rewind(a, mark);
        return E_BAD;
    }
    *claims = span_of(to, size);
    return E_OK;
}
