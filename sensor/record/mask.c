/* SPDX-License-Identifier: Apache-2.0
 * Request targets without their secrets: user information of absolute targets goes, values of secret-looking arguments
 * become ***, and so do path segments that are tokens. Argument names and their order stay, and so do ids of objects, so
 * that routes can still be told. */
#include "record/mask.h"

#include "base/hex.h"

#define DECODED_MAX 2048 /* a longer value is masked unread, where looking random is enough */
#define DENSE_MIN 24
#define SHORTEST_PART 4
#define ISSUED_MIN 12 /* what a program issues as a secret is not shorter; "sid=159106" is a number of something */

enum letter { OTHER, DIGIT, LOWER, UPPER };

static enum letter letter_kind(uint8_t c)
{
    return c >= '0' && c <= '9' ? DIGIT : c >= 'a' && c <= 'z' ? LOWER : c >= 'A' && c <= 'Z' ? UPPER : OTHER;
}

/* Undoes percent-encoding (RFC 3986, 2.1); what is not a valid escape stays. Writes at most s.size bytes; out may be s.
 */
static size_t percent_decode(struct span s, uint8_t *out)
{
    size_t used = 0;
    if (span_find_byte(s, '%', 0) == SIZE_MAX) {
        if (s.size)
            memmove(out, s.at, s.size);
        return s.size;
    }
    for (size_t i = 0; i < s.size; i++) {
        int high = -1, low = -1;
        if (s.at[i] == '%' && s.size - i > 2) {
            high = hex_digit(s.at[i + 1]);
            low = hex_digit(s.at[i + 2]);
        }
        if (high >= 0 && low >= 0) {
            out[used++] = (uint8_t)(high << 4 | low);
            i += 2;
        } else {
            out[used++] = s.at[i];
        }
    }
    return used;
}

static bool is_one_of(struct span word, const struct span *words, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (span_eq(word, words[i]))
            return true;
    }
    return false;
}
#define IS_ONE_OF(word, words) is_one_of(word, words, sizeof(words) / sizeof(words)[0])

/* The size from which on a value of an argument of this name is hidden, SIZE_MAX = none. The name as letters and digits
 * only, lower case ("X-Amz-Signature" is "xamzsignature", "user[password]" is "userpassword"). */
static size_t secret_word_size(struct span word, enum mask_level level)
{
    static const struct span chosen[] = {
        SPAN("pass"), SPAN("pwd"), SPAN("pw"), SPAN("otp"), SPAN("pin"), SPAN("password"), SPAN("passwd"),
        SPAN("passphrase"), SPAN("secret"), SPAN("clientsecret"),
    };
    static const struct span issued[] = {
        SPAN("key"), SPAN("sig"), SPAN("code"), SPAN("sid"), SPAN("auth"), SPAN("jwt"), SPAN("token"),
        SPAN("accesstoken"), SPAN("idtoken"), SPAN("refreshtoken"), SPAN("authtoken"), SPAN("csrftoken"),
        SPAN("signature"), SPAN("session"), SPAN("sessionid"), SPAN("sessid"), SPAN("jsessionid"), SPAN("phpsessid"),
        SPAN("apikey"), SPAN("xapikey"), SPAN("accesskey"), SPAN("awsaccesskeyid"), SPAN("authkey"),
        SPAN("privatekey"), SPAN("credential"), SPAN("xcredential"), SPAN("xsignature"), SPAN("xamzcredential"),
        SPAN("xamzsignature"), SPAN("xamzsecuritytoken"), SPAN("xgoogcredential"), SPAN("xgoogsignature"),
        SPAN("authorization"), SPAN("cookie"), SPAN("samlrequest"), SPAN("samlresponse"),
    };
    static const struct span part[] = {
        SPAN("token"), SPAN("password"), SPAN("passwd"), SPAN("passphrase"), SPAN("secret"), SPAN("signature"),
        SPAN("session"), SPAN("sessid"), SPAN("apikey"), SPAN("accesskey"), SPAN("authkey"), SPAN("privatekey"),
        SPAN("signedkey"), SPAN("credential"), SPAN("authoriz"), SPAN("cookie"), SPAN("saml"), SPAN("userpass"),
    };
    if (IS_ONE_OF(word, chosen))
        return 1;
    if (IS_ONE_OF(word, issued))
        return level == MASK_CERTAIN ? ISSUED_MIN : 1;
    if (level == MASK_CERTAIN)
        return SIZE_MAX;
    for (size_t at = 0; at + SHORTEST_PART <= word.size; at++) {
        for (size_t i = 0; i < sizeof part / sizeof *part; i++) {
            if (word.at[at] == part[i].at[0] && span_starts(span_from(word, at), part[i]))
                return 1;
        }
    }
    return SIZE_MAX;
}

