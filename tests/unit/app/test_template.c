/* SPDX-License-Identifier: Apache-2.0
 * Path templates, value patterns and globs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
/* cmocka needs the above */
#include <cmocka.h>

#include "app/template.h"
#include "base/err.h"

static const struct {
    const char *template, *path, *captures; /* NULL: does not match */
} paths[] = {
    {"/", "/", ""},
    {"/", "", ""},
    {"/", "/a", NULL},
    {"/a", "/a", ""},
    {"/a", "/a/", NULL},
    {"/a/", "/a/", ""},
    {"/a/{x}", "/a/7", "x=7"},
    {"/a/{x}", "/a/", NULL},
    {"/Ticket/Attachment/{txn}/{object}/{file}", "/Ticket/Attachment/102/24/a%20b.har", "txn=102 object=24 file=a b.har"},
    {"/Ticket/Attachment/{txn}/{object}/{file}", "/Ticket//Attachment/./102/x/../24/a.har", "txn=102 object=24 file=a.har"},
    {"/Ticket/Attachment/{txn}/{object}/{file}", "/%54icket/Attachmen%74/1/2/f", "txn=1 object=2 file=f"},
    {"/Ticket/Attachment/{txn}/{object}/{file}", "/ticket/Attachment/1/2/f", NULL},
    {"/Ticket/Attachment/{txn}/{object}/{file**}", "/Ticket/Attachment/1/2/f/g/h", "txn=1 object=2 file=f/g/h"},
    {"/Ticket/Attachment/{txn}/{object}/{file**}", "/Ticket/Attachment/1/2", "txn=1 object=2 file="},
    {"/a/{f**}", "/a/x%2Fy", "f=x/y"},
    {"/**/logout", "/logout", ""},
    {"/**/logout", "/app/v2/logout", ""},
    {"/**/logout", "/app/logout/now", NULL},
    {"/**/{page}.html", "/Search/Build.html", "page=Build"},
    {"/**/{page}.html", "/Search/.html", NULL},
    {"/case-{n}-x/*", "/case-12-x/anything", "n=12"},
    {"/case-{n}-x/*", "/case-12-y/anything", NULL},
    {"/**", "/", ""},
    {"/**", "/a/b/c", ""},
    {"/a/{x#}", "/a/12", "x=12"},
    {"/a/{x#}", "/a/12a", NULL},
    {"/a/{x#}.json", "/a/12.json", "x=12"},
    {"/a/{x#}.json", "/a/b.json", NULL},
    {"/a/../b", "/b", NULL}, /* a template is not normalised */
};

static const struct {
    const char *a, *b;
    bool covers;
} covers[] = {
    {"/a", "/a", true},
    {"/a", "/b", false},
    {"/a/{x}", "/a/b", true},
    {"/a/{x}", "/a/", false},
    {"/a/{x}", "/a/{y}", true},
    {"/a/{x}", "/a/{y#}", true},
    {"/a/{x#}", "/a/{y}", false},
    {"/a/{x#}", "/a/{y#}.json", false},
    {"/a/{x#}", "/a/7", true},
    {"/a/{x}", "/a/{y}.json", true},
    {"/a/{x}.json", "/a/{y}", false},
    {"/a/{x}.json", "/a/b{y}.json", true},
    {"/a/**", "/a/{x}/b", true},
    {"/a/**", "/a", true},
    {"/a/{x}/**", "/a/**", false},
    {"/**/b", "/a/{x}/b", true},
    {"/**/b", "/a/{x}/c", false},
    {"/a/{x}", "/a/**", false},
    {"/{x}/**", "/a/**", true},
    {"/**", "/a/**/b", true},
};

static void says_what_it_covers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof covers / sizeof covers[0]; i++) {
        struct template a, b;
        const char *why = "";
        assert_int_equal(template_compile(span_text(covers[i].a), &a, &why), E_OK);
        assert_int_equal(template_compile(span_text(covers[i].b), &b, &why), E_OK);
        if (template_covers(&a, &b) != covers[i].covers)
            fail_msg("%s, %s", covers[i].a, covers[i].b);
    }
}

static void show(const struct template *t, const struct captures *c, char *out, size_t max)
{
    size_t at = 0;
    out[0] = 0;
    for (uint8_t i = 0; i < t->n_names; i++)
        at += (size_t)snprintf(out + at, max - at, "%s%s=%.*s", i ? " " : "", t->names[i], (int)c->value[i].size,
                               (const char *)c->value[i].at);
}

