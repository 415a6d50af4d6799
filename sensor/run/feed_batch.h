/* SPDX-License-Identifier: Apache-2.0
 * What one entry of a stream between sensors and analysers holds: candidates, each with the sensor it is of and its number there
 * (from 1, without a gap), and how far packet time has come. In a sensor's own stream all are of that sensor; in the one the leader
 * writes they are in the order in which every analyser applies them. */
#ifndef RUN_FEED_BATCH_H
#define RUN_FEED_BATCH_H

#include "base/text.h"
#include "record/activity_pack.h"

#define FEED_VERSION 1
#define FEED_BATCH_ITEMS 64
#define FEED_BATCH_BYTES 98304u /* a batch is full with fewer bytes than this and one candidate more */
#define FEED_BATCH_MAX (FEED_BATCH_BYTES + ACTIVITY_PACK_MAX + 512u)
#define FEED_NAME_MAX 63
#define FEED_BATCH_END 0x01u /* the sensor has ended: nothing of it is waited for; of the leader's: all sensors have */

struct feed_item {
    struct span sensor, packed; /* borrowed from the batch */
    uint64_t number;
};

/* One being written. Zeroed at first. */
struct feed_build {
    struct text body, out;
    char sensor[FEED_NAME_MAX + 1];
    uint64_t next; /* number that need not be written */
    uint32_t n;
};

/* A name of a sensor or analyser: 1 to 63 of A-Z a-z 0-9 . _ - */
bool feed_name_is_good(const char *name);
void feed_build_add(struct feed_build *b, const struct feed_item *item);
bool feed_build_is_full(const struct feed_build *b);
/* The entry, borrowed until the next call; begins the next one. */
struct span feed_build_end(struct feed_build *b, uint64_t now_ns, uint32_t flags);
void feed_build_fini(struct feed_build *b);

/* One being read. */
struct feed_batch {
    uint64_t now_ns;
    uint32_t flags, n;
    struct reader r;
    struct span sensor;
    uint64_t next;
};
/* Checks all of it: E_STATE for another version, E_BAD for what was cut or changed, with a reason. */
int feed_batch_read(struct span entry, struct feed_batch *b, struct text *why);
/* The same without the checksum that stands at its end, for fuzzing. */
int feed_batch_body(struct span body, struct feed_batch *b, struct text *why);
/* The next candidate; false at the end. */
bool feed_batch_next(struct feed_batch *b, struct feed_item *item);

/* An entry as a line of a log, and back: {"casetap":{"feed":"BASE64"}}. */
void feed_line(struct span entry, struct text *out);
/* Bytes written to 'out' (of FEED_BATCH_MAX), borrowed; empty for a line that is none. */
struct span feed_line_read(struct span line, uint8_t *out);

#endif
