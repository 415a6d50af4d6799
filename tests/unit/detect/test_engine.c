/* SPDX-License-Identifier: Apache-2.0
 * What holds across detections: quarantine and poisoning, one story one id, few lines, exact counts, amendments,
 * sessions that get a name late, the same answers in every run and from baselines read back from text. */
#include "stage.h"

#define WEEKS 14

static const struct desk abroad = {"203.0.113.9", "CN", 4134, 3, 146, "Chrome"};
static const struct desk abroad_other = {"203.0.113.9", "CN", 4134, 2, 147, "Firefox"};
static const struct desk abroad_too = {"203.0.114.77", "CN", 4134, 3, 146, "Chrome"};
static const struct desk home = {"198.18.7.9", "GB", 2856, 3, 146, "Chrome"}; /* new prefix, known network: 5 bits */

static struct baseline *baseline_of(struct stage *s, const char *who)
{
    bool is_new;
    return s->store->ops->fetch(s->store, span_text(who), &is_new);
}

static enum trust trust_of(struct stage *s, const char *who, const struct desk *d)
{
    struct ipaddr ip;
    assert_true(ipaddr_parse(span_text(d->ip), &ip));
    struct place like = place_of(&ip, d->country, d->asn);
    const struct place *p = baseline_place(baseline_of(s, who), &like);
    return p ? (enum trust)p->trust : TRUST_NONE;
}

static void come_at(struct stage *s, const char *who, const struct desk *d, unsigned day, double hour, unsigned files)
{
    stage_login(s, who, d, day, hour);
    stage_view(s, who, d, day, hour + 0.1, 3);
    for (unsigned i = 0; i < files; i++)
        stage_fetch(s, who, d, day, hour + 0.2 + i * 0.01, 3 + day % 5, 1 + i);
}

static void day_at(struct stage *s, const char *who, const struct desk *d, unsigned day, unsigned files)
{
    come_at(s, who, d, day, 9, files);
}

/* In the evening the owner is not expected at work. */
static void evening_at(struct stage *s, const char *who, const struct desk *d, unsigned day, unsigned files)
{
    come_at(s, who, d, day, 20, files);
}

static void quarantine(void **state)
{
    (void)state;
    static struct stage s;
    stage_open(&s, NULL);
    stage_work(&s, 0, 1);
    assert_int_equal(trust_of(&s, "alice", ALICE), TRUST_USUAL); /* while the fleet learns */
    stage_work(&s, 1, WEEKS);
    day_at(&s, "alice", &home, WEEKS, 1);
    assert_int_equal(trust_of(&s, "alice", &home), TRUST_QUARANTINED);
    stage_login(&s, "alice", &home, WEEKS, 20);
    assert_int_equal(trust_of(&s, "alice", &home), TRUST_QUARANTINED); /* not by a second visit on the same day */
    day_at(&s, "alice", &home, WEEKS + 1, 1);
    assert_int_equal(trust_of(&s, "alice", &home), TRUST_USUAL);
    assert_int_equal(s.n, 0);
    stage_close(&s);
}

/* The time in which everything is new begins with the first act, also where a person's word stands before it. */
static void a_verdict_before_the_first_act(void **state)
{
    (void)state;
    static struct stage s;
    struct feedback f = {.verdict = VERDICT_SUPPRESS, .time_ns = stage_time(0, 0), .until_ns = stage_time(90, 0)};
    stage_open(&s, NULL);
    engine_verdict(s.engine, &f);
    stage_work(&s, 0, 1);
    assert_int_equal(trust_of(&s, "alice", ALICE), TRUST_USUAL);
    stage_close(&s);
}

