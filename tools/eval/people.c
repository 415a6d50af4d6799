/* SPDX-License-Identifier: Apache-2.0
 * Organisations first, then people one after the other, each from a stream of his own. */
#include "eval/people.h"

#include "eval/browsers.h"
#include "eval/nets.h"

enum { STREAM_ORG = 10, STREAM_PERSON, STREAM_EVENTS };

static void make_org(struct world *w, uint32_t i)
{
    struct prng r = prng_stream(w->seed, STREAM_ORG, i);
    struct org *o = &w->orgs[i];
    o->kind = i == 0 ? ORG_VENDOR : i < 5 ? ORG_OUTSOURCER : ORG_CUSTOMER;
    o->country = i == 0 ? 0 : nets_pick_country(&r);
    o->office_isp = NETS_BUSINESS;
    o->office_prefix = prng_below(&r, NETS_PREFIXES);
    o->vpn_prefix = prng_below(&r, NETS_PREFIXES);
    o->move_day = NEVER;
    o->has_shifts = o->kind == ORG_OUTSOURCER;
}

/* Days of the test on which something befalls a whole organisation. */
static void make_events(struct world *w)
{
    struct prng r = prng_stream(w->seed, STREAM_EVENTS, 0);
    uint32_t span = (uint32_t)(w->p.days - w->p.test_from);
    for (uint32_t i = 0; i < (uint32_t)w->p.office_moves; i++)
        w->orgs[1 + prng_below(&r, w->n_orgs - 1)].move_day = (int)w->p.test_from + (int)prng_below(&r, span);
    for (w->n_outages = 0; w->n_outages < (uint32_t)w->p.vpn_outages && w->n_outages < 8; w->n_outages++)
        w->outage_day[w->n_outages] = (int)w->p.test_from + (int)prng_below(&r, span);
}

static enum role role_of(const struct params *p, double at)
{
    if ((at -= p->share_leads) < 0)
        return ROLE_LEAD;
    if ((at -= p->share_agents) < 0)
        return ROLE_AGENT;
    if ((at -= p->share_contractors) < 0)
        return ROLE_CONTRACTOR;
    return (at -= p->share_machines) < 0 ? ROLE_MACHINE : ROLE_CUSTOMER;
}

static uint32_t org_of(const struct world *w, struct prng *r, enum role role)
{
    uint32_t n_customers = w->n_orgs - 5;
    if (role == ROLE_AGENT || role == ROLE_LEAD)
        return 0;
    if (role == ROLE_CONTRACTOR)
        return 1 + prng_below(r, 4);
    double at = prng_unit(r); /* some customers are far larger than others */
    return 5 + (uint32_t)(at * at * n_customers);
}

static void set_place(struct world *w, struct person *p, struct prng *r)
{
    const struct org *o = &w->orgs[p->org];
    bool is_abroad = o->kind != ORG_OUTSOURCER && prng_chance(r, 0.25);
    p->country = is_abroad ? nets_pick_country(r) : o->country;
    p->isp = nets_pick_home(r);
    p->prefix = prng_below(r, NETS_PREFIXES);
    p->mobile_isp = NETS_MOBILE + prng_below(r, 2);
    p->home_share = is_abroad && p->country != o->country ? 1 : w->p.home_office * 2 * prng_unit(r);
    p->uses_vpn = p->role < ROLE_CUSTOMER && prng_chance(r, w->p.company_vpn);
    p->shift = (uint8_t)((8 + 24 - nets_offset(p->country) + (int)prng_below(r, 3)) % 24);
    if (o->has_shifts)
        p->shift = (uint8_t)((p->shift + 8 * prng_below(r, 3)) % 24);
    p->ipv6_from = prng_chance(r, w->p.dual_stack) ? 0 : NEVER;
    if (p->ipv6_from == NEVER && prng_chance(r, w->p.new_ipv6))
        p->ipv6_from = (int)w->p.test_from + (int)prng_below(r, (uint32_t)(w->p.days - w->p.test_from));
}

static void set_client(struct world *w, struct person *p, struct prng *r)
{
    p->client = browser_pick(r);
    p->client2 = browser_pick(r);
    p->second = prng_chance(r, w->p.second_device) ? (prng_chance(r, 0.5) ? browser_pick_mobile(r) : browser_pick(r))
                                                   : p->client;
    p->lag = (int)prng_below(r, 10);
    double years = w->p.days / 365;
    p->laptop_day = prng_chance(r, years / w->p.laptop_years) ? (int)prng_below(r, (uint32_t)w->p.days) : NEVER;
    if (p->role == ROLE_MACHINE)
        p->client = prng_chance(r, 0.5) ? BROWSER_EXPORT_JOB : BROWSER_MONITOR;
}

/* What is going to happen, at most once each. */
static void set_fate(struct world *w, struct person *p, struct prng *r)
{
    uint32_t days = (uint32_t)w->p.days;
    double years = w->p.days / 365, trips = p->role == ROLE_CUSTOMER ? w->p.trips_year_customer : w->p.trips_year_agent;
    p->trip_day = prng_chance(r, trips * years > 1 ? 1 : trips * years) ? (int)prng_below(r, days) : NEVER;
    p->trip_days = 2 + (int)prng_below(r, 6);
    p->trip_country = nets_pick_other(r, p->country);
    double leave = w->p.leave_days_year * years / 10;
    p->leave_day = prng_chance(r, leave > 1 ? 1 : leave) ? (int)prng_below(r, days) : NEVER;
    p->leave_days = 3 + (int)prng_below(r, 14);
    p->left_day = p->role != ROLE_MACHINE && prng_chance(r, 0.02) ? 5 + (int)prng_below(r, 10) : NEVER;
    double forgets = w->p.forgot_password_year * years;
    p->forgot_day = prng_chance(r, forgets > 1 ? 1 : forgets) ? (int)prng_below(r, days) : NEVER;
    p->sync_day = p->role != ROLE_MACHINE && prng_chance(r, w->p.sync_starts)
                      ? (int)w->p.test_from + (int)prng_below(r, days - (uint32_t)w->p.test_from)
                      : NEVER;
    p->is_reporter = prng_chance(r, 0.1);
}

static void make_person(struct world *w, uint32_t i)
{
    struct prng r = prng_stream(w->seed, STREAM_PERSON, i);
    struct person *p = &w->people[i];
    p->role = role_of(&w->p, (i + 0.5) / w->n_people);
    p->org = org_of(w, &r, p->role);
    set_place(w, p, &r);
    set_client(w, p, &r);
    set_fate(w, p, &r);
    for (int k = 0; k < PORTFOLIO; k++)
        p->portfolio[k] = 5 + prng_below(&r, w->n_orgs - 5);
    p->rate = p->role == ROLE_CUSTOMER
                  ? prng_lognormal(&r, w->p.customer_sessions_90d, w->p.customer_sessions_sigma) / 90
              : p->role == ROLE_MACHINE ? w->p.machine_runs_day
                                        : w->p.agent_sessions_day;
    p->rate = p->role == ROLE_CUSTOMER && p->rate > 3 ? 3 : p->rate;
}

void people_make(struct world *w)
{
    for (uint32_t i = 0; i < w->n_orgs; i++)
        make_org(w, i);
    make_events(w);
    for (uint32_t i = 0; i < w->n_people; i++)
        make_person(w, i);
}
