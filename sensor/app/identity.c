/* SPDX-License-Identifier: Apache-2.0
 * One table of session values in order of use, one of spellings of names, and a short list of declared aliases. */
#include "app/identity.h"

#include "base/err.h"
#include "base/hash.h"
#include "base/hex.h"
#include "base/map.h"
#include "wire/url.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define NAME_MAX_SIZE 192 /* of STR_USER and STR_CLAIM */
#define ALIAS_MAX 1024
#define LINE_MAX_SIZE 900

struct name {
    uint16_t size;
    char text[NAME_MAX_SIZE];
};

struct session {
    uint64_t first_ns, last_ns;
    uint32_t unnamed;
    uint8_t state, kind;
    struct name name;
};

struct alias {
    struct name name, credential;
};

struct identity_counts {
    uint64_t settled;
    uint64_t named, unnamed, nobody;
    uint64_t logins, proofs, rotations, ends, renamed, identified, ended_used, evicted;
};

static const struct counter_def defs[] = {
    {"identity_activities_settled", "activities", "all that came; the sum of named, unnamed and nobody"},
    {"identity_activities_named", "activities", "the credential is known by name"},
    {"identity_activities_unnamed", "activities",
     "known by session value only: the login was not seen, or comes later"},
    {"identity_activities_nobody", "activities", "the request showed no credential"},
    {"identity_logins_bound", "logins", "successful logins that named a session value"},
    {"identity_proofs_bound", "sessions", "session values named by a page of the server"},
    {"identity_rotations", "sessions", "session values replaced outside a login; the new one has the name of the old"},
    {"identity_sessions_ended", "sessions", "session values ended by a logout"},
    {"identity_sessions_renamed", "sessions", "bound values that got another name: a second login, or impersonation"},
    {"identity_sessions_identified", "sessions", "values whose unnamed activities were named afterwards"},
    {"identity_ended_used", "activities", "came with a value that a logout had ended"},
    {"identity_sessions_evicted", "sessions",
     "values forgotten because the table was full; raise the limit when it grows"},
};
_Static_assert(sizeof defs / sizeof *defs * sizeof(uint64_t) == sizeof(struct identity_counts), "one name for each");

struct identity {
    struct map *sessions;  /* hash of a value -> struct session */
    struct map *spellings; /* hash128 of a name in lower case -> struct name */
    struct alias *aliases;
    size_t n_aliases;
    struct identity_counts counts;
};

struct identity *identity_new(uint32_t max_sessions)
{
    struct identity *id = calloc(1, sizeof *id);
    if (!id)
        return NULL;
    id->sessions = map_new(SESSION_HASH_SIZE, sizeof(struct session), max_sessions, 0);
    id->spellings = map_new(16, sizeof(struct name), max_sessions, 0);
    if (!id->sessions || !id->spellings) {
        identity_free(id);
        return NULL;
    }
    return id;
}

void identity_free(struct identity *id)
{
    if (!id)
        return;
    map_free(id->sessions);
    map_free(id->spellings);
    free(id->aliases);
    free(id);
}

/* ---- names ---- */

static struct span name_span(const struct name *n)
{
    return span_of(n->text, n->size);
}

static void name_set(struct name *n, struct span text)
{
    text = span_sub(text, 0, sizeof n->text);
    if (text.size)
        memmove(n->text, text.at, text.size);
    n->size = (uint16_t)text.size;
}

int identity_alias(struct identity *id, struct span name, struct span credential)
{
    if (name.size == 0 || name.size > NAME_MAX_SIZE || credential.size == 0 || credential.size > NAME_MAX_SIZE)
        return E_BAD;
    if (id->n_aliases == ALIAS_MAX)
        return E_LIMIT;
    struct alias *more = realloc(id->aliases, (id->n_aliases + 1) * sizeof *more);
    if (!more)
        return E_NOMEM;
    id->aliases = more;
    name_set(&more[id->n_aliases].name, name);
    name_set(&more[id->n_aliases].credential, credential);
    id->n_aliases++;
    return E_OK;
}

