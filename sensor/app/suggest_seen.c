/* SPDX-License-Identifier: Apache-2.0
 * Collecting what a draft is made of: one look at each transaction, when it has ended. */
#include "app/suggest_seen.h"

#include "app/candidate.h"
#include "app/route.h"
#include "base/hash.h"
#include "base/pool.h"
#include "wire/auth.h"
#include "wire/cookie.h"
#include "wire/disposition.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define MAX_NOTES 4096u
#define SECRET_MIN 12 /* bytes of a value that may be a session, a key, a signature */

struct note { /* the beginning of a request's body */
    size_t used;
    uint8_t body[SEEN_BODY];
};

/* One transaction while it is looked at. */
struct sight {
    struct suggest *s;
    const struct transaction *t;
    struct view *v;
    struct body_names names;
    uint64_t cred;      /* hash of what acts; 0: nothing was shown */
    bool has_key, gives_session, takes_session, is_ok;
    uint8_t host;
};

struct suggest *suggest_new(void)
{
    struct suggest *s = calloc(1, sizeof *s);
    if (s && !(s->notes = pool_new(sizeof(struct note), MAX_NOTES))) {
        free(s);
        return NULL;
    }
    return s;
}

void suggest_free(struct suggest *s)
{
    if (!s)
        return;
    pool_free(s->notes);
    free(s);
}

static uint8_t host_take(struct suggest *s, const struct transaction *t, struct span host)
{
    char name[sizeof s->hosts[0].name], ip[IPADDR_TEXT_MAX];
    if (!host.size)
        host = span_text(ipaddr_text(&t->server.ip, ip));
    size_t n = host.size < sizeof name ? host.size : sizeof name - 1;
    for (size_t i = 0; i < n; i++) {
        uint8_t c = host.at[i];
        name[i] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c > ' ' && c < 0x7f && c != '\'' && c != '*' ? c : '?');
    }
    name[n] = 0;
    for (uint8_t i = 0; i < s->n_hosts; i++)
        if (strcmp(s->hosts[i].name, name) == 0)
            return i;
    if (s->n_hosts == SEEN_HOSTS)
        return SEEN_HOSTS;
    memcpy(s->hosts[s->n_hosts].name, name, n + 1);
    return (uint8_t)s->n_hosts++;
}

/* "RT_SID_*" of "RT_SID_desk.example.80": what stands behind the last _ or - in front of a digit or dot varies. */
static bool cookie_glob(struct span name, char out[SEEN_NAME])
{
    size_t at = 0, cut = 0, mark = 0;
    while (at < name.size && !cut) {
        uint8_t c = name.at[at++];
        if (c == '_' || c == '-')
            mark = at;
        else if ((c == '.' || (c >= '0' && c <= '9')) && mark > 2)
            cut = mark;
    }
    if (!suggest_name(cut ? span_sub(name, 0, cut) : name, out) || cut + 1 >= SEEN_NAME)
        return false;
    if (cut)
        memcpy(out + cut, "*", 2);
    return true;
}

static struct seen_cookie *cookie_take(struct sight *k, struct span name)
{
    char glob[SEEN_NAME];
    struct suggest *s = k->s;
    if (!cookie_glob(name, glob))
        return NULL;
    for (uint32_t i = 0; i < s->n_cookies; i++)
        if (s->cookies[i].host == k->host && strcmp(s->cookies[i].name, glob) == 0)
            return &s->cookies[i];
    if (s->n_cookies == SEEN_COOKIES) {
        s->no_room++;
        return NULL;
    }
    struct seen_cookie *c = &s->cookies[s->n_cookies++];
    *c = (struct seen_cookie){.host = k->host, .least = SIZE_MAX};
    memcpy(c->name, glob, sizeof glob);
    return c;
}

