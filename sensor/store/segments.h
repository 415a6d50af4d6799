/* SPDX-License-Identifier: Apache-2.0
 * The files of a log directory. A segment is activities-DAY-NUMBER.ndjson while it is written and .ndjson.zst once it is closed,
 * with a .chain beside it; the day is that of packet time, the number counts all segments there ever were. */
#ifndef STORE_SEGMENTS_H
#define STORE_SEGMENTS_H

#include "base/text.h"

struct segment {
    uint64_t number; /* from 1 */
    uint32_t day;    /* 20260320 */
    bool is_packed;
};

struct segments {
    struct segment *at; /* by number */
    size_t n;
};

#define SEGMENT_PLAIN ".ndjson"
#define SEGMENT_PACKED ".ndjson.zst"
#define SEGMENT_CHAIN ".chain"

/* 20260320 of a packet time. */
uint32_t segment_day(uint64_t ns);
/* Days since 1970 of such a number, for counting. */
uint32_t segment_days(uint32_t day);
/* "DIR/activities-20260320-00000017" and the suffix, in place of what stood in 'out'. */
void segment_path(const char *dir, const struct segment *s, const char *suffix, struct text *out);
/* Which segments there are; one that is there plain and packed counts as packed. E_IO with "DIR: reason", E_NOMEM. */
int segments_list(const char *dir, struct segments *out, struct text *why);
/* Appends one; E_NOMEM without memory, or when there are too many. */
int segments_add(struct segments *list, const struct segment *s);
void segments_free(struct segments *s);
/* Whether a directory holds any. False also when it cannot be read. */
bool segments_are_in(const char *dir);

#endif
