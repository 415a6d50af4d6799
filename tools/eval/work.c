/* SPDX-License-Identifier: Apache-2.0
 * A person's day: where, with what, how often, which cases. What is unusual in it, within the test, becomes an innocent
 * case of the truth. */
#include "eval/work.h"

#include "eval/browsers.h"
#include "eval/desk.h"
#include "eval/nets.h"

#include <math.h>

#define NEW_DAYS 3 /* so long something is new after it changed */

enum { STREAM_DAY = 20, STREAM_RENUMBER, STREAM_HELP };

/* One person's day under way. */
struct day {
    struct world *w;
    struct prng r;
    struct person *p;
    uint32_t who;
    int day;
    struct spot spot, spot6;
    uint32_t truth; /* the innocent case that the place makes */
    bool is_home;
};

static uint32_t innocent(struct day *d, enum truth_kind kind)
{
    if (d->day < (int)d->w->p.test_from)
        return 0;
    return truths_add(&d->w->truths, &(struct truth){.kind = kind, .who = d->who, .thickness = d->p->sessions});
}

struct spot work_home(const struct world *w, uint32_t who, int day)
{
    const struct person *p = &w->people[who];
    uint32_t moves =
        (uint32_t)(day * w->p.home_renumber_day + (double)(prng_mix(w->seed + STREAM_RENUMBER, who) % 1000) / 1000);
    uint32_t prefix = (uint32_t)(prng_mix(prng_mix(w->seed, who), moves) % NETS_PREFIXES);
    return nets_spot(p->country, p->isp, moves ? prefix : p->prefix, who);
}

static void at_home(struct day *d)
{
    const struct person *p = d->p;
    d->is_home = true;
    d->spot = work_home(d->w, d->who, d->day);
    if (p->ipv6_from > d->day)
        return;
    d->spot6 = nets_spot6(p->country, p->isp, p->prefix, prng_mix(d->who, (uint64_t)d->day));
    if (d->day < p->ipv6_from + NEW_DAYS && p->ipv6_from > 0)
        d->truth = innocent(d, INNOCENT_IPV6);
}

static bool is_outage(const struct world *w, int day)
{
    for (uint32_t i = 0; i < w->n_outages; i++)
        if (w->outage_day[i] == day)
            return true;
    return false;
}

static void at_office(struct day *d)
{
    const struct org *o = &d->w->orgs[d->p->org];
    bool has_moved = d->day >= o->move_day;
    d->spot = nets_spot(o->country, has_moved ? NETS_HOMES - 1u : o->office_isp,
                        o->office_prefix + (has_moved ? 1777 : 0), d->p->org);
    if (has_moved && d->day < o->move_day + NEW_DAYS)
        d->truth = innocent(d, INNOCENT_MOVE);
}

static void choose_place(struct day *d)
{
    const struct person *p = d->p;
    const struct org *o = &d->w->orgs[p->org];
    d->truth = 0;
    d->is_home = false;
    d->spot6 = (struct spot){0};
    if (d->day >= p->trip_day && d->day < p->trip_day + p->trip_days) {
        d->spot = nets_spot(p->trip_country, nets_pick_home(&d->r),
                            (uint32_t)prng_mix(d->who, (uint64_t)p->trip_day) + prng_below(&d->r, 2), d->who);
        d->truth = innocent(d, INNOCENT_TRAVEL);
    } else if (prng_chance(&d->r, d->w->p.mobile_share)) {
        d->spot = nets_spot(p->country, p->mobile_isp, prng_below(&d->r, 8), prng_below(&d->r, 250));
    } else if (!prng_chance(&d->r, p->home_share)) {
        at_office(d);
    } else if (p->uses_vpn && !is_outage(d->w, d->day)) {
        d->spot = nets_spot(o->country, NETS_BUSINESS, o->vpn_prefix, p->org);
    } else {
        at_home(d);
        if (p->uses_vpn)
            d->truth = innocent(d, INNOCENT_OUTAGE);
    }
}

/* The client of a session, and what is new about it. */
static void choose_client(struct day *d, struct deeds *v)
{
    struct person *p = d->p;
    bool has_new = d->day >= p->laptop_day;
    v->client = prng_chance(&d->r, 0.1) ? p->second : has_new ? p->client2 : p->client;
    v->major = browser_major(v->client, d->day, p->lag, d->w->p.release_days);
    if (v->truth)
        return;
    if (has_new && d->day < p->laptop_day + NEW_DAYS && v->client == p->client2 && p->client2 != p->client)
        v->truth = innocent(d, INNOCENT_LAPTOP);
    else if (v->client == p->client && v->major > p->seen_major && p->seen_major)
        v->truth = innocent(d, INNOCENT_RELEASE);
    if (v->client == p->client)
        p->seen_major = v->major;
}

