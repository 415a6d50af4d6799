/* SPDX-License-Identifier: Apache-2.0
 * The activity as a value: its strings in the tail, its names, its id. */
#include "record/activity.h"

#include "base/assert.h"
#include "base/hash.h"
#include "record/count.h"
#include "record/utf8.h"

/* The most bytes each string may take. Their sum is the tail, so that no hostile string can crowd out another. */
static const uint16_t string_max[STR_N] = {
    [STR_USER] = 192,    [STR_CLAIM] = 192,   [STR_APP] = 64,    [STR_ROUTE] = 64,     [STR_METHOD] = 32,
    [STR_HOST] = 256,    [STR_TARGET] = 768, [STR_CASE] = 128,  [STR_CUSTOMER] = 256, [STR_FILE] = 512,
    [STR_OBJECT] = 128,  [STR_MIME] = 128,    [STR_AGENT] = 256, [STR_CLIENT] = 64,    [STR_AS_ORG] = 128,
    [STR_NETWORK] = 128, [STR_PROTOCOL] = 64, [STR_SNI] = 256,    [STR_JA3] = 32,
    [STR_JA4] = 40,      [STR_CERT] = 120,    [STR_ACTS_FOR] = 128, [STR_ISSUER] = 120,  [STR_TENANT] = 40,
};
#define LONGEST_STRING 768
_Static_assert(192 + 192 + 64 + 64 + 32 + 256 + 768 + 128 + 256 + 512 + 128 + 128 + 256 + 64 + 128 + 128 + 64 + 256 +
                   32 + 40 + 120 + 128 + 120 + 40 ==
                   ACTIVITY_TAIL_MAX,
               "every string has its own room");

void activity_init(struct activity *a)
{
    memset(a, 0, offsetof(struct activity, tail));
}

struct span activity_get(const struct activity *a, enum activity_string which)
{
    return span_of(a->tail + a->at[which], a->size[which]);
}

/* Closes the holes that replaced strings left. */
static void pack_tail(struct activity *a)
{
    char packed[ACTIVITY_TAIL_MAX];
    uint16_t used = 0;
    for (int i = 0; i < STR_N; i++) {
        memcpy(packed + used, a->tail + a->at[i], a->size[i]);
        a->at[i] = used;
        used = (uint16_t)(used + a->size[i]);
    }
    memcpy(a->tail, packed, used);
    a->tail_used = used;
}

static void put_string(struct activity *a, enum activity_string which, struct span value)
{
    if (value.size > a->size[which]) { /* its old place is too small */
        ASSERT(value.size <= (size_t)(ACTIVITY_TAIL_MAX - a->tail_used));
        a->at[which] = a->tail_used;
        a->tail_used = (uint16_t)(a->tail_used + value.size);
    }
    if (value.size)
        memmove(a->tail + a->at[which], value.at, value.size);
    a->size[which] = (uint16_t)value.size;
}

/* What is too long, not UTF-8, or needs the holes in the tail. Apart, as nearly no string is: the copy would cost each. */
static __attribute__((noinline)) void put_repaired(struct activity *a, enum activity_string which, struct span value)
{
    size_t max = string_max[which];
    uint8_t copy[LONGEST_STRING]; /* 'value' may stand in the tail, which is about to move */
    bool is_cut = false;
    size_t size = utf8_copy(value, copy, max, &is_cut);
    if (is_cut)
        a->flags |= ACT_CUT;
    if (size > (size_t)(ACTIVITY_TAIL_MAX - a->tail_used)) {
        a->size[which] = 0;
        pack_tail(a);
    }
    put_string(a, which, span_of(copy, size));
}

void activity_set(struct activity *a, enum activity_string which, struct span value)
{
    bool fits = value.size <= string_max[which] && value.size <= (size_t)(ACTIVITY_TAIL_MAX - a->tail_used);
    if (fits && utf8_valid(value) == value.size)
        put_string(a, which, value);
    else
        put_repaired(a, which, value);
}

