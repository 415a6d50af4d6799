/* SPDX-License-Identifier: Apache-2.0
 * Tails are estimated right for distributions whose tails are known, and levels are exceeded as often as they promise. */
#include "sketch/spot.h"
#include "sketch/tail.h"

#include <setjmp.h>
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/random.h"

static uint64_t state_of_random;

static double uniform(void)
{
    return random_uniform(&state_of_random);
}

static double exponential(void)
{
    return -2 * log(uniform());
}
static double pareto(void) /* gamma .25 */
{
    return pow(uniform(), -0.25);
}
static double bounded(void) /* gamma -1/3 */
{
    return 10 - 10 * cbrt(uniform());
}
static double normal(void)
{
    return sqrt(-2 * log(uniform())) * cos(2 * M_PI * uniform());
}
static double mostly_nothing(void) /* most units score nothing, as sessions do */
{
    return uniform() < 0.9 ? 0 : exponential();
}

static const struct {
    const char *name;
    double (*draw)(void);
} draws[] = {{"exponential", exponential}, {"Pareto", pareto}, {"bounded", bounded}, {"normal", normal},
             {"mostly nothing", mostly_nothing}};

static void the_fit_finds_the_shape(void **state)
{
    (void)state;
    static float y[SPOT_EXCESSES * 10];
    static const double gammas[] = {-0.3, -0.1, 0, 0.2, 0.5};
    for (unsigned k = 0; k < sizeof gammas / sizeof gammas[0]; k++) {
        state_of_random = 7 + k;
        for (size_t i = 0; i < sizeof y / sizeof y[0]; i++)
            y[i] = (float)gpd_level((struct gpd){gammas[k], 3}, uniform());
        struct gpd g = gpd_fit(y, sizeof y / sizeof y[0]);
        if (fabs(g.gamma - gammas[k]) > 0.07 || fabs(g.sigma - 3) > 0.3)
            fail_msg("gamma %g sigma 3 is estimated as %g, %g", gammas[k], g.gamma, g.sigma);
        for (double p = 1e-4; p < 1; p *= 3)
            assert_true(fabs(gpd_above(g, gpd_level(g, p)) / p - 1) < 1e-6);
    }
    float same[40];
    for (int i = 0; i < 40; i++)
        same[i] = 2;
    struct gpd g = gpd_fit(same, 40);
    assert_true(isfinite(g.sigma) && g.sigma > 0 && isfinite(g.gamma));
    g = gpd_fit(same, 1);
    assert_true(g.sigma > 0 && isfinite(gpd_level(g, 1e-9)));
}

static void levels_are_reached_as_often_as_they_say(void **state)
{
    (void)state;
    struct spot *s = calloc(1, sizeof *s);
    for (unsigned k = 0; k < sizeof draws / sizeof draws[0]; k++)
        for (double q = 0.01; q >= 0.001; q /= 10) {
            unsigned above = 0, n = 300000;
            *s = (struct spot){0};
            state_of_random = 100 + k;
            for (unsigned i = 0; i < n + 20000; i++) {
                double x = draws[k].draw();
                above += i >= 20000 && x > spot_level(s, q);
                spot_add(s, x, q);
            }
            double got = above / (double)n;
            if (got > 1.5 * q || got < q / 1.5)
                fail_msg("%s: a level of %g is exceeded by %g", draws[k].name, q, got);
        }
    free(s);
}

static void an_attack_does_not_raise_the_level(void **state)
{
    (void)state;
    struct spot *s = calloc(1, sizeof *s);
    double q = 0.002;
    state_of_random = 5;
    for (unsigned i = 0; i < 50000; i++)
        spot_add(s, exponential(), q);
    double before = spot_level(s, q);
    for (unsigned i = 0; i < 5000; i++) {
        spot_add(s, exponential(), q);
        spot_add(s, 40, q); /* half of everything, for a while */
    }
    if (spot_level(s, q) > before + 2)
        fail_msg("the level went from %g to %g", before, spot_level(s, q));
    free(s);
}

/* Of n values made by 'value', those from the 'first' on must exceed the level as often as it says. */
static void check_exceeded(double (*value)(unsigned i), unsigned first, unsigned n, uint64_t seed, const char *after)
{
    struct spot *s = calloc(1, sizeof *s);
    double q = 0.005;
    unsigned above = 0;
    state_of_random = seed;
    for (unsigned i = 0; i < n; i++) {
        double x = value(i);
        if (i >= first)
            above += x > spot_level(s, q);
        spot_add(s, x, q);
    }
    double got = above / (double)(n - first);
    if (got > 2 * q || got < q / 2)
        fail_msg("after %s the level of %g is exceeded by %g", after, q, got);
    free(s);
}

static double drifting(unsigned i) /* everything gets a half larger, slowly */
{
    return exponential() * (1 + 0.5 * fmin(1, i / 100000.0));
}

static void the_level_follows_a_drift(void **state)
{
    (void)state;
    check_exceeded(drifting, 150000, 200000, 9, "a drift");
}

static double wild_at_first(unsigned i)
{
    return exponential() + (i < 2000 ? 12 : 0);
}

/* The first days of a sensor are unlike all later ones: everything is new. */
static void the_level_forgets_a_wild_beginning(void **state)
{
    (void)state;
    check_exceeded(wild_at_first, 20000, 60000, 11, "a wild beginning");
}

static void before_and_after_it_is_ready(void **state)
{
    (void)state;
    struct spot *s = calloc(1, sizeof *s);
    for (unsigned i = 0; i < SPOT_LATEST; i++) {
        assert_false(spot_is_ready(s));
        spot_add(s, 3, 0.01); /* all the same: a tail of nothing */
    }
    assert_true(spot_is_ready(s));
    assert_true(isfinite(spot_level(s, 0.001)) && isfinite(spot_above(s, 100)));
    for (unsigned i = 0; i < 1000; i++)
        spot_add(s, i % 7, 0.01);
    assert_true(isfinite(spot_level(s, 0.001)) && spot_above(s, 3) >= spot_above(s, 5));
    free(s);
}

static void a_tail_by_doublings(void **state)
{
    (void)state;
    struct tail t = {{0}};
    assert_true(fabs(tail_bits(&t, 8, 2, 10) - 6) < 1e-9); /* the prior alone: 8^-2 */
    assert_true(tail_bits(&t, 1, 2, 10) == 0);
    for (unsigned i = 0; i < 1023; i++)
        tail_add(&t, 1);
    double rare = tail_bits(&t, 100, 1, 10);
    for (unsigned i = 0; i < 32; i++)
        tail_add(&t, 100);
    assert_true(tail_bits(&t, 64, 1, 10) < 6 && rare > tail_bits(&t, 100, 1, 10));
    for (double x = 1; x < 1e6; x *= 1.3)
        assert_true(tail_bits(&t, x * 1.3, 1, 10) >= tail_bits(&t, x, 1, 10) && isfinite(tail_bits(&t, x, 1, 10)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_fit_finds_the_shape),
        cmocka_unit_test(levels_are_reached_as_often_as_they_say),
        cmocka_unit_test(an_attack_does_not_raise_the_level),
        cmocka_unit_test(the_level_follows_a_drift),
        cmocka_unit_test(the_level_forgets_a_wild_beginning),
        cmocka_unit_test(before_and_after_it_is_ready),
        cmocka_unit_test(a_tail_by_doublings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
