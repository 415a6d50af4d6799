/* SPDX-License-Identifier: Apache-2.0
 * The table of templates. A request is first looked up by what it folds to by itself; only what is new there goes through
 * the tree of places, which knows how many values each place took. */
#include "app/unmapped.h"

#include "app/fold.h"
#include "base/hash.h"
#include "base/map.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define PLACES 4096u
#define ALIASES 8192u
#define VALUES 32 /* different words one place may take before it stands for any */
#define SKETCH 8  /* words of 64 bits */
#define LOOKED_AT 32 /* rows compared to find the one with the least use */

struct place {
    uint8_t n;
    bool is_free;
    uint32_t value[VALUES];
};

struct alias { /* what a request folds to by itself: its row, as long as no place was folded since */
    uint64_t row;
    uint32_t age;
};

struct row {
    struct unmapped_row shown;
    uint64_t sketch[SKETCH];
    struct folded folded;
    uint64_t seed;
};

enum { COUNT_REQUESTS, COUNT_EVICTED, COUNT_FOLDED, COUNTERS };

static const struct counter_def counter_defs[COUNTERS] = {
    {"app_unmapped", "transactions", "counted by template, for no route took them: what a profile should learn (unmapped.ndjson)"},
    {"app_unmapped_evicted", "templates", "forgotten for room: those with the least use"},
    {"app_unmapped_folded", "places", "places in paths that took too many values to tell them apart"},
};

struct unmapped {
    struct map *rows, *places, *aliases;
    uint32_t max, age;
    uint64_t counts[COUNTERS];
};

struct unmapped *unmapped_new(uint32_t max)
{
    struct unmapped *u = calloc(1, sizeof *u);
    if (!u)
        return NULL;
    u->max = max;
    u->rows = map_new(sizeof(uint64_t), sizeof(struct row), max + 1, 0);
    u->places = map_new(sizeof(uint64_t), sizeof(struct place), PLACES, 0);
    u->aliases = map_new(sizeof(uint64_t), sizeof(struct alias), ALIASES, 0);
    if (u->rows && u->places && u->aliases)
        return u;
    unmapped_free(u);
    return NULL;
}

void unmapped_free(struct unmapped *u)
{
    struct map *maps[] = {u ? u->rows : NULL, u ? u->places : NULL, u ? u->aliases : NULL};
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++)
        if (maps[i])
            map_free(maps[i]);
    free(u);
}

static uint64_t hash_of(const struct folded *f, uint64_t seed)
{
    for (uint8_t k = 0; k < f->n; k++)
        seed = hash64(span_of(f->text[k], f->size[k]), seed + k);
    return seed;
}

static void free_part(struct folded *f, uint8_t k)
{
    struct span any = f->size[k] && f->text[k][0] == '?' ? SPAN("?...") : SPAN("{text}");
    memcpy(f->text[k], any.at, any.size);
    f->size[k] = (uint8_t)any.size;
    f->is_free[k] = true;
}

/* Credentials that are new set a bit each; how many there are follows from the bits still unset. */
static uint64_t credentials_of(const struct row *r)
{
    unsigned unset = 0;
    for (size_t i = 0; i < SKETCH; i++)
        unset += (unsigned)(64 - __builtin_popcountll(r->sketch[i]));
    double m = 64.0 * SKETCH;
    return (uint64_t)llround(unset ? m * log(m / unset) : m * log(2 * m));
}

static void add_row(struct row *to, const struct row *from)
{
    struct unmapped_row *a = &to->shown;
    const struct unmapped_row *b = &from->shown;
    a->requests += b->requests;
    a->refused += b->refused;
    a->files += b->files;
    a->bytes += b->bytes;
    a->first_ns = b->first_ns < a->first_ns ? b->first_ns : a->first_ns;
    a->last_ns = b->last_ns > a->last_ns ? b->last_ns : a->last_ns;
    for (size_t i = 0; i < SKETCH; i++)
        to->sketch[i] |= from->sketch[i];
}

