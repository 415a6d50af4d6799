/* SPDX-License-Identifier: Apache-2.0
 * Transfers: the pieces of one object that one credential fetches are tied together, over requests, connections and
 * time. A download that was broken off and resumed, or fetched in parallel pieces, is one transfer; the same object
 * fetched by two people is two. Each request stays an activity of its own. One for all workers, on the analysis side:
 * it sees activities in their total order, so the number of workers changes nothing. */
#ifndef APP_TRANSFER_H
#define APP_TRANSFER_H

#include "base/counter.h"
#include "record/activity.h"

struct transfers;

/* At most 'max' transfers are remembered (the least recently used makes room, counted). NULL without memory. */
struct transfers *transfers_new(uint32_t max);
void transfers_free(struct transfers *t);

/* Reads what the candidate's facts say of the pieces in a multipart body. Call before memory_settle takes the facts
 * out. */
void transfers_read(struct transfers *t, const struct activity *candidate);

/* Sets transfer_id and what has come of the object so far, as of this record, and clears what only candidates have of
 * it (resource, validator, total). Call once for each settled activity, in their order, when user.name is final.
 *
 * A transfer is known by the credential's name ("session:..." while it has none; without any credential the client's
 * address and User-Agent), the resource (host, path, arguments), and
 *   1. the validator (ETag, else Last-Modified), or
 *   2. to GET: the application's own id of the object, or
 *   3. to GET: the size of the whole, when the answer's head tells it;
 * with 1 and 2, answers that differ in the size of the whole are different objects as well. A request that shows none of
 * these is a transfer of its own. What a session got while it had no name goes on, under the same id, when it has one.
 *
 * transfer_id only, without bytes: it is not known which part of the object the body was. No transfer at all: the
 * record is about no file, or completes one that was forgotten for room. */
void transfers_settle(struct transfers *t, struct activity *a);
struct counters transfers_counters(const struct transfers *t);

#endif
