/* SPDX-License-Identifier: Apache-2.0
 * Every detection that ships, in every format: what is read back from the log is what was told. With a directory as
 * argument it writes the lines of each format there. */
#include "base/err.h"
#include "detect/detections.h"
#include "record/utf8.h"
#include "sink/format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka wants those above first */
#include <cmocka.h>

static struct alert *alert_of(const struct rule *r, size_t i)
{
    struct alert *a = calloc(1, sizeof *a);
    if (!a)
        abort();
    a->rule = r;
    a->id[15] = (uint8_t)i;
    a->update = (uint32_t)(i % 3);
    a->start_ns = 1773976320000000000ULL;
    a->time_ns = a->start_ns + i * 1000000000ULL;
    a->risk = r->risk;
    a->bits = 20.4;
    a->n_acts = (uint32_t)i;
    activity_init(&a->last);
    a->last.action = (uint8_t)(i % ACTION_N);
    if (i % 4) /* what nobody did has no user and no source */
        activity_set(&a->last, STR_USER, SPAN("julia"));
    (void)ipaddr_parse(i % 2 ? SPAN("203.0.113.7") : SPAN("2001:db8::7"), &a->last.source);
    if (i % 4 == 0)
        a->last.source = (struct ipaddr){{0}};
    activity_set(&a->last, STR_APP, SPAN("rt"));
    activity_set(&a->last, STR_HOST, SPAN("support.example.test"));
    alert_why(a, "casetap.files.day", "41 files", "2.6 on average", 20.4);
    return a;
}

static struct detections *shipped(void)
{
    struct detections *d = NULL;
    struct text why = {0};
    if (detections_load("rules", NULL, &d, &why))
        fprintf(stderr, "%s\n", text_str(&why));
    text_fini(&why);
    return d;
}

static void every_format(void **state)
{
    struct detections *d = shipped();
    struct alert_kept *k = alert_kept_new();
    (void)state;
    assert_non_null(d);
    assert_true(detections_count(d) > 30);
    for (size_t i = 0; i < detections_count(d); i++) {
        struct alert *a = alert_of(&detections_at(d, i)->rule, i);
        const struct alert *again;
        struct text line = {0}, why = {0};
        alert_json(a, &line);
        if (alert_parse(text_span(&line), k, &again, &why))
            fail_msg("%s: %s", a->rule->id, text_str(&why));
        for (int f = 0; f < FORMAT_N; f++) {
            struct text told = {0}, read = {0};
            format_alert((enum alert_format)f, a, &told);
            format_alert((enum alert_format)f, again, &read);
            if (f == FORMAT_ECS ||
                f == FORMAT_TEXT) /* in others techniques may stand in another order, or with their kind alone */
                assert_string_equal(text_str(&told), text_str(&read));
            else
                assert_non_null(strstr(text_str(&read), a->rule->id));
            assert_non_null(strstr(text_str(&told), a->rule->id));
            assert_int_equal(utf8_valid(text_span(&told)), told.size);
            text_fini(&told);
            text_fini(&read);
        }
        text_fini(&line);
        text_fini(&why);
        free(a);
    }
    alert_kept_free(k);
    detections_free(d);
}

static int write_lines(const char *dir)
{
    struct detections *d = shipped();
    for (int f = 0; d && f < FORMAT_N; f++) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", dir, format_name((enum alert_format)f));
        FILE *out = fopen(path, "w");
        for (size_t i = 0; out && i < detections_count(d); i++) {
            struct alert *a = alert_of(&detections_at(d, i)->rule, i);
            struct text line = {0};
            format_alert((enum alert_format)f, a, &line);
            fprintf(out, "%s\n", text_str(&line));
            text_fini(&line);
            free(a);
        }
        if (!out || fclose(out) != 0)
            return 1;
    }
    if (d)
        detections_free(d);
    return d ? 0 : 1;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_format)};
    return argc > 1 ? write_lines(argv[1]) : cmocka_run_group_tests(tests, NULL, NULL);
}
