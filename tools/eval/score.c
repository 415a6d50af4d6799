/* SPDX-License-Identifier: Apache-2.0
 * Lines grouped into alerts; an alert fires at its first line above the threshold, and again when it has grown much. */
#include "eval/score.h"

#include "base/assert.h"
#include "base/times.h"
#include "eval/attack.h"
#include "record/alert.h"

#include <math.h>
#include <stdlib.h>

#define GRACE_MS 3600000u  /* what the victim does until so long after an attack may decide, too ... */
#define SHORT_MS 86400000u /* ... of one that was over within a day */

struct line {
    uint64_t key, time_ms; /* since WORLD_START_S */
    double score;
    uint32_t who, truth; /* of the act that decided */
};

/* "73 81 4 D15 travel u00012 source.ip=1.2.3.0/24:5.1 ...": day, risk, update, rule, what it really was, who, why. */
static void tell(const struct scorer *s, const struct alert *a, uint64_t time_ms)
{
    fprintf(s->told, "%d %u %u %s %s %.*s", (int)(time_ms / 86400000u), a->risk, a->update, a->rule->id,
            s->act->truth ? truth_name(s->w->truths.at[s->act->truth - 1].kind) : "-",
            (int)a->last.size[STR_USER], (const char *)activity_get(&a->last, STR_USER).at);
    for (unsigned i = 0; i < a->n_why; i++)
        fprintf(s->told, " %s=%s:%.1f", a->why[i].field, a->why[i].value, a->why[i].bits);
    fputc('\n', s->told);
}

void score_say(void *ctx, const struct verdict *v)
{
    struct scorer *s = ctx;
    if (s->n == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 4096;
        s->lines = realloc(s->lines, s->cap * sizeof *s->lines);
        ASSERT(s->lines);
    }
    double jitter = (double)(prng_mix(v->key, 1) % 1000) * 1e-7; /* breaks ties, the same way each time */
    uint64_t time_ms = v->time_ns / NS_PER_MS - WORLD_START_S * 1000ull;
    if (s->told && v->alert)
        tell(s, v->alert, time_ms);
    s->lines[s->n++] = (struct line){v->key, time_ms, v->score + jitter, s->act->who, s->act->truth};
}

void score_fini(struct scorer *s)
{
    free(s->lines);
    s->lines = NULL;
}

static int by_key(const void *a, const void *b)
{
    const struct line *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->time_ms < y->time_ms ? -1 : x->time_ms > y->time_ms;
}

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

void score_numbers_add(struct numbers *n, double value)
{
    if (n->n == n->cap) {
        n->cap = n->cap ? n->cap * 2 : 256;
        n->at = realloc(n->at, n->cap * sizeof *n->at);
        ASSERT(n->at);
    }
    n->at[n->n++] = value;
}

double score_quantile(struct numbers *n, double q)
{
    if (n->n == 0)
        return 0;
    qsort(n->at, n->n, sizeof *n->at, by_value);
    size_t at = (size_t)(q * (double)n->n);
    return n->at[at < n->n ? at : n->n - 1];
}

static size_t group_end(const struct scorer *s, size_t from)
{
    size_t to = from + 1;
    while (to < s->n && s->lines[to].key == s->lines[from].key)
        to++;
    return to;
}

/* The k-th largest score of the alerts that began on the days of learning, k = budget * days. */
static double learn_threshold(const struct scorer *s, double budget)
{
    uint64_t from_ms = world_ms((int)s->w->p.learn_from, 0), to_ms = world_ms((int)s->w->p.test_from, 0);
    size_t k = (size_t)(budget * (s->w->p.test_from - s->w->p.learn_from) + 0.5);
    struct numbers best = {0};
    for (size_t i = 0, to; i < s->n; i = to) {
        double top = -INFINITY;
        to = group_end(s, i);
        for (size_t j = i; j < to; j++)
            if (s->lines[j].time_ms < to_ms && s->lines[j].score > top)
                top = s->lines[j].score;
        if (s->lines[i].time_ms >= from_ms && s->lines[i].time_ms < to_ms)
            score_numbers_add(&best, top);
    }
    qsort(best.at, best.n, sizeof *best.at, by_value);
    double threshold = k && best.n >= k ? best.at[best.n - k] : -INFINITY;
    free(best.at);
    return threshold;
}

