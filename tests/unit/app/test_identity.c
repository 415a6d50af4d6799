/* SPDX-License-Identifier: Apache-2.0
 * Who acted: logins, cookies that change, pages that tell, tokens, aliases, logouts, and what a restart keeps. Each
 * case is a script of candidates, and what has to come out of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "app/identity.h"
#include "base/err.h"

#define N(array) (sizeof(array) / sizeof *(array))

/* Session values are single letters: 'a' stands for a hash of sixteen 'a's; 0 for none. */
struct step {
    uint8_t action, outcome, kind;
    char session, new_session;
    const char *claim;
    uint32_t flags;
    const char *want; /* lines "action user session" this step has to emit */
};

struct emitted {
    char text[1024];
    uint8_t last_id[16];
};

static void on_emit(void *ctx, struct activity *a)
{
    static const uint8_t none[SESSION_HASH_SIZE];
    struct emitted *e = ctx;
    struct span user = activity_get(a, STR_USER);
    size_t used = strlen(e->text);
    snprintf(e->text + used, sizeof e->text - used, "%s%s %.*s %c", used ? "; " : "",
             action_name((enum action)a->action), (int)user.size, (const char *)user.at,
             a->session[0] ? a->session[0] : '-');
    /* nothing of the candidate is left */
    assert_int_equal(activity_get(a, STR_CLAIM).size, 0);
    assert_memory_equal(a->new_session, none, sizeof none);
    assert_int_equal(a->flags & (ACT_SESSION_NEW | ACT_SESSION_END | ACT_CLAIM_PROVEN | ACT_NEEDS_PROOF), 0);
    memcpy(e->last_id, a->id, sizeof e->last_id);
    if (a->action == ACTION_IDENTIFY) {
        uint8_t id[16];
        memcpy(id, a->id, sizeof id);
        activity_seal(a);
        assert_memory_equal(a->id, id, sizeof id);
    }
}

static void run_step(struct identity *id, const struct step *s, uint64_t now_ns, struct emitted *e)
{
    struct activity a;
    activity_init(&a);
    a.time_ns = now_ns;
    a.done_ns = now_ns + 5;
    a.action = s->action;
    a.outcome = s->outcome;
    a.cred_kind = s->kind;
    a.status = s->flags & ACT_REFUSED ? 302 : 200;
    a.flags = s->flags | (s->new_session ? ACT_SESSION_NEW : 0);
    if (s->session)
        memset(a.session, s->session, sizeof a.session);
    if (s->new_session)
        memset(a.new_session, s->new_session, sizeof a.new_session);
    if (s->claim)
        activity_set(&a, STR_CLAIM, span_text(s->claim));
    memset(a.id, 7, sizeof a.id);
    memset(e, 0, sizeof *e);
    identity_settle(id, &a, on_emit, e);
    assert_int_equal(e->last_id[0], 7); /* the settled one comes last and keeps its id */
}

static void run_script(struct identity *id, const char *what, const struct step *steps, size_t n)
{
    for (size_t i = 0; i < n && steps[i].want; i++) {
        struct emitted e;
        run_step(id, &steps[i], 1000 * (i + 1), &e);
        if (strcmp(e.text, steps[i].want) != 0)
            fail_msg("%s, step %zu: \"%s\", want \"%s\"", what, i, e.text, steps[i].want);
    }
}

#define VIEW ACTION_VIEW_CASE
#define OK OUTCOME_SUCCESS
#define BAD OUTCOME_FAILURE
#define A16 "6161616161616161"
#define B16 "6262626262626262"

