/* SPDX-License-Identifier: Apache-2.0
 * Quarantine, promotion, taking back; the volumes of finished days. */
#include "detect/learn.h"

#include <math.h>

#include "base/hash.h"
#include "base/times.h"
#include "detect/volume.h"
#include "sketch/bloom.h"

#define ROUTE_WORDS (sizeof((struct baseline *)0)->routes / sizeof(uint64_t))
#define PEERS_KEEP 0.9998 /* per day or window of one of them: 5,000 of them */
#define WEEKENDS 2 /* worked through: then it is no person's */
#define FORGIVE_DAYS 5 /* an alerted value must have been used on that many days before it is forgiven */

bool learn_is_young(const struct rules *r, const struct baseline *fleet, uint64_t now_ns)
{
    return fleet->first_ns == 0 || now_ns < fleet->first_ns + r->learning.fleet_s * NS_PER_S;
}

bool learn_is_mature(const struct rules *r, const struct baseline *b, uint64_t now_ns)
{
    return b->sessions >= r->learning.sessions ||
           (b->first_ns && b->sessions && now_ns >= b->first_ns + r->learning.fleet_s * NS_PER_S);
}

uint64_t learn_hash(struct span value)
{
    return hash64(value, 6);
}

struct earned { /* what a place or client has behind it */
    uint8_t trust;
    uint16_t days;
    uint32_t first_s;
};

static uint8_t promoted(const struct scene *s, struct earned e)
{
    uint32_t age = s->now_s - e.first_s;
    if (e.trust == TRUST_USUAL || s->is_young)
        return TRUST_USUAL;
    if (e.trust == TRUST_QUARANTINED && e.days >= 2 && age >= s->rules->learning.quarantine_s &&
        s->b->alert_s < e.first_s)
        return TRUST_USUAL;
    if (e.days >= FORGIVE_DAYS && age >= s->rules->learning.forgive_s &&
        s->now_s - s->b->alert_s >= s->rules->learning.forgive_s)
        return TRUST_USUAL;
    return e.trust;
}

static void count_up(uint8_t *values, size_t n, size_t at)
{
    if (values[at] == UINT8_MAX)
        for (size_t i = 0; i < n; i++)
            values[i] /= 2;
    values[at]++;
}

static void count_time(struct baseline *b, uint64_t ns)
{
    count_up(b->hours, sizeof b->hours, time_hour(ns));
    count_up(b->weekdays, sizeof b->weekdays, time_weekday(ns));
}

/* Whether a value has come through quarantine (it has aged, and no alert has spoken of the credential since), or what came
 * with an alert is forgiven. */
static bool is_through(const struct rules *r, const struct baseline *b, struct earned e, uint32_t now_s)
{
    if (e.trust == TRUST_ALERTED)
        return e.days >= FORGIVE_DAYS && now_s - e.first_s >= r->learning.forgive_s && now_s - b->alert_s >= r->learning.forgive_s;
    return e.trust == TRUST_QUARANTINED && now_s - e.first_s >= r->learning.quarantine_s && b->alert_s < e.first_s;
}

void learn_promote(const struct rules *r, struct baseline *b, struct peers *peers, uint32_t now_s)
{
    for (size_t i = 0; i < BASELINE_PLACES; i++)
        if (is_through(r, b, (struct earned){b->places[i].trust, b->places[i].days, b->places[i].first_s}, now_s)) {
            b->places[i].trust = TRUST_USUAL;
            peers_add_place(peers, b, &b->places[i]);
        }
    for (size_t i = 0; i < BASELINE_CLIENTS; i++)
        if (is_through(r, b, (struct earned){b->clients[i].trust, b->clients[i].days, b->clients[i].first_s}, now_s)) {
            b->clients[i].trust = TRUST_USUAL;
            peers_add_client(peers, b, &b->clients[i]);
        }
}

