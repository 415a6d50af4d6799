/* SPDX-License-Identifier: Apache-2.0
 * What each class of thief does. An attack from the victim's own place waits for a day on which the victim is there. */
#include "eval/attack.h"

#include "eval/browsers.h"
#include "eval/deeds.h"
#include "eval/desk.h"
#include "eval/nets.h"

#include <stdlib.h>

enum { STREAM_PLAN = 40, STREAM_ATTACK };

static bool is_insider(enum role role)
{
    return role == ROLE_AGENT || role == ROLE_LEAD || role == ROLE_CONTRACTOR;
}

/* Whom such a thief goes for: those who can read many customers' files, and for the plain ones also customers' people.
 */
static bool is_fit(const struct world *w, enum truth_kind kind, uint32_t who, struct prng *r)
{
    const struct person *p = &w->people[who];
    bool has_left = p->left_day != NEVER;
    if (kind == ATTACK_DORMANT || has_left)
        return kind == ATTACK_DORMANT && has_left;
    switch (kind) {
    case ATTACK_TOKEN: return p->role == ROLE_MACHINE;
    case ATTACK_DESK: return p->role == ROLE_CONTRACTOR;
    case ATTACK_SESSION:
        return is_insider(p->role) || (p->role == ROLE_CUSTOMER && p->rate > 0.2); /* there is one to steal */
    case ATTACK_MASS:
    case ATTACK_SLOW:
    case ATTACK_EXPORT:
    case ATTACK_NAVIGATION: return is_insider(p->role);
    default: return is_insider(p->role) || (p->role == ROLE_CUSTOMER && prng_chance(r, 0.12)); /* about half and half */
    }
}

static bool is_taken(const struct world *w, uint32_t who)
{
    for (uint32_t i = 0; i < w->n_attacks; i++)
        if (w->attacks[i].who == who)
            return true;
    return false;
}

static void plan_one(struct world *w, enum truth_kind kind, struct prng *r)
{
    int span = (int)w->p.days - (int)w->p.test_from - (kind == ATTACK_SLOW ? (int)w->p.slow_days : 1);
    for (int tries = 0; tries < 20000; tries++) {
        uint32_t who = prng_below(r, w->n_people);
        if (!is_fit(w, kind, who, r) || is_taken(w, who))
            continue;
        struct attack *a = &w->attacks[w->n_attacks++];
        *a = (struct attack){.kind = kind, .who = who};
        a->day = (int)w->p.test_from + (span > 0 ? (int)prng_below(r, (uint32_t)span) : 0);
        a->truth = truths_add(&w->truths, &(struct truth){.kind = kind, .who = who});
        return;
    }
}

void attack_plan(struct world *w)
{
    struct prng r = prng_stream(w->seed, STREAM_PLAN, 0);
    w->attacks = calloc(ATTACK_N * (size_t)w->p.attacks_per_class, sizeof *w->attacks);
    for (int kind = 0; w->attacks && kind < ATTACK_N; kind++)
        for (uint32_t i = 0; i < (uint32_t)w->p.attacks_per_class; i++)
            plan_one(w, (enum truth_kind)kind, &r);
}

/* One attack's day under way. */
struct raid {
    struct world *w;
    struct prng r;
    struct attack *a;
    struct person *p;
    int day;
};

static struct deeds begin(struct raid *x, struct spot spot, double hour)
{
    struct deeds v = deeds_start(x->w, &x->r, x->a->who, world_ms(x->day, hour));
    x->p->sessions--; /* it is not the victim's */
    v.truth = x->a->truth;
    v.spot = spot;
    v.pace_s = 8;
    return v;
}

/* A browser that many have, or a script. */
static void as_stranger(struct raid *x, struct deeds *v)
{
    v->client = !prng_chance(&x->r, x->w->p.script_client) ? browser_pick(&x->r)
                : prng_chance(&x->r, 0.5)                  ? BROWSER_REQUESTS
                                                           : BROWSER_AIOHTTP;
    v->major = browser_major(v->client, x->day, (int)prng_below(&x->r, 40), x->w->p.release_days);
}

static void as_victim(struct raid *x, struct deeds *v)
{
    v->client = x->day >= x->p->laptop_day ? x->p->client2 : x->p->client;
    v->major = browser_major(v->client, x->day, x->p->lag, x->w->p.release_days);
}

static uint32_t customer_of(struct raid *x)
{
    return x->p->role == ROLE_CUSTOMER || x->p->role == ROLE_MACHINE ? x->p->org
                                                                     : 5 + prng_below(&x->r, x->w->n_orgs - 5);
}