static const struct {
    const char *what;
    struct step steps[10];
} scripts[] = {
    {"login with a new cookie: the cookie before it stays nobody's",
     {{VIEW, OK, CRED_COOKIE, 'a', 0, NULL, 0, "view_case session:" A16 " a"},
      {ACTION_LOGIN, BAD, CRED_FORM, 'a', 0, "alice", 0, "login alice a"},
      {ACTION_LOGIN, OK, CRED_FORM, 'a', 'b', "alice", ACT_CLAIM_PROVEN, "login alice a"},
      {VIEW, OK, CRED_COOKIE, 'b', 0, NULL, 0, "view_case alice b"},
      {VIEW, OK, CRED_COOKIE, 'a', 0, NULL, 0, "view_case session:" A16 " a"},
      {ACTION_DOWNLOAD, OK, CRED_COOKIE, 'b', 0, NULL, 0, "download alice b"}}},
    {"turned away without a cookie, and signed in with the one that was handed out",
     {{VIEW, BAD, CRED_NONE, 'a', 0, NULL, ACT_REFUSED, "view_case  a"},
      {ACTION_LOGIN, OK, CRED_FORM, 'a', 'b', "alice", 0, "identify alice a; login alice a"},
      {VIEW, OK, CRED_COOKIE, 'a', 0, NULL, 0, "view_case session:" A16 " a"}}},
    {"login that keeps the cookie: what it did before is named",
     {{VIEW, OK, CRED_COOKIE, 'a', 0, NULL, 0, "view_case session:" A16 " a"},
      {ACTION_DOWNLOAD, OK, CRED_COOKIE, 'a', 0, NULL, 0, "download session:" A16 " a"},
      {ACTION_LOGIN, OK, CRED_FORM, 'a', 0, "alice", 0, "identify alice a; login alice a"},
      {VIEW, OK, CRED_COOKIE, 'a', 0, NULL, 0, "view_case alice a"}}},
    {"a failed login names itself and nothing else",
     {{ACTION_LOGIN, BAD, CRED_FORM, 'a', 0, "alice", 0, "login alice a"},
      {ACTION_LOGIN, OUTCOME_UNKNOWN, CRED_FORM, 'a', 'b', "bob", 0, "login bob a"},
      {VIEW, OK, CRED_COOKIE, 'a', 0, NULL, 0, "view_case session:" A16 " a"},
      {VIEW, OK, CRED_COOKIE, 'b', 0, NULL, 0, "view_case session:" B16 " b"}}},
    {"a login without a cookie, and one nobody gave a name at",
     {{ACTION_LOGIN, OK, CRED_FORM, 0, 'b', "alice", 0, "login alice -"},
      {VIEW, OK, CRED_COOKIE, 'b', 0, NULL, 0, "view_case alice b"},
      {ACTION_LOGIN, BAD, CRED_FORM, 0, 0, "carol", 0, "login carol -"},
      {ACTION_LOGIN, OK, CRED_FORM, 0, 'd', NULL, 0, "login  -"},
      {VIEW, OK, CRED_COOKIE, 'd', 0, NULL, 0, "view_case session:6464646464646464 d"}}},
    {"the new cookie acts before its login is settled",
     {{VIEW, OK, CRED_COOKIE, 'b', 0, NULL, 0, "view_case session:" B16 " b"},
      {ACTION_LOGIN, OK, CRED_FORM, 'a', 'b', "alice", 0, "identify alice b; login alice a"}}},
    {"a page tells whose the cookie is, once",
     {{ACTION_DOWNLOAD, OK, CRED_COOKIE, 'a', 0, NULL, 0, "download session:" A16 " a"},
      {VIEW, OK, CRED_COOKIE, 'a', 0, "alice", ACT_CLAIM_PROVEN, "identify alice a; view_case alice a"},
      {VIEW, OK, CRED_COOKIE, 'a', 0, "alice", ACT_CLAIM_PROVEN, "view_case alice a"},
      {ACTION_DOWNLOAD, OK, CRED_COOKIE, 'a', 0, NULL, 0, "download alice a"}}},
    {"a page that contradicts: from here on the other, nothing is rewritten",
     {{ACTION_LOGIN, OK, CRED_FORM, 'a', 'b', "admin", 0, "login admin a"},
      {VIEW, OK, CRED_COOKIE, 'b', 0, NULL, 0, "view_case admin b"},
      {VIEW, OK, CRED_COOKIE, 'b', 0, "alice", ACT_CLAIM_PROVEN, "view_case alice b"},
      {VIEW, OK, CRED_COOKIE, 'b', 0, NULL, 0, "view_case alice b"}}},
    {"a claim that is not proven names no cookie",
     {{VIEW, BAD, CRED_COOKIE, 'a', 0, "root", 0, "view_case session:" A16 " a"},
      {VIEW, OK, CRED_COOKIE, 'a', 0, NULL, 0, "view_case session:" A16 " a"}}},
    {"replaced without a login: the name goes on, unless it was turned away",
     {{ACTION_LOGIN, OK, CRED_FORM, 'a', 'b', "alice", 0, "login alice a"},
      {VIEW, OK, CRED_COOKIE, 'b', 'c', NULL, 0, "view_case alice b"},
      {VIEW, OK, CRED_COOKIE, 'c', 0, NULL, 0, "view_case alice b"},
      {VIEW, OK, CRED_COOKIE, 'b', 0, NULL, 0, "view_case alice b"},
      {VIEW, BAD, CRED_COOKIE, 'c', 'd', NULL, ACT_REFUSED, "view_case alice b"},
      {VIEW, OK, CRED_COOKIE, 'd', 0, NULL, 0, "view_case session:6464646464646464 d"},
      {VIEW, OK, CRED_COOKIE, 'd', 'e', "alice", ACT_CLAIM_PROVEN, "identify alice d; view_case alice d"},
      {VIEW, OK, CRED_COOKIE, 'e', 0, NULL, 0, "view_case alice d"}}},
    {"logout: the old value is dead and keeps its name, the new one has none",
     {{ACTION_LOGIN, OK, CRED_FORM, 'a', 'b', "alice", 0, "login alice a"},
      {ACTION_LOGOUT, OK, CRED_COOKIE, 'b', 'c', NULL, ACT_SESSION_END, "logout alice b"},
      {VIEW, OK, CRED_COOKIE, 'c', 0, NULL, 0, "view_case session:6363636363636363 c"},
      {VIEW, BAD, CRED_COOKIE, 'b', 'd', NULL, ACT_REFUSED, "view_case alice b"},
      {VIEW, OK, CRED_COOKIE, 'b', 'd', NULL, 0, "view_case alice b"},
      {VIEW, OK, CRED_COOKIE, 'd', 0, NULL, 0, "view_case session:6464646464646464 d"},
      {ACTION_LOGIN, OK, CRED_FORM, 'c', 'e', "bob", 0, "login bob c"},
      {VIEW, OK, CRED_COOKIE, 'e', 0, NULL, 0, "view_case bob e"}}},
    {"a second login on a live session",
     {{ACTION_LOGIN, OK, CRED_FORM, 'a', 'b', "alice", 0, "login alice a"},
      {ACTION_LOGIN, OK, CRED_FORM, 'b', 'c', "bob", 0, "login bob b"},
      {VIEW, OK, CRED_COOKIE, 'c', 0, NULL, 0, "view_case bob c"},
      {VIEW, OK, CRED_COOKIE, 'b', 0, NULL, 0, "view_case alice b"},
      {ACTION_LOGIN, OK, CRED_FORM, 'c', 0, "carol", 0, "login carol c"},
      {VIEW, OK, CRED_COOKIE, 'c', 0, NULL, 0, "view_case carol c"}}},
    {"Basic names itself, with or without a session",
     {{ACTION_DOWNLOAD, OK, CRED_BASIC, 0, 0, "svc", ACT_CLAIM_PROVEN, "download svc -"},
      {ACTION_LOGIN, BAD, CRED_BASIC, 0, 0, "svc", 0, "login svc -"},
      {ACTION_API_CALL, BAD, CRED_BASIC, 'a', 0, "svc", 0, "api_call svc a"},
      {VIEW, OK, CRED_COOKIE, 'a', 0, NULL, 0, "view_case session:" A16 " a"},
      {ACTION_API_CALL, OK, CRED_BASIC, 'a', 0, "svc", ACT_CLAIM_PROVEN, "identify svc a; api_call svc a"},
      {VIEW, OK, CRED_COOKIE, 'a', 0, NULL, 0, "view_case svc a"}}},
    {"tokens: public part, aliases, JWT, opaque",
     {{ACTION_DOWNLOAD, OK, CRED_TOKEN, 't', 0, "1-44", ACT_CLAIM_PROVEN, "download token:1-44 t"},
      {ACTION_DOWNLOAD, BAD, CRED_TOKEN, 'u', 0, "1-44", 0, "download token:1-44 u"},
      {ACTION_DOWNLOAD, OK, CRED_TOKEN, 's', 0, "1-48", ACT_CLAIM_PROVEN, "download svc-export s"},
      {ACTION_DOWNLOAD, OK, CRED_TOKEN, 's', 0, "1-49", 0, "download svc-other s"},
      {ACTION_API_CALL, OK, CRED_BEARER, 'j', 0, "maria", ACT_CLAIM_PROVEN, "api_call maria j"},
      {ACTION_API_CALL, OK, CRED_BEARER, 'o', 0, NULL, 0, "api_call session:6f6f6f6f6f6f6f6f o"},
      {ACTION_LOGIN, OK, CRED_JSON, 0, 'o', "tom", 0, "identify tom o; login tom -"},
      {ACTION_API_CALL, OK, CRED_BEARER, 'o', 0, NULL, 0, "api_call tom o"},
      {ACTION_API_CALL, OK, CRED_BEARER, 'o', 0, "42", ACT_CLAIM_PROVEN, "api_call tom o"},
      {ACTION_API_CALL, OK, CRED_TOKEN, 'k', 0, NULL, 0, "api_call session:6b6b6b6b6b6b6b6b k"}}},
    {"aliases hold for every kind of name, session hashes included",
     {{ACTION_LOGIN, OK, CRED_FORM, 'a', 'b', "mcsmith", 0, "login mary a"},
      {VIEW, OK, CRED_COOKIE, 'b', 0, NULL, 0, "view_case mary b"},
      {VIEW, OK, CRED_COOKIE, 'x', 0, NULL, 0, "view_case kiosk x"}}},
    {"one person whatever the case, in the server's spelling",
     {{ACTION_LOGIN, BAD, CRED_FORM, 'a', 0, "ALICE", 0, "login ALICE a"},
      {ACTION_LOGIN, OK, CRED_FORM, 'a', 'b', "Alice", 0, "login Alice a"},
      {ACTION_LOGIN, BAD, CRED_FORM, 'c', 0, "ALICE", 0, "login Alice c"},
      {VIEW, OK, CRED_COOKIE, 'b', 0, "alice", ACT_CLAIM_PROVEN, "view_case alice b"},
      {ACTION_LOGIN, OK, CRED_FORM, 'c', 'd', "ALICE", 0, "login alice c"},
      {VIEW, OK, CRED_COOKIE, 'd', 0, NULL, 0, "view_case alice d"}}},
    {"amends are named like what they amend, and bind only what they show",
     {{ACTION_DOWNLOAD, OK, CRED_COOKIE, 'a', 0, NULL, 0, "download session:" A16 " a"},
      {ACTION_AMEND, OK, CRED_COOKIE, 'a', 0, NULL, 0, "amend session:" A16 " a"},
      {ACTION_AMEND, OK, CRED_FORM, 'a', 0, "alice", 0, "amend alice a"},
      {VIEW, OK, CRED_COOKIE, 'a', 0, NULL, 0, "view_case session:" A16 " a"},
      {ACTION_AMEND, OK, CRED_COOKIE, 'a', 0, "alice", ACT_CLAIM_PROVEN, "identify alice a; amend alice a"},
      {ACTION_AMEND, OK, CRED_COOKIE, 'a', 0, NULL, 0, "amend alice a"}}},
    {"no credential at all",
     {{VIEW, OK, CRED_NONE, 0, 0, NULL, 0, "view_case  -"},
      {ACTION_CONNECTION, OUTCOME_UNKNOWN, CRED_NONE, 0, 0, NULL, 0, "connection  -"},
      {VIEW, OK, CRED_NONE, 0, 'b', NULL, 0, "view_case  -"},
      {VIEW, OK, CRED_COOKIE, 'b', 0, NULL, 0, "view_case session:" B16 " b"}}},
};

