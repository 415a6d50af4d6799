/* SPDX-License-Identifier: Apache-2.0
 * Building candidates. */
#include "app/candidate.h"

#include "app/file_tap.h"
#include "app/resource.h"
#include "base/hash.h"
#include "base/times.h"
#include "record/mask.h"
#include "wire/disposition.h"

struct span candidate_facts(const struct activity *a)
{
    return activity_get(a, STR_AS_ORG);
}

bool candidate_add_facts(struct activity *a, struct span lines)
{
    size_t room = ACTIVITY_TAIL_MAX - a->tail_used, take = lines.size;
    if (take > room)
        for (take = room; take && lines.at[take - 1] != '\n';)
            take--;
    if (!a->size[STR_AS_ORG])
        a->at[STR_AS_ORG] = a->tail_used;
    if (take)
        memcpy(a->tail + a->tail_used, lines.at, take);
    a->size[STR_AS_ORG] = (uint16_t)(a->size[STR_AS_ORG] + take);
    a->tail_used = (uint16_t)(a->tail_used + take);
    return take == lines.size;
}

void candidate_drop_facts(struct activity *a)
{
    if (a->size[STR_AS_ORG] && a->at[STR_AS_ORG] + a->size[STR_AS_ORG] == a->tail_used)
        a->tail_used = a->at[STR_AS_ORG];
    a->at[STR_AS_ORG] = a->size[STR_AS_ORG] = 0;
}

static bool carries_file(uint8_t action)
{
    return action == ACTION_DOWNLOAD || action == ACTION_PREVIEW || action == ACTION_EXPORT;
}

/* How much of what the act is told from was not on the tap, in per cent: of one direction alone it is half, else the lost
 * share of the connection's bytes so far; and half of the rest for each of: no request, framing that contradicts itself. */
static uint8_t doubt_of(const struct transaction *t)
{
    uint64_t sure = 100;
    if (t->flags & TXN_ONE_SIDED)
        sure = 50;
    else if (t->flow_lost)
        sure = (uint64_t)(100.0 * (double)t->flow_seen / ((double)t->flow_seen + (double)t->flow_lost));
    if (t->flow_lost && sure == 100)
        sure = 99;
    if (t->flags & TXN_NO_REQUEST)
        sure /= 2;
    if (t->flags & TXN_AMBIGUOUS)
        sure /= 2;
    return (uint8_t)(100 - (sure ? sure : 1));
}

static void fill_who(const struct candidate_in *in, struct activity *a)
{
    const struct transaction *t = in->view->t;
    a->time_ns = t->request_ns ? t->request_ns : t->response_ns;
    a->done_ns = in->done_ns;
    a->flow_hash = t->flow_hash;
    a->number = t->number;
    a->status = t->status;
    a->source = in->forward->client;
    a->peer = t->client;
    a->server = t->server;
    a->rtt_us = ipaddr_eq(&a->source, &a->peer.ip) ? t->rtt_us : 0;
    a->cred_kind = in->cred->kind;
    if (in->cred->has_session)
        memcpy(a->session, in->cred->session, SESSION_HASH_SIZE);
    if (in->cred->has_other && in->cred->kind == CRED_COOKIE) {
        memcpy(a->other, in->cred->other, SESSION_HASH_SIZE);
        a->flags |= ACT_AMBIGUOUS;
    }
    a->doubt = doubt_of(t);
    if (in->forward->is_forged)
        a->flags |= ACT_FORGED_HOP;
    if (t->flags & TXN_ONE_SIDED || t->flags & TXN_NO_REQUEST || (t->flags & TXN_NO_RESPONSE && !t->response_ns))
        a->flags |= ACT_ONE_SIDED;
}

static bool is_coded(struct view *v)
{
    struct span coding = view_response(v)->content_encoding;
    return coding.size && !span_eq_nocase(coding, SPAN("identity"));
}

