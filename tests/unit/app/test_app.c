/* SPDX-License-Identifier: Apache-2.0
 * Exchanges through the shipped profiles: which route takes them, and what is told. The shapes of Request Tracker's
 * requests and answers are those of a real RT 5.0.3; "source" marks what was read in its source. */
#include "fake.h"

#define SID "RT_SID_desk.example.8080="
#define OLD "0123456789abcdef0123456789abcdef"
#define NEW "fedcba9876543210fedcba9876543210"
#define ASKED "\nCookie: " SID OLD "\n\n"
#define SAME "\nSet-Cookie: " SID OLD "; path=/; HttpOnly"
#define CHANGED "\nSet-Cookie: " SID NEW "; path=/; HttpOnly"
#define HTML "\nContent-Type: text/html; charset=utf-8\n\n"
#define SHOWN "<title>x</title><script>\nwindow.RT = {};\nRT.CurrentUser = {\"id\":44,\"Name\":\"ivan.lopez\",\"Privileged\":true};\n"
#define NOBODY "<script>\nwindow.RT = {};\nRT.CurrentUser = {};\nRT.Config = {\"Name\":\"no\"};\n"
#define FORM "\nContent-Type: application/x-www-form-urlencoded"
#define PART(disposition, value) "--X\r\nContent-Disposition: form-data; " disposition "\r\n\r\n" value "\r\n"
#define MULTI "\nContent-Type: multipart/form-data; boundary=X"

struct row {
    const char *request, *response, *says;
};

