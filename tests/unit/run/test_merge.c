/* SPDX-License-Identifier: Apache-2.0
 * Streams that were cut from one are that one again, whenever their pieces come. */
#include "run/merge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/random.h"

#define VALUES 2000
#define INPUTS 3

static unsigned pick(uint64_t *seed)
{
    return (unsigned)(random_uniform(seed) * 1000003);
}

static void test_one_again(void **state)
{
    uint64_t seed = 1;
    (void)state;
    for (unsigned round = 0; round < 40; round++) {
        struct merge *m = merge_new();
        unsigned sent[INPUTS] = {0}, value[INPUTS][VALUES], n[INPUTS] = {0}, next = 0;
        for (unsigned i = 0; i < INPUTS; i++)
            assert_int_equal(merge_input(m), (int)i);
        for (unsigned v = 0; v < VALUES; v++) {
            unsigned i = pick(&seed) % INPUTS;
            value[i][n[i]++] = v;
        }
        const void *got;
        size_t size;
        int input;
        while (next < VALUES) {
            unsigned i = pick(&seed) % INPUTS;
            for (unsigned k = pick(&seed) % 9; k && sent[i] < n[i]; k--) {
                unsigned v = value[i][sent[i]++];
                struct merge_key key = {.done_ns = 1000 + v / 3, .flow_hash = v % 3 == 2, .number = v % 3};
                assert_int_equal(merge_push(m, (int)i, &key, &v, sizeof v), 0);
            }
            /* what it has sent may share its time with what it sends next */
            merge_mark(m, (int)i, sent[i] == n[i] ? 1000 + VALUES : 1000 + value[i][sent[i]] / 3);
            while (merge_pop(m, &input, &got, &size)) {
                unsigned v;
                assert_int_equal(size, sizeof v);
                memcpy(&v, got, sizeof v);
                assert_int_equal(v, next++);
            }
        }
        assert_int_equal(merge_late(m), 0);
        merge_free(m);
    }
}

static void test_waits(void **state)
{
    struct merge *m = merge_new();
    struct merge_key key = {.done_ns = 10};
    const void *got;
    size_t size;
    int input, a = merge_input(m), b = merge_input(m);
    (void)state;
    merge_push(m, a, &key, "x", 1);
    merge_mark(m, a, 20);
    assert_false(merge_pop(m, &input, &got, &size)); /* nothing is known of b */
    merge_mark(m, b, 10);
    assert_false(merge_pop(m, &input, &got, &size)); /* it may have one of the same time */
    merge_await(m, b, false);
    assert_int_equal(merge_now(m), 20);
    assert_true(merge_pop(m, &input, &got, &size));
    assert_int_equal(input, a);
    key.done_ns = 5; /* b was away */
    merge_push(m, b, &key, "yy", 2);
    assert_true(merge_pop(m, &input, &got, &size));
    assert_int_equal(size, 2);
    assert_int_equal(merge_late(m), 1);
    merge_await(m, a, false);
    assert_true(merge_now(m) == UINT64_MAX);
    merge_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_one_again), cmocka_unit_test(test_waits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
