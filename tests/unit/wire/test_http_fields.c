/* SPDX-License-Identifier: Apache-2.0
 * Header fields and URLs: what the RFCs say, what browsers and proxies do, and what an attacker would try. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/err.h"
#include "wire/auth.h"
#include "wire/content.h"
#include "wire/cookie.h"
#include "wire/disposition.h"
#include "wire/forwarded.h"
#include "wire/param.h"
#include "wire/unicode.h"
#include "wire/url.h"

#define N(array) (sizeof(array) / sizeof *(array))

static uint8_t memory[4096];

static struct arena fresh(void)
{
    struct arena a;
    arena_init(&a, memory, sizeof memory);
    return a;
}

/* "-" stands for a span that is not there. */
static void assert_span(struct span got, const char *want)
{
    if (strcmp(want, "-") == 0) {
        assert_null(got.at);
        return;
    }
    if (!span_eq(got, span_text(want)))
        fail_msg("got \"%.*s\", want \"%s\"", (int)got.size, (const char *)got.at, want);
}

static void test_url_split(void **state)
{
    static const struct {
        const char *target, *scheme, *host, *path, *query;
        uint16_t port;
    } rows[] = {
        {"/Ticket/Display.html?id=2", "-", "-", "/Ticket/Display.html", "id=2", 0},
        {"/a?", "-", "-", "/a", "", 0},
        {"/a?b?c#d?e", "-", "-", "/a", "b?c", 0},
        {"*", "-", "-", "*", "-", 0},
        {"", "-", "-", "", "-", 0},
        {"http://h.example/x", "http", "h.example", "/x", "-", 0},
        {"HTTPS://u:p@h.example:8443?q=http://z", "HTTPS", "h.example", "", "q=http://z", 8443},
        {"http://[2001:db8::1]:80/", "http", "2001:db8::1", "/", "-", 80},
        {"http://[2001:db8::1", "http", "2001:db8::1", "", "-", 0},
        {"http://a@b@c/", "http", "c", "/", "-", 0},
        {"http://h:99999/", "http", "h", "/", "-", 0},
        {"//cdn.example/o/f", "-", "cdn.example", "/o/f", "-", 0},
        {"/x?next=http://evil/", "-", "-", "/x", "next=http://evil/", 0},
        {"next/page?x", "-", "-", "next/page", "x", 0},
        {"1http://h/", "-", "-", "1http://h/", "-", 0},
        {"http:/odd", "-", "-", "http:/odd", "-", 0},
    };
    (void)state;
    for (size_t i = 0; i < N(rows); i++) {
        struct url u;
        url_split(span_text(rows[i].target), &u);
        assert_span(u.scheme, rows[i].scheme);
        assert_span(u.host, rows[i].host);
        assert_span(u.path, rows[i].path);
        assert_span(u.query, rows[i].query);
        assert_int_equal(u.port, rows[i].port);
    }
}

static void test_url_decode(void **state)
{
    static const struct {
        const char *raw, *plain, *form;
    } rows[] = {
        {"plain", "plain", "plain"},
        {"a%20b", "a b", "a b"},
        {"a+b", "a+b", "a b"},
        {"%C3%BC", "\xc3\xbc", "\xc3\xbc"},
        {"%c3%bc", "\xc3\xbc", "\xc3\xbc"},
        {"100%", "100%", "100%"},
        {"%4", "%4", "%4"},
        {"%zz%41", "%zzA", "%zzA"},
        {"%2541", "%41", "%41"},
        {"", "", ""},
        {"%2B+", "++", "+ "},
    };
    (void)state;
    for (size_t i = 0; i < N(rows); i++) {
        struct arena a = fresh();
        assert_span(url_decode(span_text(rows[i].raw), false, &a), rows[i].plain);
        assert_span(url_decode(span_text(rows[i].raw), true, &a), rows[i].form);
        assert_true(url_decodes_to(span_text(rows[i].raw), false, span_text(rows[i].plain)));
        assert_true(url_decodes_to(span_text(rows[i].raw), true, span_text(rows[i].form)));
        assert_false(url_decodes_to(span_text(rows[i].raw), true, SPAN("another thing")));
    }
    struct arena small;
    uint8_t two[2];
    arena_init(&small, two, sizeof two);
    assert_null(url_decode(SPAN("%41%42%43"), false, &small).at);
    assert_true(small.is_full);
    struct arena none = fresh();
    const struct span plain = SPAN("abc");
    assert_ptr_equal(url_decode(plain, true, &none).at, plain.at);
    assert_int_equal(none.used, 0);
}

