/* SPDX-License-Identifier: Apache-2.0
 * Routing. */
#include "app/route.h"

#include "wire/cookie.h"
#include "wire/disposition.h"

void view_request(struct view *v, const struct transaction *t, struct arena *arena)
{
    v->t = t;
    v->arena = arena;
    head_request(&t->request_fields, &v->request);
    url_split(t->target, &v->url);
    path_split(v->url.path, arena, &v->path);
    v->has_referer = v->request.referer.size > 0;
    if (v->has_referer)
        url_split(v->request.referer, &v->referer);
}

void view_response(struct view *v)
{
    head_response(&v->t->response_fields, &v->response);
    content_type_parse(v->response.content_type, &v->type);
    v->has_location = v->response.location.size > 0;
    if (v->has_location)
        url_split(v->response.location, &v->location);
}

static struct span argument(struct view *v, struct span query, struct span name)
{
    struct span value;
    return query.size && url_arg(query, name, v->arena, &value) ? value : span_of(NULL, 0);
}

static struct span cookie_value(const struct view *v, struct span wanted)
{
    for (uint8_t i = 0; i < v->request.n_cookies; i++) {
        struct span rest = v->request.cookies[i], name, value;
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
    path_split(url->path, v->arena, &path);
    return template_match(s->template, &path, &captures) ? captures.value[s->slot] : span_of(NULL, 0);
}

static struct span disposition_name(struct view *v)
{
    struct disposition d;
    if (!v->response.disposition.size)
        return span_of(NULL, 0);
    disposition_parse(v->response.disposition, v->arena, &d);
    return d.filename;
}

static struct span source_raw(struct view *v, const struct source *s)
{
    switch (s->kind) {
    case SOURCE_PATH:
        return v->captures.value[s->slot];
    case SOURCE_QUERY:
        return argument(v, v->url.query, s->name);
    case SOURCE_COOKIE:
        return cookie_value(v, s->name);
    case SOURCE_HEADER:
        return fields_get(&v->t->request_fields, s->name);
    case SOURCE_RESPONSE_HEADER:
        return fields_get(&v->t->response_fields, s->name);
    case SOURCE_REFERER:
        return v->has_referer ? path_capture(v, &v->referer, s) : span_of(NULL, 0);
    case SOURCE_REFERER_QUERY:
        return v->has_referer ? argument(v, v->referer.query, s->name) : span_of(NULL, 0);
    case SOURCE_LOCATION:
        return v->has_location ? path_capture(v, &v->location, s) : span_of(NULL, 0);
    case SOURCE_LOCATION_QUERY:
        return v->has_location ? argument(v, v->location.query, s->name) : span_of(NULL, 0);
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

enum cred_kind route_login_kind(struct view *v, const struct sources *sources)
{
    for (uint8_t i = 0; i < sources->n; i++) {
        const struct source *s = &sources->list[i];
        if (!source_value(v, s).at)
            continue;
        unsigned kind = s->kind == SOURCE_SLOT ? v->profile->slots[s->slot].kind : SLOT_KINDS;
        return kind == SLOT_REQUEST_JSON || kind == SLOT_JSON ? CRED_JSON : kind == SLOT_SAML ? CRED_SAML : CRED_FORM;
    }
    return CRED_FORM;
}

static bool test_holds(struct view *v, const struct test *test)
{
    const struct source *s = &test->source;
    if (s->kind == SOURCE_SLOT && (test->kind == TEST_FILLED || test->kind == TEST_EMPTY)) {
        const struct found *f = v->x ? extract_found(v->x, (unsigned)s->slot) : NULL;
        bool is_secret = v->profile->slots[s->slot].is_secret;
        bool is_filled = f && f->is_there && (is_secret ? f->number > 0 : f->size > 0);
        return is_filled == (test->kind == TEST_FILLED);
    }
    struct span value = source_value(v, s);
    switch (test->kind) {
    case TEST_FILLED:
        return value.at != NULL;
    case TEST_EMPTY:
        return value.at == NULL;
    case TEST_MATCHES:
        return value.at && glob_match(test->glob, value, false);
    default:
        return !value.at || !glob_match(test->glob, value, false);
    }
}

static bool test_is_late(const struct test *test)
{
    uint8_t kind = test->source.kind;
    return kind == SOURCE_SLOT || kind == SOURCE_RESPONSE_HEADER || kind == SOURCE_LOCATION ||
           kind == SOURCE_LOCATION_QUERY || kind == SOURCE_DISPOSITION;
}

void route_candidates(struct view *v, struct route_choice *out)
{
    uint8_t method = method_bit(v->t->method);
    const struct profile *p = v->profile;
    const struct route_bucket *bucket = profile_bucket(p, v->path.n ? v->path.segment[0] : SPAN(""));
    *out = (struct route_choice){.n = 0};
    for (uint16_t i = 0; i < bucket->n && out->n < ROUTE_CANDIDATES; i++) {
        const struct route *r = &p->routes[bucket->routes[i]];
        if (!(r->methods & method) || !template_match(&r->path, &v->path, &v->captures))
            continue;
        bool fits = true;
        for (uint8_t k = 0; k < r->n_tests && fits; k++)
            fits = test_is_late(&r->tests[k]) || test_holds(v, &r->tests[k]);
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
    for (uint8_t i = 0; i < choice->n; i++) {
        const struct route *r = &v->profile->routes[choice->list[i]];
        if (!template_match(&r->path, &v->path, &v->captures))
            continue;
        bool fits = !r->n_status || status_in(r->status, r->n_status, v->t->status);
        if (fits && r->type.size)
            fits = glob_match(r->type, content_type_media(&v->type), true);
        for (uint8_t k = 0; k < r->n_tests && fits; k++)
            fits = !test_is_late(&r->tests[k]) || test_holds(v, &r->tests[k]);
        if (fits)
            return r;
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
    if (r->cookie != COOKIE_ANY && r->cookie != v->set.state)
        return false;
    if (r->has && !any_there(v, r->has))
        return false;
    if (r->lacks && any_there(v, r->lacks))
        return false;
    if (r->first_line >= 0 &&
        !(v->x && glob_match(r->line_glob, extract_value(v->x, (unsigned)r->first_line), false)))
        return false;
    if (r->location.size && !(v->has_location && glob_match(r->location, v->response.location, false)))
        return false;
    if (r->location_not.size && v->has_location && glob_match(r->location_not, v->response.location, false))
        return false;
    return !r->type.size || glob_match(r->type, content_type_media(&v->type), true);
}

static bool is_login_page(struct view *v)
{
    struct path path;
    struct captures captures;
    if (!v->has_location || !v->profile->n_login_pages)
        return false;
    path_split(v->location.path, v->arena, &path);
    for (uint8_t i = 0; i < v->profile->n_login_pages; i++)
        if (template_match(&v->profile->login_pages[i], &path, &captures))
            return true;
    return false;
}

struct route_result route_outcome(struct view *v, const struct route *route)
{
    uint16_t status = v->t->status;
    for (uint8_t i = 0; route && i < route->n_outcomes; i++)
        if (rule_holds(v, &route->outcomes[i])) {
            enum outcome outcome = (enum outcome)route->outcomes[i].outcome;
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
    if (!route || !template_match(&route->path, &v->path, &v->captures))
        memset(&v->captures, 0, sizeof v->captures);
}
