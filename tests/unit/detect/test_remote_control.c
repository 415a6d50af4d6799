/* SPDX-License-Identifier: Apache-2.0
 * A workstation worked from afar while its person has a session with the desk; and all that looks like it and is none. */
#include "stage.h"

#define WEEKS 14

/* The tap sees the flow when it begins (and, with its bytes, when it ends). */
static void connect_to(struct stage *s, const char *from, const char *to, const char *protocol, const char *name, bool is_end,
                       unsigned day, double hour)
{
    struct activity a;
    activity_init(&a);
    a.time_ns = stage_time(day, hour);
    a.done_ns = a.time_ns + NS_PER_MS;
    a.number = ++s->number;
    a.action = ACTION_CONNECTION;
    a.flags = is_end ? ACT_HAS_BODY : 0;
    assert_true(ipaddr_parse(span_text(from), &a.source));
    assert_true(ipaddr_parse(span_text(to), &a.server.ip));
    activity_set(&a, STR_PROTOCOL, span_text(protocol));
    activity_set(&a, STR_SNI, span_text(name));
    stage_play(s, &a);
}

#define DESK_OF_ALICE "198.51.100.11"
#define STRANGER "198.51.100.99"

static void begin(struct stage *s)
{
    stage_open(s, NULL);
    stage_work(s, 0, WEEKS);
}

static void works(struct stage *s, double hour)
{
    stage_login(s, "alice", ALICE, WEEKS, hour);
    stage_view(s, "alice", ALICE, WEEKS, hour + 0.1, 3);
}

static void into_a_session(void **state)
{
    (void)state;
    static struct stage s;
    begin(&s);
    works(&s, 9);
    connect_to(&s, STRANGER, DESK_OF_ALICE, "RDP", "", false, WEEKS, 9.3);
    assert_int_equal(stage_alerts(&s), 1); /* when it begins, not at the next act */
    assert_string_equal(s.told[0].rule, "D27");
    assert_string_equal(s.told[0].user, "alice");
    assert_true(s.told[0].time_ns == stage_time(WEEKS, 9.3));
    stage_view(&s, "alice", ALICE, WEEKS, 9.4, 5);
    stage_fetch(&s, "alice", ALICE, WEEKS, 9.5, 5, 1);
    assert_int_equal(stage_alerts(&s), 1); /* the same story */
    assert_true(s.told[s.n - 1].cases > 0);
    stage_close(&s);
}

static void before_a_session(void **state)
{
    (void)state;
    static struct stage s;
    begin(&s);
    connect_to(&s, STRANGER, DESK_OF_ALICE, "VNC", "", false, WEEKS, 8.5);
    assert_int_equal(stage_alerts(&s), 0); /* nobody is at work there */
    works(&s, 9);
    assert_int_equal(stage_count(&s, "D27", "alice"), 1 + (s.told[s.n - 1].update > 0));
    assert_int_equal(stage_alerts(&s), 1);
    stage_close(&s);
}

