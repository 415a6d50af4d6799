/* SPDX-License-Identifier: Apache-2.0
 * Names in bodies, and what may be shown of them; drafts of transactions handed to the hooks. */
#include "app/suggest.h"
#include "app/suggest_seen.h"

#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka wants those above first */
#include <cmocka.h>

static void names_in_bodies(void **state)
{
    (void)state;
    static const struct {
        const char *type, *body, *user, *pass, *new_pass, *upload;
    } rows[] = {
        {"application/x-www-form-urlencoded", "user=ann&pass=x", "user", "pass", "", ""},
        {"application/x-www-form-urlencoded", "name=a&email=b&login=c&passwd=d", "login", "passwd", "", ""},
        {"application/x-www-form-urlencoded", "user%5Bemail%5D=a&user%5Bpassword%5D=b", "user[email]", "user[password]", "", ""},
        {"application/x-www-form-urlencoded", "user=ann&pass=", "user", "", "", ""},
        {"application/x-www-form-urlencoded", "CurrentPass=a&NewPass1=b", "", "CurrentPass", "NewPass1", ""},
        {"application/x-www-form-urlencoded", "a%27b=1&user%0a=x&pass%7b=y", "", "", "", ""},
        {"application/json", "{\"email\":\"a@b\",\"password\":\"x\"}", "email", "password", "", ""},
        {"application/json", "{\"email\":\"a@b\",\"password\":\"\"}", "email", "", "", ""},
        {"application/json", "{\"email\":", "", "", "", ""},
        {"application/json", "not json", "", "", "", ""},
        {"multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"File\"; filename=\"a.har\"\r\n\r\nx\r\n"
         "--b\r\nContent-Disposition: form-data; name=\"user\"\r\n\r\nann\r\n--b--\r\n", "user", "", "", "File"},
        {"multipart/form-data", "--b", "", "", "", ""},
        {"text/plain", "user=ann&pass=x", "", "", "", ""},
        {"", "", "", "", "", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct body_names names;
        suggest_body(span_text(rows[i].type), span_text(rows[i].body), &names);
        assert_string_equal(names.user, rows[i].user);
        assert_string_equal(names.pass, rows[i].pass);
        assert_string_equal(names.new_pass, rows[i].new_pass);
        assert_string_equal(names.upload, rows[i].upload);
    }
}

static void names_that_may_be_shown(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool may;
    } rows[] = {{"RT_SID_", true}, {"user[email]", true}, {"", false}, {"a'b", false}, {"a b", false}, {"a\nb", false},
                {"0f3b9c52d8e7", false}, {"x2", true}, {"caf\xc3\xa9", false},
                {"a-name-that-is-longer-than-any-name-of-a-field-ever-was", false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char out[SEEN_NAME];
        assert_int_equal(suggest_name(span_text(rows[i].name), out), rows[i].may);
    }
}

/* What one exchange is made of; fields as "name: value\n". */
struct exchange {
    const char *method, *target, *request, *body;
    uint16_t status;
    const char *response;
    unsigned times;
};

static void add_fields(struct fields *f, const char *text)
{
    struct span rest = span_text(text), line;
    while (rest.size && span_split(&rest, '\n', &line)) {
        size_t colon = span_find_byte(line, ':', 0);
        if (colon != SIZE_MAX)
            fields_add(f, span_sub(line, 0, colon), span_trim(span_from(line, colon + 1)));
    }
}

static void talk(struct suggest *s, const struct exchange *e)
{
    struct conn_hooks hooks = suggest_hooks(s);
    struct field request[8], response[8];
    for (unsigned i = 0; i < e->times; i++) {
        char target[160];
        struct body_tap tap = {0};
        size_t mark = strcspn(e->target, "%");
        snprintf(target, sizeof target, e->target[mark] ? "%.*s%u%s" : "%.*s", (int)mark, e->target, i + 10, e->target + mark + 2);
        struct transaction t = {.method = span_text(e->method), .target = span_text(target), .host = SPAN("Desk.Example"),
                                .status = e->status, .request_fields = {.list = request, .max = 8},
                                .response_fields = {.list = response, .max = 8}, .response_ns = 1000000000};
        add_fields(&t.request_fields, e->request);
        add_fields(&t.response_fields, e->response);
        t.response_body.bytes = 1000;
        hooks.on_request(hooks.ctx, &t, &tap);
        if (tap.feed && *e->body)
            tap.feed(tap.ctx, span_text(e->body));
        hooks.on_end(hooks.ctx, &t);
    }
}

#define FORM "Content-Type: application/x-www-form-urlencoded\n"
#define SENT "Cookie: desk_sess_1=0123456789abcdef\n"

static void drafts_what_was_seen(void **state)
{
    (void)state;
    static const struct exchange exchanges[] = {
        {"GET", "/cases/%u", "", "", 302, "Location: /sign-in?next=x", 3},
        {"POST", "/sign-in", FORM, "mail=a%40b&pwd=sEcReT", 302,
         "Location: /\nSet-Cookie: desk_sess_1=0123456789abcdef; HttpOnly\n", 2},
        {"POST", "/sign-in", FORM, "mail=a%40b&pwd=sEcReT", 200, "Content-Type: text/html\n", 1},
        {"GET", "/cases/%u", SENT, "", 200, "Content-Type: text/html\n", 3},
        {"GET", "/files/%u/a'x.har", SENT "Referer: http://desk.example/cases/7\n", "", 200,
         "Content-Type: application/octet-stream\nContent-Disposition: attachment; filename=\"a.har\"\n", 9},
        {"GET", "/api/v1/me", "Authorization: Bearer eyJhbGciOiJI.eyJzdWIiOiIx.c2ln\n", "", 200, "Content-Type: application/json\n", 2},
        {"GET", "/token/hk2mP9sXw%u/f/9/b.log", "", "", 200, "Content-Type: application/octet-stream\n", 1},
        {"GET", "/logout", SENT, "", 302, "Location: /sign-in\nSet-Cookie: desk_sess_1=; Max-Age=0\n", 1},
    };
    static const char *const lines[] = {
        "hosts: ['desk.example']\n", "  - cookie: 'desk_sess_*'\n", "  - authorization: 'Bearer'\n    jwt: [", "  - '/sign-in'\n",
        "    path: '/sign-in'\n    when: [{form: 'pwd'}]\n    action: login\n    user: {form: 'mail'}\n",
        "    path: '/files/{object}/{file}'\n    action: download\n    object: {path: object}\n    file: [{disposition: name}, {path: file}]\n"
        "    case: [{referer: '/cases/{case}'}]\n",
        "    path: '/cases/{case}'\n    action: view_case\n    case: {path: case}\n", "    path: '/logout'\n    action: logout\n",
        "    path: '/token/{secret}/f/{object}/{file}'\n",
        "    path: '/api/v1/me'\n    action: api_call\n", "# seen 9 times, 9 files (9 with a disposition, up to 1000 bytes), 1 credential\n"};
    struct suggest *s = suggest_new();
    struct text out = {0}, why = {0};
    assert_non_null(s);
    for (size_t i = 0; i < sizeof exchanges / sizeof *exchanges; i++)
        talk(s, &exchanges[i]);
    assert_int_equal(suggest_write(s, SPAN("DESK.example"), &out, &why), 0);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (!strstr(text_str(&out), lines[i]))
            fail_msg("no '%s' in\n%s", lines[i], text_str(&out));
    assert_null(strstr(text_str(&out), "sEcReT"));
    assert_null(strstr(text_str(&out), "0123456789abcdef"));
    assert_null(strstr(text_str(&out), "eyJ"));
    text_fini(&out);
    text_fini(&why);
    suggest_free(s);
}

/* Tables are bounded: more of everything than fits. */
static void survives_a_flood(void **state)
{
    (void)state;
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
    struct suggest *s = suggest_new();
    struct text out = {0}, why = {0};
    assert_non_null(s);
    for (unsigned i = 0; i < 3000; i++) {
        char target[64], sent[96];
        snprintf(target, sizeof target, "/%c%c/%c%c%c/x.html?%c%c=1", letters[i % 26], letters[i / 26 % 26], letters[i / 7 % 26],
                 letters[i / 5 % 26], letters[i / 3 % 26], letters[i % 26], letters[i / 26 % 26]);
        snprintf(sent, sizeof sent, "Cookie: %c%c%csess=%u-0123456789abcdef\n", letters[i % 26], letters[i / 26 % 26],
                 letters[i / 676 % 26], i);
        talk(s, &(struct exchange){"GET", target, sent, "", 200, "Content-Type: text/html\n", 1});
    }
    talk(s, &(struct exchange){"GET", "/tickets", "", "", 200, "Content-Type: text/html\n", 1});
    assert_true(s->no_room > 0);
    assert_in_range(s->n_routes, 1, SEEN_ROUTES);
    int rc = suggest_write(s, SPAN(""), &out, &why);
    assert_true(rc == 0 || rc == E_NONE);
    assert_true(out.size + why.size > 0);
    text_fini(&out);
    text_fini(&why);
    suggest_free(s);
}

static void says_when_there_is_nothing(void **state)
{
    (void)state;
    struct suggest *s = suggest_new();
    struct text out = {0}, why = {0};
    assert_non_null(s);
    assert_int_equal(suggest_write(s, SPAN(""), &out, &why), E_NONE);
    assert_non_null(strstr(text_str(&why), "no HTTP request was seen"));
    talk(s, &(struct exchange){"GET", "/", "", "", 200, "Content-Type: text/html\n", 1});
    text_clear(&why);
    assert_int_equal(suggest_write(s, SPAN(""), &out, &why), E_NONE);
    assert_non_null(strstr(text_str(&why), "nothing at 'desk.example'"));
    assert_int_equal(out.size, 0);
    text_fini(&out);
    text_fini(&why);
    suggest_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_in_bodies),      cmocka_unit_test(names_that_may_be_shown), cmocka_unit_test(drafts_what_was_seen),
        cmocka_unit_test(survives_a_flood),     cmocka_unit_test(says_when_there_is_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
