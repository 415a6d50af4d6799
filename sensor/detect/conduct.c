/* SPDX-License-Identifier: Apache-2.0
 * Notes of a day and what is surprising about them. */
#include "detect/conduct.h"

#include <math.h>
#include <stdio.h>

#include "base/hash.h"
#include "base/times.h"
#include "detect/tally.h"
#include "detect/volume.h"

#define VIEWED 0x5a5a000000000000u /* marks of a case in the day's set of things: looked at, taken from */
#define TAKEN 0xa5a5000000000000u
#define PART_MAX 16.0 /* bits of one part: past that it is no news how surprising it is */
#define AMOUNTS_FREE 2.6 /* the largest of six: log2(6) bits are no surprise */
#define PART_FREE 1.44   /* what a tail probability gives on average, in bits, when all is as usual */
#define HURRIED 2.5      /* bits of pace: so fast the owner works on one day in six */
#define CALM_WEIGHT 0.25 /* of an amount without haste: thieves hurry, a busy day is long */
#define CALM_MOST 4.0    /* bits that it takes off a day at most: one thief in sixteen is in no hurry */
#define ONE_CASE_WEIGHT 0.5 /* thieves take a few files of each case: many of one speak little for them */
#define ENOUGH_CASES 100 /* before what is usual of them is known */
#define WINDOW_S 600u

enum peer_group conduct_group(const struct baseline *b)
{
    if (b->flags & BASELINE_MACHINE && !(b->flags & BASELINE_PERSON))
        return PEERS_MACHINES;
    return b->org == BASELINE_ORG_MANY ? PEERS_STAFF : PEERS_CUSTOMERS;
}

static bool is_look(const struct activity *a)
{
    return a->action == ACTION_VIEW_CASE || a->action == ACTION_LIST_FILES || a->action == ACTION_REPLY;
}

static void note_case(struct scene *s, struct tally *t, uint64_t in_case)
{
    struct live_day *d = &s->live->today;
    uint64_t today = in_case ^ (uint64_t)s->b->day << 24;
    if (is_look(s->a) && d->viewed != in_case) {
        d->viewed = in_case;
        tally_first(t, s->credential, today ^ VIEWED);
    }
    if (!s->is_file)
        return;
    if (d->files_case != in_case) {
        d->files_case = in_case;
        d->files = 0;
        if (tally_first(t, s->credential, today ^ TAKEN)) {
            d->taken++;
            d->unseen += !tally_has(t, s->credential, today ^ VIEWED);
        }
    }
    d->files++;
    d->files_max = d->files > d->files_max ? d->files : d->files_max;
}

void conduct_note(struct scene *s, struct tally *t)
{
    struct span name = activity_get(s->a, STR_CASE);
    struct live_day *d = &s->live->today;
    if (name.size)
        note_case(s, t, hash64(name, 2) | 1);
    d->is_program = d->is_program || s->a->flags & ACT_MACHINE;
    if (s->is_case && !(s->a->flags & ACT_MACHINE))
        pace_add(&s->live->cases, s->now_s);
    if (s->is_case && s->b->window_cases < UINT16_MAX)
        s->b->window_cases++;
}

void conduct_end_day(struct live_day *day, const struct baseline *b, struct norms *norms)
{
    if (day->files_max)
        tail_add(&norms->case_files[day->is_program], day->files_max);
    if (b->today_cases && b->today_cases >= b->today_customers)
        tail_add(&norms->customer_cases[day->is_program], 1 + b->today_cases - b->today_customers);
    if (conduct_group(b) != PEERS_MACHINES)
        share_add(&norms->unseen, day->taken, day->unseen);
    if (b->org == BASELINE_ORG_MANY)
        share_add(&norms->strange, day->met, day->strangers);
    memset(day, 0, sizeof *day);
}

/* -log2 P(X >= k), X binomial of n and p. */
static double binomial_bits(unsigned n, unsigned k, double p)
{
    double term, tail = 0;
    int sign;
    if (k == 0)
        return 0;
    n = n < 200 ? n : 200; /* a day of more is judged by its amounts */
    k = k < n ? k : n;
    for (unsigned i = k; i <= n; i++) {
        term = exp(lgamma_r(n + 1, &sign) - lgamma_r(i + 1, &sign) - lgamma_r(n - i + 1, &sign) + i * log(p) +
                   (n - i) * log1p(-p));
        tail += term;
    }
    return tail > 0 ? fmin(-log2(tail), PART_MAX) : PART_MAX;
}

static double ratio_share(struct ratio own, double weight, double prior)
{
    return (own.hits + weight * prior) / (own.n + weight);
}

