/* SPDX-License-Identifier: Apache-2.0
 * Client hints as browsers send them, with what they add to the User-Agent and what contradicts it; malformed ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "enrich/client_hints.h"

#define WIN "Mozilla/5.0 (Windows NT 10.0; Win64; x64) "
#define MAC "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) "
#define KHTML "AppleWebKit/537.36 (KHTML, like Gecko) "
#define CHROME_119 "\"Google Chrome\";v=\"119\", \"Chromium\";v=\"119\", \"Not?A_Brand\";v=\"24\""
#define EDGE_119 "\"Microsoft Edge\";v=\"119\", \"Chromium\";v=\"119\", \"Not?A_Brand\";v=\"24\""
#define OPERA_92 "\"Chromium\";v=\"106\", \"Opera\";v=\"92\", \"Not;A=Brand\";v=\"99\""
#define UA_CHROME_119 WIN KHTML "Chrome/119.0.0.0 Safari/537.36"
#define UA_EDGE_119 UA_CHROME_119 " Edg/119.0.0.0"

static struct client_hints parse(const char *brands, const char *platform, const char *version)
{
    struct client_hints hints;
    client_hints_parse(&(struct client_hints_fields){.brands = span_text(brands), .platform = span_text(platform),
                                                     .platform_version = span_text(version)}, &hints);
    return hints;
}

static void test_brands(void **state)
{
    (void)state;
    static const struct {
        const char *brands;
        uint16_t family, major, chromium;
    } rows[] = {
        {CHROME_119, CLIENT_CHROME, 119, 119},
        {"\"Not/A)Brand\";v=\"8\", \"Chromium\";v=\"126\", \"Google Chrome\";v=\"126\"", CLIENT_CHROME, 126, 126},
        {"\" Not A;Brand\";v=\"99\", \"Chromium\";v=\"96\", \"Google Chrome\";v=\"96\"", CLIENT_CHROME, 96, 96},
        {"\"\\\\Not\\\"A;Brand\";v=\"99\", \"Google Chrome\";v=\"85\", \"Chromium\";v=\"85\"", CLIENT_CHROME, 85, 85},
        {"\"(Not(A:Brand\";v=\"99.0.0.0\", \"Google Chrome\";v=\"133.0.6943.141\", \"Chromium\";v=\"133.0.6943.141\"",
         CLIENT_CHROME, 133, 133},
        {EDGE_119, CLIENT_EDGE, 119, 119},
        {"\"Opera\";v=\"81\", \" Not;A Brand\";v=\"99\", \"Chromium\";v=\"95\"", CLIENT_OPERA, 81, 95},
        {OPERA_92, CLIENT_OPERA, 92, 106},
        {"\"HeadlessChrome\";v=\"119\", \"Chromium\";v=\"119\", \"Not?A_Brand\";v=\"24\"", CLIENT_HEADLESS, 119, 119},
        {"\"Brave\";v=\"119\", \"Chromium\";v=\"119\", \"Not?A_Brand\";v=\"24\"", 0, 0, 119},
        {"\t\"Chromium\" ; v=\"1\"", 0, 0, 0},              /* no space stands before a semicolon */
        {"\"Chromium\"; v=\"120\";x;y=?1;z=1.5 ,\t\"A\"", 0, 0, 120},
        {"\"Chromium\";v=120", 0, 0, 0},                    /* its version is no string */
        {"\"Chromium\"", 0, 0, 0},
        {"\"Chromium\";v=\"99999999999\"", 0, 0, 65535},
        {"\"Chromium\";v=\"120\",", 0, 0, 0},               /* malformed from here on: nothing of it counts */
        {"\"Chromium\";v=\"120\", \"Google Chrome", 0, 0, 0},
        {"\"Chromium\";v=\"120", 0, 0, 0},
        {"\"Chromium\";v=\"120\" \"Google Chrome\";v=\"120\"", 0, 0, 0},
        {"\"Chromium\";=\"120\"", 0, 0, 0},
        {"\"Chromium\";v=", 0, 0, 0},
        {"\"Chromium\";v=\"120\", Chromium", 0, 0, 0},
        {"(\"Chromium\");v=\"120\"", 0, 0, 0},
        {"\"Chromium\";v=\"120\", \"a\\n\"", 0, 0, 0},
        {"\"Chromium\";v=\"120\", \"\xc3\xa9\"", 0, 0, 0},
        {"\"Chromium\";v=\"120\", \"\\", 0, 0, 0},
        {"Chromium", 0, 0, 0}, {"", 0, 0, 0}, {",", 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct client_hints hints = parse(rows[i].brands, "", "");
        if (hints.family != rows[i].family || hints.major != rows[i].major || hints.chromium != rows[i].chromium)
            fail_msg("%s: family %u %u, Chromium %u", rows[i].brands, hints.family, hints.major, hints.chromium);
    }
}