static void test_url_pairs(void **state)
{
    static const struct {
        const char *name, *value;
    } want[] = {{"id", "2"}, {"flag", "-"}, {"empty", ""}, {"", "nameless"}, {"a", "b=c"}};
    struct span rest = SPAN("id=2&flag&&empty=&=nameless&a=b=c&"), name, value;
    size_t n = 0;
    (void)state;
    for (; url_next_pair(&rest, &name, &value); n++) {
        assert_true(n < N(want));
        assert_span(name, want[n].name);
        assert_span(value, want[n].value);
    }
    assert_int_equal(n, N(want));
    struct arena a = fresh();
    assert_true(url_arg(SPAN("x=1&user%6eame=maria+s%40x&username=2"), SPAN("username"), &a, &value));
    assert_span(value, "maria s@x");
    assert_false(url_arg(SPAN("x=1&usernam=2"), SPAN("username"), &a, &value));
    assert_false(url_arg(span_of(NULL, 0), SPAN("username"), &a, &value));
    assert_span(url_last_segment(SPAN("/a/b/c.har")), "c.har");
    assert_span(url_last_segment(SPAN("/a/b/")), "");
    assert_span(url_last_segment(SPAN("c")), "c");
}

static void test_param(void **state)
{
    static const struct {
        const char *name, *value;
    } want[] = {{"a", "1"}, {"b", "\"x;y\""}, {"c", "\"q\\\"u\""}, {"d", "-"}, {"e", "\"open"}, {"f", "2"}};
    struct span rest = SPAN(" a=1 ; b = \"x;y\";;c=\"q\\\"u\"; d; e=\"open; f=2 "), name, value;
    size_t n = 0;
    (void)state;
    for (; param_next(&rest, &name, &value); n++) {
        assert_true(n < N(want));
        assert_span(name, want[n].name);
        assert_span(value, want[n].value);
    }
    assert_int_equal(n, N(want));
    struct arena a = fresh();
    assert_span(param_value(SPAN("\"q\\\"u\\o\""), false, &a), "q\"uo");
    assert_span(param_value(SPAN("\"q\\\"u\\o\""), true, &a), "q\"u\\o");
    assert_span(param_value(SPAN("\"c:\\\\d\\e\""), true, &a), "c:\\d\\e");
    assert_span(param_value(SPAN("bare\\x"), false, &a), "bare\\x");
    assert_span(param_value(SPAN("\""), false, &a), "\"");
    assert_span(param_value(SPAN("\"\\\""), false, &a), "\\");
}

static void test_cookie(void **state)
{
    static const struct {
        const char *name, *value;
    } want[] = {{"RT_SID_h.8080", "d31274e8"}, {"b", "x=y"}, {"q", "z"}, {"-", "bare"}, {"e", ""}};
    struct span rest = SPAN("RT_SID_h.8080=d31274e8; b=x=y;q=\"z\" ;;  bare; e="), name, value;
    size_t n = 0;
    (void)state;
    for (; cookie_next(&rest, &name, &value); n++) {
        assert_true(n < N(want));
        assert_span(name, want[n].name);
        assert_span(value, want[n].value);
    }
    assert_int_equal(n, N(want));
}

