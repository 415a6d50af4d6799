/* SPDX-License-Identifier: Apache-2.0
 * Each detection both ways: the attack is told, by the right rule, and the innocent thing that looks like it is not. */
#include "stage.h"

#define WEEKS 14 /* days of ordinary work before each play, unless it says otherwise; day 14 is a Monday */

static const struct desk abroad = {"203.0.113.9", "CN", 4134, 3, 146, "Chrome"};
static const struct desk abroad_other = {"203.0.113.9", "CN", 4134, 2, 147, "Firefox"};
static const struct desk vpn = {"192.0.2.9", "GB", 9009, 3, 146, "Chrome"};
static const struct desk same_network = {"198.18.7.9", "GB", 2856, 3, 146, "Chrome"};
static const struct desk office_newer = {"198.51.100.11", "GB", 2856, 3, 147, "Chrome"};
static const struct desk office_other = {"198.51.100.11", "GB", 2856, 2, 147, "Firefox"};
static const struct desk abroad_older = {"203.0.113.9", "CN", 4134, 3, 145, "Chrome"};
static const struct desk robot_abroad = {"203.0.113.9", "CN", 4134, 0x8001, 2, "case-export"};
static const struct desk robot_tool = {"192.0.2.200", "GB", 64500, 11, 8, "curl"};
static const struct desk robot_thief = {"203.0.113.9", "CN", 4134, 11, 8, "curl"};
static const struct desk robot_newer = {"192.0.2.200", "GB", 64500, 0x8001, 3, "case-export"};

/* D01 */
static void night_from_abroad(struct stage *s)
{
    stage_login(s, "alice", &abroad_other, WEEKS, 3);
}
static void day_from_abroad(struct stage *s)
{
    stage_login(s, "alice", &abroad, WEEKS, 9.5);
    stage_view(s, "alice", &abroad, WEEKS, 9.6, 3);
}

/* D07 */
static void cookie_elsewhere(struct stage *s)
{
    stage_login(s, "alice", ALICE, WEEKS, 9);
    stage_view(s, "alice", ALICE, WEEKS, 9.1, 3);
    stage_view(s, "alice", &abroad_other, WEEKS, 9.4, 4);
}
static void cookie_downgraded(struct stage *s)
{
    stage_view(s, "alice", ALICE, WEEKS, 9.1, 3);
    stage_view(s, "alice", &abroad_older, WEEKS, 9.4, 4);
}
static void cookie_goes_home(struct stage *s)
{
    stage_view(s, "alice", ALICE, WEEKS, 9.1, 3);
    stage_view(s, "alice", &vpn, WEEKS, 9.4, 4);
    stage_view(s, "alice", ALICE, WEEKS, 9.5, 4);
}
static void browser_updates(struct stage *s)
{
    stage_view(s, "alice", ALICE, WEEKS, 9.1, 3);
    stage_view(s, "alice", &office_newer, WEEKS, 9.4, 4);
    stage_view(s, "alice", &office_newer, WEEKS, 9.5, 4);
}
static void second_browser(struct stage *s) /* one dimension alone, another session */
{
    stage_view(s, "alice", ALICE, WEEKS, 9.1, 3);
    struct activity a = stage_act(s, "alice", &office_other, ACTION_VIEW_CASE, WEEKS, 9.4);
    hash128(SPAN("another"), 0, a.session);
    stage_play(s, &a);
}

