/* SPDX-License-Identifier: Apache-2.0
 * Addresses, times, keyed hashes, JSON. */
#include "base/ipaddr.h"
#include "base/json.h"
#include "base/keyed.h"
#include "base/times.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants the four above first */
#include <cmocka.h>

static void addresses(void **state)
{
    (void)state;
    const struct {
        const char *text, *back;
        bool is_private;
    } rows[] = {{"10.1.2.3", "10.1.2.3", true},           {"81.2.69.162", "81.2.69.162", false},
                {"2001:DB8:0:0::1", "2001:db8::1", false}, {"::1", "::1", true},
                {"fe80::1", "fe80::1", true},              {"172.32.0.1", "172.32.0.1", false},
                {"100.64.0.9", "100.64.0.9", true},        {"256.1.1.1", NULL, false},
                {"1.2.3", NULL, false},                    {"", NULL, false},
                {"::ffff:1.2.3.4", "1.2.3.4", false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ipaddr a;
        char text[IPADDR_TEXT_MAX];
        bool ok = ipaddr_parse(span_text(rows[i].text), &a);
        assert_int_equal(ok, rows[i].back != NULL);
        if (ok) {
            assert_string_equal(ipaddr_text(&a, text), rows[i].back);
            assert_int_equal(ipaddr_is_private(&a), rows[i].is_private);
        }
    }
}

static void prefixes(void **state)
{
    (void)state;
    struct prefix p;
    struct ipaddr a;
    char text[PREFIX_TEXT_MAX];
    assert_true(prefix_parse(SPAN("192.168.77.5/20"), &p));
    assert_string_equal(prefix_text(&p, text), "192.168.64.0/20");
    assert_true(ipaddr_parse(SPAN("192.168.79.255"), &a));
    assert_true(prefix_has(&p, &a));
    assert_true(ipaddr_parse(SPAN("192.168.80.0"), &a));
    assert_false(prefix_has(&p, &a));
    assert_true(prefix_parse(SPAN("2001:db8::/33"), &p));
    assert_string_equal(prefix_text(&p, text), "2001:db8::/33");
    assert_false(prefix_parse(SPAN("10.0.0.0/33"), &p));
    assert_false(prefix_parse(SPAN("10.0.0.0/"), &p));
    assert_true(prefix_parse(SPAN("0.0.0.0/0"), &p));
    assert_true(prefix_has(&p, &a));
}

static void times(void **state)
{
    (void)state;
    char text[TIME_TEXT_MAX];
    uint64_t ns;
    assert_string_equal(time_text(1773972603333079000ULL, text), "2026-03-20T02:10:03.333079000Z");
    assert_string_equal(time_text(0, text), "1970-01-01T00:00:00.000000000Z");
    assert_true(time_parse(SPAN("2024-02-29T23:59:59.5+01:00"), &ns));
    assert_string_equal(time_text(ns, text), "2024-02-29T22:59:59.500000000Z");
    assert_false(time_parse(SPAN("2024-02-29 23:59:59"), &ns));
    assert_true(time_typed("2024-02-29", 0, &ns));
    assert_int_equal(ns, 1709164800ULL * NS_PER_S);
    assert_true(time_typed("2024-02-29T00:00:01Z", 0, &ns));
    assert_int_equal(ns, 1709164801ULL * NS_PER_S);
    assert_true(time_typed("12h", 5, &ns));
    assert_int_equal(ns, 12 * 3600ULL * NS_PER_S + 5);
    assert_false(time_typed("12", 0, &ns));
    assert_false(time_typed("12hours", 0, &ns));
    assert_false(time_typed("-1d", 0, &ns));
    assert_false(time_typed("2024-13-01", 0, &ns));
    assert_false(time_typed("99999999999d", 0, &ns));
    assert_false(time_parse(SPAN("2024-13-01T00:00:00Z"), &ns));
    assert_false(time_parse(SPAN("2600-01-01T00:00:00Z"), &ns)); /* more than 64 bits of nanoseconds */
    for (uint64_t day = 0; day < 60000; day += 17) {
        uint64_t in = day * S_PER_DAY * NS_PER_S + 123456789;
        assert_true(time_parse(span_text(time_text(in, text)), &ns));
        assert_true(ns == in);
    }
    assert_int_equal(time_weekday(1773972603333079000ULL), 4); /* a Friday */
}

static void keyed_is_stable(void **state)
{
    (void)state;
    struct keyed *k = keyed_new(SPAN("0123456789abcdef0123456789abcdef"));
    uint8_t a[16], b[16], c[16];
    assert_non_null(k);
    keyed_hash(k, SPAN("cookie"), SPAN("secret"), a);
    keyed_hash(k, SPAN("cookie"), SPAN("other"), b);
    keyed_hash(k, SPAN("cookie"), SPAN("secret"), c);
    assert_memory_equal(a, c, 16);
    assert_memory_not_equal(a, b, 16);
    keyed_hash(k, SPAN("token"), SPAN("secret"), c);
    assert_memory_not_equal(a, c, 16);
    /* HMAC-SHA-256(key, "cookie\0secret"), by another implementation (Python's hmac) */
    static const uint8_t want[16] = {0x0a, 0x3d, 0x65, 0xc6, 0x17, 0x05, 0xc1, 0x0a, 0xf2, 0xce, 0xf6, 0x44, 0xac, 0xa6, 0x5f, 0x0c};
    assert_memory_equal(a, want, 16);
    keyed_free(k);
    assert_null(keyed_new(SPAN("short")));
}

static void json_is_valid(void **state)
{
    (void)state;
    struct text t = {0};
    struct json j = json_on(&t);
    json_open(&j, NULL, '{');
    json_str(&j, "a", "q\"\\\n\x01\x7f");
    json_span(&j, "b", SPAN("\xc3\xa4\xff\xed\xa0\x80z"));
    json_open(&j, "c", '[');
    json_u64(&j, NULL, UINT64_MAX);
    json_i64(&j, NULL, -5);
    json_fixed(&j, NULL, 1.25, 2);
    json_fixed(&j, NULL, NAN, 2);
    json_bool(&j, NULL, true);
    json_close(&j, ']');
    json_open(&j, "d", '{');
    json_close(&j, '}');
    json_hex(&j, "e", SPAN("\x00\xfe"));
    json_close(&j, '}');
    assert_string_equal(text_str(&t), "{\"a\":\"q\\\"\\\\\\n\\u0001\\u007f\",\"b\":\"\xc3\xa4\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\","
                                      "\"c\":[18446744073709551615,-5,1.25,null,true],\"d\":{},\"e\":\"00fe\"}");
    text_fini(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(addresses), cmocka_unit_test(prefixes), cmocka_unit_test(times),
                                       cmocka_unit_test(keyed_is_stable), cmocka_unit_test(json_is_valid)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
