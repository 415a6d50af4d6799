/* SPDX-License-Identifier: Apache-2.0
 * Counts of values over everybody in one map; each user's log-ins in a list. */
#include "eval/freeman.h"

#include "base/assert.h"
#include "base/map.h"

#include <stdlib.h>

#define MAX_USERS 1000000u
#define MAX_VALUES 4000000u

static const double weights[FREEMAN_FEATURES][FREEMAN_LEVELS] = {
    {0.6, 0.3, 0.1, 0},
    {0.5386653840551359, 0.2680451498625666, 0.18818295100109536, 0.0051065150812021525},
};
static const int n_levels[FREEMAN_FEATURES] = {3, 4};

struct user {
    struct freeman_login *logins;
    uint32_t n, cap;
};

struct value_key {
    uint64_t value;
    uint32_t feature, level;
};

struct freeman {
    struct map *users, *values; /* value_key -> uint32_t count */
    uint64_t n, n_users;
    uint64_t distinct[FREEMAN_FEATURES][FREEMAN_LEVELS];
};

struct freeman *freeman_new(void)
{
    struct freeman *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    f->users = map_new(sizeof(uint64_t), sizeof(struct user), MAX_USERS, 0);
    f->values = map_new(sizeof(struct value_key), sizeof(uint32_t), MAX_VALUES, 0);
    if (f->users && f->values)
        return f;
    freeman_free(f);
    return NULL;
}

void freeman_free(struct freeman *f)
{
    const void *key;
    void *value;
    for (uint32_t at = UINT32_MAX; f->users && map_walk(f->users, &at, &key, &value);)
        free(((struct user *)value)->logins);
    map_free(f->users);
    map_free(f->values);
    free(f);
}

static double count_of(const struct freeman *f, int feature, int level, uint64_t value)
{
    struct value_key key = {value, (uint32_t)feature, (uint32_t)level};
    const uint32_t *count = map_find(f->values, &key);
    return count ? *count : 0;
}

/* An address has one AS and one country, a User-Agent one browser and so on: among the log-ins with one finest value
 * there is one value of each coarser level, and one more may come. */
static double within(int feature, double count)
{
    double unseen = n_levels[feature];
    return count > 0 ? 1 - unseen / (count + unseen) : 1;
}

static double global_of(const struct freeman *f, int feature, const struct freeman_login *login)
{
    double n = (double)f->n, sum = 0, unseen = 1;
    for (int level = 1; level < n_levels[feature]; level++)
        unseen += (double)f->distinct[feature][level];
    for (int level = 0; level < n_levels[feature]; level++) {
        double c = count_of(f, feature, level, login->value[feature][level]), p = n > 0 ? c / n : 0;
        if (level == 0)
            p = within(feature, c) * (c > 0 ? p * (1 - unseen / (n + unseen)) : 1 / (n + unseen));
        sum += weights[feature][level] * p;
    }
    return sum;
}

static double user_of(const struct user *u, int feature, const struct freeman_login *login)
{
    double sum = 0;
    for (int level = 0; level < n_levels[feature] && u && u->n; level++) {
        uint32_t c = 0;
        for (uint32_t i = 0; i < u->n; i++)
            c += u->logins[i].value[feature][level] == login->value[feature][level];
        sum += weights[feature][level] * c / u->n;
    }
    return sum;
}

double freeman_score(const struct freeman *f, uint64_t user, const struct freeman_login *login)
{
    const struct user *u = map_find(f->users, &user);
    double risk = 1;
    for (int feature = 0; feature < FREEMAN_FEATURES; feature++) {
        double global = global_of(f, feature, login), own = user_of(u, feature, login);
        risk *= global / (own > 0 ? own : global / 4);
    }
    double n = f->n ? (double)f->n : 1, n_users = f->n_users ? (double)f->n_users : 1, n_own = u && u->n ? u->n : 1;
    return risk * (1 / n_users) / (n_own / n);
}

bool freeman_knows(const struct freeman *f, uint64_t user)
{
    return map_find(f->users, &user) != NULL;
}

void freeman_learn(struct freeman *f, uint64_t user, const struct freeman_login *login)
{
    bool is_new;
    struct user *u = map_touch(f->users, &user, &is_new);
    f->n_users += is_new;
    f->n++;
    if (u->n == u->cap) {
        u->cap = u->cap ? u->cap * 2 : 4;
        u->logins = realloc(u->logins, u->cap * sizeof *u->logins);
        ASSERT(u->logins);
    }
    u->logins[u->n++] = *login;
    for (int feature = 0; feature < FREEMAN_FEATURES; feature++)
        for (int level = 0; level < n_levels[feature]; level++) {
            struct value_key key = {login->value[feature][level], (uint32_t)feature, (uint32_t)level};
            uint32_t *count = map_touch(f->values, &key, &is_new);
            f->distinct[feature][level] += is_new;
            ++*count;
        }
}
