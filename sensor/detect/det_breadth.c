/* SPDX-License-Identifier: Apache-2.0
 * D12: many different customers or cases in a day, or day after day customers never touched before. */
#include "detect/scene.h"

#include <math.h>
#include <stdio.h>

#include "detect/volume.h"

static const struct rule *rule(const struct scene *s)
{
    return s->rules->head[SCORED_BREADTH];
}

static unsigned days_of_strangers(const struct scene *s)
{
    unsigned days = 0;
    for (size_t i = 0; i < 7; i++)
        days += s->b->first_customers[i] >= s->rules->breadth.first_customers;
    return days;
}

/* Where there is a baseline: day after day more cases than usual. */
static double slow_sum(const struct scene *s)
{
    return s->is_case && s->is_mature && !s->is_young ? volume_slow_cases(s->b, s->fleet, s->rules->breadth.slow_spare)
                                                      : 0;
}

static void why_slow(const struct scene *s, struct finding *f, double slow)
{
    size_t which = offsetof(struct baseline, cases_day);
    char value[ALERT_TEXT], text[ALERT_TEXT];
    snprintf(value, sizeof value, "%u today, days above usual add up to %.1f", s->b->today_cases, slow);
    volume_text(s->b, which, volume_usual_cases(s->b, s->fleet), text, sizeof text);
    finding_why(f, "casetap.cases.days", value, text, slow);
}

static void why_count(const struct scene *s, struct finding *f, size_t which, struct spread usual, double bits)
{
    bool is_case = which == offsetof(struct baseline, cases_day);
    char value[ALERT_TEXT], text[ALERT_TEXT];
    snprintf(value, sizeof value, "%u %s today", is_case ? s->b->today_cases : s->b->today_customers,
             is_case ? "cases" : "customers");
    finding_why(f, is_case ? "casetap.cases.day" : "casetap.customers.day", value,
                volume_text(s->b, which, usual, text, sizeof text), bits);
}

static void judge(struct scene *s)
{
    const struct rules *r = s->rules;
    const struct baseline *b = s->b;
    if (!s->is_case && !s->is_customer)
        return;
    bool is_wide = b->today_cases >= r->breadth.cases || b->today_customers >= r->breadth.customers;
    unsigned days = s->is_customer ? days_of_strangers(s) : 0;
    bool is_long = days >= r->breadth.first_days;
    double slow = slow_sum(s);
    bool is_slow = slow >= r->breadth.slow_limit;
    if ((!is_wide && !is_long && !is_slow) || scene_has_volume(s, rule(s)))
        return;
    size_t cases_at = offsetof(struct baseline, cases_day), customers_at = offsetof(struct baseline, customers_day);
    struct spread cases = volume_usual_cases(s->b, s->fleet);
    struct spread customers = volume_usual(s->b, s->fleet, customers_at, (struct spread){2, 6});
    double case_bits = b->today_cases >= r->breadth.cases ? surprise_count(cases, b->today_cases) : 0;
    double customer_bits =
        b->today_customers >= r->breadth.customers ? surprise_count(customers, b->today_customers) : 0;
    double bits = fmax(case_bits, customer_bits);
    if (bits < r->breadth.bits && !is_long && !is_slow)
        return;
    struct finding f = {
        .rule = rule(s), .family = STORY_VOLUME, .risk = rule(s)->risk, .over_bits = fmax(0, bits - r->breadth.bits)};
    if (case_bits >= customer_bits && case_bits > 0)
        why_count(s, &f, cases_at, cases, case_bits);
    else if (customer_bits > 0)
        why_count(s, &f, customers_at, customers, customer_bits);
    if (is_slow)
        why_slow(s, &f, slow);
    if (is_long) {
        char value[ALERT_TEXT];
        snprintf(value, sizeof value, "on %u of 7 days %g or more customers never touched before", days,
                 r->breadth.first_customers);
        finding_why(&f, "casetap.customers.first", value, "a new customer now and then", r->breadth.bits);
    }
    scene_report_volume(s, &f);
}

const struct detector *det_breadth(void)
{
    static const struct detector detector = {SCORED_BREADTH, judge};
    return &detector;
}
