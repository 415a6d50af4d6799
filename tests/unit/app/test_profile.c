/* SPDX-License-Identifier: Apache-2.0
 * Profile files: what is refused, where it stands and what would be right; what is shipped loads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
/* cmocka needs the above */
#include <cmocka.h>

#include "app/profile_rules.h"
#include "base/err.h"

#define HEAD "profile: t\nstatus: verified\n"
#define ROUTE HEAD "routes:\n  - route: r\n    path: /r/{x}\n    action: download\n"

static const struct {
    const char *yaml, *why;
} bad[] = {
    {"", "t.yaml:"},
    {"- a\n", "t.yaml:1:1: "},
    {"profile: [\n", "t.yaml:"},
    {"status: verified\n", "t.yaml:1:1: 'profile' (the name) is missing"},
    {"profile: Ab\nstatus: verified\n", "t.yaml:1:10: a profile's name has only"},
    {"profile: t\n", "'status' must be verified or documentation"},
    {"profile: t\nstatus: maybe\n", "t.yaml:2:9: 'status' must be verified or documentation"},
    {HEAD "route: x\n", "t.yaml:3:1: "},
    {HEAD "tells: [{cooky: x}]\n", "cookie"},
    {HEAD "tells: [{path: x}]\n", "t.yaml:3:16: 'x' is no path template: a path begins with '/'"},
    {HEAD "sessions: [{cookie: s, min_size: many}]\n", "t.yaml:3:34: expected a number of bytes"},
    {HEAD "hosts: ['a*b']\n", "t.yaml:3:9: 'a*b' is no host"},
    {HEAD "mounts: [/a/b]\n", "t.yaml:3:10: '/a/b' is no mount"},
    {HEAD "separator: ','\n", "t.yaml:3:12: expected ';'"},
    {HEAD "sessions: [{cookie: s, key: x}]\n", "'key' goes with authorization: basic"},
    {HEAD "sessions: [{min_size: 3}]\n", "t.yaml:3:12: expected one of cookie, authorization, header, query, link"},
    {HEAD "sessions: [{authorization: x, public: '{id}-{rest}'}]\n", "the pattern needs a capture {public}"},
    {HEAD "sessions: [{authorization: x, jwt: [a, b, c, d, e]}]\n", "at most 4 claims"},
    {HEAD "routes: x\n", "t.yaml:3:9: expected a list of routes"},
    {HEAD "routes:\n  - path: /\n", "'route' is missing"},
    {HEAD "routes:\n  - route: r\n", "'path' is missing"},
    {HEAD "routes:\n  - route: r\n    path: /\n", "t.yaml:4:5: 'action' is missing"},
    {HEAD "routes:\n  - route: r\n    path: /\n    action: downlaod\n", "t.yaml:6:13: 'downlaod' is no action (did you mean 'download'?)"},
    {HEAD "routes:\n  - route: r\n    path: /\n    action: identify\n", "'identify' is no action"},
    {HEAD "routes:\n  - {route: r, path: /, action: none}\n  - {route: r, path: /a, action: none}\n", "t.yaml:5:5: a route of this name stands in line 4"},
    {ROUTE "    method: FETCH\n", "t.yaml:7:13: expected a method"},
    {ROUTE "    cse: {path: x}\n", "t.yaml:7:5: "},
    {ROUTE "    case: {path: y}\n", "t.yaml:7:18: the route's path has no capture {y}"},
    {ROUTE "    case: {qury: id}\n", "query"},
    {ROUTE "    case: {as: '{case}'}\n", "expected where the value stands"},
    {ROUTE "    case: {query: id, as: '{other}'}\n", "t.yaml:7:27: the pattern needs a capture {case}"},
    {ROUTE "    case: {referer: '/a/{b}'}\n", "the path needs a capture {case}"},
    {ROUTE "    case: {query: id, is: filled}\n", "'is' belongs into 'when'"},
    {ROUTE "    case: {json: case}\n", "'case' is no JSON pointer"},
    {ROUTE "    case: {text: {until: ';', decode: base64}}\n", "'base64' is no decoding"},
    {ROUTE "    case: {text: {within: 3}}\n", "a text needs 'after' or 'until'"},
    {ROUTE "    case: {text: {after: [a, b, c, d, e]}}\n", "at most 4 markers"},
    {ROUTE "    when: [{text: {after: x}}]\n", "a condition cannot look into the answer's body"},
    {ROUTE "    when: [{form: a, matches: []}]\n", "expected 1 to 32 texts"},
    {ROUTE "    when: [{form: a, is: there}]\n", "expected filled or empty"},
    {ROUTE "    when: [{form: a, is: filled, matches: b}]\n", "only one of is, matches, not"},
    {ROUTE "    status: 20\n", "'20' is no status"},
    {ROUTE "    outcome: {status: 200}\n", "'is' is missing"},
    {ROUTE "    outcome: {is: good}\n", "t.yaml:7:19: expected one of unknown, success"},
    {ROUTE "    outcome: {is: failure, cookie: new}\n", "expected one of any, changed"},
    {ROUTE "    size: big\n", "expected body, none"},
    {ROUTE "    size: {frame: {tail: 3}}\n", "'after' is missing"},
    {ROUTE "    needs: all\n", "expected case, customer"},
    {ROUTE "    objects: {text: {after: a, until: b}, json: /x}\n", "expected 'text' or 'json'"},
    {ROUTE "    objects: {json: '/a', as: 'x'}\n", "no pattern"},
};

