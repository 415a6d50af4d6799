/* SPDX-License-Identifier: Apache-2.0
 * Oversized, truncated and malformed input of each kind that is read for names: nobody is named wrongly, no memory is
 * taken beyond what was reserved, and what was left out is counted. */
#include "app/cred.h"
#include "app/identity.h"
#include "unit/app/fake.h"

#include <malloc.h>

#define N(array) (sizeof(array) / sizeof *(array))
#define FORM "\nContent-Type: application/x-www-form-urlencoded\n\n"
#define JSON "\nContent-Type: application/json\n\n"
#define PARTS "\nContent-Type: multipart/form-data; boundary=X\n\n"
#define OK "200\nContent-Type: application/json\n\n{}"
#define IN "302\nLocation: /\nSet-Cookie: sid=0123456789abcdef\n\n"
#define RT_FILE "200\nContent-Type: application/json\n\n{\"Filename\":\"a.har\",\"ContentType\":\"text/plain\",\"Content\":\""
#define FIELD_X "--X\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n1\r\n"
#define NAME_X "--X\r\nContent-Disposition: form-data; name=\"user\"\r\n\r\nann\r\n"

/* The request is 'request', 'times' the text 'again', 'rest'. */
static const struct row {
    const char *what, *profile, *request, *again;
    size_t times;
    const char *rest, *response, *says;
    const char *counter; /* that counts it, once */
} rows[] = {
    {"a SAML response larger than any form", "generic", "POST /acs" FORM "SAMLResponse=", "PGE%2B", 20000, "", IN,
     "", "extract_form_cut"},
    {"elements in elements", "generic", "POST /acs" FORM "SAMLResponse=", "PGE%2B", 9000, "", IN, "login+ saml new", "extract_malformed"},
    {"a SAML response that breaks off", "generic",
     "POST /acs" FORM "SAMLResponse=PHNhbWxwOlJlc3BvbnNlIHhtbG5zOnNhbWxwPSJ1cm46b2FzaXM6bmFtZXM6dGM6U0FNTDoyLjA6cHJvdG9jb2wi", "", 0, "", IN,
     "login+ saml new", "extract_malformed"},
    {"base64 that is none", "generic", "POST /acs" FORM "SAMLResponse=", "!", 100, "", IN, "login+ saml new", "extract_malformed"},
    {"an id_token that is none", "generic", "POST /cb" FORM "id_token=a.b.c&state=1", "", 0, "", IN, "login+ id-token new", "extract_malformed"},
    {"a long one", "generic", "POST /cb" FORM "id_token=eyJhbGciOiJIUzI1NiJ9.", "eyJh", 12000, ".c2ln", IN, "login+ id-token new",
     "extract_malformed"},
    {"a long bearer token", "generic", "GET /case/8\nAuthorization: Bearer eyJhbGciOiJIUzI1NiJ9.", "eyJh", 15000, ".c2ln\n\n", OK,
     "view_case+ case case=8", "app_bad_tokens"},
    {"a bearer token that is no JSON", "generic", "GET /case/8\nAuthorization: Bearer eyJhbGciOiJIUzI1NiJ9.YW5u.c2ln\n\n", "", 0, "", OK,
     "view_case+ case case=8", "app_bad_tokens"},
    {"a bearer token nobody signed", "generic",
     "GET /case/8\nAuthorization: Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1c3JfMSIsImVtYWlsIjoibS5zQHguZXhhbXBsZSJ9.\n\n", "", 0, "", OK,
     "view_case+ case case=8", "app_unsigned_tokens"},
    {"a bearer token without its end", "generic", "GET /case/8\nAuthorization: Bearer eyJhbGciOiJIUzI1NiJ9.eyJlbWFpbCI6ImEuYkB4Lm", "", 0,
     "\n\n", OK, "view_case+ case case=8", "app_bad_tokens"},
    {"an opaque bearer token is none of these", "generic", "GET /case/8\nAuthorization: Bearer 0123456789abcdef0123456789abcdef\n\n", "", 0,
     "", OK, "view_case+ case case=8", NULL},
    {"Basic that is no base64", "generic", "GET /case/8\nAuthorization: Basic ", "=YW5u", 5000, "\n\n", OK, "view_case+ case case=8",
     "app_bad_credentials"},
    {"Basic without a colon", "generic", "GET /case/8\nAuthorization: Basic YW5u\n\n", "", 0, "", OK, "view_case+ case case=8",
     "app_bad_credentials"},
    {"Basic with a name that does not end", "generic", "GET /case/8\nAuthorization: Basic ", "YWFh", 5000, "\n\n", OK,
     "view_case+ case case=8", "app_bad_credentials"},
    {"Basic with a long name", "generic", "GET /case/8\nAuthorization: Basic ", "YWFh", 70, "Onh4\n\n", OK, "view_case+ case case=8",
     "app_long_names"},
    {"NTLM that is none", "generic", "GET /case/8\nAuthorization: NTLM ", "YWFh", 70, "\n\n", OK, "view_case+ case case=8",
     "app_bad_credentials"},
    {"brackets in brackets", "zammad", "POST /api/v1/signin" JSON "{\"x\":", "[", 200000, "", "201" JSON "{}", "login+ login",
     "extract_malformed"},
    {"a long name in JSON", "zammad", "POST /api/v1/signin" JSON "{\"username\":\"", "a", 1000000, "\"}", "201" JSON "{}", "login+ login",
     "extract_too_long"},
    {"one byte too long", "zammad", "POST /api/v1/signin" JSON "{\"username\":\"", "a", 257, "\"}", "201" JSON "{}", "login+ login",
     "extract_too_long"},
    {"JSON that breaks off in the name", "zammad", "POST /api/v1/signin" JSON "{\"username\":\"an", "", 0, "", "201" JSON "{}",
     "login+ login", "extract_malformed"},
    {"a name without quotes", "zammad", "POST /api/v1/signin" JSON "{\"username\":ann}", "", 0, "", "201" JSON "{}", "login+ login",
     "extract_malformed"},
    {"a form with a name behind all that is read of it", "redmine", "POST /login" FORM, "a=1&", 20000, "username=ann", IN, "login+ login", "extract_form_cut"},
    {"a name longer than is kept, in a form that is read to its end", "redmine", "POST /login" FORM "username=ann", "a", 300, "&password=x",
     IN, "login+ login", "extract_too_long"},
    {"the same in a form in parts", "rt", "POST /NoAuth/Login.html" PARTS "--X\r\nContent-Disposition: form-data; name=\"user\"\r\n\r\nann",
     "a", 300, "\r\n--X--\r\n", IN, "login+ login", "extract_too_long"},
    {"a long name in a form", "redmine", "POST /login" FORM "username=", "a", 70000, "", IN, "login+ login", "extract_form_cut"},
    {"many cookies", "generic", "GET /case/8\nCookie: ", "a=1; ", 200000, "sid=0123456789abcdef\n\n", OK, "view_case+ case case=8", NULL},
    {"many fields of cookies", "generic", "GET /case/8", "\nCookie: a=1", 20, "\nCookie: sid=0123456789abcdef\n\n", OK,
     "view_case+ case case=8", "app_cookies_cut"},
    {"many parts", "rt", "POST /NoAuth/Login.html" PARTS, FIELD_X, 20000, NAME_X, IN, "login+ login", "extract_malformed"},
    {"a part whose head does not end", "rt", "POST /NoAuth/Login.html" PARTS "--X\r\nContent-Disposition: ", "a", 200000, "", IN, "login+ login",
     "extract_malformed"},
    {"no boundary", "rt", "POST /NoAuth/Login.html" PARTS, "--Y\r\n", 1000, "", IN, "login+ login", "extract_malformed"},
};