/* The written part of a record in one canonical form: big-endian numbers, then the strings in the order of their enum,
 * each behind its length. */
#define CANON_MAX (768 + ACTIVITY_TAIL_MAX)

struct canon {
    uint8_t *to; /* where the next byte goes */
};

static inline void canon_bytes(struct canon *c, const void *at, size_t size)
{
    memcpy(c->to, at, size);
    c->to += size;
}

static inline void canon_u64(struct canon *c, uint64_t value)
{
    const uint8_t big[8] = {(uint8_t)(value >> 56), (uint8_t)(value >> 48), (uint8_t)(value >> 40), (uint8_t)(value >> 32),
                            (uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),  (uint8_t)value};
    canon_bytes(c, big, sizeof big); /* one swap and one store */
}

/* "Unknown" has two spellings (:: and 0.0.0.0) but one meaning. */
static void canon_ip(struct canon *c, const struct ipaddr *ip)
{
    static const struct ipaddr unknown;
    canon_bytes(c, (ipaddr_is_zero(ip) ? &unknown : ip)->bytes, sizeof ip->bytes);
}

static void canon_amends(struct canon *c, const struct activity *a)
{
    static const uint8_t none[sizeof a->amends];
    canon_bytes(c, a->action == ACTION_AMEND ? a->amends : none, sizeof none);
}

/* Only when there is one: records without keep the id they always had. */
static void canon_transfer(struct canon *c, const struct activity *a)
{
    if (!(a->flags & ACT_TRANSFER))
        return;
    canon_bytes(c, a->transfer_id, sizeof a->transfer_id);
    canon_u64(c, a->flags & ACT_TRANSFER_BYTES ? count_long(a->transfer_bytes) : 0);
    canon_u64(c, a->flags & ACT_TRANSFER_COVERAGE ? a->transfer_coverage : 0);
}

/* The same. */
static void canon_file(struct canon *c, const struct activity *a)
{
    const struct file_facts *f = &a->file;
    if (!file_facts_any(f))
        return;
    const uint8_t small[] = {f->type, f->file_class, f->is_mismatch, f->is_scanned, f->is_cut, f->has_sha256};
    canon_bytes(c, small, sizeof small);
    canon_u64(c, f->expired);
    for (int i = 0; i < SECRET_KINDS; i++)
        canon_u64(c, f->secrets[i]);
    if (f->has_sha256)
        canon_bytes(c, f->sha256, sizeof f->sha256);
}

/* The same. */
static void canon_doubt(struct canon *c, const struct activity *a)
{
    if (a->doubt)
        canon_bytes(c, &a->doubt, sizeof a->doubt);
}

/* The same. */
static void canon_assertion(struct canon *c, const struct activity *a)
{
    if (!a->assertion)
        return;
    const uint8_t small[2] = {a->assertion, a->asserted};
    canon_bytes(c, small, sizeof small);
    canon_u64(c, (uint64_t)(uint32_t)(a->asserted & ASSERTED_AGE ? a->token_age_s : 0) << 32 |
                     (uint32_t)(a->asserted & ASSERTED_EXPIRY ? a->token_left_s : 0));
}

/* The same. */
static void canon_os(struct canon *c, const struct activity *a)
{
    if (a->client_os)
        canon_u64(c, (uint64_t)a->client_os << 32 | (uint64_t)a->os_major << 16 | a->os_minor);
}

