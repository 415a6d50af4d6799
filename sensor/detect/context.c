/* SPDX-License-Identifier: Apache-2.0
 * Novelty on a chain: country, then network, then prefix. It is charged once, on the highest level that is new; a level
 * that several others use gives little, and the next lower one is asked. */
#include "detect/context.h"

#include <math.h>
#include <stdio.h>

#include "base/times.h"
#include "detect/presence.h"

#define HOURS 24
#define DAYS 7
#define CROWD 0.6         /* of thieves look like anybody, the others like nobody */
#define LEAST_BITS (-3.0)       /* what is usual can take off so much, */
#define LEAST_OFTEN_BITS (-4.0) /* a client that came so often, so much */
#define OFTEN 30
#define PLAIN_PLACE_BITS 2.0
#define STRANGE_CLIENT_AT_HOME 0.15 /* of thieves at a plain place: they mostly sit at the usual machine, or know it */
#define TOR 1.5 /* times the bits of a listed network: hardly anybody works through it */
#define CURIOUS 0.2
#define ANYHOW 0.4
#define SAME_VERSION_OF_THIEVES 0.5
#define OLDER_OF_THIEVES 0.3
#define FAILURES_OF_THIEVES 0.2
#define HOME_AND_OFFICE 2u /* so many of a kind make nobody a traveller */