static void sign_in(struct day *d, struct deeds *v)
{
    uint32_t failures = prng_chance(&d->r, d->w->p.typing_error) ? 1 + prng_below(&d->r, 2) : 0;
    if (d->day >= d->p->forgot_day) { /* the first session from that day on */
        d->p->forgot_day = NEVER;
        failures = 4 + prng_below(&d->r, 6);
        v->truth = v->truth ? v->truth : innocent(d, INNOCENT_FORGOT);
    }
    deeds_login(v, failures, true);
}

static struct deeds start(struct day *d, double hour)
{
    struct deeds v = deeds_start(d->w, &d->r, d->who, world_ms(d->day, hour));
    v.spot = d->spot;
    v.spot6 = d->spot6;
    v.truth = d->truth;
    choose_client(d, &v);
    return v;
}

static void finish(struct day *d, const struct deeds *v)
{
    d->p->session = v->session;
    d->p->spot = v->spot;
    d->p->last_ms = (uint32_t)(v->ms - world_ms(d->day, 0));
}

static uint32_t files_of(struct day *d, struct deeds *v, uint32_t case_id)
{
    if (desk_is_big(d->w, case_id) && prng_chance(&d->r, 0.3)) {
        v->truth = v->truth ? v->truth : innocent(d, INNOCENT_BIG_CASE);
        return desk_bundle(d->w, case_id);
    }
    bool is_end = d->p->is_reporter && desk_is_month_end(d->day);
    if (is_end && !v->truth)
        v->truth = innocent(d, INNOCENT_MONTH_END);
    return prng_negbin(&d->r, d->w->p.files_case * (is_end ? d->w->p.month_end : 1), d->w->p.files_size);
}

static void one_case(struct day *d, struct deeds *v, uint32_t customer)
{
    uint32_t case_id = desk_case(d->w, &d->r, customer, d->day);
    deeds_case(v, customer, case_id, 0, files_of(d, v, case_id),
               !prng_chance(&d->r, 0.03)); /* some come by a mailed link */
}

static uint32_t customer_of(struct day *d)
{
    bool is_wide = d->p->role == ROLE_LEAD || prng_chance(&d->r, d->w->p.outside_portfolio);
    uint32_t at = prng_below(&d->r, PORTFOLIO), again = prng_below(&d->r, PORTFOLIO);
    return is_wide ? 5 + prng_below(&d->r, d->w->n_orgs - 5) : d->p->portfolio[at < again ? at : again];
}

static void agent_session(struct day *d, double hour, double n_cases)
{
    struct deeds v = start(d, hour);
    v.pace_s = 45;
    sign_in(d, &v);
    deeds_page(&v, ROUTE_HOME);
    uint32_t n = prng_negbin(&d->r, n_cases, d->w->p.cases_size);
    for (uint32_t i = 0; i < n; i++) {
        if (prng_chance(&d->r, 0.2))
            deeds_page(&v, ROUTE_SEARCH);
        one_case(d, &v, customer_of(d));
        if (prng_chance(&d->r, 0.6))
            deeds_page(&v, ROUTE_REPLY);
        v.ms += (uint64_t)(prng_lognormal(&d->r, 400, 0.8) * 1000); /* thinks, telephones */
    }
    if (prng_chance(&d->r, 0.3))
        deeds_page(&v, ROUTE_LOGOUT);
    finish(d, &v);
}

static void agent_day(struct day *d)
{
    uint32_t n = 1 + prng_poisson(&d->r, d->p->rate - 1);
    double factor = d->p->role == ROLE_LEAD ? 2 : 1;
    if (!desk_is_workday(d->w, d->who, d->day))
        return;
    choose_place(d);
    for (uint32_t i = 0; i < n; i++)
        agent_session(d, d->p->shift + 0.3 * fabs(prng_normal(&d->r)) + 8.0 * i / n, factor * d->w->p.cases_day / n);
}