static void canon_head(struct canon *c, const struct activity *a)
{
    const uint8_t small[4] = {a->action, a->outcome, a->cred_kind, a->size_known};
    uint32_t flags = a->flags & ACT_WRITTEN;
    canon_u64(c, a->time_ns);
    canon_u64(c, a->done_ns);
    canon_u64(c, a->flow_hash);
    canon_u64(c, (uint64_t)a->number << 32 | flags);
    canon_amends(c, a);
    canon_bytes(c, small, sizeof small);
    canon_ip(c, &a->source);
    canon_ip(c, &a->peer.ip);
    canon_ip(c, &a->server.ip);
    canon_u64(c, (uint64_t)a->peer.port << 48 | (uint64_t)a->server.port << 32 | (uint64_t)a->status << 16);
    canon_bytes(c, a->session, sizeof a->session);
    canon_u64(c, flags & ACT_HAS_BODY ? count_long(a->body_bytes) : 0);
    canon_u64(c, count_long(a->missing_bytes));
    canon_u64(c, flags & ACT_HAS_FILE_SIZE ? count_long(a->file_size) : 0);
    canon_u64(c, flags & ACT_RANGE ? count_long(a->range_from) : 0);
    canon_u64(c, (uint64_t)a->asn << 32 | (uint64_t)a->client_family << 16 | a->client_major);
    canon_u64(c, (uint64_t)a->source_class << 16 | (uint64_t)(uint8_t)a->country[0] << 8 | (uint8_t)a->country[1]);
    canon_transfer(c, a);
    canon_file(c, a);
    canon_doubt(c, a);
    canon_assertion(c, a);
    canon_os(c, a);
}

void activity_seal(struct activity *a)
{
    uint8_t bytes[CANON_MAX];
    struct canon c = {bytes};
    canon_head(&c, a);
    for (int i = 0; i < STR_N; i++) {
        if (i == STR_CLAIM || (i > STR_SNI && !a->size[i])) /* a record without keeps the id it always had */
            continue;
        const uint8_t size[2] = {(uint8_t)(a->size[i] >> 8), (uint8_t)a->size[i]};
        canon_bytes(&c, size, sizeof size);
        if (a->size[i])
            canon_bytes(&c, a->tail + a->at[i], a->size[i]);
    }
    hash128(span_of(bytes, (size_t)(c.to - bytes)), 0, a->id);
}

static const char *const action_names[ACTION_N] = {
    [ACTION_NONE] = "none",
    [ACTION_LOGIN] = "login",
    [ACTION_LOGOUT] = "logout",
    [ACTION_MFA_CHALLENGE] = "mfa_challenge",
    [ACTION_MFA_PASSED] = "mfa_passed",
    [ACTION_VIEW_CASE] = "view_case",
    [ACTION_LIST] = "list",
    [ACTION_SEARCH] = "search",
    [ACTION_LIST_FILES] = "list_files",
    [ACTION_DOWNLOAD] = "download",
    [ACTION_PREVIEW] = "preview",
    [ACTION_UPLOAD] = "upload",
    [ACTION_EXPORT] = "export",
    [ACTION_JOB_CREATE] = "job_create",
    [ACTION_JOB_POLL] = "job_poll",
    [ACTION_JOB_DELETE] = "job_delete",
    [ACTION_DELETE] = "delete",
    [ACTION_REPLY] = "reply",
    [ACTION_PASSWORD_CHANGE] = "password_change",
    [ACTION_PREFS_CHANGE] = "prefs_change",
    [ACTION_FACTOR_CHANGE] = "factor_change",
    [ACTION_TOKEN_CREATE] = "token_create",
    [ACTION_IMPERSONATE] = "impersonate",
    [ACTION_API_CALL] = "api_call",
    [ACTION_ADMIN] = "admin",
    [ACTION_IDENTIFY] = "identify",
    [ACTION_AMEND] = "amend",
    [ACTION_CONNECTION] = "connection",
};

const char *action_name(enum action action)
{
    return (unsigned)action < ACTION_N ? action_names[action] : action_names[ACTION_NONE];
}

enum action action_of(struct span name)
{
    for (int i = 1; i < ACTION_N; i++) {
        if (span_eq(name, span_text(action_names[i])))
            return (enum action)i;
    }
    return ACTION_NONE;
}

