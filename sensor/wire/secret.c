/* SPDX-License-Identifier: Apache-2.0
 * Names, forms of keys, placeholders, expiries. The forms of keys are those their issuers document. */
#include "wire/secret.h"

#include "base/hash.h"
#include "base/times.h"
#include "wire/auth.h"
#include "wire/cookie.h"

#include <string.h>

enum section { SECTION_NONE, SECTION_COOKIES, SECTION_HEADERS, SECTION_FORM, SECTION_CONTENT, SECTION_OTHER };

#define CLAIMS_MAX 3200 /* bytes of a JWT's claims that are decoded */
#define PEM_WORDS 12    /* of a key's body that tell it from others */

enum pem { PEM_NONE, PEM_BEGIN, PEM_PRIVATE, PEM_BODY };

/* ---- values ---- */

static struct span text_of(const struct secret_scan *s)
{
    return span_of(s->text, s->size < SECRET_SCAN_VALUE ? s->size : SECRET_SCAN_VALUE);
}

static bool has_nocase(struct span s, struct span text)
{
    return span_find_nocase(s, text, 0) != SIZE_MAX;
}

/* What redactors, templates and empty fields leave. */
static bool is_placeholder(struct span v)
{
    static const struct span parts[] = {
        SPAN("redact"), SPAN("***"), SPAN("<"), SPAN("${"), SPAN("{{"), SPAN("removed"), SPAN("sanitiz"), SPAN("masked"),
        SPAN("hidden"), SPAN("scrubbed"), SPAN("anonymi"), SPAN("placeholder"), SPAN("xxxx"), SPAN("...."), SPAN("\xe2\x80\xa2"),
        SPAN("your_"), SPAN("your-"), SPAN("[filtered]"), SPAN("%{"),
    };
    static const struct span whole[] = {SPAN("null"), SPAN("none"), SPAN("nil"), SPAN("true"), SPAN("false"),
                                        SPAN("undefined"), SPAN("deleted"), SPAN("string"), SPAN("n/a")};
    for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++)
        if (span_eq_nocase(v, whole[i]))
            return true;
    v = span_sub(v, 0, 256);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (has_nocase(v, parts[i]))
            return true;
    for (size_t i = 1; i < v.size; i++)
        if (v.at[i] != v.at[0])
            return false;
    return true;
}

/* A token has letters and digits and nothing a sentence has. */
static bool is_token_like(struct span v, size_t least)
{
    bool has_digit = false, has_letter = false;
    for (size_t i = 0; i < v.size; i++) {
        uint8_t c = v.at[i], lower = c | 0x20;
        if (c <= ' ' || c >= 0x7f || c == ',' || c == '"')
            return false;
        has_digit |= c >= '0' && c <= '9';
        has_letter |= lower >= 'a' && lower <= 'z';
    }
    return v.size >= least && has_digit && has_letter && !is_placeholder(v);
}

static uint64_t hash_of(struct span v)
{
    return hash64(v, v.size) | 1; /* zero is an empty place */
}

/* Where a value's hash stands, or would. There is always an empty place. */
static size_t place_of(const struct secret_scan *s, uint64_t hash)
{
    size_t at = hash >> 1 & (SECRET_SCAN_SEEN - 1);
    while (s->seen[at] && s->seen[at] != hash)
        at = (at + 1) & (SECRET_SCAN_SEEN - 1);
    return at;
}

/* Whether the value has been counted: most come again and again, and need not be looked at again. */
static bool is_known(const struct secret_scan *s, struct span v)
{
    return s->seen[place_of(s, hash_of(v))] != 0;
}

static void count_hash(struct secret_scan *s, enum secret_kind kind, uint64_t hash, bool is_expired)
{
    size_t at = place_of(s, hash);
    if (s->seen[at])
        return;
    if (s->n_seen >= SECRET_SCAN_SEEN * 3 / 4) {
        s->is_cut = true; /* more than can be told apart: the counts are the least there are */
        return;
    }
    s->seen[at] = hash;
    s->n_seen++;
    s->counts[kind]++;
    s->expired = (uint16_t)(s->expired + is_expired);
}

