/* SPDX-License-Identifier: Apache-2.0
 * The z-score of a day's files against the credential's own days (Panther: above 3), everybody's while it has few. */
#include "eval/judge.h"

#include "base/hash.h"
#include "base/map.h"
#include "base/times.h"

#include <math.h>
#include <stdlib.h>

#define MAX_CREDENTIALS 100000u
#define OWN_DAYS 5
#define LEAST 3.0

struct days {
    double n, mean, square; /* Welford 1962 */
};

struct known {
    struct days own;
    uint32_t day, files;
    double told;
};

struct zscore_judge {
    struct map *known;
    struct days all;
    judge_say_fn *say;
    void *ctx;
};

static void *zscore_make(const struct judge *judge, judge_say_fn *say, void *ctx)
{
    (void)judge;
    struct zscore_judge *j = calloc(1, sizeof *j);
    if (!j)
        return NULL;
    *j = (struct zscore_judge){
        .known = map_new(sizeof(uint64_t), sizeof(struct known), MAX_CREDENTIALS, 0), .say = say, .ctx = ctx};
    return j;
}

static void zscore_free(void *self)
{
    struct zscore_judge *j = self;
    map_free(j->known);
    free(j);
}

static void days_add(struct days *d, double x)
{
    double away = x - d->mean;
    d->n++;
    d->mean += away / d->n;
    d->square += away * (x - d->mean);
}

static double z_of(const struct days *d, double x)
{
    double deviation = d->n > 1 ? sqrt(d->square / (d->n - 1)) : 1;
    return (x - d->mean) / (deviation > 1 ? deviation : 1);
}

static void zscore_feed(void *self, const struct activity *a)
{
    struct zscore_judge *j = self;
    struct span user = activity_get(a, STR_USER);
    bool is_new;
    if (user.size == 0 || a->outcome != OUTCOME_SUCCESS)
        return;
    uint64_t who = hash64(user, 0);
    struct known *k = map_touch(j->known, &who, &is_new);
    uint32_t day = time_day(a->done_ns);
    if (!is_new && k->day != day) {
        days_add(&k->own, k->files);
        days_add(&j->all, k->files);
    }
    if (k->day != day)
        k->files = 0, k->told = LEAST - 0.01;
    k->day = day;
    if (a->action != ACTION_DOWNLOAD)
        return;
    double z = z_of(k->own.n >= OWN_DAYS ? &k->own : &j->all, ++k->files);
    if (z <= k->told)
        return;
    const uint64_t key[2] = {who, day};
    k->told = z + 0.25; /* not a line for every file */
    j->say(j->ctx, &(struct verdict){.key = hash64(span_of(key, sizeof key), 0), .time_ns = a->done_ns, .score = z});
}

const struct judge *judge_zscore(void)
{
    static const struct judge judge = {"z-score of files", true, 0, 0, zscore_make, zscore_feed, zscore_free};
    return &judge;
}
