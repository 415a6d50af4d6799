/* SPDX-License-Identifier: Apache-2.0
 * The judge of judges: thresholds from earlier days, alerts matched with what really happened. */
#include "eval/score.h"

#include "base/times.h"
#include "eval/attack.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void wilson(void **state)
{
    (void)state;
    static const struct {
        struct share share;
        double low, high;
    } rows[] = {
        {{10, 20}, 0.2993, 0.7007}, {{0, 20}, 0, 0.1611}, {{20, 20}, 0.8389, 1}, {{95, 100}, 0.8882, 0.9785}, {{0, 0}, 0, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double low, high;
        score_wilson(rows[i].share, &low, &high);
        assert_true(fabs(low - rows[i].low) < 1e-4 && fabs(high - rows[i].high) < 1e-4);
    }
}

/* A world of two people: 1 is attacked at noon of day 12, 0 travels that day. */
static struct world tiny(struct attack *attack)
{
    struct world w = {.n_people = 3, .attacks = attack, .n_attacks = 1};
    params_default(&w.p);
    w.p.days = 20;
    w.p.learn_from = 5;
    w.p.test_from = 10;
    *attack = (struct attack){.kind = ATTACK_VPN, .who = 1};
    attack->truth = truths_add(&w.truths, &(struct truth){.kind = ATTACK_VPN, .who = 1, .thickness = 7});
    uint32_t trip = truths_add(&w.truths, &(struct truth){.kind = INNOCENT_TRAVEL, .who = 0});
    truths_touch(&w.truths, attack->truth, world_ms(12, 12));
    truths_touch(&w.truths, attack->truth, world_ms(12, 12.5));
    truths_touch(&w.truths, trip, world_ms(12, 9));
    return w;
}

static void say(struct scorer *s, uint32_t who, uint32_t truth, uint64_t key, uint64_t ms, double score)
{
    struct act act = {.who = who, .truth = truth};
    s->act = &act;
    score_say(s, &(struct verdict){.key = key, .time_ns = (WORLD_START_S * 1000ull + ms) * NS_PER_MS, .score = score});
}

/* Five days of learning with the scores 1 to 10, so that 1 a day is a threshold of 6; then the test. */
static void fill(struct scorer *s)
{
    for (uint32_t i = 0; i < 10; i++)
        say(s, 2, 0, 100 + i, world_ms(5 + (int)i / 2, 8), i + 1);
    say(s, 1, 1, 1, world_ms(12, 12.1), 3);   /* grows: fires at its second line */
    say(s, 1, 1, 1, world_ms(12, 12.2), 8);
    say(s, 0, 2, 2, world_ms(12, 9), 9);      /* the traveller */
    say(s, 2, 0, 3, world_ms(13, 9), 5);      /* below */
    say(s, 1, 0, 4, world_ms(12, 13), 7);     /* the victim, half an hour later */
    say(s, 1, 0, 5, world_ms(12, 20), 7);     /* too late to be about it */
}

static void counts(void **state)
{
    (void)state;
    static const struct {
        double budget;
        bool is_ranked;
        uint64_t true_alerts, false_alerts;
        double delay_s, again;
    } rows[] = {
        {1, true, 2, 2, 720, 0},  {0, true, 2, 3, 360, 0}, {0, true, 3, 3, 360, 5},
        {1, false, 2, 3, 360, 0}, {0.2, true, 0, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct attack attack;
        struct world w = tiny(&attack);
        struct scorer s = {.w = &w};
        struct result r = {.budget = rows[i].budget};
        fill(&s);
        score_add(&s, &(struct judge){.is_ranked = rows[i].is_ranked, .again = rows[i].again}, &r);
        assert_int_equal(r.true_alerts, rows[i].true_alerts);
        assert_int_equal(r.false_alerts, rows[i].false_alerts);
        assert_int_equal(r.classes[ATTACK_VPN].n, 1);
        assert_int_equal(r.classes[ATTACK_VPN].hit, rows[i].true_alerts > 0);
        assert_int_equal(r.thick[2].n, 1);
        assert_int_equal(r.cases[INNOCENT_TRAVEL], 1);
        assert_int_equal(r.case_alerts[INNOCENT_TRAVEL], rows[i].true_alerts > 0);
        if (rows[i].true_alerts)
            assert_true(fabs(score_quantile(&r.delays_s[ATTACK_VPN], 0.5) - rows[i].delay_s) < 1);
        score_result_fini(&r);
        score_fini(&s);
        free(w.truths.at);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wilson),
        cmocka_unit_test(counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