static void count(struct secret_scan *s, enum secret_kind kind, struct span v, bool is_expired)
{
    count_hash(s, kind, hash_of(v), is_expired);
}

/* A number of the claims, 0 when it is not there. */
static uint64_t claim_number(struct span claims, struct span quoted)
{
    size_t at = span_find(claims, quoted, 0);
    struct span rest = at == SIZE_MAX ? SPAN("") : span_trim(span_from(claims, at + quoted.size));
    if (!span_starts(rest, SPAN(":")))
        return 0;
    rest = span_trim(span_from(rest, 1));
    size_t n = 0;
    while (n < rest.size && n < 18 && rest.at[n] >= '0' && rest.at[n] <= '9')
        n++;
    uint64_t value = 0;
    return span_u64(span_sub(rest, 0, n), &value) ? value : 0;
}

/* A JWT in compact form with its signature (RFC 7519; RFC 7515, 7.1). *is_expired by its "exp". */
static bool is_jwt(const struct secret_scan *s, struct span v, bool *is_expired)
{
    *is_expired = false;
    if (!span_starts(v, SPAN("eyJ")))
        return false;
    size_t first = span_find_byte(v, '.', 0), second = first == SIZE_MAX ? SIZE_MAX : span_find_byte(v, '.', first + 1);
    if (second == SIZE_MAX || second - first < 10 || !span_starts(span_from(v, first + 1), SPAN("eyJ")) ||
        v.size - second - 1 < 20 || span_find_byte(v, '.', second + 1) != SIZE_MAX)
        return false;
    uint8_t memory[CLAIMS_MAX];
    struct arena arena;
    struct span claims;
    arena_init(&arena, memory, sizeof memory);
    if (auth_jwt_claims(v, &arena, &claims) == 0) {
        uint64_t exp = claim_number(claims, SPAN("\"exp\""));
        *is_expired = exp && exp <= s->now_s;
        explicit_bzero(memory, sizeof memory);
    }
    return true;
}

/* ---- cookies ---- */

/* Names of cookies that carry a session, whatever the application; those against request forgery do not. */
static bool is_session_name(struct span name)
{
    static const struct span parts[] = {
        SPAN("sess"), SPAN("sid"), SPAN("auth"), SPAN("token"), SPAN("jwt"), SPAN("remember"), SPAN("sso"), SPAN("saml"),
        SPAN("login"), SPAN("ticket"), SPAN("identity"), SPAN("credential"), SPAN(".aspnet"), SPAN("castgc"), SPAN("__host-"),
        SPAN("oidc"), SPAN("oauth"), SPAN("access"), SPAN("refresh"),
    };
    static const struct span whole[] = {SPAN("idx"), SPAN("DT"), SPAN("SID"), SPAN("cookie"), SPAN("user_id")};
    if (has_nocase(name, SPAN("csrf")) || has_nocase(name, SPAN("xsrf")) || has_nocase(name, SPAN("consent")) ||
        has_nocase(name, SPAN("nonce")))
        return false;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (has_nocase(name, parts[i]))
            return true;
    for (size_t i = 0; i < 3; i++)
        if (span_eq(name, whole[i]))
            return true;
    return false;
}

static bool is_session_cookie(struct span name, struct span v)
{
    return v.size >= 8 && is_session_name(name) && is_token_like(v, 8);
}

static void cookie_pairs(struct secret_scan *s, struct span list)
{
    struct span name, v;
    bool is_expired;
    while (cookie_next(&list, &name, &v))
        if (v.size >= 8 && !is_known(s, v) && is_session_cookie(name, v) && (list.at || s->size <= SECRET_SCAN_VALUE)) {
            (void)is_jwt(s, v, &is_expired);
            count(s, SECRET_COOKIE, v, is_expired);
        }
}

