/* SPDX-License-Identifier: Apache-2.0
 * The files of rules: what ships equals the defaults, and each mistake is named with its place and what would be right. */
#include "detect/detections.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"

static int load(const char *content, struct rules *r, struct text *why)
{
    char path[] = "/tmp/casetap-rules-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, content, strlen(content)), (ssize_t)strlen(content));
    close(fd);
    int rc = rules_load(path, r, why);
    remove(path);
    return rc;
}

static void what_ships_is_the_default(void **state)
{
    (void)state;
    struct rules shipped, usual;
    struct detections *d = NULL;
    struct text why = {0};
    int rc = rules_load("rules/detect.yaml", &shipped, &why);
    rc = rc ? rc : detections_load("rules", NULL, &d, &why);
    rc = rc ? rc : detections_scored(d, &shipped, &why);
    assert_string_equal(text_str(&why), "");
    assert_int_equal(rc, E_OK);
    for (unsigned i = 0; i < SCORED_N; i++)
        if (!shipped.head[i])
            fail_msg("no file is about %s", scored_name((enum scored)i));
    memset(shipped.head, 0, sizeof shipped.head);
    rules_default(&usual);
    assert_memory_equal(&shipped, &usual, sizeof usual);
    detections_free(d);
    text_fini(&why);
}

static void values_are_taken(void **state)
{
    (void)state;
    struct rules r;
    struct text why = {0};
    assert_int_equal(load("learning:\n  fleet: 36h\n  visit-gap: 90s\ncontext:\n  repeat: .25\n", &r, &why), E_OK);
    assert_int_equal(r.learning.fleet_s, 36 * 3600);
    assert_int_equal(r.learning.visit_gap_s, 90);
    assert_true(r.context.repeat > 0.24 && r.context.repeat < 0.26);
    assert_true(r.context.max_bits > 9.9 && r.context.max_bits < 10.1); /* not mentioned: as it was */
    text_fini(&why);
}

/* Directories of files, the shipped ones and the user's. */
struct place {
    char dir[32], shipped[64], own[64];
    unsigned n;
    char files[8][96];
};

static void place_open(struct place *p)
{
    *p = (struct place){.dir = "/tmp/casetap-rules-XXXXXX"};
    assert_non_null(mkdtemp(p->dir));
    snprintf(p->shipped, sizeof p->shipped, "%s/detections", p->dir);
    snprintf(p->own, sizeof p->own, "%s/own", p->dir);
    assert_int_equal(mkdir(p->shipped, 0700), 0);
    assert_int_equal(mkdir(p->own, 0700), 0);
}

static void place_file(struct place *p, bool is_own, const char *content)
{
    char *path = p->files[p->n++];
    snprintf(path, sizeof p->files[0], "%s/%u.yaml", is_own ? p->own : p->shipped, p->n);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(content, f);
    fclose(f);
}

static int place_load(struct place *p, struct detections **d, struct rules *r, struct text *why)
{
    rules_default(r);
    int rc = detections_load(p->dir, p->own, d, why);
    return rc ? rc : detections_scored(*d, r, why);
}

static void place_close(struct place *p, struct detections *d)
{
    detections_free(d);
    for (unsigned i = 0; i < p->n; i++)
        remove(p->files[i]);
    rmdir(p->own);
    rmdir(p->shipped);
    rmdir(p->dir);
}

#define HEAD_BUT_ID                                                                                                     \
    "title: T\nname: some-name\nstatus: test\nlevel: medium\ncategory: volume\ndescription: D\nfirst-step: F\n"
#define HEAD "id: X1\n" HEAD_BUT_ID

