/* SPDX-License-Identifier: Apache-2.0
 * What a thief might try so that a file he reads is told under another's name, or not at all: each request says
 * something twice, or in a spelling that applications read otherwise than a table of routes does. */
#include "fake.h"

#define SAID(name, value) "\n" name ": " value
#define NONE_ALG "eyJhbGciOiJub25lIn0" /* {"alg":"none"} */
#define HS256 "eyJhbGciOiJIUzI1NiJ9"
#define CLAIMS "eyJzdWIiOiJ1c3JfMSIsImVtYWlsIjoibS5zQHguZXhhbXBsZSJ9" /* sub usr_1, email m.s@x.example */
#define AUDIENCE "eyJhdWQiOiJhbm90aGVyIiwic3ViIjoidXNyXzEiLCJlbWFpbCI6Im0uc0B4LmV4YW1wbGUifQ" /* the same, aud another */
#define JSON "\nContent-Type: application/json\n\n"
#define FORM "\nContent-Type: application/x-www-form-urlencoded\n\n"

static const struct row {
    const char *what, *profile, *request, *response, *says;
    bool is_ambiguous;
} rows[] = {
    {"two user names: Rack takes the last, Perl both, others the first", "redmine",
     "POST /login" FORM "username=ann&username=bob&password=x", "302\nLocation: /my/page\n\n", "login+ login", true},
    {"the same user name twice", "redmine",
     "POST /login" FORM "username=ann&username=ann&password=x", "302\nLocation: /my/page\n\n", "login+ login user=ann proven", false},
    {"the method is said in a field (Rack::MethodOverride)", "redmine",
     "POST /issues/12.json" SAID("X-HTTP-Method-Override", "delete") "\n\n", "200\n\n", "delete+ case-delete-api case=12", false},
    {"a text fetched by POST", "generic",
     "POST /files/a.log" SAID("X-HTTP-Method-Override", "GET") "\n\n", "200\nContent-Type: text/plain\n\nx",
     "download+  file=a.log unknown; amend+  size=1 unknown", false},
    {"where the application takes no notice of the field, the request is what it was", "redmine",
     "POST /login" SAID("X-HTTP-Method-Override", "PUT") FORM "username=ann&password=x", "302\nLocation: /my/page\n\n",
     "login+ login user=ann proven", false},
    {"path parameters, which servlet containers take off", "jira",
     "GET /secure;a=b/attachment/10000;jsessionid=0A1B/core.txt;v=1\n\n", "200\nContent-Type: text/plain\n\nx",
     "download+ attachment object=10000 file=core.txt; amend+  size=1", false},
    {"an encoded slash, which gateways decode", "rt",
     "GET /Ticket/Attachment%2f12%2F24/\n\n", "200\nContent-Type: text/plain\n\nx",
     "download+ attachment object=24; amend+  size=1", false},
    {"dots and doubled slashes, encoded", "rt",
     "GET //Ticket/x/%2e%2e/Attachment/12/24/\n\n", "200\nContent-Type: text/plain\n\nx",
     "download+ attachment object=24; amend+  size=1", false},
    {"another spelling of the host, fully qualified", "rt",
     "GET /Ticket/Attachment/12/24/" SAID("Host", "DESK.Example.") "\n\n", "200\nContent-Type: text/plain\n\nx",
     "download+ attachment object=24; amend+  size=1", false},
    {"an unsigned token names nobody", "generic",
     "GET /case/812" SAID("Authorization", "Bearer " NONE_ALG "." CLAIMS ".") "\n\n", "200\nContent-Type: application/json\n\n{}",
     "view_case+ case case=812", false},
    {"neither does one that says so and carries something", "generic",
     "GET /case/812" SAID("Authorization", "Bearer " NONE_ALG "." CLAIMS ".c2ln") "\n\n", "200\nContent-Type: application/json\n\n{}",
     "view_case+ case case=812", false},
    {"a signed one does", "generic",
     "GET /case/812" SAID("Authorization", "Bearer " HS256 "." CLAIMS ".c2ln") "\n\n", "200\nContent-Type: application/json\n\n{}",
     "view_case+ case case=812 user=m.s@x.example proven", false},
    {"a colon in the password of Basic (ann:bo:b)", "generic",
     "GET /case/812" SAID("Authorization", "Basic YW5uOmJvOmI=") "\n\n", "200\nContent-Type: application/json\n\n{}",
     "view_case+ case case=812 user=ann proven", false},
    {"an address the client claims itself, in a field of its own", "generic",
     "GET /case/812" SAID("X-Forwarded-For", "8.8.8.8") SAID("X-Forwarded-For", "198.51.100.7") "\n\n",
     "200\nContent-Type: application/json\n\n{}", "view_case+ case case=812 forged", false},
    {"another target, for frameworks that believe it: a file is known by its answer", "generic",
     "GET /" SAID("X-Original-URL", "/files/a.zip") SAID("X-Rewrite-URL", "/files/a.zip") "\n\n", "200\nContent-Type: application/zip\n\nPK",
     "download+  unknown; amend+  size=2 unknown", false},
    {"the same, a text", "generic",
     "GET /" SAID("X-Original-URL", "/files/a.log?v=1") "\n\n", "200\nContent-Type: text/plain\n\nx",
     "download+  unknown; amend+  size=1 unknown", false},
    {"a page that a rewriting proxy names", "generic",
     "GET /" SAID("X-Rewrite-URL", "/status") "\n\n", "200\nContent-Type: text/plain\n\nx", "", false},
    {"two user names in JSON: most readers take the last", "zammad",
     "POST /api/v1/signin" JSON "{\"username\":\"ann\",\"password\":\"x\",\"username\":\"bob\"}",
     "201\nContent-Type: application/json\n\n{}", "login+ login", true},
    {"one of them escaped", "zammad",
     "POST /api/v1/signin" JSON "{\"username\":\"ann\",\"\\u0075sername\":\"bob\",\"password\":\"x\"}",
     "201\nContent-Type: application/json\n\n{}", "login+ login", true},
    {"one of them no text", "zammad",
     "POST /api/v1/signin" JSON "{\"username\":\"ann\",\"username\":{\"a\":\"bob\"},\"password\":\"x\"}",
     "201\nContent-Type: application/json\n\n{}", "login+ login", true},
    {"the same user name twice, and once more deeper down", "zammad",
     "POST /api/v1/signin" JSON "{\"username\":\"ann\",\"username\":\"ann\",\"x\":{\"username\":\"bob\"}}",
     "201\nContent-Type: application/json\n\n{}", "login+ login user=ann proven", false},
    {"two cases in a query: PHP takes the last", "osticket", "GET /scp/tickets.php?id=12&id=13\n\n",
     "200\nContent-Type: text/html\n\nx", "view_case+ case case=12,13", true},
    {"the name of one of them encoded", "osticket", "GET /scp/tickets.php?id=12&%69d=13\n\n",
     "200\nContent-Type: text/html\n\nx", "view_case+ case case=12,13", true},
    {"the same case twice", "osticket", "GET /scp/tickets.php?id=12&id=%312\n\n",
     "200\nContent-Type: text/html\n\nx", "view_case+ case case=12", false},
    {"two files in a query", "osticket", "GET /file.php?key=abc&key=def\n\n",
     "200\nContent-Type: text/plain\nContent-Disposition: attachment; filename=a.log\n\nx",
     "download+ file object=abc,def file=a.log; amend+  size=1", true},
    {"an id_token for another audience: the service refuses it", "generic",
     "POST /oidc/callback" FORM "id_token=" HS256 "." AUDIENCE ".c2ln&state=1", "401\n\n", "login- id-token user=m.s@x.example", false},
    {"or takes it, and then it is who it says", "generic",
     "POST /oidc/callback" FORM "id_token=" HS256 "." AUDIENCE ".c2ln&state=1", "302\nLocation: /\nSet-Cookie: sid=0123456789abcdef\n\n",
     "login+ id-token user=m.s@x.example proven new", false},
    {"two id_tokens", "generic",
     "POST /oidc/callback" FORM "id_token=" HS256 "." AUDIENCE ".c2ln&id_token=" HS256 "." CLAIMS ".c2ln&state=1",
     "302\nLocation: /\nSet-Cookie: sid=0123456789abcdef\n\n", "login+ id-token new", false},
    {"two values of a session cookie", "redmine",
     "GET /issues/12" SAID("Cookie", "_redmine_session=aaaaaaaaaaaaaaaaaaaaaaaa; x=1; _redmine_session=bbbbbbbbbbbbbbbbbbbbbbbb") "\n\n",
     "200\nContent-Type: text/html\n\nx", "view_case+ case case=12", true},
    {"two fields with one value each", "redmine",
     "GET /issues/12" SAID("Cookie", "_redmine_session=aaaaaaaaaaaaaaaaaaaaaaaa") SAID("Cookie", "_redmine_session=bbbbbbbbbbbbbbbbbbbbbbbb") "\n\n",
     "200\nContent-Type: text/html\n\nx", "view_case+ case case=12", true},
    {"the same value twice", "redmine",
     "GET /issues/12" SAID("Cookie", "_redmine_session=aaaaaaaaaaaaaaaaaaaaaaaa; _redmine_session=aaaaaaaaaaaaaaaaaaaaaaaa") "\n\n",
     "200\nContent-Type: text/html\n\nx", "view_case+ case case=12", false},
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fake f;
        struct text why = {0};
        struct profiles *p = fake_rules();
        assert_int_equal(profiles_declare(p, rows[i].profile, "desk.example", &why), 0);
        fake_init(&f, p);
        fake_exchange(&f, rows[i].request, rows[i].response);
        if (strcmp(fake_says(&f), rows[i].says) != 0)
            fail_msg("%s\n  says  %s\n  wants %s", rows[i].what, fake_says(&f), rows[i].says);
        assert_int_equal((f.got[0].flags & ACT_AMBIGUOUS) != 0, rows[i].is_ambiguous);
        if (f.n)
            assert_string_equal(fake_str(&f.got[0], STR_HOST), "desk.example");
        for (int s = 0; s < STR_N; s++)
            assert_null(strstr(fake_str(&f.got[0], (enum activity_string)s), "0A1B"));
        fake_fini(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
