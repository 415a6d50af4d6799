/* SPDX-License-Identifier: Apache-2.0
 * Alerts: reasons and related names, the JSON line, the paragraph on a terminal. */
#include "record/alert.h"
#include "record/alert_words.h"
#include "record/attack.h"
#include "record/utf8.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka wants those above first */
#include <cmocka.h>

#include "support/sample_alert.h"

static const struct rule rule = {
    .id = "D15",
    .name = "Download after new location or client",
    .action = "download-after-new-location",
    .category = "context",
    .description = "A file was fetched soon after a session began from where the credential never was.",
    .first_step = "End the session and ask the person by telephone; keep the list of customers.",
    .tactics = {"TA0009", "TA0001"},
    .techniques = {"T1213.004", "T1213", "T1078"},
};

static struct alert *theft(void)
{
    struct alert *a = test_calloc(1, sizeof *a);
    sample_alert_fill(a, &rule);
    a->n_customers = 3;
    a->n_cases = 5;
    memset(a->last.session, 7, sizeof a->last.session);
    sample_set(&a->last, STR_USER, "julia");
    sample_set(&a->last, STR_CLIENT, "python-requests 2");
    sample_set(&a->last, STR_AS_ORG, "Example Hosting");
    sample_set(&a->last, STR_HOST, "support.example.test");
    sample_set(&a->last, STR_FILE, "core.gz");
    sample_set(&a->last, STR_CASE, "4711");
    sample_set(&a->last, STR_CUSTOMER, "Globex");
    alert_why(a, "source.geo.country_iso_code", "BT", "SE (41 of 41 sessions)", 12.4);
    alert_why(a, "casetap.client.name", "python-requests 2", "Firefox 147", 8);
    alert_relate_customer(a, SPAN("Globex"));
    alert_relate_customer(a, SPAN("Initech"));
    alert_relate_customer(a, SPAN("Globex"));
    return a;
}

static void json_line(void **state)
{
    (void)state;
    struct alert *a = theft();
    struct text out = {0};
    alert_json(a, &out);
    assert_string_equal(
        text_str(&out),
        "{\"@timestamp\":\"2026-03-20T03:12:14.000000000Z\",\"ecs\":{\"version\":\"9.4.0\"},"
        "\"message\":\"Download after new location or client: julia from 203.0.113.7 (BT, AS64500 Example Hosting, "
        "hosting network), 41 files of 3 customers in 5 cases, 2.3 GB\","
        "\"event\":{\"kind\":\"alert\",\"category\":[\"intrusion_detection\"],\"type\":[\"info\"],"
        "\"action\":\"download-after-new-location\",\"outcome\":\"success\","
        "\"id\":\"5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a\",\"code\":\"D15\",\"module\":\"casetap\","
        "\"dataset\":\"casetap.alert\",\"provider\":\"sensor\",\"severity\":99,\"risk_score\":91,"
        "\"start\":\"2026-03-20T03:12:00.000000000Z\",\"end\":\"2026-03-20T03:12:14.000000000Z\","
        "\"duration\":14000000000,\"reason\":\"country BT, usual: SE (41 of 41 sessions), +12.4 bits; "
        "client python-requests 2, usual: Firefox 147, +8.0 bits\"},"
        "\"rule\":{\"id\":\"D15\",\"name\":\"Download after new location or client\",\"category\":\"context\","
        "\"description\":\"A file was fetched soon after a session began from where the credential never was.\","
        "\"ruleset\":\"casetap\",\"version\":\"1\",\"author\":[\"casetap\"]},"
        "\"threat\":{\"framework\":\"MITRE ATT&CK\",\"tactic\":{\"id\":[\"TA0009\",\"TA0001\"],"
        "\"name\":[\"Collection\",\"Initial Access\"]},\"technique\":{\"id\":[\"T1213\",\"T1078\"],"
        "\"name\":[\"Data from Information Repositories\",\"Valid Accounts\"],\"subtechnique\":{\"id\":[\"T1213.004\"],"
        "\"name\":[\"Customer Relationship Management Software\"]}}},\"user\":{\"name\":\"julia\"},"
        "\"source\":{\"ip\":\"203.0.113.7\",\"geo\":{\"country_iso_code\":\"BT\"},\"as\":{\"number\":64500,"
        "\"organization\":{\"name\":\"Example Hosting\"}}},\"destination\":{\"ip\":\"10.0.0.5\",\"port\":8080},"
        "\"url\":{\"domain\":\"support.example.test\"},"
        "\"file\":{\"name\":\"core.gz\",\"extension\":\"gz\",\"size\":73400320},"
        "\"related\":{\"ip\":[\"203.0.113.7\",\"10.0.0.2\",\"10.0.0.5\"],\"user\":[\"julia\"],"
        "\"hosts\":[\"support.example.test\"]},"
        "\"observer\":{\"vendor\":\"casetap\",\"product\":\"casetap\",\"type\":\"sensor\"},"
        "\"casetap\":{\"schema\":1,\"severity\":\"critical\",\"bits\":20.40,\"update\":0,"
        "\"why\":[{\"field\":\"source.geo.country_iso_code\",\"value\":\"BT\",\"usual\":\"SE (41 of 41 sessions)\","
        "\"bits\":12.40},{\"field\":\"casetap.client.name\",\"value\":\"python-requests 2\",\"usual\":\"Firefox 147\","
        "\"bits\":8.00}],\"story\":{\"acts\":50,\"files\":41,\"customers\":3,\"cases\":5,\"bytes\":2345678901},"
        "\"customers\":[\"Globex\",\"Initech\"],"
        "\"first_step\":\"End the session and ask the person by telephone; keep the list of customers.\","
        "\"activity\":{\"id\":\"00000000000000000000000000000000\",\"action\":\"download\"},"
        "\"case\":{\"id\":\"4711\"},\"customer\":{\"name\":\"Globex\"},"
        "\"session\":{\"id\":\"07070707070707070707070707070707\"},\"client\":{\"name\":\"python-requests 2\"},"
        "\"source\":{\"class\":\"hosting\"},"
        "\"attack\":{\"version\":\"18\"}}}\n");
    text_fini(&out);
    test_free(a);
}

