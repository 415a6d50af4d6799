/* SPDX-License-Identifier: Apache-2.0
 * A capped map from a prefix, AS or country to the first few credentials that use it. */
#include "detect/peers.h"

#include <stdlib.h>

#include "base/map.h"

#define CREDENTIALS_KEPT 5 /* four others and oneself */

struct key {
    uint8_t level, is_v6, spare[6];
    uint8_t value[8];
};

struct users {
    uint64_t credential[CREDENTIALS_KEPT];
    uint32_t n;
};

struct peers {
    struct map *map;
};

struct peers *peers_new(uint32_t max_places)
{
    struct peers *p = calloc(1, sizeof *p);
    if (p)
        p->map = map_new(sizeof(struct key), sizeof(struct users), max_places, 0);
    if (p && !p->map) {
        free(p);
        return NULL;
    }
    return p;
}

void peers_free(struct peers *p)
{
    if (!p)
        return;
    map_free(p->map);
    free(p);
}

/* False when the place says nothing on that level. */
static bool key_of(const struct place *place, enum place_level level, struct key *key)
{
    *key = (struct key){.level = (uint8_t)level};
    switch (level) {
    case LEVEL_PREFIX:
        key->is_v6 = place->is_v6;
        memcpy(key->value, place->prefix, sizeof key->value);
        return true;
    case LEVEL_NETWORK: memcpy(key->value, &place->asn, sizeof place->asn); return place->asn != 0;
    case LEVEL_COUNTRY: memcpy(key->value, place->country, sizeof place->country); return place->country[0] != 0;
    case LEVEL_KNOWN: break;
    }
    return false;
}

static void add_user(struct users *u, uint64_t credential)
{
    for (uint32_t i = 0; i < u->n; i++)
        if (u->credential[i] == credential)
            return;
    if (u->n < CREDENTIALS_KEPT)
        u->credential[u->n++] = credential;
}

void peers_add(struct peers *p, const struct place *place, uint64_t credential)
{
    struct key key;
    bool is_new;
    for (enum place_level level = LEVEL_PREFIX; level <= LEVEL_COUNTRY; level++)
        if (key_of(place, level, &key))
            add_user(map_touch(p->map, &key, &is_new), credential);
}

unsigned peers_count(const struct peers *p, const struct place *place, enum place_level level, uint64_t credential)
{
    struct key key;
    const struct users *u = key_of(place, level, &key) ? map_find(p->map, &key) : NULL;
    unsigned others = 0;
    for (uint32_t i = 0; u && i < u->n; i++)
        others += u->credential[i] != credential;
    return others < CREDENTIALS_KEPT - 1 ? others : CREDENTIALS_KEPT - 1;
}
