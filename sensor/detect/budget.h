/* SPDX-License-Identifier: Apache-2.0
 * So many alerts a day: each channel scores its units (a visit, a credential's day), learns how often
 * a score is reached, and tells the level that spends its share. What it tells is in alerts a day over a whole week, counted in
 * units, so that a busy Monday may take more than a Sunday. Packet time only. */
#ifndef DETECT_BUDGET_H
#define DETECT_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

struct budget;

enum channel { CHANNEL_CONTEXT, CHANNEL_VOLUME, CHANNELS };

/* What a score means in its channel. */
struct judgement {
    bool is_over;        /* to be told */
    bool is_provisional; /* there is not enough data yet: a built-in level decided */
    double level;        /* in bits */
    bool is_sure;        /* so rare that any budget would tell it */
    double rarer;        /* log2(P(level) / P(score)): so many times rarer than what is just told; below zero: commoner */
};

struct level_interval {
    double level, low, high; /* bits; of nineteen in twenty draws */
};

/* 'a_day': alerts a day. NULL without memory. */
struct budget *budget_new(double a_day);
/* Keeps another budget from now on; what was counted stays. */
void budget_retune(struct budget *b, double a_day);
void budget_free(struct budget *b);
/* The unit has come to that score; the highest counts. 'unit' is a hash of what the unit is. */
struct judgement budget_judge(struct budget *b, enum channel c, uint64_t unit, double score, uint32_t now_s);
/* An alert of the channel goes out now (its first line). */
void budget_spend(struct budget *b, enum channel c, uint32_t now_s);
/* The channel's level now and how sure it is; false while it is provisional. Slow: for people. */
bool budget_level(const struct budget *b, enum channel c, struct level_interval *out);
/* One of those has become sure. */
void budget_is_sure(struct budget *b, enum channel c, uint32_t now_s);

#endif
