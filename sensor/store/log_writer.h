/* SPDX-License-Identifier: Apache-2.0
 * The activity log that is written ahead: records are appended before they are applied. One directory of segments (segments.h), each
 * with its hash chain; a new one begins with each day of packet time and each 64 MiB, the one before is packed. What the disk does
 * not take now is kept, in its order, and written later. A file called "hold" in the directory keeps every segment. */
#ifndef STORE_LOG_WRITER_H
#define STORE_LOG_WRITER_H

#include "base/counter.h"
#include "base/text.h"

struct log_writer;

struct log_options {
    const char *dir;        /* is made if its parent exists */
    uint64_t segment_bytes; /* 0: 64 MiB */
    uint64_t backlog_bytes; /* what may wait for the disk; 0: 64 MiB */
    uint32_t keep_days;     /* of packet time; 0: for ever */
};

/* Closes what a crash left open: a torn last line is cut off, the segment gets the end of its chain and is packed later. E_IO with a
 * line in why, also when another process writes there; E_STATE for a chain of another version; E_NOMEM. */
int log_writer_open(struct log_writer **out, const struct log_options *options, struct text *why);
/* One record, with its newline, that was done at 'ns'. Its sequence number, from 1 on and never given twice; 0 when it is lost
 * (counted) because the disk takes nothing and the backlog is full. */
uint64_t log_writer_append(struct log_writer *w, struct span line, uint64_t ns);
/* Gives what was appended to the kernel, so that it outlives this process; false when not all of it went. */
bool log_writer_flush(struct log_writer *w);
/* The same, and has it on the disk, so that it outlives a power cut; then marks the chain. */
bool log_writer_sync(struct log_writer *w);
/* Packs a piece of what is closed, for some milliseconds; false when nothing is left. */
bool log_writer_turn(struct log_writer *w);
/* Sequence number of the last record there is. */
uint64_t log_writer_position(const struct log_writer *w);
const char *log_writer_dir(const struct log_writer *w);
struct counters log_writer_counters(const struct log_writer *w);
/* What a person should know of it, or "". Borrowed. */
const char *log_writer_trouble(const struct log_writer *w);
/* Ends the chain, packs everything, frees. E_IO with a line in why when records were lost. */
int log_writer_close(struct log_writer *w, struct text *why);
/* Frees without ending anything: what was flushed stays, as after a crash. */
void log_writer_drop(struct log_writer *w);

#endif