static size_t secret_size(struct span name, enum mask_level level)
{
    uint8_t raw[192], word[sizeof raw];
    size_t used = 0;
    if (name.size > sizeof raw) /* its end is what tells: "a[b][...][password]" */
        name = span_from(name, name.size - sizeof raw);
    size_t size = percent_decode(name, raw);
    for (size_t i = 0; i < size; i++) {
        if (letter_kind(raw[i]))
            word[used++] = letter_kind(raw[i]) == UPPER ? (uint8_t)(raw[i] | 0x20) : raw[i];
    }
    return secret_word_size(span_of(word, used), level);
}

/* A run of characters that tokens are made of. */
struct run {
    size_t size;
    size_t edges; /* places where letters and digits meet */
    size_t humps; /* places where an upper-case letter follows a lower one */
    enum letter last;
    bool has_digit, has_letter, is_hex;
};

/* As random text has them: hexadecimal, or letters and digits that meet in an eighth of all places, or any change of
 * kind in a sixth of them. Words, CamelCase, dates, numbers and file names stay below. */
static bool run_is_random(const struct run *r)
{
    bool is_mixed_hex = r->is_hex && r->has_digit && r->has_letter;
    return r->size >= DENSE_MIN && (is_mixed_hex || r->edges * 8 >= r->size || (r->edges + r->humps) * 6 >= r->size);
}

static void run_add(struct run *r, uint8_t c, enum letter kind)
{
    r->edges += kind != OTHER && r->last != OTHER && (kind == DIGIT) != (r->last == DIGIT);
    r->humps += r->last == LOWER && kind == UPPER;
    r->size++;
    r->has_digit |= kind == DIGIT;
    r->has_letter |= kind == LOWER || kind == UPPER;
    r->is_hex &= hex_digit(c) >= 0 || c == '-';
    r->last = kind;
}

/* Whether 's' holds 24 and more characters in a row that look random. */
static bool is_dense(struct span s)
{
    static const struct run empty = {.is_hex = true};
    struct run run = empty;
    if (s.size < DENSE_MIN)
        return false;
    for (size_t i = 0; i < s.size; i++) {
        enum letter kind = letter_kind(s.at[i]);
        if (kind == OTHER && !memchr("+/=_-.~", s.at[i], 7)) {
            if (run_is_random(&run))
                return true;
            run = empty;
        } else {
            run_add(&run, s.at[i], kind);
        }
    }
    return run_is_random(&run);
}

/* Whether a decoded value is itself an address with a secret in it: "...?token=", "...&sig=", "://user:password@". */
static bool has_inner_secret(struct span s, enum mask_level level)
{
    size_t start = SIZE_MAX;
    for (size_t i = 0; i < s.size; i++) {
        uint8_t c = s.at[i];
        if (c == '?' || c == '&' || c == '#' || c == ';')
            start = i + 1;
        else if (c == '=' && start != SIZE_MAX) {
            if (secret_size(span_sub(s, start, i - start), level) != SIZE_MAX)
                return true;
            start = SIZE_MAX;
        }
    }
    size_t scheme = span_find(s, SPAN("://"), 0);
    if (scheme == SIZE_MAX)
        return false;
    struct span rest = span_from(s, scheme + 3);
    size_t at = span_find_byte(rest, '@', 0), slash = span_find_byte(rest, '/', 0);
    return at != SIZE_MAX && at < slash;
}

