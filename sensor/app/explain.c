/* SPDX-License-Identifier: Apache-2.0
 * Explanations. Everything is looked at again, in the order in which routing looks. */
#include "app/explain.h"

#include "app/listing.h"
#include "base/json.h"
#include "base/times.h"
#include "record/mask.h"

#include <stdio.h>

#define SHOWN_MAX 120 /* bytes of a value */

static const char *const field_names[FIELD_N] = {
    [FIELD_CASE] = "case",   [FIELD_CUSTOMER] = "customer", [FIELD_FILE] = "file", [FIELD_OBJECT] = "object",
    [FIELD_USER] = "user",   [FIELD_TOKEN] = "token",       [FIELD_MIME] = "mime", [FIELD_SIGNED_IN] = "signed_in",
    [FIELD_REQUESTOR] = "requestor", [FIELD_ACTS_FOR] = "acts_for",
};

/* A value as it may be shown: of who opened a case the domain alone is used. */
static struct span shown_of(unsigned field, struct span value, uint8_t domain[LISTING_DOMAIN])
{
    return field == FIELD_REQUESTOR ? span_of(domain, listing_domain(value, domain, LISTING_DOMAIN)) : value;
}

static void add_slot(const struct slot *s, struct text *out)
{
    static const char *const kinds[SLOT_KINDS] = {[SLOT_FORM] = "form", [SLOT_UPLOAD] = "upload", [SLOT_SAML] = "saml",
                                                  [SLOT_REQUEST_JSON] = "request_json", [SLOT_JSON] = "json",
                                                  [SLOT_TEXT] = "text after"};
    text_addf(out, "%s ", kinds[s->kind]);
    if (s->kind == SLOT_SAML)
        text_add_str(out, "name_id");
    else if (s->kind != SLOT_TEXT)
        text_add(out, s->name);
    for (uint8_t i = 0; s->kind == SLOT_TEXT && i < s->text.n_after; i++)
        text_addf(out, "%s'%.*s'", i ? " then " : "", (int)s->text.after[i].size, (const char *)s->text.after[i].at);
}

/* A place as the profile's language names it. */
static void add_place(const struct profile *p, const struct source *s, struct text *out)
{
    static const char *const kinds[] = {
        [SOURCE_PATH] = "path", [SOURCE_QUERY] = "query", [SOURCE_COOKIE] = "cookie", [SOURCE_HEADER] = "header",
        [SOURCE_RESPONSE_HEADER] = "response_header", [SOURCE_REFERER] = "referer", [SOURCE_REFERER_QUERY] = "referer_query",
        [SOURCE_LOCATION] = "location", [SOURCE_LOCATION_QUERY] = "location_query", [SOURCE_DISPOSITION] = "disposition",
        [SOURCE_SLOT] = "body", [SOURCE_VALUE] = "value"};
    if (s->kind == SOURCE_SLOT) {
        add_slot(&p->slots[s->slot], out);
        return;
    }
    text_add_str(out, kinds[s->kind]);
    if (s->name.size) {
        text_add_char(out, ' ');
        text_add(out, s->name);
    }
}

static void add_test(const struct profile *p, const struct test *t, struct text *out)
{
    static const char *const kinds[] = {[TEST_FILLED] = "is filled", [TEST_EMPTY] = "is empty", [TEST_MATCHES] = "matches",
                                        [TEST_NOT] = "not"};
    text_add_str(out, "when ");
    add_place(p, &t->source, out);
    text_addf(out, " %s", kinds[t->kind]);
    for (uint8_t i = 0; i < t->n_globs; i++)
        text_addf(out, "%s%.*s", i ? ", " : " ", (int)t->globs[i].size, (const char *)t->globs[i].at);
}

/* The first condition of a route whose path and method fit that does not hold; false when all of them do. */
static bool add_failed(struct view *v, const struct route *r, struct text *out)
{
    if (!template_match(&r->path, view_path_in(v, v->profile), &v->captures))
        return true;
    for (uint8_t late = 0; late < 2; late++) {
        if (late && r->n_status && !status_in(r->status, r->n_status, v->t->status)) {
            text_addf(out, "status is %u", (unsigned)v->t->status);
            return true;
        }
        if (late && r->type.size && !glob_match(r->type, view_media(v), true)) {
            text_addf(out, "type is '%.*s', not %.*s", (int)view_media(v).size, (const char *)view_media(v).at, (int)r->type.size,
                      (const char *)r->type.at);
            return true;
        }
        for (uint8_t k = 0; k < r->n_tests; k++)
            if (source_is_late(&r->tests[k].source) == late && !route_test_holds(v, &r->tests[k])) {
                add_test(v->profile, &r->tests[k], out);
                return true;
            }
    }
    return false;
}

