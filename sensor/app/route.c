/* SPDX-License-Identifier: Apache-2.0
 * Routing. */
#include "app/route.h"

#include "wire/cookie.h"
#include "wire/disposition.h"

void view_init(struct view *v, const struct transaction *t, struct arena *arena)
{
    static const struct cred_set unknown = {.state = COOKIE_NONE};
    v->t = t;
    v->profile = NULL;
    v->x = NULL;
    v->set = &unknown;
    v->arena = arena;
    v->captured = NULL;
    v->asked.query = span_of(NULL, 0);
    v->has_request = v->has_response = v->has_path = v->has_url = v->has_media = v->has_referer = v->has_location = false;
}

void view_again(struct view *v, struct arena *arena, bool is_answer)
{
    v->arena = arena;
    if (v->has_path && v->is_path_decoded) {
        v->has_path = false;
        v->captured = NULL;
    }
    if (is_answer && v->has_location)
        v->asked.query = span_of(NULL, 0); /* it may have been of an earlier answer's Location */
    if (is_answer)
        v->has_response = v->has_media = v->has_location = false;
}

const struct request_head *view_request(struct view *v)
{
    if (!v->has_request)
        head_request(&v->t->request_fields, &v->request);
    v->has_request = true;
    return &v->request;
}

const struct response_head *view_response(struct view *v)
{
    if (!v->has_response)
        head_response(&v->t->response_fields, &v->response);
    v->has_response = true;
    return &v->response;
}

/* Rack, Laravel, Symfony and ServiceNow let a POST mean another method; others do not. So it may be either. */
uint8_t view_methods(struct view *v)
{
    uint8_t bit = method_bit(v->t->method);
    if (bit != METHOD_POST || !view_request(v)->method.size)
        return bit;
    struct span said = span_trim(view_request(v)->method);
    uint8_t upper[8];
    if (said.size > sizeof upper)
        return bit;
    for (size_t i = 0; i < said.size; i++)
        upper[i] = said.at[i] >= 'a' && said.at[i] <= 'z' ? (uint8_t)(said.at[i] & ~0x20) : said.at[i];
    uint8_t meant = method_bit(span_of(upper, said.size));
    return meant == METHOD_OTHER ? bit : bit | meant;
}

const struct url *view_url(struct view *v)
{
    struct span target = v->t->target;
    while (!v->has_url && target.size > 1 && target.at[0] == '/' && target.at[1] == '/')
        target = span_from(target, 1); /* a target that begins with a slash is a path (RFC 9112, 3.2.1), and names no host */
    if (!v->has_url)
        url_split(target, &v->url);
    v->has_url = true;
    return &v->url;
}

const struct path *view_path(struct view *v)
{
    if (!v->has_path) {
        size_t used = v->arena->used;
        path_split(view_url(v)->path, v->arena, &v->path);
        v->is_path_decoded = v->arena->used != used;
    }
    v->has_path = true;
    return &v->path;
}

struct span view_last_segment(struct view *v)
{
    const struct path *path = view_path(v);
    return path->n ? path->segment[path->n - 1] : span_of(NULL, 0);
}

const struct path *view_path_in(struct view *v, const struct profile *profile)
{
    (void)view_path(v);
    v->path.first = profile_mount(profile, &v->path);
    return &v->path;
}

struct span view_media(struct view *v)
{
    if (!v->has_media)
        v->media = head_media(view_response(v)->content_type, v->media_text);
    v->has_media = true;
    return v->media;
}

static const struct url *split(struct span text, struct url *out, bool *has)
{
    if (!*has)
        *out = (struct url){.port = 0};
    if (!*has && text.size)
        url_split(text, out);
    *has = true;
    return out;
}

const struct url *view_referer(struct view *v)
{
    return split(view_request(v)->referer, &v->referer, &v->has_referer);
}

const struct url *view_location(struct view *v)
{
    return split(view_response(v)->location, &v->location, &v->has_location);
}