static struct identity *fresh(uint32_t max)
{
    struct identity *id = identity_new(max);
    assert_non_null(id);
    assert_int_equal(identity_alias(id, SPAN("svc-export"), SPAN("1-48")), E_OK);
    assert_int_equal(identity_alias(id, SPAN("svc-other"), SPAN("token:1-49")), E_OK);
    assert_int_equal(identity_alias(id, SPAN("mary"), SPAN("mcsmith")), E_OK);
    assert_int_equal(identity_alias(id, SPAN("kiosk"), SPAN("session:7878787878787878")), E_OK);
    return id;
}

static void test_scripts(void **state)
{
    (void)state;
    for (size_t i = 0; i < N(scripts); i++) {
        struct identity *id = fresh(64);
        run_script(id, scripts[i].what, scripts[i].steps, N(scripts[i].steps));
        struct counters c = identity_counters(id);
        assert_string_equal(c.defs[0].name, "identity_activities_settled");
        assert_int_equal(c.values[0], c.values[1] + c.values[2] + c.values[3]);
        identity_free(id);
    }
}

struct lines {
    char text[64][256];
    size_t n;
};

static void on_line(void *ctx, const char *text)
{
    struct lines *l = ctx;
    assert_true(l->n < N(l->text) && strlen(text) < sizeof l->text[0]);
    strcpy(l->text[l->n++], text);
}

