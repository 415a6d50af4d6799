/* SPDX-License-Identifier: Apache-2.0
 * One line a number that has a place of its own: read back, it is the same bits. */
#include "detect/levels.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "detect/budget_parts.h"

#define LINE 512
#define NORM(member) #member, offsetof(struct norms, member), sizeof(((struct norms *)0)->member) / (sizeof(float))

static const char *const channel_names[CHANNELS] = {[CHANNEL_CONTEXT] = "context", [CHANNEL_VOLUME] = "volume"};

/* All of them are floats, one behind the other. */
static const struct {
    const char *name;
    size_t at, n;
} norms[] = {
    {NORM(case_files[0])}, {NORM(case_files[1])}, {NORM(customer_cases[0])}, {NORM(customer_cases[1])},
    {NORM(unseen)},        {NORM(strange)},       {NORM(older)},             {NORM(failures)},
    {NORM(moved)},
};

struct out {
    void (*line)(void *ctx, const char *text);
    void *ctx;
};

static void save_counts(const struct channel_state *s, const char *name, const struct out *out)
{
    char text[LINE];
    int used = snprintf(text, sizeof text, "days %s %u %u", name, s->day, s->days);
    for (unsigned i = 0; i < WEEK; i++)
        used += snprintf(text + used, sizeof text - (size_t)used, " %u %u", s->closed[i], s->told[i]);
    out->line(out->ctx, text);
    used = snprintf(text, sizeof text, "sure %s %.17g", name, s->sure_credit);
    for (unsigned i = 0; i < WEEK; i++)
        used += snprintf(text + used, sizeof text - (size_t)used, " %u", s->sure[i]);
    out->line(out->ctx, text);
}

static void save_spot(const struct spot *s, const char *name, const struct out *out)
{
    char text[LINE];
    uint32_t latest = s->n < SPOT_LATEST ? (uint32_t)s->n : SPOT_LATEST;
    uint32_t held = s->n_excess < SPOT_EXCESSES ? s->n_excess : SPOT_EXCESSES;
    snprintf(text, sizeof text, "tail %s %" PRIu64 " %" PRIu64 " %.17g %.17g %.17g %u %u %.17g", name, s->n, s->from, s->start,
             s->tail.gamma, s->tail.sigma, s->n_excess, s->n_fit, s->credit);
    out->line(out->ctx, text);
    for (uint32_t i = 0; i < latest; i++) {
        snprintf(text, sizeof text, "latest %s %u %.9g", name, i, (double)s->latest[i]);
        out->line(out->ctx, text);
    }
    for (uint32_t i = 0; i < held; i++) {
        snprintf(text, sizeof text, "excess %s %u %.9g %" PRIu64, name, i, (double)s->excess[i], s->at[i]);
        out->line(out->ctx, text);
    }
}

static void save_units(const struct map *units, const char *name, const struct out *out)
{
    char text[LINE];
    uint32_t at = UINT32_MAX;
    const void *key;
    void *value;
    while (map_walk(units, &at, &key, &value)) {
        const struct unit *u = value;
        snprintf(text, sizeof text, "unit %s %016" PRIx64 " %.9g %u", name, *(const uint64_t *)key, (double)u->score,
                 u->last_s);
        out->line(out->ctx, text);
    }
}

void levels_save(void *levels, void (*line)(void *line_ctx, const char *text), void *line_ctx)
{
    const struct levels *l = levels;
    const struct out out = {line, line_ctx};
    for (int c = 0; c < CHANNELS; c++) {
        const struct channel_state *s = &l->budget->channels[c];
        save_counts(s, channel_names[c], &out);
        save_spot(&s->spot, channel_names[c], &out);
        save_units(s->units, channel_names[c], &out);
    }
    for (size_t i = 0; i < sizeof norms / sizeof norms[0]; i++) {
        const float *values = (const float *)(const void *)((const char *)l->norms + norms[i].at);
        char text[LINE];
        int used = snprintf(text, sizeof text, "norm %s", norms[i].name);
        for (size_t k = 0; k < norms[i].n; k++)
            used += snprintf(text + used, sizeof text - (size_t)used, " %.9g", (double)values[k]);
        line(line_ctx, text);
    }
}

/* The next number of the line, or false; *at moves behind it. */
static bool take(const char **at, double *out)
{
    char *end;
    if (**at != ' ' || (*at)[1] == ' ')
        return false;
    *out = strtod(*at + 1, &end);
    bool is_number = end > *at + 1 && isfinite(*out);
    *at = end;
    return is_number;
}

static bool take_whole(const char **at, double max, uint64_t *out)
{
    double x;
    if (!take(at, &x) || x < 0 || x > max || x != floor(x))
        return false;
    *out = (uint64_t)x;
    return true;
}

static bool take_hash(const char **at, uint64_t *out)
{
    int used = 0;
    bool is_one = **at == ' ' && sscanf(*at + 1, "%16" SCNx64 "%n", out, &used) == 1 && used == 16;
    *at += is_one ? 17 : 0;
    return is_one;
}

#define COUNT_MAX 4294967295.0
#define UNITS_MAX 9007199254740992.0 /* 2^53: the largest whole number a double holds */