/* The name declared for 'credential', or NULL. The first declaration counts. */
static const struct name *alias_find(const struct identity *id, struct span credential)
{
    for (size_t i = 0; i < id->n_aliases; i++)
        if (span_eq(name_span(&id->aliases[i].credential), credential))
            return &id->aliases[i].name;
    return NULL;
}

static void lower_key(struct span text, uint8_t key[16])
{
    char lower[NAME_MAX_SIZE];
    text = span_sub(text, 0, sizeof lower);
    for (size_t i = 0; i < text.size; i++)
        lower[i] = (char)(text.at[i] >= 'A' && text.at[i] <= 'Z' ? text.at[i] + 0x20 : text.at[i]);
    hash128(span_of(lower, text.size), 0, key);
}

/* The spelling this name is known by. */
static void name_spell(const struct identity *id, struct name *n)
{
    uint8_t key[16];
    lower_key(name_span(n), key);
    const struct name *known = map_find(id->spellings, key);
    if (known)
        *n = *known;
}

/* The server accepted this name. A page's spelling replaces what was typed at a login. */
static void name_learn(struct identity *id, struct name *n, bool is_page)
{
    uint8_t key[16];
    bool is_new;
    lower_key(name_span(n), key);
    struct name *known = map_touch(id->spellings, key, &is_new);
    if (is_new || is_page)
        *known = *n;
    else
        *n = *known;
}

static void name_alias(const struct identity *id, struct name *n)
{
    const struct name *alias = alias_find(id, name_span(n));
    if (alias)
        *n = *alias;
}

/* ---- sessions ---- */

static bool is_zero(const uint8_t hash[SESSION_HASH_SIZE])
{
    static const uint8_t none[SESSION_HASH_SIZE];
    return memcmp(hash, none, SESSION_HASH_SIZE) == 0;
}

static struct session *session_touch(struct identity *id, const uint8_t hash[SESSION_HASH_SIZE], uint64_t now_ns)
{
    bool is_new;
    struct session *s = map_touch(id->sessions, hash, &is_new);
    if (is_new)
        s->first_ns = now_ns;
    if (s->last_ns < now_ns)
        s->last_ns = now_ns;
    return s;
}

/* Names what the value did so far without a name. */
static void tell_identify(struct identity *id, const struct activity *by, const uint8_t hash[SESSION_HASH_SIZE],
                          struct session *s, identity_emit_fn *emit, void *ctx)
{
    static const enum activity_string copied[] = {STR_APP, STR_HOST, STR_AGENT, STR_CLIENT};
    struct activity a;
    activity_init(&a);
    a.time_ns = a.done_ns = by->done_ns;
    a.flow_hash = by->flow_hash;
    a.number = by->number;
    a.action = ACTION_IDENTIFY;
    a.outcome = OUTCOME_SUCCESS;
    a.cred_kind = s->kind;
    a.source = by->source;
    a.peer = by->peer;
    a.server = by->server;
    memcpy(a.session, hash, SESSION_HASH_SIZE);
    for (size_t i = 0; i < sizeof copied / sizeof *copied; i++)
        activity_set(&a, copied[i], activity_get(by, copied[i]));
    activity_set(&a, STR_USER, name_span(&s->name));
    activity_seal(&a);
    s->unnamed = 0;
    id->counts.identified++;
    emit(ctx, &a);
}

static void session_bind(struct identity *id, const struct activity *by, const uint8_t hash[SESSION_HASH_SIZE],
                         const struct name *n, identity_emit_fn *emit, void *ctx)
{
    struct session *s = session_touch(id, hash, by->time_ns);
    if (s->name.size && !span_eq(name_span(&s->name), name_span(n)))
        id->counts.renamed++;
    s->name = *n;
    s->state = SESSION_NAMED;
    if (s->unnamed)
        tell_identify(id, by, hash, s, emit, ctx);
}

/* ---- settling ---- */

static bool is_login(const struct activity *a)
{
    switch (a->action) {
    case ACTION_LOGIN:
    case ACTION_MFA_CHALLENGE:
    case ACTION_MFA_PASSED: return true;
    case ACTION_AMEND: /* of a login: only those have credentials of these kinds */
        return a->cred_kind == CRED_FORM || a->cred_kind == CRED_JSON || a->cred_kind == CRED_SAML;
    default: return false;
    }
}

