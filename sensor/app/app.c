/* SPDX-License-Identifier: Apache-2.0
 * From transactions to activity candidates: the hooks of the connections. */
#include "app/app_parts.h"
#include "app/explain.h"
#include "base/hex.h"
#include "base/times.h"

#include <stdlib.h>

#define MAX_TRANSACTIONS 65536u
#define MAX_BODIES 8192u
#define MAX_HOSTS 4096u
#define MAX_UNMAPPED 1024u /* templates */
#define MAX_HASHES 65536u
#define MAX_ASSETS 4096u
#define MAX_FILES 1024u
#define MAX_BOUND 8192u
#define CLAIM_MAX 192

/* What one transaction carries from its first hook to its last. */
struct note {
    const struct profile *profile;
    const struct route *route;
    struct route_choice choice;
    struct forward forward;
    struct cred cred;
    struct cred_set set;
    char claim[CLAIM_MAX]; /* of the credential; cred.claim points here */
    uint8_t told[16];      /* id of the candidate told when the answer began */
    uint64_t told_ns;
    bool is_decided, is_told;
    uint8_t generation;    /* of the profiles it began under */
    uint8_t action;        /* without a route */
    bool has_link;         /* the answer hands out a pre-signed link */
    uint8_t link[SESSION_HASH_SIZE];
    struct file_tap *file[2]; /* in the request's body, in the answer's */
    struct extract x;
    struct view view;
};

static const struct counter_def counter_defs[COUNTERS] = {
    {"app_transactions", "transactions", "transactions that ended"},
    {"app_no_room", "transactions", "transactions not looked at: too many at the same time"},
    {"app_routed", "transactions", "transactions a profile's route took, and told"},
    {"app_routed_silent", "transactions", "taken by a route that tells nothing (page parts, pages that show nobody)"},
    {"app_unknown_file", "transactions", "files that came through a route no profile knows; a new route in a profile helps"},
    {"app_unknown", "transactions", "transactions no route took and that carried no file"},
    {"app_candidates", "activities", "activities told"},
    {"app_amends", "activities", "completions of activities told when their answer began"},
    {"app_facts_cut", "activities", "activities whose list of files or cases did not fit"},
    {"app_forged_hops", "transactions", "requests with a forwarding field that claims another client"},
    {"app_assets", "transactions", "parts of pages (scripts, styles, images) that a session fetched"},
    {"app_session_facts", "facts", "told of sessions beside the activities: values replaced, parts of pages"},
    {"app_connection_users", "transactions", "requests named by their connection: NTLM had named its user before"},
    {"app_cookies_cut", "transactions", "requests with more than 8 Cookie fields: those that follow were not read"},
    {"app_bad_credentials", "requests", "with an Authorization field that could not be read (Basic, Digest, NTLM): it names nobody"},
    {"app_bad_tokens", "activities", "with a token that looks like a JSON Web Token and is none, or is too long: it names nobody"},
    {"app_unsigned_tokens", "activities", "with a JSON Web Token that nobody signed: it names nobody"},
    {"app_long_names", "requests", "with a user name too long to be told (192 bytes): none rather than half of it"},
};

static uint64_t secret_seed(struct cred_hasher *hasher)
{
    uint8_t hash[SESSION_HASH_SIZE];
    uint64_t seed = 0;
    cred_hash(hasher, SPAN("transfer"), hash);
    for (size_t i = 0; i < sizeof seed; i++)
        seed = seed << 8 | hash[i];
    return seed;
}

static void tell_fact(void *ctx, const struct activity *fact)
{
    struct app *app = ctx;
    app->counts[COUNT_SESSION_FACTS]++;
    app->options.on_fact(app->options.ctx, fact);
}