size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak)); /* a sanitizer's malloc keeps its own count */

static size_t allocated(void)
{
    return __sanitizer_get_current_allocated_bytes ? __sanitizer_get_current_allocated_bytes() : mallinfo2().uordblks;
}

static uint64_t count_in(struct counters c, const char *name, bool *is_found)
{
    for (size_t i = 0; i < c.n; i++)
        if (strcmp(c.defs[i].name, name) == 0) {
            *is_found = true;
            return c.values[i];
        }
    return 0;
}

static uint64_t count_of(const struct app *app, const char *name)
{
    bool is_found = false;
    uint64_t n = count_in(app_counters(app), name, &is_found) + count_in(app_body_counters(app), name, &is_found) +
                 count_in(app_content_counters(app), name, &is_found);
    assert_true(is_found);
    return n;
}

static void open_desk(struct fake *f, const char *profile)
{
    struct profiles *p = fake_rules();
    struct text why = {0};
    assert_int_equal(profiles_declare(p, profile, "desk.example", &why), 0);
    fake_init(f, p);
    app_free(f->app);
    f->app = app_new(&(struct app_options){.profiles = p, .key = f->key, .max_transactions = 8, .emit = fake_emit, .ctx = f,
                                           .scan_budget = 1 << 20});
    assert_non_null(f->app);
}

/* Runs it whole, and asserts that it took no memory. */
static void run(struct fake *f, struct span request, struct span response, size_t slice)
{
    struct conn_hooks hooks = app_hooks(f->app);
    size_t before = allocated();
    f->n = 0;
    exchange_run(&hooks, ++f->number, request, response, slice, 0);
    assert_int_equal(allocated(), before);
}

static void each_kind(void **state)
{
    int wrong = 0;
    (void)state;
    for (size_t i = 0; i < N(rows); i++) {
        const struct row *r = &rows[i];
        struct fake f;
        struct text request = {0};
        open_desk(&f, r->profile);
        text_add_str(&request, r->request);
        for (size_t n = 0; n < r->times; n++)
            text_add_str(&request, r->again);
        text_add_str(&request, r->rest);
        run(&f, SPAN("GET /\n\n"), SPAN(OK), 0); /* the host is known from now on */
        run(&f, text_span(&request), span_text(r->response), 1400);
        bool is_said = strcmp(fake_says(&f), r->says) == 0;
        bool is_counted = !r->counter || count_of(f.app, r->counter) == 1;
        if (!is_said)
            print_error("%s\n  says  %s\n  wants %s\n", r->what, fake_says(&f), r->says);
        if (!is_counted)
            print_error("%s: %s is %llu\n", r->what, r->counter, (unsigned long long)count_of(f.app, r->counter));
        wrong += !is_said || !is_counted;
        fake_fini(&f);
        text_fini(&request);
    }
    assert_int_equal(wrong, 0);
}

