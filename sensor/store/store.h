/* SPDX-License-Identifier: Apache-2.0
 * Baselines by credential name: in memory (with a snapshot file, if asked) or in Redis behind a memory front. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/counter.h"
#include "base/text.h"
#include "store/baseline.h"

struct store;

struct store_ops {
    /* Finds or makes; *is_new when the credential was never seen. Borrowed until the next fetch. Never NULL. Redis: the
     * first fetch of a credential waits for the answer, up to the deadline; on loss it goes on from memory
     * (is_unsure). */
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
    /* The credential fetched last could not be asked for (Redis is away): its baseline holds only what was learned
     * since, and *is_new was false because nobody knows. What is learned is added to the stored baseline when Redis
     * is back. */
    bool is_unsure;
};

/* In memory, at most max_credentials (the least recently used goes, counted). 'path' (or NULL) is loaded now when it
 * exists and written by sync, whole or not at all. E_BAD for a file that is no state of ours, naming line and reason;
 * E_IO when it cannot be read, or will not be writable. */
int store_mem_open(struct store **out, const char *path, uint32_t max_credentials, struct text *why);

/* Calls fn for every credential held in memory, by name in byte order. */
typedef void store_each_fn(void *ctx, const struct baseline *b);
void store_mem_each(struct store *s, store_each_fn *fn, void *ctx);

/* Another module's part of the state file. */
struct store_section {
    const char *name; /* one word, not "baselines"; borrowed for the life of the store */
    /* Hands each line (no newline, at most 8000 bytes) to line(line_ctx, text), in a fixed order. */
    void (*save)(void *ctx, void (*line)(void *line_ctx, const char *text), void *line_ctx);
    /* Takes one line back; E_OK or an error (E_BAD). */
    int (*load)(void *ctx, const char *line);
    void *ctx;
};
/* Loads the section now if the file had it, and saves it with every sync. Sections nobody asks for are kept as they
 * are. E_BAD for a line that load refuses, with "file:line: ..." in why; E_LIMIT for the ninth. */
int store_mem_section(struct store *s, const struct store_section *section, struct text *why);

struct store_redis_options {
    const char *url;         /* redis://[[user]:password@]host[:port][/db] or unix://[[user]:password@]/path[?db=n] */
    const char *prefix;      /* of every key; NULL = "casetap" */
    int connect_ms, wait_ms; /* deadlines; 0 = 2000, 500 */
    int sync_ms;             /* sync gives up when nothing was written for so long; 0 = 5000 */
    uint32_t max_credentials;
};
/* E_IO when Redis is absent or refuses (no such socket, connection refused, wrong password, no permission, loading,
 * older than 6); E_CONF for a URL or prefix that is none; E_BAD when what is stored was written by a newer casetap. The
 * reason is in why, one line. */
int store_redis_open(struct store **out, const struct store_redis_options *options, struct text *why);

#endif