/* A sync client of somebody who has one: everything at first, then what is new. */
static void sync_session(struct day *d)
{
    bool is_first = d->day == d->p->sync_day;
    struct deeds v = deeds_start(d->w, &d->r, d->who, world_ms(d->day, d->p->shift + 2 + prng_unit(&d->r)));
    v.spot = d->spot;
    v.kind = CRED_BASIC;
    v.client = BROWSER_SYNC;
    v.major = browser_major(BROWSER_SYNC, d->day, 0, 1);
    v.pace_s = 2;
    v.truth = d->day < d->p->sync_day + NEW_DAYS ? innocent(d, INNOCENT_SYNC) : 0;
    uint32_t customer = d->p->role == ROLE_CUSTOMER ? d->p->org : d->p->portfolio[0];
    for (uint32_t n = is_first ? 10 + prng_below(&d->r, 20) : 1 + prng_below(&d->r, 2); n; n--)
        deeds_case(&v, customer, desk_case(d->w, &d->r, customer, d->day), 0, 1 + prng_below(&d->r, 6), true);
}

static void customer_day(struct day *d)
{
    bool is_off = desk_is_weekend(d->day) || desk_is_holiday(d->p->country, d->day);
    bool is_away =
        d->day >= d->p->left_day || (d->day >= d->p->leave_day && d->day < d->p->leave_day + d->p->leave_days);
    for (uint32_t n = prng_poisson(&d->r, d->p->rate * (is_off ? 0.15 : 1.35)); n && !is_away; n--) {
        choose_place(d);
        struct deeds v = start(d, d->p->shift + 9 * prng_unit(&d->r));
        v.pace_s = 20;
        sign_in(d, &v);
        deeds_page(&v, ROUTE_HOME);
        for (uint32_t cases = 1 + prng_poisson(&d->r, 0.5); cases; cases--)
            one_case(d, &v, d->p->org);
        finish(d, &v);
    }
}

static void machine_day(struct day *d)
{
    const struct org *o = &d->w->orgs[d->p->org];
    bool is_wide = d->who % 4 == 0; /* the vendor's own: every customer */
    d->p->session = d->who + 1u;    /* its token; people's sessions have higher numbers */
    for (uint32_t i = 0; i < (uint32_t)d->p->rate; i++) {
        struct deeds v =
            deeds_start(d->w, &d->r, d->who, world_ms(d->day, 24.0 * i / d->p->rate + 0.01 * prng_unit(&d->r)));
        v.session = d->p->session;
        v.kind = CRED_TOKEN;
        v.client = d->p->client;
        v.major = browser_major(v.client, d->day, 0, 1);
        v.spot = nets_spot(o->country, NETS_CLOUD, o->vpn_prefix + d->who % 3, d->who);
        v.pace_s = 0.3;
        deeds_page(&v, ROUTE_API_SEARCH);
        for (uint32_t n = d->p->client == BROWSER_MONITOR ? 0 : prng_poisson(&d->r, 1.5); n; n--) {
            uint32_t customer = is_wide ? 5 + prng_below(&d->r, d->w->n_orgs - 5) : d->p->org;
            deeds_case(&v, customer, desk_case(d->w, &d->r, customer, d->day), 0, prng_poisson(&d->r, 1), true);
        }
        finish(d, &v);
    }
}

void work_day(struct world *w, uint32_t who, int day)
{
    struct day d = {.w = w,
                    .r = prng_stream(w->seed, STREAM_DAY + (uint64_t)day * 100, who),
                    .p = &w->people[who],
                    .who = who,
                    .day = day};
    d.p->last_ms = 0;
    if (d.p->role == ROLE_MACHINE)
        machine_day(&d);
    else if (d.p->role == ROLE_CUSTOMER)
        customer_day(&d);
    else
        agent_day(&d);
    if (day >= d.p->sync_day && !desk_is_weekend(day)) {
        choose_place(&d);
        sync_session(&d);
    }
}

void work_remote_help(struct world *w, int day)
{
    struct prng r = prng_stream(w->seed, STREAM_HELP, (uint64_t)day);
    for (uint32_t n = prng_poisson(&r, w->p.remote_help_day); n; n--) {
        const struct person *p = &w->people[prng_below(&r, w->n_insiders)];
        struct deeds v = {.w = w, .r = &r, .ms = world_ms(day, 8 + 9 * prng_unit(&r)), .pace_s = 1};
        v.spot = nets_spot(w->orgs[p->org].country, NETS_BUSINESS, w->orgs[p->org].vpn_prefix, 200);
        if (p->last_ms)
            deeds_remote(&v, &p->spot.ip);
    }
}
