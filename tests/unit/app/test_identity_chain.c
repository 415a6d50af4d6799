/* SPDX-License-Identifier: Apache-2.0
 * Session values that change with every answer, remember-me values, copies of both, and how much of it is kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "app/identity.h"
#include "base/err.h"
#include "base/times.h"

struct seen {
    struct identity *id;
    uint32_t acts, identifies;
    char user[64], identified[64];    /* of the latest */
    uint8_t session[SESSION_HASH_SIZE];
    uint8_t identified_session[SESSION_HASH_SIZE];
    uint32_t events[SESSION_ENDS_LOGIN + 1];
};

static void on_emit(void *ctx, struct activity *a)
{
    struct seen *s = ctx;
    struct span user = activity_get(a, STR_USER);
    bool is_identify = a->action == ACTION_IDENTIFY;
    snprintf(is_identify ? s->identified : s->user, 64, "%.*s", (int)user.size, (const char *)user.at);
    memcpy(is_identify ? s->identified_session : s->session, a->session, SESSION_HASH_SIZE);
    s->identifies += is_identify;
    s->acts += !is_identify;
}

static void on_event(void *ctx, enum session_event event, const uint8_t session[SESSION_HASH_SIZE], const struct activity *by)
{
    struct seen *s = ctx;
    (void)session;
    (void)by;
    s->events[event]++;
}

static struct seen seen_new(uint32_t max)
{
    return (struct seen){.id = identity_new(max)};
}

/* A value by its number; 0 is none. */
static void value_of(uint32_t n, uint8_t out[SESSION_HASH_SIZE])
{
    memset(out, 0, SESSION_HASH_SIZE);
    memcpy(out, &n, sizeof n);
    out[15] = n ? 1 : 0;
}

#define HOME "10.1.1.7"
#define AWAY "203.0.113.9"
#define BROWSER "Mozilla/5.0 Firefox/147"
#define SCRIPT "curl/8"

struct ask {
    uint8_t action, outcome, kind;
    uint32_t sent, set;           /* session values */
    uint32_t remember, set_remember;
    const char *claim, *ip, *agent, *host;
    uint32_t flags, hints;
    uint64_t time_s;
    uint16_t status;
    bool is_fact;                 /* nothing but the session is told */
};

static void ask(struct seen *s, const struct ask *q)
{
    struct activity a;
    activity_init(&a);
    a.action = q->is_fact ? ACTION_NONE : q->action ? q->action : ACTION_VIEW_CASE;
    a.outcome = q->outcome ? q->outcome : OUTCOME_SUCCESS;
    a.cred_kind = q->kind ? q->kind : CRED_COOKIE;
    a.time_ns = q->time_s * NS_PER_S;
    a.done_ns = a.time_ns + 1;
    a.status = q->status ? q->status : 200;
    a.flags = q->flags | (q->set ? ACT_SESSION_NEW : 0);
    a.hints = q->hints;
    value_of(q->sent ? q->sent : q->remember, a.session);
    value_of(q->set, a.new_session);
    value_of(q->remember, a.remember);
    value_of(q->set_remember, a.new_remember);
    ipaddr_parse(span_text(q->ip ? q->ip : HOME), &a.source);
    activity_set(&a, STR_APP, SPAN("desk"));
    activity_set(&a, STR_HOST, span_text(q->host ? q->host : "desk.example"));
    activity_set(&a, STR_AGENT, span_text(q->agent ? q->agent : BROWSER));
    if (q->claim)
        activity_set(&a, STR_CLAIM, span_text(q->claim));
    identity_watch(s->id, on_event, s);
    if (q->is_fact)
        identity_fact(s->id, &a, on_emit, s);
    else
        identity_settle(s->id, &a, on_emit, s);
}

static void assert_session(const struct seen *s, uint32_t value)
{
    uint8_t want[SESSION_HASH_SIZE];
    value_of(value, want);
    assert_memory_equal(s->session, want, sizeof want);
}

static uint64_t counter(const struct seen *s, const char *name)
{
    struct counters c = identity_counters(s->id);
    for (size_t i = 0; i < c.n; i++)
        if (strcmp(c.defs[i].name, name) == 0)
            return c.values[i];
    fail_msg("no counter %s", name);
    return 0;
}