struct tried { /* what became of one route, handed to the writers */
    const struct route *route;
    struct span why; /* empty: it was taken */
};

/* Hands each route that was tried to 'each', up to the one taken; how many were passed over for their path. */
static unsigned walk(const struct explain_in *in, void (*each)(void *ctx, const struct tried *t), void *ctx)
{
    struct view *v = in->view;
    const struct profile *p = v->profile;
    const struct path *path = view_path_in(v, p);
    const struct route_bucket *bucket = profile_bucket(p, path->n ? path->segment[path->first] : SPAN(""));
    uint8_t method = view_methods(v);
    unsigned passed = 0;
    struct text why = {.max = 4096};
    for (uint16_t i = 0; i < bucket->n; i++) {
        const struct route *r = &p->routes[bucket->routes[i]];
        struct captures captures;
        text_clear(&why);
        if (!template_match(&r->path, view_path_in(v, p), &captures)) {
            passed++;
            continue;
        }
        if (!(r->methods & method))
            text_addf(&why, "method is %.*s", (int)v->t->method.size, (const char *)v->t->method.at);
        else if (!add_failed(v, r, &why) && r != in->route)
            text_add_str(&why, in->route ? "not kept: too many wait for a body or the answer" : "fits, but the answer carries a file");
        each(ctx, &(struct tried){r, text_span(&why)});
        if (r == in->route)
            break;
    }
    text_fini(&why);
    v->captured = NULL;
    route_captures(v, in->route);
    return passed;
}

/* The value a list of places yields, and which of them did (-1: none). Secrets as ***. */
static int value_of(struct view *v, const struct sources *list, bool is_secret, struct span *value)
{
    for (uint8_t i = 0; i < list->n; i++) {
        struct sources one = {&list->list[i], 1};
        *value = route_value(v, &one);
        if (!value->at)
            continue;
        bool is_token = is_secret || mask_is_secret_segment(*value, SPAN(""), MASK_CERTAIN);
        *value = is_token ? SPAN("***") : span_sub(*value, 0, SHOWN_MAX);
        return i;
    }
    return -1;
}

static bool lacks(struct view *v, const struct route *r, unsigned field)
{
    struct span value;
    return r && r->needs >> field & 1 && value_of(v, &r->fields[field], true, &value) < 0 &&
           !(field == FIELD_USER && route_value(v, &v->profile->signed_in).at);
}

/* Why the outcome is what it is. */
static void add_decider(const struct explain_in *in, struct text *out)
{
    int line = route_outcome_line(in->view, in->route);
    if (line >= 0)
        text_addf(out, "line %d of its outcome", line + 1);
    else
        text_add_str(out, "by status and redirect");
}

static void text_tried(void *ctx, const struct tried *t)
{
    if (t->why.size)
        text_addf(ctx, "  tried     %.*s (line %u): %.*s\n", (int)t->route->name.size, (const char *)t->route->name.at,
                  t->route->at->line, (int)t->why.size, (const char *)t->why.at);
}

static void text_fields(const struct explain_in *in, struct text *out)
{
    struct view *v = in->view;
    for (unsigned f = 0; in->route && f < FIELD_N; f++) {
        struct span value;
        int at = value_of(v, &in->route->fields[f], f == FIELD_TOKEN, &value);
        uint8_t domain[LISTING_DOMAIN];
        if (at >= 0) {
            value = shown_of(f, value, domain);
            text_addf(out, "  %-9s %.*s, from ", field_names[f], (int)value.size, (const char *)value.at);
            add_place(v->profile, &in->route->fields[f].list[at], out);
            text_add_char(out, '\n');
        } else if (lacks(v, in->route, f)) {
            text_addf(out, "  needs     %s, and has none: nothing is told\n", field_names[f]);
        } else if (in->route->fields[f].n) {
            text_addf(out, "  %-9s none of %u places has it\n", field_names[f], (unsigned)in->route->fields[f].n);
        }
    }
}

