/* SPDX-License-Identifier: Apache-2.0
 * A budget spends what it may, in units and not in days; what it has learned comes back out of its lines as the same bits. */
#include "detect/budget.h"
#include "detect/budget_parts.h"
#include "detect/levels.h"

#include <setjmp.h>
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "support/random.h"

#define MONDAY 20513u /* days since 1970 */
#define DAY_S 86400u

static uint64_t state_of_random;

static double uniform(void)
{
    return random_uniform(&state_of_random);
}

struct tally {
    unsigned over, provisional;
};

/* Days of units whose scores have an exponential tail; on Saturdays and Sundays a tenth of them. */
static struct tally live_days(struct budget *b, unsigned from, unsigned days, unsigned units)
{
    struct tally t = {0};
    for (unsigned day = from; day < from + days; day++) {
        unsigned n = (day - MONDAY) % 7 < 5 ? units : units / 10;
        for (unsigned i = 0; i < n; i++) {
            uint32_t now = day * DAY_S + i * (DAY_S / units);
            struct judgement j = budget_judge(b, CHANNEL_CONTEXT, (uint64_t)day << 32 | i, -2 * log(uniform()) - 3, now);
            t.over += j.is_over;
            t.provisional += j.is_provisional;
            if (j.is_over)
                budget_spend(b, CHANNEL_CONTEXT, now);
        }
    }
    return t;
}

/* Context has half of the budget: five a day of ten. */
static void test_spends_its_share(void **state)
{
    (void)state;
    struct budget *b = budget_new(10);
    state_of_random = 1;
    assert_true(live_days(b, MONDAY, 14, 800).provisional > 0);
    struct tally t = live_days(b, MONDAY + 14, 56, 800);
    assert_int_equal(t.provisional, 0);
    double a_day = t.over / 56.0;
    if (a_day < 3.75 || a_day > 6.25)
        fail_msg("%.2f a day, its share is 5", a_day);
    budget_free(b);
}

/* A wave of attacks, twenty sure alerts a day, neither raises the level nor spends what is for other days. */
static void test_a_wave_blunts_nothing(void **state)
{
    (void)state;
    struct budget *b = budget_new(10);
    state_of_random = 5;
    live_days(b, MONDAY, 28, 800);
    double before = budget_judge(b, CHANNEL_CONTEXT, 1, 0, (MONDAY + 28) * DAY_S).level;
    for (unsigned day = MONDAY + 28; day < MONDAY + 35; day++) {
        for (unsigned i = 0; i < 20; i++) {
            uint32_t now = day * DAY_S + i;
            struct judgement j = budget_judge(b, CHANNEL_CONTEXT, 1000000u * day + i, 40, now);
            assert_true(j.is_over && j.is_sure);
            budget_spend(b, CHANNEL_CONTEXT, now);
            if (i < 5) /* of sure ones as many as the share are free */
                budget_is_sure(b, CHANNEL_CONTEXT, now);
        }
        live_days(b, day, 1, 800);
    }
    double after = budget_judge(b, CHANNEL_CONTEXT, 2, 0, (MONDAY + 36) * DAY_S).level;
    if (fabs(after - before) > 1.5)
        fail_msg("the level went from %.2f to %.2f", before, after);
    budget_free(b);
}

/* A tenth of the budget tells the rarest tenth. */
/* The interval is of the tail that was learned, not of the learning: what comes above the level faster than is due is not taken,
 * so levels lie a little below the true one, here by less than a factor of two in how often they are exceeded. */
static void test_says_how_sure_a_level_is(void **state)
{
    (void)state;
    for (unsigned world = 1; world <= 5; world++) {
        struct budget *b = budget_new(10);
        struct level_interval level;
        assert_false(budget_level(b, CHANNEL_CONTEXT, &level));
        state_of_random = world;
        live_days(b, MONDAY, 56, 800);
        assert_true(budget_level(b, CHANNEL_CONTEXT, &level));
        double right = -2 * log(budget_q(b, CHANNEL_CONTEXT)) - 3, twice = 2 * log(2);
        if (!(level.low < level.level && level.level < level.high && level.high - level.low < 1 && fabs(level.level - right) < twice))
            fail_msg("%.2f (%.2f to %.2f), the tail says %.2f", level.level, level.low, level.high, right);
        budget_free(b);
    }
}

