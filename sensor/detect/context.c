/* SPDX-License-Identifier: Apache-2.0
 * Novelty on a chain: country, then network, then prefix. It is charged once, on the highest level that is new; a level
 * that several others use gives little, and the next lower one is asked. */
#include "detect/context.h"

#include <math.h>
#include <stdio.h>

#include "base/times.h"

#define HOURS 24
#define DAYS 7
#define HOME_AND_OFFICE 2u /* so many of a kind make nobody a traveller */

static double clip(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

double context_bits(const struct context *c)
{
    return (double)c->place_bits + c->client_bits + c->hour_bits + c->list_bits + c->newcomer_bits;
}

bool context_is_both_new(const struct context *c)
{
    return c->level != LEVEL_KNOWN && c->is_family_new;
}

bool context_is_new(const struct context *c)
{
    return c->level != LEVEL_KNOWN || c->is_client_new;
}

static bool is_usual(const struct place *p)
{
    return p->trust == TRUST_USUAL;
}

enum place_level context_level(const struct baseline *b, const struct place *place)
{
    bool same_network = false, same_country = false;
    for (size_t i = 0; i < BASELINE_PLACES; i++) {
        const struct place *p = &b->places[i];
        if (!is_usual(p))
            continue;
        if (place_same_prefix(p, place))
            return LEVEL_KNOWN;
        same_network = same_network || (place->asn && p->asn == place->asn);
        same_country =
            same_country || (place->country[0] && memcmp(p->country, place->country, sizeof p->country) == 0);
    }
    if (same_network || (same_country && !place->asn))
        return LEVEL_PREFIX;
    if (same_country)
        return LEVEL_NETWORK;
    return place->country[0] ? LEVEL_COUNTRY : place->asn ? LEVEL_NETWORK : LEVEL_PREFIX;
}

/* Whether two places count as one on a level. What is not known is one value of its own. */
static bool is_same_on(const struct place *a, const struct place *b, enum place_level level)
{
    if (level == LEVEL_COUNTRY)
        return memcmp(a->country, b->country, sizeof a->country) == 0;
    return level == LEVEL_NETWORK ? a->asn == b->asn : place_same_prefix(a, b);
}

static unsigned distinct_usual(const struct baseline *b, enum place_level level)
{
    unsigned n = 0;
    for (size_t i = 0; i < BASELINE_PLACES; i++) {
        bool is_first = is_usual(&b->places[i]);
        for (size_t j = 0; j < i && is_first; j++)
            is_first = !(is_usual(&b->places[j]) && is_same_on(&b->places[i], &b->places[j], level));
        n += is_first;
    }
    return n;
}

/* How many bits it takes to bring one more new value, after n sessions that brought k of them: a fleet-wide rate as
 * prior, and who has moved before moves again (the discount of a Pitman-Yor process). */
static double novelty_bits(const struct rules *r, double rate, double n, unsigned k)
{
    double s = r->context.prior_sessions;
    double again = k > HOME_AND_OFFICE ? r->context.repeat * (k - HOME_AND_OFFICE) : 0;
    return clip(log2((n + s) / (s * rate + again)), 0, r->context.max_bits);
}

static double level_bits(const struct rules *r, const struct context_question *q, enum place_level level)
{
    double rate = level == LEVEL_COUNTRY   ? r->context.country_rate
                  : level == LEVEL_NETWORK ? r->context.network_rate
                                           : r->context.prefix_rate;
    return novelty_bits(r, rate, q->b->sessions, distinct_usual(q->b, level));
}

static void score_place(const struct rules *r, const struct context_question *q, struct context *c)
{
    c->level = (uint8_t)context_level(q->b, q->place);
    if (q->source_class == NETWORK_OWN)
        return;
    double bits = 0;
    for (enum place_level level = (enum place_level)c->level; level > LEVEL_KNOWN; level--) {
        unsigned peers = peers_count(q->peers, q->place, level, q->credential);
        double here = level_bits(r, q, level);
        if (level == (enum place_level)c->level)
            c->peers = (uint8_t)peers;
        if (peers < r->context.peers) {
            bits = fmax(bits, here);
            break;
        }
        bits = fmax(bits, fmin(here, r->context.peer_bits));
    }
    c->place_bits = (float)bits;
}

/* Usual clients of that family, all clients when family is 0: how many, told apart by agent or by family. */
static unsigned count_clients(const struct baseline *b, uint16_t family, bool is_by_agent)
{
    unsigned n = 0;
    for (size_t i = 0; i < BASELINE_CLIENTS; i++) {
        const struct client *c = &b->clients[i];
        bool is_first = c->trust == TRUST_USUAL && (!family || c->family == family);
        for (size_t j = 0; j < i && is_first; j++)
            is_first = !(b->clients[j].trust == TRUST_USUAL && b->clients[j].family == c->family &&
                         (!is_by_agent || b->clients[j].agent == c->agent));
        n += is_first;
    }
    return n;
}

static bool is_usual_agent(const struct baseline *b, const struct client *client)
{
    for (size_t i = 0; i < BASELINE_CLIENTS; i++) {
        const struct client *c = &b->clients[i];
        if (c->trust == TRUST_USUAL && c->family == client->family && c->agent == client->agent)
            return true;
    }
    return false;
}

/* Another browser, or the usual one on another system; a newer version is neither. */
static void score_client(const struct rules *r, const struct context_question *q, struct context *c)
{
    const struct baseline *b = q->b;
    c->is_client_new = !is_usual_agent(b, q->client);
    if (!c->is_client_new)
        return;
    c->is_family_new = !q->client->family || count_clients(b, q->client->family, false) == 0;
    double rate = c->is_family_new ? r->context.client_rate : r->context.platform_rate;
    unsigned known = c->is_family_new ? count_clients(b, 0, false) : count_clients(b, q->client->family, true);
    c->client_bits = (float)novelty_bits(r, rate, b->sessions, known);
}

/* Sessions begun in that hour, its neighbours counting half. */
static double around_hour(const struct baseline *b, unsigned hour)
{
    return (b->hours[hour] + 0.5 * (b->hours[(hour + 1) % HOURS] + b->hours[(hour + HOURS - 1) % HOURS])) / 2;
}

static double sum_of(const uint8_t *values, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += values[i];
    return sum;
}

/* Hour and day of the week against an attacker who comes at any of the 168; the fleet's hours are worth two sessions.
 */
static double time_bits(const struct rules *r, const struct context_question *q)
{
    unsigned hour = time_hour(q->now_ns), day = time_weekday(q->now_ns);
    double fleet_hour = (around_hour(q->fleet, hour) + 1) / (sum_of(q->fleet->hours, HOURS) + HOURS);
    double fleet_day = (q->fleet->weekdays[day] + 1) / (sum_of(q->fleet->weekdays, DAYS) + DAYS);
    double at_hour = (around_hour(q->b, hour) + 2 * fleet_hour) / (sum_of(q->b->hours, HOURS) + 2);
    double at_day = (q->b->weekdays[day] + 2 * fleet_day) / (sum_of(q->b->weekdays, DAYS) + 2);
    return r->context.hour_weight *
           clip(log2(1.0 / HOURS / at_hour) + log2(1.0 / DAYS / at_day), 0, r->context.hour_bits);
}

static bool is_listed(uint8_t class)
{
    return class == NETWORK_VPN || class == NETWORK_HOSTING || class == NETWORK_TOR;
}

struct context context_score(const struct rules *r, const struct context_question *q)
{
    struct context c = {.is_newcomer = !q->is_mature && !q->is_young};
    score_place(r, q, &c);
    score_client(r, q, &c);
    if (c.is_newcomer) { /* everything is new for him: only that he is new, and that nobody else comes from there */
        double known = clip(q->b->sessions / fmax(r->learning.sessions, 1), 0, 1);
        c.newcomer_bits = (float)(r->context.newcomer_bits * (1 - known));
        c.client_bits *= (float)known;
    }
    if (!context_is_new(&c))
        return c;
    c.hour_bits = (float)(q->is_mature && !q->is_young ? time_bits(r, q) : 0);
    if (c.level != LEVEL_KNOWN && is_listed(q->source_class))
        c.list_bits = (float)r->context.list_bits;
    return c;
}

/* Appends a word to a list, cutting in silence: it is only an explanation. */
static size_t add_word(char *out, size_t size, size_t used, const char *word)
{
    int n = snprintf(out + used, size - used, "%s%s", used ? ", " : "", word);
    return n > 0 && used + (size_t)n < size ? used + (size_t)n : size - 1;
}

/* The place on that level in words; its prefix where the level is not known of it. */
static const char *level_text(const struct place *p, enum place_level level, char out[PREFIX_TEXT_MAX])
{
    if (level == LEVEL_COUNTRY && p->country[0])
        return p->country;
    if (level != LEVEL_NETWORK || !p->asn)
        return place_prefix_text(p, out);
    snprintf(out, PREFIX_TEXT_MAX, "AS%u", p->asn);
    return out;
}

const char *context_usual_place(const struct baseline *b, enum place_level level, char *out, size_t size)
{
    size_t used = 0;
    out[0] = 0;
    for (size_t i = 0; i < BASELINE_PLACES; i++) {
        const struct place *p = &b->places[i];
        char here[PREFIX_TEXT_MAX], there[PREFIX_TEXT_MAX];
        bool is_first = is_usual(p);
        for (size_t j = 0; j < i && is_first; j++)
            is_first = !(is_usual(&b->places[j]) &&
                         strcmp(level_text(p, level, here), level_text(&b->places[j], level, there)) == 0);
        if (is_first)
            used = add_word(out, size, used, level_text(p, level, here));
    }
    snprintf(out + used, size - used, "%s (%u sessions)", used ? "" : "none yet", b->sessions);
    return out;
}

const char *context_usual_client(const struct baseline *b, char *out, size_t size)
{
    size_t used = 0;
    out[0] = 0;
    for (size_t i = 0; i < BASELINE_CLIENTS; i++) {
        const struct client *c = &b->clients[i];
        char word[BASELINE_CLIENT_NAME + 8];
        if (c->trust != TRUST_USUAL)
            continue;
        snprintf(word, sizeof word, "%s %u", c->name[0] ? c->name : "unknown", c->major);
        used = add_word(out, size, used, word);
    }
    if (!used)
        snprintf(out, size, "none yet");
    return out;
}

const char *context_usual_hours(const struct baseline *b, char *out, size_t size)
{
    size_t used = 0;
    out[0] = 0;
    for (unsigned from = 0; from < HOURS; from++) {
        unsigned to = from;
        if (!b->hours[from])
            continue;
        while (to + 1 < HOURS && b->hours[to + 1])
            to++;
        char word[32];
        snprintf(word, sizeof word, "%02u-%02u h", from, to + 1);
        used = add_word(out, size, used, word);
        from = to;
    }
    snprintf(out + used, size - used, "%s", used ? " UTC" : "none yet");
    return out;
}
