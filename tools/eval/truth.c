/* SPDX-License-Identifier: Apache-2.0
 * The table of what really happened. */
#include "eval/truth.h"

#include "base/assert.h"

#include <stdlib.h>

const char *truth_name(enum truth_kind kind)
{
    static const char *const names[TRUTH_N] = {
        [ATTACK_NAIVE] = "naive",
        [ATTACK_VPN] = "VPN",
        [ATTACK_TARGETED] = "targeted",
        [ATTACK_SESSION] = "session theft",
        [ATTACK_MASS] = "mass download",
        [ATTACK_SLOW] = "slow",
        [ATTACK_STUFFING] = "stuffing",
        [ATTACK_TOKEN] = "machine token",
        [ATTACK_EXPORT] = "export",
        [ATTACK_NAVIGATION] = "navigation break",
        [ATTACK_DORMANT] = "dormant account",
        [ATTACK_DESK] = "contractor's desk",
        [INNOCENT_TRAVEL] = "travel",
        [INNOCENT_FORGOT] = "forgot password",
        [INNOCENT_LAPTOP] = "new laptop",
        [INNOCENT_RELEASE] = "browser release",
        [INNOCENT_MOVE] = "office move",
        [INNOCENT_OUTAGE] = "VPN outage",
        [INNOCENT_SYNC] = "sync client",
        [INNOCENT_MONTH_END] = "month end",
        [INNOCENT_IPV6] = "dual stack",
        [INNOCENT_BIG_CASE] = "big case",
    };
    return names[kind];
}

uint32_t truths_add(struct truths *t, const struct truth *row)
{
    if (t->n == t->cap) {
        t->cap = t->cap ? t->cap * 2 : 256;
        t->at = realloc(t->at, t->cap * sizeof *t->at);
        ASSERT(t->at);
    }
    t->at[t->n] = *row;
    t->at[t->n].first_ms = UINT64_MAX;
    return ++t->n;
}

void truths_touch(struct truths *t, uint32_t number, uint64_t ms)
{
    if (!number)
        return;
    struct truth *row = &t->at[number - 1];
    row->first_ms = ms < row->first_ms ? ms : row->first_ms;
    row->last_ms = ms > row->last_ms ? ms : row->last_ms;
    row->acts++;
}