/* The body without its content coding, when it was seen to its end. */
static bool whole_size(struct view *v, uint64_t *size)
{
    const struct body_measure *body = &v->t->response_body;
    *size = is_coded(v) ? body->decoded : body->bytes;
    return body->is_complete && (!is_coded(v) || (body->has_decoded && !body->missing));
}

/* An empty answer that tells the proxy in front which file to send instead (nginx: X-Accel-Redirect; lighttpd, Apache's
 * mod_xsendfile: X-Sendfile; LiteSpeed: X-LiteSpeed-Location): nothing of the file's size. */
static bool is_handed_back(const struct transaction *t)
{
    static const struct span names[] = {SPAN("X-Accel-Redirect"), SPAN("X-Sendfile"), SPAN("X-LiteSpeed-Location")};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (fields_get(&t->response_fields, names[i]).size)
            return true;
    return false;
}

/* The file's own size, as far as it can be known now. */
static void fill_file_size(const struct candidate_in *in, struct activity *a)
{
    struct view *v = in->view;
    const struct body_measure *body = &v->t->response_body;
    const struct route *r = in->route;
    unsigned measure = r ? r->measure : carries_file(a->action) ? MEASURE_BODY : MEASURE_NONE;
    const struct found *f = r && r->measure_slot >= 0 ? extract_found(v->x, (unsigned)r->measure_slot) : NULL;
    uint64_t size = 0;
    bool is_known = false;
    if (measure == MEASURE_BODY && v->t->status == 206) {
        struct content_range range;
        if (content_range_parse(view_response(v)->content_range, &range) == 0) {
            is_known = range.has_total;
            size = range.total;
            a->range_from = range.has_range ? range.first : 0;
        }
        a->flags |= ACT_RANGE;
    } else if (measure == MEASURE_BODY && v->t->status == 200) {
        is_known = whole_size(v, &size);
        if (!is_known && !is_coded(v) && body->has_declared) {
            is_known = true;
            size = body->declared;
        }
        is_known = is_known && (size || !is_handed_back(v->t));
    } else if (measure == MEASURE_BASE64 || measure == MEASURE_UPLOAD) {
        is_known = f && f->is_there && !f->is_unsure;
        size = f ? f->number : 0;
    } else if (measure == MEASURE_FRAME && f && f->is_there) {
        uint64_t frame = f->number + r->frame_tail;
        is_known = whole_size(v, &size) && size >= frame;
        size -= is_known ? frame : 0;
    }
    if (is_known) {
        a->file_size = size;
        a->flags |= ACT_HAS_FILE_SIZE;
    }
}

static void fill_body(const struct candidate_in *in, struct activity *a)
{
    const struct transaction *t = in->view->t;
    const struct body_measure *body = &t->response_body;
    if (in->is_begun && !body->is_complete)
        return;
    a->size_known = (uint8_t)body->known;
    a->missing_bytes = body->missing;
    if (body->known != SIZE_UNKNOWN) {
        a->body_bytes = body->bytes;
        a->flags |= ACT_HAS_BODY;
    }
    if (body->missing)
        a->flags |= ACT_PARTIAL;
    if (body->is_complete)
        a->flags |= ACT_COMPLETE;
    if (t->flags & TXN_ABORTED && !body->is_complete)
        a->flags |= ACT_ABORTED;
}

/* A query that says it twice, differently: PHP and Rails take the last, servlets the first, others both. So both are told:
 * each pair is another, however the application reads it, and no case is charged that was not asked for. */
static struct span both(struct view *v, struct span value, struct span other, struct activity *a)
{
    a->flags |= ACT_AMBIGUOUS;
    uint8_t *to = arena_alloc(v->arena, value.size + other.size + 1);
    if (!to)
        return SPAN("");
    memcpy(to, value.at, value.size);
    to[value.size] = ',';
    if (other.size)
        memcpy(to + value.size + 1, other.at, other.size);
    return span_of(to, value.size + other.size + 1);
}