/* A ZIP archive's member, stored (APPNOTE.TXT, 4.3.7). */
static void add_member(struct text *out, const char *name, struct span content)
{
    uint8_t head[30] = {'P', 'K', 3, 4, 20};
    for (unsigned i = 0; i < 4; i++)
        head[18 + i] = head[22 + i] = (uint8_t)(content.size >> 8 * i);
    head[26] = (uint8_t)strlen(name);
    text_add(out, span_of(head, sizeof head));
    text_add_str(out, name);
    text_add(out, content);
}

/* Archives in archives are not unpacked, however deep: what is in them is not looked through, and that is said. */
static void nested_archives(void **state)
{
    (void)state;
    struct fake f;
    struct text inner = {0}, outer = {0}, answer = {0};
    open_desk(&f, "generic");
    add_member(&inner, "a.log", SPAN("password=hunter22secret\n"));
    for (int depth = 0; depth < 200; depth++) {
        text_clear(&outer);
        add_member(&outer, "b.zip", text_span(&inner));
        text_clear(&inner);
        text_add(&inner, text_span(&outer));
    }
    text_add_str(&answer, "200\nContent-Type: application/zip\n\n");
    text_add(&answer, text_span(&outer));
    run(&f, SPAN("GET /files/a.zip\n\n"), text_span(&answer), 100);
    assert_int_equal(count_of(f.app, "file_scan_cut"), 1);
    assert_int_equal(count_of(f.app, "file_secrets"), 0);
    assert_true(f.got[f.n - 1].file.is_cut);
    fake_fini(&f);
    text_fini(&inner);
    text_fini(&outer);
    text_fini(&answer);
}

/* base64 in JSON that is none, or breaks off: the size of the file is not told. */
static void bad_base64(void **state)
{
    (void)state;
    static const char *const answers[] = {RT_FILE "YWJj!!!!\"}", RT_FILE "YWJj====YQ\"}", RT_FILE "YWJ"};
    for (size_t i = 0; i < N(answers); i++) {
        struct fake f;
        open_desk(&f, "rt");
        run(&f, SPAN("GET /REST/2.0/attachment/3\n\n"), span_text(answers[i]), 3);
        assert_true(f.n > 0);
        for (size_t k = 0; k < f.n; k++)
            assert_false(f.got[k].flags & ACT_HAS_FILE_SIZE);
        fake_fini(&f);
    }
}

static void ignore(void *ctx, struct activity *a)
{
    size_t *n_named = ctx;
    *n_named += !span_starts(activity_get(a, STR_USER), SPAN("session:"));
}

/* Of a million values nobody signed in with, the table keeps as many as it has room for. */
static void a_million_sessions(void **state)
{
    (void)state;
    static struct activity a;
    struct identity *id = identity_new(1000);
    size_t n_named = 0, before = 0;
    for (uint32_t i = 0; i < 1000000; i++) {
        activity_init(&a);
        a.tail_used = 0;
        a.action = ACTION_VIEW_CASE;
        a.outcome = OUTCOME_SUCCESS;
        a.cred_kind = CRED_COOKIE;
        a.time_ns = a.done_ns = 1000ull * i;
        memcpy(a.session, &i, sizeof i);
        a.session[15] = 1;
        identity_settle(id, &a, ignore, &n_named);
        if (i == 2000)
            before = allocated();
    }
    assert_int_equal(allocated(), before);
    assert_int_equal(n_named, 0);
    struct counters c = identity_counters(id);
    bool is_found = false;
    assert_int_equal(count_in(c, "identity_sessions_evicted", &is_found), 1000000 - 1000);
    identity_free(id);
}

/* The same cookies before them: what a value is hashed to is kept for some, made again for the others. */
static void a_million_cookies(void **state)
{
    (void)state;
    struct keyed *key = keyed_new_default();
    struct cred_hasher *h = cred_hasher_new(key, 1000);
    uint8_t first[SESSION_HASH_SIZE], hash[SESSION_HASH_SIZE];
    cred_hash(h, SPAN("00000000"), first);
    size_t before = allocated();
    for (uint32_t i = 1; i < 1000000; i++) {
        char value[16];
        for (unsigned k = 0; k < 8; k++)
            value[k] = "0123456789abcdef"[i >> 4 * k & 15];
        cred_hash(h, span_of(value, 8), hash);
    }
    assert_memory_not_equal(first, hash, sizeof hash);
    cred_hash(h, SPAN("00000000"), hash);
    assert_memory_equal(first, hash, sizeof hash);
    assert_int_equal(allocated(), before);
    cred_hasher_free(h);
    keyed_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_kind), cmocka_unit_test(nested_archives), cmocka_unit_test(bad_base64),
                                       cmocka_unit_test(a_million_sessions), cmocka_unit_test(a_million_cookies)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