static void paragraph(void **state)
{
    (void)state;
    struct alert *a = theft();
    struct text out = {0};
    snprintf(a->blind, sizeof a->blind, "3 of the 41 files are not whole in the capture");
    a->doubt = 7;
    alert_paragraph(a, &(struct alert_style){0}, &out);
    assert_string_equal(
        text_str(&out),
        "CRITICAL  D15  Download after new location or client   2026-03-20 03:12:14 UTC\n"
        "  who     julia from 203.0.113.7 (BT, AS64500 Example Hosting, hosting network) with python-requests\n"
        "          2\n"
        "  what    41 files of 3 customers in 5 cases, 2.3 GB; last: download of core.gz (73.4 MB), case\n"
        "          4711, customer Globex\n"
        "  whose   Globex, Initech\n"
        "  why     country BT, usual: SE (41 of 41 sessions)  +12.4 bits\n"
        "          client python-requests 2, usual: Firefox 147  +8.0 bits\n"
        "  first   End the session and ask the person by telephone; keep the list of customers.\n"
        "  unseen  3 of the 41 files are not whole in the capture; confidence 93 %\n"
        "  id      5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a\n"
        "\n");
    text_fini(&out);
    test_free(a);
}

/* Columns of the widest line, where every character takes one. */
static size_t widest(const struct text *t)
{
    size_t column = 0, most = 0;
    for (size_t i = 0; i < t->size; i++) {
        column = t->at[i] == '\n' ? 0 : column + (((uint8_t)t->at[i] & 0xc0u) != 0x80);
        most = column > most ? column : most;
    }
    return most;
}