/* Each script cut after each of its steps: saved, loaded into a new table, and gone on with. */
static void test_restart(void **state)
{
    static struct lines before, after;
    (void)state;
    for (size_t i = 0; i < N(scripts); i++) {
        for (size_t cut = 1; cut < N(scripts[i].steps) && scripts[i].steps[cut].want; cut++) {
            struct identity *first = fresh(64), *second = fresh(64);
            run_script(first, scripts[i].what, scripts[i].steps, cut);
            before.n = after.n = 0;
            identity_save(first, on_line, &before);
            for (size_t l = 0; l < before.n; l++)
                assert_int_equal(identity_load(second, before.text[l]), E_OK);
            identity_save(second, on_line, &after);
            assert_int_equal(after.n, before.n);
            for (size_t l = 0; l < before.n; l++)
                assert_string_equal(after.text[l], before.text[l]);
            run_script(second, scripts[i].what, scripts[i].steps + cut, N(scripts[i].steps) - cut);
            identity_free(first);
            identity_free(second);
        }
    }
}

static void test_lines(void **state)
{
    static const char *const good[] = {
        "session 61616161616161616161616161616161 alice 5 9 named cookie 0",
        "session 62626262626262626262626262626262 - 0 0 unnamed none 3",
        "session 63636363636363636363636363636363 Mary%20O%27Neil%C3%A9%25 1 18446744073709551615 ended bearer "
        "4294967295",
        "session 64646464646464646464646464646464 %2D 1 2 replaced token 0",
    };
    static const char *const saved[] = {
        "session 61616161616161616161616161616161 alice 5 9 named cookie 0 unseen 0",
        "session 62626262626262626262626262626262 - 0 0 unnamed none 3 unseen 0",
        "session 63636363636363636363636363636363 Mary%20O'Neil%C3%A9%25 1 18446744073709551615 ended bearer "
        "4294967295 unseen 0",
        "session 64646464646464646464646464646464 %2D 1 2 replaced token 0 unseen 0",
    };
    static const char *const bad[] = {
        "",
        "session",
        "sessions 61616161616161616161616161616161 alice 5 9 named cookie 0",
        "session 6161616161616161616161616161616 alice 5 9 named cookie 0",
        "session 6161616161616161616161616161616g alice 5 9 named cookie 0",
        "session 00000000000000000000000000000000 alice 5 9 named cookie 0",
        "session 61616161616161616161616161616161  5 9 named cookie 0",
        "session 61616161616161616161616161616161 alice x 9 named cookie 0",
        "session 61616161616161616161616161616161 alice 9 5 named cookie 0",
        "session 61616161616161616161616161616161 alice 5 9 dead cookie 0",
        "session 61616161616161616161616161616161 alice 5 9 named biscuit 0",
        "session 61616161616161616161616161616161 alice 5 9 named cookie 4294967296",
        "session 61616161616161616161616161616161 alice 5 9 named cookie 0 more",
        "session 61616161616161616161616161616161 alice 5 9 named cookie 0 login",
        "session 61616161616161616161616161616161 alice 5 9 named cookie 0 login x",
        "session 61616161616161616161616161616161 alice 5 9 named cookie 0 login 5 6",
        "session 61616161616161616161616161616161 alice 5 9 named cookie 0 login 5 client:",
        "session 61616161616161616161616161616161 alice 5 9 named cookie 0 login 5 client:0",
        "session 61616161616161616161616161616161 alice 5 9 named cookie 0 login 5 client:4294967296",
        "session 61616161616161616161616161616161 alice 5 9 named cookie 0 login 5 client:6 7",
        "value 61616161616161616161616161616161 62626262626262626262626262626262 5",
        "value 61616161616161616161616161616161 62626262626262626262626262626262 5 6 7",
        "value 61616161616161616161616161616161 00000000000000000000000000000000 5 6",
        "value x 62626262626262626262626262626262 5 6",
        "session 61616161616161616161616161616161 alice 5 9 named cookie",
        "session 61616161616161616161616161616161 - 5 9 named cookie 0",
    };
    static struct lines lines;
    struct identity *id = identity_new(8);
    struct session_facts facts;
    uint8_t hash[SESSION_HASH_SIZE];
    (void)state;
    for (size_t i = 0; i < N(good); i++)
        assert_int_equal(identity_load(id, good[i]), E_OK);
    for (size_t i = 0; i < N(bad); i++)
        if (identity_load(id, bad[i]) != E_BAD)
            fail_msg("%s", bad[i]);
    char large[1024] = "session 61616161616161616161616161616161 ";
    memset(large + strlen(large), 'n', 193);
    strcat(large, " 5 9 named cookie 0");
    assert_int_equal(identity_load(id, large), E_BAD);
    lines.n = 0;
    identity_save(id, on_line, &lines);
    assert_int_equal(lines.n, N(saved));
    for (size_t i = 0; i < N(saved); i++)
        assert_string_equal(lines.text[i], saved[i]);
    memset(hash, 'c', sizeof hash);
    assert_true(identity_session(id, hash, &facts));
    assert_int_equal(facts.state, SESSION_ENDED);
    assert_true(span_eq(facts.name, SPAN("Mary O'Neil\xc3\xa9%")));
    memset(hash, 'z', sizeof hash);
    assert_false(identity_session(id, hash, &facts));
    identity_free(id);
}