/* The thief comes back every evening: his place never becomes usual, he stays one alert, and he teaches nothing. */
static void the_attacker_does_not_teach(void **state)
{
    (void)state;
    static struct stage s;
    stage_open(&s, NULL);
    stage_work(&s, 0, WEEKS);
    struct baseline quiet = *baseline_of(&s, "alice");
    evening_at(&s, "alice", &abroad, WEEKS, 2);
    struct baseline before = *baseline_of(&s, "alice"); /* with Friday's work learned, which Monday closes */
    assert_int_equal(before.sessions, quiet.sessions);
    for (unsigned day = WEEKS + 1; day < WEEKS + 25; day++)
        evening_at(&s, "alice", &abroad, day, 2);
    assert_int_equal(trust_of(&s, "alice", &abroad), TRUST_ALERTED);
    assert_int_equal(trust_of(&s, "alice", ALICE), TRUST_USUAL);
    const struct baseline *after = baseline_of(&s, "alice");
    assert_int_equal(after->sessions, before.sessions);
    assert_memory_equal(after->hours, before.hours, sizeof before.hours);
    assert_memory_equal(&after->files_day, &before.files_day, sizeof before.files_day);
    assert_memory_equal(&after->cases_day, &before.cases_day, sizeof before.cases_day);
    assert_int_equal(stage_alerts(&s), 1);
    assert_true(stage_count(&s, "D15", "alice") > 0);
    assert_true(s.n < 12); /* doublings, not evenings */
    stage_close(&s);
}

static void a_pause_makes_a_new_alert(void **state)
{
    (void)state;
    static struct stage s;
    stage_open(&s, NULL);
    stage_work(&s, 0, WEEKS);
    evening_at(&s, "alice", &abroad, WEEKS, 2);
    assert_int_equal(stage_alerts(&s), 1);
    evening_at(&s, "alice", &abroad_too, WEEKS + 6, 2); /* another prefix of the same new country: the same story */
    assert_int_equal(stage_alerts(&s), 1);
    evening_at(&s, "alice", &abroad, WEEKS + 15, 2);
    assert_int_equal(stage_alerts(&s), 2);
    assert_memory_not_equal(s.told[0].id, s.told[s.n - 1].id, 16);
    stage_close(&s);
}

/* While the owner travels, somebody from the same country, but another network and with another client, is another story. */
static void a_thief_beside_a_traveller_is_told(void **state)
{
    (void)state;
    static const struct desk thief = {"192.0.2.66", "CN", 9808, 2, 147, "Firefox"};
    static struct stage s;
    stage_open(&s, NULL);
    stage_work(&s, 0, WEEKS);
    evening_at(&s, "alice", &abroad, WEEKS, 2);
    assert_int_equal(stage_alerts(&s), 1);
    evening_at(&s, "alice", &abroad_too, WEEKS + 1, 2);
    assert_int_equal(stage_alerts(&s), 1);
    stage_login(&s, "alice", &thief, WEEKS + 1, 21);
    stage_fetch(&s, "alice", &thief, WEEKS + 1, 21.1, 3, 2);
    assert_int_equal(stage_alerts(&s), 2);
    stage_close(&s);
}

/* What came with an alert is usual after a month of use without another, also when it never paused. */
static void the_honest_mover_is_forgiven(void **state)
{
    (void)state;
    static struct stage s;
    stage_open(&s, NULL);
    stage_work(&s, 0, WEEKS);
    evening_at(&s, "alice", &abroad, WEEKS, 2);
    for (unsigned day = WEEKS + 1; day < WEEKS + 33; day++) {
        stage_login(&s, "alice", &abroad, day, 10);
        stage_view(&s, "alice", &abroad, day, 10.1, 3);
    }
    assert_int_equal(trust_of(&s, "alice", &abroad), TRUST_USUAL);
    assert_int_equal(stage_alerts(&s), 1);
    stage_close(&s);
}