static void test_set_cookie(void **state)
{
    struct cookie_set c;
    (void)state;
    assert_true(cookie_set_parse(SPAN("RT_SID_x.8080=abc; path=/; secure; HttpOnly"), &c));
    assert_span(c.name, "RT_SID_x.8080");
    assert_span(c.value, "abc");
    assert_span(c.path, "/");
    assert_null(c.domain.at);
    assert_true(c.is_secure && c.is_http_only && !c.has_max_age && !c.has_expires);
    assert_false(cookie_set_is_removal(&c, 1774000000));

    static const struct {
        const char *field;
        bool is_removal; /* at 1774000000, 20 March 2026 */
    } rows[] = {
        {"sid=; Path=/", true},
        {"sid=x; Max-Age=0", true},
        {"sid=x; Max-Age=-1", true},
        {"sid=x; Max-Age=3600; Expires=Thu, 01 Jan 1970 00:00:00 GMT", false},
        {"sid=x; Expires=Thu, 01 Jan 1970 00:00:00 GMT", true},
        {"sid=x; expires=Thu, 01-Jan-70 00:00:00 GMT", true},
        {"sid=x; Expires=Sun, 01 Jan 1601 00:00:00 GMT", true},
        {"sid=x; Expires=Fri, 20 Mar 2026 09:46:40 GMT", true},
        {"sid=x; Expires=Fri, 20 Mar 2026 09:46:41 GMT", false},
        {"sid=x; Expires=whenever", false},
        {"sid=x; Max-Age=tomorrow", false},
        {"sid=x; Max-Age=99999999999999999999", false},
        {"sid=\"\"", true},
    };
    for (size_t i = 0; i < N(rows); i++) {
        assert_true(cookie_set_parse(span_text(rows[i].field), &c));
        assert_span(c.name, "sid");
        if (cookie_set_is_removal(&c, 1774000000) != rows[i].is_removal)
            fail_msg("%s", rows[i].field);
    }
    assert_false(cookie_set_parse(SPAN("novalue; Path=/"), &c));
    assert_false(cookie_set_parse(SPAN("=x"), &c));
    assert_false(cookie_set_parse(span_of(NULL, 0), &c));
}

static void test_cookie_date(void **state)
{
    static const struct {
        const char *text;
        uint64_t seconds;
    } rows[] = {
        {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777}, {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777},
        {"Sun Nov  6 08:49:37 1994", 784111777},      {"Thu, 29 Feb 2024 23:59:59 GMT", 1709251199},
        {"01 Jan 2000 00:00:00", 946684800},          {"Fri, 31 Dec 9999 23:59:59 GMT", 253402300799},
    };
    static const char *const bad[] = {"",
                                      "Sun, 06 Nov 1994",
                                      "06 Foo 1994 08:49:37",
                                      "06 Nov 1994 24:00:00",
                                      "32 Nov 1994 1:1:1",
                                      "06 Nov 1600 08:49:37"};
    uint64_t got;
    (void)state;
    for (size_t i = 0; i < N(rows); i++) {
        assert_true(cookie_date(span_text(rows[i].text), &got));
        assert_int_equal(got, rows[i].seconds);
    }
    for (size_t i = 0; i < N(bad); i++)
        assert_false(cookie_date(span_text(bad[i]), &got));
}

/* A hop as text: "1.2.3.4:80", "unknown", "hidden", "bad". */
static const char *hop_text(struct forwarded_hop hop, char out[80])
{
    static const char *const words[] = {"", "unknown", "hidden", "bad"};
    char ip[IPADDR_TEXT_MAX];
    if (hop.kind != FORWARDED_ADDRESS)
        return words[hop.kind];
    if (hop.port)
        snprintf(out, 80, "%s:%u", ipaddr_text(&hop.ip, ip), hop.port);
    else
        snprintf(out, 80, "%s", ipaddr_text(&hop.ip, ip));
    return out;
}

