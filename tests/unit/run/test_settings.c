/* SPDX-License-Identifier: Apache-2.0
 * Settings from words and from a file. */
#include "base/err.h"
#include "run/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
/* cmocka wants the first three above */
#include <cmocka.h>

static void sets_one_by_one(void **state)
{
    (void)state;
    const struct {
        const char *name, *value;
        int rc;
        const char *says;
    } rows[] = {{"trust", "10.0.0.0/8", 0, ""},
                {"trust", "10.0.0.0/40", E_USAGE, "--trust: '10.0.0.0/40' is no address or prefix"},
                {"app", "rt=host", 0, ""},
                {"app", "rt", E_USAGE, "--app: 'rt' is not of the form PROFILE=HOST"},
                {"alias", "=x", E_USAGE, "--alias: '=x' is not of the form NAME=CREDENTIAL"},
                {"list", "vpn=", E_USAGE, "--list: 'vpn=' is not of the form CLASS=FILE"},
                {"max-flows", "999", E_USAGE, "--max-flows: '999' is not a number from 1000 to 16777216"},
                {"max-flows", "1000", 0, ""},
                {"max-sessions", "1e5", E_USAGE, "--max-sessions: '1e5'"},
                {"out", "dir", 0, ""},
                {"counters", "file", 0, ""},
                {"out", "", E_USAGE, "--out: the value is empty"},
                {"trust", "", E_USAGE, "--trust: the value is empty"},
                {"json", "perhaps", E_USAGE, "--json: 'perhaps' is neither true nor false"},
                {"quiet", "off", 0, ""},
                {"json", NULL, 0, ""}};
    struct settings s;
    settings_init(&s);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct text why = {0};
        assert_int_equal(settings_set(&s, rows[i].name, rows[i].value, &why), rows[i].rc);
        assert_true(span_starts(text_span(&why), span_text(rows[i].says)));
        text_fini(&why);
    }
    assert_int_equal(s.n_trusted, 1);
    assert_int_equal(s.apps.n, 1);
    assert_int_equal(s.max_flows, 1000);
    assert_string_equal(s.out, "dir");
    assert_string_equal(s.counters, "file");
    assert_true(s.json);
    assert_false(s.quiet);
    settings_fini(&s);
}

static void lists_are_capped(void **state)
{
    (void)state;
    struct settings s;
    struct text why = {0};
    settings_init(&s);
    for (int i = 0; i < SETTINGS_MAX_LIST; i++)
        assert_int_equal(settings_set(&s, "geoip", "x", &why), 0);
    assert_int_equal(settings_set(&s, "geoip", "x", &why), E_LIMIT);
    assert_string_equal(text_str(&why), "--geoip: more than 256 of them");
    text_fini(&why);
    settings_fini(&s);
}

static int load(struct settings *s, const char *content, struct text *why)
{
    char path[] = "/tmp/casetap-settings-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0 && write(fd, content, strlen(content)) == (ssize_t)strlen(content));
    close(fd);
    int rc = settings_load(s, path, why);
    unlink(path);
    return rc;
}

static void the_command_line_comes_after_the_file(void **state)
{
    (void)state;
    struct settings s;
    struct text why = {0};
    settings_init(&s);
    assert_int_equal(load(&s, "out: from-file\nstate: s\ntrust: [10.0.0.0/8, '192.0.2.1']\nmax-flows: 5000\nquiet: true\n", &why), 0);
    assert_string_equal(s.out, "from-file");
    assert_string_equal(s.state, "s");
    assert_int_equal(s.n_trusted, 2);
    assert_int_equal(s.max_flows, 5000);
    assert_true(s.quiet);
    assert_int_equal(settings_set(&s, "out", "from-line", &why), 0);
    assert_int_equal(settings_set(&s, "max-flows", "6000", &why), 0);
    assert_int_equal(settings_set(&s, "trust", "2001:db8::/32", &why), 0);
    assert_string_equal(s.out, "from-line");
    assert_int_equal(s.max_flows, 6000);
    assert_int_equal(s.n_trusted, 3);
    const struct {
        const char *content, *says;
    } bad[] = {{"outt: x\n", ":1:1: unknown key 'outt'; did you mean 'out'?"},
               {"out: [a, b]\n", ":1:6: expected one value"},
               {"trust:\n  - 10.0.0.0/8\n  - x\n", ":3:5: --trust: 'x' is no address"},
               {"quiet: perhaps\n", ":1:8: --quiet: 'perhaps' is neither true nor false"},
               {"out:\n", ":1:"},
               {"alias:\n  a: b\n", ":2:3: expected a list of values"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        text_clear(&why);
        assert_int_equal(load(&s, bad[i].content, &why), E_CONF);
        assert_non_null(strstr(text_str(&why), bad[i].says));
    }
    text_fini(&why);
    settings_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(sets_one_by_one), cmocka_unit_test(lists_are_capped),
                                       cmocka_unit_test(the_command_line_comes_after_the_file)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
