/* SPDX-License-Identifier: Apache-2.0
 * User-Agent to family, version and machine flag: browsers of all makers, programs, prefixes, nonsense. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "enrich/client.h"

#define WIN "Mozilla/5.0 (Windows NT 10.0; Win64; x64) "
#define WEBKIT "AppleWebKit/537.36 (KHTML, like Gecko) "

static void test_known(void **state)
{
    (void)state;
    static const struct {
        const char *agent;
        uint16_t family, major;
        bool is_machine;
        const char *label;
    } cases[] = {
        {WIN "Gecko/20100101 Firefox/147.0", CLIENT_FIREFOX, 147, false, "Firefox 147"},
        {"Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/124.0 "
         "Mobile/15E148 Safari/605.1.15", CLIENT_FIREFOX, 124, false, "Firefox 124"},
        {WIN WEBKIT "Chrome/145.0.0.0 Safari/537.36", CLIENT_CHROME, 145, false, "Chrome 145"},
        {WIN WEBKIT "Chrome/145.0.0.0 Safari/537.36 Edg/146.0.0.0", CLIENT_EDGE, 146, false, "Edge 146"},
        {WIN WEBKIT "Chrome/106.0.0.0 Safari/537.36 OPR/92.0.0.0", CLIENT_OPERA, 92, false, "Opera 92"},
        {WIN WEBKIT "HeadlessChrome/146.0.0.0 Safari/537.36", CLIENT_HEADLESS, 146, true, "Headless Chrome 146"},
        {WIN WEBKIT "SamsungBrowser/23.0 Chrome/115.0.0.0 Mobile Safari/537.36", CLIENT_SAMSUNG, 23, false,
         "Samsung Internet 23"},
        {"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 "
         "Safari/605.1.15", CLIENT_SAFARI, 17, false, "Safari 17"},
        {"Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/123.0 "
         "Mobile/15E148 Safari/604.1", CLIENT_CHROME, 123, false, "Chrome 123"},
        {"Opera/9.80 (Windows NT 6.1) Presto/2.12.388 Version/12.16", CLIENT_OPERA, 12, false, "Opera 12"},
        {"Mozilla/5.0 (Windows NT 6.1; Trident/7.0; rv:11.0) like Gecko", CLIENT_IE, 11, false, "Internet Explorer 11"},
        {"Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1)", CLIENT_IE, 8, false, "Internet Explorer 8"},
        {"Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) WindowsPowerShell/5.1.19041", CLIENT_POWERSHELL, 5, true,
         "PowerShell 5"},
        {"Mozilla/5.0", CLIENT_MOZILLA, 0, false, "Mozilla"},
        {"curl/7.88.1", CLIENT_CURL, 7, true, "curl 7"},
        {"Wget/1.21.3 (linux-gnu)", CLIENT_WGET, 1, true, "Wget 1"},
        {"python-requests/2.31.0", CLIENT_PYTHON_REQUESTS, 2, true, "python-requests 2"},
        {"Python-urllib/3.11", CLIENT_PYTHON_URLLIB, 3, true, "Python-urllib 3"},
        {"Python/3.11 aiohttp/3.9.1", CLIENT_AIOHTTP, 3, true, "aiohttp 3"},
        {"python-httpx/0.27.0", CLIENT_HTTPX, 0, true, "python-httpx"},
        {"Go-http-client/1.1", CLIENT_GO, 1, true, "Go-http-client 1"},
        {"okhttp/4.12.0", CLIENT_OKHTTP, 4, true, "okhttp 4"},
        {"Java/17.0.2", CLIENT_JAVA, 17, true, "Java 17"},
        {"Apache-HttpClient/4.5.13 (Java/17.0.2)", CLIENT_APACHE_HTTP, 4, true, "Apache-HttpClient 4"},
        {"rclone/v1.60.1-DEV", CLIENT_RCLONE, 1, true, "rclone 1"},
        {"aria2/1.36.0", CLIENT_ARIA2, 1, true, "aria2 1"},
        {"PostmanRuntime/7.36.0", CLIENT_POSTMAN, 7, true, "PostmanRuntime 7"},
        {"node", CLIENT_NODE, 0, true, "node"},
        {"", CLIENT_NONE, 0, true, "no User-Agent"},
        {" \t", CLIENT_NONE, 0, true, "no User-Agent"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct user_agent client;
        client_parse(span_text(cases[i].agent), &client);
        assert_string_equal(client.label, cases[i].label);
        assert_int_equal(client.family, cases[i].family);
        assert_int_equal(client.major, cases[i].major);
        assert_int_equal(client.is_machine, cases[i].is_machine);
    }
}

static struct user_agent parse(const char *agent)
{
    struct user_agent client;
    client_parse(span_text(agent), &client);
    return client;
}

static void test_other(void **state)
{
    (void)state;
    struct user_agent export = parse("case-export/2.3 python-requests/2.31.0");
    assert_string_equal(export.label, "case-export 2");
    assert_int_equal(export.major, 2);
    assert_true(export.is_machine);
    assert_true(export.family >= CLIENT_OTHER);
    assert_string_equal(client_family_name(export.family), "other");
    assert_int_equal(parse("Case-Export/3.0").family, export.family); /* the name alone tells, whatever the version */
    assert_int_not_equal(parse("case-import/2.3").family, export.family);
    assert_int_not_equal(parse("case").family, export.family);

    struct user_agent bot = parse("Mozilla/5.0 (compatible; Googlebot/2.1; +http://example.org/bot.html)");
    assert_string_equal(bot.label, "Googlebot 2");
    assert_true(bot.is_machine);
    assert_string_equal(parse("x/99999999999999999999").label, "x 65535");
    assert_string_equal(parse("(((((").label, "(((((");
    assert_string_equal(parse("a\x01\xff" "b/1").label, "a??b 1");
    assert_string_equal(parse("/5").label, "/5");
    char label[41] = {0}, agent[400];
    memset(agent, 'y', 399);
    agent[399] = 0;
    memset(label, 'y', 40);
    assert_string_equal(parse(agent).label, label); /* cut */
}

static void test_names(void **state)
{
    (void)state;
    for (uint16_t i = 0; i < CLIENT_N; i++) {
        assert_non_null(client_family_name(i));
        for (uint16_t k = 0; k < i; k++)
            assert_string_not_equal(client_family_name(i), client_family_name(k));
    }
    assert_string_equal(client_family_name(CLIENT_N), "unknown");
    assert_string_equal(client_family_name(0xffff), "other");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_other),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
