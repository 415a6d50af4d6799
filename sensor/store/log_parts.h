/* SPDX-License-Identifier: Apache-2.0
 * What a log writer is made of. For log_writer.c, log_repair.c and log_room.c only. */
#ifndef STORE_LOG_PARTS_H
#define STORE_LOG_PARTS_H

#include "store/log_chain.h"
#include "store/log_writer.h"
#include "store/segments.h"
#include "store/zstd_stream.h"

enum {
    LOG_APPENDED, LOG_BYTES, LOG_CLOSED, LOG_PACKED, LOG_AGED, LOG_MADE_ROOM, LOG_HELD, LOG_TORN, LOG_MISSING, LOG_REFUSED, LOG_LOST,
    LOG_COUNTERS
};

struct log_writer {
    char *dir;
    struct log_options options;
    int lock;
    struct segments list; /* without the open one */
    struct segment at;    /* the open one; number 0: none */
    int fd, chain_fd;     /* of the open one; -1 */
    struct chain chain;   /* with what is in the buffer */
    struct chain written; /* without */
    uint64_t next;        /* sequence number of the next record */
    uint64_t size;        /* bytes of the open segment, with what is in the buffer */
    uint32_t today;       /* the latest day of packet time */
    struct text buffer;   /* what the kernel has not taken yet begins at 'given' */
    size_t given;
    bool is_dirty;        /* something was written since the last sync */
    bool is_told;         /* that the disk takes nothing */
    struct text path, line, trouble;
    struct zstd_packer *packer; /* one at work */
    struct segment packing;
    int from, to;
    uint64_t counts[LOG_COUNTERS];
};

/* Reads what is there, closes what a crash left. Errors as of log_writer_open. */
int log_repair(struct log_writer *w, struct text *why);
/* Writes the .chain of a segment anew, whole or not at all. */
int log_write_chain(struct log_writer *w, const struct segment *s, const struct chain_file *f, struct text *why);
/* Takes the oldest closed segment away; false when there is none or it must be kept. */
bool log_remove_oldest(struct log_writer *w, int why_counter);
/* Those that are too old. */
void log_retain(struct log_writer *w);

#endif
