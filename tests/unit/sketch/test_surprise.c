/* SPDX-License-Identifier: Apache-2.0
 * Tails in bits against values computed elsewhere, and the properties that must hold everywhere. */
#include "sketch/surprise.h"

#include <setjmp.h>
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void is_near(double got, double want, double within)
{
    if (fabs(got - want) > within)
        fail_msg("got %.9g, want %.9g", got, want);
}

/* P(X >= k) of a negative binomial by adding up P(X = j) from 0, in long double: another way to the same number. */
static double slow_bits(double mean, double r, unsigned k)
{
    long double share = (long double)mean / (mean + r), term = powl(1 - share, r), below = 0;
    for (unsigned j = 0; j < k; j++) {
        below += term;
        term *= (j + r) / (j + 1.0L) * share;
    }
    return (double)-log2l(1 - below);
}

static void counts_match_the_other_way(void **state)
{
    (void)state;
    static const struct {
        double mean, variance;
    } spreads[] = {{3, 6}, {2, 2.2}, {0.5, 3}, {40, 300}, {7, 1}};
    for (unsigned i = 0; i < sizeof spreads / sizeof spreads[0]; i++) {
        double m = spreads[i].mean, v = spreads[i].variance;
        double r = v > m ? fmin(20, fmax(0.2, m * m / (v - m))) : 20;
        for (unsigned k = (unsigned)m + 1; k < m * 4 + 3; k++)
            is_near(surprise_count((struct spread){m, v}, k), slow_bits(m, r, k), 1e-6);
    }
}

static void counts_behave(void **state)
{
    (void)state;
    struct spread s = {3, 8};
    double before = 0;
    for (unsigned k = 0; k < 500; k++) {
        double bits = surprise_count(s, k);
        assert_true(bits >= before - 1e-9 && bits <= SURPRISE_MAX);
        before = bits;
    }
    is_near(surprise_count(s, 3), 0, 0);
    is_near(surprise_count(s, 2.5), surprise_count(s, 3), 0); /* half a file is a whole one */
    assert_true(surprise_count((struct spread){0, 0}, 1) > 10);
    assert_true(surprise_count((struct spread){1e6, 1e9}, 1e9) <= SURPRISE_MAX);
    assert_true(surprise_count((struct spread){3, 20}, 12) < surprise_count((struct spread){3, 5}, 12));
}

static void normal_tail(void **state)
{
    (void)state;
    struct spread s = {20, 4};
    is_near(surprise_normal(s, 20), 1, 1e-9);      /* one half */
    is_near(surprise_normal(s, 22), 2.6561, 1e-3); /* .158655 */
    is_near(surprise_normal(s, 26), 9.5328, 1e-3); /* .00134990 */
    is_near(surprise_normal(s, 1e9), SURPRISE_MAX, 1e-9);
    assert_true(surprise_normal((struct spread){0, 0}, 1) == SURPRISE_MAX);
}

static void priors_fade(void **state)
{
    (void)state;
    struct spread prior = {3, 15};
    struct spread none = surprise_spread(0, 0, 0, 5, prior);
    is_near(none.mean, 3, 1e-9);
    is_near(none.variance, 15, 1e-9);
    struct spread five = surprise_spread(5, 50, 500, 5, prior); /* five windows of ten */
    is_near(five.mean, 6.5, 1e-9);
    is_near(five.variance, (500 + 5 * 24) / 10.0 - 6.5 * 6.5, 1e-9);
    struct spread many = surprise_spread(1000, 10000, 100000, 5, prior);
    is_near(many.mean, 10, 0.05);
    is_near(surprise_spread(0, 0, 0, 0, prior).mean, 3, 1e-9);
}

static void deviations(void **state)
{
    (void)state;
    is_near(surprise_deviations((struct spread){4, 4}, 4), 0, 1e-12);
    is_near(surprise_deviations((struct spread){100, 100}, 120), 1.9, 0.1); /* about (120 - 100) / 10 */
    is_near(surprise_deviations((struct spread){100, 400}, 120), 0.95, 0.05);
    assert_true(surprise_deviations((struct spread){4, 4}, 0) < -2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_match_the_other_way),
        cmocka_unit_test(counts_behave),
        cmocka_unit_test(normal_tail),
        cmocka_unit_test(priors_fade),
        cmocka_unit_test(deviations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
