/* SPDX-License-Identifier: Apache-2.0
 * Cases come at a customer's own rate; most work is on the latest. */
#include "eval/desk.h"

#include "base/times.h"

#include <math.h>

static double share_of(uint64_t hash)
{
    return (double)(hash >> 11) * 0x1.0p-53;
}

uint32_t desk_case(const struct world *w, struct prng *r, uint32_t customer, int day)
{
    double a_day = 0.3 + 3 * share_of(prng_mix(w->seed + 1, customer));
    double newest = (day + 40) * a_day, back = -8 * log(1 - prng_unit(r));
    uint32_t rank = back < newest ? (uint32_t)(newest - back) : 0;
    return customer * 10000 + rank % 10000;
}

bool desk_is_big(const struct world *w, uint32_t case_id)
{
    return share_of(prng_mix(w->seed + 2, case_id)) < w->p.big_case;
}

uint32_t desk_bundle(const struct world *w, uint32_t case_id)
{
    return 30 + (uint32_t)(prng_mix(w->seed + 3, case_id) % 91);
}

uint64_t desk_file_bytes(const struct world *w, uint32_t case_id, uint32_t file)
{
    struct prng r = prng_stream(w->seed, 4, (uint64_t)case_id << 32 | file);
    double bytes = prng_lognormal(&r, w->p.file_median, w->p.file_sigma);
    return (uint64_t)(bytes < 200 ? 200 : bytes > 8e9 ? 8e9 : bytes);
}

bool desk_is_weekend(int day)
{
    return day % 7 >= 5; /* day 0 is a Monday */
}

bool desk_is_holiday(uint8_t country, int day)
{
    return prng_mix(country + 77u, (uint64_t)day) % 32 == 0; /* eleven a year, each country its own */
}

static void month_of(int day, char out[3])
{
    char text[TIME_TEXT_MAX];
    time_text((WORLD_START_S + (uint64_t)day * S_PER_DAY) * NS_PER_S, text);
    memcpy(out, text + 5, 2);
    out[2] = 0;
}

bool desk_is_month_end(int day)
{
    char here[3], soon[3];
    month_of(day, here);
    month_of(day + 2, soon);
    return !desk_is_weekend(day) && memcmp(here, soon, sizeof here) != 0;
}

bool desk_is_workday(const struct world *w, uint32_t who, int day)
{
    const struct person *p = &w->people[who];
    const struct org *o = &w->orgs[p->org];
    if (day >= p->left_day || (day >= p->leave_day && day < p->leave_day + p->leave_days))
        return false;
    if (o->has_shifts) /* five days of seven, whichever */
        return (day + (int)(who % 7)) % 7 < 5;
    return !desk_is_weekend(day) && !desk_is_holiday(p->country, day);
}
