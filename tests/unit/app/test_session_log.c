/* SPDX-License-Identifier: Apache-2.0
 * The facts of sessions: how they begin and end, contexts, order, rhythm, parts of pages; and that they are bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "app/session_log.h"
#include "base/times.h"

struct told {
    struct session_record r[8];
    uint32_t n;
};

static void on_record(void *ctx, const struct session_record *r)
{
    struct told *t = ctx;
    if (t->n < 8)
        t->r[t->n] = *r;
    t->n++;
}

/* The people half as it is wired in the program, without what has no part in sessions; and beside it what a log of its
 * activities is made of: each record has to be the same. */
struct half {
    struct session_log *again;
    struct text line, first, second;
    struct identity *id;
    struct session_log *log;
    struct told told;
    uint32_t number;
};

static void on_event(void *ctx, enum session_event event, const uint8_t session[SESSION_HASH_SIZE], const struct activity *by)
{
    session_log_event(((struct half *)ctx)->log, event, session, by);
}

static void on_told_again(void *ctx, const struct session_record *r)
{
    (void)ctx;
    (void)r;
}

/* All that a detector may look at. */
static void write_record(const struct session_record *r, struct text *out)
{
    text_clear(out);
    if (!r)
        return;
    struct session_record copy = *r;
    copy.until_s = 0; /* decides the end, which the log tells by the next beginning */
    copy.end = 0;
    copy.end_ns = copy.last_ns;
    session_record_json(&copy, out);
}

static void on_settled(void *ctx, struct activity *a)
{
    struct half *h = ctx;
    struct activity recorded;
    struct text why = {0};
    write_record(session_log_act(h->log, a), &h->first);
    text_clear(&h->line);
    activity_json(a, &h->line);
    if (activity_parse(text_span(&h->line), &recorded, &why))
        fail_msg("%s", text_str(&why));
    write_record(session_log_recorded(h->again, &recorded), &h->second);
    assert_string_equal(text_str(&h->first), text_str(&h->second));
}

static void half_init(struct half *h, uint32_t max)
{
    memset(h, 0, sizeof *h);
    h->id = identity_new(1000);
    h->log = session_log_new(max, on_record, &h->told);
    h->again = session_log_new(max, on_told_again, NULL);
    identity_watch(h->id, on_event, h);
}

static void half_fini(struct half *h)
{
    identity_free(h->id);
    session_log_free(h->log);
    session_log_free(h->again);
    text_fini(&h->line);
    text_fini(&h->first);
    text_fini(&h->second);
}

struct ask {
    uint8_t action, outcome;
    uint32_t sent, set, time_s, until_s, remember;
    const char *ip, *agent, *mime, *claim;
    uint32_t hints, assets, flags;
    uint8_t family, kind;
};

static void value_of(uint32_t n, uint8_t out[SESSION_HASH_SIZE])
{
    memset(out, 0, SESSION_HASH_SIZE);
    memcpy(out, &n, sizeof n);
}

static void ask(struct half *h, const struct ask *q)
{
    struct activity a;
    activity_init(&a);
    a.action = q->action;
    a.outcome = q->outcome ? q->outcome : OUTCOME_SUCCESS;
    a.cred_kind = q->kind ? q->kind : q->action == ACTION_LOGIN ? CRED_FORM : CRED_COOKIE;
    a.time_ns = q->time_s * NS_PER_S;
    a.done_ns = a.time_ns + 1;
    a.number = h->number++;
    a.status = 200;
    a.until_s = q->until_s;
    a.hints = q->hints;
    a.assets = q->assets;
    a.client_family = q->family;
    a.flags = q->flags | (q->set ? ACT_SESSION_NEW : 0);
    value_of(q->sent ? q->sent : q->remember, a.session);
    value_of(q->set, a.new_session);
    value_of(q->remember, a.remember);
    ipaddr_parse(span_text(q->ip ? q->ip : "10.1.1.7"), &a.source);
    activity_set(&a, STR_APP, SPAN("desk"));
    activity_set(&a, STR_MIME, span_text(q->mime ? q->mime : "text/html"));
    activity_set(&a, STR_AGENT, span_text(q->agent ? q->agent : "Firefox/147"));
    if (q->claim)
        activity_set(&a, STR_CLAIM, span_text(q->claim));
    a.hints |= activity_manner(&a) | (a.hints & (HINT_REFERER_OWN | HINT_REFERER_OTHER) ? 0 : HINT_REFERER_NONE);
    activity_seal(&a);
    if (q->action) {
        identity_settle(h->id, &a, on_settled, h);
    } else {
        identity_fact(h->id, &a, on_settled, h);
        session_log_fact(h->log, &a);
    }
}