/* A route's test and a field of it often ask for the same: the last answer is kept, but for one in the arena of a hook. */
static struct span argument_again(struct view *v, struct span query, struct span name)
{
    struct span value;
    if (v->asked.query.at == query.at && v->asked.query.size == query.size && span_eq(v->asked.name, name))
        return v->asked.value;
    size_t used = v->arena->used;
    if (!url_arg(query, name, v->arena, &value))
        value = span_of(NULL, 0);
    if (v->arena->used == used && !v->arena->is_full)
        v->asked = (struct view_argument){query, name, value};
    return value;
}

static struct span argument(struct view *v, struct span query, struct span name)
{
    struct span value, part;
    if (query.size && !v->profile->is_semicolon)
        return argument_again(v, query, name);
    while (query.size && span_split(&query, ';', &part))
        if (part.size && url_arg(part, name, v->arena, &value))
            return value;
    return span_of(NULL, 0);
}

/* The first value of an argument that is not 'value'; at == NULL when all are. */
static struct span argument_other(struct view *v, struct span query, struct span name, struct span value)
{
    struct span raw_name, raw_value, part, pairs;
    while (query.size) {
        part = query;
        if (v->profile->is_semicolon)
            (void)span_split(&query, ';', &part);
        else
            query = span_of(NULL, 0);
        for (pairs = part; url_next_pair(&pairs, &raw_name, &raw_value);) {
            if (!url_decodes_to(raw_name, true, name) || url_decodes_to(raw_value, true, value))
                continue;
            struct span other = url_decode(raw_value, true, v->arena);
            return other.at ? other : SPAN("");
        }
    }
    return span_of(NULL, 0);
}

static struct span cookie_value(struct view *v, struct span wanted)
{
    const struct request_head *head = view_request(v);
    for (uint8_t i = 0; i < head->n_cookies; i++) {
        struct span rest = head->cookies[i], name, value;
        while (cookie_next(&rest, &name, &value))
            if (glob_match(wanted, name, false))
                return value;
    }
    return span_of(NULL, 0);
}

static struct span path_capture(struct view *v, const struct url *url, const struct source *s)
{
    struct path path;
    struct captures captures;
    if (!url->path.at)
        return span_of(NULL, 0);
    path_split(url->path, v->arena, &path);
    path.first = profile_mount(v->profile, &path);
    return template_match(s->template, &path, &captures) ? captures.value[s->slot] : span_of(NULL, 0);
}

static struct span disposition_name(struct view *v)
{
    struct disposition d;
    if (!view_response(v)->disposition.size)
        return span_of(NULL, 0);
    disposition_parse(view_response(v)->disposition, v->arena, &d);
    return d.filename;
}

static struct span source_raw(struct view *v, const struct source *s)
{
    switch (s->kind) {
    case SOURCE_PATH:
        return v->captures.value[s->slot];
    case SOURCE_QUERY:
        return argument(v, view_url(v)->query, s->name);
    case SOURCE_COOKIE:
        return cookie_value(v, s->name);
    case SOURCE_HEADER:
        return fields_get(&v->t->request_fields, s->name);
    case SOURCE_RESPONSE_HEADER:
        return fields_get(&v->t->response_fields, s->name);
    case SOURCE_REFERER:
        return path_capture(v, view_referer(v), s);
    case SOURCE_REFERER_QUERY:
        return argument(v, view_referer(v)->query, s->name);
    case SOURCE_LOCATION:
        return path_capture(v, view_location(v), s);
    case SOURCE_LOCATION_QUERY:
        return argument(v, view_location(v)->query, s->name);
    case SOURCE_DISPOSITION:
        return disposition_name(v);
    case SOURCE_VALUE:
        return s->name;
    case SOURCE_SLOT:
        return v->x ? extract_value(v->x, (unsigned)s->slot) : span_of(NULL, 0);
    default:
        return span_of(NULL, 0);
    }
}

static struct span source_value(struct view *v, const struct source *s)
{
    struct span value = source_raw(v, s);
    if (s->as && value.at)
        value = pattern_take(s->as, value, s->take);
    for (uint8_t i = 0; i < s->n_except; i++)
        if (glob_match(s->except[i], value, true))
            return span_of(NULL, 0);
    return value.size ? value : span_of(NULL, 0);
}

