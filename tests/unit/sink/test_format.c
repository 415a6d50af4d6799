/* SPDX-License-Identifier: Apache-2.0
 * Formats of alerts: exact escapes, hostile values, and that an alert read back is the alert that was written. With a
 * directory as argument it writes sample alerts in every format there, for readers in other languages. */
#include "base/err.h"
#include "record/utf8.h"
#include "sink/format.h"
#include "support/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka wants those above first */
#include <cmocka.h>

#include "support/sample_alert.h"

static const struct rule theft_rule = {.id = "D15",
                                       .name = "Download after new location or client",
                                       .action = "download-after-new-location",
                                       .category = "context",
                                       .description = "A file was fetched soon after a session began.",
                                       .first_step = "End the session; ask the person = by telephone.",
                                       .tactics = {"TA0009", "TA0001"},
                                       .techniques = {"T1213.004", "T1078"}};
static const struct rule odd_rule = {.id = "X|\\1",
                                     .name = "bars | and \\ back\nslashes=",
                                     .action = "odd",
                                     .category = "own|cat",
                                     .description = "d",
                                     .first_step = ""};

static const char *const evil[] = {
    "a=b|c\\d",
    "line\r\nCEF:0|forged|x|1|1|x|10|",
    "tab\there",
    "\x1b[2J\x07\x7f",
    "\xff\xfe\x80 broken",
    "x\xe2\x80\xaegpj.exe",
    "\xe2\x80\x8bhidden\xef\xbb\xbf",
    "\xc2\x85next",
    "quote\" bracket] <xml>&",
    " spaces  around ",
    "=\\|=",
    "\\n",
    "{\"a\":1}",
    "\xf0\x9f\x90\x9f",
};
#define N_EVIL (sizeof evil / sizeof *evil)

/* With 'bad' (or NULL) wherever the wire can put something. */
static struct alert *sample(const struct rule *r, const char *bad)
{
    struct alert *a = calloc(1, sizeof *a);
    if (!a)
        abort();
    sample_alert_fill(a, r);
    a->last.status = 200;
    static const char *const good[STR_N] = {[STR_USER] = "julia",
                                            [STR_APP] = "rt",
                                            [STR_METHOD] = "GET",
                                            [STR_HOST] = "support.example.test",
                                            [STR_TARGET] = "/Ticket/Attachment/12/34/core.gz?a=b",
                                            [STR_CASE] = "4711",
                                            [STR_CUSTOMER] = "Globex",
                                            [STR_FILE] = "core.gz",
                                            [STR_AGENT] = "curl/8.1",
                                            [STR_CLIENT] = "curl 8",
                                            [STR_AS_ORG] = "Example Hosting"};
    for (int s = 0; s < STR_N; s++) {
        if (good[s])
            sample_set(&a->last, (enum activity_string)s, bad ? bad : good[s]);
    }
    alert_why(a, "source.geo.country_iso_code", "BT", "SE (41 of 41 sessions)", 12.4);
    alert_why(a, "file.name", bad ? bad : "core.gz", bad ? bad : "", 1);
    alert_relate_customer(a, span_text(bad ? bad : "Globex"));
    alert_relate_user(a, span_text(bad ? bad : "ben"));
    snprintf(a->blind, sizeof a->blind, "%s", bad ? "" : "3 of the 41 files are not whole");
    a->doubt = 7;
    return a;
}

static struct span value_of(const struct text *t, const char *key, const char *ends)
{
    const char *at = strstr(text_str(t), key);
    assert_non_null(at);
    at += strlen(key);
    return span_of(at, ends[0] ? (size_t)(strstr(at, ends) - at) : strlen(at));
}

static void assert_value(const struct text *t, const char *key, const char *ends, const char *value)
{
    struct span s = value_of(t, key, ends);
    if (!span_eq(s, span_text(value)))
        fail_msg("%s is '%.*s', not '%s'", key, (int)s.size, (const char *)s.at, value);
}