static const struct row rt[] = {
    /* logins */
    {"POST /NoAuth/Login.html" FORM ASKED "user=ivan.lopez&pass=x&next=" OLD, "302\nLocation: https://desk.example/" CHANGED HTML,
     "login+ login user=ivan.lopez proven new"},
    {"POST /NoAuth/Login.html" FORM ASKED "user=ivan.lopez&pass=x", "200" CHANGED HTML NOBODY "<input name=\"pass\"",
     "login+ login user=ivan.lopez proven new"},
    {"POST /NoAuth/Login.html" FORM ASKED "user=ivan.lopez&pass=x", "200" SAME HTML NOBODY "<div class=\"error\">",
     "login- login user=ivan.lopez"},
    {"POST /NoAuth/Login.html" FORM ASKED "user=ivan%2elopez&pass=x", "200" SAME HTML NOBODY "<p>L\xc3\xb6senord</p>",
     "login- login user=ivan.lopez"},
    {"POST /NoAuth/Login.html" FORM "\n\nuser=bob&pass=x", "200" CHANGED HTML "<li>Your username or password is incorrect</li>",
     "login- login user=bob"},
    {"POST /NoAuth/Login.html" FORM "\n\nuser=bob&pass=x", "200" CHANGED HTML NOBODY, "login+ login user=bob proven new"},
    {"POST /REST/1.0/" FORM "\n\nuser=svc-export&pass=x", "200" CHANGED "\nContent-Type: text/plain\n\nRT/5.0.3 401 Credentials required\n",
     "login- rest1-login user=svc-export"},
    {"POST /REST/1.0/" FORM "\n\nuser=svc-export&pass=x", "200" CHANGED "\nContent-Type: text/plain\n\nRT/5.0.3 200 Ok\n\n",
     "login+ rest1-login user=svc-export proven new"},
    {"GET /NoAuth/Logout.html" ASKED, "200" CHANGED HTML NOBODY, "logout+ logout end"},
    /* cases */
    {"GET /Ticket/Display.html?id=21" ASKED,
     "200" SAME HTML SHOWN "<div class=\"form-row custom-field custom-field-2 custom-field-Customer\">\n<span class=\"current-value\">\n"
     "Estrada &amp; Sons      </span>\n<a href=\"/Ticket/Attachment/535/796/analysis-1.txt\">",
     "view_case+ case case=21 customer=Estrada & Sons user=ivan.lopez proven"},
    {"GET /Ticket/Display.html?id=21" ASKED, "302\nLocation: https://desk.example/NoAuth/Login.html?next=" OLD CHANGED HTML,
     "view_case- case case=21 refused"},
    {"GET /Helpers/TicketHistory?id=21" ASKED, "200" SAME HTML "<a href=\"/Ticket/Attachment/1/2/a\">", "list_files+ case-history case=21"},
    {"GET /SelfService/Display.html?id=3" ASKED, "200" SAME HTML NOBODY, "view_case+ self-service-case case=3"},
    {"GET /" ASKED, "200" SAME HTML SHOWN, "list+ home user=ivan.lopez proven"},
    {"GET /" ASKED, "200" CHANGED HTML NOBODY, ""},
    {"GET /Prefs/Other.html" ASKED, "200" SAME HTML SHOWN, "list+ page user=ivan.lopez proven"},
    {"GET /Search/Simple.html?q=login" ASKED, "200" SAME HTML SHOWN, "search+ search user=ivan.lopez proven"},
    /* files: told when the answer begins, completed at its end */
    {"GET /Ticket/Attachment/102/24/a%20b.har\nReferer: https://desk.example/Ticket/Display.html?id=3" ASKED,
     "200" SAME "\nContent-Type: application/octet-stream\n\n0123456789",
     "download+ attachment case=3 object=24 file=a b.har; amend+  size=10"},
    {"GET /Ticket/Attachment/102/24/x.png\nSec-Fetch-Dest: image" ASKED, "200" SAME "\nContent-Type: image/png\n\n01234",
     "preview+ attachment object=24 file=x.png inline; amend+  size=5 inline"},
    {"GET /Ticket/Attachment/102/24/x.har\nSec-Fetch-Dest: image" ASKED, "200" SAME "\nContent-Type: application/json\n\n01234",
     "download+ attachment object=24 file=x.har; amend+  size=5"},
    {"GET /Ticket/Attachment/102/24/a.har" ASKED, "304" SAME "\n\n", "download+ attachment object=24 file=a.har unmodified; amend+  unmodified"},
    {"GET /Ticket/Attachment/102/24/a.har" ASKED, "206\nContent-Range: bytes 4-6/10\nContent-Type: text/plain\n\n456",
     "download+ attachment object=24 file=a.har size=10 range; amend+  size=10 range"},
    {"GET /Ticket/Attachment/102/24/a.har" ASKED, "302\nLocation: /NoAuth/Login.html?next=1" CHANGED "\n\n",
     "download- attachment object=24 file=a.har refused"},
    {"GET /Ticket/Attachment/102/24/a.har" ASKED, "404" SAME HTML "none", "download- attachment object=24 file=a.har refused"},
    {"GET /Ticket/Attachment/102/24/a.har" ASKED, "200" SAME HTML "No permission", "download- attachment object=24 file=a.har refused"},
    {"HEAD /Ticket/Attachment/102/24/a.har" ASKED, "200" SAME "\nContent-Type: text/plain\n\n", ""},
    {"GET /Ticket/Attachment/102/24/a.har" ASKED, NULL, "download? attachment object=24 file=a.har one-sided"},
    {"GET /SelfService/Attachment/1/2/f.zip" ASKED, "200\nContent-Type: application/zip\nContent-Length: 3\n\nabc",
     "download+ self-service-attachment object=2 file=f.zip; amend+  size=3"},
    {"GET /REST/2.0/attachment/103\nAuthorization: token 1-48-0123456789abcdef\n\n",
     "200\nContent-Type: application/json;charset=utf-8\n\n{\"Content\":\"aGVs\\nbG8=\\n\",\"Filename\":\"h.har\",\"ContentType\":\"text/plain\"}",
     "download+ rest2-attachment object=103 user=1-48 proven; amend+  file=h.har user=1-48 size=5 proven"},
    {"GET /REST/1.0/ticket/37/attachments/502/content" ASKED, "200" SAME "\nContent-Type: text/plain\n\nRT/5.0.3 200 Ok\n\nhello",
     "download+ rest1-attachment case=37 object=502; amend+  size=5"},
    {"GET /REST/1.0/ticket/37/attachments" ASKED, "200" SAME "\nContent-Type: text/plain\n\nRT/5.0.3 200 Ok\n\nid: x\n",
     "list_files+ rest1-attachments case=37"},
    /* REST 2.0 */
    {"GET /REST/2.0/ticket/29\nAuthorization: Basic c3ZjOnB3\n\n",
     "200\nContent-Type: application/json\n\n{\"CustomFields\":[{\"values\":[\"Estrada Logistics\"],\"name\":\"Customer\"}]}",
     "view_case+ rest2-case case=29 customer=Estrada Logistics user=svc proven"},
    {"GET /REST/2.0/rt\nAuthorization: Basic c3ZjOnB3\n\n", "401\nContent-Type: application/json\n\n{}", "login- rest2 user=svc"},
    {"GET /REST/2.0/rt\nAuthorization: Basic c3ZjOnB3\n\n", "302\nLocation: https://desk.example/\n\n", "login- rest2 user=svc"},
    {"GET /REST/2.0/rt\nAuthorization: Basic c3ZjOnB3\n\n", "200\nContent-Type: application/json\n\n{}", "api_call+ rest2 user=svc proven"},
    {"GET /REST/2.0/ticket/29/attachments?per_page=100\nAuthorization: token 1-48-0123456789abcdef\n\n",
     "200\nContent-Type: application/json\n\n{\"items\":[]}", "list_files+ rest2-attachments case=29 user=1-48 proven"},
    {"GET /REST/2.0/tickets?query=x&token=1-48-0123456789abcdef\n\n", "200\nContent-Type: application/json\n\n{}",
     "search+ rest2-search user=1-48 proven"},
    /* changes */
    {"POST /Ticket/Update.html" MULTI ASKED PART("name=\"id\"", "27") PART("name=\"Attach\"; filename=\"a.txt\"", "12345") "--X--\r\n",
     "302\nLocation: /Ticket/Display.html?id=27\n\n", "upload+ upload case=27 file=a.txt size=5"},
    {"POST /Ticket/Update.html" MULTI ASKED PART("name=\"id\"", "27") PART("name=\"Attach\"; filename=\"\"", "") "--X--\r\n",
     "302\nLocation: /Ticket/Display.html?id=27\n\n", "reply+ reply case=27"},
    {"POST /Helpers/Upload/Add?Token=" OLD MULTI "\nReferer: https://desk.example/Ticket/Update.html?Action=Respond&id=3" ASKED
     PART("name=\"Attach\"; filename=\"n.log\"", "abc") "--X--\r\n",
     "200\nContent-Type: application/json\n\n{}", "upload+ upload-add case=3 file=n.log size=3"},
    {"POST /Prefs/AboutMe.html" MULTI ASKED PART("name=\"CurrentPass\"", "x") PART("name=\"Pass1\"", "secret1") "--X--\r\n",
     "302\nLocation: /Prefs/AboutMe.html?results=1\n\n", "password_change? password"},
    {"POST /Prefs/AboutMe.html" MULTI ASKED PART("name=\"CurrentPass\"", "") PART("name=\"Pass1\"", "") "--X--\r\n",
     "302\nLocation: /Prefs/AboutMe.html?results=1\n\n", "prefs_change+ prefs"},
    {"POST /Prefs/Other.html" FORM ASKED "Update=Save", "200" SAME HTML SHOWN, "prefs_change+ prefs user=ivan.lopez proven"},
    {"POST /Helpers/PreviewScrips" MULTI ASKED PART("name=\"id\"", "3") "--X--\r\n", "200" SAME HTML, ""},
    /* source */
    {"GET /Search/Results.tsv?Query=x" ASKED, "200\nContent-Type: text/tab-separated-values\n\na\tb", "export+ search-export; amend+  size=3"},
    {"GET /static/js/x.js" ASKED, "200\nContent-Type: application/octet-stream\n\nx", ""},
    {"POST /index.html" FORM ASKED "user=bob&pass=x", "200" CHANGED HTML SHOWN, "login+ login-anywhere user=bob proven new"},
    {"POST /" FORM ASKED "user=bob&pass=x", "200" SAME HTML NOBODY "<div class=\"error\">", "login- login-anywhere user=bob"},
    {"GET /?user=bob&pass=x" ASKED, "200" SAME HTML NOBODY, "login- login-in-address user=bob"},
    {"GET /Ticket/Attachment/1/2/f?user=bob&pass=x\n\n", "200" CHANGED "\nContent-Type: text/plain\n\nx",
     "download+ attachment object=2 file=f new; amend+  size=1"},
    /* routes are compared decoded */
    {"GET /%54icket//Attachment/1/../102/24/a.har" ASKED, "200" SAME "\nContent-Type: text/plain\n\nx",
     "download+ attachment object=24 file=a.har; amend+  size=1"},
    /* what an attachment says of itself is nobody's word */
    {"GET /Ticket/Attachment/102/24/a.html" ASKED, "200" SAME "\nContent-Type: text/plain\n\n" SHOWN,
     "download+ attachment object=24 file=a.html; amend+  size=107"},
};

