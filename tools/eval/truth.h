/* SPDX-License-Identifier: Apache-2.0
 * What really happened: attacks, and innocent cases that look like one. Only the scorer reads it. */
#ifndef EVAL_TRUTH_H
#define EVAL_TRUTH_H

#include <stdint.h>

enum truth_kind {
    ATTACK_NAIVE,
    ATTACK_VPN,
    ATTACK_TARGETED,
    ATTACK_SESSION,
    ATTACK_MASS,
    ATTACK_SLOW,
    ATTACK_STUFFING,
    ATTACK_TOKEN,
    ATTACK_EXPORT,
    ATTACK_NAVIGATION,
    ATTACK_DORMANT,
    ATTACK_DESK,
    ATTACK_N,
    INNOCENT_TRAVEL = ATTACK_N,
    INNOCENT_FORGOT,
    INNOCENT_LAPTOP,
    INNOCENT_RELEASE,
    INNOCENT_MOVE,
    INNOCENT_OUTAGE,
    INNOCENT_SYNC,
    INNOCENT_MONTH_END,
    INNOCENT_IPV6,
    INNOCENT_BIG_CASE,
    TRUTH_N
};

struct truth {
    enum truth_kind kind;
    uint32_t who;               /* the victim, or to whom it happens */
    uint64_t first_ms, last_ms; /* of its acts */
    uint32_t acts, thickness;   /* sessions before */
};

struct truths {
    struct truth *at;
    uint32_t n, cap;
};

const char *truth_name(enum truth_kind kind);
/* The number (1 + index) of a new case. */
uint32_t truths_add(struct truths *t, const struct truth *row);
/* One of its acts is at that time. */
void truths_touch(struct truths *t, uint32_t number, uint64_t ms);

#endif