static void through_a_relay(void **state)
{
    (void)state;
    static struct stage s;
    static const char *const rows[][2] = {{"TLS.AnyDesk", ""},
                                          {"TeamViewer", ""},
                                          {"TLS", "instance-x.screenconnect.com"},
                                          {"TLS.Google", "remotedesktop-pa.googleapis.com"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        begin(&s);
        works(&s, 9);
        connect_to(&s, DESK_OF_ALICE, "192.0.2.77", rows[i][0], rows[i][1], false, WEEKS, 9.3);
        assert_int_equal(stage_count(&s, "D27", "alice"), 1);
        stage_close(&s);
    }
}

/* Every row is no alert. */
static void innocent_twins(void **state)
{
    (void)state;
    static struct stage s;
    static const struct {
        const char *from, *to, *protocol, *name;
        double hour;
    } rows[] = {
        {DESK_OF_ALICE, STRANGER, "RDP", "", 9.3},             /* she works another computer */
        {STRANGER, "198.51.100.200", "RDP", "", 9.3},          /* into a computer nobody is at */
        {STRANGER, DESK_OF_ALICE, "SSH", "", 9.3},             /* no screen */
        {DESK_OF_ALICE, "192.0.2.77", "TLS", "www.notteamviewer.com.example", 9.3},
        {DESK_OF_ALICE, "192.0.2.77", "TLS", "notscreenconnect.com", 9.3},
        {STRANGER, DESK_OF_ALICE, "RDP", "", 12},              /* long after her last act */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        begin(&s);
        works(&s, 9);
        connect_to(&s, rows[i].from, rows[i].to, rows[i].protocol, rows[i].name, false, WEEKS, rows[i].hour);
        assert_int_equal(stage_alerts(&s), 0);
        stage_close(&s);
    }
}

static void ended_before(void **state)
{
    (void)state;
    static struct stage s;
    begin(&s);
    connect_to(&s, STRANGER, DESK_OF_ALICE, "RDP", "", false, WEEKS, 8);
    connect_to(&s, STRANGER, DESK_OF_ALICE, "RDP", "", true, WEEKS, 8.2);
    works(&s, 9);
    assert_int_equal(stage_alerts(&s), 0);
    stage_close(&s);
}

/* A support session each day from the same host is learned while the fleet is; the same hour from another host is not. */
static void usual_host(void **state)
{
    (void)state;
    static struct stage s;
    static const char *const hosts[] = {"198.51.100.50", STRANGER};
    for (size_t i = 0; i < 2; i++) {
        stage_open(&s, NULL);
        for (unsigned day = 0; day < WEEKS; day++) {
            stage_work(&s, day, day + 1);
            if (day % 7 < 5)
                connect_to(&s, hosts[0], DESK_OF_ALICE, "RDP", "", false, day, 11.5);
        }
        works(&s, 9);
        connect_to(&s, hosts[i], DESK_OF_ALICE, "RDP", "", false, WEEKS, 9.3);
        assert_int_equal(stage_count(&s, "D27", "alice"), i);
        stage_close(&s);
    }
}

/* Who administers several computers comes to one more. */
static void administrator(void **state)
{
    (void)state;
    static struct stage s;
    begin(&s);
    stage_close(&s);
    stage_open(&s, NULL);
    for (unsigned day = 0; day < WEEKS; day++) {
        char ip[32];
        for (unsigned p = 1; p < 5; p++) {
            snprintf(ip, sizeof ip, "198.51.100.1%u", p + 1);
            connect_to(&s, STRANGER, ip, "RDP", "", false, day, 7);
            connect_to(&s, STRANGER, ip, "RDP", "", true, day, 7.1);
        }
        stage_work(&s, day, day + 1);
    }
    works(&s, 9);
    connect_to(&s, STRANGER, DESK_OF_ALICE, "RDP", "", false, WEEKS, 9.3);
    assert_int_equal(stage_alerts(&s), 0);
    stage_close(&s);
}

/* An address with many credentials is a proxy's, not a computer's. */
static void proxy(void **state)
{
    (void)state;
    static struct stage s;
    static const struct desk shared = {"198.51.100.1", "GB", 2856, 3, 146, "Chrome"};
    begin(&s);
    for (unsigned p = 0; p < STAGE_PEOPLE; p++)
        stage_login(&s, stage_people[p], &shared, WEEKS, 9 + p * 0.01);
    connect_to(&s, STRANGER, "198.51.100.1", "RDP", "", false, WEEKS, 9.3);
    assert_int_equal(stage_count(&s, "D27", NULL), 0);
    stage_close(&s);
}

/* A thief who comes again each evening does not become usual by that. */
static void daily_thief(void **state)
{
    (void)state;
    static struct stage s;
    begin(&s);
    for (unsigned day = WEEKS; day < WEEKS + 5; day++) {
        stage_login(&s, "alice", ALICE, day, 9);
        connect_to(&s, STRANGER, DESK_OF_ALICE, "RDP", "", false, day, 9.3);
        connect_to(&s, STRANGER, DESK_OF_ALICE, "RDP", "", true, day, 9.8);
        stage_view(&s, "alice", ALICE, day, 9.9, day % 40 + 1);
    }
    assert_int_equal(stage_alerts(&s), 1); /* one story */
    for (unsigned day = WEEKS + 12; day < WEEKS + 14; day++) {
        stage_login(&s, "alice", ALICE, day, 9);
        connect_to(&s, STRANGER, DESK_OF_ALICE, "RDP", "", false, day, 9.3);
    }
    assert_int_equal(stage_alerts(&s), 2); /* after a week's silence a new one: it is still unusual */
    stage_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(into_a_session), cmocka_unit_test(before_a_session), cmocka_unit_test(through_a_relay),
        cmocka_unit_test(innocent_twins), cmocka_unit_test(ended_before),     cmocka_unit_test(usual_host),
        cmocka_unit_test(administrator),  cmocka_unit_test(proxy),            cmocka_unit_test(daily_thief),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
