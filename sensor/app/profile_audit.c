/* SPDX-License-Identifier: Apache-2.0
 * Routes nothing can ever reach. Only sure cases are told: a route that is not named here may still be useless. */
#include "app/profile_rules.h"
#include "app/route.h"

#include "base/err.h"

static bool shapes_equal(const struct template *a, const struct template *b)
{
    return template_covers(a, b) && template_covers(b, a);
}

static bool sources_equal(const struct profile *p, const struct route *a, const struct source *x, const struct route *b,
                          const struct source *y)
{
    if (x->kind != y->kind || x->as || y->as || x->template || y->template)
        return false;
    if (x->kind == SOURCE_PATH)
        return x->slot == y->slot && shapes_equal(&a->path, &b->path);
    if (x->kind != SOURCE_SLOT)
        return span_eq(x->name, y->name);
    const struct slot *s = &p->slots[x->slot], *t = &p->slots[y->slot];
    return s->kind == t->kind && span_eq(s->name, t->name);
}

static bool has_glob(const struct test *t, struct span glob)
{
    for (uint8_t i = 0; i < t->n_globs; i++)
        if (span_eq(t->globs[i], glob))
            return true;
    return false;
}

/* Whether 'x' holds wherever 'y' does; both test the same value. */
static bool follows(const struct test *x, const struct test *y)
{
    if (x->kind == TEST_FILLED)
        return y->kind == TEST_FILLED || y->kind == TEST_MATCHES;
    if (x->kind != y->kind)
        return false;
    const struct test *few = x->kind == TEST_NOT ? x : y, *many = x->kind == TEST_NOT ? y : x;
    for (uint8_t i = 0; i < few->n_globs; i++)
        if (!has_glob(many, few->globs[i]))
            return false;
    return true;
}

static bool is_met(const struct profile *p, const struct route *a, const struct test *x, const struct route *b)
{
    for (uint8_t i = 0; i < b->n_tests; i++)
        if (sources_equal(p, a, &x->source, b, &b->tests[i].source) && follows(x, &b->tests[i]))
            return true;
    return false;
}

static bool statuses_cover(const struct route *a, const struct route *b)
{
    for (uint8_t i = 0; a->n_status && i < b->n_status; i++)
        if (!status_in(a->status, a->n_status, b->status[i].low) || !status_in(a->status, a->n_status, b->status[i].high))
            return false;
    return !a->n_status || b->n_status;
}

static bool heads_cover(const struct route *a, const struct route *b)
{
    return !(b->methods & ~a->methods) && template_covers(&a->path, &b->path);
}

/* Whether 'a' takes whatever 'b' could. */
static bool shadows(const struct profile *p, const struct route *a, const struct route *b)
{
    if (!heads_cover(a, b) || !statuses_cover(a, b) || (a->type.size && !span_eq(a->type, b->type)))
        return false;
    for (uint8_t i = 0; i < a->n_tests; i++)
        if (!is_met(p, a, &a->tests[i], b))
            return false;
    return true;
}

/* Two conditions that cannot hold together. */
static bool contradicts_itself(const struct profile *p, const struct route *r)
{
    for (uint8_t i = 0; i < r->n_tests; i++)
        for (uint8_t k = 0; k < r->n_tests; k++)
            if (r->tests[i].kind == TEST_EMPTY && (r->tests[k].kind == TEST_FILLED || r->tests[k].kind == TEST_MATCHES) &&
                sources_equal(p, r, &r->tests[i].source, r, &r->tests[k].source))
                return true;
    return false;
}

static bool has_head_test(const struct route *r)
{
    for (uint8_t i = 0; i < r->n_tests; i++)
        if (!source_is_late(&r->tests[i].source))
            return true;
    return false;
}

static bool route_audit(const struct profile *p, uint16_t at, struct text *out)
{
    const struct route *r = &p->routes[at];
    unsigned waiting = 0;
    if (contradicts_itself(p, r)) {
        yaml_fail(r->at, out, "route '%.*s' is dead: its conditions contradict each other", (int)r->name.size,
                  (const char *)r->name.at);
        return true;
    }
    for (uint16_t i = 0; i < at; i++) {
        const struct route *before = &p->routes[i];
        if (shadows(p, before, r)) {
            yaml_fail(r->at, out, "route '%.*s' is shadowed: '%.*s' (line %u) takes all it could take",
                      (int)r->name.size, (const char *)r->name.at, (int)before->name.size, (const char *)before->name.at,
                      before->at->line);
            return true;
        }
        waiting += before->is_late && !has_head_test(before) && heads_cover(before, r);
    }
    if (waiting < ROUTE_CANDIDATES)
        return false;
    yaml_fail(r->at, out, "route '%.*s' is dead: %u routes before it wait for a body or the answer, and only %d are kept",
              (int)r->name.size, (const char *)r->name.at, waiting, ROUTE_CANDIDATES);
    return true;
}

size_t profiles_audit(const struct profiles *p, size_t i, struct text *out)
{
    size_t n = 0;
    if (i >= p->n)
        return 0;
    for (uint16_t at = 0; at < p->list[i]->n_routes; at++)
        if (route_audit(p->list[i], at, out)) {
            text_add_char(out, '\n');
            n++;
        }
    return n;
}
