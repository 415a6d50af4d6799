/* SPDX-License-Identifier: Apache-2.0
 * Files of a credential's day under three models: the sensor's own (negative binomial, own days over everybody's),
 * Gamma-Poisson, and a normal one. */
#include "eval/tails.h"

#include "base/hash.h"
#include "base/map.h"
#include "base/times.h"
#include "sketch/surprise.h"

#include <math.h>
#include <stdlib.h>

#define MAX_CREDENTIALS 100000u
#define PRIOR_DAYS 5.0

struct sums {
    double n, s1, s2;
};

struct known {
    struct sums own;
    uint32_t day, files;
};

struct tails {
    struct map *known;
    struct sums all;
    uint64_t from_ns, to_ns;
    struct tails_counts counts;
};

struct tails *tails_new(uint64_t from_ns, uint64_t to_ns)
{
    struct tails *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->known = map_new(sizeof(uint64_t), sizeof(struct known), MAX_CREDENTIALS, 0);
    t->from_ns = from_ns;
    t->to_ns = to_ns;
    return t;
}

void tails_free(struct tails *t)
{
    if (t)
        map_free(t->known);
    free(t);
}

double tails_bits(int step)
{
    return 6 + 2 * step;
}

const char *tails_model_name(enum tails_model m)
{
    static const char *const names[TAILS_MODELS] = {"casetap (negative binomial)", "Gamma-Poisson", "normal (z-score)"};
    return names[m];
}

static struct spread usual(const struct tails *t, const struct known *k)
{
    struct spread peers = surprise_spread(t->all.n, t->all.s1, t->all.s2, PRIOR_DAYS, (struct spread){3, 15});
    return surprise_spread(k->own.n, k->own.s1, k->own.s2, PRIOR_DAYS, peers);
}

/* -log2 P(X >= x) where X is Poisson with a rate that the credential's own days and five of everybody's tell (a Gamma):
 * the days are taken for equally busy ones. */
static double poisson_bits(const struct tails *t, const struct known *k, double x)
{
    double mean = t->all.n > 0 ? t->all.s1 / t->all.n : 3, shape = fmax(0.1, k->own.s1 + PRIOR_DAYS * mean),
           rate = k->own.n + PRIOR_DAYS;
    double p = 1 / (rate + 1), term = pow(1 - p, shape), below = 0;
    for (double i = 0; i < x; i++) {
        below += term;
        term *= (shape + i) / (i + 1) * p;
    }
    return -log2(fmax(1 - below, 1e-12));
}

static void end_day(struct tails *t, struct known *k, bool is_counted)
{
    struct spread s = usual(t, k);
    double x = k->files;
    double bits[TAILS_MODELS] = {
        [TAILS_SENSOR] = surprise_count(s, x),
        [TAILS_POISSON] = poisson_bits(t, k, x),
        [TAILS_NORMAL] = surprise_normal(s, x - 0.5),
    };
    t->counts.days += is_counted;
    for (int m = 0; m < TAILS_MODELS && is_counted; m++)
        for (int i = 0; i < TAILS_STEPS; i++)
            t->counts.above[m][i] += bits[m] >= tails_bits(i);
    struct sums *both[2] = {&k->own, &t->all};
    for (int i = 0; i < 2; i++) {
        both[i]->n++;
        both[i]->s1 += x;
        both[i]->s2 += x * x;
    }
}

void tails_feed(struct tails *t, const struct activity *a)
{
    struct span user = activity_get(a, STR_USER);
    bool is_new;
    if (user.size == 0 || a->outcome != OUTCOME_SUCCESS || a->cred_kind == CRED_TOKEN) /* people */
        return;
    uint64_t who = hash64(user, 0);
    struct known *k = map_touch(t->known, &who, &is_new);
    uint32_t day = time_day(a->done_ns);
    if (!is_new && k->day != day) {
        end_day(t, k, a->done_ns >= t->from_ns && a->done_ns < t->to_ns);
        k->files = 0;
    }
    k->day = day;
    k->files += a->action == ACTION_DOWNLOAD;
}

void tails_add(const struct tails *t, struct tails_counts *out)
{
    out->days += t->counts.days;
    for (int m = 0; m < TAILS_MODELS; m++)
        for (int i = 0; i < TAILS_STEPS; i++)
            out->above[m][i] += t->counts.above[m][i];
}
