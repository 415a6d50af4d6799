/* SPDX-License-Identifier: Apache-2.0
 * Credentials of requests, by a profile's list of sessions. */
#include "app/cred.h"

#include "base/err.h"
#include "base/hash.h"
#include "base/map.h"
#include "wire/auth.h"
#include "wire/cookie.h"
#include "wire/negotiate.h"
#include "wire/url.h"

#include <stdlib.h>

#define CRED_SCRATCH 12288 /* a token of 16 KiB, decoded */
#define MEMOS 1024u /* a power of two */

/* What a rule found in a Cookie field: a session sends the same field with each of its requests. */
struct memo {
    uint8_t field[16];               /* hash of the whole field */
    const struct session_rule *rule; /* NULL: unused */
    bool has, has_other;
    uint16_t at, size;               /* the value, in the field */
    uint64_t name;                   /* hash64 of the cookie's name */
    uint8_t session[SESSION_HASH_SIZE];
    uint8_t other[SESSION_HASH_SIZE]; /* of the last value under the same name that differs from the first */
};

struct cred_hasher {
    struct keyed *key;
    struct map *known; /* fast hash of a value -> keyed hash */
    struct memo memos[MEMOS];
    struct memo unkept; /* of requests with several Cookie fields */
};

struct field_hash {
    uint8_t bytes[16];
    bool is_known;
};

struct cred_hasher *cred_hasher_new(struct keyed *key, uint32_t max)
{
    struct cred_hasher *h = calloc(1, sizeof *h);
    if (!h)
        return NULL;
    h->key = key;
    h->known = map_new(16, SESSION_HASH_SIZE, max, 0);
    if (!h->known) {
        free(h);
        return NULL;
    }
    return h;
}

void cred_hasher_free(struct cred_hasher *h)
{
    if (!h)
        return;
    map_free(h->known);
    free(h);
}

void cred_hash(struct cred_hasher *h, struct span value, uint8_t out[SESSION_HASH_SIZE])
{
    uint8_t fast[16];
    bool is_new;
    hash128(value, 0, fast);
    uint8_t *known = map_touch(h->known, fast, &is_new);
    if (is_new)
        keyed_hash(h->key, SPAN("session"), value, known);
    memcpy(out, known, SESSION_HASH_SIZE);
}

static bool cookie_is(const struct session_rule *r, struct span name, struct span value)
{
    return value.size && value.size >= r->min_size && glob_match(r->name, name, true) &&
           (!r->except.size || !glob_match(r->except, name, true));
}

static bool cookie_find(const struct session_rule *r, const struct request_head *head, struct span *name,
                        struct span *value)
{
    for (uint8_t i = 0; i < head->n_cookies; i++) {
        struct span rest = head->cookies[i];
        while (cookie_next(&rest, name, value))
            if (cookie_is(r, *name, *value))
                return true;
    }
    return false;
}

/* Another value under the name of the one that was found: which of them counts is the application's choice. */
static void other_find(struct cred_hasher *h, const struct session_rule *r, const struct request_head *head,
                       struct span name, struct span first, struct memo *m)
{
    m->has_other = false;
    for (uint8_t i = 0; i < head->n_cookies; i++) {
        struct span rest = head->cookies[i], other, value;
        while (cookie_next(&rest, &other, &value))
            if (span_eq(other, name) && cookie_is(r, other, value) && !span_eq(value, first)) {
                m->has_other = true;
                cred_hash(h, value, m->other);
            }
    }
}

static const struct memo *memo_make(struct cred_hasher *h, const struct session_rule *r, const struct request_head *head,
                                    struct memo *m, struct span *value)
{
    struct span name;
    m->rule = r;
    m->has = cookie_find(r, head, &name, value);
    if (!m->has)
        return m;
    m->at = (uint16_t)(value->at - head->cookies[0].at); /* right where it is the only field, and only read then */
    m->size = (uint16_t)value->size;
    m->name = hash64(name, 0);
    cred_hash(h, *value, m->session);
    other_find(h, r, head, name, *value, m);
    return m;
}

/* What the rule finds in the request's cookies; remembered where they are one field, as browsers send them. '*once' has
 * the hash of that field from the second rule on. */
