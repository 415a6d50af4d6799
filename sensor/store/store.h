/* SPDX-License-Identifier: Apache-2.0
 * Baselines by credential name: in memory (with a snapshot file, if asked) or in Redis behind a memory front. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/counter.h"
#include "store/baseline.h"

struct store;

struct store_ops {
    /* Finds or makes; *is_new when the credential was never seen. Borrowed until the next fetch. Never NULL. Redis: the
     * first fetch of a credential waits for the answer, up to the deadline; on loss it goes on from memory. */
    struct baseline *(*fetch)(struct store *s, struct span credential, bool *is_new);
    /* The baseline fetched last was changed: keep it. */
    void (*put)(struct store *s, struct baseline *b);
    /* Packet time has come to now_ns: flush what waits (Redis), give libevent its turn. */
    void (*tick)(struct store *s, uint64_t now_ns);
    /* Everything is written, or E_IO and a line in why. */
    int (*sync)(struct store *s, struct text *why);
    struct counters (*counters)(const struct store *s);
    void (*free)(struct store *s);
};

struct store {
    const struct store_ops *ops; /* implementations embed this struct as their first member */
};

/* In memory, at most max_credentials (the least recently used goes, counted). 'path' (or NULL) is loaded now when it
 * exists and written by sync, whole or not at all. E_BAD for a file that is no state of ours, naming line and reason. */
int store_mem_open(struct store **out, const char *path, uint32_t max_credentials, struct text *why);

struct store_redis_options {
    const char *url;      /* redis://[user:password@]host[:port][/db] or unix:///path[?db=n] */
    const char *prefix;   /* of every key; NULL = "casetap" */
    int connect_ms, wait_ms; /* deadlines; 0 = 2000, 500 */
    uint32_t max_credentials;
};
/* E_IO when Redis is absent or refuses (wrong password, no permission, too old), with the reason. */
int store_redis_open(struct store **out, const struct store_redis_options *options, struct text *why);

/* Calls fn for every credential held in memory, by name in byte order. */
typedef void store_each_fn(void *ctx, const struct baseline *b);
void store_mem_each(struct store *s, store_each_fn *fn, void *ctx);

#endif