static void heads_are_taken(void **state)
{
    (void)state;
    struct place p;
    struct rules r;
    struct detections *d = NULL;
    struct text why = {0};
    place_open(&p);
    place_file(&p, false,
               HEAD "risk: 41\ntags: [attack.initial_access, attack.credential-access, attack.t1213.004, cve.2023-1]\n"
                    "type: scored\ndetector: daily-volume\nparameters:\n  bytes: 2.5GB\n  files: 30\n");
    assert_int_equal(place_load(&p, &d, &r, &why), E_OK);
    const struct rule *rule = r.head[SCORED_DAILY_VOLUME];
    assert_non_null(rule);
    assert_string_equal(rule->id, "X1");
    assert_string_equal(rule->name, "T");
    assert_string_equal(rule->action, "some-name");
    assert_string_equal(rule->category, "volume");
    assert_string_equal(rule->first_step, "F");
    assert_int_equal(rule->risk, 41);
    assert_string_equal(rule->tactics[0], "TA0001");
    assert_string_equal(rule->tactics[1], "TA0006");
    assert_null(rule->tactics[2]);
    assert_string_equal(rule->techniques[0], "T1213.004");
    assert_true(r.daily_volume.bytes == 2500000000u);
    assert_true(r.daily_volume.files > 29.9 && r.daily_volume.files < 30.1);
    assert_null(r.head[SCORED_BREADTH]); /* no file, no detection */
    place_close(&p, d);
    text_fini(&why);
}

static void own_files_replace(void **state)
{
    (void)state;
    struct place p;
    struct rules r;
    struct detections *d = NULL;
    struct text why = {0};
    place_open(&p);
    place_file(&p, false, HEAD "type: scored\ndetector: daily-volume\nparameters:\n  files: 30\n");
    place_file(&p, true, HEAD "risk: 59\ntype: scored\ndetector: daily-volume\nparameters:\n  files: 31\n");
    place_file(&p, false, "id: X2\nenabled: false\n" HEAD_BUT_ID "type: scored\ndetector: stuffing\n");
    assert_int_equal(place_load(&p, &d, &r, &why), E_OK);
    assert_int_equal(detections_count(d), 2);
    assert_true(detections_at(d, 0)->is_own);
    assert_false(detections_at(d, 1)->is_enabled);
    assert_int_equal(r.head[SCORED_DAILY_VOLUME]->risk, 59);
    assert_true(r.daily_volume.files > 30.9);
    assert_null(r.head[SCORED_STUFFING]);
    place_close(&p, d);
    text_fini(&why);
}

static void detections_mistaken(void **state)
{
    (void)state;
    static const struct {
        const char *content, *says;
    } cases[] = {
        {"id: X1\n", "1.yaml:1:1: 'title' is missing"},
        {HEAD "type: scored\n", "1.yaml:1:1: detector: the name of a scored detector"},
        {HEAD "type: scored\ndetector: bredth\n", "1.yaml:10:11: no detector is called 'bredth'; did you mean 'breadth'?"},
        {HEAD "type: scored\ndetector: breadth\nparameters:\n  customer: 3\n",
         "1.yaml:12:3: unknown key 'customer'; did you mean 'customers'?"},
        {HEAD "type: scored\ndetector: breadth\nparameters: 3\n", "1.yaml:11:13: expected a map"},
        {HEAD "type: scored\ndetector: breadth\nparameters:\n  cases: many\n", "1.yaml:12:10: cases: expected a number"},
        {HEAD "type: scored\ndetector: breadth\nparameters:\n  cases: '12'\n", "12:10: cases: expected a number"},
        {HEAD "type: scored\ndetector: breadth\nparameters:\n  cases: [12]\n", "12:10: cases: expected a number"},
        {HEAD "type: scored\ndetector: breadth\nparameters:\n  cases: 12x\n", "12:10: cases: expected a number"},
        {HEAD "type: scored\ndetector: breadth\nparameters:\n  cases: nan\n", "12:10: cases: expected a number"},
        {HEAD "type: scored\ndetector: breadth\nparameters:\n  cases: 0\n",
         "12:10: cases: 0 is out of range, expected 1 to 1e+09"},
        {HEAD "type: scored\ndetector: daily-volume\nparameters:\n  bytes: 50\n",
         "12:10: bytes: expected a size like 500kB, 50MB or 2GB"},
        {HEAD "type: scored\ndetector: daily-volume\nparameters:\n  bytes: 50Mb\n", "12:10: bytes: expected a size"},
        {HEAD "type: scord\ndetector: breadth\n", "1.yaml:9:7: type: 'scord' is none; "},
        {HEAD "type: scored\ndetector: breadth\nenabled: yes\n", "1.yaml:11:10: enabled: true or false"},
        {HEAD "type: scored\ndetector: breadth\nrisk: 60\n", "1.yaml:11:7: risk: of level medium it is 40 to 59"},
        {HEAD "type: scored\ndetector: breadth\ntags: [attack.t9999]\n", "1.yaml:11:8: tags: ATT&CK v"},
        {HEAD "type: scored\ndetector: breadth\ntags: attack.t1078\n", "1.yaml:11:7: tags: a list is expected"},
        {HEAD "type: scored\ndetector: breadth\nreferences: x\n", "1.yaml:11:13: references: a list is expected"},
        {HEAD "type: scored\ndetector: breadth\nlevle: low\n", "1.yaml:11:1: unknown key 'levle'; did you mean 'level'?"},
        {"id: X 1\n" HEAD_BUT_ID "type: scored\n", "1.yaml:1:5: id: letters, digits"},
        {"- id\n", "1.yaml:1:1: expected a map"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct place p;
        struct rules r;
        struct detections *d = NULL;
        struct text why = {0};
        place_open(&p);
        place_file(&p, false, cases[i].content);
        if (place_load(&p, &d, &r, &why) != E_CONF)
            fail_msg("accepted: %s", cases[i].content);
        if (!strstr(text_str(&why), cases[i].says))
            fail_msg("'%s' does not say '%s'", text_str(&why), cases[i].says);
        place_close(&p, d);
        text_fini(&why);
    }
}

/* One id twice in a directory, and one detector under two ids. */
static void twins_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *second, *says;
    } cases[] = {
        {HEAD "type: scored\ndetector: breadth\n", "2.yaml:1:5: X1: this id stands in "},
        {"id: X2\n" HEAD_BUT_ID "type: scored\ndetector: stuffing\n", "detector stuffing is X1's already"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct place p;
        struct rules r;
        struct detections *d = NULL;
        struct text why = {0};
        place_open(&p);
        place_file(&p, false, HEAD "type: scored\ndetector: stuffing\n");
        place_file(&p, false, cases[i].second);
        assert_int_equal(place_load(&p, &d, &r, &why), E_CONF);
        assert_non_null(strstr(text_str(&why), cases[i].says));
        place_close(&p, d);
        text_fini(&why);
    }
}

