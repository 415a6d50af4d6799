/* SPDX-License-Identifier: Apache-2.0
 * The content of one file as it streams by: its format by the first bytes, secrets in its text or in the texts of an archive
 * (one level deep), its hash where that is asked for. Nothing of it is kept. */
#ifndef APP_FILE_CONTENT_H
#define APP_FILE_CONTENT_H

#include "base/counter.h"
#include "base/digest.h"
#include "wire/magic.h"
#include "wire/secret_scan.h"
#include "wire/zip_walk.h"

#define FILE_SCAN_BUDGET (16u * 1024 * 1024) /* bytes of one file that are looked through, unless set otherwise */

struct file_reader; /* what the files of one worker share: decoders, limits, counters */

/* 'budget': bytes of text looked through for each file; 0 = none. 'has_hash': SHA-256 of every file. 'max_archives': read at
 * the same time. NULL when memory cannot be reserved. */
struct file_reader *file_reader_new(uint64_t budget, bool has_hash, uint32_t max_archives);
void file_reader_free(struct file_reader *r);
struct counters file_reader_counters(const struct file_reader *r);

struct file_content { /* opaque; about 12 KiB of the caller's. Holds secrets until file_content_end */
    struct file_reader *reader;
    uint64_t left;         /* of the budget */
    uint64_t size, now_s;
    uint8_t state, member; /* of the file, of the archive's member in progress */
    uint8_t type;          /* enum file_type */
    bool has_gap, has_scan, is_cut;
    uint16_t head_size, member_size;
    struct coding *gzip;
    struct zip_walk zip;
    struct digest digest;
    uint8_t head[MAGIC_PREFIX], member_head[MAGIC_PREFIX];
    struct secret_scan scan;
};

/* 'now_s': packet time: what expired before is told as expired. */
void file_content_begin(struct file_content *c, struct file_reader *reader, uint64_t now_s);
void file_content_feed(struct file_content *c, struct span bytes);
/* Bytes are missing here. */
void file_content_gap(struct file_content *c);
/* Nothing more has to be fed: what comes changes nothing. */
bool file_content_is_done(const struct file_content *c);
/* What was seen; file_class is left to the caller, who knows the name. 'is_whole': the file came to its end, and its
 * beginning was its beginning. Wipes what the scan held; to be called once. */
void file_content_end(struct file_content *c, bool is_whole, struct file_facts *out);

#endif