static void test_facts(void **state)
{
    static const struct step steps[] = {
        {ACTION_LOGIN, OK, CRED_FORM, 'a', 'b', "alice", 0, "login alice a"},
        {VIEW, OK, CRED_COOKIE, 'b', 0, NULL, 0, "view_case alice b"},
        {ACTION_API_CALL, OK, CRED_BEARER, 'b', 0, NULL, 0, "api_call alice b"},
        {ACTION_LOGOUT, OK, CRED_COOKIE, 'b', 0, NULL, ACT_SESSION_END, "logout alice b"},
        {VIEW, BAD, CRED_COOKIE, 'b', 0, NULL, ACT_REFUSED, "view_case alice b"},
    };
    struct identity *id = identity_new(8);
    struct session_facts facts;
    uint8_t hash[SESSION_HASH_SIZE];
    (void)state;
    run_script(id, "facts", steps, 3);
    memset(hash, 'b', sizeof hash);
    assert_true(identity_session(id, hash, &facts));
    assert_int_equal(facts.first_ns, 1000);
    assert_int_equal(facts.last_ns, 3000);
    assert_int_equal(facts.kind, CRED_BEARER);
    assert_int_equal(facts.state, SESSION_NAMED);
    run_script(id, "facts", steps + 3, 2);
    assert_true(identity_session(id, hash, &facts));
    assert_int_equal(facts.state, SESSION_ENDED);
    assert_int_equal(facts.last_ns, 3000); /* times of the second script are earlier: last never goes back */
    identity_free(id);
}