#define SIDC "\nCookie: theme=dark; sid=" OLD "\n\n"

static const struct row generic[] = {
    {"POST /login" FORM "\n\nusername=tom.reed&password=x", "302\nLocation: /\nSet-Cookie: sid=" NEW "; Path=/\n\n",
     "login+ form-login user=tom.reed proven new"},
    {"POST /login" FORM "\n\nusername=tom.reed&password=x", "200" HTML "Invalid user or password", "login- form-login user=tom.reed"},
    {"POST /login" FORM "\n\nusername=tom.reed&password=x", "302\nLocation: /login?error=1\nSet-Cookie: sid=" NEW "\n\n",
     "login- form-login user=tom.reed"},
    {"POST /login" FORM "\nCookie: PHPSESSID=" OLD "\n\nuser=tom&passwd=x",
     "302\nLocation: /\nSet-Cookie: PHPSESSID=x; Max-Age=0\nSet-Cookie: app_session=" NEW "\n\n", "login+ form-login user=tom proven new"},
    {"POST /account" FORM "\n\nusername=a&password=old&new_password=x", "200" HTML, ""},
    {"POST /search" FORM "\n\nq=password", "200" HTML, ""},
    {"POST /api/login\nContent-Type: application/json\n\n{\"email\":\"tom@x.example\",\"password\":\"p\"}",
     "200\nContent-Type: application/json\nSet-Cookie: sid=" NEW "; Path=/\n\n{\"user\":{},\"token\":\"" NEW "\"}",
     "login+ json-login user=tom@x.example proven new"},
    {"POST /api/login\nContent-Type: application/json\n\n{\"email\":\"tom@x.example\",\"password\":\"p\"}",
     "401\nContent-Type: application/json\n\n{\"error\":\"invalid\"}", "login- json-login user=tom@x.example"},
    {"POST /api/login\nContent-Type: application/json\n\n{\"username\":\"tom\",\"password\":\"p\"}",
     "200\nContent-Type: application/json\n\n{\"token\":\"" NEW "\"}", "login+ json-login user=tom proven new"},
    {"POST /saml/acs" FORM "\n\nSAMLResponse=PHA6UmVzcG9uc2UgeG1sbnM6cD0idXJuOm9hc2lzOm5hbWVzOnRjOlNBTUw6Mi4wOnByb3RvY29sIiB4bWxuczphPSJ1cm46b2Fz"
     "aXM6bmFtZXM6dGM6U0FNTDoyLjA6YXNzZXJ0aW9uIj48YTpBc3NlcnRpb24%2BPGE6U3ViamVjdD48YTpOYW1lSUQ%2Bem9lQHgu"
     "ZXhhbXBsZTwvYTpOYW1lSUQ%2BPC9hOlN1YmplY3Q%2BPC9hOkFzc2VydGlvbj48L3A6UmVzcG9uc2U%2B&RelayState=%2F",
     "303\nLocation: /home\nSet-Cookie: sid=" NEW "\n\n", "login+ saml user=zoe@x.example proven new"},
    {"POST /logout" SIDC, "302\nLocation: /login\nSet-Cookie: sid=deleted; Max-Age=0\n\n", "logout+ logout end"},
    {"GET /case/77" SIDC, "200" HTML "x", "view_case+ case case=77"},
    {"GET /files/report.pdf" SIDC, "200\nContent-Type: application/octet-stream\nContent-Length: 3\nContent-Disposition: attachment; "
     "filename=\"r.pdf\"\n\nabc", "download+  file=r.pdf unknown; amend+  size=3 unknown"},
    {"", "200\nContent-Type: application/octet-stream\nContent-Disposition: attachment; filename=\"r.pdf\"\n\nabc",
     "download+  file=r.pdf unknown one-sided; amend+  size=3 unknown one-sided"},
    {"", "200\nContent-Type: application/zip\n\nPK", "download+  unknown one-sided; amend+  size=2 unknown one-sided"},
    {"", "200" HTML "x", ""},
    {"", "200\nContent-Type: text/plain\n\nx", ""},
    {"GET /bundle.zip\n\n", "200\nContent-Type: application/zip\n\nPK", "download+  file=bundle.zip unknown; amend+  size=2 unknown"},
    {"GET /files/x.har\n\n", "200\nContent-Type: application/json\n\n{}", "download+  file=x.har unknown; amend+  size=2 unknown"},
    {"GET /files/x.zip\n\n", "206\nContent-Type: application/zip\nContent-Range: bytes 2-3/9\n\nPK",
     "download+  file=x.zip size=9 unknown range; amend+  size=9 unknown range"},
    {"GET /files/x.zip\n\n", "304\n\n", ""},
    {"GET /files/x.zip\n\n", "404" HTML "x", ""},
    {"GET /files/x.zip\n\n", "416\n\n", ""},
    {"HEAD /files/x.zip\n\n", "200\nContent-Type: application/zip\nContent-Length: 9\n\n", ""},
    {"GET /avatar/7\n\n", "200\nContent-Type: image/png\n\nx", ""},
    {"GET /api/cases\n\n", "200\nContent-Type: application/json\n\n{}", ""},
    {"GET /a/app.js\n\n", "200\nContent-Type: application/octet-stream\n\nx", ""},
    {"GET /font\nSec-Fetch-Dest: font\n\n", "200\nContent-Type: application/octet-stream\n\nx", ""},
    {"GET /basic/r.pdf\nAuthorization: Basic bWFyaWE6eA==\n\n", "401\nWWW-Authenticate: Basic\n\n", "login-  user=maria"},
    {"GET /basic/r.pdf\n\n", "401\nWWW-Authenticate: Basic\n\n", ""},
    {"GET /basic/r.pdf\nAuthorization: Basic bWFyaWE6eA==\n\n", "200\nContent-Type: application/pdf\n\nx",
     "download+  file=r.pdf user=maria proven unknown; amend+  user=maria size=1 proven unknown"},
    {"GET /case/812\nAuthorization: Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1c3JfMSIsImVtYWlsIjoibS5zQHguZXhhbXBsZSJ9.c2ln\n\n",
     "200\nContent-Type: application/json\n\n{}", "view_case+ case case=812 user=m.s@x.example proven"},
    {"GET /dl/r.pdf" SIDC, "302\nLocation: http://files.example/o/r.pdf?X-Expires=1&X-Signature=" OLD OLD "\n\n", "api_call+ hand-off"},
    {"POST /up" MULTI SIDC PART("name=\"file\"; filename=\"a.log\"", "123") "--X--\r\n", "201\nContent-Type: application/json\n\n{}",
     "upload+ upload file=a.log size=3"},
    {"GET /case/7\nX-Forwarded-For: 8.8.8.8, 198.51.100.7" SIDC, "200" HTML "x", "view_case+ case case=7 forged"},
};