/* Takes about n files, a few of each case. */
static void take(struct raid *x, struct deeds *v, uint32_t n, bool view)
{
    while (n) {
        uint32_t customer = customer_of(x), some = 1 + prng_below(&x->r, 4);
        some = some < n ? some : n;
        deeds_case(v, customer, desk_case(x->w, &x->r, customer, x->day), 0, some, view);
        n -= some;
    }
}

static uint32_t between(struct raid *x, uint32_t low, uint32_t high)
{
    return low + prng_below(&x->r, high - low + 1);
}

static struct spot vpn_exit(struct raid *x)
{
    return nets_spot(x->p->country, NETS_VPN + prng_below(&x->r, 2), prng_below(&x->r, 40), prng_below(&x->r, 250));
}

static double any_hour(struct raid *x)
{
    return 23 * prng_unit(&x->r);
}

static void raid_naive(struct raid *x)
{
    uint8_t country = nets_pick_other(&x->r, x->p->country);
    uint32_t network = prng_chance(&x->r, 0.5) ? nets_pick_home(&x->r) : NETS_VPN;
    struct deeds v = begin(x, nets_spot(country, network, prng_below(&x->r, NETS_PREFIXES), 9), any_hour(x));
    as_stranger(x, &v);
    deeds_login(&v, prng_chance(&x->r, 0.3), true);
    deeds_page(&v, ROUTE_HOME);
    take(x, &v, between(x, 4, 30), prng_chance(&x->r, 0.7));
}

static void raid_vpn(struct raid *x)
{
    struct deeds v = begin(x, vpn_exit(x), any_hour(x));
    as_stranger(x, &v);
    deeds_login(&v, 0, true);
    deeds_page(&v, ROUTE_HOME);
    take(x, &v, between(x, 3, 15), true);
}

/* Knows the victim: the same provider, the same browser, the usual hours. */
static void raid_targeted(struct raid *x)
{
    struct spot spot = nets_spot(x->p->country, x->p->isp, prng_below(&x->r, NETS_PREFIXES), prng_below(&x->r, 250));
    struct deeds v = begin(x, spot, x->p->shift + 8 * prng_unit(&x->r));
    as_victim(x, &v);
    deeds_login(&v, 0, true);
    deeds_page(&v, ROUTE_SEARCH);
    take(x, &v, between(x, 8, 25), prng_chance(&x->r, 0.5));
}

/* The victim's cookie, minutes after the victim used it, with a client that is none of the victim's. */
static void raid_session(struct raid *x)
{
    struct deeds v = begin(x, vpn_exit(x), 0);
    v.ms = world_ms(x->day, 0) + x->p->last_ms + 60000 * between(x, 1, 30);
    v.session = x->p->session;
    do
        as_stranger(x, &v);
    while (v.client == x->p->client || v.client == x->p->client2 || v.client == x->p->second);
    deeds_page(&v, ROUTE_HOME);
    take(x, &v, between(x, 3, 12), true);
}

/* At the victim's own desk. */
static struct deeds at_desk(struct raid *x)
{
    struct deeds v = begin(x, x->p->spot, 0);
    v.ms = world_ms(x->day, 0) + x->p->last_ms + 60000 * between(x, 5, 60);
    v.session = x->p->session;
    as_victim(x, &v);
    return v;
}

static void raid_mass(struct raid *x)
{
    struct deeds v = at_desk(x);
    v.pace_s = 10;
    take(x, &v, between(x, 60, 300), true);
}

static void raid_slow(struct raid *x)
{
    struct spot spot = nets_spot(x->p->country, NETS_VPN, x->a->who % 40, x->a->who);
    struct deeds v = begin(x, spot, x->p->shift + 6 * prng_unit(&x->r));
    v.client = BROWSER_CHROME_WIN;
    v.major = browser_major(v.client, (int)x->w->p.test_from, 0, x->w->p.release_days);
    v.pace_s = 60;
    deeds_login(&v, 0, true);
    if (x->a->days_done == 0)
        deeds_export(&v, 4000000, false); /* Okta: a report of all users on the first day */
    deeds_page(&v, ROUTE_FILE_LIST);
    for (uint32_t i = 0; i < (uint32_t)x->w->p.slow_customers_day; i++) {
        uint32_t customer = 5 + prng_below(&x->r, x->w->n_orgs - 5);
        deeds_case(&v, customer, desk_case(x->w, &x->r, customer, x->day), 0, 1, false);
    }
}

static void raid_stuffing(struct raid *x)
{
    struct spot spot = nets_spot(nets_pick_country(&x->r), NETS_VPN + 1, prng_below(&x->r, NETS_PREFIXES), 77);
    struct deeds v = begin(x, spot, any_hour(x));
    as_stranger(x, &v);
    v.pace_s = 2;
    for (uint32_t i = 0; i < (uint32_t)x->w->p.stuffing_names; i++) {
        v.who = prng_below(&x->r, x->w->n_people);
        deeds_login(&v, 1, false);
    }
    v.who = x->a->who;
    v.pace_s = 8;
    deeds_login(&v, 0, true);
    deeds_page(&v, ROUTE_HOME);
    take(x, &v, between(x, 2, 6), true);
}