static void test_forwarded(void **state)
{
    static const struct {
        const char *name, *first, *second; /* two fields; second may be NULL */
        const char *hops;                  /* rightmost first */
    } rows[] = {
        {"X-Forwarded-For", "198.51.100.200, 67.43.156.9", NULL, "67.43.156.9 198.51.100.200 "},
        {"x-forwarded-for", "1.1.1.1", "2.2.2.2", "2.2.2.2 1.1.1.1 "},
        {"X-Forwarded-For", " 2001:db8::1 ,[2001:db8::2]:443,10.0.0.1:80, , unknown", NULL,
         "unknown 10.0.0.1:80 2001:db8::2:443 2001:db8::1 "},
        {"X-Forwarded-For", "<script>, 300.1.1.1, _gaz", NULL, "hidden bad bad "},
        {"X-Real-IP", "192.0.2.7", NULL, "192.0.2.7 "},
        {"Forwarded", "for=192.0.2.43;proto=http;by=203.0.113.43, for=198.51.100.17", NULL,
         "198.51.100.17 192.0.2.43 "},
        {"Forwarded", "For=\"[2001:db8:cafe::17]:4711\"", NULL, "2001:db8:cafe::17:4711 "},
        {"Forwarded", "for=\"_gazonk\"", "for=unknown, by=10.0.0.1;proto=https", "unknown unknown hidden "},
        {"Forwarded", "for=\"192.0.2.1:_x\";host=\"a,b;c\", for=10.1.1.1", NULL, "10.1.1.1 192.0.2.1 "},
        {"Forwarded", "for=\"[fe80::1%eth0]\"", NULL, "fe80::1 "},
        /* a mark left open by the client does not hide what the proxies add */
        {"Forwarded", "for=\"evil, for=10.1.1.1", NULL, "10.1.1.1 bad "},
        {"Forwarded", "for=\"evil, for=\"[2001:db8::5]\"", NULL, "2001:db8::5 bad "},
        {"Forwarded", "for=\", for=10.1.1.1;proto=\"https\"", NULL, "10.1.1.1 bad "},
        {"Forwarded", "for=\"evil\\", "for=10.1.1.1", "10.1.1.1 bad "},
        {"Forwarded", "", NULL, ""},
        {"X-Forwarded-For", ",,", NULL, ""},
        {"Forwarded", "for=\"[::1]x\", for=[::1, for=:80, for=1.2.3.4:999999", NULL, "bad bad bad bad "},
    };
    (void)state;
    for (size_t i = 0; i < N(rows); i++) {
        struct field list[3] = {{SPAN("Host"), SPAN("9.9.9.9")}, {span_text(rows[i].name), span_text(rows[i].first)}};
        struct fields fields = {list, 2, 3, false};
        if (rows[i].second)
            fields_add(&fields, span_text(rows[i].name), span_text(rows[i].second));
        struct forwarded_hop hops[FORWARDED_MAX];
        char got[256] = "", one[80];
        size_t all, n = forwarded_hops(&fields, span_text(rows[i].name), hops, FORWARDED_MAX, &all);
        assert_int_equal(n, all);
        for (size_t h = 0; h < n; h++) {
            strcat(got, hop_text(hops[h], one));
            strcat(got, " ");
        }
        assert_string_equal(got, rows[i].hops);
    }
}