/* A JSON Web Token (RFC 7519, 3.1): three parts of base64url, the first an object. */
static bool is_jwt(struct span s)
{
    struct span part;
    size_t n = 0;
    if (!span_starts(s, SPAN("eyJ")))
        return false;
    while (span_split(&s, '.', &part))
        n++;
    return n == 3 || n == 5;
}

static bool shows_secret(struct span s, enum mask_level level)
{
    return is_jwt(s) || (level == MASK_LIKELY && is_dense(s)) || has_inner_secret(s, level);
}

static bool is_secret_value(struct span value, enum mask_level level)
{
    uint8_t decoded[DECODED_MAX];
    if (value.size < 4)
        return false;
    if (value.size > sizeof decoded)
        return level == MASK_LIKELY;
    struct span s = span_of(decoded, percent_decode(value, decoded));
    if (shows_secret(s, level))
        return true;
    if (span_find_byte(s, '%', 0) == SIZE_MAX)
        return false;
    s.size = percent_decode(s, decoded); /* encoded twice: an address within an address */
    return shows_secret(s, level);
}

struct mask_iter mask_begin(struct span target, enum mask_level level)
{
    struct mask_iter m = {.left = target, .level = level, .part = MASK_PATH, .hidden_from = SIZE_MAX};
    if (target.size && !memchr("/?*", target.at[0], 3)) {
        size_t slashes = span_find(target, SPAN("://"), 0);
        bool has_scheme = slashes != SIZE_MAX && slashes < span_find_byte(target, '?', 0);
        m.part = has_scheme ? MASK_SCHEME : MASK_AUTHORITY;
    }
    return m;
}

static struct span take(struct mask_iter *m, size_t size)
{
    struct span got = span_sub(m->left, 0, size);
    m->left = span_from(m->left, size);
    return got;
}

/* Where parts of a target end, as sets of characters. */
enum stops {
    AUTHORITY_END = 1,
    PATH_END = 2,
    PARAMETER_END = 4,
    PARAMETER_NAME_END = 8,
    NAME_END = 16,
    VALUE_END = 32
};

static size_t find_stop(struct span s, enum stops stops)
{
    static const uint8_t ends[128] = {
        ['/'] = AUTHORITY_END | PARAMETER_END | PARAMETER_NAME_END,
        ['?'] = AUTHORITY_END | PATH_END | PARAMETER_END | PARAMETER_NAME_END,
        ['#'] = AUTHORITY_END | PATH_END | PARAMETER_END | PARAMETER_NAME_END | NAME_END | VALUE_END,
        [';'] = PATH_END | PARAMETER_END | PARAMETER_NAME_END | NAME_END | VALUE_END,
        ['='] = PARAMETER_NAME_END | NAME_END,
        ['&'] = NAME_END | VALUE_END,
    };
    size_t i = 0;
    while (i < s.size && (s.at[i] >= sizeof ends || !(ends[s.at[i]] & stops)))
        i++;
    return i;
}

/* In a query: the separator or '=' at the front, a name, or a value. */
static struct span next_of_query(struct mask_iter *m)
{
    uint8_t c = m->left.at[0];
    if (memchr("?&;#", c, 4) && !m->in_value) {
        m->hidden_from = SIZE_MAX;
        return take(m, 1);
    }
    if (!m->in_value) {
        struct span name = take(m, find_stop(m->left, NAME_END));
        bool has_value = m->left.size && m->left.at[0] == '=';
        m->in_value = has_value;
        m->hidden_from = has_value ? secret_size(name, m->level) : SIZE_MAX;
        return !has_value && is_secret_value(name, m->level) ? SPAN("***") : name;
    }
    if (c == '=' && !m->past_equals) {
        m->past_equals = true;
        return take(m, 1);
    }
    struct span value = take(m, find_stop(m->left, VALUE_END));
    m->in_value = m->past_equals = false;
    bool hide = value.size && (value.size >= m->hidden_from || is_secret_value(value, m->level));
    return hide ? SPAN("***") : value;
}