const char *outcome_name(enum outcome outcome)
{
    switch (outcome) {
    case OUTCOME_SUCCESS: return "success";
    case OUTCOME_FAILURE: return "failure";
    case OUTCOME_UNKNOWN: break;
    }
    return "unknown";
}

const char *cred_kind_name(enum cred_kind kind)
{
    static const char *const names[CRED_N] = {"none", "cookie", "basic", "bearer", "token",
                                              "form", "json",   "saml",  "cert",   "link",
                                              "oidc", "ntlm",   "kerberos"};
    return (unsigned)kind < CRED_N ? names[kind] : names[CRED_NONE];
}

const char *assertion_name(enum assertion assertion)
{
    static const char *const names[ASSERTION_N] = {"none", "saml", "id_token", "jwt"};
    return (unsigned)assertion < ASSERTION_N ? names[assertion] : names[ASSERTION_NONE];
}

const char *network_class_name(enum network_class c)
{
    static const char *const names[NETWORK_N] = {"unknown", "private", "own", "vpn", "hosting", "tor"};
    return (unsigned)c < NETWORK_N ? names[c] : names[NETWORK_UNKNOWN];
}

const char *client_os_name(enum client_os os)
{
    static const char *const names[OS_N] = {
        [OS_UNKNOWN] = "unknown", [OS_WINDOWS] = "Windows",   [OS_MACOS] = "macOS",
        [OS_IOS] = "iOS",         [OS_IPADOS] = "iPadOS",     [OS_ANDROID] = "Android",
        [OS_LINUX] = "Linux",     [OS_CHROMEOS] = "ChromeOS", [OS_FREEBSD] = "FreeBSD",
        [OS_OPENBSD] = "OpenBSD", [OS_NETBSD] = "NetBSD",     [OS_SOLARIS] = "Solaris",
        [OS_TIZEN] = "Tizen",     [OS_HARMONYOS] = "HarmonyOS", [OS_WINDOWS_PHONE] = "Windows Phone",
    };
    return (unsigned)os < OS_N ? names[os] : names[OS_UNKNOWN];
}

uint32_t activity_manner(const struct activity *a)
{
    struct span mime = activity_get(a, STR_MIME);
    bool is_file = a->action == ACTION_DOWNLOAD || a->action == ACTION_PREVIEW || a->action == ACTION_EXPORT;
    bool is_data = !is_file && (span_eq(mime, SPAN("application/json")) || span_eq(mime, SPAN("application/xml")));
    bool is_key = a->cred_kind == CRED_BEARER || a->cred_kind == CRED_TOKEN || a->cred_kind == CRED_BASIC;
    if (a->action == ACTION_API_CALL || is_key || is_data)
        return HINT_INTERFACE;
    return span_eq(mime, SPAN("text/html")) ? HINT_PAGE : 0;
}

const char *activity_flag_name(uint32_t bit)
{
    switch (bit) {
    case ACT_UNKNOWN_ROUTE: return "unknown_route";
    case ACT_PARTIAL: return "partial";
    case ACT_ABORTED: return "aborted";
    case ACT_ONE_SIDED: return "one_sided";
    case ACT_INLINE: return "inline";
    case ACT_CUT: return "cut";
    case ACT_NOT_MODIFIED: return "not_modified";
    case ACT_REFUSED: return "refused";
    case ACT_MACHINE: return "machine";
    case ACT_FORGED_HOP: return "forged_hop";
    case ACT_RANGE: return "range";
    case ACT_HAS_FILE_SIZE: return "has_file_size";
    case ACT_HAS_BODY: return "has_body";
    case ACT_COMPLETE: return "complete";
    case ACT_ENCRYPTED: return "encrypted";
    case ACT_TOKEN_EXPIRED: return "token_expired";
    case ACT_CLIENT_MISMATCH: return "client_mismatch";
    case ACT_AMBIGUOUS: return "ambiguous";
    default: return NULL;
    }
}
