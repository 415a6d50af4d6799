/* SPDX-License-Identifier: Apache-2.0
 * A small help desk for the detection tests: people who work from usual places on weekdays, a nightly job, and a
 * shorthand for what somebody does on top of that. */
#ifndef TESTS_UNIT_DETECT_STAGE_H
#define TESTS_UNIT_DETECT_STAGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/text.h"
#include "base/times.h"
#include "detect/engine.h"

#define STAGE_LINES 512
#define STAGE_MONDAY 1772409600u /* 2026-03-02T00:00:00Z */

struct told { /* one line of an alert */
    char rule[8], user[64], others[256];
    uint8_t id[16];
    uint32_t update, files, cases, customers;
    uint64_t bytes, time_ns;
    unsigned risk;
    double bits;
    char fields[512]; /* names of the reasons, blank-separated */
    char rules[128];  /* ids of the rules that spoke so far */
    char blind[ALERT_TEXT];
    unsigned doubt;
};

struct stage {
    struct store *store;
    struct engine *engine;
    struct told told[STAGE_LINES];
    unsigned n;
    uint32_t number;
};

/* Where and with what somebody is. */
struct desk {
    const char *ip, *country;
    uint32_t asn;
    uint16_t family, major;
    const char *agent;
};

static inline void stage_alert(void *ctx, const struct alert *a)
{
    struct stage *s = ctx;
    assert_true(s->n < STAGE_LINES);
    struct told *t = &s->told[s->n++];
    struct span user = activity_get(&a->last, STR_USER);
    *t = (struct told){.update = a->update,
                       .files = a->n_files,
                       .cases = a->n_cases,
                       .customers = a->n_customers,
                       .bytes = a->n_bytes,
                       .time_ns = a->time_ns,
                       .risk = a->risk,
                       .bits = a->bits,
                       .doubt = a->doubt};
    snprintf(t->rule, sizeof t->rule, "%s", a->rule->id);
    snprintf(t->user, sizeof t->user, "%.*s", (int)user.size, (const char *)user.at);
    snprintf(t->blind, sizeof t->blind, "%s", a->blind);
    memcpy(t->id, a->id, sizeof t->id);
    for (unsigned i = 0; i < a->n_users; i++)
        snprintf(t->others + strlen(t->others), sizeof t->others - strlen(t->others), "%s ", a->users[i]);
    snprintf(t->rules, sizeof t->rules, "%s ", a->rule->id);
    for (unsigned i = 0; i < a->n_why; i++)
        if (strcmp(a->why[i].field, "rule.id") == 0)
            snprintf(t->rules + strlen(t->rules), sizeof t->rules - strlen(t->rules), "%.4s", a->why[i].value);
    for (unsigned i = 0; i < a->n_why; i++)
        snprintf(t->fields + strlen(t->fields), sizeof t->fields - strlen(t->fields), "%s ", a->why[i].field);
}

/* 'own': a directory of detections on top of what ships, or NULL. */
static inline void stage_open_roster(struct stage *s, const char *own, const struct roster *roster)
{
    struct text why = {0};
    memset(s, 0, sizeof *s);
    assert_int_equal(store_mem_open(&s->store, NULL, 10000, &why), 0);
    struct engine_options options = {
        .store = s->store, .rules_dir = "rules", .own_dir = own, .on_alert = stage_alert, .ctx = s, .roster = roster,
        .has_geo = true};
    int rc = engine_new(&options, &s->engine, &why);
    assert_string_equal(text_str(&why), "");
    assert_int_equal(rc, 0);
}

static inline void stage_open(struct stage *s, const char *own)
{
    stage_open_roster(s, own, NULL);
}

static inline void stage_close(struct stage *s)
{
    engine_free(s->engine);
    s->store->ops->free(s->store);
}

static inline uint64_t stage_time(unsigned day, double hour)
{
    return (uint64_t)((STAGE_MONDAY + day * 86400.0 + hour * 3600.0) * 1e9);
}

/* An act that succeeded; the caller changes what is different. Day 0 is a Monday. */
static inline struct activity stage_act(struct stage *s, const char *who, const struct desk *d, enum action action,
                                        unsigned day, double hour)
{
    struct activity a;
    char label[40];
    activity_init(&a);
    a.time_ns = stage_time(day, hour);
    a.done_ns = a.time_ns + NS_PER_MS;
    a.number = ++s->number;
    a.action = (uint8_t)action;
    a.outcome = OUTCOME_SUCCESS;
    a.cred_kind = action == ACTION_LOGIN ? CRED_FORM : CRED_COOKIE;
    a.status = 200;
    a.flags = ACT_COMPLETE | ACT_HAS_BODY;
    assert_true(ipaddr_parse(span_text(d->ip), &a.source));
    snprintf(a.country, sizeof a.country, "%s", d->country);
    a.asn = d->asn;
    a.client_family = d->family;
    a.client_major = d->major;
    snprintf(label, sizeof label, "%s %u", d->agent, d->major);
    activity_set(&a, STR_USER, span_text(who));
    activity_set(&a, STR_AGENT, span_text(label));
    activity_set(&a, STR_CLIENT, span_text(label));
    hash128(span_text(who), day, a.session); /* a session a day */
    return a;
}

static inline void stage_play(struct stage *s, struct activity *a)
{
    activity_seal(a);
    engine_activity(s->engine, a);
}

