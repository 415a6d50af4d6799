/* SPDX-License-Identifier: Apache-2.0
 * Who is one person: lists, patterns, domains, case; what cannot be read; and what comes of it in settled activities. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "app/identity.h"
#include "app/people.h"
#include "base/err.h"

static const char rules[] = "case: fold\n"
                            "strip_domain: [corp.example, CORP]\n"
                            "map:\n"
                            "  - {from: '{user}@old.example', to: '{user}@corp.example'}\n"
                            "  - {from: 'ext-{user}', to: '{user}@partner.example'}\n"
                            "people:\n"
                            "  - name: Zoe.Hart\n"
                            "    also: [zhart, zoe@mail.example, 'token:1-48']\n"
                            "  - {name: eve, also: ['session:0123456789abcdef']}\n"
                            "services: ['svc-*', Zoe.Hart]\n";

static struct people *parsed(const char *text)
{
    struct people *p = NULL;
    struct text why = {0};
    if (people_parse("people.yaml", span_text(text), &p, &why))
        fail_msg("%s", text_str(&why));
    text_fini(&why);
    return p;
}

static void names_are_joined(void **state)
{
    static const struct {
        const char *name, *is;
    } rows[] = {
        {"zoe.hart", "Zoe.Hart"}, {"ZOE.HART@CORP.EXAMPLE", "Zoe.Hart"}, {"CORP\\zhart", "Zoe.Hart"}, {"corp\\ZHart", "Zoe.Hart"},
        {"zhart@old.example", "Zoe.Hart"}, {"zoe@mail.example", "Zoe.Hart"}, {"token:1-48", "Zoe.Hart"},
        {"session:0123456789abcdef", "eve"}, {"session:ABC", "session:ABC"}, {"Bob", "bob"}, {"Bob@corp.example", "bob"},
        {"Bob@other.example", "bob@other.example"}, {"OTHER\\Bob", "other\\bob"}, {"ext-Ann", "ann@partner.example"},
        {"@corp.example", "@corp.example"}, {"CORP\\", "corp\\"}, {"a@b@corp.example", "a@b@corp.example"}, {"", ""},
    };
    struct people *p = parsed(rules);
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char out[PEOPLE_NAME];
        size_t size = people_name(p, span_text(rows[i].name), out);
        if (!span_eq(span_of(out, size), span_text(rows[i].is)))
            fail_msg("%s: %.*s, not %s", rows[i].name, (int)size, out, rows[i].is);
        size_t again = people_name(p, span_of(out, size), out); /* and is what it stays */
        assert_true(span_eq(span_of(out, again), span_text(rows[i].is)));
    }
    char big[PEOPLE_NAME + 1], out[PEOPLE_NAME];
    memset(big, 'x', sizeof big);
    assert_int_equal(people_name(p, span_of(big, sizeof big), out), 0);
    memcpy(big, "ext-", 4);
    assert_int_equal(people_name(p, span_of(big, PEOPLE_NAME), out), PEOPLE_NAME); /* too long for the pattern's end */
    assert_true(people_is_service(p, SPAN("SVC-export")) && people_is_service(p, SPAN("zoe.hart")));
    assert_false(people_is_service(p, SPAN("bob")) || people_is_service(p, SPAN("")));
    size_t names, patterns, services;
    people_count(p, &names, &patterns, &services);
    assert_int_equal(names, 6);
    assert_int_equal(patterns, 4);
    assert_int_equal(services, 2);
    people_free(p);
    p = parsed("people: []\n");
    assert_int_equal(people_name(p, SPAN("Bob@X"), out), 5);
    assert_memory_equal(out, "Bob@X", 5);
    people_free(p);
}

