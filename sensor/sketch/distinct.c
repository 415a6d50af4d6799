/* SPDX-License-Identifier: Apache-2.0 */
#include "sketch/distinct.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

static bool is_live(const struct distinct *d, unsigned i, uint32_t now_s, uint32_t window_s)
{
    return d->last_s[i] <= now_s && now_s - d->last_s[i] < window_s;
}

/* The place of the value, or of one that has left the window, or the end of the list. */
static unsigned place_of(const struct distinct *d, uint64_t hash, uint32_t now_s, uint32_t window_s)
{
    unsigned free_at = d->n;
    for (unsigned i = 0; i < d->n; i++) {
        if (d->hash[i] == hash)
            return i;
        if (!is_live(d, i, now_s, window_s) && free_at == d->n)
            free_at = i;
    }
    return free_at;
}

static void sketch_add(struct distinct *d, uint64_t hash, uint32_t half)
{
    if (half > d->half) {
        if (half == d->half + 1)
            memcpy(d->registers[1], d->registers[0], DISTINCT_REGISTERS);
        else
            memset(d->registers[1], 0, DISTINCT_REGISTERS);
        memset(d->registers[0], 0, DISTINCT_REGISTERS);
        d->half = half;
    }
    uint64_t rest = hash << 8 >> 9; /* the lowest bit may be a mark of the caller's */
    uint8_t rank = rest ? (uint8_t)(__builtin_ctzll(rest) + 1) : 56;
    uint8_t *r = &d->registers[0][hash >> 56];
    if (rank > *r)
        *r = rank;
}

void distinct_add(struct distinct *d, uint64_t hash, uint32_t now_s, uint32_t window_s)
{
    unsigned i = place_of(d, hash, now_s, window_s);
    sketch_add(d, hash, now_s / (window_s / 2));
    if (i == DISTINCT_EXACT) {
        d->spilled_s = now_s;
        return;
    }
    bool is_here = i < d->n && d->hash[i] == hash && is_live(d, i, now_s, window_s);
    d->n += i == d->n;
    d->times[i] = !is_here ? 1 : d->times[i] < UINT16_MAX ? d->times[i] + 1 : d->times[i];
    d->hash[i] = hash;
    d->last_s[i] = now_s;
}

static uint32_t estimate(const struct distinct *d, uint32_t half)
{
    double sum = 0;
    unsigned zeros = 0;
    for (unsigned i = 0; i < DISTINCT_REGISTERS; i++) {
        uint8_t now = half == d->half ? d->registers[0][i] : 0;
        uint8_t before = half == d->half ? d->registers[1][i] : half == d->half + 1 ? d->registers[0][i] : 0;
        uint8_t most = now > before ? now : before;
        sum += ldexp(1, -most);
        zeros += most == 0;
    }
    double m = DISTINCT_REGISTERS, raw = 0.7213 / (1 + 1.079 / m) * m * m / sum;
    if (raw <= 2.5 * m && zeros)
        raw = m * log(m / zeros); /* linear counting */
    return (uint32_t)lround(raw);
}

uint32_t distinct_count(const struct distinct *d, uint32_t now_s, uint32_t window_s, uint32_t each)
{
    uint32_t exact = 0;
    for (unsigned i = 0; i < d->n; i++)
        exact += is_live(d, i, now_s, window_s) && d->times[i] >= each;
    if (!d->spilled_s || now_s - d->spilled_s >= window_s || each > 1)
        return exact;
    uint32_t about = estimate(d, now_s / (window_s / 2));
    return about > exact ? about : exact;
}