/* D09, D10, D12 */
static void burst(struct stage *s)
{
    for (unsigned i = 0; i < 30; i++)
        stage_fetch(s, "alice", ALICE, WEEKS, 9 + i * 0.0015, 1 + i / 3, 1 + i % 3);
}
static void one_file_again_and_again(struct stage *s)
{
    for (unsigned i = 0; i < 60; i++)
        stage_fetch(s, "alice", ALICE, WEEKS, 9 + i * 0.0015, 5, 1);
}
static void many_files(struct stage *s)
{
    for (unsigned i = 0; i < 24; i++)
        stage_fetch(s, "alice", ALICE, WEEKS, 9 + i * 0.1, 1 + i / 3, 1 + i % 3);
}
static void one_big_case(struct stage *s)
{
    for (unsigned i = 0; i < 24; i++)
        stage_fetch(s, "alice", ALICE, WEEKS, 9 + i * 0.1, 5, 1 + i);
}
static void big_bytes(struct stage *s)
{
    struct activity a = stage_act(s, "alice", ALICE, ACTION_DOWNLOAD, WEEKS, 9);
    stage_names(&a, 5, 1);
    a.body_bytes = 40000000000u;
    stage_play(s, &a);
}
static void not_modified(struct stage *s)
{
    for (unsigned i = 0; i < 60; i++) {
        struct activity a = stage_act(s, "alice", ALICE, ACTION_DOWNLOAD, WEEKS, 9 + i * 0.0015);
        stage_names(&a, 1 + i, 1);
        a.flags |= ACT_NOT_MODIFIED;
        activity_set(&a, STR_CASE, SPAN("5"));
        stage_play(s, &a);
    }
}
static void reads_every_case(struct stage *s)
{
    for (unsigned i = 0; i < 20; i++)
        stage_view(s, "alice", ALICE, WEEKS, 9 + i * 0.1, 1 + i);
}
static void reads_a_few_cases(struct stage *s)
{
    for (unsigned i = 0; i < 6; i++)
        stage_view(s, "alice", ALICE, WEEKS, 9 + i * 0.1, 1 + i);
}
static void a_few_more_each_day(struct stage *s)
{
    for (unsigned day = WEEKS; day < WEEKS + 12; day++) {
        stage_work(s, day, day + 1);
        for (unsigned i = 0; i < 5 && day % 7 < 5; i++)
            stage_view(s, "alice", ALICE, day, 15 + i * 0.1, 1 + (day * 11 + i * 3) % 40);
    }
}
static void strangers_each_day(struct stage *s)
{
    for (unsigned day = WEEKS; day < WEEKS + 4; day++)
        for (unsigned i = 0; i < 12; i++) {
            char name[32];
            struct activity a = stage_act(s, "alice", ALICE, ACTION_VIEW_CASE, day, 9 + i * 0.1);
            stage_names(&a, 1 + i, 0);
            snprintf(name, sizeof name, "Stranger %u", day * 20 + i);
            activity_set(&a, STR_CUSTOMER, span_text(name));
            stage_play(s, &a);
        }
}

/* D15 */
static void fetch_from_vpn(struct stage *s)
{
    stage_login(s, "alice", &vpn, WEEKS, 22);
    stage_fetch(s, "alice", &vpn, WEEKS, 22.1, 3, 1);
}
static void fetch_from_own_network(struct stage *s)
{
    stage_login(s, "alice", &same_network, WEEKS, 9);
    stage_fetch(s, "alice", &same_network, WEEKS, 9.1, 3, 1);
}
static void fetch_from_listed_own(struct stage *s)
{
    struct activity a = stage_act(s, "alice", &vpn, ACTION_DOWNLOAD, WEEKS, 22.1);
    stage_names(&a, 3, 1);
    a.source_class = NETWORK_OWN;
    stage_play(s, &a);
}
static void fetch_from_listed_tor(struct stage *s)
{
    struct activity a = stage_act(s, "alice", &same_network, ACTION_DOWNLOAD, WEEKS, 9.1);
    stage_names(&a, 3, 1);
    a.source_class = NETWORK_TOR;
    stage_play(s, &a);
}
static void fetch_with_new_browser(struct stage *s)
{
    stage_login(s, "alice", &office_other, WEEKS, 9);
    stage_fetch(s, "alice", &office_other, WEEKS, 9.1, 3, 1);
}
static void fetch_on_another_system(struct stage *s)
{
    struct activity a = stage_act(s, "alice", &same_network, ACTION_DOWNLOAD, WEEKS, 9.1);
    stage_names(&a, 3, 1);
    activity_set(&a, STR_AGENT, SPAN("Chrome on another system 146"));
    stage_play(s, &a);
}
static void another_system_in_the_office(struct stage *s)
{
    struct activity a = stage_act(s, "alice", ALICE, ACTION_DOWNLOAD, WEEKS, 9.1);
    stage_names(&a, 3, 1);
    activity_set(&a, STR_AGENT, SPAN("Chrome on another system 146"));
    stage_play(s, &a);
}
static void password_then_fetch(struct stage *s)
{
    stage_login(s, "alice", &vpn, WEEKS, 9);
    struct activity a = stage_act(s, "alice", &vpn, ACTION_PASSWORD_CHANGE, WEEKS, 9.05);
    stage_play(s, &a);
    stage_fetch(s, "alice", &vpn, WEEKS, 9.1, 3, 1);
}
static void newcomer_in_office(struct stage *s)
{
    for (unsigned i = 0; i < 4; i++) {
        stage_view(s, "newman", &stage_offices[2], WEEKS, 9 + i * 0.1, 1 + i);
        stage_fetch(s, "newman", &stage_offices[2], WEEKS, 9.05 + i * 0.1, 1 + i, 1);
    }
}
static void newcomer_elsewhere(struct stage *s)
{
    for (unsigned i = 0; i < 4; i++)
        stage_fetch(s, "newman", &abroad, WEEKS, 9 + i * 0.1, 1 + i, 1);
}
static void customer_with_one_case(struct stage *s)
{
    for (unsigned i = 0; i < 4; i++)
        stage_fetch(s, "a.customer@example", &abroad, WEEKS, 9 + i * 0.1, 9, 1 + i);
}
static void session_without_name(struct stage *s)
{
    for (unsigned i = 0; i < 4; i++)
        stage_fetch(s, "session:00112233", &abroad, WEEKS, 9 + i * 0.1, 1 + i, 1);
}