static void refuses_with_a_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct text why = {0};
        struct profiles *p = NULL;
        int rc = profiles_parse("t.yaml", span_text(bad[i].yaml), &p, &why);
        if (rc != E_CONF || !strstr(text_str(&why), bad[i].why) || !strstr(text_str(&why), "t.yaml:"))
            fail_msg("row %zu: %d, '%s', wants '%s'", i, rc, text_str(&why), bad[i].why);
        assert_null(strchr(text_str(&why), '\n'));
        text_fini(&why);
    }
}

static void refuses_more_values_than_fit(void **state)
{
    struct text yaml = {0}, why = {0};
    struct profiles *p = NULL;
    (void)state;
    text_add_str(&yaml, HEAD "routes:\n");
    for (int i = 0; i < PROFILE_SLOTS + 1; i++)
        text_addf(&yaml, "  - {route: r%d, path: /r%d, action: reply, case: {form: f%d}}\n", i, i, i);
    assert_int_equal(profiles_parse("t.yaml", text_span(&yaml), &p, &why), E_CONF);
    assert_non_null(strstr(text_str(&why), "at most 64 values"));
    text_fini(&yaml);
    text_fini(&why);
}

static void loads_what_is_shipped(void **state)
{
    struct text why = {0};
    struct profiles *p = NULL;
    (void)state;
    if (profiles_load("rules/apps", &p, &why))
        fail_msg("%s", text_str(&why));
    assert_true(profiles_count(p) >= 2);
    assert_string_equal(profiles_name(p, 2), "generic");
    assert_null(profiles_name(p, profiles_count(p)));
    assert_int_equal(profiles_declare(p, "rt", "*.example", &why), E_OK);
    assert_int_equal(profiles_declare(p, "rtt", "x", &why), E_NONE);
    assert_non_null(strstr(text_str(&why), "did you mean 'rt'"));
    profiles_free(p);
    text_fini(&why);
}

/* The example in the description of the language is one. */
static void loads_the_described_example(void **state)
{
    static char text[65536];
    struct text why = {0};
    struct profiles *p = NULL;
    (void)state;
    FILE *f = fopen("rules/README.md", "r");
    assert_non_null(f);
    struct span all = span_of(text, fread(text, 1, sizeof text, f));
    fclose(f);
    size_t from = span_find(all, SPAN("```yaml\nprofile:"), 0), to = span_find(all, SPAN("\n```\n"), from);
    assert_true(to != SIZE_MAX);
    if (profiles_parse("README.md", span_sub(all, from + 8, to - from - 7), &p, &why))
        fail_msg("%s", text_str(&why));
    assert_string_equal(profiles_name(p, 0), "deskbox");
    profiles_free(p);
}

static void says_what_cannot_be_read(void **state)
{
    struct text why = {0};
    struct profiles *p = NULL;
    (void)state;
    assert_int_equal(profiles_load("rules/no-such-directory", &p, &why), E_IO);
    assert_non_null(strstr(text_str(&why), "rules/no-such-directory: "));
    text_clear(&why);
    assert_int_equal(profiles_load("docs", &p, &why), E_IO);
    assert_non_null(strstr(text_str(&why), "no profile"));
    text_fini(&why);
}

static void finds_buckets(void **state)
{
    struct text why = {0};
    struct profiles *p = NULL;
    (void)state;
    assert_int_equal(profiles_parse("t.yaml", SPAN(HEAD "routes:\n  - {route: a, path: /a/x, action: none}\n"
                                                        "  - {route: any, path: '/{y}/x', action: none}\n"
                                                        "  - {route: b, path: /b, action: none}\n"), &p, &why), E_OK);
    const struct profile *t = p->list[1];
    assert_int_equal(profile_bucket(t, SPAN("a"))->n, 2);
    assert_int_equal(profile_bucket(t, SPAN("a"))->routes[0], 0);
    assert_int_equal(profile_bucket(t, SPAN("b"))->routes[0], 1);
    assert_int_equal(profile_bucket(t, SPAN("c"))->n, 1);
    assert_int_equal(profile_bucket(t, SPAN(""))->routes[0], 1);
    profiles_free(p);
}