/* Drift: recon for a day or more, then the bulk, the token used from elsewhere. */
static void raid_token(struct raid *x)
{
    bool is_same_cloud = prng_chance(&x->r, 0.5);
    uint8_t country = is_same_cloud ? x->w->orgs[x->p->org].country : nets_pick_country(&x->r);
    struct spot spot = nets_spot(country, is_same_cloud ? NETS_CLOUD : NETS_VPN, prng_below(&x->r, NETS_PREFIXES), 5);
    struct deeds v = begin(x, spot, any_hour(x));
    v.session = x->p->session;
    v.kind = CRED_TOKEN;
    v.client = prng_chance(&x->r, 0.5) ? BROWSER_REQUESTS : BROWSER_AIOHTTP;
    v.major = browser_major(v.client, x->day, 0, 1);
    v.pace_s = 3;
    for (int i = 0; i < 6; i++)
        deeds_page(&v, i % 2 ? ROUTE_API_DESCRIBE : ROUTE_API_SEARCH);
    v.ms += 3600000ull * between(x, 2, 100); /* four days and a half in the published case */
    take(x, &v, between(x, 20, 100), true);
    deeds_export(&v, 50000000, true);
}

static void raid_export(struct raid *x)
{
    struct deeds v = begin(x, vpn_exit(x), any_hour(x));
    as_stranger(x, &v);
    deeds_login(&v, 0, true);
    deeds_page(&v, ROUTE_HOME);
    deeds_export(&v, 5000000 + prng_below(&x->r, 200000000), prng_chance(&x->r, 0.5));
}

/* Malware at the victim's desk walks the list of files; no case is looked at. */
static void raid_navigation(struct raid *x)
{
    struct deeds v = at_desk(x);
    v.pace_s = 15;
    deeds_page(&v, ROUTE_FILE_LIST);
    take(x, &v, between(x, 15, 40), false);
}

/* Sitel: the right desk, cookie and browser for 25 minutes, over remote desktop, after a factor was changed. */
static void raid_desk(struct raid *x)
{
    struct deeds v = at_desk(x);
    struct deeds remote = v;
    remote.spot = vpn_exit(x);
    deeds_remote(&remote, &x->p->spot.ip);
    v.ms += 60000;
    v.pace_s = 60;
    deeds_page(&v, ROUTE_FACTOR);
    for (int i = 0; i < 2; i++) {
        uint32_t customer = customer_of(x);
        for (int k = 0; k < 3; k++)
            deeds_case(&v, customer, desk_case(x->w, &x->r, customer, x->day), 0, prng_below(&x->r, 2), true);
    }
}

static void (*const raids[ATTACK_N])(struct raid *x) = {
    [ATTACK_NAIVE] = raid_naive,           [ATTACK_VPN] = raid_vpn,     [ATTACK_TARGETED] = raid_targeted,
    [ATTACK_SESSION] = raid_session,       [ATTACK_MASS] = raid_mass,   [ATTACK_SLOW] = raid_slow,
    [ATTACK_STUFFING] = raid_stuffing,     [ATTACK_TOKEN] = raid_token, [ATTACK_EXPORT] = raid_export,
    [ATTACK_NAVIGATION] = raid_navigation, [ATTACK_DORMANT] = raid_vpn, [ATTACK_DESK] = raid_desk,
};

static bool needs_victim(enum truth_kind kind)
{
    return kind == ATTACK_SESSION || kind == ATTACK_MASS || kind == ATTACK_NAVIGATION || kind == ATTACK_DESK ||
           kind == ATTACK_TOKEN;
}

void attack_day(struct world *w, int day)
{
    for (uint32_t i = 0; i < w->n_attacks; i++) {
        struct attack *a = &w->attacks[i];
        if (a->day != day)
            continue;
        struct raid x = {.w = w,
                         .r = prng_stream(w->seed, STREAM_ATTACK + (uint64_t)day * 100, i),
                         .a = a,
                         .p = &w->people[a->who],
                         .day = day};
        if (needs_victim(a->kind) && !x.p->last_ms) {
            a->day++;
            continue;
        }
        if (a->days_done == 0)
            w->truths.at[a->truth - 1].thickness = x.p->sessions;
        raids[a->kind](&x);
        a->days_done++;
        a->day = a->kind == ATTACK_SLOW && a->days_done < (uint32_t)w->p.slow_days ? day + 1 : NEVER;
    }
}