static void cef(void **state)
{
    (void)state;
    struct alert *a = sample(&theft_rule, NULL);
    struct text out = {0};
    format_cef(a, &out);
    assert_true(span_starts(
        text_span(&out), SPAN("CEF:0|casetap|casetap|" CASETAP_VERSION "|D15|Download after new location or client|9|"
                              "rt=1773976334000 start=1773976320000 end=1773976334000 "
                              "externalId=5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a cat=context "
                              "act=download-after-new-location src=203.0.113.7 dst=10.0.0.5 dpt=8080 "
                              "dhost=support.example.test suser=julia ")));
    assert_value(&out, " request=", " requestMethod", "/Ticket/Attachment/12/34/core.gz?a\\=b");
    assert_value(&out, " cs5=", " cs5Label", "End the session; ask the person \\= by telephone.");
    assert_value(&out, " cfp1=", " cfp1Label=bits", "20.40");
    text_clear(&out);
    a->rule = &odd_rule;
    a->risk = 100;
    a->last.source = sample_ip("2001:db8::7");
    sample_set(&a->last, STR_USER, "l\r\nm=|\\\t\x1b\xe2\x80\xae");
    format_cef(a, &out);
    assert_true(span_starts(text_span(&out), SPAN("CEF:0|casetap|casetap|" CASETAP_VERSION
                                                  "|X\\|\\\\1|bars \\| and \\\\ back\\\\x0aslashes=|10|")));
    assert_value(&out, " c6a2=", " dst", "2001:db8::7 c6a2Label=Source IPv6 Address");
    assert_value(&out, " suser=", " request=", "l\\r\\nm\\=|\\\\\\\\x09\\\\x1b\\\\u202e");
    assert_value(&out, " cat=", " act", "own|cat");
    text_fini(&out);
    free(a);
}

static void leef(void **state)
{
    (void)state;
    struct alert *a = sample(&theft_rule, NULL);
    struct text out = {0};
    format_leef(a, &out);
    assert_true(span_starts(text_span(&out), SPAN("LEEF:2.0|casetap|casetap|" CASETAP_VERSION
                                                  "|D15|x09|devTime=2026-03-20T03:12:14.000+0000\t"
                                                  "devTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSZ\tsev=9\tcat=context\t")));
    text_clear(&out);
    a->rule = &odd_rule;
    a->risk = 5;
    sample_set(&a->last, STR_USER, "l\r\nm=|\\\t");
    format_leef(a, &out);
    assert_true(span_starts(text_span(&out), SPAN("LEEF:2.0|casetap|casetap|" CASETAP_VERSION "|X/\\1|x09|")));
    assert_value(&out, "\tusrName=", "\t", "l\\x0d\\x0am=|\\\\x09");
    assert_value(&out, "\tsev=", "\t", "1");
    text_fini(&out);
    free(a);
}

static void one_sentence(void **state)
{
    (void)state;
    struct alert *a = sample(&theft_rule, NULL);
    struct text out = {0};
    a->update = 2;
    format_text(a, &out);
    assert_string_equal(
        text_str(&out),
        "CRITICAL D15 Download after new location or client: julia and 1 further from 203.0.113.7 (BT, AS64500 Example "
        "Hosting, hosting network), 41 files, 2.3 GB; why: country BT, usual: SE (41 of 41 sessions), +12.4 bits; "
        "file core.gz, +1.0 bits; unseen: 3 of the 41 files are not whole; "
        "first: End the session; ask the person = by telephone.; id 5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a, update 2");
    text_fini(&out);
    free(a);
}