#define SEGMENT_MIN 8      /* shorter segments are no tokens */
#define SEGMENT_RANDOM 32  /* from this size on a random segment is one, whatever stands before it */

struct letters {
    size_t digits, lower, upper, other;
    bool is_hex, is_token; /* only hexadecimal digits; only what base64url is made of */
};

static struct letters letters_of(struct span s)
{
    struct letters l = {.is_hex = true, .is_token = true};
    for (size_t i = 0; i < s.size; i++) {
        enum letter kind = letter_kind(s.at[i]);
        l.digits += kind == DIGIT;
        l.lower += kind == LOWER;
        l.upper += kind == UPPER;
        l.other += kind == OTHER;
        l.is_hex &= hex_digit(s.at[i]) >= 0;
        l.is_token &= kind != OTHER || memchr("-_=~", s.at[i], 4) != NULL;
    }
    return l;
}

/* Segments that say what the next one is; the least size of it, SIZE_MAX = they do not. */
static size_t issued_behind(struct span before)
{
    static const struct span sure[] = {SPAN("token"), SPAN("tokens"), SPAN("secret"), SPAN("signature"), SPAN("jwt"),
                                       SPAN("access_token"), SPAN("auth_token"), SPAN("sig")};
    static const struct span likely[] = {SPAN("session"), SPAN("sessions"), SPAN("key"), SPAN("auth"), SPAN("reset"),
                                         SPAN("password"), SPAN("password_reset"), SPAN("reset_password"), SPAN("magic"),
                                         SPAN("invite"), SPAN("invitation"), SPAN("confirm"), SPAN("verify"), SPAN("activate"),
                                         SPAN("unsubscribe"), SPAN("shared"), SPAN("share"), SPAN("sso")};
    for (size_t i = 0; i < sizeof sure / sizeof *sure; i++)
        if (span_eq_nocase(before, sure[i]))
            return SEGMENT_MIN;
    for (size_t i = 0; i < sizeof likely / sizeof *likely; i++)
        if (span_eq_nocase(before, likely[i]))
            return 2 * SEGMENT_MIN;
    return SIZE_MAX;
}

/* Words, numbers and names of files are none: what a program issues has letters and digits, or both cases, or is long. */
static bool is_issued(struct span s, size_t least)
{
    struct letters l = letters_of(s);
    if (s.size < least || !l.is_token || l.digits == s.size)
        return false;
    return (l.digits && l.lower + l.upper) || (l.upper > 1 && l.lower) || s.size >= 20;
}

static bool is_uuid(struct span s)
{
    static const uint8_t dashes[] = {8, 13, 18, 23};
    if (s.size != 36)
        return false;
    for (size_t i = 0; i < sizeof dashes; i++)
        if (s.at[dashes[i]] != '-')
            return false;
    return true;
}

static bool is_random_segment(struct span s)
{
    struct letters l = letters_of(s);
    if (s.size < SEGMENT_RANDOM || !l.is_token || !l.digits || is_uuid(s))
        return false;
    return l.is_hex ? l.lower + l.upper > 0 : is_dense(s);
}

bool mask_is_secret_segment(struct span segment, struct span before, enum mask_level level)
{
    if (segment.size < SEGMENT_MIN)
        return false;
    if (span_starts(segment, SPAN("eyJ")) && segment.size >= DENSE_MIN)
        return true; /* base64 of '{"': JSON Web Token, signed id of a blob */
    if (is_issued(segment, issued_behind(before)))
        return true;
    return level == MASK_LIKELY && is_random_segment(segment);
}

static bool is_among(struct span word, const struct span *words, uint8_t n)
{
    for (uint8_t i = 0; i < n; i++)
        if (word.size && span_eq(word, words[i]))
            return true;
    return false;
}

