/* SPDX-License-Identifier: Apache-2.0
 * What an analyser's end of the feed is made of. For feed_in.c and feed_lead.c only. */
#ifndef RUN_FEED_PARTS_H
#define RUN_FEED_PARTS_H

#include "run/feed_in.h"
#include "run/feed_link.h"
#include "run/merge.h"
#include "store/log_reader.h"

#define FEED_SENSORS_MAX 256
#define ORDER_ON_THEIR_WAY 32u

enum {
    FEED_ENTRIES, FEED_CANDIDATES, FEED_LATE, FEED_REFUSED, FEED_MISSING, FEED_DOUBLE, FEED_AWAY, FEED_LEADS, FEED_FENCED_OUT,
    FEED_RESTORED, FEED_COUNTERS
};

struct feed_sensor {
    char name[FEED_NAME_MAX + 1];
    uint64_t applied, durable, told; /* numbers: applied; of these on the disk; written to Redis as taken */
    /* of the leader */
    uint64_t read;                   /* number of the last candidate that was read */
    uint64_t at, sub, told_sub, bad; /* id up to which the stream was read, the mark it is trimmed to, an entry that was refused */
    uint64_t now_ns, heard_ms, gap_ms;
    bool is_listed, is_live, is_ended, is_away, is_asked;
    struct feed_in *owner;
};

struct feed_in {
    struct feed_in_options o;
    const char *name; /* borrowed */
    struct loop *loop;
    struct feed_link *link;
    uint64_t position, durable; /* entries of the order: applied, and of these on the disk */
    bool is_reading, is_over;
    struct text trouble;
    /* the lease */
    uint64_t epoch, seen_epoch, asked_ms, lease_ms, up_ms, told_ms, alone_ms;
    bool is_asking, is_leader;
    char holder[FEED_NAME_MAX + 24]; /* "NAME EPOCH" */
    /* of the leader (feed_lead.c) */
    struct merge *merge;
    struct feed_sensor *sensors;
    int n;
    bool is_ready;     /* caught up: may merge */
    bool has_listed;   /* knows which sensors there are */
    bool is_end_told;
    uint64_t asked_streams_ms, trimmed_ms;
    uint64_t sent;     /* number of the last entry sent */
    uint32_t on_their_way;
    uint64_t last_now_s;
    struct feed_build build;
    struct text value;
    struct log_reader *restore; /* entries Redis has lost, from the journal */
    uint64_t restore_from, restore_at;
    uint8_t entry[FEED_BATCH_MAX];
    uint64_t counts[FEED_COUNTERS];
};

/* The sensor of that name, made when there is none; NULL when there are too many. */
struct feed_sensor *feed_sensor_of(struct feed_in *f, struct span name);
/* It leads from now on; Redis has the order up to 'last', somebody else may need what stands behind 'least'. */
void feed_lead_begin(struct feed_in *f, uint64_t last, uint64_t least);
/* What is not acknowledged is forgotten: the order says what of it is true. */
void feed_lead_reset(struct feed_in *f);
void feed_lead_turn(struct feed_in *f);

#endif