/* The table is capped, the oldest use goes first, and it is counted. */
static void test_cap(void **state)
{
    static const struct step login_b = {ACTION_LOGIN, OK, CRED_FORM, 0, 'b', "bob", 0, "login bob -"};
    static const struct step view_b = {VIEW, OK, CRED_COOKIE, 'b', 0, NULL, 0, "view_case bob b"};
    static const struct step late_b = {VIEW, OK, CRED_COOKIE, 'b', 0, NULL, 0, "view_case session:" B16 " b"};
    struct identity *id = identity_new(4);
    (void)state;
    run_script(id, "login", &login_b, 1);
    for (char c = 'c'; c < 'f'; c++) {
        struct step s = {VIEW, OK, CRED_COOKIE, c, 0, NULL, 0, NULL};
        struct emitted e;
        run_step(id, &s, 5000, &e);
    }
    run_script(id, "still there", &view_b, 1);
    for (char c = 'f'; c < 'j'; c++) {
        struct step s = {VIEW, OK, CRED_COOKIE, c, 0, NULL, 0, NULL};
        struct emitted e;
        run_step(id, &s, 6000, &e);
    }
    run_script(id, "forgotten", &late_b, 1);
    struct counters c = identity_counters(id);
    assert_string_equal(c.defs[c.n - 1].name, "identity_sessions_evicted");
    assert_int_equal(c.values[c.n - 1], 5);
    identity_free(id);
}