static void write_text(const struct explain_in *in, struct text *out)
{
    static const char *const outcomes[] = {[OUTCOME_UNKNOWN] = "unknown", [OUTCOME_SUCCESS] = "success", [OUTCOME_FAILURE] = "failure"};
    struct view *v = in->view;
    const struct transaction *t = v->t;
    char when[TIME_TEXT_MAX];
    text_addf(out, "%s %.*s %.*s", time_text(t->request_ns, when), (int)t->method.size, (const char *)t->method.at,
              (int)t->host.size, (const char *)t->host.at);
    target_mask(t->target, out);
    text_addf(out, " %u\n", (unsigned)t->status);
    text_addf(out, "  profile   %.*s: ", (int)v->profile->name.size, (const char *)v->profile->name.at);
    hosts_how(in->hosts, v, out);
    text_add_char(out, '\n');
    unsigned passed = walk(in, text_tried, out);
    if (in->route)
        text_addf(out, "  route     %.*s (line %u), after %u of another path\n", (int)in->route->name.size,
                  (const char *)in->route->name.at, in->route->at->line, passed);
    else
        text_addf(out, "  route     none; %u are of another path\n", passed);
    text_addf(out, "  action    %s%s, %s ", in->action, in->is_told ? "" : " (nothing is told)",
              outcomes[route_outcome(v, in->route).outcome]);
    add_decider(in, out);
    text_add_char(out, '\n');
    text_fields(in, out);
}

static void json_tried(void *ctx, const struct tried *t)
{
    struct json *j = ctx;
    if (!t->why.size)
        return;
    json_open(j, NULL, '{');
    json_span(j, "route", t->route->name);
    json_u64(j, "line", t->route->at->line);
    json_span(j, "failed", t->why);
    json_close(j, '}');
}

static void json_fields(const struct explain_in *in, struct json *j)
{
    struct view *v = in->view;
    struct text place = {.max = 1024};
    json_open(j, "fields", '{');
    for (unsigned f = 0; in->route && f < FIELD_N; f++) {
        struct span value;
        int at = value_of(v, &in->route->fields[f], f == FIELD_TOKEN, &value);
        if (at < 0 && !in->route->fields[f].n)
            continue;
        json_open(j, field_names[f], '{');
        if (at >= 0) {
            text_clear(&place);
            add_place(v->profile, &in->route->fields[f].list[at], &place);
            uint8_t domain[LISTING_DOMAIN];
            json_span(j, "value", shown_of(f, value, domain));
            json_span(j, "from", text_span(&place));
        } else {
            json_bool(j, "needed", lacks(v, in->route, f));
        }
        json_close(j, '}');
    }
    json_close(j, '}');
    text_fini(&place);
}

static void write_json(const struct explain_in *in, struct text *out)
{
    static const char *const outcomes[] = {[OUTCOME_UNKNOWN] = "unknown", [OUTCOME_SUCCESS] = "success", [OUTCOME_FAILURE] = "failure"};
    struct view *v = in->view;
    const struct transaction *t = v->t;
    struct text part = {.max = 65536};
    struct json j = json_on(out);
    json_open(&j, NULL, '{');
    json_time(&j, "@timestamp", t->request_ns);
    json_span(&j, "method", t->method);
    json_span(&j, "host", t->host);
    target_mask(t->target, &part);
    json_span(&j, "target", text_span(&part));
    json_u64(&j, "status", t->status);
    json_span(&j, "profile", v->profile->name);
    text_clear(&part);
    hosts_how(in->hosts, v, &part);
    json_span(&j, "profile_by", text_span(&part));
    json_open(&j, "tried", '[');
    unsigned passed = walk(in, json_tried, &j);
    json_close(&j, ']');
    json_u64(&j, "other_paths", passed);
    if (in->route) {
        json_span(&j, "route", in->route->name);
        json_u64(&j, "line", in->route->at->line);
    }
    json_str(&j, "action", in->action);
    json_bool(&j, "told", in->is_told);
    json_str(&j, "outcome", outcomes[route_outcome(v, in->route).outcome]);
    text_clear(&part);
    add_decider(in, &part);
    json_span(&j, "outcome_by", text_span(&part));
    json_fields(in, &j);
    json_close(&j, '}');
    text_add_char(out, '\n');
    text_fini(&part);
}

void explain_write(const struct explain_in *in, bool is_json, struct text *out)
{
    if (is_json)
        write_json(in, out);
    else
        write_text(in, out);
}
