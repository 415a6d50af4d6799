/* SPDX-License-Identifier: Apache-2.0
 * Units that are open wait in a map until nothing has raised them for a day; then they teach their channel. */
#include "detect/budget.h"

#include <math.h>
#include <stdlib.h>

#include "base/times.h"
#include "detect/budget_parts.h"

#define MAX_UNITS 131072u
#define CLOSE_S S_PER_DAY
#define Q_MAX (0.5 * (1 - SPOT_LEVEL))
#define Q_MIN 1e-7
#define GUESSED 0.8 /* of its share is spent while the level is a guess */
#define SURE 4.0 /* bits rarer than the level: critical, and told under a sixteenth of the budget, too */
#define SURE_CREDIT 4.0
#define MORE 2.0 /* times its share at most, while less than the share is told */

static const struct {
    double share, provisional, least; /* of the budget; bits that it takes at least: before there is enough data, and after */
} kinds[CHANNELS] = {
    [CHANNEL_CONTEXT] = {0.5, 1.5, 4},
    [CHANNEL_VOLUME] = {0.5, 9, 2},
};

struct budget *budget_new(double a_day)
{
    struct budget *b = calloc(1, sizeof *b);
    if (!b)
        return NULL;
    b->a_day = a_day;
    for (int c = 0; c < CHANNELS; c++) {
        b->channels[c].units = map_new(sizeof(uint64_t), sizeof(struct unit), MAX_UNITS, (uint64_t)c + 40);
        if (!b->channels[c].units) {
            budget_free(b);
            return NULL;
        }
    }
    return b;
}

void budget_retune(struct budget *b, double a_day)
{
    b->a_day = a_day;
}

void budget_free(struct budget *b)
{
    if (!b)
        return;
    for (int c = 0; c < CHANNELS; c++)
        map_free(b->channels[c].units);
    free(b);
}

static void turn_day(struct channel_state *s, uint32_t day)
{
    if (s->day == 0)
        s->day = day;
    for (; s->day < day; s->day++) {
        for (unsigned i = WEEK - 1; i > 0; i--) {
            s->closed[i] = s->closed[i - 1];
            s->told[i] = s->told[i - 1];
            s->sure[i] = s->sure[i - 1];
        }
        s->closed[0] = s->told[0] = s->sure[0] = 0;
        s->days += s->days < WEEK - 1;
        if (day - s->day > WEEK)
            s->day = day - WEEK;
    }
}

/* Of the days before today. */
static double a_day(const uint32_t *counts, uint32_t days)
{
    double sum = 0;
    uint32_t n = days;
    for (uint32_t i = 1; i <= n; i++)
        sum += counts[i];
    return n ? sum / n : 0;
}

/* Alerts a day that the channel has spent. Sure ones beyond those that come by chance are free, as many as its share again: a
 * wave of attacks must not blunt it for the next one. */
static double spent(const struct budget *b, enum channel c)
{
    const struct channel_state *s = &b->channels[c];
    double share = kinds[c].share * b->a_day, free = a_day(s->sure, s->days) - share / exp2(SURE);
    return a_day(s->told, s->days) - fmin(fmax(free, 0), share);
}

/* Alerts a day that the channel may tell. Of the units over its level some belong to alerts that are told already: while
 * fewer are told than it may, its level aims at more. */
static double share_of_channel(const struct budget *b, enum channel c)
{
    const struct channel_state *s = &b->channels[c];
    double share = kinds[c].share * b->a_day;
    if (s->days < WEEK - 1)
        return share;
    return share * fmin(fmax(share / fmax(spent(b, c), 1e-3), 1), MORE);
}

double budget_q(const struct budget *b, enum channel c)
{
    const struct channel_state *s = &b->channels[c];
    double units = fmax(a_day(s->closed, s->days), 1);
    return fmin(fmax(share_of_channel(b, c) / units, Q_MIN), Q_MAX);
}

double budget_least(enum channel c)
{
    return kinds[c].least;
}

/* How many bits rarer than its channel's level a score is. */
static double rarer_than(const struct channel_state *s, double level, double score)
{
    return log2(fmax(spot_above(&s->spot, level), 1e-12) / fmax(spot_above(&s->spot, score), 1e-12));
}

/* Whether the tail may learn the unit. Of sure ones as many as come by chance are learned, so that a wave of attacks does not
 * raise the level; unless there are so many that it has to follow. */
static bool is_taught(struct budget *b, enum channel c, double score)
{
    struct channel_state *s = &b->channels[c];
    if (!spot_is_ready(&s->spot) || a_day(s->sure, s->days) > kinds[c].share * b->a_day)
        return true;
    double q = budget_q(b, c);
    s->sure_credit = fmin(s->sure_credit + q / exp2(SURE), SURE_CREDIT);
    if (rarer_than(s, spot_level(&s->spot, q), score) < SURE)
        return true;
    bool is_due = s->sure_credit >= 1;
    s->sure_credit -= is_due;
    return is_due;
}

static void close_units(struct budget *b, enum channel c, uint32_t now_s)
{
    struct channel_state *s = &b->channels[c];
    const void *key;
    void *value;
    while (map_oldest(s->units, &key, &value)) {
        const struct unit *unit = value;
        if (now_s - unit->last_s < CLOSE_S)
            return;
        if (is_taught(b, c, (double)unit->score))
            spot_add(&s->spot, (double)unit->score, budget_q(b, c));
        s->closed[0]++;
        map_remove(s->units, key);
    }
}

/* Before the channel is learned: a likelihood ratio of b bits is reached by chance in one of 2^b units at most (Markov's
 * inequality), so that much is asked as the units of a day and the share call for, and one bit more. */
static double provisional_level(const struct budget *b, enum channel c)
{
    const struct channel_state *s = &b->channels[c];
    double units = fmax(a_day(s->closed, s->days), map_size(s->units));
    return fmax(kinds[c].provisional, 1 + log2(fmax(units, 1) / (GUESSED * share_of_channel(b, c))));
}

struct judgement budget_judge(struct budget *b, enum channel c, uint64_t unit, double score, uint32_t now_s)
{
    struct channel_state *s = &b->channels[c];
    bool is_new;
    turn_day(s, now_s / S_PER_DAY);
    close_units(b, c, now_s);
    struct unit *u = map_touch(s->units, &unit, &is_new);
    if (is_new || score > (double)u->score)
        u->score = (float)score;
    u->last_s = now_s;
    struct judgement j = {.is_provisional = !spot_is_ready(&s->spot), .level = provisional_level(b, c)};
    if (j.is_provisional) {
        j.rarer = score - j.level;
    } else {
        double q = budget_q(b, c);
        j.level = fmax(spot_level(&s->spot, q), kinds[c].least);
        j.rarer = rarer_than(s, j.level, score);
        j.is_sure = j.rarer >= SURE;
    }
    j.is_over = score >= j.level;
    return j;
}

void budget_spend(struct budget *b, enum channel c, uint32_t now_s)
{
    turn_day(&b->channels[c], now_s / S_PER_DAY);
    b->channels[c].told[0]++;
}

void budget_is_sure(struct budget *b, enum channel c, uint32_t now_s)
{
    turn_day(&b->channels[c], now_s / S_PER_DAY);
    b->channels[c].sure[0]++;
}