bool suggest_is_session(const struct seen_cookie *c)
{
    struct span name = span_text(c->name);
    if (c->least < SECRET_MIN || suggest_has(name, (const char *const[]){"csrf", "xsrf", NULL}))
        return false;
    if (!c->echoed && c->set)
        return false;
    return c->is_hidden || suggest_has(name, (const char *const[]){"sess", "sid", "auth", "token", "login", "remember", NULL});
}

static bool may_be_session(const struct seen_cookie *c, struct span value)
{
    return value.size >= SECRET_MIN && !suggest_has(span_text(c->name), (const char *const[]){"csrf", "xsrf", NULL});
}

static void see_cookie(struct sight *k, struct span name, struct span value)
{
    struct seen_cookie *c = cookie_take(k, name);
    if (!c)
        return;
    uint64_t hash = hash64(value, 0);
    c->sent++;
    c->least = value.size < c->least ? value.size : c->least;
    for (uint32_t i = 0; i < SEEN_VALUES && i < c->n_values; i++)
        if (c->value[i] == hash) {
            c->echoed++;
            break;
        }
    if (suggest_is_session(c))
        k->cred = hash;
}

static void see_cookies(struct sight *k)
{
    const struct request_head *head = view_request(k->v);
    for (uint8_t i = 0; i < head->n_cookies; i++) {
        struct span rest = head->cookies[i], name, value;
        while (cookie_next(&rest, &name, &value))
            see_cookie(k, name, value);
    }
}

/* Whether the request carried this cookie with this value. */
static bool is_same(const struct sight *k, const struct cookie_set *set)
{
    const struct request_head *head = view_request(k->v);
    for (uint8_t i = 0; i < head->n_cookies; i++) {
        struct span rest = head->cookies[i], name, value;
        while (cookie_next(&rest, &name, &value))
            if (span_eq(name, set->name) && span_eq(value, set->value))
                return true;
    }
    return false;
}

static void see_set_cookies(struct sight *k)
{
    const struct response_head *head = view_response(k->v);
    for (uint8_t i = 0; i < head->n_cookies; i++) {
        struct cookie_set set;
        struct seen_cookie *c = cookie_set_parse(head->cookies[i], &set) ? cookie_take(k, set.name) : NULL;
        if (!c)
            continue;
        if (cookie_set_is_removal(&set, k->t->response_ns / 1000000000u)) {
            c->removed++;
            k->takes_session |= c->sent && suggest_is_session(c);
            continue;
        }
        c->set++;
        c->is_hidden |= set.is_http_only;
        c->least = set.value.size < c->least ? set.value.size : c->least;
        if (is_same(k, &set))
            continue;
        c->value[c->n_values++ % SEEN_VALUES] = hash64(set.value, 0);
        k->gives_session |= may_be_session(c, set.value);
    }
}

static void see_key(struct sight *k, enum key_kind kind, struct span name, struct span value)
{
    struct suggest *s = k->s;
    char shown[SEEN_NAME];
    uint32_t i = 0;
    if (!suggest_name(name, shown))
        return;
    while (i < s->n_keys && (s->keys[i].host != k->host || s->keys[i].kind != kind || strcasecmp(s->keys[i].name, shown) != 0))
        i++;
    if (i == SEEN_KEYS) {
        s->no_room++;
        return;
    }
    if (i == s->n_keys) {
        s->keys[s->n_keys++] = (struct seen_key){.host = k->host, .kind = (uint8_t)kind};
        memcpy(s->keys[i].name, shown, sizeof shown);
    }
    size_t dot = span_find_byte(value, '.', 0);
    s->keys[i].sent++;
    s->keys[i].jwt += span_starts(value, SPAN("eyJ")) && dot != SIZE_MAX && span_find_byte(value, '.', dot + 1) != SIZE_MAX;
    k->cred = hash64(value, 0);
    k->has_key = true;
}