struct app *app_new(const struct app_options *options)
{
    struct app *app = calloc(1, sizeof *app);
    if (!app)
        return NULL;
    uint32_t max = options->max_transactions ? options->max_transactions : MAX_TRANSACTIONS;
    app->options = *options;
    app_set_trust(app, options->trusted, options->n_trusted);
    app->generations[0].profiles = options->profiles;
    profiles_hold((struct profiles *)(uintptr_t)options->profiles);
    app->notes = pool_new(sizeof(struct note), max);
    app->extractor = extractor_new(max < MAX_BODIES ? max : MAX_BODIES);
    app->files = file_taps_new(&(struct file_tap_options){options->scan_budget, options->has_hash, max < MAX_FILES ? max : MAX_FILES});
    app->hasher = cred_hasher_new(options->key, MAX_HASHES);
    app->bound = bound_new(MAX_BOUND);
    app->hosts = hosts_new(options->profiles, MAX_HOSTS);
    app->assets = assets_new(MAX_ASSETS, tell_fact, app);
    app->unmapped = unmapped_new(MAX_UNMAPPED);
    app->masked.max = 65536;
    bool has_room = text_make_room(&app->masked, app->masked.max); /* now, not while packets run */
    if (!app->notes || !app->extractor || !app->files || !app->hasher || !app->bound || !app->hosts || !app->assets ||
        !app->unmapped || !has_room) {
        app_free(app);
        return NULL;
    }
    app->seed = secret_seed(app->hasher);
    return app;
}

void app_free(struct app *app)
{
    if (!app)
        return;
    if (app->notes)
        pool_free(app->notes);
    app_leave_all(app);
    extractor_free(app->extractor);
    file_taps_free(app->files);
    cred_hasher_free(app->hasher);
    bound_free(app->bound);
    hosts_free(app->hosts);
    assets_free(app->assets);
    unmapped_free(app->unmapped);
    text_fini(&app->masked);
    text_fini(&app->why);
    explicit_bzero(app, sizeof *app); /* values were decoded here */
    free(app);
}

static uint64_t latest(const struct transaction *t)
{
    uint64_t a = t->request_end_ns > t->request_ns ? t->request_end_ns : t->request_ns;
    uint64_t b = t->end_ns > t->response_ns ? t->end_ns : t->response_ns;
    return a > b ? a : b;
}

static struct note *note_take(struct app *app, struct transaction *t)
{
    struct note *n = pool_take(app->notes);
    t->note = n;
    if (!n) {
        app->counts[COUNT_NO_ROOM]++;
        return NULL;
    }
    memset(n, 0, offsetof(struct note, x) + offsetof(struct extract, bytes));
    n->set.state = COOKIE_NONE;
    n->generation = app_enter(app);
    return n;
}

/* The first look at a transaction; 'arena' is the scratch of this hook. */
static struct view *look(struct app *app, struct arena *arena, const struct transaction *t, struct note *n)
{
    arena_init(arena, app->scratch, sizeof app->scratch);
    view_init(&n->view, t, arena);
    n->view.x = &n->x;
    n->view.set = &n->set;
    return &n->view;
}

static struct view *look_again(struct app *app, struct arena *arena, struct note *n, bool is_answer)
{
    arena_init(arena, app->scratch, sizeof app->scratch);
    view_again(&n->view, arena, is_answer);
    return &n->view;
}

/* Who asks, by the profile; again when the answer shows another application. */
static void read_credential(struct app *app, struct view *v, struct note *n)
{
    cred_read(app->hasher, v->profile, view_request(v), view_url(v)->query, v->arena, &n->cred);
    app->counts[COUNT_BOUND] += bound_request(app->bound, v->t, &n->forward.client, &n->cred);
    struct span subject = v->t->tls && !n->forward.is_forwarded ? span_text(v->t->tls->client_subject) : SPAN("");
    if (n->cred.kind == CRED_NONE && subject.size && subject.size < sizeof v->t->tls->client_subject - 1) { /* not cut */
        n->cred.kind = CRED_CERT;
        n->cred.claim = cred_certificate_name(subject);
    }
    size_t size = n->cred.claim.size < CLAIM_MAX ? n->cred.claim.size : 0; /* rather none than half a name */
    if (size)
        memcpy(n->claim, n->cred.claim.at, size);
    app->counts[COUNT_LONG_NAMES] += n->cred.claim.size && !size;
    app->counts[COUNT_BAD_CREDENTIALS] += n->cred.is_malformed;
    n->cred.claim = size ? span_of(n->claim, size) : span_of(NULL, 0);
}