static const struct session_record *told(const struct half *h, uint32_t i, enum session_begin begin, enum session_end end, uint32_t acts)
{
    assert_true(i < h->told.n);
    const struct session_record *r = &h->told.r[i];
    assert_string_equal(session_begin_name((enum session_begin)r->begin), session_begin_name(begin));
    assert_string_equal(session_end_name((enum session_end)r->end), session_end_name(end));
    assert_int_equal(r->acts, acts);
    return r;
}

#define VIEW ACTION_VIEW_CASE

static void test_day(void **state)
{
    struct half h;
    (void)state;
    half_init(&h, 100);
    ask(&h, &(struct ask){.action = VIEW, .sent = 1, .time_s = 90});      /* before the login, under another value */
    ask(&h, &(struct ask){.action = ACTION_LOGIN, .sent = 1, .claim = "bob", .time_s = 95, .outcome = OUTCOME_FAILURE});
    ask(&h, &(struct ask){.action = ACTION_LOGIN, .sent = 1, .set = 2, .claim = "alice", .time_s = 100});
    ask(&h, &(struct ask){.action = ACTION_LIST, .sent = 2, .time_s = 110, .hints = HINT_REFERER_OWN});
    ask(&h, &(struct ask){.sent = 2, .assets = 12, .time_s = 111});
    ask(&h, &(struct ask){.action = VIEW, .sent = 2, .time_s = 120, .hints = HINT_REFERER_OWN});
    ask(&h, &(struct ask){.action = VIEW, .sent = 2, .time_s = 130, .hints = HINT_REFERER_OTHER});
    ask(&h, &(struct ask){.action = ACTION_API_CALL, .sent = 2, .time_s = 140, .mime = "application/json", .ip = "203.0.113.9", .agent = "curl/8", .family = 7});
    ask(&h, &(struct ask){.action = ACTION_LOGOUT, .sent = 2, .set = 3, .time_s = 150});
    ask(&h, &(struct ask){.action = ACTION_DOWNLOAD, .sent = 2, .time_s = 200}); /* the ended session goes on */
    session_log_finish(h.log);
    assert_int_equal(h.told.n, 3);
    const struct session_record *r = told(&h, 0, SESSION_BEGIN_UNSEEN, SESSION_END_LOGIN, 2);
    assert_int_equal(r->failures, 1);
    r = told(&h, 1, SESSION_BEGIN_LOGIN, SESSION_END_LOGOUT, 6);
    assert_int_equal(r->id[0], 2);
    assert_true(span_eq(span_of(r->user, r->user_size), SPAN("alice")));
    assert_int_equal(r->start_ns, 100 * NS_PER_S);
    assert_int_equal(r->end_ns, 150 * NS_PER_S);
    assert_int_equal(r->assets, 12);
    assert_int_equal(r->referer_own, 2);
    assert_int_equal(r->referer_other, 1);
    assert_int_equal(r->referer_none, 3);
    assert_int_equal(r->pages, 5);
    assert_int_equal(r->api, 1);
    assert_int_equal(r->actions[VIEW], 2);
    static const uint8_t order[] = {ACTION_LOGIN, ACTION_LIST, VIEW, ACTION_API_CALL, ACTION_LOGOUT};
    assert_int_equal(r->n_order, sizeof order);
    assert_memory_equal(r->order, order, sizeof order);
    assert_int_equal(r->n_contexts, 2);
    assert_int_equal(r->contexts[0].count, 5);
    assert_int_equal(r->contexts[1].count, 1);
    assert_int_equal(r->contexts[1].first_ns, 140 * NS_PER_S);
    assert_int_equal(r->intervals, 5);
    assert_true(r->interval_mean_s == 10 && session_record_variation(r) == 0); /* like a clock */
    told(&h, 2, SESSION_BEGIN_AFTER_END, SESSION_END_OPEN, 1);
    half_fini(&h);
}