static struct spread usual(const struct scene *s, size_t which, struct spread start)
{
    return volume_usual(s->b, s->peer, which, start);
}

static double count_bits(const struct scene *s, size_t which, struct spread start, double k)
{
    return fmin(surprise_count(usual(s, which, start), k), PART_MAX);
}

static void judge_amounts(const struct scene *s, struct conduct *c)
{
    const struct rules *r = s->rules;
    const struct baseline *b = s->b;
    const struct live_day *d = &s->live->today;
    double alone = b->today_cases >= b->today_customers ? 1 + b->today_cases - b->today_customers : 1;
    double one_customer = tail_bits(&s->norms->customer_cases[d->is_program], alone, d->is_program ? 1 : 2, 30);
    double one_case = tail_bits(&s->norms->case_files[d->is_program], d->files_max, 1, 30);
    c->customers = count_bits(s, offsetof(struct baseline, customers_day), (struct spread){2, 6}, b->today_customers);
    c->cases = count_bits(s, offsetof(struct baseline, cases_day), (struct spread){3, 12}, b->today_cases);
    if (b->today_customers)
        c->cases = fmin(c->cases, c->customers + one_customer);
    if (b->today_customers < r->breadth.customers)
        c->customers = 0;
    if (b->today_cases < r->breadth.cases)
        c->cases = 0;
    double files = count_bits(s, offsetof(struct baseline, files_day), (struct spread){3, 15}, b->today_files);
    double burst = count_bits(s, offsetof(struct baseline, files_window), (struct spread){3, 12}, b->window_files);
    files = b->today_files < r->daily_volume.files ? 0 : files;
    burst = b->window_files < r->download_burst.files ? 0 : burst;
    double held = fmax(fmax(c->customers, c->cases), ONE_CASE_WEIGHT * one_case);
    c->files = b->today_cases ? fmin(files, held) : files;
    c->burst = b->today_cases ? fmin(burst, held) : burst;
    if (b->today_bytes >= r->daily_volume.bytes)
        c->bytes = fmin(surprise_heavy(usual(s, offsetof(struct baseline, bytes_day), (struct spread){20, 16}),
                                       log2((double)b->today_bytes)), PART_MAX);
    double slow = volume_slow_cases(b, s->peer, r->breadth.slow_spare);
    if (slow > (double)b->slow_cases) /* today adds to it */
        c->slow = fmin(slow * M_LOG2E, PART_MAX);
}

bool conduct_has_viewed(const struct scene *s)
{
    struct span name = activity_get(s->a, STR_CASE);
    return tally_has(s->tally, s->credential, ((hash64(name, 2) | 1) ^ (uint64_t)s->b->day << 24) ^ VIEWED);
}

double conduct_unseen_share(const struct scene *s)
{
    return ratio_share(s->b->unseen, 8, share_of(&s->norms->unseen, 40, 2));
}

struct conduct conduct_judge(const struct scene *s)
{
    struct conduct c = {0};
    const struct live_day *d = &s->live->today;
    judge_amounts(s, &c);
    if (s->is_machine)
        return c;
    unsigned fast = pace_count(&s->live->cases, s->now_s, WINDOW_S);
    if (fast > 1)
        c.pace = count_bits(s, offsetof(struct baseline, cases_window), (struct spread){2, 3}, fast);
    double strange = share_of(&s->norms->strange, 40, 4);
    if (d->unseen > 1 && s->norms->unseen.n >= ENOUGH_CASES) /* one comes by a mailed link */
        c.unseen = binomial_bits(d->taken, d->unseen, fmin(conduct_unseen_share(s), 0.99));
    if (s->b->org == BASELINE_ORG_MANY && s->b->strange.n >= 10)
        c.strange = binomial_bits(d->met, d->strangers, fmin(ratio_share(s->b->strange, 10, strange), 0.99));
    return c;
}

static double above(double bits, double free)
{
    return bits > free ? bits - free : 0;
}

double conduct_amount(const struct conduct *c)
{
    double amount = fmax(c->customers, c->cases);
    amount = fmax(amount, fmax(c->files, c->burst));
    return fmax(amount, fmax(c->bytes, c->slow));
}

double conduct_bits(const struct conduct *c)
{
    return above(conduct_amount(c), AMOUNTS_FREE) + above(c->pace, PART_FREE) + above(c->unseen, PART_FREE) + above(c->strange, PART_FREE);
}

