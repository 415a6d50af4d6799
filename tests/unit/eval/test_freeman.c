/* SPDX-License-Identifier: Apache-2.0
 * The likelihood ratio on cases worked out by hand, to 1e-9. */
#include "eval/freeman.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define W0 0.5386653840551359 /* of the whole User-Agent */
#define W1 0.2680451498625666 /* of the browser */

static const struct freeman_login home = {{{1, 10, 100, 0}, {1, 10, 100, 1000}}};
static const struct freeman_login work = {{{2, 10, 100, 0}, {2, 10, 100, 1000}}}; /* same AS and country, same browser and system */
static const struct freeman_login abroad = {{{3, 30, 300, 0}, {3, 30, 300, 3000}}};
static const struct freeman_login update = {{{1, 10, 100, 0}, {4, 40, 100, 1000}}}; /* a new browser on the same system */

/* User 1 twice from home, user 2 once from work. */
static struct freeman *three_logins(void)
{
    struct freeman *f = freeman_new();
    assert_non_null(f);
    freeman_learn(f, 1, &home);
    freeman_learn(f, 1, &home);
    freeman_learn(f, 2, &work);
    return f;
}

static void by_hand(void **state)
{
    (void)state;
    /* Address, globally: 2 of 3, 3 values not yet seen (an AS, a country, one more): 2/3 * 3/6 = 1/3; within itself
     * 1 - 3/5 = 0.4; so 0.6 * 0.4/3 + 0.3 + 0.1 = 0.48. The User-Agent has 4: 2/3 * 3/7 = 2/7, within 1 - 4/6 = 1/3. */
    const double address = 0.48, agent = W0 * 2 / 21 + (1 - W0);
    static const struct freeman_login *const logins[] = {&home, &abroad, &home, &update};
    const struct {
        uint64_t user;
        double expected;
    } rows[] = {
        {1, address / 1 * agent / 1 * ((1.0 / 2) / (2.0 / 3))},
        {1, 4.0 * 4.0 * ((1.0 / 2) / (2.0 / 3))}, /* nothing ever seen: a quarter of the global likelihood, twice */
        {2, address / 0.4 * agent / (1 - W0) * ((1.0 / 2) / (1.0 / 3))},
        /* never seen agent: 1/(3+4); the browser never seen either, system and device always */
        {1, address / 1 * (W0 / 7 + (1 - W0 - W1)) / (1 - W0 - W1) * ((1.0 / 2) / (2.0 / 3))},
    };
    struct freeman *f = three_logins();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double got = freeman_score(f, rows[i].user, logins[i]);
        if (fabs(got - rows[i].expected) > 1e-9)
            fail_msg("row %zu: %.12f, expected %.12f", i, got, rows[i].expected);
    }
    freeman_free(f);
}

static void knows_who_logged_in(void **state)
{
    (void)state;
    struct freeman *f = three_logins();
    assert_true(freeman_knows(f, 1));
    assert_false(freeman_knows(f, 3));
    assert_true(freeman_score(f, 3, &home) > freeman_score(f, 2, &home)); /* nothing of his own */
    freeman_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_hand),
        cmocka_unit_test(knows_who_logged_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