#define R(name, rest) "  - {route: " name ", action: none, " rest "}\n"

static const struct {
    const char *routes, *flaw; /* NULL: none */
} audits[] = {
    {R("a", "path: /a") R("b", "path: /b"), NULL},
    {R("a", "path: /a/**") R("b", "path: '/a/{x}'"), "'b' is shadowed: 'a' (line 4)"},
    {R("a", "path: /a/**, method: POST") R("b", "path: '/a/{x}'"), NULL},
    {R("a", "path: /a/**, method: ANY") R("b", "path: '/a/{x}', method: [GET, PUT]"), "'b' is shadowed"},
    {R("a", "path: /a, when: [{query: q}]") R("b", "path: /a"), NULL},
    {R("a", "path: /a, when: [{query: q}]") R("b", "path: /a, when: [{query: q, matches: x}]"), "'b' is shadowed"},
    {R("a", "path: /a, when: [{query: q, matches: x}]") R("b", "path: /a, when: [{query: q, matches: [x, y]}]"), NULL},
    {R("a", "path: /a, when: [{query: q, matches: [x, y]}]") R("b", "path: /a, when: [{query: q, matches: x}]"), "'b' is shadowed"},
    {R("a", "path: /a, when: [{query: q, not: [x, y]}]") R("b", "path: /a, when: [{query: q, not: x}]"), NULL},
    {R("a", "path: /a, when: [{form: q}]") R("b", "path: /a, when: [{form: q, matches: x}, {form: r}]"), "'b' is shadowed"},
    {R("a", "path: /a, status: 2xx") R("b", "path: /a"), NULL},
    {R("a", "path: /a, status: 2xx") R("b", "path: /a, status: 200"), "'b' is shadowed"},
    {R("a", "path: /a, type: 'text/*'") R("b", "path: /a, type: text/html"), NULL},
    {R("a", "path: '/{x}', when: [{path: x, matches: p}]") R("b", "path: '/{y}', when: [{path: y, matches: p}]"), "'b' is shadowed"},
    {R("a", "path: /a, when: [{form: q}, {form: q, is: empty}]"), "'a' is dead: its conditions contradict"},
};

static void tells_dead_and_shadowed_routes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof audits / sizeof audits[0]; i++) {
        struct text yaml = {0}, why = {0};
        struct profiles *p = NULL;
        text_addf(&yaml, HEAD "routes:\n%s", audits[i].routes);
        if (profiles_parse("t.yaml", text_span(&yaml), &p, &why))
            fail_msg("row %zu: %s", i, text_str(&why));
        size_t n = profiles_audit(p, 0, &why) + profiles_audit(p, 1, &why);
        if (n != (audits[i].flaw != NULL) || (n && !strstr(text_str(&why), audits[i].flaw)))
            fail_msg("row %zu: %zu '%s', wants '%s'", i, n, text_str(&why), audits[i].flaw ? audits[i].flaw : "");
        profiles_free(p);
        text_fini(&yaml);
        text_fini(&why);
    }
}

static void tells_routes_that_are_never_looked_at(void **state)
{
    struct text yaml = {0}, why = {0};
    struct profiles *p = NULL;
    (void)state;
    text_add_str(&yaml, HEAD "routes:\n");
    for (int i = 0; i < 25; i++)
        text_addf(&yaml, "  - {route: r%d, path: /r, method: POST, action: none, when: [{form: a, matches: v%d}]}\n", i, i);
    assert_int_equal(profiles_parse("t.yaml", text_span(&yaml), &p, &why), E_OK);
    assert_int_equal(profiles_audit(p, 1, &why), 1);
    assert_non_null(strstr(text_str(&why), "'r24' is dead: 24 routes before it wait"));
    assert_string_equal(profiles_status(p, 1), "verified");
    assert_null(profiles_route(p, 1, 25));
    profiles_free(p);
    text_fini(&yaml);
    text_fini(&why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_with_a_place),     cmocka_unit_test(refuses_more_values_than_fit),
        cmocka_unit_test(loads_what_is_shipped),    cmocka_unit_test(loads_the_described_example), cmocka_unit_test(says_what_cannot_be_read),
        cmocka_unit_test(finds_buckets),          cmocka_unit_test(tells_dead_and_shadowed_routes),
        cmocka_unit_test(tells_routes_that_are_never_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
