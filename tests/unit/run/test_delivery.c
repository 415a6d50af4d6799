/* SPDX-License-Identifier: Apache-2.0
 * Delivery from the alert log: in order, each once, over restarts, renamed logs, torn lines, lines that are none, and a
 * sink that is away for longer than its spool holds. */
#include "base/err.h"
#include "run/delivery.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
/* cmocka wants those above first */
#include <cmocka.h>

static const struct rule rule = {
    .id = "D1", .name = "n", .action = "a", .category = "c", .description = "d", .first_step = "f"};
static char dir[64];

static const char *in_dir(const char *name)
{
    static char path[4][128];
    static int turn;
    turn = (turn + 1) % 4;
    snprintf(path[turn], sizeof path[turn], "%s/%s", dir, name);
    return path[turn];
}

static int make_dir(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "delivery.XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    static const char *const names[] = {"alerts.ndjson", "alerts.ndjson.1", "got",     "got.1",
                                        "got.2",         "got.3",           "out.sink"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unlink(in_dir(names[i]));
    return rmdir(dir);
}

/* Alerts number 'from' to 'to' - 1 at the end of the log. */
static void append(int from, int to, const char *behind)
{
    FILE *f = fopen(in_dir("alerts.ndjson"), "a");
    assert_non_null(f);
    for (int i = from; i < to; i++) {
        struct text line = {0};
        struct alert *a = calloc(1, sizeof *a);
        assert_non_null(a);
        a->rule = &rule;
        a->time_ns = a->start_ns = 1773976334000000000ULL + (uint64_t)i;
        a->risk = 50;
        a->id[14] = (uint8_t)(i >> 8);
        a->id[15] = (uint8_t)i;
        activity_init(&a->last);
        alert_json(a, &line);
        fputs(text_str(&line), f);
        text_fini(&line);
        free(a);
    }
    fputs(behind, f);
    fclose(f);
}

/* What a run from here delivers to 'url'; the counters' value of that name. */
static uint64_t run(const char *url, bool is_thread, bool wants_all, const char *counter)
{
    struct sink_configs *sinks = calloc(1, sizeof *sinks);
    struct text why = {0}, given = {0}, told = {0};
    struct delivery *d;
    uint64_t value = UINT64_MAX;
    text_addf(&given, "out=%s", url);
    assert_non_null(sinks);
    if (sink_config_text(sinks, text_str(&given), &why) ||
        delivery_new(&(struct delivery_options){sinks, dir, true}, &d, &why))
        fail_msg("%s", text_str(&why));
    if (is_thread)
        assert_int_equal(delivery_start(d), E_OK);
    assert_int_equal(delivery_stop(d, wants_all ? 5000 : 1500), wants_all);
    delivery_tell(d, &told);
    assert_true(span_starts(text_span(&told), SPAN("sink      out: ")));
    struct counters c = delivery_counters(d);
    for (size_t i = 0; i < c.n; i++) {
        if (strcmp(c.defs[i].name, counter) == 0)
            value = c.values[i];
    }
    delivery_free(d);
    free(sinks);
    text_fini(&why);
    text_fini(&given);
    text_fini(&told);
    return value;
}

/* The file 'name' holds alerts from to to - 1, in order, each once. */
static void assert_got(const char *name, int from, int to)
{
    char *line = NULL, id[40];
    size_t size = 0;
    FILE *f = fopen(in_dir(name), "r");
    assert_non_null(f);
    for (int i = from; i < to; i++) {
        assert_true(getline(&line, &size, f) > 0);
        snprintf(id, sizeof id, "\"id\":\"%032x\"", i);
        if (!strstr(line, id))
            fail_msg("line %d is %s", i, line);
    }
    assert_true(getline(&line, &size, f) < 0);
    free(line);
    fclose(f);
}

static void url_of(char *out, size_t size, const char *options)
{
    char here[512];
    assert_non_null(getcwd(here, sizeof here));
    snprintf(out, size, "file://%.200s/%s/got%s", here, dir, options);
}