static void begin(struct app *app, struct view *v, struct note *n)
{
    const struct transaction *t = v->t;
    v->profile = n->profile = hosts_request(app->hosts, v);
    view_request(v);
    struct fields forwarding = {v->request.forwarding, v->request.n_forwarding, HEAD_FORWARDING, false};
    forward_recall(app->forwards, &app->trust, t, &forwarding, &n->forward);
    app->counts[COUNT_FORGED] += n->forward.is_forged;
    app->counts[COUNT_COOKIES_CUT] += v->request.is_cut;
    read_credential(app, v, n);
    route_candidates(v, &n->choice);
}

static void on_request(void *ctx, struct transaction *t, struct body_tap *tap)
{
    struct app *app = ctx;
    struct arena arena;
    struct note *n = note_take(app, t);
    if (!n)
        return;
    struct view *v = look(app, &arena, t, n);
    begin(app, v, n);
    extract_request(app->extractor, &n->x, v->profile, n->choice.request_slots,
                    view_request(v)->content_type, tap);
    n->file[0] = file_tap_request(app->files, v, &n->choice, tap);
}

static bool carries_file(uint8_t action)
{
    return action == ACTION_DOWNLOAD || action == ACTION_PREVIEW || action == ACTION_EXPORT;
}

/* What the answer says about the session, and whether it hands out a link that stands for it. */
static void read_answer(struct app *app, struct view *v, struct note *n)
{
    const struct profiles *all = app->options.profiles;
    struct span query = view_location(v)->query;
    bound_response(app->bound, v->t, &n->forward.client, &n->cred);
    cred_set_read(app->hasher, v->profile, view_response(v), &n->cred, latest(v->t) / NS_PER_S, &n->set);
    n->has_link = query.size && (cred_link(app->hasher, v->profile, query, n->link) ||
                                 cred_link(app->hasher, all->list[all->generic], query, n->link));
}

/* The host turned out to run something else than was thought when the request came. */
static void follow_host(struct app *app, struct view *v, struct note *n)
{
    const struct profile *profile = hosts_response(app->hosts, v);
    if (profile == n->profile)
        return;
    extract_fini(app->extractor, &n->x);
    memset(&n->x, 0, offsetof(struct extract, bytes));
    v->profile = n->profile = profile;
    read_credential(app, v, n);
    route_candidates(v, &n->choice);
}

/* Whether the request is an attempt to sign in by itself. */
static bool is_tried(const struct cred *cred)
{
    return cred->kind == CRED_BASIC || (cred->kind == CRED_NTLM && cred->is_negotiating);
}

/* Routes whose answers are pages or data: a file that comes through one is not what the profile took it for. */
static bool expects_no_file(uint8_t action)
{
    return action == ACTION_NONE || action == ACTION_API_CALL || action == ACTION_LIST || action == ACTION_ADMIN ||
           action == ACTION_VIEW_CASE || action == ACTION_SEARCH || action == ACTION_LIST_FILES || action == ACTION_JOB_POLL;
}

static void decide(struct app *app, struct view *v, struct note *n)
{
    if (n->is_decided)
        return;
    if (v->t->request_body.is_complete || !v->t->status)
        extract_request_end(app->extractor, &n->x);
    n->route = route_decide(v, &n->choice);
    n->is_decided = true;
    if (n->route && expects_no_file(n->route->action) && candidate_is_file(v))
        n->route = NULL;
    if (!n->route)
        n->action = candidate_is_file(v)                                     ? ACTION_DOWNLOAD
                    : n->has_link                                            ? ACTION_API_CALL
                    : v->t->status == 401 && is_tried(&n->cred)              ? ACTION_LOGIN
                                                                             : ACTION_NONE;
}