/* while the fleet learns */
static void taken_over_on_day_two(struct stage *s)
{
    stage_login(s, "alice", &abroad_other, 2, 9);
    struct activity a = stage_act(s, "alice", &abroad_other, ACTION_PASSWORD_CHANGE, 2, 9.05);
    stage_play(s, &a);
    stage_fetch(s, "alice", &abroad_other, 2, 9.1, 3, 1);
}
static void travels_on_day_two(struct stage *s)
{
    stage_login(s, "alice", &abroad, 2, 9);
    stage_fetch(s, "alice", &abroad, 2, 9.1, 3, 1);
}
static void begins_on_day_two(struct stage *s)
{
    for (unsigned i = 0; i < 5; i++)
        stage_fetch(s, "newman", &abroad_other, 2, 9.1, 3 + i, 1);
}

/* D16, D17 */
static void stuffing(struct stage *s)
{
    char name[16];
    for (unsigned i = 0; i < 30; i++) {
        snprintf(name, sizeof name, "user%u", i % 15);
        stage_fail(s, name, &abroad, WEEKS, 4 + i * 0.003);
    }
}
static void broken_client(struct stage *s)
{
    for (unsigned i = 0; i < 60; i++)
        stage_fail(s, "alice", ALICE, WEEKS, 9 + i * 0.001);
}
static void monday_morning_proxy(struct stage *s)
{
    char name[16];
    for (unsigned i = 0; i < 120; i++) {
        snprintf(name, sizeof name, "staff%u", i);
        if (i % 6 == 0)
            stage_fail(s, name, ALICE, WEEKS, 9 + i * 0.0005);
        stage_login(s, name, ALICE, WEEKS, 9.0001 + i * 0.0005);
    }
}
static void guessed(struct stage *s)
{
    for (unsigned i = 0; i < 6; i++)
        stage_fail(s, "alice", &abroad, WEEKS, 9 + i * 0.005);
    stage_login(s, "alice", &abroad, WEEKS, 9.1);
}
static void guessed_from_many_places(struct stage *s)
{
    for (unsigned i = 0; i < 8; i++) {
        char ip[32];
        struct desk d = abroad;
        snprintf(ip, sizeof ip, "203.0.%u.7", i);
        d.ip = ip;
        stage_fail(s, "alice", &d, WEEKS, 9 + i * 0.005);
    }
    stage_login(s, "alice", &abroad, WEEKS, 9.1);
}
static void forgot_password(struct stage *s)
{
    for (unsigned i = 0; i < 8; i++)
        stage_fail(s, "alice", ALICE, WEEKS, 9 + i * 0.005);
    stage_login(s, "alice", ALICE, WEEKS, 9.1);
}
static void typed_wrong_abroad(struct stage *s)
{
    for (unsigned i = 0; i < 3; i++)
        stage_fail(s, "alice", &abroad, WEEKS, 9 + i * 0.005);
    stage_login(s, "alice", &abroad, WEEKS, 9.1);
}
static void failures_long_ago(struct stage *s)
{
    for (unsigned i = 0; i < 8; i++)
        stage_fail(s, "alice", &abroad, WEEKS, 9 + i * 0.005);
    stage_login(s, "alice", &abroad, WEEKS, 13.5);
}
static void stuffed_while_learning(struct stage *s)
{
    static const char *const names[] = {"alice", "bela", "chen", "dara"};
    for (unsigned i = 0; i < 8; i++)
        stage_fail(s, names[i % 4], &abroad, 1, 4 + i * 0.005);
    stage_login(s, "alice", &abroad, 1, 4.1);
}

