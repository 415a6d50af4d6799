/* SPDX-License-Identifier: Apache-2.0
 * Why a transaction took its route. */
#include "fake.h"

struct rig {
    struct fake fake;
    char why[4096];
};

static void on_route(void *ctx, const struct app_route *r)
{
    struct rig *rig = ctx;
    snprintf(rig->why, sizeof rig->why, "%.*s", (int)r->why.size, (const char *)r->why.at);
}

static void emit(void *ctx, const struct activity *a)
{
    fake_emit(ctx, a); /* the fake comes first in the rig */
}

static const char profile[] = "profile: desk\n"
                              "title: Desk\n"
                              "status: documentation\n"
                              "about: for this test\n"
                              "tells: [{cookie: desk_sid}]\n"
                              "sessions: [{cookie: desk_sid}]\n"
                              "login_pages: [/login]\n"
                              "routes:\n"
                              "  - route: login\n"
                              "    method: POST\n"
                              "    path: /login\n"
                              "    when: [{form: password}]\n"
                              "    action: login\n"
                              "    user: [{form: mail}, {form: name}]\n"
                              "    token: {json: /token}\n"
                              "    outcome: [{is: failure, status: 403}, {is: success, status: 200}]\n"
                              "  - route: thumb\n"
                              "    path: /file/{object}/{file}\n"
                              "    when: [{query: small, matches: [1, yes]}]\n"
                              "    action: preview\n"
                              "  - route: pdf\n"
                              "    path: /file/{object}/{file}\n"
                              "    type: application/pdf\n"
                              "    action: export\n"
                              "  - route: file\n"
                              "    path: /file/{object}/{file}\n"
                              "    status: 200\n"
                              "    action: download\n"
                              "    object: {path: object}\n"
                              "    file: [{disposition: name}, {path: file}]\n"
                              "    case: {referer_query: id}\n"
                              "    needs: object\n"
                              "  - {route: page, path: '/**', action: none}\n"
                              "  - {route: asked, method: POST, path: /case, action: reply, requestor: {request_json: /from}}\n";

static void says_why(void **state)
{
    (void)state;
    static const struct {
        const char *request, *response, *says;
    } rows[] = {
        {"POST /login\nCookie: desk_sid=1\nContent-Type: application/x-www-form-urlencoded\n\nname=ann&password=x",
         "200\nContent-Type: application/json\n\n{\"token\":\"Zk3vQ9xT1mB7nL2cR8wY5pHs0dFgJ4aU\"}",
         " POST desk.example/login 200\n"
         "  profile   desk: cookie desk_sid (asked for, and answered)\n"
         "  route     login (line 9), after 0 of another path\n"
         "  action    login, success line 2 of its outcome\n"
         "  user      ann, from form name\n"
         "  token     ***, from json /token\n"},
        {"GET /file/7/a.har?token=abcdef0123456789\nCookie: desk_sid=1\n\n",
         "200\nContent-Type: application/octet-stream\n\n123",
         " GET desk.example/file/7/a.har?token=*** 200\n"
         "  profile   desk: cookie desk_sid (asked for, and answered)\n"
         "  tried     thumb (line 17): when query small matches 1, yes\n"
         "  tried     pdf (line 21): type is 'application/octet-stream', not application/pdf\n"
         "  route     file (line 25), after 0 of another path\n"
         "  action    download, success by status and redirect\n"
         "  case      none of 1 places has it\n"
         "  file      a.har, from path file\n"
         "  object    7, from path object\n"},
        {"PUT /file/7/a.har\nCookie: desk_sid=1\n\n", "204\n\n",
         " PUT desk.example/file/7/a.har 204\n"
         "  profile   desk: cookie desk_sid (asked for, and answered)\n"
         "  tried     thumb (line 17): method is PUT\n"
         "  tried     pdf (line 21): method is PUT\n"
         "  tried     file (line 25): method is PUT\n"
         "  tried     page (line 33): method is PUT\n"
         "  route     none; 0 are of another path\n"
         "  action    none (nothing is told), success by status and redirect\n"},
        {"GET /plugin/x\nCookie: desk_sid=1\n\n",
         "200\nContent-Type: application/zip\nContent-Disposition: attachment; filename=\"all.zip\"\n\n123",
         " GET desk.example/plugin/x 200\n"
         "  profile   desk: cookie desk_sid (asked for, and answered)\n"
         "  tried     page (line 33): fits, but the answer carries a file\n"
         "  route     none; 0 are of another path\n"
         "  action    download, success by status and redirect\n"},
        {"POST /case\nCookie: desk_sid=1\nContent-Type: application/json\n\n{\"from\":\"Bob <bob@Smith.example>\"}", "200\n\n",
         " POST desk.example/case 200\n"
         "  profile   desk: cookie desk_sid (asked for, and answered)\n"
         "  tried     page (line 33): method is POST\n"
         "  route     asked (line 34), after 0 of another path\n"
         "  action    reply, success by status and redirect\n"
         "  requestor smith.example, from request_json /from\n"},
    };
    struct rig rig = {.why = ""};
    struct text why = {0};
    if (profiles_parse("desk.yaml", span_text(profile), &rig.fake.profiles, &why))
        fail_msg("%s", text_str(&why));
    rig.fake.key = keyed_new_default();
    rig.fake.app = app_new(&(struct app_options){.profiles = rig.fake.profiles, .key = rig.fake.key, .max_transactions = 8,
                                                 .emit = emit, .on_route = on_route, .explain = APP_EXPLAIN_TEXT, .ctx = &rig});
    assert_non_null(rig.fake.app);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        fake_exchange(&rig.fake, rows[i].request, rows[i].response);
        assert_non_null(strchr(rig.why, ' '));
        assert_string_equal(strchr(rig.why, ' '), rows[i].says);
    }
    fake_fini(&rig.fake);
    text_fini(&why);
}

/* The same as one JSON object: every field has its name. */
static void says_it_in_json(void **state)
{
    (void)state;
    struct rig rig = {.why = ""};
    struct text why = {0};
    assert_int_equal(profiles_parse("desk.yaml", span_text(profile), &rig.fake.profiles, &why), 0);
    rig.fake.key = keyed_new_default();
    rig.fake.app = app_new(&(struct app_options){.profiles = rig.fake.profiles, .key = rig.fake.key, .max_transactions = 8,
                                                 .emit = emit, .on_route = on_route, .explain = APP_EXPLAIN_JSON, .ctx = &rig});
    assert_non_null(rig.fake.app);
    fake_exchange(&rig.fake, "POST /case\nCookie: desk_sid=1\nContent-Type: application/json\n\n{\"from\":\"bob@smith.example\"}",
                  "200\n\n");
    assert_non_null(strstr(rig.why, "\"fields\":{\"requestor\":{\"value\":\"smith.example\",\"from\":\""));
    assert_null(strstr(rig.why, "bob@"));
    fake_fini(&rig.fake);
    text_fini(&why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(says_why), cmocka_unit_test(says_it_in_json)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