static uint8_t action_of_note(const struct note *n)
{
    return n->route ? n->route->action : n->action;
}

/* A fact for the memory of cases: this hash stands for the session as well. */
static bool add_link(struct activity *a, const uint8_t hash[SESSION_HASH_SIZE])
{
    char line[2 * SESSION_HASH_SIZE + 2] = "l";
    hex_text(span_of(hash, SESSION_HASH_SIZE), line + 1);
    line[sizeof line - 1] = '\n'; /* where the NUL stood */
    return candidate_add_facts(a, span_of(line, sizeof line));
}

/* The domain of who opened the case, for the memory of customers. The address itself is not kept. */
static bool add_requestor(struct view *v, const struct note *n, struct activity *a)
{
    uint8_t line[LISTING_DOMAIN + 4] = {'c', '\t', '\t'};
    if (!n->route || !n->route->fields[FIELD_REQUESTOR].n)
        return true;
    size_t size = listing_domain(route_value(v, &n->route->fields[FIELD_REQUESTOR]), line + 3, LISTING_DOMAIN);
    line[3 + size] = '\n';
    return !size || candidate_add_facts(a, span_of(line, 4 + size));
}

/* The token a login's answer gave in its body. */
static bool read_token(struct app *app, struct view *v, const struct note *n, uint8_t out[SESSION_HASH_SIZE])
{
    if (!n->route || n->route->action != ACTION_LOGIN || !n->route->fields[FIELD_TOKEN].n)
        return false;
    struct span token = route_value(v, &n->route->fields[FIELD_TOKEN]);
    if (token.size)
        cred_hash(app->hasher, token, out);
    return token.size > 0;
}

/* A candidate is told whole at its transaction's end, or when the answer begins and then amended. */
enum telling { TELL_BEGUN, TELL_WHOLE, TELL_AMEND };

/* Hands out what is known: the candidate, sealed, and the facts behind it. */
static void tell(struct app *app, struct view *v, struct note *n, enum telling how)
{
    struct activity *a = &app->candidate;
    uint8_t token[SESSION_HASH_SIZE];
    struct cred_token says;
    cred_token(&n->cred, view_request(v), view_url(v)->query, &says);
    struct candidate_in in = {.view = v, .route = n->route, .cred = &n->cred, .says = &says, .forward = &n->forward,
                              .has_token = read_token(app, v, n, token), .token = token, .masked = &app->masked, .clean = app->clean,
                              .done_ns = latest(v->t), .seed = app->seed, .action = (enum action)n->action,
                              .is_begun = how == TELL_BEGUN};
    if (how == TELL_AMEND && in.done_ns <= n->told_ns)
        in.done_ns = n->told_ns + 1; /* both came with one packet: the order of records must still be theirs */
    in.file = how == TELL_BEGUN ? NULL : n->file[1] ? n->file[1] : n->file[0];
    if (!(how == TELL_AMEND ? candidate_amend(&in, n->told, a) : candidate_fill(&in, a)))
        return;
    activity_seal(a);
    app->counts[COUNT_BAD_TOKENS] += says.is_malformed && how != TELL_AMEND;
    app->counts[COUNT_UNSIGNED_TOKENS] += says.is_unsigned && how != TELL_AMEND;
    memcpy(n->told, a->id, sizeof n->told);
    n->told_ns = in.done_ns;
    bool fits = candidate_add_facts(a, extract_list(&n->x)) && add_requestor(v, n, a);
    if (n->has_link && how != TELL_AMEND)
        fits &= add_link(a, n->link);
    if (in.has_token && memcmp(token, a->new_session, sizeof token) != 0)
        fits &= add_link(a, token);
    app->counts[COUNT_FACTS_CUT] += !fits;
    app->counts[how == TELL_AMEND ? COUNT_AMENDS : COUNT_CANDIDATES]++;
    n->is_told = true;
    app->options.emit(app->options.ctx, a);
}