static void run_table(const struct row *rows, size_t n, size_t slice, const char *profile)
{
    for (size_t i = 0; i < n; i++) {
        struct fake f;
        struct text why = {0};
        struct profiles *p = fake_rules();
        assert_int_equal(profiles_declare(p, profile, "desk.example", &why), 0);
        fake_init(&f, p);
        f.slice = slice;
        fake_exchange(&f, rows[i].request, rows[i].response);
        if (strcmp(fake_says(&f), rows[i].says) != 0)
            fail_msg("row %zu (%.60s)\n  says  %s\n  wants %s", i, rows[i].request, fake_says(&f), rows[i].says);
        fake_fini(&f);
    }
}

static void request_tracker(void **state)
{
    (void)state;
    run_table(rt, sizeof rt / sizeof rt[0], 0, "rt");
}

static void request_tracker_in_slices(void **state)
{
    (void)state;
    run_table(rt, sizeof rt / sizeof rt[0], 1, "rt");
    run_table(rt, sizeof rt / sizeof rt[0], 7, "rt");
}

static void any_desk(void **state)
{
    (void)state;
    run_table(generic, sizeof generic / sizeof generic[0], 0, "generic");
    run_table(generic, sizeof generic / sizeof generic[0], 3, "generic");
}

/* A session value gives one hash, however it is sent; and never stands in a record. */
static void hashes_values(void **state)
{
    struct fake f;
    (void)state;
    fake_init(&f, fake_rules());
    fake_exchange(&f, "GET /case/1" SIDC, "200" HTML "x");
    assert_int_equal(f.n, 1);
    uint8_t cookie[SESSION_HASH_SIZE];
    memcpy(cookie, f.got[0].session, sizeof cookie);
    fake_exchange(&f, "GET /case/1\nAuthorization: Bearer " OLD "\n\n", "200" HTML "x");
    assert_int_equal(f.n, 1);
    assert_memory_equal(cookie, f.got[0].session, sizeof cookie);
    assert_true(span_find(span_of(f.got[0].tail, f.got[0].tail_used), SPAN(OLD), 0) == SIZE_MAX);
    fake_exchange(&f, "POST /login" FORM SIDC "username=tom&password=pw-SECRET", "302\nLocation: /\nSet-Cookie: sid=" NEW "\n\n");
    assert_int_equal(f.n, 1);
    assert_memory_equal(cookie, f.got[0].session, sizeof cookie);
    assert_memory_not_equal(cookie, f.got[0].new_session, sizeof cookie);
    assert_true(span_find(span_of(&f.got[0], activity_size(&f.got[0])), SPAN("SECRET"), 0) == SIZE_MAX);
    fake_fini(&f);
}