static const struct memo *memo_find(struct cred_hasher *h, const struct session_rule *r, const struct request_head *head,
                                    struct field_hash *once, struct span *value)
{
    struct span field = head->cookies[0];
    if (head->n_cookies != 1 || field.size > UINT16_MAX)
        return memo_make(h, r, head, &h->unkept, value);
    if (!once->is_known)
        hash128(field, 0, once->bytes);
    once->is_known = true;
    uint64_t slot;
    memcpy(&slot, once->bytes, sizeof slot);
    struct memo *m = &h->memos[(slot + ((uintptr_t)r >> 4)) % MEMOS];
    if (m->rule == r && memcmp(m->field, once->bytes, sizeof m->field) == 0) {
        *value = span_sub(field, m->at, m->size);
        return m;
    }
    memcpy(m->field, once->bytes, sizeof m->field);
    return memo_make(h, r, head, m, value);
}

static struct span public_part(const struct session_rule *r, struct span value)
{
    return r->public ? pattern_take(r->public, value, SPAN("public")) : span_of(NULL, 0);
}

static bool scheme_is(const struct session_rule *r, const struct auth *auth)
{
    return span_eq_nocase(r->name, auth->name);
}

/* The user of NTLM; Kerberos tells nobody, so that a cookie beside it acts. */
static bool negotiate_cred(const struct session_rule *r, struct span credentials, struct arena *a, struct cred *out)
{
    uint8_t memory[NEGOTIATE_ROOM];
    struct arena scratch;
    struct negotiate n;
    arena_init(&scratch, memory, sizeof memory);
    int rc = negotiate_read(credentials, &scratch, &n);
    out->is_negotiating = true;
    out->has_kerberos = !rc && n.kind == NEGOTIATE_KERBEROS;
    out->is_malformed |= rc != E_OK || (n.kind == NEGOTIATE_OTHER && span_eq_nocase(r->name, SPAN("ntlm")));
    if (rc || n.kind != NEGOTIATE_NTLM || !n.user.size)
        return false;
    size_t head = n.domain.size ? n.domain.size + 1 : 0;
    uint8_t *name = arena_alloc(a, head + n.user.size);
    if (!name)
        return false;
    if (head) {
        memcpy(name, n.domain.at, n.domain.size);
        name[n.domain.size] = '\\';
    }
    memcpy(name + head, n.user.at, n.user.size);
    out->kind = CRED_NTLM;
    out->claim = span_of(name, head + n.user.size);
    return true;
}

/* A token in the place of the password: it is who acts, whoever the user name says. */
static bool password_cred(struct cred_hasher *h, struct span credentials, struct cred *out)
{
    uint8_t password[256];
    size_t size;
    if (auth_basic_password(credentials, password, sizeof password, &size) || !size)
        return false;
    out->kind = CRED_TOKEN;
    out->has_session = true;
    cred_hash(h, span_of(password, size), out->session);
    explicit_bzero(password, sizeof password);
    return true;
}

static bool authorization_read(struct cred_hasher *h, const struct session_rule *r, struct span field,
                               struct arena *a, struct cred *out)
{
    struct auth auth;
    if (!auth_split(field, &auth) || !auth.credentials.size || !scheme_is(r, &auth))
        return false;
    if (auth.scheme == AUTH_NEGOTIATE)
        return negotiate_cred(r, auth.credentials, a, out);
    if (auth.scheme == AUTH_BASIC || auth.scheme == AUTH_DIGEST) {
        struct span user = {NULL, 0};
        int rc = auth.scheme == AUTH_BASIC ? auth_basic_user(auth.credentials, a, &user)
                                           : auth_digest_user(auth.credentials, a, &user);
        out->is_malformed |= rc == E_BAD || rc == E_LIMIT;
        if (rc || !user.size)
            return false;
        if (r->acts_for && pattern_take(r->acts_for, user, SPAN("user")).size)
            return password_cred(h, auth.credentials, out);
        if (r->key.size && glob_match(r->key, user, false) && !(r->except.size && glob_match(r->except, user, false))) {
            out->kind = CRED_TOKEN; /* a key in the place of the name: it must not be told */
            out->has_session = true;
            cred_hash(h, user, out->session);
            return true;
        }
        out->kind = CRED_BASIC;
        out->claim = user;
        return true;
    }
    if (auth.credentials.size < r->min_size)
        return false;
    out->kind = auth.scheme == AUTH_BEARER ? CRED_BEARER : CRED_TOKEN;
    out->has_session = true;
    cred_hash(h, auth.credentials, out->session);
    out->claim = public_part(r, auth.credentials);
    return true;
}

