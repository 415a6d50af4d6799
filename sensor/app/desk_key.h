/* SPDX-License-Identifier: Apache-2.0
 * The key of what a desk gives an id: a case, a file, a domain of requestors, a session. Ids mean something only within
 * their application and host. */
#ifndef APP_DESK_KEY_H
#define APP_DESK_KEY_H

#include "record/activity.h"

struct desk_key {
    uint8_t hash[16];
};

/* Of 'id' at the application and host of 'a'; 'kind' keeps ids of different things apart. Of each text the first 300 bytes
 * count. */
struct desk_key desk_key_of(const struct activity *a, char kind, struct span id);
/* Whether it is the zeroed one, which stands for none. */
bool desk_key_is_zero(const struct desk_key *key);

#endif