/* A token longer than any name (a JSON Web Token of an OAuth server): what is signed in with it later is its login's. */
static void ties_long_tokens(void **state)
{
    static char token[1100], ask[1400], gives[1400];
    struct fake f;
    (void)state;
    for (size_t i = 0; i < sizeof token - 1; i++)
        token[i] = "abcdefghijklmnopqrstuvwxyz0123456789"[i * i % 36];
    snprintf(gives, sizeof gives, "200\nContent-Type: application/json\n\n{\"expires_in\":3600,\"access_token\":\"%s\"}", token);
    snprintf(ask, sizeof ask, "GET /case/1\nAuthorization: Bearer %s\n\n", token);
    fake_init(&f, fake_rules());
    fake_exchange(&f, "POST /api/login\nContent-Type: application/json\n\n{\"username\":\"tom\",\"password\":\"p\"}", gives);
    assert_string_equal(fake_says(&f), "login+ json-login user=tom proven new");
    uint8_t new_session[SESSION_HASH_SIZE];
    memcpy(new_session, f.got[0].new_session, sizeof new_session);
    f.n = 0;
    fake_exchange(&f, ask, "200" HTML "x");
    assert_int_equal(f.n, 1);
    assert_memory_equal(f.got[0].session, new_session, sizeof new_session);
    fake_fini(&f);
}

