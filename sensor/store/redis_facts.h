/* SPDX-License-Identifier: Apache-2.0
 * What a Redis says about itself (INFO), as far as it decides whether baselines may be kept there. */
#ifndef STORE_REDIS_FACTS_H
#define STORE_REDIS_FACTS_H

#include "base/text.h"

#define REDIS_OLDEST_MAJOR 6

struct redis_facts {
    unsigned major, minor;   /* redis_version; Valkey states the Redis version it is compatible with */
    bool is_loading;         /* still reads its data from disk */
    bool is_read_only;       /* a replica that takes no writes */
    char policy[32];         /* maxmemory_policy */
    uint64_t maxmemory;      /* bytes; 0 = no limit */
    char run_id[41];         /* changes with every start of the server */
};

/* Reads the answer to INFO; E_BAD when it holds no redis_version. */
int redis_facts_parse(struct span info, struct redis_facts *out);
/* E_OK, or E_IO and in why why baselines cannot be kept there (too old, read-only, loading). */
int redis_facts_judge(const struct redis_facts *facts, struct text *why);
/* It may throw baselines away when memory runs short: a policy other than noeviction. */
bool redis_facts_may_evict(const struct redis_facts *facts);

#endif
