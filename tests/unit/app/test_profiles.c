/* SPDX-License-Identifier: Apache-2.0
 * Every route of every shipped profile, exercised by exchanges as the application's documentation or source shows them:
 * tests/golden/profiles/NAME.txt, one exchange a line. Each runs alone, on a host that is declared to be the application;
 * those that show how it is recognised ("~" for the route) run on a host nobody declared. */
#include "fake.h"

#include "app/candidate.h"

#define ROUTES 200

struct told {
    char profile[64], route[64];
};

struct rig {
    struct fake fake;
    struct told told;
};

static void on_route(void *ctx, const struct app_route *r)
{
    struct rig *rig = ctx;
    snprintf(rig->told.profile, sizeof rig->told.profile, "%.*s", (int)r->profile.size, (const char *)r->profile.at);
    snprintf(rig->told.route, sizeof rig->told.route, "%.*s", (int)r->route.size, (const char *)r->route.at);
}

static void emit(void *ctx, const struct activity *a)
{
    fake_emit(ctx, a); /* the fake comes first in the rig */
}

/* The shipped profiles; with 'declared' the test's host is that application. */
static struct profiles *rules_for(const char *declared)
{
    struct profiles *p = fake_rules();
    struct text why = {0};
    if (profiles_declare(p, declared, "desk.example", &why))
        fail_msg("%s", text_str(&why));
    text_fini(&why);
    return p;
}

static void rig_init(struct rig *rig, const struct profiles *profiles)
{
    memset(rig, 0, sizeof *rig);
    rig->fake.key = keyed_new_default();
    rig->fake.app = app_new(&(struct app_options){.profiles = profiles, .key = rig->fake.key, .max_transactions = 8,
                                                  .emit = emit, .on_route = on_route, .ctx = rig});
    assert_non_null(rig->fake.app);
}

/* How the credential showed itself: of what was told first. */
static const char *shown_by(const struct fake *f)
{
    static const char *const names[] = {[CRED_NONE] = "", [CRED_FORM] = " by=form", [CRED_JSON] = " by=json",
                                        [CRED_SAML] = " by=saml", [CRED_BASIC] = " by=basic", [CRED_BEARER] = " by=bearer",
                                        [CRED_TOKEN] = " by=token", [CRED_COOKIE] = " by=cookie", [CRED_LINK] = " by=link",
                                        [CRED_OIDC] = " by=oidc", [CRED_NTLM] = " by=ntlm", [CRED_KERBEROS] = " by=kerberos",
                                        [CRED_CERT] = " by=cert"};
    return f->n && f->got[0].cred_kind < sizeof names / sizeof *names && names[f->got[0].cred_kind]
               ? names[f->got[0].cred_kind]
               : "";
}

/* What it says of cases and their customers: " list=CASE/CUSTOMER/DOMAIN", of its own case without one. */
static const char *listed_by(const struct fake *f)
{
    static char text[2048];
    struct span rest = f->n ? candidate_facts(&f->got[0]) : SPAN(""), line;
    size_t at = 0;
    text[0] = 0;
    while (span_split(&rest, '\n', &line))
        if (line.size && line.at[0] == 'c') {
            at += (size_t)snprintf(text + at, sizeof text - at, " list=%.*s", (int)line.size - 1, (const char *)line.at + 1);
            for (char *tab = text; (tab = strchr(tab, '\t'));)
                *tab = '/';
        }
    return text;
}

#define COLUMNS 7 /* route, request head, its body, answer's head, its body, what is told, source */

/* Splits a line at " | "; false unless it has as many columns as it should. */
static bool columns_take(char *line, char *column[COLUMNS])
{
    size_t n = 0;
    for (char *next = line; next && n < COLUMNS;) {
        column[n++] = next;
        char *end = strstr(next, " | ");
        next = end ? end + 2 : NULL;
        if (end)
            *end = 0;
        else if (n < COLUMNS)
            return false;
    }
    for (size_t i = 0; i < n; i++)
        while (column[i][0] == ' ')
            column[i]++;
    for (size_t i = 0; i < n; i++)
        for (size_t size = strlen(column[i]); size && column[i][size - 1] == ' ';)
            column[i][--size] = 0;
    return n == COLUMNS;
}

/* "@File:a.log=123&id=7" as a multipart form. */
static void add_form(struct text *out, const char *spec)
{
    while (*spec) {
        size_t name = strcspn(spec, ":="), end = strcspn(spec, "&");
        size_t equals = strcspn(spec, "=");
        text_addf(out, "--X\r\nContent-Disposition: form-data; name=\"%.*s\"", (int)name, spec);
        if (spec[name] == ':')
            text_addf(out, "; filename=\"%.*s\"", (int)(equals - name - 1), spec + name + 1);
        text_addf(out, "\r\n\r\n%.*s\r\n", (int)(end - equals - 1), spec + equals + 1);
        spec += end + (spec[end] != 0);
    }
    text_add_str(out, "--X--\r\n");
}