static struct row *row_take(struct unmapped *u, uint64_t key, const struct row *like)
{
    bool is_new;
    struct row *r = map_touch(u->rows, &key, &is_new);
    if (is_new) {
        *r = *like;
        memset(r->sketch, 0, sizeof r->sketch);
        r->shown.requests = r->shown.refused = r->shown.files = r->shown.bytes = 0;
        size_t used = fold_write(&r->folded, r->shown.template);
        r->shown.template[used] = 0;
    }
    return r;
}

/* The one with the least use among those not used for longest makes room: a scan of many addresses must not drive out
 * what brings files. */
static void make_room(struct unmapped *u)
{
    uint64_t least = 0, use = UINT64_MAX;
    const void *key;
    void *value;
    size_t n = 0;
    for (uint32_t at = UINT32_MAX; n < LOOKED_AT && map_walk(u->rows, &at, &key, &value); n++) {
        const struct unmapped_row *shown = &((const struct row *)value)->shown;
        uint64_t mine = shown->files > UINT32_MAX / 2 ? UINT64_MAX - 1 : shown->files << 32 | (shown->requests & UINT32_MAX);
        if (mine < use) {
            use = mine;
            memcpy(&least, key, sizeof least);
        }
    }
    map_remove(u->rows, &least);
    u->age++;
    u->counts[COUNT_EVICTED]++;
}

static bool starts_alike(const struct folded *a, const struct folded *b, uint8_t k)
{
    for (uint8_t i = 0; i < k; i++)
        if (a->size[i] != b->size[i] || memcmp(a->text[i], b->text[i], a->size[i]) != 0)
            return false;
    return true;
}

/* Place 'k' behind the beginning of 'f' stands for any text from now on: rows that differ there only become one. */
static void fold_place(struct unmapped *u, const struct folded *f, uint64_t seed, uint8_t k)
{
    uint64_t moved[VALUES * 4];
    const void *key;
    void *value;
    size_t n = 0;
    for (uint32_t at = UINT32_MAX; n < VALUES * 4 && map_walk(u->rows, &at, &key, &value);) {
        const struct row *r = value;
        bool is_query = r->folded.n > k && r->folded.size[k] && r->folded.text[k][0] == '?';
        if (r->seed == seed && r->folded.n > k && !r->folded.is_free[k] && !is_query == !(f->text[k][0] == '?') &&
            starts_alike(&r->folded, f, k))
            memcpy(&moved[n++], key, sizeof *moved);
    }
    for (size_t i = 0; i < n; i++) {
        struct row was = *(const struct row *)map_find(u->rows, &moved[i]);
        map_remove(u->rows, &moved[i]);
        free_part(&was.folded, k);
        add_row(row_take(u, hash_of(&was.folded, seed), &was), &was);
    }
    u->age++;
    u->counts[COUNT_FOLDED]++;
}

/* Whether this place may keep the value it has here. */
static bool may_keep(struct place *p, uint32_t value)
{
    for (uint8_t i = 0; i < p->n; i++)
        if (p->value[i] == value)
            return true;
    if (p->n == VALUES)
        return false;
    p->value[p->n++] = value;
    return true;
}

/* Folds what took too many values; the hash of what is left. */
static uint64_t settle(struct unmapped *u, struct folded *f, uint64_t seed)
{
    uint64_t hash = seed;
    for (uint8_t k = 0; k < f->n; k++) {
        bool is_new, is_query = f->size[k] && f->text[k][0] == '?';
        uint64_t key = hash ^ (is_query ? 0x9e3779b97f4a7c15u : 0);
        if (!f->is_free[k] && f->size[k]) {
            struct place *p = map_touch(u->places, &key, &is_new);
            if (!p->is_free && !may_keep(p, (uint32_t)hash64(span_of(f->text[k], f->size[k]), 0))) {
                p->is_free = true;
                fold_place(u, f, seed, k);
            }
            if (p->is_free)
                free_part(f, k);
        }
        hash = hash64(span_of(f->text[k], f->size[k]), hash + k);
    }
    return hash;
}

static void copy_text(char *out, size_t max, struct span s)
{
    size_t n = 0;
    for (; n < s.size && n + 1 < max; n++)
        out[n] = (char)(s.at[n] >= 'A' && s.at[n] <= 'Z' ? s.at[n] | 0x20 : s.at[n]);
    out[n] = 0;
}

