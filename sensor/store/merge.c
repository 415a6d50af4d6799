/* SPDX-License-Identifier: Apache-2.0
 * Adds one baseline to another, field by field. */
#include "store/merge.h"

static uint32_t add32(uint32_t a, uint32_t b)
{
    return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

static uint32_t later(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static uint32_t earlier(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint16_t add_days(uint16_t a, uint16_t b)
{
    return a > UINT16_MAX - b ? UINT16_MAX : (uint16_t)(a + b);
}

/* Adds counts of one byte each; all are halved until every sum fits, so that their proportions stay. */
static void add_counts(uint8_t *into, const uint8_t *from, size_t n)
{
    unsigned shift = 0;
    for (size_t i = 0; i < n; i++)
        while (((unsigned)into[i] + from[i]) >> shift > UINT8_MAX)
            shift++;
    for (size_t i = 0; i < n; i++)
        into[i] = (uint8_t)(((unsigned)into[i] + from[i]) >> shift);
}

static void merge_places(struct baseline *stored, const struct baseline *since)
{
    for (size_t i = 0; i < BASELINE_PLACES; i++) {
        const struct place *new = &since->places[i];
        if (new->trust == TRUST_NONE)
            continue;
        struct place *old = baseline_place(stored, new);
        if (!old) {
            *baseline_learn_place(stored, new, new->last_s) = *new;
            continue;
        }
        old->weight += new->weight;
        old->first_s = earlier(old->first_s, new->first_s);
        old->last_s = later(old->last_s, new->last_s);
        old->days = add_days(old->days, new->days);
        if (new->asn)
            old->asn = new->asn;
        if (new->country[0])
            memcpy(old->country, new->country, sizeof old->country);
    }
}

static void merge_clients(struct baseline *stored, const struct baseline *since)
{
    for (size_t i = 0; i < BASELINE_CLIENTS; i++) {
        const struct client *new = &since->clients[i];
        if (new->trust == TRUST_NONE)
            continue;
        struct client *old = baseline_client(stored, new);
        if (!old) {
            *baseline_learn_client(stored, new, new->last_s) = *new;
            continue;
        }
        old->weight += new->weight;
        old->first_s = earlier(old->first_s, new->first_s);
        old->last_s = later(old->last_s, new->last_s);
        old->days = add_days(old->days, new->days);
        if (new->major > old->major)
            old->major = new->major;
    }
}

static void add_moments(struct moments *into, const struct moments *from)
{
    into->n += from->n;
    into->s1 += from->s1;
    into->s2 += from->s2;
}

static uint16_t add16(uint16_t a, uint16_t b)
{
    return a > UINT16_MAX - b ? UINT16_MAX : (uint16_t)(a + b);
}

static void add_ratio(struct ratio *into, struct ratio from)
{
    bool is_full = into->n + from.n > UINT8_MAX;
    into->n = (uint8_t)((into->n + from.n) / (is_full ? 2 : 1));
    into->hits = (uint8_t)((into->hits + from.hits) / (is_full ? 2 : 1));
}

static void merge_today(struct baseline *stored, const struct baseline *since)
{
    if (since->day < stored->day)
        return;
    bool is_same_day = since->day == stored->day;
    bool is_same_window = is_same_day && since->window == stored->window;
    stored->day = since->day;
    stored->today_bytes = (is_same_day ? stored->today_bytes : 0) + since->today_bytes;
    stored->today_files = add32(is_same_day ? stored->today_files : 0, since->today_files);
    stored->today_cases = add32(is_same_day ? stored->today_cases : 0, since->today_cases);
    stored->today_customers = add32(is_same_day ? stored->today_customers : 0, since->today_customers);
    stored->today_alerted = (uint8_t)((is_same_day ? stored->today_alerted : 0) | since->today_alerted);
    stored->window_files = add16(is_same_window ? stored->window_files : 0, since->window_files);
    stored->window_cases = add16(is_same_window ? stored->window_cases : 0, since->window_cases);
    stored->window = since->window;
    if (is_same_day)
        add_counts(stored->first_customers, since->first_customers, sizeof stored->first_customers);
    else
        memcpy(stored->first_customers, since->first_customers, sizeof stored->first_customers);
}

void baseline_merge(struct baseline *stored, const struct baseline *since)
{
    if (!stored->first_ns || (since->first_ns && since->first_ns < stored->first_ns))
        stored->first_ns = since->first_ns;
    if (since->last_ns > stored->last_ns)
        stored->last_ns = since->last_ns;
    stored->sessions = add32(stored->sessions, since->sessions);
    stored->acts = add32(stored->acts, since->acts);
    stored->files = add32(stored->files, since->files);
    stored->active_days = add32(stored->active_days, since->active_days);
    if (since->active_days && stored->active_days && since->day == stored->day)
        stored->active_days--; /* both counted this day */
    stored->alert_s = later(stored->alert_s, since->alert_s);
    stored->flags |= since->flags;
    stored->actions |= since->actions;
    for (size_t i = 0; i < sizeof stored->routes / sizeof stored->routes[0]; i++)
        stored->routes[i] |= since->routes[i];
    for (size_t i = 0; i < sizeof stored->customers / sizeof stored->customers[0]; i++)
        stored->customers[i] |= since->customers[i];
    merge_places(stored, since);
    merge_clients(stored, since);
    add_counts(stored->hours, since->hours, sizeof stored->hours);
    add_counts(stored->weekdays, since->weekdays, sizeof stored->weekdays);
    add_moments(&stored->files_day, &since->files_day);
    add_moments(&stored->cases_day, &since->cases_day);
    add_moments(&stored->customers_day, &since->customers_day);
    add_moments(&stored->bytes_day, &since->bytes_day);
    add_moments(&stored->files_window, &since->files_window);
    add_moments(&stored->cases_window, &since->cases_window);
    add_ratio(&stored->unseen, since->unseen);
    add_ratio(&stored->strange, since->strange);
    if (stored->org == 0)
        stored->org = since->org;
    else if (since->org && since->org != stored->org)
        stored->org = BASELINE_ORG_MANY;
    if (since->slow_cases > stored->slow_cases)
        stored->slow_cases = since->slow_cases;
    merge_today(stored, since);
}
