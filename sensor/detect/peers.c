/* SPDX-License-Identifier: Apache-2.0
 * A capped map from a value, with what it is part of, to the number of its users and of the different values below it. */
#include "detect/peers.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/map.h"

#define ORG_WEIGHT 5.0 /* users that the fleet's shares are worth against those of an organisation */

struct key {
    uint64_t what; /* hash of the value and of all it is part of */
    uint32_t org;  /* 0: everybody */
    uint32_t level;
};

struct node {
    uint32_t users, kids, kid_users; /* kids: values below; kid_users: the sum of their users */
};

struct peers {
    struct map *map;
};

/* A value as a path from the root: what[0] is the root, what[depth] the value itself. */
#define DEPTH 3
struct path {
    uint64_t what[DEPTH + 1];
};

struct peers *peers_new(uint32_t max_values)
{
    struct peers *p = calloc(1, sizeof *p);
    if (p)
        p->map = map_new(sizeof(struct key), sizeof(struct node), max_values, 0);
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

static struct path place_path(const struct place *place)
{
    struct path path = {.what = {1}};
    path.what[1] = hash64(span_of(place->country, sizeof place->country), path.what[0]);
    path.what[2] = hash64(span_of(&place->asn, sizeof place->asn), path.what[1]);
    path.what[3] = hash64(span_of(place->prefix, sizeof place->prefix), path.what[2] + place->is_v6);
    return path;
}

static struct path client_path(const struct client *client)
{
    struct path path = {.what = {2}};
    path.what[1] = hash64(span_of(&client->family, sizeof client->family), path.what[0]);
    path.what[2] = hash64(span_of(&client->agent, sizeof client->agent), path.what[1]);
    return path;
}

static void add_below(struct peers *p, uint32_t org, const struct path *path, int depth)
{
    bool is_new;
    struct key key = {path->what[depth], org, (uint32_t)depth}, above = {path->what[depth - 1], org, (uint32_t)depth - 1};
    struct node *node = map_touch(p->map, &key, &is_new);
    node->users++;
    bool is_first = node->users == 1;
    struct node *parent = map_touch(p->map, &above, &is_new);
    parent->kids += is_first;
    parent->kid_users++;
}

static void add(struct peers *p, const struct baseline *b, const struct path *path, int from, int to)
{
    for (int depth = from; depth <= to; depth++) {
        add_below(p, 0, path, depth);
        if (b->org && b->org != BASELINE_ORG_MANY)
            add_below(p, b->org, path, depth);
    }
}

void peers_add_place(struct peers *p, const struct baseline *b, const struct place *place)
{
    struct path path = place_path(place);
    int from = 1;
    for (size_t i = 0; i < BASELINE_PLACES; i++) {
        const struct place *other = &b->places[i];
        if (other == place || other->trust != TRUST_USUAL || memcmp(other->country, place->country, sizeof place->country) != 0)
            continue;
        from = other->asn == place->asn ? 3 : from < 2 ? 2 : from;
    }
    add(p, b, &path, from, 3);
}

void peers_add_client(struct peers *p, const struct baseline *b, const struct client *client)
{
    struct path path = client_path(client);
    int from = 1;
    for (size_t i = 0; i < BASELINE_CLIENTS; i++)
        if (&b->clients[i] != client && b->clients[i].trust == TRUST_USUAL && b->clients[i].family == client->family)
            from = 2;
    add(p, b, &path, from, 2);
}

static const struct node *find(const struct peers *p, const struct path *path, int depth, uint32_t org)
{
    static const struct node nobody;
    struct key key = {path->what[depth], org, (uint32_t)depth};
    const struct node *node = map_find(p->map, &key);
    return node ? node : &nobody;
}

static struct odds odds_of(const struct peers *p, const struct path *path, int depth, double kinds, uint32_t org)
{
    const struct node *node = find(p, path, depth, 0), *parent = find(p, path, depth - 1, 0);
    double unseen = parent->kids > 0 ? parent->kids : 1;
    struct odds odds = {.fleet = (node->users + unseen / kinds) / (parent->kid_users + unseen)};
    odds.org = odds.fleet;
    if (org && org != BASELINE_ORG_MANY) {
        node = find(p, path, depth, org);
        parent = find(p, path, depth - 1, org);
        odds.org = (node->users + ORG_WEIGHT * odds.fleet) / (parent->kid_users + ORG_WEIGHT);
    }
    return odds;
}

unsigned peers_count(const struct peers *p, const struct place *place, enum place_level level)
{
    struct path path = place_path(place);
    return level == LEVEL_KNOWN ? 0 : find(p, &path, LEVEL_COUNTRY - level + 1, 0)->users;
}

double peers_place_kinds(enum place_level level)
{
    return level == LEVEL_COUNTRY ? 40 : level == LEVEL_NETWORK ? 60 : 200;
}

double peers_client_kinds(enum client_level level)
{
    return level == CLIENT_FAMILY ? 14 : 6;
}

struct odds peers_place_odds(const struct peers *p, const struct place *place, enum place_level level, uint32_t org)
{
    struct path path = place_path(place);
    return odds_of(p, &path, LEVEL_COUNTRY - level + 1, peers_place_kinds(level), org);
}

struct odds peers_client_odds(const struct peers *p, const struct client *client, enum client_level level, uint32_t org)
{
    struct path path = client_path(client);
    return odds_of(p, &path, CLIENT_FAMILY - level + 1, peers_client_kinds(level), org);
}
