/* SPDX-License-Identifier: Apache-2.0
 * Which address is the person's, hop by hop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the above */
#include <cmocka.h>

#include "app/forward.h"

struct row {
    const char *peer, *proxy, *fields[4]; /* name, value, name, value */
    const char *client;
    bool is_forwarded, is_forged;
};

/* trust: private peers */
static const struct row by_default[] = {
    {"198.51.100.7", NULL, {NULL}, "198.51.100.7", false, false},
    {"10.0.0.1", NULL, {NULL}, "10.0.0.1", false, false},
    {"10.0.0.1", NULL, {"X-Forwarded-For", "198.51.100.7"}, "198.51.100.7", true, false},
    {"10.0.0.1", NULL, {"x-forwarded-for", "198.51.100.200, 67.43.156.9"}, "67.43.156.9", true, true},
    {"10.0.0.1", NULL, {"X-Forwarded-For", "10.1.2.3, 67.43.156.9"}, "67.43.156.9", true, false},
    {"10.0.0.1", NULL, {"X-Forwarded-For", "198.51.100.7, 10.0.0.9"}, "198.51.100.7", true, false},
    {"10.0.0.1", NULL, {"X-Forwarded-For", "198.51.100.7", "X-Forwarded-For", "10.0.0.9"}, "198.51.100.7", true, false},
    {"10.0.0.1", NULL, {"X-Forwarded-For", "unknown, \"[2001:218::10]:4711\", 216.160.83.56"}, "216.160.83.56", true, true},
    {"10.0.0.1", NULL, {"X-Forwarded-For", "198.51.100.7, unknown"}, "10.0.0.1", false, true},
    {"10.0.0.1", NULL, {"X-Forwarded-For", "[2001:db8::5]:443"}, "2001:db8::5", true, false},
    {"10.0.0.1", NULL, {"Forwarded", "for=198.51.100.9, for=\"[2001:db8::7]:80\";proto=https"}, "2001:db8::7", true, true},
    {"10.0.0.1", NULL, {"X-Real-IP", "198.51.100.7"}, "198.51.100.7", true, false},
    {"10.0.0.1", NULL, {"X-Forwarded-For", "198.51.100.7", "X-Real-IP", "203.0.113.1"}, "198.51.100.7", true, false},
    {"198.51.100.7", NULL, {"X-Forwarded-For", "203.0.113.1"}, "198.51.100.7", false, true},
    {"198.51.100.7", NULL, {"X-Forwarded-For", "192.168.1.5"}, "198.51.100.7", false, false},
    {"10.0.0.1", "203.0.113.9", {NULL}, "203.0.113.9", true, false},
    {"198.51.100.7", "203.0.113.9", {NULL}, "198.51.100.7", false, false},
    {"10.0.0.1", "10.0.0.2", {"X-Forwarded-For", "203.0.113.9"}, "203.0.113.9", true, false},
    {"10.0.0.1", "203.0.113.9", {"X-Forwarded-For", "198.51.100.7"}, "203.0.113.9", true, true},
};

/* trust: 203.0.113.0/24 */
static const struct row by_list[] = {
    {"10.0.0.1", NULL, {"X-Forwarded-For", "198.51.100.7"}, "10.0.0.1", false, true},
    {"203.0.113.5", NULL, {"X-Forwarded-For", "198.51.100.7"}, "198.51.100.7", true, false},
    {"203.0.113.5", NULL, {"X-Forwarded-For", "198.51.100.7, 203.0.113.6"}, "198.51.100.7", true, false},
    {"203.0.113.5", NULL, {"X-Forwarded-For", "198.51.100.7, 10.0.0.6"}, "10.0.0.6", true, true},
};

static void check(const struct row *rows, size_t n, const struct forward_trust *trust)
{
    for (size_t i = 0; i < n; i++) {
        struct field storage[2];
        struct transaction t = {.request_fields = {storage, 0, 2, false}};
        struct forward got;
        struct ipaddr want;
        char text[IPADDR_TEXT_MAX];
        for (int k = 0; k < 4 && rows[i].fields[k]; k += 2)
            fields_add(&t.request_fields, span_text(rows[i].fields[k]), span_text(rows[i].fields[k + 1]));
        assert_true(ipaddr_parse(span_text(rows[i].peer), &t.client.ip));
        if (rows[i].proxy)
            assert_true(ipaddr_parse(span_text(rows[i].proxy), &t.proxy_protocol_client));
        assert_true(ipaddr_parse(span_text(rows[i].client), &want));
        forward_resolve(trust, &t, &t.request_fields, &got);
        if (!ipaddr_eq(&got.client, &want) || got.is_forwarded != rows[i].is_forwarded || got.is_forged != rows[i].is_forged)
            fail_msg("row %zu: %s, forwarded %d, forged %d", i, ipaddr_text(&got.client, text), got.is_forwarded, got.is_forged);
    }
}

static void trusts_private_peers(void **state)
{
    (void)state;
    check(by_default, sizeof by_default / sizeof by_default[0], &(struct forward_trust){NULL, 0});
}

static void trusts_the_list(void **state)
{
    struct prefix list[1];
    (void)state;
    assert_true(prefix_parse(SPAN("203.0.113.0/24"), &list[0]));
    check(by_list, sizeof by_list / sizeof by_list[0], &(struct forward_trust){list, 1});
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(trusts_private_peers), cmocka_unit_test(trusts_the_list)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
