/* SPDX-License-Identifier: Apache-2.0
 * The Redis between sensors and analysers: connects and checks again whenever it was away, and says that once; keys of the feed;
 * commands in words. */
#ifndef RUN_FEED_LINK_H
#define RUN_FEED_LINK_H

#include "io/redis_link.h"
#include "store/store_keys.h"

#define FEED_WORDS_MAX 160

struct feed_link;

struct feed_link_options {
    const char *url; /* borrowed */
    void (*on_up)(void *ctx); /* usable from now on, at first and each time again: what it holds may be other than before */
    void *ctx;
};

/* Not being reachable is no error: it is tried again. E_CONF, E_BAD (newer schema, foreign key), E_NOMEM with a line in why. The loop
 * is borrowed. */
int feed_link_open(struct feed_link **out, struct loop *loop, const struct feed_link_options *o, struct text *why);
void feed_link_free(struct feed_link *l);
/* Some times a second. */
void feed_link_turn(struct feed_link *l);
bool feed_link_is_up(const struct feed_link *l);
/* Up, and it has not just refused a command. */
bool feed_link_takes(const struct feed_link *l);
/* Commands that may be sent now. */
uint32_t feed_link_room(const struct feed_link *l);
/* It refused: nothing is sent for a while, told once. */
void feed_link_refused(struct feed_link *l, const struct redis_reply *error);
/* It took something. */
void feed_link_worked(struct feed_link *l);
/* A key of the feed, borrowed until the next call of this. */
const char *feed_link_key(struct feed_link *l, enum feed_key key, const char *name);
/* False when it was not sent: then 'done' is not called. */
bool feed_link_send(struct feed_link *l, const struct span *words, unsigned n, redis_link_done_fn *done, void *ctx);
/* Stream id "NUMBER-SUB" as text into 'out', and back; false when it is none. */
#define FEED_ID_MAX 48
void feed_id_text(uint64_t number, uint64_t sub, char out[FEED_ID_MAX]);
bool feed_id_read(struct span text, uint64_t *number, uint64_t *sub);
/* The last id a stream has had, from the answer to XINFO STREAM; zeros when there is no stream. */
void feed_last_id(const struct redis_reply *reply, uint64_t *number, uint64_t *sub);

#endif