static void test_aliases(void **state)
{
    char large[194];
    struct identity *id = identity_new(4);
    (void)state;
    memset(large, 'x', sizeof large);
    assert_int_equal(identity_alias(id, SPAN(""), SPAN("x")), E_BAD);
    assert_int_equal(identity_alias(id, SPAN("x"), SPAN("")), E_BAD);
    assert_int_equal(identity_alias(id, span_of(large, 193), SPAN("x")), E_BAD);
    assert_int_equal(identity_alias(id, SPAN("x"), span_of(large, 193)), E_BAD);
    for (int i = 0; i < 1024; i++)
        assert_int_equal(identity_alias(id, span_of(large, 192), SPAN("x")), E_OK);
    assert_int_equal(identity_alias(id, SPAN("x"), SPAN("x")), E_LIMIT);
    identity_free(id);
    identity_free(NULL);
}

/* Names as long as they can be, in every place a name passes. */
static void test_long_names(void **state)
{
    char name[193], want[256];
    struct identity *id = identity_new(4);
    struct emitted e;
    (void)state;
    memset(name, 'n', 192);
    name[192] = 0;
    struct step login = {ACTION_LOGIN, OK, CRED_FORM, 'a', 'b', name, 0, NULL};
    struct step view = {VIEW, OK, CRED_COOKIE, 'b', 0, NULL, 0, NULL};
    struct step token = {VIEW, OK, CRED_TOKEN, 't', 0, name, ACT_CLAIM_PROVEN, NULL};
    run_step(id, &login, 1, &e);
    run_step(id, &view, 2, &e);
    snprintf(want, sizeof want, "view_case %s b", name);
    assert_string_equal(e.text, want);
    run_step(id, &token, 3, &e);
    snprintf(want, sizeof want, "view_case token:%.184s t", name);
    assert_string_equal(e.text, want);
    identity_free(id);
}

/* A request with two values of one cookie. */
static void test_two_values(void **state)
{
    static const struct {
        char session, other;
        const char *says; /* the name; "session:" of neither value */
    } rows[] = {
        {'a', 'b', NULL},    /* alice's and bob's: either may have counted */
        {'b', 'a', NULL},
        {'x', 'a', "alice"}, /* nobody knows x */
        {'a', 'x', "alice"},
        {'a', 'c', "alice"}, /* both are hers */
        {'e', 'b', "bob"},   /* the first has ended */
    };
    static const struct step before[] = {
        {ACTION_LOGIN, OK, CRED_FORM, 0, 'a', "alice", 0, "login alice -"},
        {ACTION_LOGIN, OK, CRED_FORM, 0, 'b', "bob", 0, "login bob -"},
        {ACTION_LOGIN, OK, CRED_FORM, 0, 'c', "Alice", 0, "login alice -"},
        {ACTION_LOGIN, OK, CRED_FORM, 0, 'e', "eve", 0, "login eve -"},
        {ACTION_LOGOUT, OK, CRED_COOKIE, 'e', 0, NULL, ACT_SESSION_END, "logout eve e"},
    };
    (void)state;
    struct identity *id = identity_new(100);
    struct emitted e;
    run_script(id, "before", before, sizeof before / sizeof *before);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct activity a;
        activity_init(&a);
        a.time_ns = a.done_ns = 1000000 + i;
        a.action = ACTION_DOWNLOAD;
        a.outcome = OK;
        a.cred_kind = CRED_COOKIE;
        a.status = 200;
        memset(a.session, rows[i].session, sizeof a.session);
        memset(a.other, rows[i].other, sizeof a.other);
        memset(&e, 0, sizeof e);
        identity_settle(id, &a, on_emit, &e);
        struct span user = activity_get(&a, STR_USER);
        if (rows[i].says ? !span_eq_nocase(user, span_text(rows[i].says)) : !span_starts(user, SPAN("session:")))
            fail_msg("row %zu: %.*s", i, (int)user.size, (const char *)user.at);
        if (!rows[i].says)
            assert_true(a.session[0] != a.session[1] || a.session[0] != a.session[2]); /* neither of the two */
    }
    struct counters c = identity_counters(id);
    for (size_t i = 0; i < c.n; i++) {
        if (strcmp(c.defs[i].name, "identity_two_values") == 0)
            assert_int_equal(c.values[i], sizeof rows / sizeof *rows);
        if (strcmp(c.defs[i].name, "identity_two_names") == 0)
            assert_int_equal(c.values[i], 2);
    }
    identity_free(id);
}

