/* SPDX-License-Identifier: Apache-2.0
 * Every detection that ships has a pair: a play that fires it, and a twin, as like as can be and innocent, that does not. Those
 * of the language are played here, three weeks of ordinary work before each; of the scored ones the table names the test that
 * has theirs. A file without a line here fails. */
#include "stage.h"


#include "detect/detections.h"

static const struct desk away = {"203.0.113.77", "BR", 64499, 2, 140, "Firefox"};
static const struct desk away_same = {"203.0.113.77", "BR", 64499, 3, 146, "Chrome"};

static struct activity at(struct stage *s, const char *who, const struct desk *d, enum action action, double hour)
{
    return stage_act(s, who, d, action, 21, hour);
}

static void act(struct stage *s, const char *who, const struct desk *d, enum action action, double hour)
{
    struct activity a = at(s, who, d, action, hour);
    stage_play(s, &a);
}

/* Steals a file, so that there is an alert for what only joins one. */
static void steal(struct stage *s, const struct desk *d, enum network_class class, unsigned day)
{
    for (unsigned i = 0; i < 2; i++) {
        struct activity a = stage_act(s, "alice", d, i ? ACTION_DOWNLOAD : ACTION_LOGIN, day, 3 + i * 0.1);
        a.source_class = (uint8_t)class;
        if (i)
            stage_names(&a, 3, 1);
        stage_play(s, &a);
    }
}

static void listed_network(struct stage *s, bool is_twin)
{
    steal(s, &away, is_twin ? NETWORK_UNKNOWN : NETWORK_VPN, 21);
}

static void new_client(struct stage *s, bool is_twin)
{
    steal(s, is_twin ? &away_same : &away, NETWORK_UNKNOWN, 21);
}

static void script(struct stage *s, bool is_twin)
{
    static const struct desk python = {"198.51.100.11", "GB", 2856, 0x8002, 3, "python-requests"};
    static const struct desk edge = {"198.51.100.11", "GB", 2856, 4, 146, "Edge"};
    act(s, "alice", is_twin ? &edge : &python, ACTION_VIEW_CASE, 10);
}

static void two_countries(struct stage *s, bool is_twin)
{
    for (unsigned i = 0; i < 4; i++)
        act(s, "alice", i % 2 == 0 || (is_twin && i == 3) ? ALICE : &away_same, ACTION_VIEW_CASE, 10 + 0.05 * i);
}

static void enumeration(struct stage *s, bool is_twin)
{
    for (unsigned i = 0; i < 25; i++) {
        struct activity a = at(s, "alice", ALICE, ACTION_VIEW_CASE, 10 + 0.002 * i);
        stage_names(&a, 1 + i, 0);
        if (i % 5 < (is_twin ? 1 : 2)) {
            a.status = 404;
            a.outcome = OUTCOME_FAILURE;
        }
        stage_play(s, &a);
    }
}

static void take_class(struct stage *s, unsigned day, unsigned file, enum file_class class)
{
    struct activity a = stage_act(s, "alice", ALICE, ACTION_DOWNLOAD, day, 11 + 0.01 * file);
    stage_names(&a, 3, file);
    a.file.file_class = (uint8_t)class;
    stage_play(s, &a);
}

static void sensitive_kind(struct stage *s, bool is_twin)
{
    for (unsigned i = 0; i < 24; i++)
        take_class(s, 21 + i, 1 + i, FILE_CLASS_LOG);
    take_class(s, 46, 30, is_twin ? FILE_CLASS_LOG : FILE_CLASS_HAR);
}

static void wakes(struct stage *s, bool is_twin)
{
    steal(s, &away, NETWORK_UNKNOWN, is_twin ? 80 : 140);
}

static void wakes_elsewhere(struct stage *s, bool is_twin)
{
    steal(s, is_twin ? ALICE : &away, NETWORK_UNKNOWN, 140);
}

static void reconnaissance(struct stage *s, bool is_twin)
{
    stage_robot_act(s, &stage_robot, is_twin ? ACTION_SEARCH : ACTION_API_CALL, "limits", 21, 2, 0);
    stage_robot_act(s, &stage_robot, ACTION_LIST, "objects", 21, 2.5, 0);
    stage_robot_act(s, &stage_robot, ACTION_EXPORT, "export", 22, 2, 0);
}

static void export_deleted(struct stage *s, bool is_twin)
{
    act(s, "alice", ALICE, ACTION_EXPORT, 10);
    act(s, "alice", ALICE, ACTION_JOB_DELETE, is_twin ? 10.3 : 10.1);
}

/* The twin is new: nothing that it does is a change of habit. */
static void first_export(struct stage *s, bool is_twin)
{
    struct activity a = at(s, is_twin ? "zoe" : "alice", ALICE, ACTION_EXPORT, 10);
    activity_set(&a, STR_ROUTE, SPAN("report"));
    stage_play(s, &a);
}

