/* SPDX-License-Identifier: Apache-2.0
 * The rule file: what ships equals the defaults, and each mistake is named with its place and what would be right. */
#include "detect/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
    struct text why = {0};
    int rc = rules_load("rules/detect.yaml", &shipped, &why);
    assert_string_equal(text_str(&why), "");
    assert_int_equal(rc, E_OK);
    rules_default(&usual);
    assert_memory_equal(&shipped, &usual, sizeof usual);
    text_fini(&why);
}

static void values_are_taken(void **state)
{
    (void)state;
    struct rules r;
    struct text why = {0};
    assert_int_equal(load("learning:\n  fleet: 36h\n  visit-gap: 90s\ndaily-volume:\n  bytes: 2.5GB\n  files: 30\n"
                          "stuffing:\n  enabled: false\n  share: .5\n",
                          &r, &why),
                     E_OK);
    assert_int_equal(r.learning.fleet_s, 36 * 3600);
    assert_int_equal(r.learning.visit_gap_s, 90);
    assert_true(r.daily_volume.bytes == 2500000000u);
    assert_true(r.daily_volume.files > 29.9 && r.daily_volume.files < 30.1);
    assert_false(r.stuffing.enabled);
    assert_true(r.stuffing.share > 0.49 && r.stuffing.share < 0.51);
    assert_true(r.breadth.enabled); /* not mentioned: as it was */
    text_fini(&why);
}

static void mistakes_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *content, *says;
    } cases[] = {
        {"bredth:\n  cases: 3\n", ":1:1: unknown key 'bredth'; did you mean 'breadth'?"},
        {"breadth:\n  customer: 3\n", ":2:3: unknown key 'customer'; did you mean 'customers'?"},
        {"breadth:\n  xyzzy-plugh: 3\n", ":2:3: unknown key 'xyzzy-plugh'"},
        {"breadth: 3\n", ":1:10: expected a map"},
        {"breadth:\n  cases: many\n", ":2:10: cases: expected a number"},
        {"breadth:\n  cases: '12'\n", ":2:10: cases: expected a number"},
        {"breadth:\n  cases: [12]\n", ":2:10: cases: expected a number"},
        {"breadth:\n  cases: 12x\n", ":2:10: cases: expected a number"},
        {"breadth:\n  cases: nan\n", ":2:10: cases: expected a number"},
        {"breadth:\n  cases: 0\n", ":2:10: cases: 0 is out of range, expected 1 to 1e+09"},
        {"breadth:\n  enabled: yes\n", ":2:12: enabled: expected true or false"},
        {"learning:\n  fleet: 7\n", ":2:10: fleet: expected a time like 90s, 10m, 3h or 7d"},
        {"learning:\n  fleet: 7w\n", ":2:10: fleet: expected a time"},
        {"learning:\n  fleet: 200d\n", ":2:10: fleet: 200d is out of range, expected 0s to 90d"},
        {"daily-volume:\n  bytes: 50\n", ":2:10: bytes: expected a size like 500kB, 50MB or 2GB"},
        {"daily-volume:\n  bytes: 50Mb\n", ":2:10: bytes: expected a size"},
        {"breadth:\n\tcases: 3\n", ":2:"},
        {"- breadth\n", ":1:1: expected a map"},
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
    text_fini(&why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_ships_is_the_default),
        cmocka_unit_test(values_are_taken),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(missing_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