/* Usual work goes on beside a theft without becoming a part of it. */
static void the_owner_stays_apart(void **state)
{
    (void)state;
    static struct stage s;
    stage_open(&s, NULL);
    stage_work(&s, 0, WEEKS);
    stage_login(&s, "alice", ALICE, WEEKS, 9);
    stage_view(&s, "alice", ALICE, WEEKS, 9.05, 3);
    stage_fetch(&s, "alice", ALICE, WEEKS, 9.1, 3, 1);
    stage_view(&s, "alice", &abroad_other, WEEKS, 9.2, 3);
    stage_fetch(&s, "alice", &abroad_other, WEEKS, 9.3, 3, 1); /* what the owner has fetched, too: still stolen */
    stage_view(&s, "alice", ALICE, WEEKS, 9.35, 4);
    stage_fetch(&s, "alice", ALICE, WEEKS, 9.4, 4, 1);
    stage_fetch(&s, "alice", &abroad_other, WEEKS, 9.5, 3, 1); /* again: not a second file */
    stage_fetch(&s, "alice", &abroad_other, WEEKS, 9.5, 5, 1);
    stage_fetch(&s, "alice", &abroad_other, WEEKS, 9.5, 5, 2);
    stage_fetch(&s, "alice", &abroad_other, WEEKS, 9.5, 6, 1);
    const struct told *last = &s.told[s.n - 1];
    assert_string_equal(last->rule, "D07");
    assert_int_equal(stage_alerts(&s), 1);
    assert_int_equal(last->files, 4);
    assert_int_equal(last->cases, 3);
    assert_int_equal(last->customers, 3);
    assert_true(last->bytes == 5 * 50000);
    assert_true(strstr(last->rules, "D15") != NULL);
    for (unsigned i = 1; i < s.n; i++) {
        assert_memory_equal(s.told[i].id, s.told[0].id, 16);
        assert_int_equal(s.told[i].update, i);
        assert_true(s.told[i].risk >= s.told[i - 1].risk);
    }
    stage_close(&s);
}

static void volume_lines_double(void **state)
{
    (void)state;
    static struct stage s;
    stage_open(&s, NULL);
    stage_work(&s, 0, WEEKS);
    for (unsigned i = 0; i < 1000; i++)
        stage_fetch(&s, "alice", ALICE, WEEKS, 9 + i * 0.005, 1 + i % 40, 1 + i);
    assert_int_equal(stage_alerts(&s), 1);
    assert_true(s.n <= 12);
    assert_int_equal(s.told[s.n - 1].files, 512);
    assert_int_equal(s.told[s.n - 1].customers, 8);
    assert_int_equal(trust_of(&s, "alice", ALICE), TRUST_USUAL); /* the office is not to blame */
    stage_close(&s);
}

/* A file is told when its response begins; its end comes as an amendment. */
static void amendments_complete(void **state)
{
    (void)state;
    static struct stage s;
    stage_open(&s, NULL);
    stage_work(&s, 0, WEEKS);
    struct activity a = stage_act(&s, "alice", ALICE, ACTION_DOWNLOAD, WEEKS, 9);
    stage_names(&a, 5, 1);
    a.body_bytes = 1000;
    a.flags &= ~ACT_COMPLETE;
    stage_play(&s, &a);
    struct activity end = stage_act(&s, "alice", ALICE, ACTION_AMEND, WEEKS, 9.001);
    memcpy(end.amends, a.id, sizeof end.amends);
    end.body_bytes = 60000000000u;
    stage_play(&s, &end);
    stage_play(&s, &end); /* twice: once */
    const struct baseline *b = baseline_of(&s, "alice");
    assert_int_equal(b->today_files, 1);
    assert_true(b->today_bytes == 60000000000u);
    assert_int_equal(stage_count(&s, "D10", "alice"), 1);
    struct activity lost = end;
    lost.amends[0] ^= 1;
    stage_play(&s, &lost);
    assert_true(baseline_of(&s, "alice")->today_bytes == 60000000000u);
    stage_close(&s);
}

static void amendments_name_the_case(void **state)
{
    (void)state;
    static struct stage s;
    stage_open(&s, NULL);
    stage_work(&s, 0, WEEKS);
    struct activity a = stage_act(&s, "alice", ALICE, ACTION_DOWNLOAD, WEEKS, 9);
    a.flags &= ~ACT_COMPLETE;
    activity_set(&a, STR_OBJECT, SPAN("77"));
    stage_play(&s, &a);
    assert_int_equal(baseline_of(&s, "alice")->today_cases, 0);
    struct activity end = stage_act(&s, "alice", ALICE, ACTION_AMEND, WEEKS, 9.001);
    memcpy(end.amends, a.id, sizeof end.amends);
    stage_names(&end, 5, 0);
    stage_play(&s, &end);
    assert_int_equal(baseline_of(&s, "alice")->today_cases, 1);
    assert_int_equal(baseline_of(&s, "alice")->today_customers, 1);
    assert_int_equal(baseline_of(&s, "alice")->today_files, 1);
    stage_close(&s);
}