/* One browser, each answer a new value, most answers telling nothing; a page in the middle shows who it is. */
static void test_chain(void **state)
{
    struct seen s = seen_new(4096);
    (void)state;
    for (uint32_t i = 1; i <= 1000; i++)
        ask(&s, &(struct ask){.sent = i, .set = i + 1, .hints = HINT_ROTATES, .time_s = i, .is_fact = i % 3 != 0,
                              .claim = i == 501 ? "alice" : NULL, .flags = i == 501 ? ACT_CLAIM_PROVEN : 0});
    assert_int_equal(s.acts, 333);
    assert_session(&s, 1);
    assert_string_equal(s.user, "alice");
    assert_int_equal(s.identifies, 1); /* what it did before, once, under the one id */
    assert_string_equal(s.identified, "alice");
    assert_memory_equal(s.identified_session, s.session, SESSION_HASH_SIZE);
    assert_int_equal(s.events[SESSION_ROTATES], 1000);
    assert_int_equal(s.events[SESSION_FORKS] + s.events[SESSION_FORKS_FOREIGN], 0);
    assert_true(counter(&s, "identity_values_forgotten") >= 1000 - 512 - 1);
    identity_free(s.id);
}

/* The name comes only after the download, by a login that keeps the cookie, in the middle of a chain. */
static void test_name_after_download(void **state)
{
    struct seen s = seen_new(64);
    (void)state;
    ask(&s, &(struct ask){.sent = 1, .set = 2, .hints = HINT_ROTATES, .time_s = 1, .action = ACTION_DOWNLOAD});
    ask(&s, &(struct ask){.sent = 2, .set = 3, .hints = HINT_ROTATES, .time_s = 2, .action = ACTION_DOWNLOAD});
    assert_string_equal(s.user, "session:0100000000000000");
    ask(&s, &(struct ask){.sent = 3, .time_s = 3, .action = ACTION_AMEND, .hints = HINT_ROTATES});
    ask(&s, &(struct ask){.sent = 3, .set = 4, .hints = HINT_ROTATES, .time_s = 4, .claim = "alice", .flags = ACT_CLAIM_PROVEN});
    assert_int_equal(s.identifies, 1);
    assert_session(&s, 1);
    ask(&s, &(struct ask){.sent = 2, .time_s = 5, .action = ACTION_AMEND, .hints = HINT_ROTATES}); /* of the second download */
    assert_string_equal(s.user, "alice");
    assert_int_equal(s.identifies, 1);
    identity_free(s.id);
}

/* Three requests carry one value and get three; the browser goes on with the last, then with another. */
static void test_parallel(void **state)
{
    struct seen s = seen_new(64);
    (void)state;
    ask(&s, &(struct ask){.action = ACTION_LOGIN, .kind = CRED_FORM, .sent = 0, .set = 1, .claim = "alice", .time_s = 1});
    assert_int_equal(s.events[SESSION_STARTS_LOGIN], 1);
    for (uint32_t i = 10; i < 13; i++)
        ask(&s, &(struct ask){.sent = 1, .set = i, .hints = HINT_ROTATES, .time_s = 2, .is_fact = true});
    ask(&s, &(struct ask){.sent = 12, .set = 20, .hints = HINT_ROTATES, .time_s = 3});
    assert_string_equal(s.user, "alice");
    ask(&s, &(struct ask){.sent = 10, .set = 21, .hints = HINT_ROTATES, .time_s = 3, .ip = AWAY}); /* it moved meanwhile */
    assert_session(&s, 1);
    assert_int_equal(s.events[SESSION_FORKS], 2);
    assert_int_equal(s.events[SESSION_FORKS_FOREIGN] + s.events[SESSION_COPIED] + s.events[SESSION_LATE], 0);
    identity_free(s.id);
}

