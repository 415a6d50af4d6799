/* SPDX-License-Identifier: Apache-2.0
 * Blocks of all sizes: apart from each other, aligned, given out again, and no more than there are. */
#include "flow/classify_heap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BLOCKS 400u

static void test_random(void **state)
{
    (void)state;
    struct classify_heap *h = classify_heap_new(1024);
    struct {
        uint8_t *at;
        size_t size;
    } held[BLOCKS] = {0};
    uint32_t refused = 0, n = 0;
    uint64_t seed = 7;
    for (int step = 0; step < 100000; step++) {
        seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
        uint32_t i = (uint32_t)(seed >> 33) % BLOCKS;
        if (held[i].at) {
            for (size_t k = 0; k < held[i].size; k++)
                assert_int_equal(held[i].at[k], (uint8_t)i);
            assert_true(classify_heap_give(h, held[i].at));
            held[i].at = NULL;
            n--;
        } else {
            held[i].size = 1 + (size_t)(seed >> 20) % (step % 100 ? 3000 : 20000);
            held[i].at = classify_heap_take(h, held[i].size);
            refused += !held[i].at;
            n += held[i].at != NULL;
            assert_int_equal((uintptr_t)held[i].at % 16, 0);
            if (held[i].at)
                memset(held[i].at, (int)i, held[i].size);
        }
        assert_int_equal(classify_heap_used(h), n);
    }
    assert_in_range(refused, 1, 60000);
    classify_heap_free(h);
}

static void test_limits(void **state)
{
    (void)state;
    struct classify_heap *h = classify_heap_new(16);
    int outside;
    uint32_t n = 0;
    assert_null(classify_heap_take(h, CLASSIFY_HEAP_LARGEST + 1));
    assert_null(classify_heap_take(h, SIZE_MAX));
    assert_false(classify_heap_give(h, &outside));
    while (classify_heap_take(h, 1))
        n++;
    assert_int_equal(n, 16 + 4 + 1); /* a sixteenth of 64 bytes each, and of the next two sizes */
    assert_non_null(classify_heap_take(h, 2000));
    classify_heap_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