static void see_keys(struct sight *k)
{
    struct auth auth;
    if (auth_split(view_request(k->v)->authorization, &auth) && auth.name.size)
        see_key(k, KEY_SCHEME, auth.name, auth.credentials);
    for (uint16_t i = 0; i < k->t->request_fields.n; i++) {
        const struct field *f = &k->t->request_fields.list[i];
        if (f->value.size >= SECRET_MIN &&
            suggest_has(f->name, (const char *const[]){"api-key", "apikey", "auth-token", "access-token", "private-token", NULL}))
            see_key(k, KEY_HEADER, f->name, f->value);
    }
    struct span rest = view_url(k->v)->query, name, value;
    while (url_next_pair(&rest, &name, &value)) {
        if (value.size < SECRET_MIN)
            continue;
        bool is_link = suggest_has(name, (const char *const[]){"signature", NULL}) || span_eq_nocase(name, SPAN("sig"));
        bool is_key = suggest_has(name, (const char *const[]){"api_key", "apikey", "access_token", NULL}) ||
                      span_eq_nocase(name, SPAN("token"));
        if (is_link || is_key)
            see_key(k, is_link ? KEY_LINK : KEY_QUERY, name, value);
    }
}

/* Of "?Action=AgentTicketZoom&TicketID" what says what is done: "Action=AgentTicketZoom". */
static void verbs_of(const struct folded *f, char *out)
{
    struct span last = f->n ? span_of(f->text[f->n - 1], f->size[f->n - 1]) : SPAN(""), part; /* may be empty: "/a/" */
    struct span rest = span_starts(last, SPAN("?")) ? span_from(last, 1) : SPAN("");
    size_t used = 0;
    while (rest.size && span_split(&rest, '&', &part)) {
        size_t equals = span_find_byte(part, '=', 0);
        if (equals == SIZE_MAX || equals + 1 == part.size)
            continue;
        if (used)
            out[used++] = '&';
        memcpy(out + used, part.at, part.size);
        used += part.size;
    }
    out[used] = 0;
}

/* Behind an id a name with a dot in it is a file's; so is whatever fold.c takes for one. */
static void fold_file(struct folded *f)
{
    uint8_t last = (uint8_t)(f->n - 1);
    if (!f->n || f->is_free[last])
        return;
    struct span text = span_of(f->text[last], f->size[last]);
    bool is_behind_id = last && f->is_free[last - 1] && span_find_byte(text, '.', 0) != SIZE_MAX;
    if (!is_behind_id && span_find(text, SPAN("{file}"), 0) == SIZE_MAX)
        return;
    memcpy(f->text[last], "{file}", 6);
    f->size[last] = 6;
    f->is_free[last] = true;
}

static bool is_same_path(const struct folded *a, const struct folded *b)
{
    if (a->n != b->n)
        return false;
    for (uint8_t i = 0; i < a->n; i++)
        if (a->size[i] != b->size[i] || memcmp(a->text[i], b->text[i], a->size[i]) != 0)
            return false;
    return true;
}

static struct seen_route *route_take(struct sight *k, struct span method, struct span path, struct span query, bool is_file)
{
    struct suggest *s = k->s;
    struct path parts;
    struct folded f, with_query;
    char verbs[sizeof s->routes[0].verbs];
    path_split(path, k->v->arena, &parts);
    parts.first = 0;
    fold_target(&parts, query, &with_query);
    verbs_of(&with_query, verbs);
    fold_target(&parts, SPAN(""), &f);
    if (is_file)
        fold_file(&f);
    for (uint32_t i = 0; i < s->n_routes; i++) {
        struct seen_route *r = &s->routes[i];
        if (r->host == k->host && span_eq(span_text(r->method), method) && strcmp(r->verbs, verbs) == 0 &&
            is_same_path(&r->folded, &f))
            return r;
    }
    if (s->n_routes == SEEN_ROUTES) {
        s->no_room++;
        return NULL;
    }
    struct seen_route *r = &s->routes[s->n_routes++];
    *r = (struct seen_route){.host = k->host, .folded = f};
    memcpy(r->verbs, verbs, sizeof verbs);
    snprintf(r->method, sizeof r->method, "%.*s", (int)method.size, (const char *)method.at);
    return r;
}