static void test_ends(void **state)
{
    struct half h;
    (void)state;
    half_init(&h, 100);
    ask(&h, &(struct ask){.action = ACTION_LOGIN, .set = 1, .claim = "ann", .time_s = 100, .until_s = 700});
    ask(&h, &(struct ask){.action = VIEW, .sent = 1, .time_s = 200, .until_s = 800}); /* the answer renews it */
    ask(&h, &(struct ask){.action = VIEW, .sent = 1, .time_s = 750});
    ask(&h, &(struct ask){.action = VIEW, .sent = 1, .time_s = 801}); /* no browser sends it any more */
    told(&h, 0, SESSION_BEGIN_LOGIN, SESSION_END_EXPIRED, 3);
    ask(&h, &(struct ask){.action = VIEW, .sent = 5, .time_s = 900});
    ask(&h, &(struct ask){.action = VIEW, .sent = 5, .time_s = 900 + 4 * 3600 + 1});
    told(&h, 1, SESSION_BEGIN_UNSEEN, SESSION_END_IDLE, 1);
    session_log_tick(h.log, (900 + 4 * 3600 + 2) * NS_PER_S); /* the one of ann is over, the other has just acted */
    told(&h, 2, SESSION_BEGIN_AFTER_END, SESSION_END_IDLE, 1);
    ask(&h, &(struct ask){.action = VIEW, .remember = 77, .set = 9, .time_s = 20000, .until_s = 20001});
    ask(&h, &(struct ask){.action = VIEW, .sent = 9, .time_s = 20000, .flags = ACT_SESSION_END});
    told(&h, 3, SESSION_BEGIN_REMEMBERED, SESSION_END_REMOVED, 2);
    ask(&h, &(struct ask){.action = ACTION_LOGIN, .sent = 11, .claim = "tom", .time_s = 20010, .until_s = 20020}); /* keeps its value */
    ask(&h, &(struct ask){.action = VIEW, .sent = 12, .time_s = 20030});
    session_log_finish(h.log);
    assert_int_equal(h.told.n, 7);
    told(&h, 4, SESSION_BEGIN_RESUMED, SESSION_END_OPEN, 1);
    told(&h, 5, SESSION_BEGIN_LOGIN, SESSION_END_EXPIRED, 1);
    told(&h, 6, SESSION_BEGIN_UNSEEN, SESSION_END_OPEN, 1);
    half_fini(&h);
}

/* A chain is one record, and says how it branched; a name that comes late is the record's. */
static void test_chain(void **state)
{
    struct half h;
    (void)state;
    half_init(&h, 100);
    for (uint32_t i = 1; i < 50; i++)
        ask(&h, &(struct ask){.action = i % 3 ? ACTION_NONE : VIEW, .sent = i, .set = i + 1, .hints = HINT_ROTATES, .time_s = i,
                              .claim = i == 30 ? "alice" : NULL, .flags = i == 30 ? ACT_CLAIM_PROVEN : 0});
    ask(&h, &(struct ask){.action = ACTION_DOWNLOAD, .sent = 49, .set = 70, .hints = HINT_ROTATES, .time_s = 50});
    ask(&h, &(struct ask){.action = ACTION_DOWNLOAD, .sent = 49, .set = 71, .hints = HINT_ROTATES, .time_s = 51, .ip = "203.0.113.9",
                          .agent = "curl/8"});
    session_log_finish(h.log);
    assert_int_equal(h.told.n, 1);
    const struct session_record *r = told(&h, 0, SESSION_BEGIN_UNSEEN, SESSION_END_OPEN, 16 + 2);
    assert_int_equal(r->id[0], 1);
    assert_true(span_eq(span_of(r->user, r->user_size), SPAN("alice")));
    assert_int_equal(r->forks, 2);
    assert_int_equal(r->foreign_forks, 1);
    assert_int_equal(r->n_contexts, 2);
    half_fini(&h);
}

static void test_bounds(void **state)
{
    struct half h;
    (void)state;
    half_init(&h, 16);
    for (uint32_t i = 0; i < 100; i++) { /* one session from a hundred networks, doing two things in turn */
        char ip[24];
        snprintf(ip, sizeof ip, "10.7.%u.1", i);
        ask(&h, &(struct ask){.action = i % 2 ? VIEW : ACTION_LIST, .sent = 1, .time_s = i, .ip = ip});
    }
    for (uint32_t i = 0; i < 5000; i++)
        ask(&h, &(struct ask){.action = VIEW, .sent = 100 + i, .time_s = 200 + i / 100});
    const struct session_record *r = told(&h, 0, SESSION_BEGIN_UNSEEN, SESSION_END_ROOM, 100);
    assert_int_equal(r->n_contexts, SESSION_CONTEXTS);
    assert_int_equal(r->n_order, SESSION_ORDER);
    assert_true(r->n_more_contexts > 50);
    assert_int_equal(r->contexts[0].first_ns, 0);
    assert_int_equal(h.told.n, 5001 - 16);
    struct counters c = session_log_counters(h.log);
    assert_int_equal(c.values[0], 5001);
    assert_int_equal(c.values[2], 5001 - 16);
    half_fini(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_day), cmocka_unit_test(test_ends), cmocka_unit_test(test_chain), cmocka_unit_test(test_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