/* A remember-me cookie acts where nothing else does. */
static void remember_read(struct cred_hasher *h, const struct session_rule *r, const struct request_head *head,
                          struct field_hash *once, struct cred *out)
{
    struct span value;
    if (out->has_remember || !head->n_cookies)
        return;
    const struct memo *m = memo_find(h, r, head, once, &value);
    if (!m->has)
        return;
    out->has_remember = true;
    memcpy(out->remember, m->session, SESSION_HASH_SIZE);
}

/* A key by itself, in a field or an argument. */
static bool key_read(struct cred_hasher *h, const struct session_rule *r, struct span value, struct cred *out)
{
    if (!value.size || value.size < r->min_size)
        return false;
    out->kind = r->kind == SESSION_LINK ? CRED_LINK : CRED_TOKEN;
    out->has_session = true;
    cred_hash(h, value, out->session);
    out->claim = public_part(r, value);
    return true;
}

static bool argument_find(const struct session_rule *r, struct span query, struct arena *a, struct span *value)
{
    struct span rest = query, name;
    while (query.size && url_next_pair(&rest, &name, value))
        if (glob_match(r->name, name, true)) {
            *value = url_decode(*value, true, a);
            return true;
        }
    return false;
}

static struct span field_find(const struct fields *fields, struct span name)
{
    return fields ? fields_get(fields, name) : span_of(NULL, 0);
}

static bool cookie_read(struct cred_hasher *h, const struct session_rule *r, const struct request_head *head,
                        struct field_hash *once, struct cred *out)
{
    if (out->has_cookie || !head->n_cookies)
        return false;
    struct span value;
    const struct memo *m = memo_find(h, r, head, once, &value);
    if (!m->has)
        return false;
    out->has_cookie = true;
    out->is_rotating = r->is_rotating;
    out->cookie_name = m->name;
    out->has_other = m->has_other;
    if (m->has_other)
        memcpy(out->other, m->other, SESSION_HASH_SIZE);
    memcpy(out->cookie, m->session, SESSION_HASH_SIZE);
    if (out->kind != CRED_NONE)
        return false; /* noted; something else acts */
    out->kind = CRED_COOKIE;
    out->has_session = true;
    memcpy(out->session, out->cookie, SESSION_HASH_SIZE);
    out->claim = public_part(r, value);
    return true;
}

static bool rule_read(struct cred_hasher *h, const struct session_rule *r, const struct request_head *head,
                      struct span query, struct arena *a, struct field_hash *once, struct cred *out)
{
    struct span value;
    switch (r->kind) {
    case SESSION_COOKIE:
        return cookie_read(h, r, head, once, out);
    case SESSION_AUTHORIZATION:
        return head->authorization.size && authorization_read(h, r, head->authorization, a, out);
    case SESSION_HEADER:
        return key_read(h, r, field_find(head->fields, r->name), out);
    case SESSION_QUERY:
    case SESSION_LINK:
        return argument_find(r, query, a, &value) && key_read(h, r, value, out);
    default:
        return false;
    }
}

void cred_read(struct cred_hasher *h, const struct profile *profile, const struct request_head *head,
               struct span query, struct arena *a, struct cred *out)
{
    struct field_hash once = {.is_known = false};
    *out = (struct cred){.kind = CRED_NONE};
    for (uint8_t i = 0; i < profile->n_sessions; i++) {
        const struct session_rule *r = &profile->sessions[i];
        if (r->is_remember)
            remember_read(h, r, head, &once, out);
        else if ((out->kind == CRED_NONE || r->kind == SESSION_COOKIE) && rule_read(h, r, head, query, a, &once, out))
            out->rule = r;
    }
    if (out->kind == CRED_NONE && out->has_remember) {
        out->kind = CRED_COOKIE;
        out->has_session = true;
        memcpy(out->session, out->remember, SESSION_HASH_SIZE);
    }
    if (out->kind == CRED_NONE && out->has_kerberos)
        out->kind = CRED_KERBEROS;
}

/* The value a rule is about, as it was sent. */
static struct span value_sent(const struct session_rule *r, const struct request_head *head, struct span query,
                              struct arena *a)
{
    struct span name, value = {NULL, 0};
    struct auth auth;
    switch (r->kind) {
    case SESSION_COOKIE:
        return cookie_find(r, head, &name, &value) ? value : span_of(NULL, 0);
    case SESSION_AUTHORIZATION:
        return auth_split(head->authorization, &auth) ? auth.credentials : span_of(NULL, 0);
    case SESSION_HEADER:
        return field_find(head->fields, r->name);
    default:
        return argument_find(r, query, a, &value) ? value : span_of(NULL, 0);
    }
}