static void matches_paths(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct template t;
        struct path path;
        struct captures captures;
        struct arena arena;
        uint8_t memory[1024];
        const char *why = "";
        char text[256];
        arena_init(&arena, memory, sizeof memory);
        assert_int_equal(template_compile(span_text(paths[i].template), &t, &why), E_OK);
        path_split(span_text(paths[i].path), &arena, &path);
        bool hit = template_match(&t, &path, &captures);
        if (hit != (paths[i].captures != NULL))
            fail_msg("%s on %s: %d", paths[i].template, paths[i].path, hit);
        if (!hit)
            continue;
        show(&t, &captures, text, sizeof text);
        assert_string_equal(text, paths[i].captures);
    }
}

static void refuses_bad_templates(void **state)
{
    static const char *const bad[] = {"",      "a/b",     "/a/{x",   "/a//b",  "/{a}{b}",   "/**/x/**", "/a**",
                                      "/x{y}z{w}", "/a/{averyveryverylongnamethatdoesnotfit}", "/1/2/3/4/5/6/7/8/9/10/11/12/13",
                                      "/{a}/{b}/{c}/{d}/{e}/{f}/{g}"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct template t;
        const char *why = NULL;
        assert_int_equal(template_compile(span_text(bad[i]), &t, &why), E_BAD);
        assert_non_null(why);
    }
}

static void cuts_endless_paths(void **state)
{
    (void)state;
    char text[4096] = "";
    struct path path;
    struct captures captures;
    struct template t;
    const char *why;
    uint8_t memory[64];
    struct arena arena;
    arena_init(&arena, memory, sizeof memory);
    for (size_t i = 0; i + 2 < sizeof text; i += 2)
        memcpy(text + i, "/a", 3);
    path_split(span_text(text), &arena, &path);
    assert_true(path.is_cut);
    assert_int_equal(template_compile(SPAN("/**"), &t, &why), E_OK);
    assert_false(template_match(&t, &path, &captures));
}

static const struct {
    const char *pattern, *name, *text, *value; /* NULL: none */
} patterns[] = {
    {"{public**}-{secret}", "public", "1-48-0123abcd", "1-48"},
    {"{public}-{secret}", "public", "1-48-0123abcd", "1"},
    {"{public**}-{secret}", "public", "nodash", NULL},
    {"{object}: {file**}", "object", "  502: a: b.har", "  502"},
    {"{object}: {file**}", "file", "502: a: b.har", "a: b.har"},
    {"{txn}/{object}/{file**}", "file", "1/2/x/y", "x/y"},
    {"id={case};", "case", "id=7;", "7"},
    {"id={case};", "case", "id=7", NULL},
    {"id={case};", "case", "xid=7;", NULL},
};

static void takes_parts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        struct pattern p;
        const char *why = "";
        assert_int_equal(pattern_compile(span_text(patterns[i].pattern), &p, &why), E_OK);
        struct span got = pattern_take(&p, span_text(patterns[i].text), span_text(patterns[i].name));
        if (!patterns[i].value) {
            assert_null(got.at);
            continue;
        }
        assert_true(span_eq(got, span_text(patterns[i].value)));
    }
    struct pattern p;
    const char *why = "";
    assert_int_equal(pattern_compile(SPAN("plain"), &p, &why), E_BAD);
    assert_int_equal(pattern_compile(SPAN("{a}{b}"), &p, &why), E_BAD);
    assert_int_equal(pattern_compile(SPAN("{a"), &p, &why), E_BAD);
}

static void globs(void **state)
{
    static const struct {
        const char *glob, *text;
        bool nocase, hit;
    } rows[] = {
        {"RT_SID_*", "RT_SID_x.8080", false, true}, {"RT_SID_*", "rt_sid_x", false, false}, {"RT_SID_*", "rt_sid_x", true, true},
        {"*", "", false, true},                     {"?", "", false, false},                {"*a*b", "xaxxb", false, true},
        {"*a*b", "xaxxbc", false, false},           {"", "", false, true},                  {"", "x", false, false},
        {"*csrf*", "_csrf_token", false, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(glob_match(span_text(rows[i].glob), span_text(rows[i].text), rows[i].nocase), rows[i].hit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches_paths), cmocka_unit_test(says_what_it_covers), cmocka_unit_test(refuses_bad_templates), cmocka_unit_test(cuts_endless_paths),
        cmocka_unit_test(takes_parts),   cmocka_unit_test(globs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