/* A list of files, too: whose case it was is known later, and nothing has happened since. */
static void amendments_name_the_customer(void **state)
{
    (void)state;
    static struct stage s;
    stage_open(&s, NULL);
    stage_work(&s, 0, WEEKS);
    struct activity a = stage_act(&s, "alice", ALICE, ACTION_LIST_FILES, WEEKS, 9);
    activity_set(&a, STR_CASE, SPAN("case-99"));
    activity_set(&a, STR_CUSTOMER, SPAN(""));
    stage_play(&s, &a);
    assert_int_equal(baseline_of(&s, "alice")->today_cases, 1);
    assert_int_equal(baseline_of(&s, "alice")->today_customers, 0);
    uint32_t acts = baseline_of(&s, "alice")->acts;
    struct activity amend = stage_act(&s, "alice", ALICE, ACTION_AMEND, WEEKS, 9.5);
    memcpy(amend.amends, a.id, sizeof amend.amends);
    amend.flags = 0;
    activity_set(&amend, STR_CASE, SPAN("case-99"));
    activity_set(&amend, STR_CUSTOMER, SPAN("Somebody New"));
    stage_play(&s, &amend);
    stage_play(&s, &amend); /* twice: once */
    const struct baseline *b = baseline_of(&s, "alice");
    assert_int_equal(b->today_cases, 1);
    assert_int_equal(b->today_customers, 1);
    assert_int_equal(b->today_files, 0);
    assert_int_equal(b->acts, acts);
    stage_close(&s);
}

/* What a session did before it had a name is charged to whom it belongs. */
static void sessions_get_their_name(void **state)
{
    (void)state;
    static struct stage s;
    stage_open(&s, NULL);
    stage_work(&s, 0, WEEKS);
    uint8_t cookie[16];
    hash128(SPAN("cookie"), 0, cookie);
    for (unsigned i = 0; i < 2; i++) {
        struct activity a = stage_act(&s, "session:aabb", ALICE, ACTION_DOWNLOAD, WEEKS, 9 + i * 0.01);
        stage_names(&a, 5, 1 + i);
        memcpy(a.session, cookie, 16);
        stage_play(&s, &a);
    }
    assert_int_equal(baseline_of(&s, "alice")->day == time_day(stage_time(WEEKS, 9)), 0);
    struct activity id = stage_act(&s, "alice", ALICE, ACTION_IDENTIFY, WEEKS, 9.05);
    memcpy(id.session, cookie, 16);
    stage_play(&s, &id);
    assert_int_equal(baseline_of(&s, "alice")->today_files, 2);
    assert_int_equal(baseline_of(&s, "alice")->today_cases, 1);
    assert_true(baseline_of(&s, "alice")->today_bytes == 100000);
    stage_play(&s, &id); /* twice: once */
    assert_int_equal(baseline_of(&s, "alice")->today_files, 2);
    assert_int_equal(s.n, 0);
    stage_close(&s);
}

static void a_stolen_session_gets_its_name(void **state)
{
    (void)state;
    static struct stage s;
    stage_open(&s, NULL);
    stage_work(&s, 0, WEEKS);
    uint8_t cookie[16];
    hash128(SPAN("cookie"), 0, cookie);
    const struct desk *desks[] = {ALICE, &abroad_other};
    for (unsigned i = 0; i < 2; i++) {
        struct activity a = stage_act(&s, "session:aabb", desks[i], ACTION_VIEW_CASE, WEEKS, 9 + i * 0.1);
        stage_names(&a, 5, 0);
        memcpy(a.session, cookie, 16);
        stage_play(&s, &a);
    }
    assert_int_equal(stage_count(&s, "D07", "session:aabb"), 1);
    struct activity id = stage_act(&s, "alice", ALICE, ACTION_IDENTIFY, WEEKS, 9.5);
    memcpy(id.session, cookie, 16);
    stage_play(&s, &id);
    assert_int_equal(stage_alerts(&s), 1);
    assert_int_equal(stage_count(&s, "D07", "alice"), 1);
    assert_non_null(strstr(s.told[s.n - 1].others, "session:aabb"));
    assert_int_equal(trust_of(&s, "alice", &abroad_other), TRUST_ALERTED);
    assert_int_equal(trust_of(&s, "alice", ALICE), TRUST_USUAL);
    stage_close(&s);
}