static bool is_session_act(uint8_t action)
{
    return action == ACTION_LOGIN || action == ACTION_LOGOUT || action == ACTION_MFA_CHALLENGE || action == ACTION_MFA_PASSED;
}

/* A session value that takes the place of another is told at once: the next request may carry it before this answer
 * ends. Not of logins and logouts, which decide about sessions themselves, before it is known that they failed. */
static void tell_rotation(struct app *app, struct view *v, struct note *n)
{
    bool is_next = n->set.is_successor || (n->set.state == COOKIE_FIRST && n->cred.has_remember);
    if (!app->options.on_fact || !is_next || n->set.is_removed)
        return;
    candidate_fact(&(struct candidate_in){.view = v, .cred = &n->cred, .forward = &n->forward, .done_ns = latest(v->t)},
                   &app->candidate);
    tell_fact(app, &app->candidate);
}

static void count_asset(struct app *app, struct view *v, const struct note *n)
{
    if (!app->options.on_fact || !n->cred.has_cookie || !candidate_is_asset(v))
        return;
    app->counts[COUNT_ASSETS]++;
    assets_add(app->assets, n->cred.cookie, &v->t->server, latest(v->t));
}

/* Whether what has come so far is reason enough to tell now: the answer that brings a file. */
static bool is_due(struct view *v, const struct note *n)
{
    if (!carries_file(action_of_note(n)))
        return false;
    for (uint8_t i = 0; n->route && i < n->route->n_outcomes; i++)
        if (n->route->outcomes[i].has | n->route->outcomes[i].lacks || n->route->outcomes[i].first_line >= 0)
            return false; /* the body says whether it is one */
    return route_outcome(v, n->route).outcome == OUTCOME_SUCCESS;
}

static void count_only(void *ctx, struct span bytes)
{
    (void)ctx;
    (void)bytes;
}

static void tap_response(struct app *app, struct view *v, struct note *n, struct body_tap *tap)
{
    uint8_t action = action_of_note(n);
    uint64_t slots = n->route && action != ACTION_NONE ? n->route->response_slots : 0;
    bool is_page = span_eq(view_media(v), SPAN("text/html"));
    if (is_page && n->route && action != ACTION_NONE && !carries_file(action))
        slots |= n->profile->signed_in_slots;
    extract_response(app->extractor, &n->x, n->profile, n->route, slots, view_response(v)->content_type, tap);
    struct span coding = view_response(v)->content_encoding;
    bool is_coded = coding.size && !span_eq_nocase(coding, SPAN("identity"));
    if (!tap->feed && is_coded && carries_file(action) && v->t->status == 200)
        *tap = (struct body_tap){.feed = count_only, .want_decoded = true}; /* for the file's own size */
    else if (tap->feed && is_coded && n->route && n->route->measure == MEASURE_FRAME)
        tap->limit = 0; /* the same: decoded to its end */
    if (carries_file(action) && !candidate_is_inline(v))
        n->file[1] = file_tap_response(app->files, v, n->route, tap);
}

static void on_response(void *ctx, struct transaction *t, struct body_tap *tap)
{
    struct app *app = ctx;
    struct arena arena;
    struct note *n = t->note;
    bool is_alone = !n && (t->flags & TXN_NO_REQUEST);
    if (!n && (!is_alone || !(n = note_take(app, t))))
        return;
    struct view *v = is_alone ? look(app, &arena, t, n) : look_again(app, &arena, n, true);
    if (is_alone)
        begin(app, v, n);
    follow_host(app, v, n);
    read_answer(app, v, n);
    decide(app, v, n);
    if (!is_session_act(action_of_note(n)))
        tell_rotation(app, v, n);
    tap_response(app, v, n, tap);
    if (is_due(v, n))
        tell(app, v, n, TELL_BEGUN);
}