static void fill_names(const struct candidate_in *in, struct activity *a)
{
    static const enum activity_string string_of[FIELD_N] = {STR_CASE, STR_CUSTOMER, STR_FILE, STR_OBJECT, STR_CLAIM,
                                                            STR_N,    STR_MIME,     STR_N,    STR_N,      STR_ACTS_FOR};
    struct view *v = in->view;
    for (unsigned f = 0; in->route && f < FIELD_N; f++) {
        if (!in->route->fields[f].n || string_of[f] == STR_N || f == FIELD_USER)
            continue;
        struct span value = route_value(v, &in->route->fields[f]), other = route_other(v, &in->route->fields[f]);
        if (value.at && other.at)
            value = both(v, value, other, a);
        if (value.at)
            activity_set(a, string_of[f], f == FIELD_FILE ? disposition_clean_name(value, v->arena) : value);
    }
    if (!a->size[STR_MIME])
        activity_set(a, STR_MIME, view_media(v));
    if (!carries_file(a->action) || a->size[STR_FILE] || (in->route && in->route->fields[FIELD_FILE].n))
        return;
    struct disposition d = {.type = DISPOSITION_NONE};
    if (view_response(v)->disposition.size)
        disposition_parse(view_response(v)->disposition, v->arena, &d);
    const struct path *path = view_path(v);
    struct span before = path->n > 1 ? path->segment[path->n - 2] : span_of(NULL, 0);
    bool has_name = !mask_is_secret_segment(view_last_segment(v), before, MASK_LIKELY);
    activity_set(a, STR_FILE, d.filename.size ? d.filename
                              : has_name      ? disposition_clean_name(view_last_segment(v), v->arena)
                                              : SPAN(""));
}

/* The target without its secrets: what the route calls "secret" is one, what it gives another name is none. */
static struct span mask_target(const struct candidate_in *in)
{
    const struct view *v = in->view;
    const struct template *t = in->route && v->captured == in->route ? &in->route->path : NULL;
    struct mask_known known = {.n_keep = 0};
    for (uint8_t i = 0; t && i < t->n_names; i++) {
        bool is_secret = strcmp(t->names[i], "secret") == 0;
        if (is_secret && known.n_hide < 2)
            known.hide[known.n_hide++] = v->captures.value[i];
        else if (!is_secret)
            known.keep[known.n_keep++] = v->captures.value[i];
    }
    text_clear(in->masked);
    target_mask_known(v->t->target, &known, in->masked);
    return text_span(in->masked);
}

static struct span masked_target(const struct candidate_in *in)
{
    const struct view *v = in->view;
    struct span target = v->t->target;
    const struct route *captured = in->route && v->captured == in->route ? in->route : NULL;
    uint8_t hash[16];
    uint64_t slot;
    hash128(target, 0, hash);
    memcpy(&slot, hash, sizeof slot);
    struct clean_target *clean = &in->clean[slot % CLEAN_TARGETS];
    if (target.size && clean->route == captured && memcmp(clean->target, hash, sizeof hash) == 0)
        return target;
    struct span masked = mask_target(in);
    if (span_eq(masked, target)) {
        memcpy(clean->target, hash, sizeof hash);
        clean->route = captured;
    }
    return masked;
}

/* In lower case and without the dot of a fully qualified name (RFC 9110, 4.2.3; RFC 3986, 3.2.2): all spellings are one
 * host, also where its cases are remembered. */
static void set_host(struct span host, struct activity *a)
{
    uint8_t lower[256];
    if (host.size > 1 && host.at[host.size - 1] == '.')
        host = span_sub(host, 0, host.size - 1);
    size_t i = 0;
    while (i < host.size && !(host.at[i] >= 'A' && host.at[i] <= 'Z'))
        i++;
    if (i < host.size)
        host = span_lower(host, lower, sizeof lower);
    activity_set(a, STR_HOST, host);
}