static bool is_logout(const struct activity *a)
{
    return a->action == ACTION_LOGOUT || (a->flags & ACT_SESSION_END) != 0;
}

/* A token or a link speaks for itself whatever the page shows; of all else an accepted claim is the server's word. */
static bool is_bearer(const struct activity *a)
{
    return a->cred_kind == CRED_TOKEN || a->cred_kind == CRED_BEARER || a->cred_kind == CRED_LINK;
}

static void name_token(struct span claim, struct name *out)
{
    out->size = (uint16_t)snprintf(out->text, sizeof out->text, "token:%.*s",
                                   (int)span_sub(claim, 0, NAME_MAX_SIZE - 8).size, (const char *)claim.at);
}

/* The request itself says who it is, or the operator does (rules 1 to 3). */
static bool name_given(const struct identity *id, const struct activity *a, struct name *out)
{
    struct span claim = activity_get(a, STR_CLAIM);
    bool is_proven = (a->flags & ACT_CLAIM_PROVEN) && !is_bearer(a);
    if (claim.size == 0)
        return false;
    name_set(out, claim);
    if (is_login(a) || is_proven || a->cred_kind == CRED_BASIC || a->cred_kind == CRED_CERT)
        return true;
    if (!is_bearer(a))
        return false;
    struct name full;
    name_token(claim, &full);
    const struct name *alias = alias_find(id, claim);
    if (!alias)
        alias = alias_find(id, name_span(&full));
    if (alias)
        *out = *alias;
    return alias != NULL;
}

/* What is left when neither the request nor the table has a name (rules 5 to 7). True when it is the session's hash. */
static bool name_fallback(const struct activity *a, struct name *out)
{
    struct span claim = activity_get(a, STR_CLAIM);
    out->size = 0;
    if (claim.size && a->cred_kind == CRED_TOKEN) {
        name_token(claim, out);
    } else if (claim.size && a->cred_kind == CRED_BEARER) {
        name_set(out, claim);
    } else if (!is_zero(a->session)) {
        char hex[17];
        out->size = (uint16_t)snprintf(out->text, sizeof out->text, "session:%s", hex_text(span_of(a->session, 8), hex));
        return true;
    }
    return false;
}

/* A login that succeeded binds what the answer set, or what was sent when the application keeps it. */
static void settle_login(struct identity *id, const struct activity *a, const struct name *n, identity_emit_fn *emit,
                         void *ctx)
{
    bool has_new = (a->flags & ACT_SESSION_NEW) && !is_zero(a->new_session);
    if (a->outcome != OUTCOME_SUCCESS || n->size == 0)
        return;
    if (has_new) {
        struct session *old = is_zero(a->session) ? NULL : map_find(id->sessions, a->session);
        if (old && old->state == SESSION_NAMED)
            old->state = SESSION_REPLACED;
        session_bind(id, a, a->new_session, n, emit, ctx);
    } else if (!is_zero(a->session) && a->action != ACTION_AMEND) { /* an amend does not say what the answer set */
        session_bind(id, a, a->session, n, emit, ctx);
    } else {
        return;
    }
    id->counts.logins++;
}

/* A bound value was replaced outside a login. A fresh value handed to a request that was turned away is nobody's. */
static void settle_rotation(struct identity *id, const struct activity *a, identity_emit_fn *emit, void *ctx)
{
    bool is_good = !(a->flags & ACT_REFUSED) && a->outcome != OUTCOME_FAILURE && a->status < 400;
    if (!(a->flags & ACT_SESSION_NEW) || is_zero(a->new_session) || is_zero(a->session) || !is_good)
        return;
    struct session *old = map_find(id->sessions, a->session);
    if (!old || old->name.size == 0 || old->state == SESSION_ENDED)
        return;
    old->state = SESSION_REPLACED;
    struct name n = old->name; /* binding may evict the old value */
    session_bind(id, a, a->new_session, &n, emit, ctx);
    id->counts.rotations++;
}

static void note_use(struct identity *id, const struct activity *a)
{
    if (is_zero(a->session))
        return;
    struct session *s = session_touch(id, a->session, a->time_ns);
    if (!is_login(a) && a->cred_kind != CRED_NONE)
        s->kind = a->cred_kind;
    if (s->state == SESSION_ENDED && a->action != ACTION_AMEND)
        id->counts.ended_used++;
}

