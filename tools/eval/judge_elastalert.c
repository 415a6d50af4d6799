/* SPDX-License-Identifier: Apache-2.0
 * A rule set as one would write it for ElastAlert 2: new_term, change, frequency, cardinality, spike, each told once a
 * day and credential (or source). */
#include "eval/judge.h"

#include "base/hash.h"
#include "base/map.h"
#include "base/times.h"

#include <stdlib.h>

#define MAX_KEYS 400000u
#define DAY_S 86400u
#define TERMS 12
#define RING 32

enum rule { RULE_COUNTRY = 1, RULE_NETWORK, RULE_CHANGE, RULE_BURST, RULE_BREADTH, RULE_SPIKE, RULE_FAILURES };

/* Terms with the time they were seen last; times of the latest events. */
struct known {
    uint32_t first_s;
    uint64_t terms[TERMS];
    uint32_t seen_s[TERMS];
    uint32_t ring_s[RING], at;
    uint32_t day, today, week[7];
    uint64_t value;
};

struct elastalert_judge {
    struct map *known, *told; /* told: (rule, key) -> second of the last alert */
    judge_say_fn *say;
    void *ctx;
};

static void *elastalert_make(const struct judge *judge, judge_say_fn *say, void *ctx)
{
    (void)judge;
    struct elastalert_judge *j = calloc(1, sizeof *j);
    if (!j)
        return NULL;
    *j = (struct elastalert_judge){map_new(sizeof(uint64_t[2]), sizeof(struct known), MAX_KEYS, 0),
                                   map_new(sizeof(uint64_t[2]), sizeof(uint32_t), MAX_KEYS, 0), say, ctx};
    return j;
}

static void elastalert_free(void *self)
{
    struct elastalert_judge *j = self;
    map_free(j->known);
    map_free(j->told);
    free(j);
}

static struct known *know(struct elastalert_judge *j, enum rule rule, uint64_t who, uint32_t now_s)
{
    const uint64_t key[2] = {who, rule};
    bool is_new;
    struct known *k = map_touch(j->known, key, &is_new);
    if (is_new)
        k->first_s = now_s;
    return k;
}

static void tell(struct elastalert_judge *j, const struct activity *a, enum rule rule, uint64_t who)
{
    const uint64_t key[2] = {who, rule};
    bool is_new;
    uint32_t now_s = time_s(a->done_ns), *last_s = map_touch(j->told, key, &is_new);
    if (!is_new && now_s - *last_s < DAY_S) /* realert: 24 h */
        return;
    *last_s = now_s;
    const uint64_t id[3] = {who, rule, now_s};
    j->say(j->ctx, &(struct verdict){.key = hash64(span_of(id, sizeof id), 0), .time_ns = a->done_ns, .score = 1});
}

/* Whether the term was not seen within the window; the oldest makes room. */
static bool is_new_term(struct known *k, uint64_t term, uint32_t now_s, uint32_t window_s)
{
    uint32_t oldest = 0;
    for (uint32_t i = 0; i < TERMS; i++) {
        if (k->seen_s[i] && k->terms[i] == term) {
            bool is_new = now_s - k->seen_s[i] > window_s;
            k->seen_s[i] = now_s;
            return is_new;
        }
        oldest = k->seen_s[i] < k->seen_s[oldest] ? i : oldest;
    }
    k->terms[oldest] = term;
    k->seen_s[oldest] = now_s;
    return true;
}

static uint32_t distinct_within(struct known *k, uint64_t term, uint32_t now_s, uint32_t window_s)
{
    uint32_t n = 0;
    (void)is_new_term(k, term, now_s, window_s); /* only kept */
    for (uint32_t i = 0; i < TERMS; i++)
        n += k->seen_s[i] && now_s - k->seen_s[i] <= window_s;
    return n;
}

static bool is_frequent(struct known *k, uint32_t now_s, uint32_t events, uint32_t window_s)
{
    uint32_t then_s = k->ring_s[(k->at + RING - (events - 1)) % RING];
    k->ring_s[k->at] = now_s;
    k->at = (k->at + 1) % RING;
    return then_s && now_s - then_s <= window_s;
}

/* Three times the mean of the seven days before, and at least twenty. */
static bool is_spike(struct known *k, uint32_t day)
{
    for (; k->day < day; k->day++) {
        if (day - k->day > 7) {
            memset(k->week, 0, sizeof k->week);
            k->day = day - 1;
        }
        k->week[k->day % 7] = k->today;
        k->today = 0;
    }
    uint32_t sum = 0;
    for (int i = 0; i < 7; i++)
        sum += k->week[i];
    return ++k->today >= 20 && k->today * 7 >= sum * 3;
}

static void judge_files(struct elastalert_judge *j, const struct activity *a, uint64_t who)
{
    uint32_t now_s = time_s(a->done_ns);
    if (is_frequent(know(j, RULE_BURST, who, now_s), now_s, 25, 180))
        tell(j, a, RULE_BURST, who);
    struct known *spike = know(j, RULE_SPIKE, who, now_s);
    if (is_spike(spike, time_day(a->done_ns)) && now_s - spike->first_s > 2 * DAY_S)
        tell(j, a, RULE_SPIKE, who);
}

static void elastalert_feed(void *self, const struct activity *a)
{
    struct elastalert_judge *j = self;
    struct span user = activity_get(a, STR_USER), customer = activity_get(a, STR_CUSTOMER);
    uint32_t now_s = time_s(a->done_ns);
    uint64_t source = hash64(span_of(a->source.bytes, 16), 5), who = hash64(user, 0);
    if (user.size == 0)
        return;
    if (a->outcome == OUTCOME_FAILURE) {
        if (a->action == ACTION_LOGIN && is_frequent(know(j, RULE_FAILURES, source, now_s), now_s, 25, 300))
            tell(j, a, RULE_FAILURES, source);
        return;
    }
    struct known *countries = know(j, RULE_COUNTRY, who, now_s), *networks = know(j, RULE_NETWORK, who, now_s);
    if (is_new_term(countries, hash64(span_of(a->country, 2), 0), now_s, 30 * DAY_S) &&
        now_s - countries->first_s > 7 * DAY_S)
        tell(j, a, RULE_COUNTRY, who);
    if (is_new_term(networks, a->asn, now_s, 30 * DAY_S) && now_s - networks->first_s > 7 * DAY_S)
        tell(j, a, RULE_NETWORK, who);
    if (a->action != ACTION_LOGIN) {
        uint64_t session = hash64(span_of(a->session, SESSION_HASH_SIZE), 3);
        struct known *face = know(j, RULE_CHANGE, session, now_s);
        if (face->value && face->value != a->client_family)
            tell(j, a, RULE_CHANGE, who);
        face->value = a->client_family;
    }
    if (customer.size && distinct_within(know(j, RULE_BREADTH, who, now_s), hash64(customer, 0), now_s, 3600) > 10)
        tell(j, a, RULE_BREADTH, who);
    if (a->action == ACTION_DOWNLOAD)
        judge_files(j, a, who);
}

const struct judge *judge_elastalert(void)
{
    static const struct judge judge = {"ElastAlert-like rules", false, 0, 0,
                                       elastalert_make,         elastalert_feed, elastalert_free};
    return &judge;
}
