/* SPDX-License-Identifier: Apache-2.0
 * User-Agent to family, version, system and machine flag: browsers of all makers, programs, prefixes, nonsense; JA4
 * against User-Agent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "enrich/client.h"
#include "enrich/client_tls.h"

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

#define IOS "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
#define MAC "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) "
#define SAFARI "AppleWebKit/605.1.15 (KHTML, like Gecko) "

static void test_systems(void **state)
{
    (void)state;
    static const struct {
        const char *agent;
        uint8_t os;
        uint16_t major, minor;
    } cases[] = {
        {WIN WEBKIT "Chrome/145.0.0.0 Safari/537.36", OS_WINDOWS, 10, 0},
        {WIN WEBKIT "Chrome/145.0.0.0 Safari/537.36 Edg/146.0.0.0", OS_WINDOWS, 10, 0},
        {"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:147.0) Gecko/20100101 Firefox/147.0", OS_WINDOWS, 10, 0},
        {"Mozilla/5.0 (Windows NT 6.1; Trident/7.0; rv:11.0) like Gecko", OS_WINDOWS, 7, 0},
        {"Mozilla/5.0 (Windows NT 6.2; WOW64) " WEBKIT "Chrome/49.0.2623.112 Safari/537.36", OS_WINDOWS, 8, 0},
        {"Mozilla/5.0 (Windows NT 6.3; Win64; x64; rv:109.0) Gecko/20100101 Firefox/115.0", OS_WINDOWS, 8, 1},
        {"Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 6.0)", OS_WINDOWS, 6, 0},
        {"Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1; SV1)", OS_WINDOWS, 5, 1},
        {"Mozilla/4.0 (compatible; MSIE 5.5; Windows 98; Win 9x 4.90)", OS_WINDOWS, 0, 0},
        {"Opera/9.80 (Windows NT 6.1) Presto/2.12.388 Version/12.16", OS_WINDOWS, 7, 0},
        {"Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) WindowsPowerShell/5.1.19041.3803", OS_WINDOWS, 10, 0},
        {"Mozilla/5.0 (Windows NT 10.0; Microsoft Windows 10.0.22631; en-US) PowerShell/7.4.1", OS_WINDOWS, 10, 0},
        {"Mozilla/5.0 (Linux; Ubuntu 22.04.3 LTS; en-US) PowerShell/7.4.1", OS_LINUX, 0, 0},
        {"curl/8.4.0 (Windows) libcurl/8.4.0 Schannel", OS_WINDOWS, 0, 0},
        {"Mozilla/5.0 (Windows Phone 10.0; Android 6.0.1; Microsoft; Lumia 950) " WEBKIT "Chrome/52.0.2743.116 Mobile "
         "Safari/537.36 Edge/15.15063", OS_WINDOWS_PHONE, 10, 0},
        {"Mozilla/5.0 (compatible; MSIE 9.0; Windows Phone OS 7.5; Trident/5.0; IEMobile/9.0)", OS_WINDOWS_PHONE, 7, 5},
        {MAC SAFARI "Version/17.4 Safari/605.1.15", OS_MACOS, 10, 15},
        {MAC WEBKIT "Chrome/145.0.0.0 Safari/537.36", OS_MACOS, 10, 15},
        {"Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:147.0) Gecko/20100101 Firefox/147.0", OS_MACOS, 10, 15},
        {"Mozilla/5.0 (Macintosh; Intel Mac OS X 14_0) " SAFARI, OS_MACOS, 14, 0},
        {"Mozilla/5.0 (Macintosh; Intel Mac OS X) " SAFARI, OS_MACOS, 0, 0},
        {IOS "Version/17.4 Mobile/15E148 Safari/604.1", OS_IOS, 17, 4},
        {IOS "CriOS/123.0 Mobile/15E148 Safari/604.1", OS_IOS, 17, 4},
        {IOS "EdgiOS/121.0 Version/17.0 Mobile/15E148 Safari/604.1", OS_IOS, 17, 4},
        {"Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) " SAFARI "Version/16.6 Mobile/15E148 Safari/604.1", OS_IPADOS, 16, 6},
        {"Mozilla/5.0 (iPod touch; CPU iPhone OS 12_0 like Mac OS X) " SAFARI "Version/12.0 Mobile/15E148 Safari/604.1",
         OS_IOS, 12, 0},
        {"Desk/4.2 (iPhone; iOS 17.2; Scale/3.00)", OS_IOS, 17, 2},
        {"Desk/4.2 (iPad; iOS 15.8; Scale/2.00)", OS_IPADOS, 15, 8},
        {"Desk/7 CFNetwork/1410.0.3 Darwin/22.6.0", OS_UNKNOWN, 0, 0}, /* a Mac or a phone */
        {"Mozilla/5.0 (Linux; Android 10; K) " WEBKIT "Chrome/145.0.0.0 Mobile Safari/537.36", OS_ANDROID, 10, 0},
        {"Mozilla/5.0 (Linux; Android 13; SM-S918B) " WEBKIT "SamsungBrowser/23.0 Chrome/115.0.0.0 Mobile Safari/537.36",
         OS_ANDROID, 13, 0},
        {"Mozilla/5.0 (Android 14; Mobile; rv:124.0) Gecko/124.0 Firefox/124.0", OS_ANDROID, 14, 0},
        {"Dalvik/2.1.0 (Linux; U; Android 8.1.0; Nexus 5X Build/OPM7)", OS_ANDROID, 8, 1},
        {"Mozilla/5.0 (Android; Mobile; rv:40.0) Gecko/40.0 Firefox/40.0", OS_ANDROID, 0, 0},
        {"Mozilla/5.0 (X11; Linux x86_64) " WEBKIT "Chrome/145.0.0.0 Safari/537.36", OS_LINUX, 0, 0},
        {"Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:147.0) Gecko/20100101 Firefox/147.0", OS_LINUX, 0, 0},
        {"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) " WEBKIT "Chrome/145.0.0.0 Safari/537.36", OS_CHROMEOS, 14541, 0},
        {"Mozilla/5.0 (X11; CrOS", OS_UNKNOWN, 0, 0},
        {"Mozilla/5.0 (X11; CrOS x86_64", OS_CHROMEOS, 0, 0},
        {"Mozilla/5.0 (X11; FreeBSD amd64; rv:128.0) Gecko/20100101 Firefox/128.0", OS_FREEBSD, 0, 0},
        {"Mozilla/5.0 (X11; OpenBSD amd64; rv:128.0) Gecko/20100101 Firefox/128.0", OS_OPENBSD, 0, 0},
        {"Mozilla/5.0 (X11; NetBSD amd64; rv:60.0) Gecko/20100101 Firefox/60.0", OS_NETBSD, 0, 0},
        {"Mozilla/5.0 (X11; SunOS i86pc; rv:52.0) Gecko/20100101 Firefox/52.0", OS_SOLARIS, 0, 0},
        {"Mozilla/5.0 (SMART-TV; Linux; Tizen 5.0) " WEBKIT "Version/5.0 TV Safari/537.36", OS_TIZEN, 5, 0},
        {"Mozilla/5.0 (Phone; OpenHarmony 5.0) " WEBKIT "Chrome/114.0.0.0 Safari/537.36", OS_HARMONYOS, 5, 0},
        {"Wget/1.21.3 (linux-gnu)", OS_LINUX, 0, 0},
        {"aws-cli/2.13.0 Python/3.11.4 Linux/5.10 exe/x86_64", OS_LINUX, 0, 0},
        {"Boto3/1.34.0 md/Botocore#1.34.0 ua/2.0 os/linux#6.1 lang/python#3.11", OS_LINUX, 0, 0},
        {"Boto3/1.34.0 md/Botocore#1.34.0 ua/2.0 os/windows#10 lang/python#3.11", OS_WINDOWS, 10, 0},
        {"Boto3/1.34.0 md/Botocore#1.34.0 ua/2.0 os/macos#22.6.0 lang/python#3.11", OS_MACOS, 0, 0},
        {"curl/7.88.1", OS_UNKNOWN, 0, 0},
        {"python-requests/2.31.0", OS_UNKNOWN, 0, 0},
        {"Go-http-client/1.1", OS_UNKNOWN, 0, 0},
        {"PostmanRuntime/7.36.0", OS_UNKNOWN, 0, 0},
        {"Mozilla/5.0", OS_UNKNOWN, 0, 0},
        {"", OS_UNKNOWN, 0, 0},
        {"Windows NT ", OS_WINDOWS, 0, 0},
        {"Windows NT .1", OS_WINDOWS, 0, 0},
        {"Windows NT 99999999999999999999.99999999999999999999", OS_WINDOWS, 65535, 65535},
        {"Android -1", OS_ANDROID, 0, 0},
        {"Android 10_", OS_ANDROID, 10, 0},
        {"\xff\x01 Android 9\xff", OS_ANDROID, 9, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct user_agent client = parse(cases[i].agent);
        if (client.system.os != cases[i].os || client.system.major != cases[i].major || client.system.minor != cases[i].minor)
            fail_msg("%s: %s %u.%u", cases[i].agent, client_os_name(client.system.os), client.system.major, client.system.minor);
    }
}

