/* SPDX-License-Identifier: Apache-2.0
 * The table of secrets: a map from name to the number of a slot, and the slots in one locked block. */
#include "wire/tls_keys.h"

#include <stdlib.h>
#include <string.h>

#include "base/locked.h"
#include "base/map.h"

#define MAX_CONNECTIONS 16384u

struct name { /* of a connection; compared as bytes */
    uint8_t bytes[TLS_RANDOM_SIZE];
    uint8_t session_id_size; /* 0: the bytes are the client random */
};

struct place {
    uint32_t slot;
    uint64_t added_ns; /* packet time of its last secret */
};

struct slot {
    uint8_t size[TLS_SECRETS]; /* 0 = not known */
    uint8_t secret[TLS_SECRETS][TLS_SECRET_MAX];
};

struct counts {
    uint64_t added, again, evicted, expired;
};

struct tls_keys {
    struct map *places;
    struct locked memory;
    struct slot *slots; /* in it */
    uint32_t *free;     /* numbers of free slots */
    uint32_t n_free;
    uint64_t life_ns, generation;
    uint64_t start_ns; /* the first packet time there was; 0 = none yet */
    struct counts counts;
};

static const struct counter_def DEFS[] = {
    {"tls_keys_added", "secrets", "secrets taken into the table"},
    {"tls_keys_again", "secrets", "that were in it already"},
    {"tls_keys_evicted", "connections", "whose secrets made room for newer ones; raise the limit"},
    {"tls_keys_expired", "connections", "whose secrets came to the end of their life"},
};

static void give_slot(struct tls_keys *k, uint32_t slot)
{
    explicit_bzero(&k->slots[slot], sizeof k->slots[slot]);
    k->free[k->n_free++] = slot;
}

static void on_evict(void *ctx, const void *key, void *value)
{
    struct tls_keys *k = ctx;
    const struct place *place = value;
    (void)key;
    give_slot(k, place->slot);
    k->counts.evicted++;
}

struct tls_keys *tls_keys_new(const struct tls_keys_limits *limits)
{
    struct tls_keys *k = calloc(1, sizeof *k);
    if (!k)
        return NULL;
    uint32_t n = limits && limits->max_connections ? limits->max_connections : MAX_CONNECTIONS;
    k->life_ns = limits ? limits->life_ns : 0;
    k->places = map_new(sizeof(struct name), sizeof(struct place), n, 0);
    k->free = calloc(n, sizeof *k->free);
    k->memory = locked_new((size_t)n * sizeof *k->slots);
    k->slots = k->memory.at;
    if (!k->places || !k->free || !k->slots) {
        tls_keys_free(k);
        return NULL;
    }
    map_on_evict(k->places, on_evict, k);
    while (k->n_free < n) {
        k->free[k->n_free] = n - 1 - k->n_free;
        k->n_free++;
    }
    return k;
}

void tls_keys_free(struct tls_keys *k)
{
    if (!k)
        return;
    locked_free(&k->memory);
    map_free(k->places);
    free(k->free);
    free(k);
}

bool tls_keys_is_locked(const struct tls_keys *k)
{
    return k->memory.is_locked;
}

void tls_keys_add(struct tls_keys *k, const struct tls_keylog_entry *entry, uint64_t now_ns)
{
    struct name name = {.session_id_size = entry->session_id_size};
    memcpy(name.bytes, entry->client_random, sizeof name.bytes);
    bool is_new;
    struct place *place = map_touch(k->places, &name, &is_new);
    if (is_new)
        place->slot = k->free[--k->n_free];
    place->added_ns = now_ns;
    struct slot *slot = &k->slots[place->slot];
    struct span old = span_of(slot->secret[entry->label], slot->size[entry->label]);
    if (span_eq(old, span_of(entry->secret, entry->size))) {
        k->counts.again++;
        return;
    }
    memcpy(slot->secret[entry->label], entry->secret, sizeof entry->secret);
    slot->size[entry->label] = entry->size;
    k->counts.added++;
    k->generation++;
}

static struct span find(const struct tls_keys *k, const struct name *name, enum tls_secret label)
{
    const struct place *place = map_find(k->places, name);
    if (!place)
        return span_of(NULL, 0);
    const struct slot *slot = &k->slots[place->slot];
    return span_of(slot->size[label] ? slot->secret[label] : NULL, slot->size[label]);
}

struct span tls_keys_find(struct tls_keys *k, const uint8_t client_random[TLS_RANDOM_SIZE], enum tls_secret label)
{
    struct name name = {0};
    memcpy(name.bytes, client_random, sizeof name.bytes);
    return find(k, &name, label);
}

struct span tls_keys_find_session(struct tls_keys *k, struct span session_id)
{
    if (session_id.size == 0 || session_id.size > TLS_RANDOM_SIZE)
        return span_of(NULL, 0);
    struct name name = {.session_id_size = (uint8_t)session_id.size};
    memcpy(name.bytes, session_id.at, session_id.size);
    return find(k, &name, TLS_SECRET_MASTER);
}

uint64_t tls_keys_generation(const struct tls_keys *k)
{
    return k->generation;
}

void tls_keys_expire(struct tls_keys *k, uint64_t now_ns)
{
    const void *key;
    void *value;
    if (!k->start_ns)
        k->start_ns = now_ns;
    while (k->life_ns && map_oldest(k->places, &key, &value)) {
        const struct place *place = value;
        uint64_t since_ns = place->added_ns ? place->added_ns : k->start_ns;
        if (now_ns < since_ns || now_ns - since_ns <= k->life_ns)
            return;
        give_slot(k, place->slot);
        map_remove(k->places, key);
        k->counts.expired++;
    }
}

struct counters tls_keys_counters(const struct tls_keys *k)
{
    return (struct counters){DEFS, &k->counts.added, sizeof DEFS / sizeof *DEFS};
}
