/* SPDX-License-Identifier: Apache-2.0
 * Which places are usual for several credentials: the office, the common provider, the countries staff live in. What
 * many use says little about one. */
#ifndef DETECT_PEERS_H
#define DETECT_PEERS_H

#include "store/baseline.h"

struct peers;

enum place_level { LEVEL_KNOWN, LEVEL_PREFIX, LEVEL_NETWORK, LEVEL_COUNTRY };

/* NULL when memory cannot be reserved. */
struct peers *peers_new(uint32_t max_places);
void peers_free(struct peers *p);
/* A place has become usual for a credential (its name's hash). */
void peers_add(struct peers *p, const struct place *place, uint64_t credential);
/* How many others use the same prefix, network or country; told up to 4. */
unsigned peers_count(const struct peers *p, const struct place *place, enum place_level level, uint64_t credential);

#endif