static void fill_request(const struct candidate_in *in, struct activity *a)
{
    struct view *v = in->view;
    activity_set(a, STR_APP, v->profile->name);
    activity_set(a, STR_ROUTE, in->route ? in->route->name : in->action == ACTION_API_CALL ? SPAN("hand-off") : SPAN(""));
    activity_set(a, STR_METHOD, v->t->method);
    set_host(v->t->host, a);
    activity_set(a, STR_TARGET, masked_target(in));
    if (view_request(v)->user_agent.size)
        activity_set(a, STR_AGENT, span_sub(view_request(v)->user_agent, 0, 256));
    const struct client_hints_fields *hints = &view_request(v)->hints;
    if (hints->brands.size | hints->full.size | hints->platform.size)
        client_hints_parse(hints, &a->client_hints);
    if (v->t->tls) {
        activity_set(a, STR_JA3, span_text(v->t->tls->ja3));
        activity_set(a, STR_JA4, span_text(v->t->tls->ja4));
        activity_set(a, STR_CERT, span_text(v->t->tls->client_subject));
    }
}

/* What the request and the answer's head show of the session, whoever it is. */
static void fill_session(const struct candidate_in *in, struct activity *a)
{
    struct view *v = in->view;
    if (in->cred->has_remember)
        memcpy(a->remember, in->cred->remember, SESSION_HASH_SIZE);
    if (v->set->has_remember)
        memcpy(a->new_remember, v->set->remember, SESSION_HASH_SIZE);
    a->until_s = v->set->until_s;
    a->remember_until_s = v->set->remember_until_s;
    a->hints |= in->cred->is_rotating ? HINT_ROTATES : 0;
    bool is_turned_away = v->t->status == 401 || (v->t->status >= 300 && v->t->status < 400);
    if (is_turned_away && route_outcome(v, NULL).is_refused)
        a->hints |= HINT_LOGIN_PAGE;
}

/* Whether the request says which page it came from. */
static uint32_t referer_hint(struct view *v)
{
    if (!view_request(v)->referer.size)
        return v->t->flags & TXN_NO_REQUEST ? 0 : HINT_REFERER_NONE;
    struct span host;
    uint16_t port;
    url_authority(v->t->host, &host, &port);
    return span_eq_nocase(view_referer(v)->host, host) ? HINT_REFERER_OWN : HINT_REFERER_OTHER;
}

static void set_new_session(struct activity *a, const uint8_t hash[SESSION_HASH_SIZE])
{
    memcpy(a->new_session, hash, SESSION_HASH_SIZE);
    a->flags |= ACT_SESSION_NEW;
}

/* Whether a redirect back from an OpenID provider brings an authorization code (RFC 6749, 4.1.2): who it is for, the
 * service asks where no tap stands. */
static bool is_code_flow(struct view *v)
{
    struct span code, state, query = view_url(v)->query;
    return query.size && url_arg(query, SPAN("code"), v->arena, &code) && url_arg(query, SPAN("state"), v->arena, &state) &&
           code.size && state.size;
}

/* How a login was made, when the route tells one: what it names, or what vouches for a name that cannot be read. */
static bool login_kind(const struct candidate_in *in, struct span user, uint8_t *kind)
{
    uint8_t vouched = in->view->x ? in->view->x->vouched.kind : ASSERTION_NONE;
    if (user.at)
        *kind = (uint8_t)route_login_kind(in->view, &in->route->fields[FIELD_USER]);
    else if (vouched != ASSERTION_NONE)
        *kind = vouched == ASSERTION_SAML ? CRED_SAML : CRED_OIDC;
    else if (in->route && is_code_flow(in->view))
        *kind = CRED_OIDC;
    else
        return false;
    return true;
}

/* Whom it acts for, and who vouches for it. */
static void fill_assertion(const struct candidate_in *in, struct activity *a)
{
    struct view *v = in->view;
    struct span other = a->size[STR_ACTS_FOR] ? activity_get(a, STR_ACTS_FOR) : in->says->acts_for;
    if (!other.size)
        other = route_value(v, &v->profile->acts_for);
    if (other.size)
        activity_set(a, STR_ACTS_FOR, other);
    bool is_posted = v->x && v->x->vouched.kind != ASSERTION_NONE;
    assertion_note(is_posted ? &v->x->vouched : &in->says->vouched, a->time_ns / NS_PER_S, a);
}