static bool is_id(struct span value)
{
    char out[FOLD_SEGMENT + 8];
    bool is_free = false;
    return value.size && (fold_segment(value, SPAN(""), out, &is_free), is_free);
}

static void see_args(struct seen_route *r, struct span query, bool is_referer)
{
    struct span name, value;
    while (url_next_pair(&query, &name, &value)) {
        char shown[SEEN_NAME];
        uint8_t i = 0;
        if (!suggest_name(name, shown))
            continue;
        while (i < r->n_args && strcmp(r->args[i].name, shown) != 0)
            i++;
        if (i == SEEN_ARGS)
            return;
        if (i == r->n_args)
            memcpy(r->args[r->n_args++].name, shown, sizeof shown);
        *(is_referer ? &r->args[i].referred : &r->args[i].times) += is_referer ? is_id(value) : 1;
        r->args[i].ids += !is_referer && is_id(value);
    }
}

bool suggest_is_login_path(struct span path)
{
    return !suggest_has(path, (const char *const[]){"logout", NULL}) &&
           suggest_has(path, (const char *const[]){"login", "logon", "signin", "sign_in", "sign-in", NULL});
}

/* Where the answer leads to; whether that is a login page. */
static bool see_redirect(struct sight *k)
{
    struct suggest *s = k->s;
    struct folded f;
    struct path parts;
    char text[FOLD_TEXT];
    struct span path = view_location(k->v)->path;
    if (k->t->status < 301 || k->t->status > 308 || !path.size)
        return false;
    path_split(path, k->v->arena, &parts);
    parts.first = 0;
    fold_target(&parts, SPAN(""), &f);
    struct span shown = span_of(text, fold_write(&f, text));
    if (span_find_byte(shown, '{', 0) == SIZE_MAX && shown.size < sizeof text) {
        uint32_t i = 0;
        text[shown.size] = 0;
        while (i < s->n_targets && (s->targets[i].host != k->host || strcmp(s->targets[i].path, text) != 0))
            i++;
        if (i == s->n_targets && i < SEEN_TARGETS)
            memcpy(s->targets[s->n_targets++].path, text, shown.size + 1), s->targets[i].host = k->host;
        if (i < s->n_targets)
            s->targets[i].times++;
    }
    return suggest_is_login_path(shown);
}

static void see_login(struct sight *k, struct seen_route *r, bool is_back)
{
    struct seen_login *l = &r->login;
    bool is_page = k->is_ok && k->t->status < 300;
    if (*k->names.new_pass) {
        r->changes++;
        memcpy(r->new_pass, k->names.new_pass, sizeof r->new_pass);
        return;
    }
    r->saml += k->names.has_saml;
    r->id_token += k->names.has_id_token;
    if (!*k->names.pass || !*k->names.user)
        return;
    memcpy(l->user, k->names.user, sizeof l->user);
    memcpy(l->pass, k->names.pass, sizeof l->pass);
    l->is_json = k->names.is_json;
    l->tries++;
    l->refused += !k->is_ok;
    l->back += is_back;
    l->redirected += k->is_ok && !is_page && !is_back;
    l->pages += is_page;
    l->with_cookie += k->gives_session && k->is_ok && !is_back;
    l->page_with_cookie += k->gives_session && is_page;
}

static void see_file(struct sight *k, struct seen_route *r)
{
    uint64_t bytes = k->t->response_body.bytes;
    const struct url *from = view_referer(k->v);
    r->files++;
    r->whole += view_response(k->v)->disposition.size > 0;
    r->largest = bytes > r->largest ? bytes : r->largest;
    k->s->hosts[k->host].files++;
    if (!from->path.size || (from->host.size && !span_eq_nocase(from->host, span_text(k->s->hosts[k->host].name))))
        return;
    struct seen_route *page = route_take(k, SPAN("GET"), from->path, from->query, false);
    if (page && page != r) {
        page->referred++;
        see_args(page, from->query, true);
    }
}

