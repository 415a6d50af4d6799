/* SPDX-License-Identifier: Apache-2.0
 * What the roster makes certain, and what it makes usual; each with an innocent twin. */
#include "stage.h"

#include "enrich/roster.h"

#define WEEKS 14 /* days of ordinary work; day 14 is Monday, the 16th of March 2026 */

static const struct desk branch = {"203.0.113.9", "FR", 3215, 3, 146, "Chrome"};

static struct roster *roster_of(const char *content)
{
    struct roster *r;
    struct text why = {0};
    FILE *file = fmemopen((void *)(uintptr_t)content, strlen(content), "r");
    int rc = roster_read(file, "r.csv", &r, &why);
    assert_string_equal(text_str(&why), "");
    assert_int_equal(rc, 0);
    fclose(file);
    return r;
}

static void play_with(struct stage *s, const char *roster_text, void (*play)(struct stage *s))
{
    struct roster *r = roster_text ? roster_of(roster_text) : NULL;
    stage_open_roster(s, NULL, r);
    stage_work(s, 0, WEEKS);
    play(s);
    stage_close(s);
    roster_free(r);
}

static void usual_monday(struct stage *s)
{
    stage_login(s, "alice", ALICE, WEEKS, 9);
    stage_view(s, "alice", ALICE, WEEKS, 9.1, 3);
    stage_fetch(s, "alice", ALICE, WEEKS, 9.2, 3, 1);
    stage_view(s, "alice", ALICE, WEEKS + 1, 9.1, 4); /* another session: the same story */
}

static void who_has_left_is_told(void **state)
{
    (void)state;
    static struct stage s;
    play_with(&s, "who,organisation,leaver\nAlice,Acme,2026-03-16\n", usual_monday);
    assert_int_equal(stage_alerts(&s), 1);
    assert_string_equal(s.told[0].rule, "D28");
    assert_string_equal(s.told[0].user, "alice");
    assert_true(s.told[0].time_ns == stage_time(WEEKS, 9)); /* at the first act */
    assert_true(s.told[0].risk >= 80);
}

static void who_leaves_later_is_not(void **state)
{
    (void)state;
    static struct stage s;
    play_with(&s, "who,organisation,leaver\nalice,Acme,2026-03-18\nbela,Acme,\n", usual_monday);
    assert_int_equal(stage_alerts(&s), 0);
}

/* The robot's own work goes on before and after; 'kind' and flags say how the account is used. */
static void use_service(struct stage *s, enum cred_kind kind, uint32_t flags)
{
    struct activity a = stage_act(s, "svc-export", &stage_offices[0], kind == CRED_FORM ? ACTION_LOGIN : ACTION_DOWNLOAD,
                                  WEEKS, 10);
    a.cred_kind = (uint8_t)kind;
    a.flags |= flags;
    stage_play(s, &a);
}

static void person_signs_in(struct stage *s)
{
    use_service(s, CRED_FORM, 0);
}

static void person_takes_session(struct stage *s)
{
    use_service(s, CRED_COOKIE, 0);
}

static void job_runs(struct stage *s)
{
    stage_robot_act(s, &stage_robot, ACTION_DOWNLOAD, "rest2-attachment", WEEKS, 2.02, 5);
}

static void declared_in_people(struct stage *s)
{
    use_service(s, CRED_FORM, ACT_SERVICE);
}

static void service_used_by_a_person_is_told(void **state)
{
    (void)state;
    static struct stage s;
    static const char roster[] = "who,service\nsvc-export,yes\n";
    static void (*const plays[])(struct stage *) = {person_signs_in, person_takes_session};
    for (size_t i = 0; i < 2; i++) {
        play_with(&s, roster, plays[i]);
        assert_int_equal(stage_count(&s, "D29", "svc-export"), 1);
        assert_true(s.told[0].time_ns == stage_time(WEEKS, 10));
    }
    play_with(&s, NULL, declared_in_people);
    assert_int_equal(stage_count(&s, "D29", "svc-export"), 1);
}

static void service_at_its_work_is_not(void **state)
{
    (void)state;
    static struct stage s;
    play_with(&s, "who,service\nsvc-export,yes\n", job_runs);
    assert_int_equal(stage_alerts(&s), 0);
    play_with(&s, NULL, person_signs_in); /* nobody declared it */
    assert_int_equal(stage_count(&s, "D29", NULL), 0);
}

static void night_at_branch(struct stage *s)
{
    stage_login(s, "alice", &branch, WEEKS, 3);
    stage_fetch(s, "alice", &branch, WEEKS, 3.1, 3, 1);
}

static void day_at_branch(struct stage *s)
{
    stage_login(s, "alice", ALICE, WEEKS, 9);
    stage_login(s, "alice", &branch, WEEKS, 10);
    stage_fetch(s, "alice", &branch, WEEKS, 10.1, 3, 1);
}

static void declared_ways_out_are_usual(void **state)
{
    (void)state;
    static struct stage s;
    static const char roster[] = "who,organisation,egress\nalice,Acme,\n,Acme,203.0.113.0/24\nbela,Basalt,192.0.2.0/24\n";
    static const char other[] = "who,organisation,egress\nalice,Acme,\nbela,Basalt,203.0.113.0/24\n";
    static void (*const plays[])(struct stage *) = {night_at_branch, day_at_branch};
    for (size_t i = 0; i < 2; i++) {
        play_with(&s, roster, plays[i]);
        assert_int_equal(stage_alerts(&s), 0);
        play_with(&s, other, plays[i]); /* another organisation's is none of hers */
        assert_int_equal(stage_alerts(&s), 1);
        play_with(&s, NULL, plays[i]);
        assert_int_equal(stage_alerts(&s), 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_has_left_is_told),
        cmocka_unit_test(who_leaves_later_is_not),
        cmocka_unit_test(service_used_by_a_person_is_told),
        cmocka_unit_test(service_at_its_work_is_not),
        cmocka_unit_test(declared_ways_out_are_usual),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
