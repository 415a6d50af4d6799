/* SPDX-License-Identifier: Apache-2.0
 * Hash table of lines of the cache: each holds eight bits of the hash and the place of up to twelve entries, so that what is
 * not there is told by one line, and what is there by one more, its key's (as in F14 and the Swiss tables). What finds its
 * line full goes to the next; each line counts how many passed it. There are as many lines as the entries need: a table that
 * stays small stays in the cache, however many it may hold. A doubly linked list through the slots keeps the order of
 * use. Indices instead of pointers: half the size, and the same in every run. */
#include "base/map.h"

#include "base/assert.h"
#include "base/hash.h"
#include "base/reserve.h"

#include <stdlib.h>
#include <string.h>

#define NIL UINT32_MAX
#define SHORT_KEY 64u /* bytes */
#define CACHE_LINE 64u
#define HUGE_AFTER 4096u /* entries */
#define FOLD_FIRST 0xe7037ed1a0b428dbu
#define FOLD_NEXT (0x9e3779b97f4a7c15u * 2)

#define LINE_PLACES 12u
#define LINE_USUAL 8u /* places in use of a line, on average, when the lines are made more */
#define GROW_BITS 2u

struct slot {
    uint32_t older, newer; /* order of use; of a free one 'newer' is the next free */
    uint32_t hash;
};

struct line {
    uint8_t tags[LINE_PLACES], n;
    uint8_t passed; /* entries that went on to the next line; at UINT8_MAX it is not counted down any more */
    uint8_t spare[2];
    uint32_t at[LINE_PLACES]; /* the first n */
};
_Static_assert(sizeof(struct line) == CACHE_LINE, "a line of the cache");

struct map {
    struct slot *slots;
    uint8_t *data; /* key, value of each slot */
    struct line *lines;
    size_t key_size, value_at, stride;
    size_t key_words; /* of a short key of whole words; else 0 */
    uint32_t mask; /* lines in use, less one */
    uint32_t lines_max, max, used, fresh, free_list, oldest, newest;
    uint64_t seed, evicted;
    map_evict_fn *on_evict;
    void *ctx;
};

struct map *map_new(size_t key_size, size_t value_size, uint32_t max, uint64_t seed)
{
    struct map *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    uint32_t n = 2;
    while (n < max / LINE_USUAL && n < (1u << 31))
        n *= 2;
    *m = (struct map){.key_size = key_size, .value_at = (key_size + 15) & ~(size_t)15, .mask = 1, .lines_max = n, .max = max,
                      .seed = seed, .free_list = NIL, .oldest = NIL, .newest = NIL};
    m->stride = (m->value_at + value_size + 15) & ~(size_t)15;
    m->key_words = key_size % 8 == 0 && key_size <= SHORT_KEY ? key_size / 8 : 0;
    m->slots = reserve(max, sizeof *m->slots);
    m->data = reserve(max, m->stride);
    m->lines = reserve(n, sizeof *m->lines); /* zero pages mean empty */
    if (!m->slots || !m->data || !m->lines) {
        map_free(m);
        return NULL;
    }
    return m;
}

void map_free(struct map *m)
{
    if (!m)
        return;
    reserve_free(m->slots, m->max, sizeof *m->slots);
    reserve_free(m->data, m->max, m->stride);
    reserve_free(m->lines, m->lines_max, sizeof *m->lines);
    free(m);
}

void map_on_evict(struct map *m, map_evict_fn *fn, void *ctx)
{
    m->on_evict = fn;
    m->ctx = ctx;
}

static void *key_at(const struct map *m, uint32_t i)
{
    return m->data + (size_t)i * m->stride;
}

static void *value_at(const struct map *m, uint32_t i)
{
    return m->data + (size_t)i * m->stride + m->value_at;
}

static inline uint64_t word_of(const void *key, size_t i)
{
    uint64_t word;
    memcpy(&word, (const uint8_t *)key + 8 * i, sizeof word);
    return word;
}

static inline uint64_t fold(uint64_t a, uint64_t b)
{
    __uint128_t product = (__uint128_t)a * b;
    return (uint64_t)(product >> 64) ^ (uint64_t)product;
}

/* Nearly all keys are a few words: multiplying and folding them (the step of wyhash and XXH3) in line costs a tenth of a
 * call of the general hash. The order of use alone shows in results, never the hash. */