void learn_visit(struct scene *s, struct baseline *fleet, struct peers *peers)
{
    struct visit *v = s->visit;
    if (s->b->flags & BASELINE_FROZEN)
        return;
    const struct place *had_place = baseline_place(s->b, &v->place);
    const struct client *had_client = baseline_client(s->b, &v->client);
    v->had_place = had_place ? had_place->trust : TRUST_NONE;
    v->had_client = had_client ? had_client->trust : TRUST_NONE;
    v->had_major = had_client ? had_client->major : 0;
    v->is_learned = true;
    struct place *p = baseline_learn_place(s->b, &v->place, s->now_s);
    struct client *c = baseline_learn_client(s->b, &v->client, s->now_s);
    p->trust = promoted(s, (struct earned){p->trust, p->days, p->first_s});
    c->trust = promoted(s, (struct earned){c->trust, c->days, c->first_s});
    if (p->trust == TRUST_USUAL && v->had_place != TRUST_USUAL)
        peers_add_place(peers, s->b, p);
    if (c->trust == TRUST_USUAL && v->had_client != TRUST_USUAL)
        peers_add_client(peers, s->b, c);
    count_time(s->b, s->now_ns);
    s->b->sessions++;
    fleet->sessions++;
    if (v->had_client == TRUST_USUAL)
        share_add(&s->norms->older, 1, v->context.is_older);
    share_add(&s->norms->failures[s->live->absence], 1, v->context.has_failures);
    if (v->context.expected > 0)
        share_add(&s->norms->moved[v->context.level == LEVEL_COUNTRY], (double)v->context.expected, v->context.is_seen);
    if (!s->is_machine)
        count_time(fleet, s->now_ns);
}

static void take_back(uint8_t *value)
{
    if (*value)
        --*value;
}

void learn_undo(struct scene *s, bool is_news)
{
    struct visit *v = s->visit;
    s->b->today_alerted = 1;
    if (is_news)
        s->b->alert_s = s->now_s;
    if (v->is_alerted)
        return;
    v->is_alerted = true;
    if (s->b->flags & BASELINE_FROZEN)
        return;
    if (!v->is_learned) { /* remembered all the same: an alerted place is not a new one next time, but never usual */
        const struct place *p = baseline_place(s->b, &v->place);
        const struct client *c = baseline_client(s->b, &v->client);
        v->had_place = p ? p->trust : TRUST_NONE;
        v->had_client = c ? c->trust : TRUST_NONE;
        v->had_major = c ? c->major : 0;
        baseline_learn_place(s->b, &v->place, s->now_s);
        baseline_learn_client(s->b, &v->client, s->now_s);
    } else {
        uint64_t start_ns = v->start_s * NS_PER_S;
        take_back(&s->b->hours[time_hour(start_ns)]);
        take_back(&s->b->weekdays[time_weekday(start_ns)]);
        s->b->sessions -= s->b->sessions > 0;
    }
    struct place *p = baseline_place(s->b, &v->place);
    struct client *c = baseline_client(s->b, &v->client);
    if (p && v->had_place != TRUST_USUAL)
        p->trust = TRUST_ALERTED;
    if (c && v->had_client != TRUST_USUAL)
        c->trust = TRUST_ALERTED;
    else if (c && v->had_major) /* a thief's newer version makes the owner's no older one */
        c->major = v->had_major;
}

bool learn_is_of_person(enum cred_kind kind)
{
    switch (kind) {
    case CRED_COOKIE:
    case CRED_FORM:
    case CRED_JSON:
    case CRED_SAML:
    case CRED_OIDC:
    case CRED_NTLM:
    case CRED_KERBEROS: return true;
    default: return false;
    }
}

/* A program with a password may be somebody's sync client: those rest when their people do. */
static bool is_tireless(const struct baseline *b)
{
    return b->weekdays[5] >= WEEKENDS && b->weekdays[6] >= WEEKENDS;
}

