/* SPDX-License-Identifier: Apache-2.0
 * One connection to a Redis (6 or newer, Valkey) on an event loop: commands in, answers by callback, in order; signs
 * in, reconnects with growing pauses, never waits for ever. The only user of hiredis. Everything happens in turns of
 * the loop: nothing here blocks, but for the resolution of a host that is given by name. */
#ifndef IO_REDIS_LINK_H
#define IO_REDIS_LINK_H

#include "base/counter.h"
#include "base/text.h"
#include "io/loop.h"

struct redis_link;
struct redis_reply; /* borrowed during the callback that hands it out */

enum reply_kind { REPLY_NIL, REPLY_TEXT, REPLY_ERROR, REPLY_NUMBER, REPLY_LIST };

/* 'reply' is NULL when the connection went before the answer came: the command may or may not have been done. */
typedef void redis_link_done_fn(void *ctx, const struct redis_reply *reply);

struct redis_link_options {
    const char *url;      /* redis://[[user]:password@]host[:port][/db] or unix://[[user]:password@]/path[?db=n];
                           * user, password and path may hold %XX */
    int connect_ms;       /* deadline of connecting and signing in; 0 = 2000 */
    int answer_ms;        /* the oldest command waits so long, then the connection is given up; 0 = 5000 */
    uint32_t max_waiting; /* commands on their way; 0 = 512 */
    void (*on_up)(void *ctx);   /* connected and signed in, at first and again; commands may be sent */
    void (*on_down)(void *ctx); /* was up and is no more; every waiting command has been or will be told NULL */
    void *ctx;
};

/* Begins to connect (the first attempt is under way or has failed when this returns). E_CONF for a URL that is none,
 * with the reason in why (never the password); E_NOMEM. The loop is borrowed and outlives the link. */
int redis_link_new(struct loop *loop, const struct redis_link_options *options, struct redis_link **out,
                   struct text *why);
/* Waiting commands are told NULL first. on_down is not called. NULL does nothing. Not from inside a callback. */
void redis_link_free(struct redis_link *link);

bool redis_link_is_up(const struct redis_link *link);
/* An attempt to connect is under way. */
bool redis_link_is_connecting(const struct redis_link *link);
/* Why it is not up: the last failure, one line without the password; "" when there was none. */
const char *redis_link_reason(const struct redis_link *link);
/* Where it leads, without user and password: "unix:///run/redis.sock", "redis://10.0.0.5:6379/0". */
const char *redis_link_where(const struct redis_link *link);

/* Sends one command of n (1-1023) words, copied. 'done' (or NULL) is called exactly once if this returns 0. E_STATE
 * when the link is not up, E_LIMIT when max_waiting are on their way. */
int redis_link_send(struct redis_link *link, const struct span *words, unsigned n, redis_link_done_fn *done, void *ctx);
/* Commands that may be sent before E_LIMIT; 0 when not up. */
uint32_t redis_link_room(const struct redis_link *link);
/* Commands without their answer. */
uint32_t redis_link_waiting(const struct redis_link *link);

/* Gives the connection up for 'reason': waiting commands are told NULL, connects again after a pause. */
void redis_link_drop(struct redis_link *link, const char *reason);
/* Connects now if it is in a pause. */
void redis_link_retry(struct redis_link *link);

struct counters redis_link_counters(const struct redis_link *link);

enum reply_kind reply_kind(const struct redis_reply *reply);
struct span reply_text(const struct redis_reply *reply); /* REPLY_TEXT, REPLY_ERROR; else empty */
int64_t reply_number(const struct redis_reply *reply);   /* REPLY_NUMBER; else 0 */
size_t reply_size(const struct redis_reply *reply);      /* REPLY_LIST; else 0 */
const struct redis_reply *reply_item(const struct redis_reply *reply, size_t index); /* index < reply_size */

#endif