static void cookie_set(struct secret_scan *s, struct span field)
{
    struct cookie_set c;
    if (!cookie_set_parse(field, &c) || !is_session_cookie(c.name, c.value) || (c.has_max_age && c.max_age <= 0))
        return; /* one that is taken away is none */
    bool is_expired;
    (void)is_jwt(s, c.value, &is_expired);
    count(s, SECRET_COOKIE, c.value, is_expired || (c.has_expires && !c.has_max_age && c.expires_s <= s->now_s));
}

/* {"name": ..., "value": ...} in a list of cookies: its expiry may follow. */
static void cookie_alone(struct secret_scan *s, struct span v)
{
    bool is_expired;
    if (is_known(s, v) || !is_token_like(v, 8))
        return;
    (void)is_jwt(s, v, &is_expired);
    s->has_cookie = true;
    s->is_cookie_expired = is_expired;
    s->cookie_hash = hash_of(v);
}

void secret_object_end(struct secret_scan *s)
{
    if (s->has_cookie)
        count_hash(s, SECRET_COOKIE, s->cookie_hash,
                   s->is_cookie_expired || (s->object_expiry_s && s->object_expiry_s <= s->now_s));
    s->has_cookie = s->is_cookie_expired = false;
    s->object_expiry_s = 0;
    s->name_size = 0;
}

/* RFC 3339 (HAR), a cookie date, or seconds since 1970 (exports of browsers). */
static uint64_t expiry_of(struct span v)
{
    uint64_t at;
    struct span whole = span_sub(v, 0, span_find_byte(v, '.', 0));
    if (span_u64(whole, &at))
        return at > 100000000000u ? at / 1000 : at;
    if (time_parse(v, &at))
        return at / NS_PER_S;
    return cookie_date(v, &at) ? at : 0;
}

/* ---- Authorization ---- */

static void authorization(struct secret_scan *s, struct span field)
{
    struct auth a;
    bool is_expired;
    if (!auth_split(field, &a) || a.scheme == AUTH_DIGEST || a.scheme == AUTH_NEGOTIATE)
        return;
    struct span v = span_sub(a.credentials, 0, span_find_byte(a.credentials, ' ', 0));
    v = span_sub(v, 0, span_find_byte(v, ',', 0));
    if (is_known(s, v))
        return;
    if (a.scheme == AUTH_BASIC) {
        uint8_t memory[300];
        struct arena arena;
        struct span user;
        arena_init(&arena, memory, sizeof memory);
        if (auth_basic_user(v, &arena, &user) == 0)
            count(s, SECRET_BASIC, v, false);
        explicit_bzero(memory, sizeof memory);
        return;
    }
    if (is_jwt(s, v, &is_expired))
        count(s, SECRET_BEARER, v, is_expired);
    else if (!span_starts(v, SPAN("eyJ")) && is_token_like(v, a.scheme == AUTH_BEARER || a.scheme == AUTH_TOKEN ? 8 : 16) &&
             v.size == a.credentials.size)
        count(s, SECRET_BEARER, v, false);
}

/* ---- names ---- */

struct name {
    struct span text;
    uint8_t want; /* enum secret_want, when section is SECTION_NONE */
    uint8_t section;
};

#define NAME(text, want) {{(const uint8_t *)(text), sizeof(text) - 1}, want, SECTION_NONE}
#define LIST(text, section) {{(const uint8_t *)(text), sizeof(text) - 1}, WANT_NOTHING, section}