void learn_act(struct scene *s)
{
    struct baseline *b = s->b;
    const struct activity *a = s->a;
    if (a->action == ACTION_AMEND || a->action == ACTION_IDENTIFY)
        return; /* no acts of their own */
    if (!b->first_ns)
        b->first_ns = s->now_ns;
    b->last_ns = s->now_ns;
    b->acts++;
    if (b->flags & BASELINE_FROZEN || s->visit->is_alerted)
        return;
    b->actions |= 1u << a->action;
    if (s->is_route_new)
        bloom_add(b->routes, ROUTE_WORDS, learn_hash(activity_get(a, STR_ROUTE)));
    bool is_program = a->flags & ACT_MACHINE;
    switch ((enum cred_kind)a->cred_kind) {
    case CRED_TOKEN:
    case CRED_BEARER:
    case CRED_CERT: b->flags |= BASELINE_MACHINE; break;
    case CRED_BASIC: b->flags |= is_program && is_tireless(b) ? BASELINE_MACHINE : 0; break;
    default: b->flags |= learn_is_of_person((enum cred_kind)a->cred_kind) && !is_program ? BASELINE_PERSON : 0; break;
    }
}

/* No day teaches more than a busy one of those before: volume cannot be raised in one step. */
static double held(const struct moments *m, double x)
{
    if (m->n < 3)
        return x;
    double mean = (double)m->s1 / m->n;
    double deviation = sqrt(fmax((double)m->s2 / m->n - mean * mean, mean));
    return fmin(x, mean + 3 * deviation + 1);
}

static void learn_count(struct moments *own, struct moments *peers, double x)
{
    moments_add(own, held(own, x));
    moments_learn(peers, held(peers, x), PEERS_KEEP);
}

static void shift_first_customers(struct baseline *b, uint32_t days)
{
    size_t n = sizeof b->first_customers;
    if (days > n)
        days = (uint32_t)n;
    memmove(b->first_customers + days, b->first_customers, n - days);
    memset(b->first_customers, 0, days);
}

void learn_window(struct baseline *b, struct baseline *fleet, uint32_t window)
{
    if (b->window == window)
        return;
    if (b->window_files && !b->today_alerted && !(b->flags & BASELINE_FROZEN))
        learn_count(&b->files_window, &fleet->files_window, b->window_files);
    if (b->window_cases && !b->today_alerted && !(b->flags & BASELINE_FROZEN))
        learn_count(&b->cases_window, &fleet->cases_window, b->window_cases);
    b->window = window;
    b->window_files = b->window_cases = 0;
}

void learn_day(const struct rules *r, struct baseline *b, struct baseline *fleet, uint32_t day)
{
    if (b->day == day)
        return;
    learn_window(b, fleet, 0);
    double slow = b->day && !b->today_alerted ? volume_slow_cases(b, fleet, r->breadth.slow_spare) : 0;
    if (b->today_alerted) /* that day is told; it does not make the next one worse */
        slow = (double)b->slow_cases;
    bool is_rising = slow >= r->breadth.slow_limit / 2; /* what may be a slow theft does not become usual */
    b->slow_cases = (float)fmin(slow, 2 * r->breadth.slow_limit);
    if (b->day && !b->today_alerted && !is_rising && !(b->flags & BASELINE_FROZEN)) {
        learn_count(&b->files_day, &fleet->files_day, b->today_files);
        learn_count(&b->cases_day, &fleet->cases_day, b->today_cases);
        learn_count(&b->customers_day, &fleet->customers_day, b->today_customers);
        if (b->today_bytes)
            learn_count(&b->bytes_day, &fleet->bytes_day, log2((double)b->today_bytes));
    }
    shift_first_customers(b, b->day && day > b->day ? day - b->day : (uint32_t)sizeof b->first_customers);
    b->day = day;
    b->today_files = b->today_cases = b->today_customers = 0;
    b->today_bytes = 0;
    b->today_alerted = 0;
    b->active_days++;
}
