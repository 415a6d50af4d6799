/* SPDX-License-Identifier: Apache-2.0
 * Values picked out of streaming JSON: whatever the slices, key orders, escapes, depths and losses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/err.h"
#include "wire/json_scan.h"

#define N(array) (sizeof(array) / sizeof *(array))

static void compile(struct json_pointer *out, const char *text, enum json_scan_want want)
{
    const char *why = "";
    if (json_pointer_compile(span_text(text), want, out, &why) != E_OK)
        fail_msg("%s: %s", text, why);
}

/* A value as text: "kind:text", with ~ when cut, ? when unsure, - when there is none, * when its end has not come. */
static const char *show(const struct json_value *v, enum json_scan_want want, char out[400])
{
    static const char *const kinds[] = {"-", "s", "n", "true", "false", "null", "{}", "[]"};
    if (v->kind == JSON_NONE)
        return "-";
    int used = snprintf(out, 400, "%s", kinds[v->kind]);
    if (want != JSON_SCAN_TEXT)
        used += snprintf(out + used, 100, ":%llu", (unsigned long long)v->size);
    else if (v->kind == JSON_STRING || v->kind == JSON_NUMBER)
        used += snprintf(out + used, 300, ":%.*s", (int)v->text_size, v->text);
    snprintf(out + used, 10, "%s%s%s", v->is_cut ? "~" : "", v->is_unsure ? "?" : "", v->is_done ? "" : "*");
    return out;
}

struct row {
    const char *json, *pointer, *want; /* want ends in "!" when the scan is broken at the end */
    enum json_scan_want mode;
};