static const struct name names[] = {
    NAME("name", WANT_NAME), NAME("expires", WANT_EXPIRY), NAME("expirationdate", WANT_EXPIRY), LIST("cookies", SECTION_COOKIES),
    LIST("headers", SECTION_HEADERS), LIST("querystring", SECTION_FORM), LIST("params", SECTION_FORM),
    LIST("postdata", SECTION_FORM), LIST("content", SECTION_CONTENT), NAME("authorization", WANT_AUTH),
    NAME("proxy-authorization", WANT_AUTH), NAME("cookie", WANT_COOKIES), NAME("set-cookie", WANT_SET_COOKIE),
    NAME("x-api-key", WANT_API_KEY), NAME("api-key", WANT_API_KEY), NAME("api_key", WANT_API_KEY), NAME("apikey", WANT_API_KEY),
    NAME("x-functions-key", WANT_API_KEY), NAME("ocp-apim-subscription-key", WANT_API_KEY),
    NAME("client_secret", WANT_API_KEY), NAME("clientsecret", WANT_API_KEY), NAME("client-secret", WANT_API_KEY),
    NAME("secret_key", WANT_API_KEY), NAME("secretkey", WANT_API_KEY), NAME("secretaccesskey", WANT_API_KEY),
    NAME("aws_secret_access_key", WANT_API_KEY), NAME("accountkey", WANT_API_KEY), NAME("sharedaccesskey", WANT_API_KEY),
    NAME("private-token", WANT_API_KEY), NAME("x-vault-token", WANT_API_KEY), NAME("x-amz-security-token", WANT_API_KEY),
    NAME("access_token", WANT_TOKEN), NAME("accesstoken", WANT_TOKEN), NAME("refresh_token", WANT_TOKEN),
    NAME("refreshtoken", WANT_TOKEN), NAME("id_token", WANT_TOKEN), NAME("idtoken", WANT_TOKEN),
    NAME("auth_token", WANT_TOKEN), NAME("authtoken", WANT_TOKEN), NAME("x-auth-token", WANT_TOKEN),
    NAME("x-access-token", WANT_TOKEN), NAME("session_token", WANT_TOKEN), NAME("sessiontoken", WANT_TOKEN),
    NAME("x-session-token", WANT_TOKEN), NAME("sessionid", WANT_TOKEN), NAME("session_id", WANT_TOKEN),
    NAME("jsessionid", WANT_TOKEN), NAME("phpsessid", WANT_TOKEN), NAME("bearer_token", WANT_TOKEN),
    NAME("passwd", WANT_PASSWORD), NAME("pwd", WANT_PASSWORD), NAME("passphrase", WANT_PASSWORD), NAME("pass", WANT_PASSWORD),
};

static bool ends_nocase(struct span s, struct span tail)
{
    return s.size >= tail.size && span_eq_nocase(span_from(s, s.size - tail.size), tail);
}

static enum secret_want want_of(struct span word, uint8_t *section)
{
    *section = SECTION_NONE;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (names[i].text.size == word.size && span_eq_nocase(names[i].text, word)) {
            *section = names[i].section;
            return (enum secret_want)names[i].want;
        }
    if (ends_nocase(word, SPAN("password")) || ends_nocase(word, SPAN("_passwd")))
        return WANT_PASSWORD;
    bool is_key = ends_nocase(word, SPAN("api_key")) || ends_nocase(word, SPAN("apikey")) ||
                  ends_nocase(word, SPAN("secret_key")) || ends_nocase(word, SPAN("_secret"));
    return is_key ? WANT_API_KEY : WANT_NOTHING;
}

/* What "value" is, by the "name" that stood before it in the same object and the list they are of. */
static enum secret_want want_of_value(const struct secret_scan *s)
{
    uint8_t section;
    struct span name = span_of(s->name, s->name_size);
    if (!name.size)
        return WANT_NOTHING;
    if (s->section == SECTION_COOKIES)
        return is_session_name(name) ? WANT_COOKIE : WANT_NOTHING;
    enum secret_want want = secret_has_tail(name) ? want_of(name, &section) : WANT_NOTHING;
    if (s->section == SECTION_HEADERS)
        return want == WANT_PASSWORD || want == WANT_NAME || want == WANT_EXPIRY ? WANT_NOTHING : want;
    bool is_field = want == WANT_PASSWORD || want == WANT_TOKEN || want == WANT_API_KEY;
    return s->section == SECTION_FORM && is_field ? want : WANT_NOTHING;
}