static void test_bounds(void **state)
{
    (void)state;
    char list[4096];
    size_t at = (size_t)snprintf(list, sizeof list, "\"Chromium\";v=\"120\"");
    for (int n = 2; n <= 16; n++)
        at += (size_t)snprintf(list + at, sizeof list - at, ",\"b%d\"", n);
    assert_int_equal(parse(list, "", "").chromium, 120);
    (void)snprintf(list + at, sizeof list - at, ",\"b17\""); /* more brands than any browser has */
    assert_int_equal(parse(list, "", "").chromium, 0);
    (void)snprintf(list, sizeof list, "\"Chromium\";v=\"120\", \"%01002d\"", 0); /* 1024 bytes */
    assert_int_equal(strlen(list), 1024);
    assert_int_equal(parse(list, "", "").chromium, 120);
    (void)snprintf(list, sizeof list, "\"Chromium\";v=\"120\", \"%01003d\"", 0);
    assert_int_equal(parse(list, "", "").chromium, 0);

    struct client_hints hints; /* the full list stands in where the short one is missing or malformed, not beside it */
    struct client_hints_fields fields = {.full = SPAN("\"Chromium\";v=\"119.0.6045.105\"")};
    client_hints_parse(&fields, &hints);
    assert_int_equal(hints.chromium, 119);
    fields.brands = SPAN("\"Opera");
    client_hints_parse(&fields, &hints);
    assert_int_equal(hints.chromium, 119);
    fields.brands = SPAN(OPERA_92);
    client_hints_parse(&fields, &hints);
    assert_int_equal(hints.chromium, 106);
}