/* Nothing from the wire can move the cursor, colour the screen, turn the writing round, or run out of the page. */
static void hostile_paragraph(void **state)
{
    (void)state;
    static const char *const evil[] = {
        "\x1b[2J\x1b]0;owned\x07",
        "a\r\nCRITICAL  D99  forged line",
        "\xc2\x9b"
        "31m",
        "x\xe2\x80\xaegpj.exe",
        "\xe2\x80\x8b\xef\xbb\xbf\xe2\x81\xa6",
        "\x7f\x08\x08\x08",
        "\xff\xfe\x80",
        "tab\there",
        "\xf3\xa0\x81\x81tag",
        "wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww"
        "wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww",
        "        many        spaces        ",
    };
    for (size_t i = 0; i < sizeof evil / sizeof *evil; i++) {
        struct alert *a = theft();
        struct text out = {0}, shown = {0};
        for (int s = 0; s < STR_N; s++)
            sample_set(&a->last, (enum activity_string)s, evil[i]);
        alert_why(a, "file.name", evil[i], evil[i], 1);
        alert_relate_user(a, span_text(evil[i]));
        alert_relate_user(a, SPAN("other"));
        alert_relate_customer(a, span_text(evil[i]));
        snprintf(a->blind, sizeof a->blind, "%s", evil[i]);
        alert_paragraph(a, &(struct alert_style){0}, &out);
        assert_int_equal(utf8_valid(text_span(&out)), out.size);
        for (size_t k = 0; k < out.size; k++) {
            uint8_t c = (uint8_t)out.at[k];
            assert_true(c == '\n' || (c >= 0x20 && c != 0x7f));
            assert_false(c == 0xc2 && (uint8_t)out.at[k + 1] < 0xa0);
        }
        static const char *const marks[] = {"\xe2\x80\xae", "\xe2\x80\x8b", "\xef\xbb\xbf", "\xe2\x81\xa6", "\xf3\xa0"};
        for (size_t k = 0; k < sizeof marks / sizeof *marks; k++)
            assert_null(strstr(text_str(&out), marks[k]));
        assert_true(widest(&out) <= 100);
        for (const char *line = strchr(text_str(&out), '\n'); line && line[1]; line = strchr(line + 1, '\n'))
            assert_true(line[1] == ' ' || line[1] == '\n'); /* only the first line starts at the edge */
        alert_json(a, &shown);
        assert_ptr_equal(strchr(text_str(&shown), '\n'), shown.at + shown.size - 1);
        assert_int_equal(utf8_valid(text_span(&shown)), shown.size);
        text_fini(&out);
        text_fini(&shown);
        test_free(a);
    }
}

/* What was told is not told again: only what is new, who, and how far it went. */
static void update_is_short(void **state)
{
    (void)state;
    struct alert *a = theft();
    struct text out = {0};
    a->update = 3;
    alert_why(a, "rule.id", "D09 Download burst", "", 0);
    alert_why(a, "casetap.files.burst", "25 different files in 180 s", "2.6 on average", 40);
    alert_paragraph(a, &(struct alert_style){.n_told = 2}, &out);
    assert_string_equal(
        text_str(&out),
        "CRITICAL  D15  Download after new location or client   2026-03-20 03:12:14 UTC   (update 3)\n"
        "  who     julia from 203.0.113.7 (BT, AS64500 Example Hosting, hosting network) with python-requests\n"
        "          2\n"
        "  what    41 files of 3 customers in 5 cases, 2.3 GB; last: download of core.gz (73.4 MB), case\n"
        "          4711, customer Globex\n"
        "  whose   Globex, Initech\n"
        "  why     also D09 Download burst\n"
        "          25 different files in 180 s, usual: 2.6 on average  +40.0 bits\n"
        "\n");
    text_clear(&out);
    alert_paragraph(a, &(struct alert_style){.n_told = 4}, &out);
    assert_null(strstr(text_str(&out), "why"));
    text_fini(&out);
    test_free(a);
}

static void keeps_to_the_width(void **state)
{
    (void)state;
    static const struct {
        unsigned width;
        size_t widest;
    } rows[] = {{0, 100}, {1, 40}, {40, 40}, {80, 80}};
    struct alert *a = theft();
    alert_relate_customer(a, SPAN("A customer with a name so long that it never fits on any line of a small terminal"));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct text out = {0};
        alert_paragraph(a, &(struct alert_style){.width = rows[i].width}, &out);
        assert_true(widest(&out) <= rows[i].widest + (rows[i].widest == 40 ? 12 : 0)); /* the rule's name is not broken */
        assert_true(widest(&out) + 30 > rows[i].widest);
        text_fini(&out);
    }
    test_free(a);
}

static void one_line(void **state)
{
    (void)state;
    struct alert *a = theft();
    struct text out = {0};
    alert_line(a, &(struct alert_style){0}, &out);
    assert_string_equal(text_str(&out),
                        "CRITICAL  D15 2026-03-20 03:12 julia from 203.0.113.7 (BT, AS64500 Example Hosting, hosting\n"
                        "          network), 41 files of 3 customers in 5 cases, 2.3 GB\n");
    a->n_files = a->n_customers = a->n_cases = 0;
    a->n_bytes = 0;
    a->risk = 60;
    sample_set(&a->last, STR_USER, "j\x1b[2J");
    text_clear(&out);
    alert_line(a, &(struct alert_style){.width = 120}, &out);
    assert_string_equal(text_str(&out), "HIGH      D15 2026-03-20 03:12 j\\x1b[2J from 203.0.113.7 "
                                        "(BT, AS64500 Example Hosting, hosting network)\n");
    text_fini(&out);
    test_free(a);
}