static void each_once_over_restarts(void **state)
{
    char url[512];
    (void)state;
    url_of(url, sizeof url, "");
    append(0, 100, "");
    assert_int_equal(run(url, true, true, "sink_delivered"), 100);
    assert_int_equal(run(url, true, true, "sink_delivered"), 0);
    append(100, 103, "no alert\n{}\n");
    append(103, 104, "");
    assert_int_equal(run(url, false, true, "sink_unreadable"), 2);
    assert_got("got", 0, 104);
    append(104, 105, "{\"torn\":"); /* being written */
    assert_int_equal(run(url, true, false, "sink_delivered"), 1);
    assert_got("got", 0, 105);
    unlink(in_dir("out.sink")); /* the position is lost: all comes again, nothing is missing */
    unlink(in_dir("got"));
    assert_int_equal(run(url, true, false, "sink_delivered"), 105);
}

static void renamed_while_away(void **state)
{
    char url[512];
    (void)state;
    url_of(url, sizeof url, "");
    append(0, 10, "");
    assert_int_equal(run(url, true, true, "sink_delivered"), 10);
    append(10, 20, "");
    assert_int_equal(rename(in_dir("alerts.ndjson"), in_dir("alerts.ndjson.1")), 0);
    append(20, 30, "");
    assert_int_equal(run(url, false, true, "sink_delivered"), 20);
    assert_got("got", 0, 30);
}

/* A sink that never got anything has a place, too. */
static void renamed_before_the_first(void **state)
{
    char url[512];
    (void)state;
    append(0, 10, "");
    assert_int_equal(run("syslog+tcp://127.0.0.1:1", true, false, "sink_delivered"), 0);
    assert_int_equal(rename(in_dir("alerts.ndjson"), in_dir("alerts.ndjson.1")), 0);
    append(10, 20, "");
    url_of(url, sizeof url, "");
    assert_int_equal(run(url, true, true, "sink_delivered"), 20);
    assert_got("got", 0, 20);
}

static void renamed_while_it_runs(void **state)
{
    char url[512];
    struct sink_configs *sinks = calloc(1, sizeof *sinks);
    struct delivery *d;
    struct text why = {0};
    (void)state;
    url_of(url, sizeof url, "");
    assert_non_null(sinks);
    append(0, 10, "");
    assert_int_equal(sink_config_text(sinks, url, &why), E_OK);
    assert_int_equal(delivery_new(&(struct delivery_options){sinks, dir, false}, &d, &why), E_OK);
    assert_int_equal(delivery_start(d), E_OK);
    usleep(100000);
    append(10, 20, "");
    assert_int_equal(rename(in_dir("alerts.ndjson"), in_dir("alerts.ndjson.1")), 0);
    append(20, 30, "");
    delivery_reopen(d);
    assert_true(delivery_stop(d, 5000));
    assert_got("got", 0, 30);
    delivery_free(d);
    free(sinks);
}

/* Away: nothing is lost within the spool's bound; beyond it the oldest are skipped, counted. */
static void away(void **state)
{
    char url[512];
    (void)state;
    append(0, 10, "");
    assert_in_range(run("syslog+tcp://127.0.0.1:1", true, false, "sink_failures"), 1, 5);
    url_of(url, sizeof url, "");
    assert_int_equal(run(url, true, true, "sink_delivered"), 10); /* under the same name: its position had not moved */
    unlink(in_dir("got"));
    append(10, 2000, "");
    url_of(url, sizeof url, "#spool=1");
    uint64_t skipped = run(url, true, false, "sink_skipped");
    assert_in_range(skipped, 100, 1989);
    assert_got("got", 10 + (int)skipped, 2000);
}

static void rotated(void **state)
{
    char url[512];
    (void)state;
    url_of(url, sizeof url, "#rotate=1");
    append(0, 3000, "");
    assert_int_equal(run(url, false, true, "sink_delivered"), 3000);
    assert_int_equal(access(in_dir("got.1"), F_OK), 0);
    assert_int_equal(access(in_dir("got"), F_OK), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_once_over_restarts, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(renamed_while_away, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(renamed_before_the_first, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(renamed_while_it_runs, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(away, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(rotated, make_dir, remove_dir),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
