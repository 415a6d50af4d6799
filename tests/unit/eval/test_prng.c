/* SPDX-License-Identifier: Apache-2.0
 * The random numbers are xoshiro256**'s, and the distributions have the moments they promise. */
#include "eval/prng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define DRAWS 200000

static void is_xoshiro(void **state)
{
    (void)state;
    struct prng r = {{1, 2, 3, 4}}; /* outputs of the authors' own code from that state */
    assert_true(prng_u64(&r) == 11520);
    assert_true(prng_u64(&r) == 0);
    assert_true(prng_u64(&r) == 1509978240);
    assert_true(prng_u64(&r) == 1215971899390074240u);
}

static void streams_differ(void **state)
{
    (void)state;
    struct prng a = prng_stream(1, 2, 3), b = prng_stream(1, 2, 3), c = prng_stream(1, 3, 2), d = prng_stream(2, 2, 3);
    uint64_t x = prng_u64(&a);
    assert_true(x == prng_u64(&b));
    assert_true(x != prng_u64(&c));
    assert_true(x != prng_u64(&d));
}

enum kind { UNIT, NORMAL, POISSON_SMALL, POISSON_LARGE, NEGBIN, NEGBIN_THIN };

static double draw(struct prng *r, enum kind kind)
{
    switch (kind) {
    case UNIT: return prng_unit(r);
    case NORMAL: return prng_normal(r);
    case POISSON_SMALL: return prng_poisson(r, 3);
    case POISSON_LARGE: return prng_poisson(r, 90);
    case NEGBIN: return prng_negbin(r, 6, 3);
    case NEGBIN_THIN: return prng_negbin(r, 1.3, 0.5);
    }
    return 0;
}

static void moments(void **state)
{
    (void)state;
    static const struct {
        enum kind kind;
        double mean, variance;
    } rows[] = {
        {UNIT, 0.5, 1.0 / 12}, {NORMAL, 0, 1},   {POISSON_SMALL, 3, 3},
        {POISSON_LARGE, 90, 90}, {NEGBIN, 6, 18}, {NEGBIN_THIN, 1.3, 1.3 + 1.3 * 1.3 / 0.5},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct prng r = prng_stream(7, 7, i);
        double sum = 0, squares = 0;
        for (int k = 0; k < DRAWS; k++) {
            double x = draw(&r, rows[i].kind);
            sum += x;
            squares += x * x;
        }
        double mean = sum / DRAWS, variance = squares / DRAWS - mean * mean;
        assert_true(fabs(mean - rows[i].mean) < 0.02 * sqrt(rows[i].variance));
        assert_true(fabs(variance - rows[i].variance) < 0.04 * rows[i].variance);
    }
}

static void picks_by_weight(void **state)
{
    (void)state;
    static const double weights[3] = {1, 0, 3};
    struct prng r = prng_stream(1, 1, 1);
    unsigned counts[3] = {0};
    for (int i = 0; i < 40000; i++)
        counts[prng_pick(&r, weights, 3)]++;
    assert_int_equal(counts[1], 0);
    assert_true(counts[0] > 9500 && counts[0] < 10500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_xoshiro),
        cmocka_unit_test(streams_differ),
        cmocka_unit_test(moments),
        cmocka_unit_test(picks_by_weight),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