static void see_route(struct sight *k)
{
    struct view *v = k->v;
    bool is_file = candidate_is_file(v), is_back = see_redirect(k);
    bool tells = *k->names.pass || k->names.has_saml || k->names.has_id_token;
    if ((!k->is_ok && !tells) || (!is_file && candidate_is_asset(v)))
        return;
    struct seen_route *r = route_take(k, k->t->method, view_url(v)->path, view_url(v)->query, is_file);
    if (!r)
        return;
    struct span media = view_media(v);
    bool is_page = k->t->status == 200;
    r->requests++;
    r->ok += k->is_ok && !is_back;
    r->refused += !k->is_ok || is_back;
    r->pages += is_page && !is_file && span_eq(media, SPAN("text/html"));
    r->json += is_page && !is_file && span_find(media, SPAN("json"), 0) != SIZE_MAX;
    r->bytes += k->t->response_body.bytes;
    r->by_key += k->has_key;
    r->removed += k->takes_session;
    if (k->cred)
        r->creds[k->cred / 64 % 4] |= 1ull << k->cred % 64;
    if (*k->names.upload) {
        r->uploads++;
        memcpy(r->upload, k->names.upload, sizeof r->upload);
    }
    see_args(r, view_url(v)->query, false);
    see_login(k, r, is_back);
    if (is_file)
        see_file(k, r);
}

static void see(struct suggest *s, const struct transaction *t, const struct note *note)
{
    struct arena arena;
    struct view v;
    struct sight k = {.s = s, .t = t, .v = &v, .is_ok = t->status && t->status < 400};
    arena_init(&arena, s->scratch, sizeof s->scratch);
    view_init(&v, t, &arena);
    k.host = host_take(s, t, t->host.size ? t->host : view_url(&v)->host);
    if (k.host == SEEN_HOSTS) {
        s->no_room++;
        return;
    }
    s->hosts[k.host].requests++;
    s->hosts[k.host].refused += !k.is_ok;
    if (note && note->used)
        suggest_body(view_request(&v)->content_type, span_of(note->body, note->used), &k.names);
    see_cookies(&k);
    see_keys(&k);
    see_set_cookies(&k);
    see_route(&k);
}

static void on_body(void *ctx, struct span bytes)
{
    struct note *n = ctx;
    struct span fits = span_sub(bytes, 0, sizeof n->body - n->used);
    memcpy(n->body + n->used, fits.at, fits.size);
    n->used += fits.size;
}

static void on_request(void *ctx, struct transaction *t, struct body_tap *tap)
{
    struct suggest *s = ctx;
    bool has_body = span_eq(t->method, SPAN("POST")) || span_eq(t->method, SPAN("PUT"));
    struct note *n = has_body ? pool_take(s->notes) : NULL;
    t->note = n;
    if (!n)
        return;
    n->used = 0;
    *tap = (struct body_tap){.feed = on_body, .ctx = n, .limit = SEEN_BODY, .want_decoded = true};
}

static void on_response(void *ctx, struct transaction *t, struct body_tap *tap)
{
    (void)ctx;
    (void)t;
    (void)tap;
}

static void on_end(void *ctx, struct transaction *t)
{
    struct suggest *s = ctx;
    struct note *n = t->note;
    if (t->target.size && t->target.at[0] == '/')
        see(s, t, n);
    if (n) {
        explicit_bzero(n->body, n->used); /* passwords */
        pool_give(s->notes, n);
        t->note = NULL;
    }
}

struct conn_hooks suggest_hooks(struct suggest *s)
{
    return (struct conn_hooks){s, on_request, on_response, on_end};
}
