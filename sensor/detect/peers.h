/* SPDX-License-Identifier: Apache-2.0
 * How many credentials use a place or a client: of everybody, and of one's own organisation. What many use says little about
 * one; of what nobody uses, the number of different values seen tells how likely another one is (Witten and Bell 1991). */
#ifndef DETECT_PEERS_H
#define DETECT_PEERS_H

#include "store/baseline.h"

struct peers;

enum place_level { LEVEL_KNOWN, LEVEL_PREFIX, LEVEL_NETWORK, LEVEL_COUNTRY };
enum client_level { CLIENT_KNOWN, CLIENT_AGENT, CLIENT_FAMILY };

/* NULL when memory cannot be reserved. */
struct peers *peers_new(uint32_t max_values);
void peers_free(struct peers *p);
/* One of b's places or clients (by its index) has become usual for it, of which it did not count as a user before. */
void peers_add_place(struct peers *p, const struct baseline *b, const struct place *place);
void peers_add_client(struct peers *p, const struct baseline *b, const struct client *client);
/* How many credentials use the same prefix, network or country. */
unsigned peers_count(const struct peers *p, const struct place *place, enum place_level level);

/* P(value | its parent) among everybody, and among the organisation with everybody as its prior. */
struct odds {
    double fleet, org;
};
struct odds peers_place_odds(const struct peers *p, const struct place *place, enum place_level level, uint32_t org);
struct odds peers_client_odds(const struct peers *p, const struct client *client, enum client_level level, uint32_t org);
/* How many values there may be on a level, for who comes from anywhere. */
double peers_place_kinds(enum place_level level);
double peers_client_kinds(enum client_level level);

#endif