static void recognises_hosts(void **state)
{
    struct fake f;
    (void)state;
    fake_init(&f, fake_rules());
    assert_null(app_assumption(f.app, 0));
    /* a client's word alone settles nothing */
    fake_exchange(&f, "GET /x\nHost: other.example" ASKED, "404" HTML "x");
    assert_null(app_assumption(f.app, 0));
    fake_exchange(&f, "GET /x\nHost: b.example" ASKED, "200" HTML "x");
    assert_string_equal(app_assumption(f.app, 0), "b.example is rt: cookie RT_SID_* (asked for, and answered)");
    fake_exchange(&f, "GET /\nHost: A.example\n\n", "200" CHANGED HTML NOBODY);
    assert_string_equal(app_assumption(f.app, 0), "a.example is rt: cookie RT_SID_*");
    assert_null(app_assumption(f.app, 2));
    /* the first request of an unknown host is routed by its own tell-tale */
    fake_exchange(&f, "POST /NoAuth/Login.html\nHost: c.example" FORM "\n\nuser=u&pass=p", "302\nLocation: /\nX: y" CHANGED "\n\n");
    assert_string_equal(fake_says(&f), "login+ login user=u proven new");
    struct ipaddr server;
    assert_true(ipaddr_parse(SPAN("10.20.0.20"), &server));
    assert_true(app_watches(f.app, &server));
    fake_fini(&f);
}