static double clip(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

double context_bits(const struct context *c)
{
    return (double)c->place_bits + c->client_bits + c->hour_bits + c->list_bits + c->dormant_bits + c->failure_bits + c->presence_bits;
}

bool context_is_new(const struct context *c)
{
    return c->level != LEVEL_KNOWN || c->is_client_new;
}

/* What a new value is compared with: what is usual, or what is still in quarantine while there is nothing else. */
static enum trust trusted_place(const struct baseline *b)
{
    for (size_t i = 0; i < BASELINE_PLACES; i++)
        if (b->places[i].trust == TRUST_USUAL)
            return TRUST_USUAL;
    return TRUST_QUARANTINED;
}

static enum trust trusted_client(const struct baseline *b)
{
    for (size_t i = 0; i < BASELINE_CLIENTS; i++)
        if (b->clients[i].trust == TRUST_USUAL)
            return TRUST_USUAL;
    return TRUST_QUARANTINED;
}

enum place_level context_level(const struct baseline *b, const struct place *place)
{
    bool same_network = false, same_country = false;
    enum trust trusted = trusted_place(b);
    for (size_t i = 0; i < BASELINE_PLACES; i++) {
        const struct place *p = &b->places[i];
        if (p->trust != trusted)
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
    enum trust trusted = trusted_place(b);
    for (size_t i = 0; i < BASELINE_PLACES; i++) {
        bool is_first = b->places[i].trust == trusted;
        for (size_t j = 0; j < i && is_first; j++)
            is_first = !(b->places[j].trust == trusted && is_same_on(&b->places[i], &b->places[j], level));
        n += is_first;
    }
    return n;
}

/* P(the next session brings a new value), after n sessions that brought k of them: 'theta' is what a session with a first
 * one weighs, and who has moved before moves again (Pitman and Yor 1997). */
static double novelty(const struct rules *r, double theta, double n, unsigned k)
{
    double again = k > HOME_AND_OFFICE ? r->context.repeat * (k - HOME_AND_OFFICE) : 0;
    return fmin((theta + again) / (n + theta), 1);
}

/* What a thief draws from: the crowd, or anywhere. */
static double thief(double fleet, double kinds)
{
    return CROWD * fleet + (1 - CROWD) / kinds;
}

/* What somebody who tries something new draws from: the crowd, now and then something rare. */
static double curious(double crowd, double kinds)
{
    return (1 - CURIOUS) * crowd + CURIOUS / kinds;
}

/* What lies below a new value is as good as any for everybody: a hotel's network says nothing that its country has not said. */
static double anyhow(double crowd, double kinds)
{
    return (1 - ANYHOW) * crowd + ANYHOW / kinds;
}

static double theta_of(const struct rules *r, enum place_level level)
{
    return r->context.prior_sessions * (level == LEVEL_COUNTRY   ? r->context.country_rate
                                        : level == LEVEL_NETWORK ? r->context.network_rate
                                                                 : r->context.prefix_rate);
}

/* Weight of the usual places that are one with this one on a level. */
static double weight_on(const struct baseline *b, const struct place *place, enum place_level level)
{
    double sum = 0;
    enum trust trusted = trusted_place(b);
    for (size_t i = 0; i < BASELINE_PLACES; i++) {
        const struct place *p = &b->places[i];
        bool is_same = p->trust == trusted && memcmp(p->country, place->country, sizeof p->country) == 0;
        if (is_same && level <= LEVEL_NETWORK)
            is_same = p->asn == place->asn;
        if (is_same && level == LEVEL_PREFIX)
            is_same = place_same_prefix(p, place);
        sum += is_same ? (double)p->weight : 0;
    }
    return sum;
}

static double weight_all(const struct baseline *b)
{
    double sum = 0;
    enum trust trusted = trusted_place(b);
    for (size_t i = 0; i < BASELINE_PLACES; i++)
        sum += b->places[i].trust == trusted ? (double)b->places[i].weight : 0;
    return sum;
}

/* A chain: country, network in it, prefix in that. The highest new level pays for being new; above it the value's own share
 * counts, below it only how rare the value is where it is. */
static void score_place(const struct rules *r, const struct context_question *q, struct context *c)
{
    c->level = (uint8_t)context_level(q->b, q->place);
    if (q->source_class == NETWORK_OWN)
        return;
    double bits = 0, above = weight_all(q->b);
    bool is_stranger = !(above > 0);
    for (enum place_level level = LEVEL_COUNTRY; level > LEVEL_KNOWN; level--) {
        struct odds odds = peers_place_odds(q->peers, q->place, level, q->b->org);
        if (is_stranger) /* whether it is one of that organisation is not known yet */
            odds.org = (odds.org + odds.fleet) / 2;
        double at = thief(odds.fleet, peers_place_kinds(level)), own = odds.org;
        double here = weight_on(q->b, q->place, level);
        if (level > (enum place_level)c->level)
            own = (here + odds.org) / (above + 1);
        else if (level < (enum place_level)c->level && !is_stranger)
            own = anyhow(odds.org, peers_place_kinds(level));
        else if (level == (enum place_level)c->level)
            own = novelty(r, theta_of(r, level), q->b->sessions, distinct_usual(q->b, level)) * odds.org;
        bits += log2(at / own);
        above = here;
    }
    c->place_bits = (float)clip(bits, LEAST_BITS, r->context.max_bits);
}

/* Usual clients of that family, all clients when family is 0: how many, told apart by agent or by family. */
static unsigned count_clients(const struct baseline *b, uint16_t family, bool is_by_agent)
{
    unsigned n = 0;
    enum trust trusted = trusted_client(b);
    for (size_t i = 0; i < BASELINE_CLIENTS; i++) {
        const struct client *c = &b->clients[i];
        bool is_first = c->trust == trusted && (!family || c->family == family);
        for (size_t j = 0; j < i && is_first; j++)
            is_first = !(b->clients[j].trust == trusted && b->clients[j].family == c->family &&
                         (!is_by_agent || b->clients[j].agent == c->agent));
        n += is_first;
    }
    return n;
}

static const struct client *usual_agent(const struct baseline *b, const struct client *client)
{
    enum trust trusted = trusted_client(b);
    for (size_t i = 0; i < BASELINE_CLIENTS; i++) {
        const struct client *c = &b->clients[i];
        if (c->trust == trusted && c->family == client->family && c->agent == client->agent)
            return c;
    }
    return NULL;
}

static double client_weight(const struct baseline *b, uint16_t family, bool is_any)
{
    double sum = 0;
    enum trust trusted = trusted_client(b);
    for (size_t i = 0; i < BASELINE_CLIENTS; i++)
        if (b->clients[i].trust == trusted && (is_any || b->clients[i].family == family))
            sum += (double)b->clients[i].weight;
    return sum;
}

/* A chain as of a place: family, then the system it runs on. A newer version is nothing; an older one than before is. */
static void score_client(const struct rules *r, const struct context_question *q, struct context *c)
{
    const struct baseline *b = q->b;
    const struct client *known = usual_agent(b, q->client);
    c->is_client_new = known == NULL;
    c->is_family_new = !known && (!q->client->family || count_clients(b, q->client->family, false) == 0);
    struct odds family = peers_client_odds(q->peers, q->client, CLIENT_FAMILY, b->org);
    struct odds agent = peers_client_odds(q->peers, q->client, CLIENT_AGENT, b->org);
    double all = client_weight(b, 0, true), same = client_weight(b, q->client->family, false);
    if (!(all > 0)) { /* a stranger: see score_place */
        family.org = fmax(family.org, family.fleet);
        agent.org = fmax(agent.org, agent.fleet);
    }
    double any_family = curious(family.org, peers_client_kinds(CLIENT_FAMILY));
    double any_agent = curious(agent.org, peers_client_kinds(CLIENT_AGENT));
    double own_family = (same + family.org) / (all + 1), own_agent = agent.org;
    if (c->is_family_new)
        own_family = novelty(r, r->context.prior_sessions * r->context.client_rate, b->sessions, count_clients(b, 0, false)) * any_family;
    else if (known)
        own_agent = ((double)known->weight + agent.org) / (same + 1);
    else
        own_agent = novelty(r, r->context.prior_sessions * r->context.platform_rate, same, count_clients(b, q->client->family, true)) * any_agent;
    double bits = log2(thief(family.fleet, peers_client_kinds(CLIENT_FAMILY)) / own_family) +
                  log2(thief(agent.fleet, peers_client_kinds(CLIENT_AGENT)) / own_agent);
    c->is_older = known && q->client->major < known->major;
    if (c->is_older)
        bits += log2(OLDER_OF_THIEVES / share_of(&q->norms->older, 200, 1));
    else if (known)
        bits += log2(SAME_VERSION_OF_THIEVES);
    else if ((double)c->place_bits < PLAIN_PLACE_BITS)
        bits += log2(STRANGE_CLIENT_AT_HOME);
    bool is_frequent = known && (double)known->weight >= OFTEN;
    c->client_bits = (float)clip(bits, is_frequent ? LEAST_OFTEN_BITS : LEAST_BITS, r->context.max_bits);
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
           clip(log2(1.0 / HOURS / at_hour) + log2(1.0 / DAYS / at_day), -2, r->context.hour_bits);
}

static bool is_listed(uint8_t class)
{
    return class == NETWORK_VPN || class == NETWORK_HOSTING || class == NETWORK_TOR;
}

#define DORMANT_S (30 * S_PER_DAY)

/* Up to three bits for a credential that sleeps longer than it is wont to. */
static double dormant_bits(const struct context_question *q)
{
    uint32_t last_s = time_s(q->b->last_ns), now_s = time_s(q->now_ns);
    if (!q->b->sessions || now_s <= last_s + DORMANT_S)
        return 0;
    double between = (double)(last_s - time_s(q->b->first_ns)) / q->b->sessions;
    return clip(log2((double)(now_s - last_s) / fmax(between, DORMANT_S / 2)), 0, 3);
}

/* A thief does not know where the owner is: he comes while the owner is expected elsewhere, who was seen there or not. Owners
 * who move are there less often, by a share that is learned. */
static void score_presence(const struct context_question *q, struct context *c)
{
    enum place_level level = (enum place_level)c->level;
    struct presence p = presence_of(q->b, q->place, level, q->now_ns);
    if (q->source_class == NETWORK_OWN || !(p.chance > 0))
        return;
    double owners = fmin(share_of(&q->norms->moved[level == LEVEL_COUNTRY], 20, level == LEVEL_COUNTRY ? 2 : 14), 1);
    c->expected = (float)p.chance;
    c->is_seen = p.is_seen;
    c->presence_bits = (float)(p.is_seen ? -log2(owners) : log2((1 - p.chance) / (1 - owners * p.chance)));
}

struct context context_score(const struct rules *r, const struct context_question *q)
{
    struct context c = {0};
    score_place(r, q, &c);
    score_client(r, q, &c);
    c.hour_bits = (float)(q->is_young ? 0 : time_bits(r, q));
    c.dormant_bits = (float)dormant_bits(q);
    score_presence(q, &c);
    c.has_failures = q->has_failures;
    if (q->has_failures)
        c.failure_bits = (float)clip(log2(FAILURES_OF_THIEVES / share_of(&q->norms->failures[q->absence], 100, 2)), 0, 6);
    if (c.level != LEVEL_KNOWN && is_listed(q->source_class))
        c.list_bits = (float)(r->context.list_bits * (q->source_class == NETWORK_TOR ? TOR : 1));
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
        bool is_first = p->trust == TRUST_USUAL;
        for (size_t j = 0; j < i && is_first; j++)
            is_first = !(b->places[j].trust == TRUST_USUAL &&
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