static void ocsf(void **state)
{
    (void)state;
    struct alert *a = sample(&theft_rule, NULL);
    struct text out = {0};
    format_ocsf(a, &out);
    assert_true(span_starts(text_span(&out),
                            SPAN("{\"activity_id\":1,\"category_uid\":2,\"class_uid\":2004,\"type_uid\":200401,"
                                 "\"time\":1773976334000,\"start_time\":1773976320000,\"end_time\":1773976334000,"
                                 "\"count\":50,\"severity_id\":5,")));
    assert_non_null(
        strstr(text_str(&out),
               "\"sub_technique\":{\"uid\":\"T1213.004\",\"name\":\"Customer Relationship Management Software\"}"));
    assert_non_null(strstr(text_str(&out), "\"finding_info\":{\"uid\":\"5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a\","));
    text_clear(&out);
    a->update = 3;
    a->risk = 0;
    format_ocsf(a, &out);
    assert_true(span_starts(text_span(&out),
                            SPAN("{\"activity_id\":2,\"category_uid\":2,\"class_uid\":2004,\"type_uid\":200402,")));
    assert_non_null(strstr(text_str(&out), "\"severity_id\":2,"));
    assert_non_null(strstr(text_str(&out), "\"uid\":\"5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a-3\""));
    text_fini(&out);
    free(a);
}

/* Brackets outside of strings close what they opened. */
static void assert_json(struct span s)
{
    int depth = 0;
    bool is_in = false;
    for (size_t i = 0; i < s.size; i++) {
        if (is_in && s.at[i] == '\\')
            i++;
        else if (s.at[i] == '"')
            is_in = !is_in;
        else if (!is_in)
            depth += (s.at[i] == '{' || s.at[i] == '[') - (s.at[i] == '}' || s.at[i] == ']');
        assert_true(depth > 0 || i + 1 == s.size);
    }
    assert_true(depth == 0 && !is_in);
}

static void assert_harmless(enum alert_format f, const struct text *out)
{
    assert_false(out->is_cut);
    assert_int_equal(utf8_valid(text_span(out)), out->size);
    for (size_t k = 0; k < out->size; k++) {
        uint8_t c = (uint8_t)out->at[k];
        assert_true(c >= 0x20 || (f == FORMAT_LEEF && c == '\t'));
        assert_true(c != 0x7f || f == FORMAT_ECS || f == FORMAT_OCSF);
    }
    if (f == FORMAT_ECS || f == FORMAT_OCSF)
        assert_json(text_span(out));
    else
        assert_null(strstr(text_str(out), "\xe2\x80\xae"));
}

static void hostile(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_EVIL; i++) {
        for (int f = 0; f < FORMAT_N; f++) {
            struct text out = {0};
            struct alert *a = sample(i % 2 ? &odd_rule : &theft_rule, evil[i]);
            format_alert((enum alert_format)f, a, &out);
            assert_harmless((enum alert_format)f, &out);
            text_fini(&out);
            free(a);
        }
    }
}

/* A URL of 64 kB, and any bytes. */
static void anything(void **state)
{
    (void)state;
    uint64_t seed = 7;
    char *bytes = malloc(65537);
    assert_non_null(bytes);
    for (int turn = 0; turn < 200; turn++) {
        size_t size = turn % 10 ? (size_t)(random_uniform(&seed) * 300) : 65536;
        for (size_t i = 0; i < size; i++)
            bytes[i] = (char)(1 + (int)(random_uniform(&seed) * 255));
        bytes[size] = 0;
        struct alert *a = sample(&theft_rule, bytes);
        for (int f = 0; f < FORMAT_N; f++) {
            struct text out = {0};
            format_alert((enum alert_format)f, a, &out);
            assert_harmless((enum alert_format)f, &out);
            assert_true(out.size < 60000);
            text_fini(&out);
        }
        free(a);
    }
    free(bytes);
}

static void assert_same_again(const struct alert *a)
{
    struct text line = {0}, again = {0}, why = {0};
    struct alert_kept *k = alert_kept_new();
    const struct alert *read;
    assert_non_null(k);
    alert_json(a, &line);
    if (alert_parse(text_span(&line), k, &read, &why))
        fail_msg("%s", text_str(&why));
    alert_json(read, &again);
    assert_string_equal(text_str(&line), text_str(&again));
    for (int f = 0; f < FORMAT_N; f++) {
        text_clear(&line);
        text_clear(&again);
        format_alert((enum alert_format)f, a, &line);
        format_alert((enum alert_format)f, read, &again);
        assert_string_equal(text_str(&line), text_str(&again));
    }
    alert_kept_free(k);
    text_fini(&line);
    text_fini(&again);
    text_fini(&why);
}