static inline uint32_t hash_of(const struct map *m, const void *key)
{
    if (!m->key_words)
        return (uint32_t)hash64(span_of(key, m->key_size), m->seed);
    uint64_t hash = m->seed ^ 0x9e3779b97f4a7c15u;
    if (m->key_words == 2) { /* most keys are hashes of 128 bits */
        hash = fold(hash ^ word_of(key, 0), FOLD_FIRST);
        hash = fold(hash ^ word_of(key, 1), FOLD_FIRST + FOLD_NEXT);
        return (uint32_t)fold(hash, 0xa0761d6478bd642fu);
    }
    for (size_t i = 0; i < m->key_words; i++)
        hash = fold(hash ^ word_of(key, i), FOLD_FIRST + FOLD_NEXT * i);
    return (uint32_t)fold(hash, 0xa0761d6478bd642fu);
}

static inline bool is_key(const struct map *m, const void *a, const void *b)
{
    if (m->key_words == 2)
        return word_of(a, 0) == word_of(b, 0) && word_of(a, 1) == word_of(b, 1);
    if (!m->key_words)
        return memcmp(a, b, m->key_size) == 0;
    for (size_t i = 0; i < m->key_words; i++)
        if (word_of(a, i) != word_of(b, i))
            return false;
    return true;
}

static inline struct line *home_of(const struct map *m, uint32_t hash)
{
    return &m->lines[hash & m->mask];
}

static inline struct line *next_line(const struct map *m, struct line *line)
{
    return line == &m->lines[m->mask] ? m->lines : line + 1;
}

static inline uint8_t tag_of(uint32_t hash)
{
    return (uint8_t)(hash >> 24);
}

/* The high bit of each byte of 'tags' that is 'tag'; now and then also of the byte after such a one. */
static inline uint64_t same_bytes(uint64_t tags, uint8_t tag)
{
    uint64_t differs = tags ^ tag * 0x0101010101010101u;
    return (differs - 0x0101010101010101u) & ~differs & 0x8080808080808080u;
}

static inline uint32_t find_in(const struct map *m, const struct line *line, const void *key, uint8_t tag)
{
    for (unsigned from = 0; from < line->n; from += 8) {
        for (uint64_t same = same_bytes(word_of(line->tags, from / 8), tag); same; same &= same - 1) {
            unsigned k = from + (unsigned)__builtin_ctzll(same) / 8;
            if (k < line->n && is_key(m, key_at(m, line->at[k]), key))
                return line->at[k];
        }
    }
    return NIL;
}

static inline uint32_t find(const struct map *m, const void *key, uint32_t hash)
{
    struct line *line = home_of(m, hash);
    for (uint32_t probed = 0; probed <= m->mask; probed++, line = next_line(m, line)) {
        uint32_t i = find_in(m, line, key, tag_of(hash));
        if (i != NIL || line->passed == 0)
            return i;
    }
    return NIL;
}

/* As find, where the same key was used last more often than not, or nothing is kept. */
static inline uint32_t find_used(const struct map *m, const void *key)
{
    if (m->newest == NIL || is_key(m, key_at(m, m->newest), key))
        return m->newest;
    return find(m, key, hash_of(m, key));
}

static void unlink_use(struct map *m, uint32_t i)
{
    struct slot *s = &m->slots[i];
    *(s->older == NIL ? &m->oldest : &m->slots[s->older].newer) = s->newer;
    *(s->newer == NIL ? &m->newest : &m->slots[s->newer].older) = s->older;
}

static void link_newest(struct map *m, uint32_t i)
{
    m->slots[i].older = m->newest;
    m->slots[i].newer = NIL;
    *(m->newest == NIL ? &m->oldest : &m->slots[m->newest].newer) = i;
    m->newest = i;
}

static void enter_line(struct map *m, uint32_t i, uint32_t hash)
{
    struct line *line = home_of(m, hash);
    for (; line->n == LINE_PLACES; line = next_line(m, line)) /* there are more places than entries */
        line->passed += line->passed < UINT8_MAX;
    line->tags[line->n] = tag_of(hash);
    line->at[line->n++] = i;
    m->slots[i].hash = hash;
}

static void grow(struct map *m)
{
    memset(m->lines, 0, (m->mask + (size_t)1) * sizeof *m->lines);
    for (unsigned bit = 0; bit < GROW_BITS && m->mask + 1 < m->lines_max; bit++)
        m->mask = 2 * m->mask + 1;
    for (uint32_t i = m->oldest; i != NIL; i = m->slots[i].newer)
        enter_line(m, i, m->slots[i].hash);
}

static void enter(struct map *m, uint32_t i, uint32_t hash)
{
    if (m->used >= LINE_USUAL * (m->mask + 1) && m->mask + 1 < m->lines_max)
        grow(m);
    enter_line(m, i, hash);
}

static bool leave_line(struct line *line, uint32_t i, uint8_t tag)
{
    for (unsigned from = 0; from < line->n; from += 8) {
        for (uint64_t same = same_bytes(word_of(line->tags, from / 8), tag); same; same &= same - 1) {
            unsigned k = from + (unsigned)__builtin_ctzll(same) / 8;
            if (k >= line->n || line->at[k] != i)
                continue;
            line->n--;
            line->at[k] = line->at[line->n];
            line->tags[k] = line->tags[line->n];
            return true;
        }
    }
    return false;
}

