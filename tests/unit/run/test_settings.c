/* SPDX-License-Identifier: Apache-2.0
 * Settings from words and from a file. */
#include "base/err.h"
#include "run/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
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

/* Two files, the second by a pattern; what stands later wins. */
static void files_include_files(void **state)
{
    (void)state;
    struct settings s;
    struct text why = {0}, path = {0};
    char dir[] = "/tmp/casetap-settings-XXXXXX";
    assert_non_null(mkdtemp(dir));
    const struct {
        const char *name, *content;
    } files[] = {{"main.yaml", "out: before\nmax-flows: 2000\ninclude: [more-*.yaml]\nstate: after\n"},
                 {"more-1.yaml", "out: included\nstate: included\ntrust: 10.0.0.0/8\n"},
                 {"loop.yaml", "include: loop.yaml\n"},
                 {"away.yaml", "include: [nowhere.yaml]\n"},
                 {"wrong.yaml", "include: broken.yaml\n"},
                 {"broken.yaml", "quiet: true\nmax-flow: 1\n"}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        text_clear(&path);
        text_addf(&path, "%s/%s", dir, files[i].name);
        FILE *f = fopen(text_str(&path), "we");
        assert_true(f && fputs(files[i].content, f) >= 0 && fclose(f) == 0);
    }
    const struct {
        const char *name;
        int rc;
        const char *says;
    } rows[] = {{"main.yaml", 0, ""},
                {"loop.yaml", E_CONF, "loop.yaml:1:10: more than 8 files"},
                {"away.yaml", E_CONF, "away.yaml:1:11: "},
                {"wrong.yaml", E_CONF, "broken.yaml:2:1: unknown key 'max-flow'; did you mean 'max-flows'?"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        settings_init(&s);
        text_clear(&why);
        text_clear(&path);
        text_addf(&path, "%s/%s", dir, rows[i].name);
        assert_int_equal(settings_load(&s, text_str(&path), &why), rows[i].rc);
        assert_non_null(strstr(text_str(&why), rows[i].says));
        if (i == 0) {
            assert_string_equal(s.out, "included");
            assert_string_equal(s.state, "after");
            assert_int_equal(s.max_flows, 2000);
            assert_int_equal(s.n_trusted, 1);
        }
        settings_fini(&s);
    }
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        text_clear(&path);
        text_addf(&path, "%s/%s", dir, files[i].name);
        unlink(text_str(&path));
    }
    rmdir(dir);
    text_fini(&path);
    text_fini(&why);
}

static void values_come_from_elsewhere(void **state)
{
    (void)state;
    struct text why = {0}, content = {0};
    char secret[] = "/tmp/casetap-secret-XXXXXX";
    int fd = mkstemp(secret); /* 0600 */
    assert_true(fd >= 0 && write(fd, "s3cret\nmore\n", 12) == 12);
    close(fd);
    assert_non_null(getenv("PATH"));
    const struct {
        const char *value, *becomes; /* becomes NULL: refused */
    } rows[] = {{"redis://u:${file:%s}@h/0", "redis://u:s3cret@h/0"},
                {"a$${b}", "a${b}"},
                {"'${CASETAP_TEST_NOBODY_SET_THIS}'", NULL},
                {"'${file:/nowhere/at/all}'", NULL},
                {"'${open'", NULL}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct settings s;
        settings_init(&s);
        text_clear(&content);
        text_clear(&why);
        text_add_str(&content, "redis: ");
        const char *hole = strstr(rows[i].value, "%s");
        text_add(&content, span_of(rows[i].value, hole ? (size_t)(hole - rows[i].value) : strlen(rows[i].value)));
        if (hole)
            text_addf(&content, "%s%s", secret, hole + 2);
        text_add_str(&content, "\n");
        assert_int_equal(load(&s, text_str(&content), &why), rows[i].becomes ? 0 : E_CONF);
        if (rows[i].becomes)
            assert_string_equal(s.redis, rows[i].becomes);
        else
            assert_non_null(strstr(text_str(&why), ":1:8: "));
        settings_fini(&s);
    }
    struct settings s;
    settings_init(&s);
    assert_int_equal(chmod(secret, 0640), 0);
    text_clear(&content);
    text_clear(&why);
    text_addf(&content, "redis: ${file:%s}\n", secret);
    assert_int_equal(load(&s, text_str(&content), &why), E_CONF);
    assert_non_null(strstr(text_str(&why), "others may read the secret; chmod 600"));
    settings_fini(&s);
    unlink(secret);
    text_fini(&content);
    text_fini(&why);
}

/* What is printed as defaults is a configuration, and one that changes nothing. */
static void the_defaults_are_a_configuration(void **state)
{
    (void)state;
    struct settings s, untouched;
    struct text out = {0}, why = {0};
    settings_init(&s);
    settings_init(&untouched);
    assert_int_equal(settings_print("yaml", &out), 0);
    assert_int_equal(load(&s, text_str(&out), &why), 0);
    settings_fixed(&s, &untouched, &why);
    assert_string_equal(text_str(&why), "");
    for (char *p = out.at; (p = strstr(p, "\n#")); p++) /* nor are the examples wrong */
        if (p[2] != ' ' || p[3] == ' ')
            memmove(p + 1, p + 2, strlen(p + 1));
    settings_fini(&s);
    settings_init(&s);
    assert_int_equal(load(&s, text_str(&out), &why), 0);
    assert_string_equal(s.roster, "/etc/casetap/roster.csv");
    assert_int_equal(s.sinks->n, 1);
    settings_fixed(&s, &untouched, &why);
    assert_non_null(strstr(text_str(&why), "interface, filter"));
    assert_null(strstr(text_str(&why), "roster")); /* is taken up */
    settings_fini(&s);
    settings_fini(&untouched);
    text_fini(&out);
    text_fini(&why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(sets_one_by_one), cmocka_unit_test(lists_are_capped),
                                       cmocka_unit_test(the_command_line_comes_after_the_file),
                                       cmocka_unit_test(files_include_files), cmocka_unit_test(values_come_from_elsewhere),
                                       cmocka_unit_test(the_defaults_are_a_configuration)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