/* A head ("GET / ~ Field: value") and a body, whose media type goes without saying where the body shows it. */
static void message_make(struct text *out, const char *head, const char *body)
{
    bool has_type = strstr(head, "Content-Type:") != NULL;
    const char *type = body[0] == '{' || body[0] == '[' ? "application/json"
                       : body[0] == '<'                 ? "text/html; charset=utf-8"
                       : body[0] == '@'                 ? "multipart/form-data; boundary=X"
                       : strchr(body, '=')              ? "application/x-www-form-urlencoded"
                                                        : NULL;
    for (const char *at = head; *at;) {
        const char *end = strstr(at, " ~ ");
        text_addf(out, "%.*s\n", (int)(end ? end - at : (long)strlen(at)), at);
        at = end ? end + 3 : "";
    }
    if (!has_type && type)
        text_addf(out, "Content-Type: %s\n", type);
    text_add_str(out, "\n");
    if (body[0] == '@') {
        add_form(out, body + 1);
        return;
    }
    for (const char *at = body; *at; at++)
        if (at[0] == '\\' && (at[1] == 'n' || at[1] == 'r'))
            text_add_char(out, *++at == 'n' ? '\n' : '\r');
        else
            text_add_char(out, *at);
}

struct seen {
    size_t n_cases, n_tells;
    bool routes[ROUTES];
};

static void mark(const struct profiles *p, size_t at, const char *route, struct seen *seen)
{
    for (size_t k = 0; profiles_route(p, at, k); k++)
        if (strcmp(profiles_route(p, at, k), route) == 0) {
            assert_true(k < ROUTES);
            seen->routes[k] = true;
            return;
        }
    fail_msg("%s has no route '%s'", profiles_name(p, at), route);
}

/* One line; how many things are wrong with it. 'declared': as rules_for gives them. */
static int run_line(const struct profiles *p, const struct profiles *declared, size_t at, const char *where, char *line,
                    struct seen *seen)
{
    char *column[COLUMNS], says[6600];
    struct text request = {0}, response = {0};
    struct rig rig;
    if (!columns_take(line, column) || !column[6][0]) {
        print_error("%s: expected %d columns, the last a source\n", where, COLUMNS);
        return 1;
    }
    bool is_tell = strcmp(column[0], "~") == 0;
    rig_init(&rig, is_tell ? p : declared);
    message_make(&request, column[1], column[2]);
    message_make(&response, column[3], column[4]);
    fake_exchange(&rig.fake, text_str(&request), column[3][0] ? text_str(&response) : NULL);
    snprintf(says, sizeof says, "%s%s%s", fake_says(&rig.fake), shown_by(&rig.fake), listed_by(&rig.fake));
    bool is_right = strcmp(says, column[5]) == 0 && strcmp(rig.told.profile, profiles_name(p, at)) == 0 &&
                    (is_tell || strcmp(rig.told.route, column[0]) == 0);
    if (!is_right)
        print_error("%s: %s took it (%s)\n    says |%s|\n    want |%s|\n", where, rig.told.route[0] ? rig.told.route : "nothing",
                    rig.told.profile, says, column[5]);
    if (!is_tell && rig.told.route[0])
        mark(p, at, rig.told.route, seen);
    seen->n_cases++;
    seen->n_tells += is_tell;
    fake_fini(&rig.fake);
    text_fini(&request);
    text_fini(&response);
    return !is_right;
}

/* Runs a file's cases; how many went wrong. */
static int run_file(const struct profiles *p, size_t at, struct seen *seen)
{
    char path[200], where[240], line[4096];
    int wrong = 0;
    snprintf(path, sizeof path, "tests/golden/profiles/%s.txt", profiles_name(p, at));
    FILE *f = fopen(path, "r");
    if (!f)
        fail_msg("%s: nobody exercises this profile", path);
    struct profiles *declared = rules_for(profiles_name(p, at));
    for (unsigned number = 1; fgets(line, sizeof line, f); number++) {
        size_t size = strcspn(line, "\n");
        assert_true(size < sizeof line - 1);
        line[size] = 0;
        snprintf(where, sizeof where, "%s:%u", path, number);
        if (line[0] && line[0] != '#')
            wrong += run_line(p, declared, at, where, line, seen);
    }
    fclose(f);
    profiles_free(declared);
    return wrong;
}

static void every_route_takes_what_it_should(void **state)
{
    struct profiles *p = fake_rules();
    int wrong = 0;
    (void)state;
    for (size_t at = 0; at < profiles_count(p); at++) {
        struct seen seen = {0};
        wrong += run_file(p, at, &seen);
        for (size_t k = 0; profiles_route(p, at, k); k++)
            if (!seen.routes[k]) {
                print_error("%s: no exchange is taken by route '%s'\n", profiles_name(p, at), profiles_route(p, at, k));
                wrong++;
            }
        if (strcmp(profiles_name(p, at), "generic") != 0 && !seen.n_tells) {
            print_error("%s: nothing shows how it is recognised\n", profiles_name(p, at));
            wrong++;
        }
        print_message("%s: %zu routes, %zu exchanges\n", profiles_name(p, at), profiles_routes(p, at), seen.n_cases);
    }
    profiles_free(p);
    assert_int_equal(wrong, 0);
}

static void no_route_is_out_of_reach(void **state)
{
    struct profiles *p = fake_rules();
    struct text flaws = {0};
    size_t n = 0;
    (void)state;
    for (size_t at = 0; at < profiles_count(p); at++)
        n += profiles_audit(p, at, &flaws);
    if (n)
        fail_msg("%s", text_str(&flaws));
    profiles_free(p);
    text_fini(&flaws);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_route_takes_what_it_should),
                                       cmocka_unit_test(no_route_is_out_of_reach)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