static void drop(struct map *m, uint32_t i)
{
    uint32_t hash = m->slots[i].hash;
    struct line *line = home_of(m, hash);
    for (; !leave_line(line, i, tag_of(hash)); line = next_line(m, line))
        line->passed -= line->passed < UINT8_MAX;
    unlink_use(m, i);
    m->slots[i].newer = m->free_list;
    m->free_list = i;
    m->used--;
}

void *map_find(const struct map *m, const void *key)
{
    uint32_t i = find_used(m, key);
    return i == NIL ? NULL : value_at(m, i);
}

uint32_t map_at(const struct map *m, const void *key, void **value)
{
    uint32_t i = find_used(m, key);
    *value = i == NIL ? NULL : value_at(m, i);
    return i;
}

static void make_newest(struct map *m, uint32_t i)
{
    if (m->newest == i)
        return;
    unlink_use(m, i);
    link_newest(m, i);
}

void map_use(struct map *m, uint32_t at)
{
    make_newest(m, at);
}

uint32_t map_newest(const struct map *m)
{
    return m->newest;
}

/* A full table touches what was used longest ago at each new key, and so it is in no cache: begins to fetch what goes
 * next, which there is time for until then. */
static void fetch_oldest(const struct map *m)
{
    const struct slot *s = &m->slots[m->oldest]; /* just touched, as the neighbour of what went */
    __builtin_prefetch(home_of(m, s->hash), 1);
    for (size_t at = 0; at < m->stride && at < 4 * CACHE_LINE; at += CACHE_LINE)
        __builtin_prefetch((const uint8_t *)key_at(m, m->oldest) + at, 1);
    if (s->newer != NIL)
        __builtin_prefetch(&m->slots[s->newer], 1);
}

static void ask_huge(struct map *m)
{
    reserve_huge(m->slots, m->max, sizeof *m->slots);
    reserve_huge(m->data, m->max, m->stride);
    reserve_huge(m->lines, m->lines_max, sizeof *m->lines);
}

static uint32_t take_slot(struct map *m)
{
    if (m->free_list == NIL && m->fresh == m->max) {
        uint32_t victim = m->oldest;
        if (m->on_evict)
            m->on_evict(m->ctx, key_at(m, victim), value_at(m, victim));
        m->evicted++;
        drop(m, victim);
        if (m->oldest != NIL)
            fetch_oldest(m);
    }
    uint32_t i = m->free_list;
    if (i == NIL && m->fresh == HUGE_AFTER)
        ask_huge(m);
    if (i == NIL)
        return m->fresh++;
    m->free_list = m->slots[i].newer;
    return i;
}

void map_fetch(const struct map *m, const void *key)
{
    __builtin_prefetch(home_of(m, hash_of(m, key)), 1);
}

void *map_touch(struct map *m, const void *key, bool *is_new)
{
    if (m->newest != NIL && is_key(m, key_at(m, m->newest), key)) { /* asked for the same again */
        *is_new = false;
        return value_at(m, m->newest);
    }
    uint32_t hash = hash_of(m, key), i = find(m, key, hash);
    *is_new = i == NIL;
    if (i != NIL) {
        make_newest(m, i);
        return value_at(m, i);
    }
    i = take_slot(m);
    enter(m, i, hash);
    link_newest(m, i);
    m->used++;
    memcpy(key_at(m, i), key, m->key_size);
    memset(value_at(m, i), 0, m->stride - m->value_at);
    return value_at(m, i);
}

void map_remove(struct map *m, const void *key)
{
    uint32_t i = find(m, key, hash_of(m, key));
    if (i != NIL)
        drop(m, i);
}

uint32_t map_size(const struct map *m)
{
    return m->used;
}

uint64_t map_evicted(const struct map *m)
{
    return m->evicted;
}

/* *at holds the entry to hand out next, or NIL + a started walk's end marker: since the entry just handed out may be
 * removed, its successor is remembered instead of itself. */
bool map_walk(const struct map *m, uint32_t *at, const void **key, void **value)
{
    uint32_t i = *at == NIL ? m->oldest : *at;
    if (i == NIL || i == NIL - 1)
        return false;
    *key = key_at(m, i);
    *value = value_at(m, i);
    *at = m->slots[i].newer == NIL ? NIL - 1 : m->slots[i].newer;
    return true;
}

bool map_oldest(const struct map *m, const void **key, void **value)
{
    uint32_t at = NIL;
    return map_walk(m, &at, key, value);
}