/* The spray names who it got in as, first of all names, however many it tried. */
static void a_spray_names_its_victim(void **state)
{
    (void)state;
    static struct stage s;
    stage_open(&s, NULL);
    stage_work(&s, 0, WEEKS);
    for (unsigned i = 0; i < 60; i++) {
        char name[16];
        snprintf(name, sizeof name, "user%u", i % 30);
        stage_fail(&s, name, &abroad_other, WEEKS, 4 + i * 0.001);
    }
    stage_login(&s, "alice", &abroad_other, WEEKS, 4.1);
    unsigned at = 0;
    for (unsigned i = 0; i < s.n; i++)
        if (strcmp(s.told[i].rule, "D16") == 0)
            at = i;
    assert_string_equal(s.told[at].user, "alice");
    assert_int_equal(strncmp(s.told[at].others, "alice ", 6), 0);
    assert_int_equal(stage_count(&s, "D17", "alice"), 1);
    assert_int_equal(stage_alerts(&s), 2);
    bool is_new;
    s.store->ops->fetch(s.store, SPAN("user3"), &is_new);
    assert_true(is_new); /* names that were only tried take no room */
    stage_close(&s);
}

static void everything(struct stage *s)
{
    stage_work(s, WEEKS, WEEKS + 1);
    day_at(s, "alice", &abroad, WEEKS, 5);
    stage_view(s, "bela", BELA, WEEKS, 14, 3);
    stage_view(s, "bela", &abroad, WEEKS, 14.1, 3);
    for (unsigned i = 0; i < 60; i++)
        stage_fetch(s, "chen", &stage_offices[2], WEEKS, 15 + i * 0.002, 1 + i % 40, i + 1);
    for (unsigned i = 0; i < 40; i++) {
        char name[16];
        snprintf(name, sizeof name, "user%u", i % 12);
        stage_fail(s, name, &abroad_too, WEEKS, 16 + i * 0.001);
    }
    stage_login(s, "dara", &abroad_too, WEEKS, 16.1);
}

static void every_run_is_the_same(void **state)
{
    (void)state;
    static struct stage a, b;
    stage_open(&a, NULL);
    stage_open(&b, NULL);
    stage_work(&a, 0, WEEKS);
    everything(&a);
    stage_work(&b, 0, WEEKS);
    everything(&b);
    assert_true(a.n > 8);
    assert_int_equal(a.n, b.n);
    assert_memory_equal(a.told, b.told, a.n * sizeof a.told[0]);
    stage_close(&a);
    stage_close(&b);
}

static void put_field(void *ctx, const char *field, const char *value)
{
    assert_int_equal(baseline_read(ctx, field, value), 0);
}

/* A sensor that starts with baselines read from text tells of the same credentials, by the same rules, as one that saw the
 * weeks itself. */
static void baselines_survive_as_text(void **state)
{
    (void)state;
    static struct stage a, b;
    static const char *const names[] = {"@fleet", "@customers", "@staff", "@machines", "svc-export", "alice", "bela", "chen", "dara", "emil", "fatima"};
    stage_open(&a, NULL);
    stage_open(&b, NULL);
    stage_work(&a, 0, WEEKS);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct baseline *to = baseline_of(&b, names[i]);
        baseline_write(baseline_of(&a, names[i]), put_field, to);
        assert_memory_equal(to, baseline_of(&a, names[i]), sizeof *to);
        b.store->ops->put(b.store, to);
    }
    b.number = a.number;
    everything(&a);
    everything(&b);
    for (unsigned i = 0; i < a.n; i++) /* the levels and everybody's norms are learned anew: bits may differ */
        assert_true(a.told[i].user[0] == 0 || stage_count(&b, a.told[i].rule, a.told[i].user) > 0);
    stage_close(&a);
    stage_close(&b);
}