static struct row *row_new(struct unmapped *u, const struct unmapped_use *use, struct folded *f, uint64_t seed)
{
    struct row like = {.seed = seed, .shown = {.profile = use->profile, .first_ns = use->time_ns}};
    uint64_t key = settle(u, f, seed);
    like.folded = *f;
    copy_text(like.shown.host, sizeof like.shown.host, use->host);
    snprintf(like.shown.method, sizeof like.shown.method, "%.*s", (int)(use->method.size < 11 ? use->method.size : 11),
             (const char *)use->method.at);
    struct row *r = map_find(u->rows, &key);
    if (!r && map_size(u->rows) >= u->max)
        make_room(u);
    return row_take(u, key, &like);
}

/* What was refused is counted where it is known already, else as one for the host: nobody fills the table with addresses
 * that are not there. */
static void refused_target(struct folded *f)
{
    *f = (struct folded){.n = 1, .size = {2}, .is_free = {true}};
    memcpy(f->text[0], "**", 2);
    f->hash = 0;
}

static struct row *find(struct unmapped *u, const struct unmapped_use *use)
{
    struct folded f;
    bool is_new;
    uint64_t seed = hash64(use->host, hash64(use->method, hash64(use->profile, 0)));
    fold_target(use->path, use->query, &f);
    uint64_t key = hash64(span_of(&f.hash, sizeof f.hash), seed);
    const struct alias *known = map_find(u->aliases, &key);
    struct row *r = known && known->age == u->age ? map_touch(u->rows, &known->row, &is_new) : NULL;
    if (r)
        return r;
    if (use->is_refused) {
        refused_target(&f);
        key = hash64(span_of(&f.hash, sizeof f.hash), seed);
    }
    r = row_new(u, use, &f, seed);
    struct alias *alias = map_touch(u->aliases, &key, &is_new);
    *alias = (struct alias){.row = hash_of(&r->folded, seed), .age = u->age};
    return r;
}

void unmapped_count(struct unmapped *u, const struct unmapped_use *use)
{
    struct row *r = find(u, use);
    r->shown.requests++;
    r->shown.refused += use->is_refused;
    r->shown.files += use->is_file;
    r->shown.bytes += use->bytes;
    r->shown.first_ns = use->time_ns < r->shown.first_ns ? use->time_ns : r->shown.first_ns;
    r->shown.last_ns = use->time_ns > r->shown.last_ns ? use->time_ns : r->shown.last_ns;
    if (use->credential)
        r->sketch[use->credential / 64 % SKETCH] |= 1ull << use->credential % 64;
    u->counts[COUNT_REQUESTS]++;
}

struct counters unmapped_counters(const struct unmapped *u)
{
    return (struct counters){counter_defs, u->counts, COUNTERS};
}

static int by_weight(const void *left, const void *right)
{
    const struct unmapped_row *a = left, *b = right;
    if (a->files != b->files)
        return a->files < b->files ? 1 : -1;
    if (a->bytes != b->bytes)
        return a->bytes < b->bytes ? 1 : -1;
    if (a->requests != b->requests)
        return a->requests < b->requests ? 1 : -1;
    int order = strcmp(a->host, b->host);
    order = order ? order : strcmp(a->method, b->method);
    order = order ? order : strcmp(a->template, b->template);
    return order ? order : a->first_ns < b->first_ns ? -1 : a->first_ns > b->first_ns;
}

struct unmapped_row *unmapped_rows(const struct unmapped *u, size_t *n)
{
    struct unmapped_row *rows = map_size(u->rows) ? calloc(map_size(u->rows), sizeof *rows) : NULL;
    const void *key;
    void *value;
    *n = 0;
    for (uint32_t at = UINT32_MAX; rows && map_walk(u->rows, &at, &key, &value);) {
        const struct row *r = value;
        rows[*n] = r->shown;
        rows[(*n)++].credentials = credentials_of(r);
    }
    if (rows)
        qsort(rows, *n, sizeof *rows, by_weight);
    return rows;
}