static const struct row rows[] = {
    {"{\"Filename\":\"a.har\"}", "/Filename", "s:a.har", JSON_SCAN_TEXT},
    {" { \"x\" : [1,{\"Filename\":\"no\"}] , \"Filename\" : \"a.har\" } ", "/Filename", "s:a.har", JSON_SCAN_TEXT},
    {"{\"a\":{\"b\":{\"c\":-1.5e3}}}", "/a/b/c", "n:-1.5e3", JSON_SCAN_TEXT},
    {"{\"a\":{\"c\":1},\"a\":{\"b\":2}}", "/a/b", "n:2", JSON_SCAN_TEXT},
    {"{\"a\":[10,20,30]}", "/a/1", "n:20", JSON_SCAN_TEXT},
    {"{\"a\":{\"1\":\"key\"}}", "/a/1", "s:key", JSON_SCAN_TEXT},
    {"[[1,2],[3,4]]", "/1/0", "n:3", JSON_SCAN_TEXT},
    {"{\"a\":[]}", "/a/0", "-", JSON_SCAN_TEXT},
    {"{\"a\":{},\"b\":[ ]}", "/b", "[]", JSON_SCAN_TEXT},
    {"{\"a\":true,\"b\":null}", "/a", "true", JSON_SCAN_TEXT},
    {"{\"a\":true,\"b\":null}", "/b", "null", JSON_SCAN_TEXT},
    {"{\"a\":false}", "/a", "false", JSON_SCAN_TEXT},
    {"{\"a~b/c\":1}", "/a~0b~1c", "n:1", JSON_SCAN_TEXT},
    {"{\"\":1}", "//x", "-", JSON_SCAN_TEXT},
    {"{\"\":{\"x\":1}}", "//x", "n:1", JSON_SCAN_TEXT},
    {"{\"k\\u0065y\":\"v\"}", "/key", "s:v", JSON_SCAN_TEXT},
    /* escapes */
    {"{\"a\":\"q\\\"b\\\\s\\/n\\nt\\tr\\rb\\bf\\f\"}", "/a", "s:q\"b\\s/n\nt\tr\rb\bf\f", JSON_SCAN_TEXT},
    {"{\"a\":\"\\u00e9\\u20AC\\ud83d\\ude00\"}", "/a", "s:\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", JSON_SCAN_TEXT},
    {"{\"a\":\"\\ud83dx\\ude00\\ud83d\"}", "/a", "s:\xef\xbf\xbdx\xef\xbf\xbd\xef\xbf\xbd", JSON_SCAN_TEXT},
    {"{\"a\":\"\\ud83d\\n\\ud83d\\ud83d\\ude00\"}", "/a", "s:\xef\xbf\xbd\n\xef\xbf\xbd\xf0\x9f\x98\x80",
     JSON_SCAN_TEXT},
    {"{\"a\":\"\\u0000\"}", "/a", "s:\xef\xbf\xbd", JSON_SCAN_TEXT},
    {"{\"a\":\"\\u00g0\"}", "/a", "s:?*!", JSON_SCAN_TEXT},
    /* the first match is kept */
    {"{\"a\":1,\"a\":2}", "/a", "n:1", JSON_SCAN_TEXT},
    {"{\"items\":[{\"id\":7},{\"id\":8}]}", "/items/*/id", "n:7", JSON_SCAN_TEXT},
    {"{\"u\":{\"x\":{\"id\":\"q\"}}}", "/u/*/id", "s:q", JSON_SCAN_TEXT},
    /* filters, in either order of the members */
    {"{\"CustomFields\":[{\"name\":\"Site\",\"values\":[\"S\"]},{\"name\":\"Customer\",\"values\":[\"Cobalt\",\"x\"]}]"
     "}",
     "/CustomFields/[name=Customer]/values/0", "s:Cobalt", JSON_SCAN_TEXT},
    {"{\"CustomFields\":[{\"values\":[\"S\"],\"name\":\"Site\"},{\"values\":[\"Cobalt\"],\"id\":1,\"name\":"
     "\"Customer\"}]}",
     "/CustomFields/[name=Customer]/values/0", "s:Cobalt", JSON_SCAN_TEXT},
    {"{\"CustomFields\":[{\"values\":[\"S\"],\"name\":\"Site\"},{\"values\":[]},[\"name\",\"Customer\"],\"Customer\"]}",
     "/CustomFields/[name=Customer]/values/0", "-", JSON_SCAN_TEXT},
    {"{\"CustomFields\":[{\"sub\":{\"name\":\"Customer\"},\"values\":[\"S\"]}]}",
     "/CustomFields/[name=Customer]/values/0", "-", JSON_SCAN_TEXT},
    {"{\"f\":[{\"v\":\"1\",\"n\":\"A\"},{\"v\":\"2\",\"n\":\"A\"}]}", "/f/[n=A]/v", "s:1", JSON_SCAN_TEXT},
    {"{\"f\":[{\"v\":\"1\",\"n\":\"a/b\"}]}", "/f/[n=a~1b]/v", "s:1", JSON_SCAN_TEXT},
    {"[{\"n\":\"A\",\"n\":\"B\",\"v\":1}]", "/[n=A]/v", "n:1", JSON_SCAN_TEXT},
    {"{\"f\":[{\"v\":\"1\",\"n\":1}]}", "/f/[n=1]/v", "-", JSON_SCAN_TEXT},
    {"{\"f\":[{\"v\":\"1\"", "/f/[n=A]/v", "s:1*", JSON_SCAN_TEXT},
    /* base64 */
    {"{\"Content\":\"aGVsbG8=\"}", "/Content", "s:5", JSON_SCAN_BASE64},
    {"{\"Content\":\"aGVs\\nbG8=\\n\"}", "/Content", "s:5", JSON_SCAN_BASE64},
    {"{\"Content\":\"aG\\/s\\r\\n bG8\\u003d\"}", "/Content", "s:5", JSON_SCAN_BASE64},
    {"{\"Content\":\"\"}", "/Content", "s:0", JSON_SCAN_BASE64},
    {"{\"Content\":\"no base64!\"}", "/Content", "s:6?", JSON_SCAN_BASE64},
    {"{\"Content\":null}", "/Content", "null:0", JSON_SCAN_BASE64},
    {"{\"Content\":\"aGVsbG8", "/Content", "s:5?*", JSON_SCAN_BASE64},
    {"{\"p\":\"h\\u00fcnter2\"}", "/p", "s:8", JSON_SCAN_SIZE},
    /* not JSON, or not to its end */
    {"\xef\xbb\xbf{\"a\":1}", "/a", "n:1", JSON_SCAN_TEXT},
    {")]}',\n{\"a\":1}", "/a", "n:1", JSON_SCAN_TEXT},
    {"0123456789012345678901234567890123456789012345678901234567890123456789{\"a\":1}", "/a", "-!", JSON_SCAN_TEXT},
    {"{\"a\" 1}", "/a", "-!", JSON_SCAN_TEXT},
    {"{\"a\":}", "/a", "-!", JSON_SCAN_TEXT},
    {"{a:1}", "/a", "-!", JSON_SCAN_TEXT},
    {"{\"b\":1 \"a\":1}", "/a", "-!", JSON_SCAN_TEXT},
    {"{\"a\":1]", "/a", "n:1!", JSON_SCAN_TEXT},
    {"{\"b\":\"x\\\"\",\"a\":1}", "/a", "n:1", JSON_SCAN_TEXT},
    {"{\"b\":{\"c\":\"}\\\"}\"},\"a\":1}", "/a", "n:1", JSON_SCAN_TEXT},
    {"{\"a\":12", "/a", "n:?*", JSON_SCAN_TEXT},
    {"{\"a\":@}", "/a", "-!", JSON_SCAN_TEXT},
    {"[1,2,]", "/2", "-", JSON_SCAN_TEXT},
    {"", "/a", "-", JSON_SCAN_TEXT},
};

