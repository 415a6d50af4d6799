/* SPDX-License-Identifier: Apache-2.0
 * Keyed hashes against HMAC-SHA-256 as another implementation (Python's hmac) has it, with keys below, at and above the
 * size of a block. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/keyed.h"

static void test_known_answers(void **state)
{
    (void)state;
    static const struct {
        size_t key_size; /* the key's bytes are 3, 10, 17, ... */
        const char *expected;
    } rows[] = {
        {16, "aa36d1c1a959081fdd0900e180bbce36"},
        {32, "ea88323e31c65653659695f03afbadc4"},
        {64, "91475264f893117d9469e1cbbad2bb75"},
        {65, "80adf83bb3cde032c4365b225a0ba501"},
        {200, "3df3c04d3d9ec0b0ac42cac9a2e562d6"},
    };
    uint8_t key[200];
    for (size_t i = 0; i < sizeof key; i++)
        key[i] = (uint8_t)(i * 7 + 3);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct keyed *k = keyed_new(span_of(key, rows[i].key_size));
        assert_non_null(k);
        for (int again = 0; again < 2; again++) {
            uint8_t hash[KEYED_SIZE];
            char text[2 * KEYED_SIZE + 1];
            keyed_hash(k, SPAN("session"), SPAN("0123456789abcdef"), hash);
            for (size_t b = 0; b < sizeof hash; b++)
                snprintf(text + 2 * b, 3, "%02x", hash[b]);
            assert_string_equal(text, rows[i].expected);
        }
        keyed_free(k);
    }
}

static void test_short_keys(void **state)
{
    (void)state;
    assert_null(keyed_new(SPAN("fifteen bytes..")));
    assert_null(keyed_new(SPAN("")));
}

static void test_domains_differ(void **state)
{
    (void)state;
    uint8_t a[KEYED_SIZE], b[KEYED_SIZE];
    struct keyed *k = keyed_new_default();
    keyed_hash(k, SPAN("ab"), SPAN("c"), a);
    keyed_hash(k, SPAN("a"), SPAN("bc"), b);
    assert_memory_not_equal(a, b, sizeof a);
    keyed_free(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answers),
        cmocka_unit_test(test_short_keys),
        cmocka_unit_test(test_domains_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