/* D20 */
static void robot_moves(struct stage *s)
{
    stage_robot_act(s, &robot_abroad, ACTION_API_CALL, "rest2-search", WEEKS, 3, 0);
}
static void robot_other_tool(struct stage *s)
{
    stage_robot_act(s, &robot_tool, ACTION_API_CALL, "rest2-search", WEEKS, 3, 0);
}
static void robot_updates(struct stage *s)
{
    stage_robot_act(s, &robot_newer, ACTION_SEARCH, "rest2-search", WEEKS, 2, 0);
    stage_robot_act(s, &robot_newer, ACTION_DOWNLOAD, "rest2-attachment", WEEKS, 2.01, 4);
}
static void robot_new_route(struct stage *s)
{
    stage_robot_act(s, &stage_robot, ACTION_SEARCH, "rest2-users", WEEKS, 2, 0);
}
static void robot_other_hour(struct stage *s)
{
    stage_robot_act(s, &stage_robot, ACTION_SEARCH, "rest2-search", WEEKS, 15, 0);
    stage_robot_act(s, &stage_robot, ACTION_DOWNLOAD, "rest2-attachment", WEEKS, 15.01, 4);
}
static void robot_stolen_on_day_two(struct stage *s)
{
    stage_robot_act(s, &robot_thief, ACTION_API_CALL, "rest2-search", 1, 3, 0);
}
static void robot_moves_on_day_two(struct stage *s)
{
    stage_robot_act(s, &robot_abroad, ACTION_API_CALL, "rest2-search", 1, 3, 0);
}

/* D26 */
static void upload(struct stage *s, enum file_class c, uint16_t cookies, uint16_t passwords, uint16_t expired, bool is_failed)
{
    struct activity a = stage_act(s, "alice", ALICE, ACTION_UPLOAD, WEEKS, 9);
    stage_names(&a, 3, 1);
    a.file = (struct file_facts){.type = FILE_HAR, .file_class = (uint8_t)c, .is_scanned = true, .expired = expired};
    a.file.secrets[SECRET_COOKIE] = cookies;
    a.file.secrets[SECRET_PASSWORD] = passwords;
    if (is_failed)
        a.outcome = OUTCOME_FAILURE;
    stage_play(s, &a);
}
static void har_with_live_tokens(struct stage *s)
{
    upload(s, FILE_CLASS_HAR, 2, 0, 1, false);
}
static void har_of_last_year(struct stage *s)
{
    upload(s, FILE_CLASS_HAR, 2, 0, 2, false);
}
static void sanitized_har(struct stage *s)
{
    upload(s, FILE_CLASS_HAR, 0, 0, 0, false);
}
static void har_refused(struct stage *s)
{
    upload(s, FILE_CLASS_HAR, 2, 0, 0, true);
}
static void log_with_many_tokens(struct stage *s)
{
    upload(s, FILE_CLASS_LOG, 3, 0, 0, false);
}
static void log_with_a_token(struct stage *s)
{
    upload(s, FILE_CLASS_LOG, 1, 5, 0, false);
}
static void fetches_har_with_tokens(struct stage *s) /* reading is the other rules' matter */
{
    struct activity a = stage_act(s, "alice", ALICE, ACTION_DOWNLOAD, WEEKS, 9);
    stage_names(&a, 3, 1);
    a.file = (struct file_facts){.type = FILE_HAR, .file_class = FILE_CLASS_HAR, .is_scanned = true};
    a.file.secrets[SECRET_COOKIE] = 5;
    stage_play(s, &a);
}

/* From a new country with the usual browser; the owner was at work an hour before, or is gone from there. */
static void abroad_by_day(struct stage *s)
{
    static const struct desk hotel = {"175.16.199.22", "CN", 4837, 3, 146, "Chrome"};
    stage_login(s, "alice", &hotel, WEEKS, 10);
    stage_fetch(s, "alice", &hotel, WEEKS, 10.1, 3, 1);
}

static void abroad_while_at_work(struct stage *s)
{
    stage_login(s, "alice", ALICE, WEEKS, 9);
    abroad_by_day(s);
}