struct span route_value(struct view *v, const struct sources *sources)
{
    for (uint8_t i = 0; i < sources->n; i++) {
        struct span value = source_value(v, &sources->list[i]);
        if (value.at)
            return value;
    }
    return span_of(NULL, 0);
}

struct span route_other(struct view *v, const struct sources *sources)
{
    for (uint8_t i = 0; i < sources->n; i++) {
        const struct source *s = &sources->list[i];
        if (!source_value(v, s).at)
            continue;
        if (s->kind != SOURCE_QUERY)
            return span_of(NULL, 0);
        struct span query = view_url(v)->query, other = argument_other(v, query, s->name, argument(v, query, s->name));
        return s->as && other.at ? pattern_take(s->as, other, s->take) : other;
    }
    return span_of(NULL, 0);
}

bool route_is_twice(struct view *v, const struct sources *sources)
{
    for (uint8_t i = 0; i < sources->n; i++) {
        const struct found *f = sources->list[i].kind == SOURCE_SLOT && v->x ? extract_found(v->x, sources->list[i].slot) : NULL;
        if (f && f->is_there && f->size)
            return f->is_twice;
    }
    return route_other(v, sources).at != NULL;
}

enum cred_kind route_login_kind(struct view *v, const struct sources *sources)
{
    for (uint8_t i = 0; i < sources->n; i++) {
        const struct source *s = &sources->list[i];
        if (!source_value(v, s).at)
            continue;
        unsigned kind = s->kind == SOURCE_SLOT ? v->profile->slots[s->slot].kind : SLOT_KINDS;
        return kind == SLOT_REQUEST_JSON || kind == SLOT_JSON ? CRED_JSON : kind == SLOT_SAML ? CRED_SAML : kind == SLOT_ID_TOKEN ? CRED_OIDC : CRED_FORM;
    }
    return CRED_FORM;
}

static bool any_glob(const struct test *test, struct span value)
{
    for (uint8_t i = 0; i < test->n_globs; i++)
        if (glob_match(test->globs[i], value, false))
            return true;
    return false;
}

bool route_test_holds(struct view *v, const struct test *test)
{
    const struct source *s = &test->source;
    if (s->kind == SOURCE_SLOT && (test->kind == TEST_FILLED || test->kind == TEST_EMPTY)) {
        const struct found *f = v->x ? extract_found(v->x, (unsigned)s->slot) : NULL;
        bool is_secret = v->profile->slots[s->slot].is_secret;
        bool is_filled = f && f->is_there && (is_secret ? f->number > 0 : f->size > 0 || f->is_long);
        return is_filled == (test->kind == TEST_FILLED);
    }
    struct span value = source_value(v, s);
    switch (test->kind) {
    case TEST_FILLED:
        return value.at != NULL;
    case TEST_EMPTY:
        return value.at == NULL;
    case TEST_MATCHES:
        return value.at && any_glob(test, value);
    default:
        return !value.at || !any_glob(test, value);
    }
}

void route_candidates(struct view *v, struct route_choice *out)
{
    uint8_t method = view_methods(v);
    const struct profile *p = v->profile;
    const struct path *path = view_path_in(v, p);
    const struct route_bucket *bucket = profile_bucket(p, path->n ? path->segment[path->first] : SPAN(""));
    *out = (struct route_choice){.n = 0};
    v->captured = NULL;
    for (uint16_t i = 0; i < bucket->n && out->n < ROUTE_CANDIDATES; i++) {
        const struct route *r = &p->routes[bucket->routes[i]];
        if (!(r->methods & method) || !template_match(&r->path, path, &v->captures))
            continue;
        bool fits = true;
        for (uint8_t k = 0; k < r->n_tests && fits; k++)
            fits = source_is_late(&r->tests[k].source) || route_test_holds(v, &r->tests[k]);
        if (!fits)
            continue;
        out->list[out->n++] = bucket->routes[i];
        out->request_slots |= r->request_slots;
        if (!r->is_late)
            break;
    }
}