static void test_systems(void **state)
{
    (void)state;
    static const struct {
        const char *platform, *version;
        uint8_t os;
        uint16_t major, minor;
    } rows[] = {
        {"\"Windows\"", "\"15.0.0\"", OS_WINDOWS, 11, 0}, {"\"Windows\"", "\"13.0.0\"", OS_WINDOWS, 11, 0},
        {"\"Windows\"", "\"10.0.0\"", OS_WINDOWS, 10, 0}, {"\"Windows\"", "\"1.0.0\"", OS_WINDOWS, 10, 0},
        {"\"Windows\"", "\"0.3.0\"", OS_WINDOWS, 8, 1},   {"\"Windows\"", "\"0.2\"", OS_WINDOWS, 8, 0},
        {"\"Windows\"", "\"0.1.0\"", OS_WINDOWS, 7, 0},   {"\"Windows\"", "\"0\"", OS_WINDOWS, 0, 0},
        {"\"Windows\"", "", OS_WINDOWS, 0, 0},            {"\"macOS\"", "\"14.5.0\"", OS_MACOS, 14, 5},
        {"\"Android\"", "\"14\"", OS_ANDROID, 14, 0},     {"\"Linux\"", "\"6.5.0\"", OS_LINUX, 0, 0},
        {"\"Linux\"", "\"\"", OS_LINUX, 0, 0},            {"\"Chrome OS\"", "\"15329.59.0\"", OS_CHROMEOS, 0, 0},
        {"\"Fuchsia\"", "\"1\"", OS_UNKNOWN, 0, 0},       {"\"Unknown\"", "", OS_UNKNOWN, 0, 0},
        {"Windows", "\"15.0.0\"", OS_UNKNOWN, 0, 0},      {"\"Windows", "\"15.0.0\"", OS_UNKNOWN, 0, 0},
        {"\"Windows\", \"x\"", "", OS_UNKNOWN, 0, 0},     {"\"Windows\";a=1", "15.0.0", OS_WINDOWS, 0, 0},
        {"", "\"15.0.0\"", OS_UNKNOWN, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct client_hints hints = parse("", rows[i].platform, rows[i].version);
        if (hints.os != rows[i].os || hints.os_major != rows[i].major || hints.os_minor != rows[i].minor)
            fail_msg("%s %s: system %u, %u.%u", rows[i].platform, rows[i].version, hints.os, hints.os_major, hints.os_minor);
        assert_int_equal(hints.is_seen, rows[i].os != OS_UNKNOWN);
    }
}

/* The label, the system's name and version, and the marks of a User-Agent with hints. */
static const char *say(const char *agent, const struct client_hints *hints)
{
    static char text[160];
    struct user_agent client;
    client_parse(span_text(agent), &client);
    bool differs = client_hints_differ(hints, &client);
    client_hints_add(hints, &client);
    (void)snprintf(text, sizeof text, "%s, %s %u.%u%s%s", client.label, client_os_name((enum client_os)client.system.os),
                   client.system.major, client.system.minor, client.is_machine ? " machine" : "", differs ? " differs" : "");
    return text;
}

static void test_with_agent(void **state)
{
    (void)state;
    static const struct {
        const char *agent, *brands, *platform, *version, *says;
    } rows[] = {
        {UA_CHROME_119, CHROME_119, "\"Windows\"", "\"15.0.0\"", "Chrome 119, Windows 11.0"},
        {UA_CHROME_119, CHROME_119, "\"Windows\"", "", "Chrome 119, Windows 10.0"},
        {MAC KHTML "Chrome/119.0.0.0 Safari/537.36", CHROME_119, "\"macOS\"", "\"14.1.0\"", "Chrome 119, macOS 14.1"},
        {UA_EDGE_119, EDGE_119, "\"Windows\"", "", "Edge 119, Windows 10.0"},
        {WIN KHTML "Chrome/106.0.0.0 Safari/537.36 OPR/92.0.0.0", OPERA_92, "\"Windows\"", "", "Opera 92, Windows 10.0"},
        {UA_CHROME_119, EDGE_119, "\"Windows\"", "", "Chrome 119, Windows 10.0"}, /* Edge, to sites that want it so */
        {"Mozilla/5.0 (Linux; Android 10; K) " KHTML "Chrome/119.0.0.0 Mobile Safari/537.36", CHROME_119, "\"Android\"",
         "\"14.0.0\"", "Chrome 119, Android 14.0"},
        {"Mozilla/5.0 (X11; Linux x86_64) " KHTML "Chrome/119.0.0.0 Safari/537.36", CHROME_119, "\"Android\"", "\"14\"",
         "Chrome 119, Linux 0.0"}, /* the page of a desktop, asked for on a telephone */
        {"", CHROME_119, "\"Windows\"", "\"15.0.0\"", "Chrome 119, Windows 11.0"},
        {"", "", "\"Windows\"", "", "no User-Agent, Windows 0.0 machine"},
        {"", "\"Brave\";v=\"119\", \"Chromium\";v=\"120\"", "", "", "Chrome 120, unknown 0.0"},
        {"Mozilla/5.0", EDGE_119, "\"Linux\"", "", "Edge 119, Linux 0.0"},
        {"", "\"HeadlessChrome\";v=\"119\", \"Chromium\";v=\"119\"", "\"Linux\"", "", "Headless Chrome 119, Linux 0.0 machine"},
        {"python-requests/2.31.0", CHROME_119, "\"Windows\"", "", "python-requests 2, Windows 0.0 machine"},
        /* another browser than it says */
        {UA_CHROME_119, "\"HeadlessChrome\";v=\"119\", \"Chromium\";v=\"119\"", "\"Windows\"", "",
         "Chrome 119, Windows 10.0 machine differs"},
        {"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:147.0) Gecko/20100101 Firefox/147.0", CHROME_119, "\"Windows\"", "",
         "Firefox 147, Windows 10.0 differs"},
        {MAC "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15", CHROME_119, "\"macOS\"", "",
         "Safari 17, macOS 10.15 differs"},
        {WIN KHTML "Chrome/120.0.0.0 Safari/537.36", CHROME_119, "\"Windows\"", "", "Chrome 120, Windows 10.0 differs"},
        {UA_EDGE_119, CHROME_119, "\"Windows\"", "", "Edge 119, Windows 10.0 differs"},
        {UA_CHROME_119, CHROME_119, "\"Linux\"", "", "Chrome 119, Windows 10.0 differs"},
        {MAC KHTML "Chrome/119.0.0.0 Safari/537.36", CHROME_119, "\"Windows\"", "\"15.0.0\"", "Chrome 119, macOS 10.15 differs"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct client_hints hints = parse(rows[i].brands, rows[i].platform, rows[i].version);
        const char *says = say(rows[i].agent, &hints);
        if (strcmp(says, rows[i].says) != 0)
            fail_msg("%s with %s %s: says %s, wants %s", rows[i].agent, rows[i].brands, rows[i].platform, says, rows[i].says);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_brands), cmocka_unit_test(test_bounds),
                                       cmocka_unit_test(test_systems), cmocka_unit_test(test_with_agent)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