static const struct play {
    const char *name;
    void (*act)(struct stage *s);
    unsigned days;    /* of ordinary work before; 0 = WEEKS */
    const char *rule; /* that must speak; NULL = silence */
    const char *user;
} plays[] = {
    {"D01 night from abroad", night_from_abroad, 0, "D01", "alice"},
    {"D01 day from abroad, nothing fetched", day_from_abroad, 0, NULL, NULL},
    {"D07 cookie elsewhere with another browser", cookie_elsewhere, 0, "D07", "alice"},
    {"D07 without any baseline", cookie_elsewhere, 1, "D07", "alice"},
    {"D07 the same browser, older", cookie_downgraded, 0, "D07", "alice"},
    {"D07 cookie goes home", cookie_goes_home, 0, NULL, NULL},
    {"D07 browser updates", browser_updates, 0, NULL, NULL},
    {"D07 second browser", second_browser, 0, NULL, NULL},
    {"D10 burst of cases not looked at", burst, 0, "D10", "alice"},
    {"D09 burst without any baseline", burst, 1, "D09", "alice"},
    {"D09 one file again and again", one_file_again_and_again, 0, NULL, NULL},
    {"D09 not modified", not_modified, 0, NULL, NULL},
    {"D10 many files", many_files, 0, "D10", "alice"},
    {"D10 one big case", one_big_case, 0, NULL, NULL},
    {"D10 bytes", big_bytes, 0, "D10", "alice"},
    {"D12 reads every case", reads_every_case, 0, "D12", "alice"},
    {"D12 reads a few cases", reads_a_few_cases, 0, NULL, NULL},
    {"D12 a few more each day", a_few_more_each_day, 0, "D12", "alice"},
    {"D12 strangers each day", strangers_each_day, 0, "D12", "alice"},
    {"D15 fetch from a new network", fetch_from_vpn, 0, "D15", "alice"},
    {"D15 fetch from a new prefix of the usual network", fetch_from_own_network, 0, NULL, NULL},
    {"D15 fetch from a listed own network", fetch_from_listed_own, 0, NULL, NULL},
    {"D15 abroad while the owner is at work", abroad_while_at_work, 0, "D15", "alice"},
    {"D15 abroad, gone from work", abroad_by_day, 0, NULL, NULL},
    {"D15 fetch through Tor", fetch_from_listed_tor, 0, "D15", "alice"},
    {"D15 new browser at the usual place", fetch_with_new_browser, 0, NULL, NULL},
    {"D15 new prefix and another system", fetch_on_another_system, 0, NULL, NULL},
    {"D15 another system at the usual place", another_system_in_the_office, 0, NULL, NULL},
    {"D15 password changed first", password_then_fetch, 0, "D15", "alice"},
    {"D15 newcomer in the office", newcomer_in_office, 0, NULL, NULL},
    {"D15 newcomer elsewhere", newcomer_elsewhere, 0, "D15", "newman"},
    {"D15 customer with one case", customer_with_one_case, 0, NULL, NULL},
    {"D15 session without a name", session_without_name, 0, "D15", "session:00112233"},
    {"D15 taken over while learning", taken_over_on_day_two, 2, "D15", "alice"},
    {"D15 travels while learning", travels_on_day_two, 2, NULL, NULL},
    {"D15 begins while learning", begins_on_day_two, 2, NULL, NULL},
    {"D16 stuffing", stuffing, 0, "D16", ""},
    {"D16 stuffing without any baseline", stuffing, 1, "D16", ""},
    {"D16 broken client", broken_client, 0, NULL, NULL},
    {"D16 Monday morning behind one proxy", monday_morning_proxy, 0, NULL, NULL},
    {"D17 guessed", guessed, 0, "D17", "alice"},
    {"D17 guessed from many places", guessed_from_many_places, 0, "D17", "alice"},
    {"D17 forgot the password", forgot_password, 0, NULL, NULL},
    {"D17 typed wrong abroad", typed_wrong_abroad, 0, NULL, NULL},
    {"D17 failures long ago", failures_long_ago, 0, NULL, NULL},
    {"D17 stuffed while learning", stuffed_while_learning, 1, "D17", "alice"},
    {"D20 token from elsewhere", robot_moves, 0, "D20", "svc-export"},
    {"D20 token in another program", robot_other_tool, 0, "D20", "svc-export"},
    {"D20 program updates", robot_updates, 0, NULL, NULL},
    {"D20 one new route", robot_new_route, 0, NULL, NULL},
    {"D20 another hour", robot_other_hour, 0, NULL, NULL},
    {"D20 stolen while learning", robot_stolen_on_day_two, 1, "D20", "svc-export"},
    {"D20 moves while learning", robot_moves_on_day_two, 1, NULL, NULL},
    {"D26 HAR with live tokens", har_with_live_tokens, 0, "D26", "alice"},
    {"D26 without any baseline", har_with_live_tokens, 1, "D26", "alice"},
    {"D26 HAR whose tokens have expired", har_of_last_year, 0, NULL, NULL},
    {"D26 sanitized HAR", sanitized_har, 0, NULL, NULL},
    {"D26 upload refused", har_refused, 0, NULL, NULL},
    {"D26 log with many tokens", log_with_many_tokens, 0, "D26", "alice"},
    {"D26 log with one token and test passwords", log_with_a_token, 0, NULL, NULL},
    {"D26 a download is no upload", fetches_har_with_tokens, 0, NULL, NULL},
};

