/* SPDX-License-Identifier: Apache-2.0
 * The credential's visits as a Poisson process whose rate goes by its own hours and weekdays. */
#include "detect/presence.h"

#include <math.h>
#include <string.h>

#include "base/times.h"

#define HOURS_BEFORE 8u
#define SESSIONS 5u /* before its habits are known */
#define LEAST_DAYS 7.0
#define MOST 0.65 /* people stay at home, are ill, have holidays */

static bool is_elsewhere(const struct place *p, const struct place *place, enum place_level level)
{
    if (memcmp(p->country, place->country, sizeof p->country) != 0)
        return true;
    return level == LEVEL_NETWORK && p->asn != place->asn;
}

static double part_of(const uint8_t *counts, size_t n, size_t at)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += counts[i];
    return sum > 0 ? counts[at] / sum : 0;
}

struct presence presence_of(const struct baseline *b, const struct place *place, enum place_level level, uint64_t now_ns)
{
    static const struct presence nothing;
    struct presence p = {0};
    double visits = 0, elsewhere = 0, all = 0;
    if ((level != LEVEL_NETWORK && level != LEVEL_COUNTRY) || b->sessions < SESSIONS)
        return nothing;
    for (size_t i = 0; i < BASELINE_PLACES; i++) {
        const struct place *usual = &b->places[i];
        if (usual->trust != TRUST_USUAL)
            continue;
        all += (double)usual->weight;
        if (!is_elsewhere(usual, place, level))
            continue;
        elsewhere += (double)usual->weight;
        p.is_seen = p.is_seen || time_s(now_ns) - usual->last_s <= HOURS_BEFORE * 3600;
    }
    if (!(elsewhere > 0))
        return nothing;
    double days = fmax((double)(b->last_ns - b->first_ns) / NS_PER_S / S_PER_DAY, LEAST_DAYS);
    for (unsigned h = 0; h < HOURS_BEFORE; h++) {
        uint64_t ns = now_ns - h * 3600 * NS_PER_S;
        visits += b->sessions / days * part_of(b->hours, sizeof b->hours, time_hour(ns)) * 7 *
                  part_of(b->weekdays, sizeof b->weekdays, time_weekday(ns));
    }
    p.chance = fmin(1 - exp(-visits * elsewhere / all), MOST);
    return p;
}
