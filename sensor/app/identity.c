/* SPDX-License-Identifier: Apache-2.0
 * One table of session values in order of use, one of spellings of names, and a short list of declared aliases. */
#include "app/identity_parts.h"

#include "app/cred.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/hex.h"
#include "base/times.h"

#include <stdio.h>
#include <stdlib.h>

#define TURNED_AWAY_NS (3600 * NS_PER_S) /* from being turned away to the login */
#define NAME_MAX_SIZE IDENTITY_NAME_MAX
#define CERTIFICATE_CUT 120 /* bytes a subject has room for in a record */
#define ALIAS_MAX 1024

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
    {"identity_sessions_remembered", "sessions", "begun by a remember-me value, without a login"},
    {"identity_forks", "values", "a session value replaced more than once: parallel requests"},
    {"identity_forks_foreign", "values", "of these, by another client than the one that had it: a copy of the session"},
    {"identity_late_values", "requests", "with a session value that had been replaced long before"},
    {"identity_values_forgotten", "values", "replaced long ago, or more than are kept of one session"},
    {"identity_two_values", "activities", "came with two values of one session cookie"},
    {"identity_two_names", "activities", "of these, the values are of two people: told under neither name"},
    {"identity_sessions_evicted", "sessions",
     "values forgotten because the table was full; raise the limit when it grows"},
};
_Static_assert(sizeof defs / sizeof *defs * sizeof(uint64_t) == sizeof(struct identity_counts), "one name for each");

struct identity *identity_new(uint32_t max_sessions)
{
    struct identity *id = calloc(1, sizeof *id);
    if (!id)
        return NULL;
    id->sessions = map_new(SESSION_HASH_SIZE, sizeof(struct session), max_sessions, 0);
    id->spellings = map_new(16, sizeof(struct name), max_sessions, 0);
    if (!chain_init(id, max_sessions) || !id->sessions || !id->spellings) {
        identity_free(id);
        return NULL;
    }
    return id;
}

void identity_free(struct identity *id)
{
    if (!id)
        return;
    chain_fini(id);
    map_free(id->sessions);
    map_free(id->spellings);
    text_fini(&id->line);
    free(id->aliases);
    people_free(id->people);
    free(id);
}

/* ---- names ---- */

void name_set(struct name *n, struct span text)
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
    uint8_t lower[NAME_MAX_SIZE];
    hash128(span_lower(text, lower, sizeof lower), 0, key);
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

void name_learn(struct identity *id, struct name *n, bool is_page)
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
    if (id->people && n->size)
        n->size = (uint16_t)people_name(id->people, name_span(n), n->text);
}

void identity_people(struct identity *id, struct people *people)
{
    people_free(id->people);
    id->people = people;
}

/* ---- sessions ---- */

struct session *session_touch(struct identity *id, const uint8_t hash[SESSION_HASH_SIZE], uint64_t now_ns)
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

/* A value that was handed out before anybody signed in may have been planted with another: then nothing is named by it. */
static bool is_same_client(const struct session *s, const struct activity *by)
{
    return !s->handed_to || s->handed_to == chain_user(by);
}

void session_bind(struct identity *id, const struct activity *by, const uint8_t hash[SESSION_HASH_SIZE],
                  const struct name *n, identity_emit_fn *emit, void *ctx)
{
    struct session *s = session_touch(id, hash, by->time_ns);
    if (s->name.size && !span_eq(name_span(&s->name), name_span(n)))
        id->counts.renamed++;
    s->name = *n;
    s->state = SESSION_NAMED;
    share_keep(id, hash, s, by->time_ns);
    if (s->unnamed && is_same_client(s, by))
        tell_identify(id, by, hash, s, emit, ctx);
    s->unnamed = 0;
}

/* The login replaces the value that was handed out when somebody without one was turned away: it was the same browser.
 * The value itself is not bound, for who else has it is not known. */
static void settle_turned_away(struct identity *id, const struct activity *login, struct session *old, const struct name *n,
                               identity_emit_fn *emit, void *ctx)
{
    if (!old->unnamed || old->kind != CRED_NONE || !old->handed_to || !is_same_client(old, login) ||
        login->time_ns - old->first_ns > TURNED_AWAY_NS)
        return;
    struct session named = *old;
    named.name = *n;
    tell_identify(id, login, login->session, &named, emit, ctx);
    old->unnamed = 0;
}

/* ---- settling ---- */