static void test_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < N(rows); i++) {
        struct span json = span_text(rows[i].json);
        struct json_pointer pointer;
        compile(&pointer, rows[i].pointer, rows[i].mode);
        for (size_t slice = 1; slice <= json.size + 1; slice++) {
            struct json_scan s;
            char text[400], got[404];
            json_scan_init(&s, &pointer, 1, NULL, NULL);
            for (size_t at = 0; at < json.size; at += slice)
                json_scan_feed(&s, span_sub(json, at, slice));
            snprintf(got, sizeof got, "%s%s", show(&s.values[0], rows[i].mode, text),
                     json_scan_is_broken(&s) ? "!" : "");
            if (strcmp(got, rows[i].want) != 0)
                fail_msg("%s at %s in slices of %zu: %s, want %s", rows[i].json, rows[i].pointer, slice, got,
                         rows[i].want);
        }
    }
}

struct heard {
    char text[512];
};

static void hear(void *ctx, size_t which, uint32_t element, const struct json_value *v)
{
    struct heard *h = ctx;
    size_t used = strlen(h->text);
    snprintf(h->text + used, sizeof h->text - used, "%zu/%u=%.*s#%u ", which, element, (int)v->text_size, v->text,
             v->n);
}

static void test_many(void **state)
{
    static const char json[] = "{\"total\":2,\"items\":[{\"id\":\"7\",\"sub\":{\"id\":\"no\"},\"name\":\"a\"},{"
                               "\"name\":\"b\",\"id\":\"8\"},[],{\"id\":9}],"
                               "\"user\":{\"id\":\"u\",\"name\":\"n\"},\"tail\":[[[[[[[[[[[[\"deep\",{\"id\":\"x\"}]]]]"
                               "]]]]]]]],\"last\":\"end\"}";
    static const char *const paths[] = {"/items/*/id",        "/items/*/name", "/user/name", "/last",
                                        "/items/[name=b]/id", "/user",         "/total",     "/tail/0/0/0/0/0/0/0"};
    struct json_pointer pointers[N(paths)];
    (void)state;
    for (size_t i = 0; i < N(paths); i++)
        compile(&pointers[i], paths[i], JSON_SCAN_TEXT);
    for (size_t slice = 1; slice < sizeof json; slice++) {
        struct json_scan s;
        struct heard heard = {""};
        json_scan_init(&s, pointers, N(paths), hear, &heard);
        for (size_t at = 0; at < sizeof json - 1; at += slice)
            json_scan_feed(&s, span_sub(SPAN(json), at, slice));
        assert_true(json_scan_is_done(&s));
        assert_false(json_scan_is_broken(&s));
        assert_string_equal(heard.text,
                            "6/0=2#1 0/0=7#1 1/0=a#1 1/1=b#2 0/1=8#2 4/1=8#1 0/3=9#3 5/0=#1 2/0=n#1 7/0=#1 3/0=end#1 ");
        assert_int_equal(s.values[0].n, 3);
        assert_int_equal(s.values[7].kind, JSON_ARRAY);
    }
}

/* No depth, length or width of what nobody asked for matters. */
static void test_limits(void **state)
{
    struct json_pointer pointers[2];
    struct json_scan s;
    (void)state;
    compile(&pointers[0], "/a", JSON_SCAN_TEXT);
    compile(&pointers[1], "/b/*/c", JSON_SCAN_TEXT);
    json_scan_init(&s, pointers, 2, NULL, NULL);
    json_scan_feed(&s, SPAN("{\"x\":"));
    for (int i = 0; i < 1000000; i++)
        json_scan_feed(&s, SPAN("[{\"k\":"));
    json_scan_feed(&s, SPAN("1"));
    for (int i = 0; i < 1000000; i++)
        json_scan_feed(&s, SPAN("}]"));
    json_scan_feed(&s, SPAN(",\"b\":{\"x\":{\"c\":1,"));
    for (int i = 0; i < 1000; i++)
        json_scan_feed(&s, SPAN("\"a long name that goes on and on\":0,"));
    json_scan_feed(&s, SPAN("\"d\":0}},\""));
    for (int i = 0; i < 1000; i++)
        json_scan_feed(&s, SPAN("another very long key"));
    json_scan_feed(&s, SPAN("\":1,\"a\":\""));
    for (int i = 0; i < 85; i++)
        json_scan_feed(&s, SPAN("\xe2\x82\xac"));
    json_scan_feed(&s, SPAN("\xe2\x82\xac\"}"));
    assert_true(json_scan_is_done(&s));
    assert_int_equal(s.values[1].n, 1);
    assert_int_equal(s.values[0].text_size, 255); /* cut at a character */
    assert_true(s.values[0].is_cut);
}