/* Binds what the candidate proves, and tells what that names. */
static void settle_bindings(struct identity *id, const struct activity *a, const struct name *given, bool is_proven,
                            identity_emit_fn *emit, void *ctx)
{
    if (is_login(a)) {
        settle_login(id, a, given, emit, ctx);
        return;
    }
    if (is_proven && !is_zero(a->session)) {
        id->counts.proofs++;
        session_bind(id, a, a->session, given, emit, ctx);
    }
    if (!is_logout(a))
        settle_rotation(id, a, emit, ctx);
}

/* The name of the act itself; true when it is the session's hash. */
static bool settle_name(struct identity *id, const struct activity *a, struct name *out, identity_emit_fn *emit,
                        void *ctx)
{
    bool is_given = name_given(id, a, out);
    bool is_proven = is_given && !is_login(a) && !is_bearer(a) && (a->flags & ACT_CLAIM_PROVEN);
    if (is_proven || (is_given && is_login(a) && a->outcome == OUTCOME_SUCCESS))
        name_learn(id, out, is_proven);
    else if (is_given)
        name_spell(id, out);
    else
        out->size = 0;
    name_alias(id, out);
    settle_bindings(id, a, out, is_proven, emit, ctx);
    if (is_given)
        return false;
    const struct session *s = is_zero(a->session) ? NULL : map_find(id->sessions, a->session);
    if (s && s->name.size) {
        *out = s->name;
        return false;
    }
    bool is_hash = name_fallback(a, out);
    name_alias(id, out);
    return is_hash;
}

static void settle_end(struct identity *id, const struct activity *a)
{
    struct session *s = is_zero(a->session) ? NULL : map_find(id->sessions, a->session);
    if (!s || !is_logout(a) || s->state == SESSION_ENDED)
        return;
    s->state = SESSION_ENDED;
    id->counts.ends++;
}

static void count_settled(struct identity *id, const struct activity *a, bool is_somebody, bool is_unnamed)
{
    id->counts.settled++;
    id->counts.named += is_somebody && !is_unnamed;
    id->counts.unnamed += is_unnamed;
    id->counts.nobody += !is_somebody;
    struct session *s = is_zero(a->session) ? NULL : map_find(id->sessions, a->session);
    if (s && is_unnamed && a->action != ACTION_AMEND && s->unnamed < UINT32_MAX)
        s->unnamed++;
}

void identity_settle(struct identity *id, struct activity *candidate, identity_emit_fn *emit, void *ctx)
{
    struct name name = {0};
    note_use(id, candidate);
    bool is_unnamed = settle_name(id, candidate, &name, emit, ctx);
    settle_end(id, candidate);
    activity_set(candidate, STR_USER, name_span(&name));
    activity_set(candidate, STR_CLAIM, SPAN(""));
    memset(candidate->new_session, 0, sizeof candidate->new_session);
    candidate->flags &= ~(ACT_SESSION_NEW | ACT_SESSION_END | ACT_CLAIM_PROVEN | ACT_NEEDS_PROOF);
    count_settled(id, candidate, name.size > 0, is_unnamed);
    id->counts.evicted = map_evicted(id->sessions);
    emit(ctx, candidate);
}

struct counters identity_counters(const struct identity *id)
{
    return (struct counters){defs, (const uint64_t *)&id->counts, sizeof defs / sizeof *defs};
}

/* ---- facts and state ---- */

bool identity_session(const struct identity *id, const uint8_t session[SESSION_HASH_SIZE], struct session_facts *out)
{
    const struct session *s = map_find(id->sessions, session);
    if (!s)
        return false;
    *out = (struct session_facts){.first_ns = s->first_ns,
                                  .last_ns = s->last_ns,
                                  .unnamed = s->unnamed,
                                  .state = s->state,
                                  .kind = s->kind,
                                  .name = name_span(&s->name)};
    return true;
}

static const char *const state_names[] = {"unnamed", "named", "replaced", "ended"};