/* Whoever is turned away without a session value gets one to sign in with: the login that replaces it names that request,
 * if it comes from the same network and program and soon enough. The value itself is nobody's. */
static void test_turned_away(void **state)
{
    static const struct {
        const char *what, *agent;
        uint8_t network;
        uint64_t after_s;
        char new_session;
        const char *want;
    } rows[] = {
        {"the same browser", "Firefox/1", 1, 5, 'b', "identify alice a; login alice a"},
        {"whose version rose meanwhile", "Firefox/2", 1, 5, 'b', "identify alice a; login alice a"},
        {"another program", "curl/1", 1, 5, 'b', "login alice a"},
        {"another network: the value may have been planted", "Firefox/1", 2, 5, 'b', "login alice a"},
        {"two hours later", "Firefox/1", 1, 7200, 'b', "login alice a"},
        {"where the login keeps the value", "Firefox/1", 1, 5, 0, "identify alice a; login alice a"},
        {"and it was planted", "Firefox/1", 2, 5, 0, "login alice a"},
    };
    (void)state;
    for (size_t i = 0; i < N(rows); i++) {
        struct identity *id = identity_new(100);
        struct emitted e;
        for (int is_login = 0; is_login < 2; is_login++) {
            struct activity a;
            activity_init(&a);
            a.time_ns = a.done_ns = 1000000000ull * (is_login ? 1 + rows[i].after_s : 1);
            a.action = is_login ? ACTION_LOGIN : VIEW;
            a.outcome = is_login ? OK : BAD;
            a.cred_kind = is_login ? CRED_FORM : CRED_NONE;
            a.flags = is_login ? (rows[i].new_session ? ACT_SESSION_NEW : 0) : ACT_REFUSED;
            memset(a.source.bytes, is_login ? rows[i].network : 1, sizeof a.source.bytes);
            memset(a.session, 'a', sizeof a.session);
            memset(a.new_session, is_login ? rows[i].new_session : 0, sizeof a.new_session);
            activity_set(&a, STR_AGENT, span_text(is_login ? rows[i].agent : "Firefox/1"));
            activity_set(&a, STR_CLAIM, is_login ? SPAN("alice") : SPAN(""));
            memset(a.id, 7, sizeof a.id);
            memset(&e, 0, sizeof e);
            identity_settle(id, &a, on_emit, &e);
            if (strcmp(e.text, is_login ? rows[i].want : "view_case  a") != 0)
                fail_msg("%s: %s", rows[i].what, e.text);
        }
        struct step view = {VIEW, OK, CRED_COOKIE, 'a', 0, NULL, 0, NULL};
        run_step(id, &view, 9000000000000ull, &e);
        assert_string_equal(e.text, rows[i].new_session ? "view_case session:" A16 " a" : "view_case alice a");
        identity_free(id);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scripts),    cmocka_unit_test(test_restart), cmocka_unit_test(test_lines),
        cmocka_unit_test(test_facts),      cmocka_unit_test(test_cap),     cmocka_unit_test(test_aliases),
        cmocka_unit_test(test_two_values), cmocka_unit_test(test_long_names),
        cmocka_unit_test(test_turned_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