static bool is_login(const struct activity *a)
{
    switch (a->action) {
    case ACTION_LOGIN:
    case ACTION_MFA_CHALLENGE:
    case ACTION_MFA_PASSED: return true;
    case ACTION_AMEND: /* of a login: only those have credentials of these kinds */
        return a->cred_kind == CRED_FORM || a->cred_kind == CRED_JSON || a->cred_kind == CRED_SAML ||
               a->cred_kind == CRED_OIDC;
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
    if (is_login(a) || is_proven || a->cred_kind == CRED_BASIC || a->cred_kind == CRED_CERT ||
        a->cred_kind == CRED_NTLM)
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

/* Whose certificate it is, is sure where no proxy stands between; one that was cut has no name. */
static bool has_own_certificate(const struct activity *a)
{
    size_t size = a->size[STR_CERT];
    return size && size < CERTIFICATE_CUT && a->cred_kind == CRED_COOKIE && ipaddr_eq(&a->source, &a->peer.ip);
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
    } else if (has_own_certificate(a)) {
        name_set(out, cred_certificate_name(activity_get(a, STR_CERT)));
    } else if (!hash_is_zero(a->session) && a->cred_kind != CRED_NONE) {
        char hex[17];
        out->size = (uint16_t)snprintf(out->text, sizeof out->text, "session:%s", hex_text(span_of(a->session, 8), hex));
        return true;
    }
    return false;
}

static void start_login(struct identity *id, const struct activity *a, const uint8_t session[SESSION_HASH_SIZE])
{
    struct session *s = session_touch(id, session, a->time_ns);
    s->start = SESSION_START_LOGIN;
    s->until_s = a->until_s;
    chain_tell(id, a, session, SESSION_STARTS_LOGIN);
}

/* A login that succeeded binds what the answer set, or what was sent when the application keeps it. */
static void settle_login(struct identity *id, const struct activity *a, const struct name *n, identity_emit_fn *emit,
                         void *ctx)
{
    bool has_new = (a->flags & ACT_SESSION_NEW) && !hash_is_zero(a->new_session);
    if (a->outcome != OUTCOME_SUCCESS || n->size == 0)
        return;
    if (has_new) {
        struct session *old = hash_is_zero(a->session) ? NULL : map_find(id->sessions, a->session);
        if (old && old->state == SESSION_NAMED)
            old->state = SESSION_REPLACED;
        else if (old && old->state == SESSION_UNNAMED)
            settle_turned_away(id, a, old, n, emit, ctx);
        if (old && memcmp(a->session, a->new_session, SESSION_HASH_SIZE) != 0)
            chain_tell(id, a, a->session, SESSION_ENDS_LOGIN);
        chain_forget(id, a->new_session);
        start_login(id, a, a->new_session);
        session_bind(id, a, a->new_session, n, emit, ctx);
    } else if (!hash_is_zero(a->session) && a->action != ACTION_AMEND) { /* an amend does not say what the answer set */
        start_login(id, a, a->session);
        session_bind(id, a, a->session, n, emit, ctx);
    } else {
        return;
    }
    if (!hash_is_zero(a->new_remember))
        chain_bind_remember(id, a, n, emit, ctx);
    id->counts.logins++;
}

static void note_use(struct identity *id, const struct activity *a)
{
    if (hash_is_zero(a->session))
        return;
    struct session *s = session_touch(id, a->session, a->time_ns);
    share_renew(id, a->session, s, a->time_ns);
    if (a->cred_kind == CRED_NONE && !s->handed_to)
        s->handed_to = chain_user(a);
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
    if (is_proven && !hash_is_zero(a->session)) {
        id->counts.proofs++;
        session_bind(id, a, a->session, given, emit, ctx);
    }
    if (is_proven && !hash_is_zero(a->remember))
        session_bind(id, a, a->remember, given, emit, ctx);
    if (!is_logout(a))
        chain_rotate(id, a, a->sent, emit, ctx);
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
    const struct session *s = hash_is_zero(a->session) ? NULL : map_find(id->sessions, a->session);
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
    struct session *s = hash_is_zero(a->session) ? NULL : map_find(id->sessions, a->session);
    if (!s || !is_logout(a) || s->state == SESSION_ENDED)
        return;
    s->state = SESSION_ENDED;
    share_keep(id, a->session, s, a->time_ns);
    id->counts.ends++;
    chain_tell(id, a, a->session, a->action == ACTION_LOGOUT ? SESSION_ENDS_LOGOUT : SESSION_ENDS_REMOVED);
}

static void count_settled(struct identity *id, const struct activity *a, bool is_somebody, bool is_unnamed)
{
    id->counts.settled++;
    id->counts.named += is_somebody && !is_unnamed;
    id->counts.unnamed += is_unnamed;
    id->counts.nobody += !is_somebody;
    struct session *s = hash_is_zero(a->session) ? NULL : map_find(id->sessions, a->session);
    bool is_told = is_unnamed || (!is_somebody && a->cred_kind == CRED_NONE);
    if (s && is_told && a->action != ACTION_AMEND && s->unnamed < UINT32_MAX)
        s->unnamed++;
}

void identity_watch(struct identity *id, identity_watch_fn *fn, void *ctx)
{
    id->watch = fn;
    id->watch_ctx = ctx;
}

/* The session a value leads to, when that has a name and goes on; NULL otherwise. */
static const struct session *named_session(struct identity *id, const uint8_t value[SESSION_HASH_SIZE], uint64_t now_ns)
{
    uint8_t session[SESSION_HASH_SIZE];
    share_ask(id, value, now_ns);
    chain_resolve(id, value, session);
    const struct session *s = map_find(id->sessions, session);
    return s && s->name.size && s->state != SESSION_ENDED ? s : NULL;
}

/* Two values came under one cookie's name, and which counts is for the application to say. The one that is known acts;
 * where both are, of two people, it may have been either: the two together are a session of their own, without a name. */
static void choose_value(struct identity *id, struct activity *a)
{
    const struct session *first = named_session(id, a->session, a->time_ns);
    const struct session *other = named_session(id, a->other, a->time_ns);
    id->counts.two_values++;
    if (!first && other) {
        memcpy(a->session, a->other, SESSION_HASH_SIZE);
    } else if (first && other && !span_eq_nocase(name_span(&first->name), name_span(&other->name))) {
        uint8_t both[2 * SESSION_HASH_SIZE];
        memcpy(both, a->session, SESSION_HASH_SIZE);
        memcpy(both + SESSION_HASH_SIZE, a->other, SESSION_HASH_SIZE);
        hash128(span_of(both, sizeof both), 0, a->session);
        id->counts.two_names++;
    }
    memset(a->other, 0, SESSION_HASH_SIZE);
}

void identity_resolve(struct identity *id, struct activity *a, identity_emit_fn *emit, void *ctx)
{
    if (!hash_is_zero(a->sent) || hash_is_zero(a->session))
        return;
    if (!hash_is_zero(a->other))
        choose_value(id, a);
    if (a->action != ACTION_NONE || a->flags & ACT_SESSION_NEW) {
        share_ask(id, a->session, a->time_ns);
        share_ask(id, a->remember, a->time_ns);
    }
    chain_use(id, a);
    memcpy(a->sent, a->session, SESSION_HASH_SIZE);
    chain_resolve(id, a->sent, a->session);
    if (!is_login(a))
        chain_remember(id, a, emit, ctx);
}

void identity_fact(struct identity *id, struct activity *fact, identity_emit_fn *emit, void *ctx)
{
    identity_resolve(id, fact, emit, ctx);
    if (!(fact->flags & ACT_SESSION_NEW) || hash_is_zero(fact->session))
        return;
    session_touch(id, fact->session, fact->time_ns);
    chain_rotate(id, fact, fact->sent, emit, ctx);
    id->counts.evicted = map_evicted(id->sessions);
}

void identity_settle(struct identity *id, struct activity *candidate, identity_emit_fn *emit, void *ctx)
{
    struct name name = {0};
    identity_resolve(id, candidate, emit, ctx);
    note_use(id, candidate);
    bool is_unnamed = settle_name(id, candidate, &name, emit, ctx);
    settle_end(id, candidate);
    activity_set(candidate, STR_USER, name_span(&name));
    if (id->people && people_is_service(id->people, name_span(&name)))
        candidate->flags |= ACT_SERVICE;
    activity_set(candidate, STR_CLAIM, SPAN(""));
    memset(candidate->new_session, 0, sizeof candidate->new_session);
    memset(candidate->remember, 0, sizeof candidate->remember);
    memset(candidate->new_remember, 0, sizeof candidate->new_remember);
    memset(candidate->sent, 0, sizeof candidate->sent);
    candidate->flags &= ~(ACT_SESSION_NEW | ACT_SESSION_END | ACT_CLAIM_PROVEN | ACT_NEEDS_PROOF);
    count_settled(id, candidate, name.size > 0, is_unnamed);
    id->counts.evicted = map_evicted(id->sessions);
    emit(ctx, candidate);
}

struct counters identity_counters(const struct identity *id)
{
    return (struct counters){defs, (const uint64_t *)&id->counts, sizeof defs / sizeof *defs};
}
