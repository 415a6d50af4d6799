/* SPDX-License-Identifier: Apache-2.0
 * Feedback records go round, take over what an alert says, and name what is wrong. */
#include "record/feedback.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"

static void set(char *out, size_t size, const char *text)
{
    snprintf(out, size, "%s", text);
}

static void round_trip(void **state)
{
    (void)state;
    struct feedback f = {.time_ns = 1772409600123456789u, .since_ns = 1772409600000000000u, .until_ns = 1773409600000000000u,
                         .alerted_ns = 1772409500000000000u, .verdict = VERDICT_MALICIOUS, .asn = 64500, .country = "SE",
                         .files = 8, .cases = 5, .customers = 4, .bytes = 388922, .has_place = true};
    struct feedback back;
    struct text line = {0}, again = {0}, why = {0};
    assert_true(ipaddr_parse(SPAN("2001:db8::7"), &f.source));
    assert_true(prefix_parse(SPAN("10.0.0.0/8"), &f.place));
    memset(f.alert, 1, sizeof f.alert);
    memset(f.session, 2, sizeof f.session);
    set(f.user, sizeof f.user, "zo\xc3\xab \"h\"");
    set(f.rule, sizeof f.rule, "D15");
    set(f.agent, sizeof f.agent, "Mozilla/5.0 (X11)");
    set(f.client, sizeof f.client, "Firefox 147");
    set(f.by, sizeof f.by, "ann");
    set(f.why, sizeof f.why, "stolen\nlaptop");
    feedback_seal(&f);
    feedback_json(&f, &line);
    assert_int_equal(feedback_parse(text_span(&line), &back, &why), E_OK);
    feedback_json(&back, &again);
    assert_string_equal(text_str(&line), text_str(&again));
    assert_string_equal(back.user, f.user);
    assert_string_equal(back.why, f.why);
    assert_true(back.since_ns == f.since_ns && back.until_ns == f.until_ns && back.alerted_ns == f.alerted_ns);
    struct feedback other = f;
    set(other.why, sizeof other.why, "another");
    feedback_seal(&other);
    assert_memory_not_equal(other.id, f.id, sizeof f.id); /* the id says what was said */
    text_fini(&line);
    text_fini(&again);
    text_fini(&why);
}

#define HEAD "\"casetap\":{\"schema\":1},\"@timestamp\":\"2026-03-10T00:00:00Z\",\"event\":{\"dataset\":\"casetap.feedback\","
#define ID "\"id\":\"00112233445566778899aabbccddeeff\","

static void mistakes_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *line, *says;
    } rows[] = {
        {"", "column "},
        {"[]", "line: expected an object"},
        {"{}", "casetap.schema: not a version"},
        {"{" HEAD ID "\"action\":\"perhaps\"}}", "event.action: expected benign, malicious, suppress or undo"},
        {"{" HEAD "\"action\":\"suppress\"}}", "event.id: missing"},
        {"{" HEAD ID "\"action\":\"undo\"}}", "casetap.undoes: missing"},
        {"{" HEAD ID "\"action\":\"benign\"}}", "user.name: missing"},
        {"{" HEAD ID "\"action\":\"benign\"},\"user\":{\"name\":7}}", "user.name: expected a string"},
        {"{" HEAD ID "\"action\":\"suppress\"},\"source\":{\"ip\":\"x\"}}", "source.ip: expected an IP address"},
        {"{" HEAD ID "\"action\":\"suppress\"},\"rule\":{\"id\":\"D0123456789012345\"}}", "rule.id: too long"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct feedback f;
        struct text why = {0};
        assert_int_equal(feedback_parse(span_text(rows[i].line), &f, &why), E_BAD);
        if (strncmp(text_str(&why), rows[i].says, strlen(rows[i].says)) != 0)
            fail_msg("%zu: '%s' instead of '%s'", i, text_str(&why), rows[i].says);
        text_fini(&why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(round_trip), cmocka_unit_test(mistakes_are_named)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