static void test_base64_large(void **state)
{
    static const char line[] = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0\\n";
    struct json_pointer pointers[2];
    struct json_scan s;
    (void)state;
    compile(&pointers[0], "/Content", JSON_SCAN_BASE64);
    compile(&pointers[1], "/Filename", JSON_SCAN_TEXT);
    json_scan_init(&s, pointers, 2, NULL, NULL);
    json_scan_feed(&s, SPAN("{\"Content\":\""));
    for (int i = 0; i < 1000000; i++)
        json_scan_feed(&s, SPAN(line));
    assert_int_equal(s.values[0].size, 57000000);
    assert_true(s.values[0].is_unsure); /* until its end */
    json_scan_feed(&s, SPAN("eHg=\\n\",\"Filename\":\"x.har\"}"));
    assert_int_equal(s.values[0].size, 57000002);
    assert_false(s.values[0].is_unsure);
    assert_int_equal(s.values[1].text_size, 5);
}

static void test_gap(void **state)
{
    struct json_pointer pointers[2];
    struct json_scan s;
    (void)state;
    compile(&pointers[0], "/Content", JSON_SCAN_BASE64);
    compile(&pointers[1], "/Filename", JSON_SCAN_TEXT);

    /* within the base64: estimated, marked, and what follows is still read */
    json_scan_init(&s, pointers, 2, NULL, NULL);
    json_scan_feed(&s, SPAN("{\"Content\":\"QUJDREVGR0hJ"));
    json_scan_gap(&s, 1200);
    json_scan_feed(&s, SPAN("QUJD\",\"Filename\":\"x.har\"}"));
    assert_int_equal(s.values[0].size, 912);
    assert_true(s.values[0].is_unsure);
    assert_int_equal(s.values[1].text_size, 5);

    /* over its end: what follows is not believed */
    json_scan_init(&s, pointers, 2, NULL, NULL);
    json_scan_feed(&s, SPAN("{\"Content\":\"QUJDREVGR0hJ"));
    json_scan_gap(&s, 40);
    json_scan_feed(&s, SPAN(".Z\",\"Filename\":\"x.har\"}"));
    assert_true(json_scan_is_broken(&s));
    assert_int_equal(s.values[1].kind, JSON_NONE);

    /* anywhere else: the end of it */
    json_scan_init(&s, pointers, 2, NULL, NULL);
    json_scan_feed(&s, SPAN("{\"Filename\":\"x."));
    json_scan_gap(&s, 1);
    json_scan_feed(&s, SPAN("har\",\"Content\":\"QUJD\"}"));
    assert_true(json_scan_is_broken(&s));
    assert_false(s.values[1].is_done);
    assert_int_equal(s.values[0].kind, JSON_NONE);

    json_scan_init(&s, pointers, 2, NULL, NULL);
    json_scan_feed(&s, SPAN("{\"Filename\":\"x.har\""));
    json_scan_gap(&s, 0); /* nothing is missing */
    json_scan_feed(&s, SPAN("}"));
    json_scan_gap(&s, 5); /* after the end */
    assert_true(json_scan_is_done(&s) && !json_scan_is_broken(&s));
}

static void test_compile(void **state)
{
    static const struct {
        const char *text;
        int result;
    } cases[] = {
        {"/a", E_OK},
        {"/a/b/c/d/e/f/g/h", E_OK},
        {"/a/b/c/d/e/f/g/h/i", E_LIMIT},
        {"", E_BAD},
        {"/", E_BAD},
        {"a", E_BAD},
        {"/a~2", E_BAD},
        {"/a~", E_BAD},
        {"/[a=b]", E_BAD},
        {"/[a=b]/[c=d]/e", E_BAD},
        {"/[ab]/c", E_BAD},
        {"/[=b]/c", E_BAD},
        {"/[a=]/c", E_OK},
        {"/*", E_OK},
        {"/0", E_OK},
        {"/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", E_LIMIT},
    };
    (void)state;
    for (size_t i = 0; i < N(cases); i++) {
        struct json_pointer p;
        const char *why = NULL;
        if (json_pointer_compile(span_text(cases[i].text), JSON_SCAN_TEXT, &p, &why) != cases[i].result)
            fail_msg("%s", cases[i].text);
        assert_true((why != NULL) == (cases[i].result != E_OK));
        (void)json_pointer_compile(span_text(cases[i].text), JSON_SCAN_TEXT, &p, NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),       cmocka_unit_test(test_many), cmocka_unit_test(test_limits),
        cmocka_unit_test(test_base64_large), cmocka_unit_test(test_gap),  cmocka_unit_test(test_compile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