/* An act without file and case says what was asked for. */
static void acts_in_words(void **state)
{
    (void)state;
    static const struct {
        enum action action;
        const char *file, *number, *says;
    } rows[] = {{ACTION_API_CALL, "", "", "API call, GET /REST/2.0/rt"},
                {ACTION_LIST, "", "", "a list or overview page, GET /REST/2.0/rt"},
                {ACTION_VIEW_CASE, "", "4711", "case opened, case 4711"},
                {ACTION_LOGIN, "", "", "login, GET /REST/2.0/rt"},
                {ACTION_DOWNLOAD, "core.gz", "4711", "download of core.gz (73.4 MB), case 4711"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct alert *a = theft();
        struct text out = {0};
        activity_init(&a->last);
        a->last.action = (uint8_t)rows[i].action;
        a->last.flags = ACT_HAS_FILE_SIZE;
        a->last.file_size = 73400320;
        sample_set(&a->last, STR_METHOD, "GET");
        sample_set(&a->last, STR_TARGET, "/REST/2.0/rt");
        sample_set(&a->last, STR_CASE, rows[i].number);
        sample_set(&a->last, STR_FILE, rows[i].file);
        a->n_files = a->n_customers = a->n_cases = 0;
        a->n_bytes = 0;
        alert_paragraph(a, &(struct alert_style){0}, &out);
        assert_non_null(strstr(text_str(&out), rows[i].says));
        text_fini(&out);
        test_free(a);
    }
}

static void colour_only_when_asked(void **state)
{
    (void)state;
    static const struct {
        uint8_t risk;
        const char *name, *code;
    } rows[] = {{0, "low", "\x1b[36mLOW\x1b[0m"},       {39, "low", "\x1b[36mLOW"},
                {40, "medium", "\x1b[33mMEDIUM"},       {59, "medium", "\x1b[33mMEDIUM"},
                {60, "high", "\x1b[31mHIGH"},           {79, "high", "\x1b[31mHIGH"},
                {80, "critical", "\x1b[1;31mCRITICAL"}, {100, "critical", "\x1b[1;31mCRITICAL"}};
    struct alert *a = theft();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct text out = {0};
        a->risk = rows[i].risk;
        assert_string_equal(alert_severity(a), rows[i].name);
        alert_paragraph(a, &(struct alert_style){.has_color = true}, &out);
        assert_true(span_starts(text_span(&out), span_text(rows[i].code)));
        text_clear(&out);
        alert_paragraph(a, &(struct alert_style){0}, &out);
        assert_null(strchr(text_str(&out), '\x1b'));
        text_fini(&out);
    }
    test_free(a);
}

/* Text of people with few facts: nothing invented, no dangling punctuation. */
static void sparse(void **state)
{
    (void)state;
    struct alert *a = test_calloc(1, sizeof *a);
    static const struct rule bare = {
        .id = "D25", .name = "Blind", .action = "blind", .category = "own", .description = "", .first_step = ""};
    struct text out = {0};
    a->rule = &bare;
    a->time_ns = 1773976334000000000ULL;
    a->bits = NAN;
    alert_why(a, "capture.drops", "7 %", "", NAN);
    alert_paragraph(a, &(struct alert_style){0}, &out);
    assert_string_equal(text_str(&out), "LOW  D25  Blind   2026-03-20 03:12:14 UTC\n"
                                        "  who     somebody unnamed from an unknown address\n"
                                        "  why     capture.drops 7 %\n"
                                        "  id      00000000000000000000000000000000\n"
                                        "\n");
    text_clear(&out);
    alert_json(a, &out);
    assert_null(strstr(text_str(&out), "threat"));
    assert_null(strstr(text_str(&out), "nan"));
    assert_non_null(strstr(text_str(&out), "\"bits\":null"));
    text_fini(&out);
    test_free(a);
}