const struct route *route_decide(struct view *v, const struct route_choice *choice)
{
    v->captured = NULL;
    for (uint8_t i = 0; i < choice->n; i++) {
        const struct route *r = &v->profile->routes[choice->list[i]];
        if (!template_match(&r->path, view_path_in(v, v->profile), &v->captures))
            continue;
        bool fits = !r->n_status || status_in(r->status, r->n_status, v->t->status);
        if (fits && r->type.size)
            fits = glob_match(r->type, view_media(v), true);
        for (uint8_t k = 0; k < r->n_tests && fits; k++)
            fits = !source_is_late(&r->tests[k].source) || route_test_holds(v, &r->tests[k]);
        if (fits) {
            v->captured = r;
            return r;
        }
    }
    return NULL;
}

static bool is_there(const struct view *v, unsigned slot)
{
    const struct found *f = v->x ? extract_found(v->x, slot) : NULL;
    return f && f->is_there && (!v->profile->slots[slot].is_secret || f->number > 0);
}

static bool any_there(const struct view *v, uint64_t slots)
{
    for (; slots; slots &= slots - 1)
        if (is_there(v, (unsigned)__builtin_ctzll(slots)))
            return true;
    return false;
}

static bool rule_holds(struct view *v, const struct outcome_rule *r)
{
    if (r->n_status && !status_in(r->status, r->n_status, v->t->status))
        return false;
    if (r->cookie != COOKIE_ANY && r->cookie != v->set->state)
        return false;
    if (r->has && !any_there(v, r->has))
        return false;
    if (r->lacks && any_there(v, r->lacks))
        return false;
    if (r->first_line >= 0 &&
        !(v->x && glob_match(r->line_glob, extract_value(v->x, (unsigned)r->first_line), false)))
        return false;
    if (r->location.size && !glob_match(r->location, view_response(v)->location, false))
        return false;
    if (r->location_not.size && glob_match(r->location_not, view_response(v)->location, false))
        return false;
    return !r->type.size || glob_match(r->type, view_media(v), true);
}

static bool is_login_page(struct view *v)
{
    struct path path;
    struct captures captures;
    if (!v->profile->n_login_pages || !view_location(v)->path.at)
        return false;
    path_split(view_location(v)->path, v->arena, &path);
    path.first = profile_mount(v->profile, &path);
    for (uint8_t i = 0; i < v->profile->n_login_pages; i++)
        if (template_match(&v->profile->login_pages[i], &path, &captures))
            return true;
    return false;
}

int route_outcome_line(struct view *v, const struct route *route)
{
    for (uint8_t i = 0; route && i < route->n_outcomes; i++)
        if (rule_holds(v, &route->outcomes[i]))
            return i;
    return -1;
}

struct route_result route_outcome(struct view *v, const struct route *route)
{
    uint16_t status = v->t->status;
    int line = route_outcome_line(v, route);
    if (line >= 0) {
        enum outcome outcome = (enum outcome)route->outcomes[line].outcome;
        return (struct route_result){outcome, outcome == OUTCOME_FAILURE && route->action != ACTION_LOGIN};
    }
    if (status == 0)
        return (struct route_result){OUTCOME_UNKNOWN, false};
    if (status >= 400)
        return (struct route_result){OUTCOME_FAILURE, status == 401 || status == 403 || status == 404 || status == 410};
    if (status >= 300 && status != 304 && !(route && route->action == ACTION_LOGOUT) && is_login_page(v))
        return (struct route_result){OUTCOME_FAILURE, true};
    return (struct route_result){OUTCOME_SUCCESS, false};
}

void route_captures(struct view *v, const struct route *route)
{
    if (route && v->captured == route)
        return;
    v->captured = route;
    if (!route || !template_match(&route->path, view_path_in(v, v->profile), &v->captures))
        memset(&v->captures, 0, sizeof v->captures);
}