enum secret_want secret_want(struct secret_scan *s)
{
    struct span word = s->size <= 40 ? text_of(s) : SPAN("");
    uint8_t section;
    if (!secret_has_tail(word))
        return WANT_NOTHING;
    bool is_member = s->is_key_quoted && s->assign == ':';
    if (is_member && span_eq(word, SPAN("value")))
        return want_of_value(s);
    enum secret_want want = want_of(word, &section);
    if (section && is_member && !s->is_escaped)
        s->section = section;
    if (want == WANT_NAME || want == WANT_EXPIRY)
        return is_member && s->section ? want : WANT_NOTHING;
    if (want == WANT_PASSWORD && s->section == SECTION_CONTENT)
        return WANT_NOTHING; /* answers hold the texts of forms: "password": "Enter it here" */
    return want;
}

bool secret_want_is_bare(enum secret_want want, uint8_t assign)
{
    switch (want) {
    case WANT_AUTH: case WANT_COOKIES: case WANT_SET_COOKIE: case WANT_EXPIRY: return assign == ':';
    case WANT_API_KEY: case WANT_TOKEN: return true;
    case WANT_PASSWORD: return assign == '=';
    default: return false;
    }
}

static void field_value(struct secret_scan *s, struct span v)
{
    bool is_expired;
    if (is_known(s, v))
        return;
    if (is_jwt(s, v, &is_expired))
        count(s, s->want == WANT_TOKEN ? SECRET_TOKEN : SECRET_API_KEY, v, is_expired);
    else if (!span_starts(v, SPAN("eyJ")) && is_token_like(v, 16))
        count(s, s->want == WANT_TOKEN ? SECRET_TOKEN : SECRET_API_KEY, v, false);
}

static bool is_password(struct span v)
{
    return v.size >= 4 && v.size <= 128 && span_find_byte(v, ' ', 0) == SIZE_MAX && !is_placeholder(v) &&
           !has_nocase(v, SPAN("passw"));
}

void secret_value(struct secret_scan *s)
{
    struct span v = span_trim(text_of(s));
    switch ((enum secret_want)s->want) {
    case WANT_AUTH: authorization(s, v); break;
    case WANT_COOKIES: cookie_pairs(s, v); break;
    case WANT_SET_COOKIE: cookie_set(s, v); break;
    case WANT_COOKIE: cookie_alone(s, v); break;
    case WANT_API_KEY:
    case WANT_TOKEN: field_value(s, v); break;
    case WANT_PASSWORD:
        if (!is_known(s, v) && is_password(v))
            count(s, SECRET_PASSWORD, v, false);
        break;
    case WANT_NAME:
        s->name_size = (uint8_t)(v.size <= SECRET_SCAN_NAME ? v.size : 0);
        if (s->name_size)
            memcpy(s->name, v.at, v.size);
        break;
    case WANT_EXPIRY: s->object_expiry_s = expiry_of(v); break;
    case WANT_NOTHING: break;
    }
}

/* ---- words ---- */

struct form {
    struct span prefix;
    uint8_t least, most; /* bytes of the whole; most 0 = any */
};

#define FORM(prefix, least, most) {{(const uint8_t *)(prefix), sizeof(prefix) - 1}, least, most}

static const struct form forms[] = {
    FORM("AKIA", 20, 20), FORM("ASIA", 20, 20),                                        /* AWS */
    FORM("ghp_", 40, 0), FORM("gho_", 40, 0), FORM("ghu_", 40, 0), FORM("ghs_", 40, 0), /* GitHub */
    FORM("ghr_", 40, 0), FORM("github_pat_", 40, 0), FORM("glpat-", 26, 0),            /* GitLab */
    FORM("xoxb-", 24, 0), FORM("xoxp-", 24, 0), FORM("xoxa-", 24, 0), FORM("xoxr-", 24, 0), /* Slack */
    FORM("xoxs-", 24, 0), FORM("xoxc-", 24, 0), FORM("xoxd-", 24, 0), FORM("xoxe.", 24, 0), FORM("xapp-", 24, 0),
    FORM("AIza", 39, 39), FORM("ya29.", 30, 0),                                        /* Google */
    FORM("sk_live_", 24, 0), FORM("rk_live_", 24, 0),                                  /* Stripe */
    FORM("SG.", 60, 80),                                                               /* SendGrid */
    FORM("npm_", 40, 40), FORM("pypi-", 60, 0), FORM("hvs.", 28, 0), FORM("dop_v1_", 71, 71),
    FORM("shpat_", 38, 38), FORM("shpss_", 38, 38), FORM("shpca_", 38, 38),            /* Shopify */
    FORM("sk-ant-", 40, 0), FORM("sk-proj-", 40, 0), FORM("ATATT3", 80, 0), FORM("dapi", 36, 36), FORM("glsa_", 40, 0),
    FORM("PMAK-", 50, 0), FORM("xkeysib-", 60, 0), FORM("NRAK-", 30, 0),
};