/* What the answer says of who is signed in: pages in their text, all of them in their head. A file's text is its author's. */
static struct span signed_in(const struct candidate_in *in, uint8_t action)
{
    struct view *v = in->view;
    bool is_page = !carries_file(action) && span_eq(view_media(v), SPAN("text/html"));
    struct span shown = route_value(v, is_page ? &v->profile->signed_in : &v->profile->signed_in_heads);
    if (!shown.at && in->route && !carries_file(action))
        shown = route_value(v, &in->route->fields[FIELD_SIGNED_IN]);
    return shown;
}

/* The name given at a login, what the answer did to the session, and what the page says of who is signed in. */
static void fill_identity(const struct candidate_in *in, struct activity *a)
{
    struct view *v = in->view;
    bool is_good = a->outcome == OUTCOME_SUCCESS, is_asserted = false;
    struct span user = in->route ? route_value(v, &in->route->fields[FIELD_USER]) : span_of(NULL, 0);
    bool is_named = in->cred->kind == CRED_NTLM; /* the connection's own */
    if (user.at && route_is_twice(v, &in->route->fields[FIELD_USER])) {
        user = SPAN(""); /* a login, but nobody knows whose */
        a->flags |= ACT_AMBIGUOUS;
    }
    if (a->action == ACTION_LOGIN && !(is_named && !user.at) && login_kind(in, user, &a->cred_kind)) {
        is_asserted = true;
        memset(a->session, 0, sizeof a->session);
        if (in->cred->has_cookie)
            memcpy(a->session, in->cred->cookie, SESSION_HASH_SIZE);
    }
    struct span shown = signed_in(in, a->action), own = in->cred->claim.at ? in->cred->claim : in->says->claim;
    if (is_asserted)
        own = span_of(NULL, 0);
    bool is_login = a->action == ACTION_LOGIN;
    struct span claim = is_login ? (user.at ? user : own) : shown.at ? shown : user.at ? user : own;
    if (claim.at)
        activity_set(a, STR_CLAIM, claim);
    if (claim.size && is_good && (is_login || shown.at || own.at == claim.at))
        a->flags |= ACT_CLAIM_PROVEN;
    if (v->set->is_removed || (a->action == ACTION_LOGOUT && is_good))
        a->flags |= ACT_SESSION_END;
    else if (is_good && (v->set->state == COOKIE_CHANGED || v->set->state == COOKIE_FIRST))
        set_new_session(a, v->set->session);
    else if (is_good && is_login && in->has_token)
        set_new_session(a, in->token);
    else if (a->cred_kind == CRED_NONE && !is_login && (a->flags & ACT_REFUSED) && v->set->state == COOKIE_FIRST)
        memcpy(a->session, v->set->session, SESSION_HASH_SIZE); /* turned away, and given a value to sign in with */
}

static bool has_needs(const struct candidate_in *in)
{
    uint32_t needs = in->route ? in->route->needs : 0;
    for (unsigned f = 0; f < FIELD_N; f++) {
        if (!(needs >> f & 1))
            continue;
        bool has = route_value(in->view, &in->route->fields[f]).at ||
                   (f == FIELD_USER && route_value(in->view, &in->view->profile->signed_in).at);
        if (!has)
            return false;
    }
    return true;
}

/* Basic credentials and the last step of NTLM are a login of their own each time: refused, they are a failed one. */
static bool is_basic_refused(const struct candidate_in *in, const struct route_result *result)
{
    uint16_t status = in->view->t->status;
    bool is_tried = in->cred->kind == CRED_BASIC || (in->cred->kind == CRED_NTLM && in->cred->is_negotiating);
    return is_tried && result->outcome == OUTCOME_FAILURE &&
           (status == 401 || (status >= 300 && status < 400));
}