static void read_back(void **state)
{
    (void)state;
    for (size_t i = 0; i <= N_EVIL; i++) {
        struct alert *a = sample(&theft_rule, i < N_EVIL ? evil[i] : NULL);
        a->update = (uint32_t)i;
        a->last.client_os = (uint8_t)(i % OS_N);
        a->last.os_major = (uint16_t)(i % OS_N ? 10 : 0);
        a->last.os_minor = (uint16_t)(i % OS_N && i % 2 ? 15 : 0);
        a->last.file.type = i % 3 ? FILE_BINARY + 1 : 0;
        a->last.file.has_sha256 = i % 2;
        if (i % 4 == 0)
            a->last.peer.ip = a->last.source;
        if (i % 4 == 1)
            a->last.peer.ip = (struct ipaddr){{0}};
        struct ipaddr further = sample_ip("2001:db8::9");
        alert_relate_ip(a, &further);
        a->bits = i % 5 ? 1.25 * (double)i : (double)NAN;
        assert_same_again(a);
        free(a);
    }
}

/* What is no alert is refused with a reason. */
static void refused(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "",
        "{",
        "[]",
        "{}",
        "{\"event\":{\"dataset\":\"casetap.activity\"}}",
        "\xff",
        "{\"event\":{\"dataset\":\"casetap.alert\",\"id\":\"12\"}}",
        "{\"@timestamp\":\"2026-03-20T03:12:14.000000000Z\",\"event\":{\"dataset\":\"casetap.alert\","
        "\"id\":\"5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a\",\"start\":\"2026-03-20T03:12:14.000000000Z\"}}",
        "{\"@timestamp\":\"2026-03-20T03:12:14.000000000Z\",\"event\":{\"dataset\":\"casetap.alert\","
        "\"id\":\"5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a\",\"start\":\"2026-03-20T03:12:14.000000000Z\"},\"rule\":{\"id\":"
        "\"D1\"},"
        "\"casetap\":{\"why\":[1]}}",
    };
    struct alert_kept *k = alert_kept_new();
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct text why = {0};
        const struct alert *a;
        assert_int_equal(alert_parse(span_text(lines[i]), k, &a, &why), E_BAD);
        assert_true(why.size > 0);
        text_fini(&why);
    }
    alert_kept_free(k);
}

static void names(void **state)
{
    (void)state;
    for (int f = 0; f < FORMAT_N; f++)
        assert_int_equal(format_of(span_text(format_name((enum alert_format)f))), f);
    assert_int_equal(format_of(SPAN("CEF")), FORMAT_N);
    assert_int_equal(format_of(SPAN("")), FORMAT_N);
}

static int write_samples(const char *dir)
{
    for (int f = 0; f < FORMAT_N; f++) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", dir, format_name((enum alert_format)f));
        FILE *out = fopen(path, "w");
        if (!out)
            return 1;
        for (size_t i = 0; i <= 2 * N_EVIL; i++) {
            struct text line = {0};
            struct alert *a = sample(i % 2 ? &odd_rule : &theft_rule, i / 2 < N_EVIL ? evil[i / 2] : NULL);
            format_alert((enum alert_format)f, a, &line);
            fprintf(out, "%s\n", text_str(&line));
            text_fini(&line);
            free(a);
        }
        fclose(out);
    }
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cef),       cmocka_unit_test(leef),    cmocka_unit_test(one_sentence),
        cmocka_unit_test(ocsf),      cmocka_unit_test(hostile), cmocka_unit_test(anything),
        cmocka_unit_test(read_back), cmocka_unit_test(refused), cmocka_unit_test(names),
    };
    return argc > 1 ? write_samples(argv[1]) : cmocka_run_group_tests(tests, NULL, NULL);
}