static void link_spreads(struct stage *s, bool is_twin)
{
    for (unsigned i = 0; i < 5; i++) {
        struct desk d = away_same;
        char who[16];
        d.asn += i;
        snprintf(who, sizeof who, "reader%u", i);
        struct activity a = at(s, who, &d, ACTION_DOWNLOAD, 10 + i);
        a.cred_kind = is_twin ? CRED_COOKIE : CRED_LINK; /* the twins have signed in */
        activity_set(&a, STR_APP, SPAN("rt"));
        stage_names(&a, 3, 1);
        stage_play(s, &a);
    }
}

static void nameless(struct stage *s, bool is_twin)
{
    for (unsigned i = 0; i < 10; i++) {
        struct activity a = at(s, "", &away, ACTION_DOWNLOAD, 10 + 0.01 * i);
        stage_names(&a, 3, is_twin ? 1 : 1 + i);
        stage_play(s, &a);
    }
}

static void after_logout(struct stage *s, bool is_twin)
{
    act(s, "alice", ALICE, ACTION_LOGOUT, 10);
    act(s, "alice", ALICE, ACTION_VIEW_CASE, is_twin ? 10.008 : 10.05); /* half a minute, three minutes */
}

static void expired_token(struct stage *s, bool is_twin)
{
    struct activity a = at(s, "alice", ALICE, ACTION_VIEW_CASE, 10);
    activity_set(&a, STR_APP, SPAN("rt"));
    a.flags |= ACT_TOKEN_EXPIRED;
    a.asserted |= ASSERTED_EXPIRY;
    a.token_left_s = is_twin ? -200 : -4000;
    stage_play(s, &a);
}

/* Of 'n' acts 'bad' ones have the flag. */
static void flagged(struct stage *s, enum action action, unsigned n, unsigned bad, uint32_t flag)
{
    for (unsigned i = 0; i < n; i++) {
        struct activity a = at(s, stage_people[i % 6], &stage_offices[i % 6], action, 10 + 0.001 * i);
        activity_set(&a, STR_APP, SPAN("rt"));
        a.flags |= i >= n - bad ? flag : 0;
        stage_play(s, &a);
    }
}

static void bytes_missing(struct stage *s, bool is_twin)
{
    flagged(s, ACTION_VIEW_CASE, 60, is_twin ? 1 : 6, ACT_PARTIAL);
}

static void unknown_routes(struct stage *s, bool is_twin)
{
    flagged(s, ACTION_DOWNLOAD, 30, is_twin ? 3 : 9, ACT_UNKNOWN_ROUTE);
}

static void falls_silent(struct stage *s, bool is_twin)
{
    struct activity a = at(s, "alice", ALICE, ACTION_VIEW_CASE, 10);
    activity_set(&a, STR_APP, SPAN("rt"));
    stage_play(s, &a);
    a = stage_act(s, "alice", ALICE, ACTION_VIEW_CASE, is_twin ? 23 : 25, 10);
    stage_play(s, &a);
}

/* From abroad at ten; at her own desk an hour before, or the evening before. */
static void elsewhere(struct stage *s, bool is_twin)
{
    if (!is_twin)
        stage_login(s, "alice", ALICE, 21, 9);
    for (unsigned i = 0; i < 2; i++) {
        struct activity a = at(s, "alice", &away, i ? ACTION_DOWNLOAD : ACTION_LOGIN, 10 + i * 0.1);
        if (i)
            stage_names(&a, 3, 1);
        stage_play(s, &a);
    }
}

/* One machine with three people's cookies; the twins moved to that office with their own browsers. */
static void fan_in(struct stage *s, bool is_twin)
{
    for (unsigned i = 0; i < 3; i++) {
        struct desk d = is_twin ? stage_offices[i] : away;
        d.ip = away.ip;
        d.asn = away.asn;
        d.country = is_twin ? "GB" : away.country;
        act(s, stage_people[i], &d, ACTION_VIEW_CASE, 10 + i);
    }
}

static void by_the_list(struct stage *s, bool is_twin)
{
    for (unsigned i = 0; i < 5; i++) {
        if (is_twin)
            stage_view(s, "alice", ALICE, 21, 10 + 0.1 * i, 1 + i);
        stage_fetch(s, "alice", ALICE, 21, 10.05 + 0.1 * i, 1 + i, 1);
    }
}

/* Three evenings by three exits; the twin signs in with her own browser at her own hours. */
static void adds_up(struct stage *s, bool is_twin)
{
    for (unsigned i = 0; i < 3; i++) {
        struct desk d = is_twin ? away_same : away;
        char ip[16];
        snprintf(ip, sizeof ip, "203.0.11%u.77", i);
        d.ip = ip;
        d.asn += 1 + i;
        d.country = is_twin ? "GB" : away.country;
        stage_login(s, "alice", &d, 21 + i, is_twin ? 9 : 21);
    }
}

