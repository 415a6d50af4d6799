/* SPDX-License-Identifier: Apache-2.0
 * The sensor's end of the feed: each candidate goes into a log of the sensor's own first, then from there to its stream in Redis. When
 * Redis is away, or no analyser takes what is there, the log is the buffer; what the stream has already is not added again. */
#ifndef RUN_FEED_OUT_H
#define RUN_FEED_OUT_H

#include "base/counter.h"
#include "record/activity.h"
#include "run/settings.h"

struct feed_out;

/* Needs --redis, --name and --log. E_USAGE, E_CONF, E_IO, E_BAD, E_STATE (the stream is ahead of the log: another sensor has this
 * name, or the log was lost), E_NOMEM with a line in why. */
int feed_out_open(struct feed_out **out, const struct settings *s, struct text *why);
/* In the order in which the packet half tells them. */
void feed_out_candidate(struct feed_out *f, const struct activity *candidate);
/* Some times a second, and often when there is much: what came so far is complete up to now_ns of packet time. Writes, has it on the
 * disk, sends; waits for the disk alone. */
void feed_out_turn(struct feed_out *f, uint64_t now_ns);
/* Whether more waits for the stream than may wait in memory: then the caller of feed_out_turn should not hurry. */
uint64_t feed_out_waiting(const struct feed_out *f);
/* The sensor ends: says so in the stream, and waits at most 'ms' for it to have everything; what it has not got it gets after the
 * next start. E_IO with a line in why when the log has not everything. */
int feed_out_end(struct feed_out *f, uint64_t now_ns, uint32_t ms, struct text *why);
/* Lines for the summary. */
void feed_out_tell(const struct feed_out *f, struct text *out);
struct counters feed_out_counters(const struct feed_out *f);
void feed_out_free(struct feed_out *f);

#endif