/* For whoever writes profiles. */
static void count_unmapped(struct app *app, struct view *v, const struct note *n)
{
    const struct transaction *t = v->t;
    char ip[IPADDR_TEXT_MAX];
    if (!t->target.size)
        return;
    struct span host = t->host.size ? t->host : view_url(v)->host;
    struct unmapped_use use = {.profile = n->profile->name, .host = host.size ? host : span_text(ipaddr_text(&t->server.ip, ip)),
                               .method = t->method, .path = view_path_in(v, n->profile), .query = view_url(v)->query,
                               .time_ns = t->request_ns, .bytes = t->response_body.bytes,
                               .is_file = n->action == ACTION_DOWNLOAD, .is_refused = !t->status || t->status >= 400};
    if (n->cred.has_session)
        memcpy(&use.credential, n->cred.session, sizeof use.credential);
    unmapped_count(app->unmapped, &use);
}

static void count_end(struct app *app, struct view *v, const struct note *n)
{
    if (n->route) {
        app->counts[n->is_told ? COUNT_ROUTED : COUNT_SILENT]++;
        return;
    }
    app->counts[n->action == ACTION_DOWNLOAD ? COUNT_UNKNOWN_FILE : COUNT_UNKNOWN]++;
    count_unmapped(app, v, n);
}

static void say_route(struct app *app, const struct transaction *t, struct note *n)
{
    uint8_t action = action_of_note(n);
    struct app_route r = {.t = t, .profile = n->profile->name, .route = n->route ? n->route->name : SPAN(""),
                          .action = action == ACTION_NONE ? "none" : action_name((enum action)action),
                          .is_told = n->is_told};
    text_clear(&app->why);
    if (app->options.explain != APP_EXPLAIN_NOT)
        explain_write(&(struct explain_in){&n->view, app->hosts, n->route, r.action, n->is_told},
                      app->options.explain == APP_EXPLAIN_JSON, &app->why);
    r.why = text_span(&app->why);
    app->options.on_route(app->options.ctx, &r);
}

static void on_end(void *ctx, struct transaction *t)
{
    struct app *app = ctx;
    struct arena arena;
    struct note *n = t->note;
    app->counts[COUNT_TRANSACTIONS]++;
    if (n) {
        struct view *v = look_again(app, &arena, n, false);
        extract_request_end(app->extractor, &n->x);
        extract_response_end(&n->x);
        file_tap_end(n->file[0], &t->request_body);
        file_tap_end(n->file[1], &t->response_body);
        decide(app, v, n);
        if (action_of_note(n) != ACTION_NONE)
            route_captures(v, n->route);
        if (n->is_told)
            tell(app, v, n, TELL_AMEND);
        else if (action_of_note(n) != ACTION_NONE)
            tell(app, v, n, TELL_WHOLE);
        else
            count_asset(app, v, n);
        if (is_session_act(action_of_note(n)) && route_outcome(v, n->route).outcome == OUTCOME_FAILURE)
            tell_rotation(app, v, n);
        count_end(app, v, n);
    }
    if (app->options.on_route && n)
        say_route(app, t, n);
    if (app->options.on_transaction)
        app->options.on_transaction(app->options.ctx, t, n && n->forward.is_forwarded ? &n->forward.client : NULL);
    if (n) {
        extract_fini(app->extractor, &n->x);
        file_tap_free(app->files, n->file[0]);
        file_tap_free(app->files, n->file[1]);
        app_leave(app, n->generation);
        pool_give(app->notes, n);
        t->note = NULL;
    }
}

struct conn_hooks app_hooks(struct app *app)
{
    return (struct conn_hooks){app, on_request, on_response, on_end};
}

void app_tick(struct app *app)
{
    assets_flush(app->assets);
}

struct counters app_counters(const struct app *app)
{
    return (struct counters){counter_defs, app->counts, COUNTERS};
}

struct counters app_body_counters(const struct app *app)
{
    return extractor_counters(app->extractor);
}

struct counters app_file_counters(const struct app *app)
{
    return file_taps_counters(app->files);
}

struct counters app_content_counters(const struct app *app)
{
    return file_taps_reader_counters(app->files);
}

const struct unmapped *app_unmapped(const struct app *app)
{
    return app->unmapped;
}
