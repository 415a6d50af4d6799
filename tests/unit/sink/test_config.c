/* SPDX-License-Identifier: Apache-2.0
 * What operators write for sinks: what it means, what is refused with which words, and what is wrapped around an alert.
 */
#include "base/err.h"
#include "sink/config.h"

#include "support/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
/* cmocka wants those above first */
#include <cmocka.h>

static struct sink_configs *list_of(const char *text)
{
    struct sink_configs *list = calloc(1, sizeof *list);
    struct text why = {0};
    assert_non_null(list);
    if (sink_config_text(list, text, &why))
        fail_msg("%s: %s", text, text_str(&why));
    text_fini(&why);
    return list;
}

static void urls(void **state)
{
    (void)state;
    static const struct {
        const char *text, *name, *host, *path;
        enum sink_type type;
        uint16_t port;
        enum alert_format format;
        bool is_tls;
    } rows[] = {
        {"file:///var/log/x", "sink1", "", "/var/log/x", SINK_FILE, 0, FORMAT_ECS, false},
        {"a=stdout:#format=text", "a", "", "", SINK_STDOUT, 0, FORMAT_TEXT, false},
        {"syslog+unix:///dev/log", "sink1", "", "/dev/log", SINK_SYSLOG_UNIX, 0, FORMAT_CEF, false},
        {"s-1=syslog+udp://siem", "s-1", "siem", "/", SINK_SYSLOG_UDP, 514, FORMAT_CEF, false},
        {"syslog+tcp://[2001:db8::1]:99#format=leef", "sink1", "2001:db8::1", "/", SINK_SYSLOG_TCP, 99, FORMAT_LEEF,
         false},
        {"syslog+tls://siem.example.com/", "sink1", "siem.example.com", "/", SINK_SYSLOG_TLS, 6514, FORMAT_CEF, true},
        {"w=webhook+https://h.example/a/b?c=d&e=f#severity=high", "w", "h.example", "/a/b?c=d&e=f", SINK_WEBHOOK, 443,
         FORMAT_ECS, true},
        {"hec+https://s:1#secret=env:T", "sink1", "s", "/", SINK_HEC, 1, FORMAT_ECS, true},
        {"bulk+http://[::1]#format=ocsf", "sink1", "::1", "/", SINK_BULK, 9200, FORMAT_OCSF, false},
        {"redis://:pw@h:1/2#stream=x", "sink1", "", "", SINK_REDIS, 6379, FORMAT_ECS, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sink_configs *list = list_of(rows[i].text);
        const struct sink_config *c = &list->at[0];
        assert_string_equal(c->name, rows[i].name);
        assert_string_equal(c->host, rows[i].host);
        assert_string_equal(c->path, rows[i].path);
        assert_int_equal(c->type, rows[i].type);
        assert_int_equal(c->port, rows[i].port);
        assert_int_equal(c->format, rows[i].format);
        assert_int_equal(c->is_tls, rows[i].is_tls);
        free(list);
    }
}

static void options(void **state)
{
    (void)state;
    struct sink_configs *list =
        list_of("syslog+tls://h#ca=/ca&cert=/c&key=/"
                "k&severity=critical&updates=false&timeout=3&retry=2&retry-most=9&attempts=7&spool=5");
    const struct sink_config *c = &list->at[0];
    assert_string_equal(c->ca, "/ca");
    assert_string_equal(c->cert, "/c");
    assert_string_equal(c->key, "/k");
    assert_int_equal(c->least_risk, 80);
    assert_true(c->no_updates);
    assert_int_equal(c->timeout_ms, 3000);
    assert_int_equal(c->retry_ms, 2000);
    assert_int_equal(c->retry_most_ms, 9000);
    assert_int_equal(c->attempts, 7);
    assert_int_equal(c->spool, 5 << 20);
    free(list);
}

static void refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"", "begins with none"},
        {"http://x", "begins with none"},
        {"file://x", "a path from the root"},
        {"syslog+tcp://", "HOST"},
        {"syslog+tcp://:5", "HOST"},
        {"syslog+tcp://h:0", "HOST:PORT"},
        {"syslog+tcp://h:65536", "HOST:PORT"},
        {"syslog+tcp://h:x", "HOST:PORT"},
        {"syslog+tcp://h?format=cef", "HOST"},
        {"syslog+tcp://h/x", "behind '#'"},
        {"webhook+http://h/a b", "a space"},
        {"webhook+http://h/a\r\nX: y", "a space"},
        {"a b=file:///x", "letters"},
        {"file:///x#format=xml", "none of ecs"},
        {"file:///x#severity=worst", "one of low"},
        {"file:///x#nothing=1", "no option"},
        {"file:///x#updates=perhaps", "no option"},
        {"file:///x#timeout=0", "number from 1"},
        {"file:///x#timeout", "number from 1"},
        {"syslog+tls://h#cert=/c", "go together"},
        {"syslog+tcp://h#ca=/c", "for TLS"},
        {"hec+https://h", "token"},
        {"hec+https://h#secret=abc", "env:NAME"},
        {"bulk+http://h#format=cef", "JSON"},
        {"file:///x#retry=9&retry-most=8", "less than"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sink_configs list = {0};
        struct text why = {0};
        assert_int_not_equal(sink_config_text(&list, rows[i].text, &why), E_OK);
        if (!strstr(text_str(&why), rows[i].says))
            fail_msg("%s: '%s'", rows[i].text, text_str(&why));
        assert_int_equal(list.n, 0);
        text_fini(&why);
    }
}