static void a_credential_is_not_the_fleet(void **state)
{
    (void)state;
    static struct stage s;
    stage_open(&s, NULL);
    stage_work(&s, 0, 3);
    struct baseline before = *baseline_of(&s, "@fleet");
    stage_view(&s, "@fleet", ALICE, 3, 9, 3);
    struct baseline after = *baseline_of(&s, "@fleet");
    assert_int_equal(after.acts, before.acts);
    assert_int_equal(baseline_of(&s, "@@fleet")->acts, 1);
    stage_close(&s);
}

static void blindness_is_told(void **state)
{
    (void)state;
    static struct stage s;
    struct text why = {0};
    memset(&s, 0, sizeof s);
    assert_int_equal(store_mem_open(&s.store, NULL, 100, &why), 0);
    struct engine_options options = {.store = s.store, .rules_dir = "rules", .on_alert = stage_alert, .ctx = &s, .has_geo = false};
    assert_int_equal(engine_new(&options, &s.engine, &why), 0);
    stage_view(&s, "alice", ALICE, 0, 9, 3);
    struct activity a = stage_act(&s, "alice", &abroad_other, ACTION_VIEW_CASE, 0, 9.1);
    a.flags |= ACT_ONE_SIDED;
    stage_play(&s, &a);
    assert_int_equal(s.n, 1);
    assert_non_null(strstr(s.told[0].blind, "no geo database"));
    assert_non_null(strstr(s.told[0].blind, "still learning"));
    assert_non_null(strstr(s.told[0].blind, "one side"));
    assert_int_equal(s.told[0].doubt, 0);
    stage_close(&s);
}

/* Losses in the capture lower the confidence of an alert, not its risk; the worst of its acts counts. */
static void losses_lower_confidence(void **state)
{
    (void)state;
    struct told told[2];
    for (int i = 0; i < 2; i++) {
        static struct stage s;
        stage_open(&s, NULL);
        stage_work(&s, 0, WEEKS);
        struct activity a = stage_act(&s, "alice", &abroad_other, ACTION_VIEW_CASE, WEEKS, 20.1);
        a.doubt = i ? 37 : 0;
        stage_play(&s, &a);
        assert_true(s.n >= 1);
        told[i] = s.told[0];
        stage_close(&s);
    }
    assert_int_equal(told[0].doubt, 0);
    assert_int_equal(told[1].doubt, 37);
    assert_int_equal(told[0].risk, told[1].risk);
    assert_null(strstr(told[0].blind, "missing"));
    assert_non_null(strstr(told[1].blind, "bytes of its connection are missing"));
}

static void bad_rules_stop_it(void **state)
{
    (void)state;
    struct engine *e = NULL;
    struct text why = {0};
    struct engine_options options = {.rules_dir = "/nonexistent"};
    assert_int_not_equal(engine_new(&options, &e, &why), 0);
    assert_null(e);
    assert_true(why.size > 0);
    text_fini(&why);
    engine_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_verdict_before_the_first_act),
        cmocka_unit_test(quarantine),
        cmocka_unit_test(the_attacker_does_not_teach),
        cmocka_unit_test(a_pause_makes_a_new_alert),
        cmocka_unit_test(a_thief_beside_a_traveller_is_told),
        cmocka_unit_test(the_honest_mover_is_forgiven),
        cmocka_unit_test(the_owner_stays_apart),
        cmocka_unit_test(volume_lines_double),
        cmocka_unit_test(amendments_complete),
        cmocka_unit_test(amendments_name_the_case),
        cmocka_unit_test(amendments_name_the_customer),
        cmocka_unit_test(sessions_get_their_name),
        cmocka_unit_test(a_stolen_session_gets_its_name),
        cmocka_unit_test(a_spray_names_its_victim),
        cmocka_unit_test(every_run_is_the_same),
        cmocka_unit_test(baselines_survive_as_text),
        cmocka_unit_test(a_credential_is_not_the_fleet),
        cmocka_unit_test(blindness_is_told),
        cmocka_unit_test(losses_lower_confidence),
        cmocka_unit_test(bad_rules_stop_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