/* Whether a segment as it stands in the target is to be hidden. */
static bool is_hidden(const struct mask_iter *m, struct span raw)
{
    uint8_t decoded[DECODED_MAX];
    if (raw.size < SEGMENT_MIN && !(m->known && m->known->n_hide))
        return false;
    if (raw.size > sizeof decoded)
        return m->level == MASK_LIKELY;
    struct span s = span_of(decoded, percent_decode(raw, decoded));
    if (m->known && is_among(s, m->known->hide, m->known->n_hide))
        return true;
    return mask_is_secret_segment(s, m->before, m->level) && !(m->known && is_among(s, m->known->keep, m->known->n_keep));
}

/* What of a run of whole segments can be told in one piece: up to its first secret segment, or that segment. */
static struct span next_segments(struct mask_iter *m, size_t run)
{
    size_t at = 0;
    while (at < run) {
        size_t slash = span_find_byte(span_sub(m->left, 0, run), '/', at), end = slash == SIZE_MAX ? run : slash;
        struct span segment = span_sub(m->left, at, end - at);
        bool hide = is_hidden(m, segment);
        if (hide && at)
            break;
        m->before = segment;
        if (hide) {
            take(m, end);
            return SPAN("***");
        }
        at = end < run ? end + 1 : run;
    }
    return take(m, at);
}

/* In a path: up to the query, or through a parameter ";name=" whose value is secret by its name (";jsessionid=..."). */
static struct span next_of_path(struct mask_iter *m)
{
    if (m->hidden_from != SIZE_MAX) {
        struct span value = take(m, find_stop(m->left, PARAMETER_END));
        bool hide = value.size >= m->hidden_from;
        m->hidden_from = SIZE_MAX;
        if (value.size)
            return hide ? SPAN("***") : value;
    }
    size_t stop = find_stop(m->left, PATH_END);
    if (stop)
        return next_segments(m, stop);
    if (m->left.at[0] == ';') {
        struct span parameter = span_from(m->left, 1);
        size_t name = find_stop(parameter, PARAMETER_NAME_END);
        bool has_value = name < parameter.size && parameter.at[name] == '=';
        if (has_value)
            m->hidden_from = secret_size(span_sub(parameter, 0, name), m->level);
        return take(m, 1 + name + has_value);
    }
    m->part = MASK_QUERY;
    return take(m, 1);
}

bool mask_next(struct mask_iter *m, struct span *piece)
{
    *piece = span_of(NULL, 0);
    while (piece->size == 0 && m->left.size) {
        switch (m->part) {
        case MASK_SCHEME:
            *piece = take(m, span_find(m->left, SPAN("://"), 0) + 3);
            m->part = MASK_AUTHORITY;
            break;
        case MASK_AUTHORITY: {
            struct span authority = span_sub(m->left, 0, find_stop(m->left, AUTHORITY_END));
            for (size_t at; (at = span_find_byte(authority, '@', 0)) != SIZE_MAX;)
                authority = span_from(authority, at + 1);
            m->left = span_of(authority.at, (size_t)(m->left.at + m->left.size - authority.at));
            *piece = take(m, authority.size);
            m->part = MASK_PATH;
            break;
        }
        case MASK_PATH: *piece = next_of_path(m); break;
        case MASK_QUERY: *piece = next_of_query(m); break;
        }
    }
    return piece->size != 0;
}

void target_mask(struct span target, struct text *out)
{
    target_mask_at(target, MASK_LIKELY, out);
}

static void add_pieces(struct mask_iter *m, struct text *out)
{
    struct span piece;
    while (mask_next(m, &piece))
        text_add(out, piece);
}

void target_mask_at(struct span target, enum mask_level level, struct text *out)
{
    struct mask_iter m = mask_begin(target, level);
    add_pieces(&m, out);
}

void target_mask_known(struct span target, const struct mask_known *known, struct text *out)
{
    struct mask_iter m = mask_begin(target, MASK_LIKELY);
    m.known = known;
    add_pieces(&m, out);
}