bool conduct_is_calm(const struct conduct *c, bool is_program)
{
    return !is_program && c->pace < HURRIED && fmax(c->unseen, c->strange) < PART_FREE && c->burst < fmax(conduct_amount(c), PART_FREE);
}

double conduct_haste(const struct conduct *c, bool is_program)
{
    double amount = conduct_amount(c);
    bool is_calm = !is_program && c->pace < HURRIED && (c->burst < amount || c->burst < PART_FREE);
    double calm = is_calm ? (1 - CALM_WEIGHT) * above(amount, AMOUNTS_FREE) : 0;
    return conduct_bits(c) - calm;
}

double conduct_of_day(const struct conduct *c, bool is_program)
{
    double bits = fmax(conduct_haste(c, is_program), above(c->slow, AMOUNTS_FREE));
    return fmax(bits, conduct_bits(c) - CALM_MOST);
}

static void why_bytes(const struct scene *s, double bits, struct finding *f)
{
    char value[ALERT_TEXT], text[ALERT_TEXT];
    struct spread u = usual(s, offsetof(struct baseline, bytes_day), (struct spread){20, 16});
    snprintf(value, sizeof value, "%.1f MB today", (double)s->b->today_bytes / 1e6);
    snprintf(text, sizeof text, "%.1f MB on an active day", exp2(u.mean) / 1e6);
    finding_why(f, "casetap.bytes.day", value, text, bits);
}

/* The amount that is most surprising, and of those that are equally so the widest. */
static void why_amount(const struct scene *s, const struct conduct *c, struct finding *f)
{
    const struct baseline *b = s->b;
    double amount = conduct_amount(c);
    const struct {
        double bits;
        const char *field, *what;
        size_t at;
        unsigned n;
    } counts[] = {
        {c->customers, "casetap.customers.day", "customers today", offsetof(struct baseline, customers_day), b->today_customers},
        {c->cases, "casetap.cases.day", "cases today", offsetof(struct baseline, cases_day), b->today_cases},
        {c->files, "casetap.files.day", "files today", offsetof(struct baseline, files_day), b->today_files},
        {c->burst, "casetap.files.burst", "files within ten minutes", offsetof(struct baseline, files_window), b->window_files},
        {c->slow, "casetap.cases.days", "cases today, after other days above usual", offsetof(struct baseline, cases_day), b->today_cases},
    };
    if (amount < 1)
        return;
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        if (counts[i].bits < amount)
            continue;
        char value[ALERT_TEXT], text[ALERT_TEXT];
        snprintf(value, sizeof value, "%u %s", counts[i].n, counts[i].what);
        struct spread u = usual(s, counts[i].at, (struct spread){3, 12});
        finding_why(f, counts[i].field, value, volume_text(b, counts[i].at, u, text, sizeof text), above(amount, AMOUNTS_FREE));
        return;
    }
    why_bytes(s, above(c->bytes, AMOUNTS_FREE), f);
}

void conduct_why(const struct scene *s, const struct conduct *c, struct finding *f)
{
    const struct live_day *d = &s->live->today;
    char value[ALERT_TEXT], text[ALERT_TEXT];
    why_amount(s, c, f);
    if (c->pace > PART_FREE) {
        size_t at = offsetof(struct baseline, cases_window);
        snprintf(value, sizeof value, "%u cases within ten minutes", pace_count(&s->live->cases, s->now_s, WINDOW_S));
        finding_why(f, "casetap.cases.pace", value,
                    volume_text(s->b, at, usual(s, at, (struct spread){2, 3}), text, sizeof text), above(c->pace, PART_FREE));
    }
    if (c->unseen > PART_FREE) {
        snprintf(value, sizeof value, "files of %u of %u cases taken without looking at the case", d->unseen, d->taken);
        snprintf(text, sizeof text, "%.0f %% of cases", 100 * conduct_unseen_share(s));
        finding_why(f, "casetap.cases.unseen", value, text, above(c->unseen, PART_FREE));
    }
    if (c->strange > PART_FREE) {
        snprintf(value, sizeof value, "%u of %u customers today never touched before", d->strangers, d->met);
        snprintf(text, sizeof text, "%.0f %% of a day's customers", 100 * ratio_share(s->b->strange, 10, share_of(&s->norms->strange, 40, 4)));
        finding_why(f, "casetap.customers.first", value, text, above(c->strange, PART_FREE));
    }
}

void conduct_report(struct scene *s, const struct rule *rule)
{
    struct finding f = {.rule = rule, .family = STORY_VOLUME, .risk = scene_risk(&s->by_volume), .is_scored = true};
    conduct_why(s, &s->conduct, &f);
    scene_report_volume(s, &f);
}