static void test_tls(void **state)
{
    (void)state;
    static const char chrome[] = WIN WEBKIT "Chrome/145.0.0.0 Safari/537.36";
    static const char firefox[] = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:147.0) Gecko/20100101 Firefox/147.0";
    static const char safari[] = MAC SAFARI "Version/17.4 Safari/605.1.15";
    static const struct {
        const char *agent, *ja4;
        bool differs;
    } cases[] = {
        /* the browsers themselves: over HTTP/2, without a server name, for WebSockets, resumed, TLS 1.2 alone, QUIC */
        {chrome, "t13d1516h2_8daaf6152771_b1ff8ab37d37", false}, {chrome, "t13d1517h2_8daaf6152771_b1ff8ab37d37", false},
        {chrome, "t13i1515h2_8daaf6152771_de4a06bb82e3", false}, {chrome, "t13d1516h1", false},
        {chrome, "t13d151400", false},   {chrome, "t13d0311h1", false},   {chrome, "t12d1209h1", false},
        {chrome, "t12d1210h2", false},   {chrome, "q13d0310h3", false},   {chrome, "t13d1615h2", false},
        {firefox, "t13d1715h2", false},  {firefox, "t13d1814h2", false},  {firefox, "t13d1613h1", false},
        {firefox, "t13i1712h1", false},  {safari, "t13d2014h2", false},   {safari, "t13d2613h2", false},
        {IOS "CriOS/123.0 Mobile/15E148 Safari/604.1", "t13d2014h2", false},
        {IOS "FxiOS/124.0 Mobile/15E148 Safari/605.1.15", "t13d2613h2", false},
        {MAC SAFARI "CriOS/123 Version/11.1.1 Safari/605.1.15", "t13d2014h2", false}, /* "desktop site" on a phone */
        /* curl, Python, an inspecting proxy, old and odd programs that say they are one */
        {chrome, "t13d3112h2_e8f1e7e78f70_b26ce05bbdd6", true}, {firefox, "t13d3112h2", true}, {safari, "t13d3112h2", true},
        {chrome, "t13d1811h1", true},    {chrome, "t13d171100", true},    {firefox, "t13d171100", true},
        {firefox, "t13d1812h1", true},   {safari, "t13d4312h1", true},    {chrome, "t12d2807h1", true},
        {chrome, "t10d120700", true},    {chrome, "t11d1208h2", true},    {firefox, "ts3i100000", true},
        {chrome, "t12d080500", true},    {IOS "CriOS/123.0 Mobile/15E148 Safari/604.1", "t13d3112h2", true},
        {chrome, "t13d1911h2", true},    {chrome, "t13d1312h1", true},    {chrome, "t13d1312h2", false},
        /* nothing is known of these */
        {"curl/7.88.1", "t13d1516h2", false}, {"curl/7.88.1", "t10d120700", false}, {"", "t13d3112h2", false},
        {"Mozilla/5.0", "t13d3112h2", false}, {WIN WEBKIT "HeadlessChrome/146.0.0.0 Safari/537.36", "t13d3112h2", false},
        {WIN WEBKIT "Chrome/49.0.2623.112 Safari/537.36", "t12d2807h1", false},
        {"Mozilla/5.0 (Windows NT 6.1; Trident/7.0; rv:11.0) like Gecko", "t10d120700", false},
        {chrome, "", false}, {chrome, "t13d3112", false}, {chrome, "t13dxx12h2", false}, {chrome, "t13d31x2h2", false},
        {chrome, "t13x3112h2", false}, {chrome, "t13d3112h2junk", false}, {chrome, "d13d3112h2", false},
        {chrome, "t00d1000zz", false}, {chrome, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct user_agent client = parse(cases[i].agent);
        if (client_tls_differs(&client, span_text(cases[i].ja4)) != cases[i].differs)
            fail_msg("%s with %s", cases[i].agent, cases[i].ja4);
    }
}

static void test_names(void **state)
{
    (void)state;
    for (uint16_t i = 0; i < CLIENT_N; i++) {
        assert_non_null(client_family_name(i));
        for (uint16_t k = 0; k < i; k++)
            assert_string_not_equal(client_family_name(i), client_family_name(k));
    }
    for (int i = 0; i < OS_N; i++) {
        assert_non_null(client_os_name((enum client_os)i));
        for (int k = 0; k < i; k++)
            assert_string_not_equal(client_os_name((enum client_os)i), client_os_name((enum client_os)k));
    }
    assert_string_equal(client_os_name(OS_N), "unknown");
    assert_string_equal(client_family_name(CLIENT_N), "unknown");
    assert_string_equal(client_family_name(0xffff), "other");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_other),
        cmocka_unit_test(test_systems),
        cmocka_unit_test(test_tls),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
