/* SPDX-License-Identifier: Apache-2.0
 * The generated support organisation: who there is, and the acts of one day. Made from parameters and a seed alone. */
#ifndef EVAL_WORLD_H
#define EVAL_WORLD_H

#include "base/ipaddr.h"
#include "eval/params.h"
#include "eval/prng.h"
#include "eval/truth.h"
#include "record/activity.h"

#define WORLD_START_S 1767571200u /* 2026-01-05, a Monday, 0:00 UTC */
#define PORTFOLIO 8
#define NEVER 100000

enum role { ROLE_AGENT, ROLE_LEAD, ROLE_CONTRACTOR, ROLE_CUSTOMER, ROLE_MACHINE };
enum org_kind { ORG_VENDOR, ORG_OUTSOURCER, ORG_CUSTOMER };

/* Where an act comes from. */
struct spot {
    struct ipaddr ip;
    uint32_t asn;
    uint8_t country;
};

struct org {
    enum org_kind kind;
    uint8_t country;
    uint32_t office_isp, office_prefix, vpn_prefix;
    int move_day;      /* the office gets other addresses; NEVER */
    bool has_shifts;   /* works around the clock */
};

struct person {
    enum role role;
    uint32_t org;
    uint8_t country;
    uint32_t isp, prefix, mobile_isp;
    uint8_t shift;           /* hour UTC at which the day begins */
    double home_share, rate; /* days at home; sessions a day */
    bool uses_vpn, is_reporter;
    int ipv6_from;                    /* day; NEVER */
    uint16_t client, second, client2; /* browsers.h; after the new laptop */
    int laptop_day, lag;              /* days behind a release */
    int trip_day, trip_days, leave_day, leave_days, left_day, forgot_day, sync_day, seen_major;
    uint8_t trip_country;
    uint32_t portfolio[PORTFOLIO];
    uint32_t sessions; /* so far */
    /* of the day that is being made */
    uint64_t session;
    struct spot spot;
    uint32_t last_ms; /* of the day; 0: not here today */
};

/* One act, compact; emit.h makes an activity of it. */
struct act {
    uint64_t ms;      /* since WORLD_START_S */
    uint64_t session; /* 0: none */
    uint64_t bytes;
    uint32_t who, truth;              /* truth: 1 + index of the case it belongs to, 0 none */
    uint32_t case_id, customer, file; /* customer: 1 + organisation; 0 none */
    uint32_t number;                  /* breaks ties of time */
    struct spot spot;
    uint16_t client;
    uint16_t major;
    uint8_t action, outcome, kind, route;
    struct ipaddr to; /* of a connection: the workstation */
};

struct acts {
    struct act *at;
    size_t n, cap;
};

struct world {
    struct params p;
    uint64_t seed;
    struct org *orgs;
    uint32_t n_orgs, n_people;
    uint32_t n_insiders; /* agents, leads, contractors: the first ones */
    struct person *people;
    int outage_day[8];
    uint32_t n_outages;
    uint64_t next_session;
    uint32_t next_number;
    struct truths truths;
    struct attack *attacks;
    uint32_t n_attacks;
    struct acts acts; /* what is made and not yet handed out */
};

/* NULL when memory is short. */
struct world *world_new(const struct params *p, uint64_t seed);
void world_free(struct world *w);
/* Makes the acts of a day, in order of time, and calls fn for each; some of a night belong to the day before. */
void world_day(struct world *w, int day, void (*fn)(void *ctx, const struct act *a), void *ctx);
/* A copy of *a joins the acts. */
void world_add(struct world *w, const struct act *a);
static inline uint64_t world_ms(int day, double hour)
{
    return (uint64_t)day * 86400000u + (uint64_t)(hour * 3600000.0);
}

#endif