bool candidate_fill(const struct candidate_in *in, struct activity *a)
{
    struct view *v = in->view;
    struct route_result result = route_outcome(v, in->route);
    if (!has_needs(in))
        return false;
    activity_init(a);
    a->tail_used = 0;
    a->action = in->route ? in->route->action : (uint8_t)in->action;
    if (a->action == ACTION_DOWNLOAD && candidate_is_inline(v)) {
        a->action = ACTION_PREVIEW;
        a->flags |= ACT_INLINE;
    }
    a->outcome = (uint8_t)result.outcome;
    if (is_basic_refused(in, &result))
        a->action = ACTION_LOGIN;
    else if (result.is_refused)
        a->flags |= ACT_REFUSED;
    fill_who(in, a);
    fill_body(in, a);
    bool is_file = carries_file(a->action) && result.outcome != OUTCOME_FAILURE;
    if (is_file && v->t->status == 304) {
        a->flags |= ACT_NOT_MODIFIED | ACT_HAS_BODY;
        a->body_bytes = 0;
    } else if (is_file || (in->route && in->route->measure == MEASURE_UPLOAD)) {
        fill_file_size(in, a);
    }
    if (is_file)
        resource_fill(v->t, in->seed, a);
    if (carries_file(a->action) && !in->route)
        a->flags |= ACT_UNKNOWN_ROUTE;
    fill_request(in, a);
    fill_names(in, a);
    if (is_file || (a->action == ACTION_UPLOAD && result.outcome != OUTCOME_FAILURE))
        file_tap_tell(in->file, a);
    fill_identity(in, a);
    fill_session(in, a);
    a->hints |= referer_hint(v) | activity_manner(a);
    fill_assertion(in, a);
    return true;
}

void candidate_fact(const struct candidate_in *in, struct activity *a)
{
    struct view *v = in->view;
    struct route_result result = route_outcome(v, NULL);
    activity_init(a);
    a->tail_used = 0;
    a->outcome = (uint8_t)result.outcome;
    if (result.is_refused)
        a->flags |= ACT_REFUSED;
    fill_who(in, a);
    fill_session(in, a);
    activity_set(a, STR_APP, v->profile->name);
    set_host(v->t->host, a);
    activity_set(a, STR_AGENT, span_sub(view_request(v)->user_agent, 0, 256));
    if (!v->set->is_removed && (v->set->state == COOKIE_CHANGED || v->set->state == COOKIE_FIRST))
        set_new_session(a, v->set->session);
}

/* Whether a field can only be known once the body went by. */
static bool is_from_body(const struct route *r, unsigned field)
{
    for (uint8_t i = 0; r && i < r->fields[field].n; i++)
        if (r->fields[field].list[i].kind == SOURCE_SLOT)
            return true;
    return false;
}

bool candidate_amend(const struct candidate_in *in, const uint8_t told[16], struct activity *a)
{
    static const enum activity_string drop[] = {STR_APP, STR_ROUTE, STR_METHOD, STR_HOST, STR_TARGET, STR_AGENT, STR_OBJECT,
                                               STR_JA3, STR_JA4, STR_CERT, STR_ACTS_FOR, STR_ISSUER, STR_TENANT};
    static const struct {
        enum activity_string string;
        unsigned field;
    } late[] = {{STR_FILE, FIELD_FILE}, {STR_CASE, FIELD_CASE}, {STR_CUSTOMER, FIELD_CUSTOMER}, {STR_MIME, FIELD_MIME}};
    if (!candidate_fill(in, a))
        return false;
    a->action = ACTION_AMEND;
    memcpy(a->amends, told, sizeof a->amends);
    a->flags &= ~(ACT_SESSION_NEW | ACT_SESSION_END | ACT_TOKEN_EXPIRED);
    a->assertion = ASSERTION_NONE;
    a->asserted = 0;
    a->hints = 0;
    a->client_hints = (struct client_hints){0};
    a->rtt_us = 0;
    for (size_t i = 0; i < sizeof drop / sizeof drop[0]; i++)
        a->size[drop[i]] = 0;
    for (size_t i = 0; i < sizeof late / sizeof late[0]; i++)
        if (!is_from_body(in->route, late[i].field))
            a->size[late[i].string] = 0;
    return true;
}