static void mistakes_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *content, *says;
    } cases[] = {
        {"lerning:\n  fleet: 3d\n", ":1:1: unknown key 'lerning'; did you mean 'learning'?"},
        {"breadth:\n  cases: 3\n", ":2:3: breadth: a detector's numbers stand in its own file"},
        {"learning:\n  flet: 3d\n", ":2:3: unknown key 'flet'; did you mean 'fleet'?"},
        {"learning: 3\n", ":1:11: expected a map"},
        {"learning:\n  fleet: 7\n", ":2:10: fleet: expected a time like 90s, 10m, 3h or 7d"},
        {"learning:\n  fleet: 7w\n", ":2:10: fleet: expected a time"},
        {"learning:\n  fleet: 200d\n", ":2:10: fleet: 200d is out of range, expected 0s to 90d"},
        {"learning:\n\tfleet: 3d\n", ":2:"},
        {"- learning\n", ":1:1: expected a map"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rules r;
        struct text why = {0};
        if (load(cases[i].content, &r, &why) != E_CONF)
            fail_msg("accepted: %s", cases[i].content);
        if (!strstr(text_str(&why), cases[i].says))
            fail_msg("'%s' does not say '%s'", text_str(&why), cases[i].says);
        text_fini(&why);
    }
}

static void missing_file(void **state)
{
    (void)state;
    struct rules r;
    struct text why = {0};
    assert_int_equal(rules_load("/nonexistent/detect.yaml", &r, &why), E_IO);
    assert_non_null(strstr(text_str(&why), "/nonexistent/detect.yaml"));
    struct detections *d = NULL;
    text_clear(&why);
    assert_int_equal(detections_load("/nonexistent", NULL, &d, &why), E_IO);
    assert_non_null(strstr(text_str(&why), "/nonexistent/detections"));
    text_fini(&why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_ships_is_the_default),
        cmocka_unit_test(values_are_taken),
        cmocka_unit_test(heads_are_taken),
        cmocka_unit_test(own_files_replace),
        cmocka_unit_test(detections_mistaken),
        cmocka_unit_test(twins_are_refused),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(missing_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