/* First letters of all of them. */
static bool may_be_key(uint8_t c)
{
    static const bool first[256] = {['A'] = 1, ['g'] = 1, ['x'] = 1, ['y'] = 1, ['s'] = 1, ['r'] = 1, ['S'] = 1,
                                    ['n'] = 1, ['p'] = 1, ['h'] = 1, ['d'] = 1, ['P'] = 1, ['N'] = 1};
    return first[c];
}

static bool is_key_form(struct span word)
{
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        const struct form *f = &forms[i];
        if (span_starts(word, f->prefix) && word.size >= f->least && (!f->most || word.size <= f->most))
            return is_token_like(word, f->least) && !ends_nocase(word, SPAN("example"));
    }
    return false;
}

/* The body of a PEM key is over, or enough of it has been read to know it from others. */
static void pem_end(struct secret_scan *s)
{
    if (s->pem_body)
        count_hash(s, SECRET_PRIVATE_KEY, s->pem_hash | 1, false);
    s->pem = PEM_NONE;
}

static void pem_body(struct secret_scan *s, struct span word)
{
    if (span_starts(word, SPAN("-----")) || s->pem_body >= PEM_WORDS) {
        pem_end(s);
    } else if (span_eq(word, SPAN("Proc-Type")) || (word.size >= 4 && is_placeholder(word))) {
        s->pem = PEM_NONE; /* encrypted, or redacted */
    } else if (word.size >= 12) { /* the first lines of all keys of one kind are alike: several are taken together */
        s->pem_hash = hash64(word, s->pem_hash);
        s->pem_body++;
    }
}

/* "-----BEGIN RSA PRIVATE KEY-----" (RFC 7468) and what follows, word by word. */
static void pem_word(struct secret_scan *s, struct span word)
{
    if (span_eq(word, SPAN("-----BEGIN"))) {
        s->pem = PEM_BEGIN;
    } else if (s->pem == PEM_BEGIN) { /* RSA, EC, DSA, OPENSSH, PGP may stand before it */
        bool is_kind = word.size <= 7 && !span_eq(word, SPAN("PRIVATE"));
        s->pem = span_eq(word, SPAN("PRIVATE")) ? PEM_PRIVATE : is_kind ? PEM_BEGIN : PEM_NONE;
    } else if (s->pem == PEM_PRIVATE) {
        s->pem = span_eq(word, SPAN("KEY-----")) || span_eq(word, SPAN("KEY")) ? PEM_BODY : PEM_NONE;
        s->pem_body = 0;
        s->pem_hash = 0;
    } else if (s->pem == PEM_BODY && !span_eq(word, SPAN("BLOCK-----"))) {
        pem_body(s, word);
    }
}

void secret_word(struct secret_scan *s)
{
    struct span word = text_of(s);
    if (s->pem || (word.size == 10 && word.at[0] == '-'))
        pem_word(s, word);
    if (s->size < 20)
        return;
    while (word.size && word.at[word.size - 1] == '.')
        word.size--;
    bool is_expired;
    if (!word.size || is_known(s, word))
        return;
    if (word.at[0] == 'e' && is_jwt(s, word, &is_expired))
        count(s, SECRET_JWT, word, is_expired);
    else if (may_be_key(word.at[0]) && is_key_form(word))
        count(s, SECRET_API_KEY, word, false);
}