/* The attack that the line is about: the act that decided is the thief's, or the victim's soon after. 0: none. */
static uint32_t attack_of(const struct world *w, const struct line *l)
{
    if (l->truth && w->truths.at[l->truth - 1].kind < ATTACK_N)
        return l->truth;
    for (uint32_t i = 0; i < w->n_attacks; i++) {
        const struct truth *t = &w->truths.at[w->attacks[i].truth - 1];
        if (w->attacks[i].who == l->who && t->acts && l->time_ms >= t->first_ms &&
            l->time_ms <= t->last_ms + GRACE_MS && t->last_ms - t->first_ms < SHORT_MS)
            return w->attacks[i].truth;
    }
    return 0;
}

struct fired {
    uint64_t *first_ms; /* by number of the truth; UINT64_MAX: not detected */
    uint32_t false_on[SCORE_DAYS];
};

static void fire(const struct scorer *s, const struct line *l, struct fired *f, struct result *r)
{
    const struct world *w = s->w;
    int day = (int)(l->time_ms / 86400000u) - (int)w->p.test_from;
    if (day < 0 || day >= (int)(w->p.days - w->p.test_from) || day >= SCORE_DAYS)
        return;
    uint32_t attack = attack_of(w, l);
    if (attack) {
        uint64_t *first_ms = &f->first_ms[attack - 1];
        r->true_alerts++;
        *first_ms = l->time_ms < *first_ms ? l->time_ms : *first_ms;
        return;
    }
    r->false_alerts++;
    f->false_on[day]++;
    if (l->truth)
        r->case_alerts[w->truths.at[l->truth - 1].kind]++;
}

static int thickness_of(uint32_t sessions)
{
    return sessions == 0 ? 0 : sessions < 5 ? 1 : sessions < 20 ? 2 : 3;
}

static void count_share(struct share *s, bool hit)
{
    s->n++;
    s->hit += hit;
}

static void count_truths(const struct world *w, const struct fired *f, struct result *r)
{
    for (uint32_t i = 0; i < w->truths.n; i++) {
        const struct truth *t = &w->truths.at[i];
        if (!t->acts)
            continue; /* its day never came */
        if (t->kind >= ATTACK_N) {
            r->cases[t->kind]++;
            continue;
        }
        bool hit = f->first_ms[i] != UINT64_MAX;
        count_share(&r->classes[t->kind], hit);
        count_share(&r->thick[thickness_of(t->thickness)], hit);
        if (t->kind <= ATTACK_TARGETED)
            count_share(&r->thick_plain[thickness_of(t->thickness)], hit);
        if (hit)
            score_numbers_add(&r->delays_s[t->kind],
                              f->first_ms[i] > t->first_ms ? (double)(f->first_ms[i] - t->first_ms) / 1000 : 0);
    }
}

void score_add(struct scorer *s, const struct judge *judge, struct result *r)
{
    struct fired f = {.first_ms = malloc((s->w->truths.n + 1) * sizeof *f.first_ms)};
    ASSERT(f.first_ms);
    memset(f.first_ms, 0xff, (s->w->truths.n + 1) * sizeof *f.first_ms);
    qsort(s->lines, s->n, sizeof *s->lines, by_key);
    double threshold = judge->is_ranked && r->budget > 0 ? learn_threshold(s, r->budget) : -INFINITY;
    for (size_t i = 0, to; i < s->n; i = to) {
        to = group_end(s, i);
        for (double least = threshold; i < to; i++) {
            if (s->lines[i].score < least)
                continue;
            fire(s, &s->lines[i], &f, r);
            least = judge->again > 0 ? s->lines[i].score + judge->again : INFINITY;
        }
    }
    count_truths(s->w, &f, r);
    r->n_worlds++;
    r->n_days = (uint32_t)(s->w->p.days - s->w->p.test_from);
    for (uint32_t day = 0; day < r->n_days && day < SCORE_DAYS; day++) {
        score_numbers_add(&r->false_a_day, f.false_on[day]);
        r->false_by_day[day] += f.false_on[day];
    }
    free(f.first_ms);
}

void score_result_fini(struct result *r)
{
    free(r->false_a_day.at);
    for (int i = 0; i < ATTACK_N; i++)
        free(r->delays_s[i].at);
    *r = (struct result){0};
}

void score_wilson(struct share s, double *low, double *high)
{
    double z = 1.959963984540054, n = s.n, p = n > 0 ? s.hit / n : 0;
    if (s.n == 0) {
        *low = 0;
        *high = 1;
        return;
    }
    double middle = p + z * z / (2 * n), half = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n)), scale = 1 + z * z / n;
    *low = fmax(0, (middle - half) / scale);
    *high = fmin(1, (middle + half) / scale);
}