static struct span text_into(struct cred_token *out, struct span text)
{
    struct arena a = {out->bytes + out->used, sizeof out->bytes - out->used, 0, false};
    struct span copy = text.size ? arena_copy(&a, text) : span_of(NULL, 0);
    out->used += a.used;
    return copy;
}

static void token_jwt(const struct session_rule *r, struct span token, struct arena *a, struct cred_token *out)
{
    struct jwt jwt;
    bool is_closed = jwt_is_encrypted(token);
    if (!is_closed && jwt_read(token, r->jwt, a, &jwt)) {
        out->is_malformed = span_starts(token, SPAN("eyJ")); /* '{"' in base64url: RFC 7519, 3.1 */
        return;
    }
    out->vouched.kind = ASSERTION_JWT;
    if (is_closed) {
        out->vouched.bits = ASSERTED_ENCRYPTED;
        return;
    }
    out->vouched.bits = jwt.is_signed ? ASSERTED_SIGNED : 0;
    out->is_unsigned = !jwt.is_signed;
    out->vouched.has_issued = jwt.has_issued;
    out->vouched.has_expires = jwt.has_expires;
    out->vouched.issued_s = jwt.issued_s;
    out->vouched.expires_s = jwt.expires_s;
    for (uint8_t i = 0; jwt.is_signed && i < r->jwt->n_names && !out->claim.at; i++) /* else anybody could have written it */
        out->claim = text_into(out, jwt.names[i]);
    out->vouched.issuer = text_into(out, span_sub(jwt.issuer, 0, ASSERTION_ISSUER));
    out->vouched.tenant = text_into(out, span_sub(jwt.tenant, 0, ASSERTION_TENANT));
}

void cred_token(const struct cred *cred, const struct request_head *head, struct span query, struct cred_token *out)
{
    const struct session_rule *r = cred->rule;
    out->vouched = (struct vouched){.kind = ASSERTION_NONE};
    out->claim = out->acts_for = span_of(NULL, 0);
    out->is_malformed = out->is_unsigned = false;
    out->used = 0;
    if (!r || (!r->jwt && !r->acts_for))
        return;
    uint8_t memory[CRED_SCRATCH];
    struct arena a;
    struct span user;
    arena_init(&a, memory, sizeof memory);
    struct span value = value_sent(r, head, query, &a);
    if (r->jwt && value.size)
        token_jwt(r, value, &a, out);
    else if (r->acts_for && cred->kind == CRED_TOKEN && auth_basic_user(value, &a, &user) == E_OK)
        out->acts_for = text_into(out, pattern_take(r->acts_for, user, SPAN("user")));
}

struct span cred_certificate_name(struct span subject)
{
    struct span cn = SPAN("CN="), name = subject;
    for (size_t at = span_find(subject, cn, 0), n = 0; at != SIZE_MAX; at = span_find(subject, cn, at + 1)) {
        if (at && subject.at[at - 1] != ',')
            continue;
        struct span value = span_from(subject, at + cn.size);
        name = span_sub(value, 0, span_find_byte(value, ',', 0));
        bool is_plain = name.size && span_find_byte(name, '\\', 0) == SIZE_MAX && span_find_byte(name, '+', 0) == SIZE_MAX;
        if (n++ || !is_plain)
            return subject;
    }
    return name;
}

/* Name and value of a Set-Cookie field, without a look at its attributes. */
static bool set_pair(struct span field, struct span *name, struct span *value)
{
    struct span pair = span_sub(field, 0, span_find_byte(field, ';', 0));
    return cookie_next(&pair, name, value) && name->size;
}

/* Whether an attribute begins like Expires or Max-Age. */
static bool has_lifetime(struct span field)
{
    for (size_t i = span_find_byte(field, ';', 0); i != SIZE_MAX; i = span_find_byte(field, ';', i + 1)) {
        while (i + 1 < field.size && field.at[i + 1] == ' ')
            i++;
        uint8_t first = i + 1 < field.size ? field.at[i + 1] | 0x20 : 0;
        if (first == 'e' || first == 'm')
            return true;
    }
    return false;
}