/* A thief goes on from an old value: it is one session with two clients, and told as a copy. */
static void test_thief(void **state)
{
    static const struct {
        const char *ip, *agent;
        uint32_t after_s;
        bool is_copy;
    } rows[] = {
        {AWAY, SCRIPT, 5, true},     /* another client, at once */
        {HOME, SCRIPT, 5, true},     /* another client behind the same address */
        {AWAY, BROWSER, 600, true},  /* the same browser elsewhere, long after */
        {AWAY, BROWSER, 5, false},   /* the browser is moving: a request under way */
        {HOME, BROWSER, 600, false}, /* an answer got lost: the browser still has the old value */
        {HOME, "Mozilla/5.0 Firefox/148", 600, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct seen s = seen_new(64);
        ask(&s, &(struct ask){.action = ACTION_LOGIN, .kind = CRED_FORM, .set = 1, .claim = "alice", .time_s = 1});
        for (uint32_t v = 1; v < 9; v++)
            ask(&s, &(struct ask){.sent = v, .set = v + 1, .hints = HINT_ROTATES, .time_s = 2});
        ask(&s, &(struct ask){.sent = 3, .set = 100, .hints = HINT_ROTATES, .time_s = 2 + rows[i].after_s, .ip = rows[i].ip,
                              .agent = rows[i].agent});
        assert_session(&s, 1);
        assert_string_equal(s.user, "alice");
        ask(&s, &(struct ask){.sent = 100, .set = 101, .hints = HINT_ROTATES, .time_s = 700, .ip = rows[i].ip, .agent = rows[i].agent});
        assert_session(&s, 1);
        if (s.events[SESSION_FORKS_FOREIGN] != rows[i].is_copy || s.events[SESSION_FORKS] == rows[i].is_copy)
            fail_msg("row %zu", i);
        assert_int_equal(s.events[SESSION_COPIED], rows[i].is_copy && rows[i].after_s > 30);
        identity_free(s.id);
    }
}

/* Without a word in the profile: learned from values that answers set, and only from those. */
static void test_learned(void **state)
{
    struct seen s = seen_new(4096);
    (void)state;
    for (uint32_t i = 1; i < 40; i++)
        ask(&s, &(struct ask){.sent = i, .set = i + 1, .time_s = i});
    ask(&s, &(struct ask){.sent = 40, .time_s = 60});
    assert_session(&s, 9); /* eight values set were replaced: from there on it is one session */
    for (uint32_t i = 1; i < 40; i++) /* a client that makes values up, on another host: each answer sets a new one */
        ask(&s, &(struct ask){.sent = 1000 + i, .set = 2000 + i, .time_s = 100 + i, .host = "other.example"});
    ask(&s, &(struct ask){.sent = 3000, .set = 3001, .time_s = 200, .host = "other.example"});
    ask(&s, &(struct ask){.sent = 3001, .time_s = 201, .host = "other.example"});
    assert_session(&s, 3001);
    identity_free(s.id);
}

/* What answers do to an unknown or dead session is no part of a chain. */
static void test_breaks(void **state)
{
    struct seen s = seen_new(64);
    (void)state;
    ask(&s, &(struct ask){.action = ACTION_LOGIN, .kind = CRED_FORM, .set = 1, .claim = "alice", .time_s = 1});
    ask(&s, &(struct ask){.sent = 1, .set = 2, .hints = HINT_ROTATES, .time_s = 2, .status = 404, .outcome = OUTCOME_FAILURE,
                          .flags = ACT_REFUSED, .is_fact = true});
    ask(&s, &(struct ask){.sent = 2, .time_s = 3, .hints = HINT_ROTATES});
    assert_string_equal(s.user, "alice"); /* not found, but signed in */
    ask(&s, &(struct ask){.sent = 2, .set = 3, .hints = HINT_ROTATES | HINT_LOGIN_PAGE, .time_s = 4, .status = 302,
                          .outcome = OUTCOME_FAILURE, .flags = ACT_REFUSED});
    ask(&s, &(struct ask){.sent = 3, .time_s = 5, .hints = HINT_ROTATES});
    assert_string_equal(s.user, "session:0300000000000000"); /* sent to the login page: whoever comes next */
    ask(&s, &(struct ask){.action = ACTION_LOGOUT, .sent = 2, .set = 4, .time_s = 6, .hints = HINT_ROTATES});
    ask(&s, &(struct ask){.sent = 2, .set = 5, .time_s = 7, .hints = HINT_ROTATES});
    ask(&s, &(struct ask){.sent = 5, .time_s = 8, .hints = HINT_ROTATES});
    assert_string_equal(s.user, "session:0500000000000000");
    ask(&s, &(struct ask){.action = ACTION_LOGIN, .kind = CRED_FORM, .sent = 5, .set = 6, .claim = "bob", .time_s = 9});
    ask(&s, &(struct ask){.sent = 6, .set = 7, .time_s = 10, .hints = HINT_ROTATES});
    ask(&s, &(struct ask){.sent = 7, .time_s = 11, .hints = HINT_ROTATES});
    assert_string_equal(s.user, "bob");
    assert_session(&s, 6);
    identity_free(s.id);
}

/* The answer of a slow page ends after the next request: its value is known all the same, or taken over. */
static void test_overtaken(void **state)
{
    struct seen s = seen_new(64);
    (void)state;
    ask(&s, &(struct ask){.action = ACTION_LOGIN, .kind = CRED_FORM, .set = 1, .claim = "alice", .time_s = 1});
    ask(&s, &(struct ask){.sent = 2, .time_s = 3, .hints = HINT_ROTATES, .action = ACTION_DOWNLOAD});
    assert_string_equal(s.user, "session:0200000000000000");
    ask(&s, &(struct ask){.sent = 1, .set = 2, .time_s = 2, .hints = HINT_ROTATES});
    assert_int_equal(s.identifies, 1);
    assert_string_equal(s.identified, "alice");
    ask(&s, &(struct ask){.sent = 2, .set = 3, .time_s = 4, .hints = HINT_ROTATES});
    assert_string_equal(s.user, "alice");
    assert_session(&s, 1);
    identity_free(s.id);
}

static void test_remember(void **state)
{
    struct seen s = seen_new(64);
    (void)state;
    /* set at a login */
    ask(&s, &(struct ask){.action = ACTION_LOGIN, .kind = CRED_FORM, .set = 1, .set_remember = 900, .claim = "alice", .time_s = 1});
    /* days later, without a session cookie: the application begins a session */
    ask(&s, &(struct ask){.remember = 900, .set = 50, .time_s = 200000, .is_fact = true});
    ask(&s, &(struct ask){.remember = 900, .set = 50, .time_s = 200000});
    assert_string_equal(s.user, "alice");
    assert_session(&s, 50);
    assert_int_equal(s.events[SESSION_STARTS_REMEMBERED], 1);
    ask(&s, &(struct ask){.remember = 900, .set = 50, .time_s = 200000, .action = ACTION_AMEND});
    assert_session(&s, 50);
    ask(&s, &(struct ask){.sent = 50, .remember = 900, .time_s = 200001});
    assert_string_equal(s.user, "alice");
    assert_session(&s, 50);
    /* with a cookie of a session that a logout ended; the remember-me value is renewed */
    ask(&s, &(struct ask){.action = ACTION_LOGOUT, .sent = 50, .remember = 900, .time_s = 200002});
    ask(&s, &(struct ask){.sent = 50, .remember = 900, .set = 60, .set_remember = 901, .time_s = 300000});
    assert_session(&s, 60);
    assert_string_equal(s.user, "alice");
    ask(&s, &(struct ask){.remember = 901, .set = 70, .time_s = 400000});
    assert_string_equal(s.user, "alice");
    assert_int_equal(s.events[SESSION_STARTS_REMEMBERED], 3);
    /* turned away: nothing begins */
    ask(&s, &(struct ask){.remember = 901, .set = 80, .time_s = 400001, .status = 302, .flags = ACT_REFUSED, .outcome = OUTCOME_FAILURE});
    ask(&s, &(struct ask){.sent = 80, .time_s = 400002});
    assert_string_equal(s.user, "session:5000000000000000");
    /* of a login nobody saw: a page names the session, and with it the value for the next time */
    ask(&s, &(struct ask){.remember = 990, .set = 91, .time_s = 500000});
    assert_string_equal(s.user, "session:5b00000000000000");
    ask(&s, &(struct ask){.sent = 91, .remember = 990, .claim = "bob", .flags = ACT_CLAIM_PROVEN, .time_s = 500001});
    assert_string_equal(s.identified, "bob");
    ask(&s, &(struct ask){.remember = 990, .set = 92, .time_s = 600000});
    assert_string_equal(s.user, "bob");
    identity_free(s.id);
}

/* A live session next to a remember-me value of somebody else: the session counts. */
static void test_remember_of_another(void **state)
{
    struct seen s = seen_new(64);
    (void)state;
    ask(&s, &(struct ask){.action = ACTION_LOGIN, .kind = CRED_FORM, .set = 1, .set_remember = 900, .claim = "alice", .time_s = 1});
    ask(&s, &(struct ask){.action = ACTION_LOGIN, .kind = CRED_FORM, .sent = 1, .remember = 900, .set = 2, .claim = "bob", .time_s = 2});
    ask(&s, &(struct ask){.sent = 2, .remember = 900, .set = 3, .time_s = 3, .hints = HINT_ROTATES});
    assert_string_equal(s.user, "bob");
    assert_int_equal(s.events[SESSION_STARTS_REMEMBERED], 0);
    identity_free(s.id);
}

static struct identity *loading;

static void on_line(void *ctx, const char *text)
{
    (void)ctx;
    assert_int_equal(identity_load(loading, text), E_OK);
}

static void test_restart(void **state)
{
    struct seen s = seen_new(64), t = seen_new(64);
    (void)state;
    ask(&s, &(struct ask){.action = ACTION_LOGIN, .kind = CRED_FORM, .set = 1, .set_remember = 900, .claim = "alice", .time_s = 1});
    for (uint32_t v = 1; v < 30; v++)
        ask(&s, &(struct ask){.sent = v, .set = v + 1, .hints = HINT_ROTATES, .time_s = v});
    loading = t.id;
    identity_save(s.id, on_line, NULL);
    for (uint32_t v = 1; v <= 30; v++) {
        ask(&t, &(struct ask){.sent = v, .time_s = 40});
        assert_string_equal(t.user, "alice");
        assert_session(&t, 1);
    }
    ask(&t, &(struct ask){.sent = 30, .set = 31, .status = 404, .outcome = OUTCOME_FAILURE, .time_s = 41, .is_fact = true});
    ask(&t, &(struct ask){.sent = 31, .time_s = 42}); /* that the host rotates need not be learned anew */
    assert_session(&t, 1);
    ask(&t, &(struct ask){.remember = 900, .set = 77, .time_s = 50});
    assert_string_equal(t.user, "alice");
    identity_free(s.id);
    identity_free(t.id);
}

static uint64_t resident_kib(void)
{
    uint64_t pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    assert_non_null(f);
    assert_int_equal(fscanf(f, "%*u %lu", &pages), 1);
    fclose(f);
    return pages * 4;
}

/* Sessions that nobody names, and one session of as many values, in a table for 20,000: nothing grows, and one that is in
 * use is not pushed out by the one that never ends. With $CASETAP_LONG a million of each. */
static void test_very_many(void **state)
{
    enum { MAX = 20000 };
    const uint32_t many = getenv("CASETAP_LONG") ? 1000000 : 100000;
    struct seen s = seen_new(MAX);
    (void)state;
    ask(&s, &(struct ask){.action = ACTION_LOGIN, .kind = CRED_FORM, .set = 0x70000000, .claim = "alice", .time_s = 1});
    ask(&s, &(struct ask){.sent = 0x70000000, .set = 0x70000001, .hints = HINT_ROTATES, .time_s = 1});
    uint64_t before = resident_kib();
    for (uint32_t i = 1; i <= many; i++)
        ask(&s, &(struct ask){.sent = i, .set = i + 1, .hints = HINT_ROTATES, .time_s = 2 + i / 1000, .is_fact = i % 16 != 0});
    assert_session(&s, 1);
    assert_int_equal(counter(&s, "identity_sessions_evicted"), 0);
    assert_int_equal(counter(&s, "identity_values_forgotten"), many - 512);
    uint64_t chain = resident_kib();
    ask(&s, &(struct ask){.sent = 0x70000001, .time_s = 1100});
    assert_string_equal(s.user, "alice");
    for (uint32_t i = 1; i <= many; i++) {
        ask(&s, &(struct ask){.sent = 0x10000000 + i, .set = 0x20000000 + i, .hints = HINT_ROTATES, .time_s = 1200 + i / 1000});
        if (i % 5000 == 0)
            ask(&s, &(struct ask){.sent = 0x70000001, .time_s = 1200 + i / 1000});
    }
    assert_string_equal(s.user, "alice");
    assert_true(counter(&s, "identity_sessions_evicted") >= many - MAX);
    uint64_t after = resident_kib();
    printf("resident: %lu KiB before, %lu after a chain of %u values, %lu after %u sessions\n", before, chain, many, after, many);
    assert_true(chain - before < 4096);
    assert_true(after - before < 65536);
    identity_free(s.id);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chain),     cmocka_unit_test(test_name_after_download),
        cmocka_unit_test(test_parallel),  cmocka_unit_test(test_thief),
        cmocka_unit_test(test_learned),   cmocka_unit_test(test_breaks),
        cmocka_unit_test(test_overtaken), cmocka_unit_test(test_remember),
        cmocka_unit_test(test_remember_of_another), cmocka_unit_test(test_restart),
        cmocka_unit_test(test_very_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
