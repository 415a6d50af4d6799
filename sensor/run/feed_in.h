/* SPDX-License-Identifier: Apache-2.0
 * An analyser's end of the feed. Every analyser applies the entries of one stream, the order, from its first to its last; whoever
 * holds the lease, the leader, makes them: it reads the sensors' streams, merges them by packet time behind their watermarks
 * (run/merge.h) and appends what comes out. So all analysers have the same state at the same entry, also where a sensor was late, away
 * or new. Each write of the leader goes through a script in Redis that looks whether the lease is still its own. */
#ifndef RUN_FEED_IN_H
#define RUN_FEED_IN_H

#include "base/counter.h"
#include "io/loop.h"
#include "run/feed_batch.h"
#include "run/settings.h"

struct feed_in;
struct redis_reply;

struct feed_in_options {
    const struct settings *settings; /* borrowed */
    const char *journal;             /* directory of the entries that were applied here, as lines; borrowed */
    void *ctx;
    /* The next entry of the order: to be written to the journal and applied. It was checked as a whole. */
    void (*on_entry)(void *ctx, struct span entry);
    /* The lease came, or went. */
    void (*on_lead)(void *ctx, bool is_leader);
    /* It cannot go on: why was told. */
    void (*on_end)(void *ctx, int code);
};

/* E_USAGE, E_CONF, E_BAD, E_NOMEM with a line in why. */
int feed_in_open(struct feed_in **out, struct loop *loop, const struct feed_in_options *o, struct text *why);
/* An entry was applied, while the journal is read at the start or out of on_entry: the numbers of its candidates are known as had. */
void feed_in_applied(struct feed_in *f, struct span entry);
/* All entries applied so far are on the disk. */
void feed_in_durable(struct feed_in *f);
/* Some hundred times a second. */
void feed_in_turn(struct feed_in *f);
uint64_t feed_in_position(const struct feed_in *f);
bool feed_in_leads(const struct feed_in *f);
/* Why it could not go on. */
const char *feed_in_trouble(const struct feed_in *f);
/* One command on one key, done only if the lease is ours: words[0] is the command, words[1] the key, at most FEED_FENCED_WORDS. Of
 * "HASH" the hash is replaced as a whole by the fields and values that follow. False when it was not sent. */
#define FEED_FENCED_WORDS 150
typedef void feed_fenced_fn(void *ctx, const struct redis_reply *reply);
bool feed_in_fenced(struct feed_in *f, const struct span *words, unsigned n, feed_fenced_fn *done, void *ctx);
/* A command that only reads. */
bool feed_in_ask(struct feed_in *f, const struct span *words, unsigned n, feed_fenced_fn *done, void *ctx);
/* Commands that may be sent now. */
uint32_t feed_in_room(const struct feed_in *f);
/* Where the leader keeps how far each sink is; borrowed until the next call of anything here. */
const char *feed_in_sinks_key(struct feed_in *f);
/* Gives the lease back, and waits for that at most 'ms'. The loop is not running. */
void feed_in_end(struct feed_in *f, uint32_t ms);
void feed_in_tell(const struct feed_in *f, struct text *out);
struct counters feed_in_counters(const struct feed_in *f);
void feed_in_free(struct feed_in *f);

#endif