/* Percent-encodes what is no plain character; "-" alone stands for no name, so a name "-" is encoded too. */
static void write_name(const struct name *n, char *to)
{
    bool is_dash = n->size == 1 && n->text[0] == '-';
    if (n->size == 0)
        *to++ = '-';
    for (uint16_t i = 0; i < n->size; i++) {
        unsigned char c = (unsigned char)n->text[i];
        if (c > 0x20 && c < 0x7f && c != '%' && !is_dash)
            *to++ = (char)c;
        else
            to += snprintf(to, 4, "%%%02X", c);
    }
    *to = 0;
}

void identity_save(const struct identity *id, void (*line)(void *ctx, const char *text), void *ctx)
{
    uint32_t at = UINT32_MAX;
    const void *key;
    void *value;
    while (map_walk(id->sessions, &at, &key, &value)) {
        const struct session *s = value;
        const uint8_t *hash = key;
        char text[LINE_MAX_SIZE], hex[2 * SESSION_HASH_SIZE + 1], name[3 * NAME_MAX_SIZE + 1];
        hex_text(span_of(hash, SESSION_HASH_SIZE), hex);
        write_name(&s->name, name);
        snprintf(text, sizeof text, "session %s %s %" PRIu64 " %" PRIu64 " %s %s %" PRIu32, hex, name, s->first_ns,
                 s->last_ns, state_names[s->state], cred_kind_name((enum cred_kind)s->kind), s->unnamed);
        line(ctx, text);
    }
}

static bool read_hash(struct span hex, uint8_t hash[SESSION_HASH_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    if (hex.size != 2 * SESSION_HASH_SIZE)
        return false;
    for (size_t i = 0; i < hex.size; i++) {
        const char *hit = hex.at[i] ? strchr(digits, hex.at[i]) : NULL;
        if (!hit)
            return false;
        hash[i / 2] = (uint8_t)(hash[i / 2] << 4 | (hit - digits));
    }
    return true;
}

static bool read_word(struct span word, const char *(*name)(unsigned), unsigned n, uint8_t *out)
{
    for (unsigned i = 0; i < n; i++)
        if (span_eq(word, span_text(name(i)))) {
            *out = (uint8_t)i;
            return true;
        }
    return false;
}

static const char *state_name(unsigned i)
{
    return state_names[i];
}

static const char *kind_name(unsigned i)
{
    return cred_kind_name((enum cred_kind)i);
}

static bool read_name(struct span raw, struct name *out)
{
    uint8_t plain[3 * NAME_MAX_SIZE + 8];
    struct arena a;
    arena_init(&a, plain, sizeof plain);
    struct span text = span_eq(raw, SPAN("-")) ? SPAN("") : url_decode(raw, false, &a);
    name_set(out, text);
    return raw.size && text.at && text.size <= NAME_MAX_SIZE;
}

int identity_load(struct identity *id, const char *line)
{
    enum { WORD, HASH, NAME, FIRST, LAST, STATE, KIND, UNNAMED, PARTS };
    struct span rest = span_text(line), part[PARTS];
    struct session s = {0};
    uint8_t hash[SESSION_HASH_SIZE] = {0};
    uint64_t unnamed;
    bool is_new;
    for (size_t i = 0; i < PARTS; i++)
        if (!span_split(&rest, ' ', &part[i]))
            return E_BAD;
    if (rest.at || !span_eq(part[WORD], SPAN("session")) || !read_hash(part[HASH], hash) || is_zero(hash) ||
        !read_name(part[NAME], &s.name) || !span_u64(part[FIRST], &s.first_ns) || !span_u64(part[LAST], &s.last_ns) ||
        s.last_ns < s.first_ns || !read_word(part[STATE], state_name, SESSION_ENDED + 1, &s.state) ||
        !read_word(part[KIND], kind_name, CRED_N, &s.kind) || !span_u64(part[UNNAMED], &unnamed) ||
        unnamed > UINT32_MAX || (s.state == SESSION_NAMED && s.name.size == 0))
        return E_BAD;
    s.unnamed = (uint32_t)unnamed;
    if (s.name.size)
        name_learn(id, &s.name, false);
    *(struct session *)map_touch(id->sessions, hash, &is_new) = s;
    return E_OK;
}
