/* SPDX-License-Identifier: Apache-2.0
 * What an activity gets: place, network, client; where databases are found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "enrich/client.h"
#include "enrich/enrich.h"
#include "support/savefile.h"

#define DEMO "tests/pcaps/demo-geo.mmdb"

static struct activity *make(const char *source, const char *method, const char *agent)
{
    struct activity *a = malloc(sizeof *a);
    assert_non_null(a);
    activity_init(a);
    if (source)
        assert_true(ipaddr_parse(span_text(source), &a->source));
    activity_set(a, STR_METHOD, span_text(method));
    activity_set(a, STR_AGENT, span_text(agent));
    return a;
}

static void expect_text(const struct activity *a, enum activity_string which, const char *text)
{
    assert_true(span_eq(activity_get(a, which), span_text(text)));
}

static void test_activity(void **state)
{
    (void)state;
    char scratch[64], path[512];
    struct text why = {0};
    struct enrich *e = enrich_new();
    assert_non_null(e);
    assert_int_equal(enrich_add_geo(e, DEMO, &why), E_OK);
    assert_true(enrich_has_country(e) && enrich_has_asn(e));
    scratch_make(scratch);
    scratch_write(scratch, "vpn.txt", SPAN("67.43.156.0/24 exit nodes\n10.9.0.0/16\n"), path);
    assert_int_equal(enrich_add_list(e, path, NETWORK_VPN, &why), E_OK);

    struct activity *a = make("67.43.156.9", "GET", "curl/8.5.0");
    enrich_activity(e, a);
    assert_string_equal(a->country, "BT");
    assert_int_equal(a->asn, 35908);
    expect_text(a, STR_AS_ORG, "Krypt Technologies");
    expect_text(a, STR_NETWORK, "exit nodes");
    expect_text(a, STR_CLIENT, "curl 8");
    assert_int_equal(a->source_class, NETWORK_VPN);
    assert_int_equal(a->client_family, CLIENT_CURL);
    assert_int_equal(a->client_major, 8);
    assert_int_equal(a->flags, ACT_MACHINE);
    free(a);

    a = make("10.20.0.1", "GET", "Mozilla/5.0 (X11; Linux x86_64; rv:147.0) Gecko/20100101 Firefox/147.0");
    enrich_activity(e, a);
    assert_int_equal(a->source_class, NETWORK_PRIVATE);
    assert_string_equal(a->country, "");
    expect_text(a, STR_NETWORK, "");
    expect_text(a, STR_CLIENT, "Firefox 147");
    assert_int_equal(a->client_os, OS_LINUX);
    assert_int_equal(a->flags, 0);
    free(a);

    a = make("10.20.0.1", "GET", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:147.0) Gecko/20100101 Firefox/147.0");
    activity_set(a, STR_JA4, SPAN("t13d3112h2_e8f1e7e78f70_b26ce05bbdd6"));
    enrich_activity(e, a);
    assert_int_equal(a->client_os, OS_MACOS);
    assert_int_equal(a->os_major, 10);
    assert_int_equal(a->os_minor, 15);
    assert_int_equal(a->flags, 0); /* the handshake is a proxy's */
    a->peer.ip = a->source;
    enrich_activity(e, a);
    assert_int_equal(a->flags, ACT_CLIENT_MISMATCH);
    a->flags = 0;
    activity_set(a, STR_JA4, SPAN("t13d1715h2_5b57614c22b0_5c2c66f702b0"));
    enrich_activity(e, a);
    assert_int_equal(a->flags, 0);
    free(a);

    a = make("10.20.0.1", "GET", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
                                 "Chrome/119.0.0.0 Safari/537.36");
    a->client_hints = (struct client_hints){.family = CLIENT_CHROME, .major = 119, .chromium = 119, .os = OS_WINDOWS,
                                            .os_major = 11, .is_seen = true};
    enrich_activity(e, a);
    assert_int_equal(a->os_major, 11);
    assert_int_equal(a->flags, 0);
    a->client_hints = (struct client_hints){0};
    enrich_activity(e, a); /* the same User-Agent of somebody whose hints nobody asked for */
    assert_int_equal(a->os_major, 10);
    a->client_hints = (struct client_hints){.family = CLIENT_HEADLESS, .major = 119, .chromium = 119, .is_seen = true};
    enrich_activity(e, a);
    expect_text(a, STR_CLIENT, "Chrome 119");
    assert_int_equal(a->flags, ACT_CLIENT_MISMATCH | ACT_MACHINE);
    free(a);

    a = make("10.20.0.1", "GET", "");
    a->client_hints = (struct client_hints){.family = CLIENT_EDGE, .major = 119, .chromium = 119, .os = OS_MACOS,
                                            .is_seen = true};
    enrich_activity(e, a);
    expect_text(a, STR_CLIENT, "Edge 119");
    assert_int_equal(a->client_os, OS_MACOS);
    assert_int_equal(a->flags, 0);
    free(a);

    a = make("10.9.1.1", "GET", "");
    enrich_activity(e, a);
    assert_int_equal(a->source_class, NETWORK_VPN); /* the operator's word before the address's look */
    expect_text(a, STR_NETWORK, "vpn");
    assert_int_equal(a->client_family, CLIENT_NONE);
    assert_int_equal(a->flags, ACT_MACHINE);
    free(a);

    a = make(NULL, "", ""); /* neither an address nor a request was seen */
    enrich_activity(e, a);
    assert_int_equal(a->source_class, NETWORK_UNKNOWN);
    assert_int_equal(a->client_family, CLIENT_UNKNOWN);
    assert_int_equal(a->flags, 0);
    expect_text(a, STR_CLIENT, "");
    free(a);

    enrich_free(e);
    scratch_remove(scratch);
    text_fini(&why);
}

static void test_find(void **state)
{
    (void)state;
    struct enrich *e = enrich_new();
    assert_int_equal(setenv("CASETAP_GEOIP", "/nonexistent.mmdb:" DEMO ":", 1), 0);
    int with_environment = enrich_find_geo(e);
    assert_int_equal(unsetenv("CASETAP_GEOIP"), 0);
    enrich_free(e);
    e = enrich_new();
    assert_int_equal(enrich_find_geo(e), with_environment - 1); /* what this machine has anyway */
    enrich_free(e);

    e = enrich_new();
    assert_int_equal(setenv("CASETAP_GEOIP", "tests/pcaps", 1), 0);
    assert_int_equal(enrich_find_geo(e), with_environment);
    assert_int_equal(unsetenv("CASETAP_GEOIP"), 0);
    assert_non_null(strstr(enrich_source(e, (size_t)with_environment - 1), DEMO ": casetap-demo-Country-ASN, 2026-01-01"));
    assert_null(enrich_source(e, (size_t)with_environment));
    enrich_free(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_activity),
        cmocka_unit_test(test_find),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
