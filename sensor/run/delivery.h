/* SPDX-License-Identifier: Apache-2.0
 * Brings every line of the alert log to every sink, at least once, in order, each under the id it has. The log is the
 * spool: each sink has a position of its own in it, which outlives the process. Works in a thread of its own, or in the
 * caller's. */
#ifndef RUN_DELIVERY_H
#define RUN_DELIVERY_H

#include "base/counter.h"
#include "sink/config.h"

struct delivery;

struct delivery_options {
    const struct sink_configs *sinks; /* borrowed, with their secrets */
    const char *dir;                  /* with alerts.ndjson; positions stand there as NAME.sink */
    bool keeps_position;              /* else it begins at the first line and leaves nothing behind */
};

/* E_CONF, E_IO, E_NOMEM with a line in why. */
int delivery_new(const struct delivery_options *o, struct delivery **out, struct text *why);
/* A thread delivers from here on, until delivery_stop. */
int delivery_start(struct delivery *d);
/* Lines were added to the log, which are in the file. From any thread; never blocks. */
void delivery_wake(struct delivery *d);
/* The alert log and files of sinks may have been renamed: opens them anew. From any thread or signal handler. */
void delivery_reopen(struct delivery *d);
/* Delivers what is there, for at most so many milliseconds; with or without a thread, which ends. True: all has
 * arrived. */
bool delivery_stop(struct delivery *d, uint32_t ms);
/* After delivery_stop: a line of each sink: what arrived and what did not, and why. */
void delivery_tell(const struct delivery *d, struct text *out);
void delivery_free(struct delivery *d); /* NULL does nothing */
/* Of all sinks together. */
struct counters delivery_counters(const struct delivery *d);

#endif