static void mistakes_are_told(void **state)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"cases: fold\n", "people.yaml:1:1: unknown key 'cases'; did you mean 'case'?"},
        {"case: lower\n", "people.yaml:1:7: expected fold or keep"},
        {"services: svc\n", "people.yaml:1:11: expected a list"},
        {"people: [{name: a}]\n", "people.yaml:1:10: 'also' is missing"},
        {"people: [{also: [a]}]\n", "people.yaml:1:10: 'name' is missing"},
        {"people:\n- {name: a, also: [b]}\n- {name: c, also: [B]}\n", "people.yaml:3:20: 'B' is 'a' already, in line 2"},
        {"people:\n- {name: a, also: [b]}\n- {name: b, also: [c]}\n", "people.yaml:3:10: 'b' is 'a' already, in line 2"},
        {"map: [{from: '{x}', to: '{user}'}]\n", "people.yaml:1:14: it needs {user}"},
        {"map: [{from: '{user}', to: x}]\n", "people.yaml:1:28: it needs {user}"},
        {"map: [{from: '{user', to: x}]\n", "people.yaml:1:14: '{user' is no pattern"},
        {"strip_domain: ['']\n", "people.yaml:1:16: expected a text of 1 to 192 bytes"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct people *p = NULL;
        struct text why = {0};
        int rc = people_parse("people.yaml", span_text(rows[i].text), &p, &why);
        if (rc != E_CONF || strncmp(text_str(&why), rows[i].why, strlen(rows[i].why)) != 0)
            fail_msg("%s: %d %s", rows[i].text, rc, text_str(&why));
        text_fini(&why);
    }
    struct people *p = NULL;
    struct text why = {0};
    assert_int_equal(people_load("/nonexistent/people.yaml", &p, &why), E_IO);
    text_fini(&why);
}

struct got {
    char name[4][64];
    bool is_service[4];
    size_t n;
};

static void note(void *ctx, struct activity *a)
{
    struct got *g = ctx;
    struct span s = activity_get(a, STR_USER);
    snprintf(g->name[g->n % 4], sizeof g->name[0], "%.*s", (int)s.size, (const char *)s.at);
    g->is_service[g->n++ % 4] = a->flags & ACT_SERVICE;
}

static void settle(struct identity *id, enum action action, enum cred_kind kind, const char *claim, const char *cert, uint8_t session,
                   struct got *got)
{
    struct activity a;
    activity_init(&a);
    a.tail_used = 0;
    a.action = (uint8_t)action;
    a.outcome = OUTCOME_SUCCESS;
    a.cred_kind = (uint8_t)kind;
    memset(a.session, session, sizeof a.session);
    activity_set(&a, STR_CLAIM, span_text(claim));
    activity_set(&a, STR_CERT, span_text(cert));
    got->n = 0;
    identity_settle(id, &a, note, got);
}

static void activities_get_them(void **state)
{
    struct identity *id = identity_new(64);
    struct got got = {.n = 0};
    (void)state;
    identity_people(id, parsed(rules));
    settle(id, ACTION_VIEW_CASE, CRED_BASIC, "CORP\\zhart", "", 0, &got);
    assert_string_equal(got.name[0], "Zoe.Hart");
    assert_true(got.is_service[0]);
    settle(id, ACTION_VIEW_CASE, CRED_NTLM, "CORP\\Bob", "", 0, &got);
    assert_string_equal(got.name[0], "bob");
    assert_false(got.is_service[0]);
    settle(id, ACTION_LOGIN, CRED_OIDC, "zoe@mail.example", "", 7, &got);
    assert_string_equal(got.name[0], "Zoe.Hart");
    settle(id, ACTION_VIEW_CASE, CRED_COOKIE, "", "", 7, &got); /* the session has the person's name */
    assert_string_equal(got.name[0], "Zoe.Hart");
    settle(id, ACTION_VIEW_CASE, CRED_COOKIE, "", "CN=ann,O=X", 7, &got); /* which outweighs a certificate */
    assert_string_equal(got.name[0], "Zoe.Hart");
    settle(id, ACTION_VIEW_CASE, CRED_COOKIE, "", "CN=ann,O=X", 9, &got); /* nothing else names it */
    assert_string_equal(got.name[0], "ann");
    settle(id, ACTION_VIEW_CASE, CRED_TOKEN, "1-48", "", 11, &got);
    assert_string_equal(got.name[0], "Zoe.Hart");
    settle(id, ACTION_VIEW_CASE, CRED_COOKIE, "", "", 9, &got);
    assert_string_equal(got.name[0], "session:0909090909090909");
    identity_free(id);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(names_are_joined), cmocka_unit_test(mistakes_are_told),
                                       cmocka_unit_test(activities_get_them)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