static const struct pair {
    const char *id;
    void (*play)(struct stage *s, bool is_twin);
    const char *elsewhere; /* the file below tests/ that has the pair */
} pairs[] = {
    {"D01", NULL, "unit/detect/test_detectors.c"},
    {"D02", elsewhere, NULL},
    {"D03", listed_network, NULL},
    {"D04", new_client, NULL},
    {"D05", script, NULL},
    {"D06", NULL, NULL}, /* part of D01, D15 and D17: raises nothing by itself */
    {"D07", NULL, "unit/detect/test_detectors.c"},
    {"D08", two_countries, NULL},
    {"D09", NULL, "unit/detect/test_detectors.c"},
    {"D10", NULL, "unit/detect/test_detectors.c"},
    {"D11", NULL, NULL}, /* part of D12 */
    {"D12", NULL, "unit/detect/test_detectors.c"},
    {"D13", enumeration, NULL},
    {"D14", sensitive_kind, NULL},
    {"D15", NULL, "unit/detect/test_detectors.c"},
    {"D16", NULL, "unit/detect/test_detectors.c"},
    {"D17", NULL, "unit/detect/test_detectors.c"},
    {"D18", wakes, NULL},
    {"D18b", wakes_elsewhere, NULL},
    {"D19", fan_in, NULL},
    {"D20", NULL, "unit/detect/test_detectors.c"},
    {"D21", reconnaissance, NULL},
    {"D21b", export_deleted, NULL},
    {"D21c", first_export, NULL},
    {"D22", by_the_list, NULL},
    {"D23", link_spreads, NULL},
    {"D23b", nameless, NULL},
    {"D24", after_logout, NULL},
    {"D24b", expired_token, NULL},
    {"D25", bytes_missing, NULL},
    {"D25b", unknown_routes, NULL},
    {"D25c", falls_silent, NULL},
    {"D26", NULL, "unit/detect/test_detectors.c"},
    {"D27", NULL, "unit/detect/test_remote_control.c"},
    {"D28", NULL, "unit/detect/test_roster_rules.c"},
    {"D29", NULL, "unit/detect/test_roster_rules.c"},
    {"D30", NULL, "integration/test_feedback.py"},
    {"M1", adds_up, NULL},
};

#define N_PAIRS (sizeof pairs / sizeof pairs[0])

/* Whether the rule spoke, alone or in another's alert. */
static bool speaks(const struct stage *s, const char *id)
{
    for (unsigned i = 0; i < s->n; i++) {
        struct span rest = span_text(s->told[i].rules), one;
        while (span_split(&rest, ' ', &one))
            if (span_eq(one, span_text(id)))
                return true;
    }
    return false;
}

static void played(void **state)
{
    (void)state;
    static struct stage s;
    unsigned wrong = 0;
    for (size_t i = 0; i < N_PAIRS; i++)
        for (int is_twin = 0; pairs[i].play && is_twin < 2; is_twin++) {
            stage_open(&s, NULL);
            stage_work(&s, 0, 21);
            assert_false(speaks(&s, pairs[i].id));
            pairs[i].play(&s, is_twin);
            if (speaks(&s, pairs[i].id) == is_twin) {
                print_error("%s: %s\n", pairs[i].id, is_twin ? "the innocent twin fires it" : "it does not fire");
                wrong++;
            }
            stage_close(&s);
        }
    assert_int_equal(wrong, 0);
}

/* Whether the file below tests/ speaks of that id. */
static bool names(const char *file, const char *id)
{
    char path[96], line[4096];
    bool is_found = false;
    snprintf(path, sizeof path, "tests/%s", file);
    FILE *f = fopen(path, "re");
    while (f && !is_found && fgets(line, sizeof line, f))
        is_found = strstr(line, id) != NULL;
    if (f)
        fclose(f);
    return is_found;
}

/* Each file that can raise an alert has its pair here, or in a test that names it. */
static void complete(void **state)
{
    (void)state;
    struct detections *d = NULL;
    struct text why = {0};
    assert_int_equal(detections_load("rules", NULL, &d, &why), 0);
    for (size_t i = 0; i < detections_count(d); i++) {
        const char *id = detections_at(d, i)->rule.id;
        const struct pair *found = NULL;
        for (size_t k = 0; k < N_PAIRS; k++)
            found = strcmp(pairs[k].id, id) == 0 ? &pairs[k] : found;
        if (!found)
            fail_msg("%s has no pair", id);
        bool is_part = strcmp(detections_at(d, i)->type, "contribution") == 0;
        if (!found->play && !is_part && !(found->elsewhere && names(found->elsewhere, id)))
            fail_msg("%s: no test has its pair", id);
    }
    assert_int_equal(detections_count(d), N_PAIRS);
    detections_free(d);
    text_fini(&why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(played), cmocka_unit_test(complete)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