static inline void stage_login(struct stage *s, const char *who, const struct desk *d, unsigned day, double hour)
{
    struct activity a = stage_act(s, who, d, ACTION_LOGIN, day, hour);
    stage_play(s, &a);
}

static inline void stage_fail(struct stage *s, const char *who, const struct desk *d, unsigned day, double hour)
{
    struct activity a = stage_act(s, who, d, ACTION_LOGIN, day, hour);
    a.outcome = OUTCOME_FAILURE;
    stage_play(s, &a);
}

static inline void stage_names(struct activity *a, unsigned case_id, unsigned file)
{
    char text[32];
    snprintf(text, sizeof text, "%u", case_id);
    activity_set(a, STR_CASE, span_text(text));
    snprintf(text, sizeof text, "Customer %u", case_id % 8);
    activity_set(a, STR_CUSTOMER, span_text(text));
    if (!file)
        return;
    snprintf(text, sizeof text, "%u-%u", case_id, file);
    activity_set(a, STR_OBJECT, span_text(text));
    snprintf(text, sizeof text, "file-%u.har", file);
    activity_set(a, STR_FILE, span_text(text));
    a->body_bytes = 50000;
}

static inline void stage_view(struct stage *s, const char *who, const struct desk *d, unsigned day, double hour,
                              unsigned case_id)
{
    struct activity a = stage_act(s, who, d, ACTION_VIEW_CASE, day, hour);
    stage_names(&a, case_id, 0);
    stage_play(s, &a);
}

static inline void stage_fetch(struct stage *s, const char *who, const struct desk *d, unsigned day, double hour,
                               unsigned case_id, unsigned file)
{
    struct activity a = stage_act(s, who, d, ACTION_DOWNLOAD, day, hour);
    stage_names(&a, case_id, file);
    stage_play(s, &a);
}

static const struct desk stage_offices[] = {
    {"198.51.100.11", "GB", 2856, 3, 146, "Chrome"}, {"198.51.100.12", "GB", 2856, 2, 148, "Firefox"},
    {"198.51.100.13", "GB", 2856, 3, 146, "Chrome"}, {"198.51.100.14", "GB", 2856, 4, 146, "Edge"},
    {"198.51.100.15", "GB", 2856, 3, 146, "Chrome"}, {"198.51.100.16", "GB", 2856, 5, 19, "Safari"},
};
static const char *const stage_people[] = {"alice", "bela", "chen", "dara", "emil", "fatima"};
#define STAGE_PEOPLE 6
#define ALICE &stage_offices[0]
#define BELA &stage_offices[1]
static const struct desk stage_robot = {"192.0.2.200", "GB", 64500, 0x8001, 2, "case-export"};

static inline void stage_robot_act(struct stage *s, const struct desk *d, enum action action, const char *route,
                                   unsigned day, double hour, unsigned case_id)
{
    struct activity a = stage_act(s, "svc-export", d, action, day, hour);
    a.cred_kind = CRED_TOKEN;
    a.flags |= ACT_MACHINE;
    hash128(SPAN("token"), 0, a.session);
    activity_set(&a, STR_ROUTE, span_text(route));
    if (case_id)
        stage_names(&a, case_id, action == ACTION_DOWNLOAD);
    stage_play(s, &a);
}

/* Ordinary work on the weekdays of [from, to): each person signs in at nine and reads two cases, fetching 1 to 3 files;
 * at two in the morning the job fetches three. */
static inline void stage_work(struct stage *s, unsigned from, unsigned to)
{
    for (unsigned day = from; day < to; day++) {
        if (day % 7 >= 5)
            continue;
        stage_robot_act(s, &stage_robot, ACTION_SEARCH, "rest2-search", day, 2.0, 0);
        for (unsigned i = 0; i < 3; i++)
            stage_robot_act(s, &stage_robot, ACTION_DOWNLOAD, "rest2-attachment", day, 2.01 + i * 0.001,
                            1 + (day * 3 + i) % 40);
        for (unsigned p = 0; p < STAGE_PEOPLE; p++) {
            const struct desk *d = &stage_offices[p];
            double hour = 9 + p * 0.05;
            stage_login(s, stage_people[p], d, day, hour);
            for (unsigned i = 0; i < 2; i++) {
                unsigned case_id = 1 + (day * 7 + p * 5 + i) % 40;
                stage_view(s, stage_people[p], d, day, hour + 0.1 + i, case_id);
                for (unsigned f = 0; f < 1 + (day + p + i) % 2; f++)
                    stage_fetch(s, stage_people[p], d, day, hour + 0.2 + i, case_id, f + 1);
            }
        }
    }
}

/* Lines in which a rule spoke about a person (NULL: any). */
static inline unsigned stage_count(const struct stage *s, const char *rule, const char *user)
{
    unsigned n = 0;
    for (unsigned i = 0; i < s->n; i++)
        n += (!rule || strstr(s->told[i].rules, rule)) && (!user || strcmp(s->told[i].user, user) == 0);
    return n;
}

/* Different alerts. */
static inline unsigned stage_alerts(const struct stage *s)
{
    unsigned n = 0;
    for (unsigned i = 0; i < s->n; i++)
        n += s->told[i].update == 0;
    return n;
}

#endif
