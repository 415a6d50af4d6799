/* SPDX-License-Identifier: Apache-2.0
 * What vendors' rules amount to: a country new to the credential after seven days of learning, or fifty files in a day.
 */
#include "eval/judge.h"

#include "base/hash.h"
#include "base/map.h"
#include "base/times.h"

#include <stdlib.h>

#define MAX_CREDENTIALS 100000u
#define COUNTRIES 16
#define LEARN_NS (7ull * S_PER_DAY * NS_PER_S) /* Defender for Cloud Apps, Entra: seven days */
#define FILES_DAY 50

struct known {
    uint64_t first_ns;
    char countries[COUNTRIES][3];
    uint32_t n_countries, day, files;
};

struct static_judge {
    struct map *known;
    judge_say_fn *say;
    void *ctx;
};

static void *static_make(const struct judge *judge, judge_say_fn *say, void *ctx)
{
    (void)judge;
    struct static_judge *j = calloc(1, sizeof *j);
    if (!j)
        return NULL;
    *j = (struct static_judge){map_new(sizeof(uint64_t), sizeof(struct known), MAX_CREDENTIALS, 0), say, ctx};
    return j;
}

static void static_free(void *self)
{
    struct static_judge *j = self;
    map_free(j->known);
    free(j);
}

static bool is_country_new(struct known *k, const char *country)
{
    for (uint32_t i = 0; i < k->n_countries; i++)
        if (memcmp(k->countries[i], country, 2) == 0)
            return false;
    if (k->n_countries < COUNTRIES)
        memcpy(k->countries[k->n_countries++], country, 2);
    return true;
}

static void tell(struct static_judge *j, const struct activity *a, uint64_t who, unsigned rule, uint32_t day)
{
    const uint64_t key[3] = {who, rule, day};
    j->say(j->ctx, &(struct verdict){.key = hash64(span_of(key, sizeof key), 0), .time_ns = a->done_ns, .score = 1});
}

static void static_feed(void *self, const struct activity *a)
{
    struct static_judge *j = self;
    struct span user = activity_get(a, STR_USER);
    bool is_new;
    if (user.size == 0 || a->outcome != OUTCOME_SUCCESS)
        return;
    uint64_t who = hash64(user, 0);
    struct known *k = map_touch(j->known, &who, &is_new);
    uint32_t day = time_day(a->done_ns);
    if (is_new)
        k->first_ns = a->done_ns;
    if (a->country[0] && is_country_new(k, a->country) && a->done_ns - k->first_ns >= LEARN_NS)
        tell(j, a, who, 1, day);
    if (k->day != day)
        k->files = 0;
    k->day = day;
    if (a->action == ACTION_DOWNLOAD && ++k->files == FILES_DAY)
        tell(j, a, who, 2, day);
}

const struct judge *judge_static(void)
{
    static const struct judge judge = {"static rules", false, 0, 0, static_make, static_feed, static_free};
    return &judge;
}