static void related_once_and_capped(void **state)
{
    (void)state;
    struct alert *a = test_calloc(1, sizeof *a);
    char name[400];
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "user%d", i / 2);
        alert_relate_user(a, span_text(name));
        struct ipaddr host = sample_ip("192.0.2.0");
        host.bytes[15] = (uint8_t)(i / 2);
        alert_relate_ip(a, &host);
        alert_why(a, "x", "y", "z", i);
    }
    assert_int_equal(a->n_users, ALERT_RELATED_MAX);
    assert_string_equal(a->users[15], "user15");
    assert_int_equal(a->n_ips, ALERT_RELATED_MAX);
    assert_int_equal(a->ips[0].bytes[15], 0);
    assert_int_equal(a->ips[15].bytes[15], 15);
    assert_int_equal(a->n_why, ALERT_WHY_MAX);
    alert_relate_customer(a, span_of(NULL, 0));
    assert_int_equal(a->n_listed_customers, 0);
    memset(name, 'x', sizeof name);
    alert_relate_customer(a, span_of(name, sizeof name));
    assert_int_equal(strlen(a->customers[0]), ALERT_TEXT - 1);
    alert_relate_customer(a, span_of("a\0b", 3));
    assert_string_equal(a->customers[1], "a\xef\xbf\xbd"
                                         "b");
    test_free(a);
}

static void reasons_in_words(void **state)
{
    (void)state;
    static const struct {
        const char *field, *value, *usual, *words;
    } rows[] = {
        {"source.geo.country_iso_code", "BT", "SE (41 of 41 sessions)", "country BT, usual: SE (41 of 41 sessions)"},
        {"event.start", "Fri 03:12 UTC", "8-17 h UTC", "time Fri 03:12 UTC, usual: 8-17 h UTC"},
        {"rule.id", "D07 Session token used from a second network", "",
         "also D07 Session token used from a second network"},
        {"casetap.cases.day", "12 cases today", "2.6 on average", "12 cases today, usual: 2.6 on average"},
        {"event.outcome", "7 failures", "", "7 failures"},
        {"capture.drops", "7 %", "", "capture.drops 7 %"},
        {"source.ip", "", "192.0.2.1", "address, usual: 192.0.2.1"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct alert *a = test_calloc(1, sizeof *a);
        struct text out = {0};
        alert_why(a, rows[i].field, rows[i].value, rows[i].usual, 1);
        words_why(&a->why[0], &out);
        assert_string_equal(text_str(&out), rows[i].words);
        text_fini(&out);
        test_free(a);
    }
}

static void bytes_in_words(void **state)
{
    (void)state;
    static const struct {
        uint64_t bytes;
        const char *words;
    } rows[] = {{0, "0 bytes"},
                {1, "1 byte"},
                {999, "999 bytes"},
                {1000, "1.0 kB"},
                {999999, "999.9 kB"},
                {1000000, "1.0 MB"},
                {2345678901ULL, "2.3 GB"},
                {UINT64_MAX, "18.4 EB"},
                {999999999999ULL, "999.9 GB"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct text out = {0};
        words_bytes(rows[i].bytes, &out);
        assert_string_equal(text_str(&out), rows[i].words);
        text_fini(&out);
    }
}

static void attack_names(void **state)
{
    (void)state;
    static const char *const known[] = {"T1003",     "T1020",  "T1078",  "T1078.004", "T1090.003", "T1110.003",
                                        "T1110.004", "T1119",  "T1185",  "T1213",     "T1213.004", "T1528",
                                        "T1530",     "T1539",  "T1550",  "T1550.001", "T1550.004", "T1621",
                                        "T1671",     "TA0001", "TA0006", "TA0009",    "TA0010",    "TA0043"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) /* also shows that the table is in order */
        assert_non_null(attack_name(known[i]));
    assert_string_equal(attack_name("T1539"), "Steal Web Session Cookie");
    assert_null(attack_name("T9999"));
    assert_null(attack_name(""));
    assert_string_equal(attack_tag("attack.t1213.004"), "T1213.004");
    assert_string_equal(attack_tag("attack.initial-access"), "TA0001");
    assert_string_equal(attack_tag("attack.Command_And_Control"), "TA0011");
    assert_null(attack_tag("attack.t121"));
    assert_null(attack_tag("attack.initial"));
    assert_null(attack_tag("t1213.004"));
    assert_null(attack_tag("attack."));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_line),
        cmocka_unit_test(paragraph),
        cmocka_unit_test(update_is_short),
        cmocka_unit_test(keeps_to_the_width),
        cmocka_unit_test(one_line),
        cmocka_unit_test(acts_in_words),
        cmocka_unit_test(hostile_paragraph),
        cmocka_unit_test(colour_only_when_asked),
        cmocka_unit_test(sparse),
        cmocka_unit_test(related_once_and_capped),
        cmocka_unit_test(reasons_in_words),
        cmocka_unit_test(bytes_in_words),
        cmocka_unit_test(attack_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