static void test_smaller_budget_asks_more(void **state)
{
    (void)state;
    struct budget *ten = budget_new(10), *one = budget_new(1);
    state_of_random = 2;
    live_days(ten, MONDAY, 28, 800);
    state_of_random = 2;
    live_days(one, MONDAY, 28, 800);
    struct judgement a = budget_judge(ten, CHANNEL_CONTEXT, 1, 0, (MONDAY + 28) * DAY_S);
    struct judgement b = budget_judge(one, CHANNEL_CONTEXT, 1, 0, (MONDAY + 28) * DAY_S);
    assert_true(b.level > a.level + 2); /* of this tail ten times rarer is 4.6 more */
    assert_true(b.level < a.level + 8);
    budget_free(ten);
    budget_free(one);
}

static void add_line(void *ctx, const char *text)
{
    FILE *f = ctx;
    fprintf(f, "%s\n", text);
}

static char *saved(struct levels *l)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    levels_save(l, add_line, f);
    fclose(f);
    return text;
}

static struct levels made(void)
{
    return (struct levels){budget_new(10), calloc(1, sizeof(struct norms))};
}

static void unmade(struct levels *l)
{
    budget_free(l->budget);
    free(l->norms);
}

static void load_all(struct levels *l, const char *text)
{
    char *copy = strdup(text), *rest = copy;
    for (char *line; (line = strsep(&rest, "\n")) && *line;)
        assert_int_equal(levels_load(l, line), E_OK);
    free(copy);
}

static void round_trip(unsigned days)
{
    struct levels was = made(), is = made();
    state_of_random = 3;
    live_days(was.budget, MONDAY, days, 800);
    for (int i = 1; i < 400; i++) {
        tail_add(&was.norms->case_files[i % 2], i % 37 + 1);
        share_add(&was.norms->strange, 3, i % 3);
        share_add(&was.norms->moved[i % 2], 0.25, i % 5 == 0);
    }
    char *first = saved(&was);
    load_all(&is, first);
    char *second = saved(&is);
    assert_string_equal(first, second);
    state_of_random = 4;
    struct tally a = live_days(was.budget, MONDAY + days, 20, 800);
    state_of_random = 4;
    struct tally b = live_days(is.budget, MONDAY + days, 20, 800);
    assert_int_equal(a.over, b.over);
    assert_int_equal(a.provisional, b.provisional);
    free(first);
    first = saved(&was);
    free(second);
    second = saved(&is);
    assert_string_equal(first, second);
    free(first);
    free(second);
    unmade(&was);
    unmade(&is);
}

static void test_comes_back(void **state)
{
    (void)state;
    round_trip(1);  /* before there is a level */
    round_trip(21); /* with one */
}

static void test_other_lines_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "days", "days context", "days context 1 2 3", "days context 20513 8 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0",
        "days context 20513 7 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 -1", "days nobody 20513 7 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0",
        "tail context 2000 0 1 0.1 0 40 40 0", "tail context 2000 0 nan 0.1 1 40 40 0", "tail context 2000 0 1 0.1 1 40 41 0",
        "tail context 20 0 1 0.1 1 40 40 0", "tail context 2000 0 1 0.1 1 40 40 0 1", "latest context 1000 1", "latest context -1 1",
        "latest context 1 inf", "excess context 400 1 1", "excess context 1 1", "unit context 12 1 1",
        "unit context 0123456789abcdeg 1 1", "unit context 0123456789abcdef 1 4294967296", "norm unseen 1",
        "norm unseen 1 -2", "norm unseen 1 2 3", "norm nothing 1 2", "other context 1",
        "sure context 0", "sure context -1 0 0 0 0 0 0 0 0", "sure context 0 0 0 0 0 0 0 0 -1", "sure context 0 0 0 0 0 0 0 0 0 0",
    };
    struct levels l = made();
    char *before = saved(&l);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (levels_load(&l, bad[i]) != E_BAD)
            fail_msg("taken: %s", bad[i]);
    char *after = saved(&l);
    assert_string_equal(before, after);
    free(before);
    free(after);
    unmade(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spends_its_share),
        cmocka_unit_test(test_says_how_sure_a_level_is),
        cmocka_unit_test(test_smaller_budget_asks_more),
        cmocka_unit_test(test_a_wave_blunts_nothing),
        cmocka_unit_test(test_comes_back),
        cmocka_unit_test(test_other_lines_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