static void names_the_client(void **state)
{
    struct fake f;
    char text[IPADDR_TEXT_MAX];
    (void)state;
    fake_init(&f, fake_rules());
    fake_exchange(&f, "GET /case/1\nX-Forwarded-For: 198.51.100.7" SIDC, "200" HTML "x");
    assert_string_equal(ipaddr_text(&f.got[0].source, text), "198.51.100.7");
    fake_fini(&f);
}

static void reads_client_hints(void **state)
{
    (void)state;
    struct fake f;
    fake_init(&f, fake_rules());
    fake_exchange(&f, "GET /case/1" SIDC, "200" HTML "x");
    assert_false(f.got[0].client_hints.is_seen);
    fake_exchange(&f, "GET /case/1\nSec-CH-UA: \"Microsoft Edge\";v=\"119\", \"Chromium\";v=\"119\"\nSec-CH-UA-Mobile: ?0"
                      "\nsec-ch-ua-platform: \"Windows\"\nSec-CH-UA-Platform-Version: \"15.0.0\"\n\n", "200" HTML "x");
    const struct client_hints *hints = &f.got[0].client_hints;
    assert_true(hints->is_seen && hints->family && hints->major == 119 && hints->chromium == 119);
    assert_true(hints->os == OS_WINDOWS && hints->os_major == 11);
    fake_exchange(&f, "GET /case/1\nSec-CH-UA-Full-Version-List: \"Chromium\";v=\"120.0.6099.5\"\n\n", "200" HTML "x");
    assert_int_equal(f.got[0].client_hints.chromium, 120);
    fake_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_tracker),  cmocka_unit_test(request_tracker_in_slices),
        cmocka_unit_test(any_desk),         cmocka_unit_test(hashes_values),
        cmocka_unit_test(ties_long_tokens), cmocka_unit_test(recognises_hosts),
        cmocka_unit_test(names_the_client), cmocka_unit_test(reads_client_hints),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