static void too_many_and_twice(void **state)
{
    (void)state;
    struct sink_configs *list = list_of("x=file:///x");
    struct text why = {0};
    assert_int_equal(sink_config_text(list, "x=file:///y", &why), E_CONF);
    while (list->n < SINKS_MAX)
        assert_int_equal(sink_config_text(list, "file:///x", &why), E_OK);
    assert_int_equal(sink_config_text(list, "file:///x", &why), E_LIMIT);
    assert_non_null(sink_config_find(list, "x"));
    assert_null(sink_config_find(list, "y"));
    text_fini(&why);
    free(list);
}

static void secrets(void **state)
{
    (void)state;
    static const struct {
        const char *content;
        mode_t mode;
        int rc;
    } rows[] = {{"sixteen bytes it is\n", 0600, E_OK},
                {"sixteen bytes it is", 0400, E_OK},
                {"sixteen bytes it is", 0640, E_CONF},
                {"short\n", 0600, E_CONF},
                {"", 0600, E_CONF},
                {"sixteen bytes\x1bit is", 0600, E_CONF}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char path[] = "secret.XXXXXX", text[64];
        int fd = mkstemp(path);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, rows[i].content, strlen(rows[i].content)), (ssize_t)strlen(rows[i].content));
        assert_int_equal(fchmod(fd, rows[i].mode), 0);
        close(fd);
        snprintf(text, sizeof text, "webhook+http://h#secret=file:%s", path);
        struct sink_configs *list = list_of(text);
        struct text why = {0};
        assert_int_equal(sink_config_secret(&list->at[0], &why), rows[i].rc);
        assert_null(strstr(text_str(&why), "sixteen bytes it"));
        if (rows[i].rc == E_OK)
            assert_string_equal(list->at[0].secret, "sixteen bytes it is");
        sink_configs_wipe(list);
        assert_int_equal(list->at[0].secret[0], 0);
        text_fini(&why);
        unlink(path);
        free(list);
    }
}

/* Any bytes are a sink, or are refused with a reason. */
static void anything(void **state)
{
    (void)state;
    uint64_t seed = 11;
    for (int turn = 0; turn < 20000; turn++) {
        char text[] = "n=syslog+tls://[::1]:6514/#format=cef&severity=high&secret=env:X&ca=/x&spool=9";
        struct sink_configs list = {0};
        struct text why = {0};
        for (int i = 0; i < 1 + turn % 5; i++)
            text[(size_t)(random_uniform(&seed) * (sizeof text - 1))] = (char)(1 + (int)(random_uniform(&seed) * 255));
        int rc = sink_config_text(&list, text, &why);
        assert_true(rc == E_OK ? list.n == 1 : list.n == 0 && why.size > 0);
        text_fini(&why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls),    cmocka_unit_test(options),
        cmocka_unit_test(refused), cmocka_unit_test(too_many_and_twice),
        cmocka_unit_test(secrets), cmocka_unit_test(anything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