static int load_counts(struct channel_state *s, const char *at)
{
    uint64_t n[2 + 2 * WEEK];
    for (size_t i = 0; i < sizeof n / sizeof n[0]; i++)
        if (!take_whole(&at, COUNT_MAX, &n[i]))
            return E_BAD;
    if (*at || n[1] >= WEEK)
        return E_BAD;
    s->day = (uint32_t)n[0];
    s->days = (uint32_t)n[1];
    for (unsigned i = 0; i < WEEK; i++) {
        s->closed[i] = (uint32_t)n[2 + 2 * i];
        s->told[i] = (uint32_t)n[3 + 2 * i];
    }
    return E_OK;
}

static int load_sure(struct channel_state *s, const char *at)
{
    uint64_t n[WEEK];
    double credit;
    if (!take(&at, &credit) || credit < 0)
        return E_BAD;
    for (size_t i = 0; i < WEEK; i++)
        if (!take_whole(&at, COUNT_MAX, &n[i]))
            return E_BAD;
    if (*at)
        return E_BAD;
    s->sure_credit = credit;
    for (unsigned i = 0; i < WEEK; i++)
        s->sure[i] = (uint32_t)n[i];
    return E_OK;
}

static int load_tail(struct spot *s, const char *at)
{
    uint64_t n, from, excesses, fitted;
    double start, gamma, sigma, credit;
    if (!take_whole(&at, UNITS_MAX, &n) || !take_whole(&at, UNITS_MAX, &from) || !take(&at, &start) ||
        !take(&at, &gamma) || !take(&at, &sigma) || !take_whole(&at, COUNT_MAX, &excesses) ||
        !take_whole(&at, COUNT_MAX, &fitted) || !take(&at, &credit) || *at)
        return E_BAD;
    if (fitted > excesses || excesses > n || (n >= SPOT_LATEST && (!(sigma > 0) || from > n - SPOT_LATEST)))
        return E_BAD;
    *s = (struct spot){.n = n, .from = from, .start = start, .tail = {gamma, sigma}, .n_excess = (uint32_t)excesses,
                       .n_fit = (uint32_t)fitted, .credit = credit};
    return E_OK;
}

static int load_latest(struct spot *s, const char *at)
{
    uint64_t i;
    double value;
    if (!take_whole(&at, SPOT_LATEST - 1, &i) || !take(&at, &value) || *at)
        return E_BAD;
    s->latest[i] = (float)value;
    return E_OK;
}

static int load_excess(struct spot *s, const char *at)
{
    uint64_t i, when;
    double value;
    if (!take_whole(&at, SPOT_EXCESSES - 1, &i) || !take(&at, &value) || !take_whole(&at, UNITS_MAX, &when) || *at)
        return E_BAD;
    s->excess[i] = (float)value;
    s->at[i] = when;
    return E_OK;
}

static int load_unit(struct map *units, const char *at)
{
    uint64_t hash, last;
    double score;
    bool is_new;
    if (!take_hash(&at, &hash) || !take(&at, &score) || !take_whole(&at, COUNT_MAX, &last) || *at)
        return E_BAD;
    *(struct unit *)map_touch(units, &hash, &is_new) = (struct unit){(float)score, (uint32_t)last};
    return E_OK;
}

static int load_norm(struct norms *all, const char *words)
{
    float values[TAIL_STEPS];
    for (size_t i = 0; i < sizeof norms / sizeof norms[0]; i++) {
        size_t size = strlen(norms[i].name);
        const char *at = words + size;
        if (strncmp(words, norms[i].name, size) != 0 || *at != ' ')
            continue;
        for (size_t k = 0; k < norms[i].n; k++) {
            double x;
            if (!take(&at, &x) || x < 0)
                return E_BAD;
            values[k] = (float)x;
        }
        if (*at)
            return E_BAD;
        memcpy((char *)all + norms[i].at, values, norms[i].n * sizeof values[0]);
        return E_OK;
    }
    return E_BAD;
}

int levels_load(void *levels, const char *line)
{
    struct levels *l = levels;
    char what[8], name[16];
    int used = 0;
    if (strncmp(line, "norm ", 5) == 0)
        return load_norm(l->norms, line + 5);
    if (sscanf(line, "%7s %15s%n", what, name, &used) != 2)
        return E_BAD;
    for (int c = 0; c < CHANNELS; c++) {
        struct channel_state *s = &l->budget->channels[c];
        if (strcmp(name, channel_names[c]) != 0)
            continue;
        if (strcmp(what, "days") == 0)
            return load_counts(s, line + used);
        if (strcmp(what, "sure") == 0)
            return load_sure(s, line + used);
        if (strcmp(what, "tail") == 0)
            return load_tail(&s->spot, line + used);
        if (strcmp(what, "latest") == 0)
            return load_latest(&s->spot, line + used);
        if (strcmp(what, "excess") == 0)
            return load_excess(&s->spot, line + used);
        return strcmp(what, "unit") == 0 ? load_unit(s->units, line + used) : E_BAD;
    }
    return E_BAD;
}
