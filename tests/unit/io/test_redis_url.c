/* SPDX-License-Identifier: Apache-2.0
 * Redis addresses: every form, and refusals that never show a password. */
#include "io/redis_url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"

static void reads_every_form(void **state)
{
    (void)state;
    static const struct {
        const char *url, *host, *path, *user, *password, *where;
        unsigned port, db;
    } rows[] = {
        {"redis://localhost", "localhost", "", "", "", "redis://localhost:6379/0", 6379, 0},
        {"redis://10.0.0.5:7000/3", "10.0.0.5", "", "", "", "redis://10.0.0.5:7000/3", 7000, 3},
        {"redis://10.0.0.5/", "10.0.0.5", "", "", "", "redis://10.0.0.5:6379/0", 6379, 0},
        {"redis://:secret@h", "h", "", "", "secret", "redis://h:6379/0", 6379, 0},
        {"redis://casetap:a%40b%2Fc%3a@h:1/2", "h", "", "casetap", "a@b/c:", "redis://h:1/2", 1, 2},
        {"redis://casetap:p@ss:w@h", "h", "", "casetap", "p@ss:w", "redis://h:6379/0", 6379, 0},
        {"redis://[::1]:7001/1", "::1", "", "", "", "redis://[::1]:7001/1", 7001, 1},
        {"redis://u:p@[2001:db8::1]", "2001:db8::1", "", "u", "p", "redis://[2001:db8::1]:6379/0", 6379, 0},
        {"unix:///run/redis.sock", "", "/run/redis.sock", "", "", "unix:///run/redis.sock", 0, 0},
        {"unix:///run/redis.sock?db=4", "", "/run/redis.sock", "", "", "unix:///run/redis.sock?db=4", 0, 4},
        {"unix:///a:b@/c", "", "/a:b@/c", "", "", "unix:///a:b@/c", 0, 0},
        {"unix://u:p@/run/a%20b", "", "/run/a b", "u", "p", "unix:///run/a b", 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct redis_url url;
        struct text why = {0};
        int result = redis_url_parse(rows[i].url, &url, &why);
        if (result != E_OK)
            fail_msg("%s: %s", rows[i].url, text_str(&why));
        assert_string_equal(url.host, rows[i].host);
        assert_string_equal(url.path, rows[i].path);
        assert_string_equal(url.user, rows[i].user);
        assert_string_equal(url.password, rows[i].password);
        assert_string_equal(url.where, rows[i].where);
        assert_int_equal(url.port, rows[i].port);
        assert_int_equal(url.db, rows[i].db);
        redis_url_wipe(&url);
        assert_string_equal(url.password, "");
        text_fini(&why);
    }
}

static void refuses_the_rest_without_showing_secrets(void **state)
{
    (void)state;
    static const struct {
        const char *url, *says;
    } rows[] = {
        {"", "unknown beginning"},
        {"10.0.0.5:6379", "unknown beginning"},
        {"http://h", "unknown beginning of http://h;"},
        {"http://:hunter2@h", "unknown beginning;"},
        {"hunter2@h", "unknown beginning;"},
        {"rediss://:hunter2@h", "TLS"},
        {"redis://", "host is missing"},
        {"redis://:hunter2@", "host is missing"},
        {"redis://:hunter2@:6379", "host is missing"},
        {"redis://hunter2@h", "not understood"},
        {"redis://:hunter2%zz@h", "not understood"},
        {"redis://:hunter2%4@h", "not understood"},
        {"redis://:hunter2%00@h", "not understood"},
        {"redis://:hunter2@h:0", "port"},
        {"redis://:hunter2@h:65536", "port"},
        {"redis://:hunter2@h:6x", "port"},
        {"redis://:hunter2@h:", "port"},
        {"redis://:hunter2@h/x", "database"},
        {"redis://:hunter2@h/65536", "database"},
        {"redis://:hunter2@[::1", "']'"},
        {"redis://:hunter2@[::1]x", "port"},
        {"unix://run/redis.sock", "begins with '/'"},
        {"unix://", "begins with '/'"},
        {"unix://hunter2@/x", "not understood"},
        {"unix:///x?password=hunter2", "only db=NUMBER"},
        {"unix:///x?db=", "only db=NUMBER"},
        {"unix:///x%2", "broken %XX"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct redis_url url;
        struct text why = {0};
        assert_int_equal(redis_url_parse(rows[i].url, &url, &why), E_CONF);
        if (!strstr(text_str(&why), rows[i].says))
            fail_msg("%s: \"%s\" does not say \"%s\"", rows[i].url, text_str(&why), rows[i].says);
        assert_null(strstr(text_str(&why), "hunter2"));
        assert_null(strchr(text_str(&why), '\n'));
        assert_string_equal(url.password, "");
        text_fini(&why);
    }
}

static void refuses_what_does_not_fit(void **state)
{
    (void)state;
    char url[2048];
    struct redis_url out;
    struct text why = {0};
    snprintf(url, sizeof url, "unix:///%0120d", 0);
    assert_int_equal(redis_url_parse(url, &out, &why), E_CONF);
    snprintf(url, sizeof url, "redis://%0300d", 0);
    assert_int_equal(redis_url_parse(url, &out, &why), E_CONF);
    snprintf(url, sizeof url, "redis://:%0600d@h", 0);
    assert_int_equal(redis_url_parse(url, &out, &why), E_CONF);
    text_fini(&why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_form),
        cmocka_unit_test(refuses_the_rest_without_showing_secrets),
        cmocka_unit_test(refuses_what_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