static void each_play(void **state)
{
    (void)state;
    unsigned failed = 0;
    for (size_t i = 0; i < sizeof plays / sizeof plays[0]; i++) {
        const struct play *p = &plays[i];
        static struct stage s;
        stage_open(&s, NULL);
        stage_work(&s, 0, p->days ? p->days : WEEKS);
        if (s.n)
            fail_msg("%s: ordinary work was told as %s", p->name, s.told[0].rule);
        p->act(&s);
        bool is_right = p->rule ? stage_count(&s, p->rule, p->user) > 0 : s.n == 0;
        if (!is_right) {
            print_error("%s: told %s of '%s' (%s)\n", p->name, s.n ? s.told[0].rule : "nothing",
                        s.n ? s.told[0].user : "", s.n ? s.told[0].fields : "");
            failed++;
        }
        stage_close(&s);
    }
    assert_int_equal(failed, 0);
}

/* What ships, and a last line. */
static void switch_off(const char *name, const char *path)
{
    char from[128], content[8192];
    snprintf(from, sizeof from, "rules/detections/%s.yaml", name);
    FILE *in = fopen(from, "r"), *out = fopen(path, "w");
    if (!in || !out)
        fail_msg("%s", from);
    size_t size = fread(content, 1, sizeof content, in);
    assert_true(size > 0 && size < sizeof content);
    assert_int_equal(fwrite(content, 1, size, out), size);
    fputs("enabled: false\n", out);
    fclose(in);
    fclose(out);
}

/* Every detection can be switched off, and then nothing takes its place for its own plain attack. */
static void switched_off(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        void (*act)(struct stage *s);
        const char *rule;
    } cases[] = {
        {"session-from-new-location", night_from_abroad, "D01"},
        {"session-token-second-context", cookie_elsewhere, "D07"},
        {"download-burst", burst, "D09"},
        {"unusual-daily-volume", many_files, "D10"},
        {"breadth-of-customers", reads_every_case, "D12"},
        {"download-after-new-location", fetch_from_vpn, "D15"},
        {"credential-stuffing", stuffing, "D16"},
        {"success-after-failures", guessed, "D17"},
        {"machine-token-off-track", robot_moves, "D20"},
        {"live-secrets-uploaded", har_with_live_tokens, "D26"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        static struct stage s;
        char dir[] = "/tmp/casetap-own-XXXXXX", path[128];
        assert_non_null(mkdtemp(dir));
        snprintf(path, sizeof path, "%s/off.yaml", dir);
        switch_off(cases[i].file, path);
        stage_open(&s, dir);
        remove(path);
        remove(dir);
        stage_work(&s, 0, WEEKS);
        cases[i].act(&s);
        if (stage_count(&s, cases[i].rule, NULL) != 0)
            fail_msg("%s speaks though it is off", cases[i].rule);
        stage_close(&s);
    }
}

/* A notice is told once a file, at low severity, and changes nothing of what is learned or told otherwise. */
static void notice(void **state)
{
    (void)state;
    static struct stage s;
    stage_open(&s, NULL);
    stage_work(&s, 0, WEEKS);
    har_with_live_tokens(&s);
    har_with_live_tokens(&s);
    assert_int_equal(s.n, 1);
    assert_true(s.told[0].risk < 40);
    assert_non_null(strstr(s.told[0].fields, "casetap.file.secrets"));
    stage_login(&s, "alice", &vpn, WEEKS, 22);
    stage_fetch(&s, "alice", &vpn, WEEKS, 22.1, 3, 1);
    assert_true(stage_count(&s, "D15", "alice") > 0);
    stage_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_play),
        cmocka_unit_test(switched_off),
        cmocka_unit_test(notice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
