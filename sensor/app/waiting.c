/* SPDX-License-Identifier: Apache-2.0
 * Numbers of acts count up for ever; the ring holds the last of them, so a chain ends by itself where it has been
 * overwritten. */
#include "app/waiting.h"

#include "base/map.h"
#include "base/reserve.h"

#include <stdlib.h>

struct waiting {
    struct waiting_act *ring;
    struct map *newest[WAITING_CHAINS]; /* key -> number of the newest act of the chain */
    uint64_t next;                      /* number of the next act, from 1 */
    uint64_t dropped;
    uint32_t max;
};

struct waiting *waiting_new(uint32_t max)
{
    struct waiting *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->max = max;
    w->next = 1;
    w->ring = reserve(max, sizeof *w->ring);
    bool has_room = w->ring != NULL;
    if (has_room)
        reserve_huge(w->ring, max, sizeof *w->ring); /* it is filled in any case */
    for (int i = 0; i < WAITING_CHAINS; i++)
        has_room &= (w->newest[i] = map_new(sizeof(struct desk_key), sizeof(uint64_t), max, 0)) != NULL;
    if (!has_room) {
        waiting_free(w);
        return NULL;
    }
    return w;
}

void waiting_free(struct waiting *w)
{
    if (!w)
        return;
    for (int i = 0; i < WAITING_CHAINS; i++)
        if (w->newest[i])
            map_free(w->newest[i]);
    reserve_free(w->ring, w->max, sizeof *w->ring);
    free(w);
}

struct waiting_act *waiting_act(const struct waiting *w, uint64_t number)
{
    bool is_kept = number && number < w->next && w->next - number <= w->max;
    return is_kept ? &w->ring[number % w->max] : NULL;
}

static void chain_add(struct waiting *w, enum waiting_chain chain, uint64_t number, const struct desk_key *key)
{
    bool is_new;
    uint64_t *newest = map_touch(w->newest[chain], key, &is_new);
    struct waiting_act *act = waiting_act(w, number);
    act->key[chain] = *key;
    act->before[chain] = is_new ? 0 : *newest;
    *newest = number;
}

/* The next one's place was last used a whole turn of the ring ago: it comes until it is needed. */
static void fetch_act(const struct waiting_act *act)
{
    for (size_t at = 0; at < sizeof *act; at += 64)
        __builtin_prefetch((const uint8_t *)act + at, 1);
}

struct waiting_act *waiting_add(struct waiting *w, const struct desk_key *own)
{
    uint64_t number = w->next++;
    struct waiting_act *act = &w->ring[number % w->max];
    map_fetch(w->newest[WAITING_OWN], own);
    fetch_act(&w->ring[w->next % w->max]);
    w->dropped += number > w->max && !act->is_told;
    *act = (struct waiting_act){0};
    chain_add(w, WAITING_OWN, number, own);
    return act;
}

static bool has_key(const struct waiting_act *act, enum waiting_chain chain)
{
    return !desk_key_is_zero(&act->key[chain]);
}

void waiting_tie(struct waiting *w, uint64_t number, const struct desk_key *domain)
{
    const struct waiting_act *act = waiting_act(w, number);
    if (act && !has_key(act, WAITING_DOMAIN))
        chain_add(w, WAITING_DOMAIN, number, domain);
}

bool waiting_find(const struct waiting *w, enum waiting_chain chain, const struct desk_key *key, uint64_t *number,
                  struct waiting_act **act)
{
    const uint64_t *newest = map_find(w->newest[chain], key);
    const struct waiting_act *last = waiting_act(w, *number);
    uint64_t at = last ? last->before[chain] : newest && !*number ? *newest : 0;
    for (; (*act = waiting_act(w, at)); at = (*act)->before[chain]) {
        if (memcmp(&(*act)->key[chain], key, sizeof *key) != 0)
            return false;
        *number = at;
        if (!(*act)->is_ready)
            return true;
    }
    return false;
}

uint64_t waiting_last(const struct waiting *w)
{
    return w->next - 1;
}

uint64_t waiting_dropped(const struct waiting *w)
{
    return w->dropped;
}
