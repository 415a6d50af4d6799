/* SPDX-License-Identifier: Apache-2.0
 * The small counters: Bloom filter, pace, fading count. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hash.h"
#include "sketch/bloom.h"
#include "sketch/pace.h"
#include "sketch/recent.h"

static uint64_t key(unsigned i)
{
    return hash64(span_of(&i, sizeof i), 42);
}

static void bloom_forgets_nothing(void **state)
{
    (void)state;
    uint64_t words[6] = {0};
    unsigned wrong = 0;
    for (unsigned i = 0; i < 60; i++) {
        bloom_add(words, 6, key(i));
        for (unsigned j = 0; j <= i; j++)
            assert_true(bloom_has(words, 6, key(j)));
    }
    assert_true(bloom_load(words, 6) < 0.5);
    for (unsigned i = 1000; i < 2000; i++)
        wrong += bloom_has(words, 6, key(i));
    assert_in_range(wrong, 1, 125); /* 60 keys of 3 bits in 384: (1 - e^(-180/384))^3 = 5.2 % */
    uint64_t empty[2] = {0};
    assert_false(bloom_has(empty, 2, key(1)));
    assert_true(bloom_load(empty, 0) >= 1);
}

static void pace_counts_exactly(void **state)
{
    (void)state;
    struct pace p = {0};
    assert_int_equal(pace_count(&p, 100, 60), 0);
    for (uint32_t t = 100; t < 130; t++)
        pace_add(&p, t);
    assert_int_equal(pace_count(&p, 129, 30), 30);
    assert_int_equal(pace_count(&p, 129, 10), 10);
    assert_int_equal(pace_count(&p, 149, 30), 10);
    assert_int_equal(pace_count(&p, 1000, 30), 0);
    for (uint32_t i = 0; i < 1000; i++)
        pace_add(&p, 2000);
    assert_int_equal(pace_count(&p, 2000, 30), PACE_MAX);
    assert_int_equal(pace_count(&p, 1999, 30), 0); /* not yet */
}

static void recent_fades(void **state)
{
    (void)state;
    struct recent r = {0};
    for (uint32_t t = 600; t < 660; t++)
        recent_add(&r, t, 600);
    assert_int_equal(recent_count(&r, 660, 600), 60);
    assert_int_equal(recent_count(&r, 899, 600), 60);
    assert_int_equal(recent_count(&r, 1199, 600), 60); /* the half before still counts */
    assert_int_equal(recent_count(&r, 1200, 600), 0);
    recent_add(&r, 1300, 600);
    assert_int_equal(recent_count(&r, 1300, 600), 1);
    for (uint32_t i = 0; i < 70000; i++)
        recent_add(&r, 1301, 600);
    assert_int_equal(recent_count(&r, 1301, 600), UINT16_MAX);
    recent_add(&r, 900, 600); /* time that goes back a little is counted now */
    assert_true(recent_count(&r, 1301, 600) >= UINT16_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bloom_forgets_nothing),
        cmocka_unit_test(pace_counts_exactly),
        cmocka_unit_test(recent_fades),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