static uint32_t set_until(const struct cookie_set *set, uint64_t now_s)
{
    uint64_t until = set->has_max_age   ? now_s + (set->max_age > 0 ? (uint64_t)set->max_age : 0)
                     : set->has_expires ? set->expires_s
                                        : 0;
    return until < UINT32_MAX ? (uint32_t)until : UINT32_MAX;
}

/* What one Set-Cookie field does; false when it is none of this rule's business. */
static bool set_read(struct cred_hasher *h, const struct session_rule *r, struct span field, const struct cred *sent,
                     uint64_t now_s, struct cred_set *out)
{
    struct span name, value;
    struct cookie_set set;
    if (!set_pair(field, &name, &value) || !glob_match(r->name, name, true))
        return false;
    bool is_sent = sent->has_cookie && hash64(name, 0) == sent->cookie_name;
    if (cookie_is(r, name, value)) {
        cred_hash(h, value, out->session);
        if (is_sent && memcmp(out->session, sent->cookie, SESSION_HASH_SIZE) == 0) {
            out->state = COOKIE_SAME;
            if (has_lifetime(field) && cookie_set_parse(field, &set))
                out->until_s = set_until(&set, now_s);
            return true;
        }
    }
    if (!cookie_set_parse(field, &set))
        return false;
    out->is_removed = cookie_set_is_removal(&set, now_s);
    if (out->is_removed ? !is_sent : !cookie_is(r, name, value)) {
        out->is_removed = false;
        return false;
    }
    out->state = out->is_removed || sent->has_cookie ? COOKIE_CHANGED : COOKIE_FIRST;
    out->is_successor = is_sent && !out->is_removed;
    out->until_s = out->is_removed ? 0 : set_until(&set, now_s);
    return true;
}

/* The remember-me value the answer sets, if it does. */
static void set_remember(struct cred_hasher *h, const struct session_rule *r, const struct response_head *head,
                         uint64_t now_s, struct cred_set *out)
{
    for (uint8_t c = 0; c < head->n_cookies && !out->has_remember; c++) {
        struct span name, value;
        struct cookie_set set;
        if (!set_pair(head->cookies[c], &name, &value) || !cookie_is(r, name, value) ||
            !cookie_set_parse(head->cookies[c], &set) || cookie_set_is_removal(&set, now_s))
            continue;
        out->has_remember = true;
        out->remember_until_s = set_until(&set, now_s);
        cred_hash(h, value, out->remember);
    }
}

/* A value set outweighs one taken away: some applications change the name at a login. One that takes the place of the
 * value sent outweighs those of other names; of several the
 * last, as in a browser. */
void cred_set_read(struct cred_hasher *h, const struct profile *profile, const struct response_head *head,
                   const struct cred *sent, uint64_t now_s, struct cred_set *out)
{
    struct cred_set best = {.state = COOKIE_NONE}, last = {.state = COOKIE_NONE};
    for (uint8_t i = 0; head->n_cookies && i < profile->n_sessions; i++) {
        const struct session_rule *r = &profile->sessions[i];
        if (r->is_remember)
            set_remember(h, r, head, now_s, &last);
        for (uint8_t c = 0; r->kind == SESSION_COOKIE && !r->is_remember && c < head->n_cookies; c++) {
            struct cred_set one = {.state = COOKIE_NONE};
            if (!set_read(h, r, head->cookies[c], sent, now_s, &one))
                continue;
            if (best.state == COOKIE_NONE || best.is_removed || one.is_successor)
                best = one;
        }
    }
    *out = best;
    out->has_remember = last.has_remember;
    out->remember_until_s = last.remember_until_s;
    memcpy(out->remember, last.remember, sizeof out->remember);
}

bool cred_link(struct cred_hasher *h, const struct profile *profile, struct span query, uint8_t out[SESSION_HASH_SIZE])
{
    uint8_t memory[2048];
    struct arena a;
    for (uint8_t i = 0; query.size && i < profile->n_sessions; i++) {
        struct span value;
        arena_init(&a, memory, sizeof memory);
        if (profile->sessions[i].kind != SESSION_LINK || !argument_find(&profile->sessions[i], query, &a, &value))
            continue;
        if (!value.size || value.size < profile->sessions[i].min_size)
            continue;
        cred_hash(h, value, out);
        return true;
    }
    return false;
}