static void test_forwarded_many(void **state)
{
    char text[4000] = "";
    (void)state;
    for (int i = 0; i < 200; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s10.0.0.%d", i ? "," : "", i);
    struct field list[1] = {{SPAN("X-Forwarded-For"), span_text(text)}};
    struct fields fields = {list, 1, 1, false};
    struct forwarded_hop hops[4];
    size_t all;
    assert_int_equal(forwarded_hops(&fields, SPAN("X-Forwarded-For"), hops, 4, &all), 4);
    assert_int_equal(all, 200);
    for (int i = 0; i < 4; i++)
        assert_int_equal(hops[i].ip.bytes[15], 199 - i);
}

static void test_disposition(void **state)
{
    static const struct {
        const char *field, *name, *filename;
        enum disposition_type type;
        bool has_filename;
    } rows[] = {
        {"attachment", "-", "-", DISPOSITION_ATTACHMENT, false},
        {"inline; filename=\"a b.txt\"", "-", "a b.txt", DISPOSITION_INLINE, true},
        {"Attachment;FileName=plain.har", "-", "plain.har", DISPOSITION_ATTACHMENT, true},
        {"attachment; filename=\"q\\\"uo\\\\te.txt\"", "-", "te.txt", DISPOSITION_ATTACHMENT, true},
        {"attachment; filename=\"f\\oo.html\"", "-", "foo.html", DISPOSITION_ATTACHMENT, true},
        {"attachment; filename=\"semi;colon.txt\"", "-", "semi;colon.txt", DISPOSITION_ATTACHMENT, true},
        {"attachment; filename=\"fallback.txt\"; filename*=UTF-8''na%C3%AFve%20file.txt", "-", "na\xc3\xafve file.txt",
         DISPOSITION_ATTACHMENT, true},
        {"attachment; filename*=utf-8'en'%e2%82%ac.txt; filename=x", "-", "\xe2\x82\xac.txt", DISPOSITION_ATTACHMENT,
         true},
        {"attachment; filename*=iso-8859-1''%A3%20rates", "-", "\xc2\xa3 rates", DISPOSITION_ATTACHMENT, true},
        {"attachment; filename*=UTF-8''bad%ff.txt; filename=\"good.txt\"", "-", "good.txt", DISPOSITION_ATTACHMENT,
         true},
        {"attachment; filename*=KOI8-R''x; filename=y", "-", "y", DISPOSITION_ATTACHMENT, true},
        {"attachment; filename*=nonsense; filename=y", "-", "y", DISPOSITION_ATTACHMENT, true},
        {"attachment; filename*=UTF-8''..%2F..%2Fetc%2Fpasswd", "-", "passwd", DISPOSITION_ATTACHMENT, true},
        {"attachment; filename=\"../../a\"", "-", "a", DISPOSITION_ATTACHMENT, true},
        {"attachment; filename=\"C:\\\\temp\\\\a.txt\"", "-", "a.txt", DISPOSITION_ATTACHMENT, true},
        {"attachment; filename=\"..\"", "-", "-", DISPOSITION_ATTACHMENT, true},
        {"attachment; filename=\"caf\xe9.txt\"", "-", "caf\xc3\xa9.txt", DISPOSITION_ATTACHMENT, true},
        {"attachment; filename=\"caf\xc3\xa9.txt\"", "-", "caf\xc3\xa9.txt", DISPOSITION_ATTACHMENT, true},
        {"attachment; filename=\"a\x1b[2Jb\x7f.txt\"", "-", "a_[2Jb_.txt", DISPOSITION_ATTACHMENT, true},
        {"attachment; filename*=UTF-8''ev%E2%80%AEfdp.exe", "-", "ev_fdp.exe", DISPOSITION_ATTACHMENT, true},
        {"attachment; filename=\"\"", "-", "-", DISPOSITION_ATTACHMENT, true},
        {"attachment; filename=\"open.txt", "-", "\"open.txt", DISPOSITION_ATTACHMENT, true},
        {"filename=\"notype.txt\"", "-", "notype.txt", DISPOSITION_ATTACHMENT, true},
        {"x-other; filename=z", "-", "z", DISPOSITION_OTHER, true},
        {"form-data; name=\"Attach\"; filename=\"trace.har\"", "Attach", "trace.har", DISPOSITION_FORM_DATA, true},
        {"form-data; name=\"UpdateContent\"", "UpdateContent", "-", DISPOSITION_FORM_DATA, false},
        {"form-data; name=\"f\"; filename=\"\"", "f", "-", DISPOSITION_FORM_DATA, true},
        {"form-data; name=\"f\"; filename=\"C:\\Users\\x\\a b.txt\"", "f", "a b.txt", DISPOSITION_FORM_DATA, true},
        {"form-data; name=\"a\\\"b\"; filename=\"q%22uo.txt\"", "a\"b", "q\"uo.txt", DISPOSITION_FORM_DATA, true},
        {"form-data; name=\"a\"; filename=\"50%25 off%0D%0A.txt\"", "a", "50%25 off__.txt", DISPOSITION_FORM_DATA,
         true},
        {"", "-", "-", DISPOSITION_NONE, false},
    };
    (void)state;
    for (size_t i = 0; i < N(rows); i++) {
        struct arena a = fresh();
        struct disposition d;
        disposition_parse(span_text(rows[i].field), &a, &d);
        assert_int_equal(d.type, rows[i].type);
        assert_int_equal(d.has_filename, rows[i].has_filename);
        assert_span(d.name, rows[i].name);
        assert_span(d.filename, rows[i].filename);
        assert_false(a.is_full);
    }
    struct arena none;
    struct disposition d;
    arena_init(&none, memory, 0);
    disposition_parse(SPAN("attachment; filename*=UTF-8''a%20b"), &none, &d);
    assert_null(d.filename.at);
    assert_true(none.is_full && d.has_filename);
}

static void test_content_type(void **state)
{
    static const struct {
        const char *field, *media, *boundary, *charset;
        bool is_good;
    } rows[] = {
        {"text/html", "text/html", "-", "-", true},
        {"Text/HTML; Charset=UTF-8", "text/html", "-", "UTF-8", true},
        {"multipart/form-data; boundary=----WebKitFormBoundaryA1", "multipart/form-data", "----WebKitFormBoundaryA1",
         "-", true},
        {"multipart/mixed;boundary=\"a b;c\";charset=x", "multipart/mixed", "a b;c", "x", true},
        {"application/vnd.api+json", "application/vnd.api+json", "-", "-", true},
        {"text", "", "-", "-", false},
        {"text/", "", "-", "-", false},
        {"/html", "", "-", "-", false},
        {"te xt/html; charset=a", "", "-", "a", false},
        {"", "", "-", "-", false},
    };
    struct content_type t;
    (void)state;
    for (size_t i = 0; i < N(rows); i++) {
        assert_int_equal(content_type_parse(span_text(rows[i].field), &t), rows[i].is_good);
        assert_string_equal(t.media, rows[i].media);
        assert_int_equal(t.media_size, strlen(rows[i].media));
        assert_span(t.boundary, rows[i].boundary);
        assert_span(t.charset, rows[i].charset);
    }
    char large[200] = "a/";
    memset(large + 2, 'b', 150);
    assert_false(content_type_parse(span_text(large), &t));
    assert_string_equal(t.media, "");
}

static void test_content_range(void **state)
{
    static const struct {
        const char *field;
        int result;
        struct content_range want;
    } rows[] = {
        {"bytes 0-99/1234", E_OK, {0, 99, 1234, true, true}},
        {"Bytes  5-5/6", E_OK, {5, 5, 6, true, true}},
        {"bytes 0-99/*", E_OK, {0, 99, 0, true, false}},
        {"bytes */1234", E_OK, {0, 0, 1234, false, true}},
        {"bytes=0-9/10", E_OK, {0, 9, 10, true, true}},
        {"bytes 18446744073709551614-18446744073709551615/*", E_OK, {UINT64_MAX - 1, UINT64_MAX, 0, true, false}},
        {"bytes */*", E_BAD, {0}},
        {"bytes 9-0/10", E_BAD, {0}},
        {"bytes 0-10/10", E_BAD, {0}},
        {"bytes 0-18446744073709551616/*", E_BAD, {0}},
        {"items 0-9/10", E_BAD, {0}},
        {"bytes 0-9", E_BAD, {0}},
        {"bytes -9/10", E_BAD, {0}},
        {"", E_BAD, {0}},
    };
    (void)state;
    for (size_t i = 0; i < N(rows); i++) {
        struct content_range got;
        assert_int_equal(content_range_parse(span_text(rows[i].field), &got), rows[i].result);
        assert_int_equal(got.first, rows[i].want.first);
        assert_int_equal(got.last, rows[i].want.last);
        assert_int_equal(got.total, rows[i].want.total);
        assert_int_equal(got.has_range, rows[i].want.has_range);
        assert_int_equal(got.has_total, rows[i].want.has_total);
    }
}

static void test_content_wanted(void **state)
{
    static const struct {
        const char *field;
        int result;
        struct content_wanted want;
    } rows[] = {
        {"bytes=0-99", E_OK, {0, 99, 0, 1}},
        {"bytes=100-", E_OK, {100, UINT64_MAX, 0, 1}},
        {"bytes=-500", E_OK, {0, 0, 500, 1}},
        {"bytes=0-1, 5-6 ,-1", E_OK, {0, 1, 0, 3}},
        {"bytes=5-1", E_BAD, {0}},
        {"bytes=", E_BAD, {0}},
        {"bytes=a-b", E_BAD, {0}},
        {"bytes=0-1,x", E_BAD, {0}},
        {"lines=0-1", E_BAD, {0}},
    };
    (void)state;
    for (size_t i = 0; i < N(rows); i++) {
        struct content_wanted got;
        assert_int_equal(content_wanted_parse(span_text(rows[i].field), &got), rows[i].result);
        assert_int_equal(got.first, rows[i].want.first);
        assert_int_equal(got.last, rows[i].want.last);
        assert_int_equal(got.suffix, rows[i].want.suffix);
        assert_int_equal(got.n, rows[i].want.n);
    }
}

static void test_auth_split(void **state)
{
    static const struct {
        const char *field, *name, *credentials;
        enum auth_scheme scheme;
    } rows[] = {
        {"Basic dXNlcjpwYXNz", "Basic", "dXNlcjpwYXNz", AUTH_BASIC},
        {"bearer  abc.def.ghi ", "bearer", "abc.def.ghi", AUTH_BEARER},
        {"token 1-48-0a1b", "token", "1-48-0a1b", AUTH_TOKEN},
        {"NTLM TlRMTVNT", "NTLM", "TlRMTVNT", AUTH_NEGOTIATE},
        {"GenieKey 123 456", "GenieKey", "123 456", AUTH_OTHER},
        {"barekey", "-", "barekey", AUTH_OTHER},
    };
    struct auth got;
    (void)state;
    for (size_t i = 0; i < N(rows); i++) {
        assert_true(auth_split(span_text(rows[i].field), &got));
        assert_int_equal(got.scheme, rows[i].scheme);
        assert_span(got.name, rows[i].name);
        assert_span(got.credentials, rows[i].credentials);
    }
    assert_false(auth_split(SPAN("  "), &got));
}

static void test_auth_users(void **state)
{
    static const struct {
        const char *credentials, *user;
        int result;
    } rows[] = {
        {"dXNlcjpwYXNz", "user", E_OK}, /* user:pass */
        {"c3ZjLWV4cG9ydDpzM2NyZXQ6d2l0aDpjb2xvbnM=", "svc-export", E_OK},
        {"bWFyaWEuc2lsdmFAeC5leGFtcGxlOg==", "maria.silva@x.example", E_OK}, /* no password */
        {"OnBhc3M=", "-", E_NONE},                                           /* :pass */
        {"dXNlcg==", "-", E_BAD},                                            /* user, no colon */
        {"!!!!", "-", E_BAD},
        {"", "-", E_BAD},
    };
    (void)state;
    for (size_t i = 0; i < N(rows); i++) {
        struct arena a = fresh();
        struct span user = {0};
        assert_int_equal(auth_basic_user(span_text(rows[i].credentials), &a, &user), rows[i].result);
        if (rows[i].result == E_OK)
            assert_span(user, rows[i].user);
        /* whatever came, no password reached the arena */
        assert_true(memmem(memory, a.used, "pass", 4) == NULL && memmem(memory, a.used, "s3cret", 6) == NULL);
    }
    char large[1000];
    memset(large, 'Q', sizeof large);
    struct arena a = fresh();
    struct span user;
    assert_int_equal(auth_basic_user(span_of(large, sizeof large), &a, &user), E_LIMIT);
    assert_int_equal(auth_digest_user(SPAN("realm=\"x, username=y\", username=\"Mu\\\"fasa\", uri=\"/\""), &a, &user),
                     E_OK);
    assert_span(user, "Mu\"fasa");
    assert_int_equal(auth_digest_user(SPAN("realm=\"x\""), &a, &user), E_NONE);
}

static void test_auth_jwt(void **state)
{
    struct arena a = fresh();
    struct span claims;
    (void)state;
    /* {"alg":"HS256"} . {"sub":"maria.silva","exp":1} . xx */
    assert_int_equal(
        auth_jwt_claims(SPAN("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJtYXJpYS5zaWx2YSIsImV4cCI6MX0.xx"), &a, &claims), E_OK);
    assert_span(claims, "{\"sub\":\"maria.silva\",\"exp\":1}");
    static const char *const bad[] = {"",
                                      "a.b.c",
                                      "eyJh.eyJz",
                                      "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJt!!!.xx",
                                      "eyJhbGciOiJIUzI1NiJ9..xx",
                                      "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJtYXJpYS5zaWx2YSJ9.xx.yy.zz"};
    for (size_t i = 0; i < N(bad); i++)
        assert_int_equal(auth_jwt_claims(span_text(bad[i]), &a, &claims), E_BAD);
    uint8_t few[8];
    arena_init(&a, few, sizeof few);
    assert_int_equal(
        auth_jwt_claims(SPAN("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJtYXJpYS5zaWx2YSIsImV4cCI6MX0.xx"), &a, &claims), E_LIMIT);
}

static void test_unicode(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        uint32_t code;
    } rows[] = {
        {"A", 1, 'A'},
        {"\xc3\xa9", 2, 0xe9},
        {"\xe2\x82\xac", 3, 0x20ac},
        {"\xf0\x9f\x98\x80", 4, 0x1f600},
        {"\xc0\x80", 0, 0},
        {"\xe0\x80\x80", 0, 0},
        {"\xed\xa0\x80", 0, 0},
        {"\xf4\x90\x80\x80", 0, 0},
        {"\xf5", 0, 0},
        {"\x80", 0, 0},
        {"\xc3", 0, 0},
        {"\xe2\x82", 0, 0},
        {"\xc3"
         "A",
         0, 0},
    };
    (void)state;
    for (size_t i = 0; i < N(rows); i++) {
        uint32_t code = 0;
        uint8_t back[4];
        assert_int_equal(unicode_get(span_text(rows[i].bytes), &code), rows[i].size);
        if (rows[i].size) {
            assert_int_equal(code, rows[i].code);
            assert_int_equal(unicode_put(code, back), rows[i].size);
            assert_memory_equal(back, rows[i].bytes, rows[i].size);
        }
    }
    uint8_t out[4];
    assert_int_equal(unicode_put(0xd800, out), 3);
    assert_memory_equal(out, "\xef\xbf\xbd", 3);
    assert_int_equal(unicode_cut(SPAN("ab\xe2\x82")), 2);
    assert_int_equal(unicode_cut(SPAN("ab\xe2\x82\xac")), 5);
    assert_int_equal(unicode_cut(SPAN("ab")), 2);
    assert_int_equal(unicode_cut(SPAN("\x82\x82")), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_url_split),      cmocka_unit_test(test_url_decode),
        cmocka_unit_test(test_url_pairs),      cmocka_unit_test(test_param),
        cmocka_unit_test(test_cookie),         cmocka_unit_test(test_set_cookie),
        cmocka_unit_test(test_cookie_date),    cmocka_unit_test(test_forwarded),
        cmocka_unit_test(test_forwarded_many), cmocka_unit_test(test_disposition),
        cmocka_unit_test(test_content_type),   cmocka_unit_test(test_content_range),
        cmocka_unit_test(test_content_wanted), cmocka_unit_test(test_auth_split),
        cmocka_unit_test(test_auth_users),     cmocka_unit_test(test_auth_jwt),
        cmocka_unit_test(test_unicode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
