/* SPDX-License-Identifier: Apache-2.0
 * The hash chain over an activity log. Each record's digest is the SHA-256 of its line (without the newline); the head after it is
 * the SHA-256 of the head before it and that digest; a segment begins with the head its predecessor ended with. A record that was
 * erased leaves a line {"casetap":{"redacted":"<digest>"}} and its digest holds. The .chain file beside a segment has
 *
 *     casetap chain 1 schema 2 segment 17 first 123456 previous <head>
 *     at 256 <head>
 *     end 700 <head>
 *
 * where "at" are heads at moments that were on disk, and "end" the one of a closed segment. */
#ifndef STORE_LOG_CHAIN_H
#define STORE_LOG_CHAIN_H

#include "base/digest.h"
#include "base/text.h"

#define CHAIN_VERSION 1
#define CHAIN_SCHEMA 2 /* of the activities: what a writer of today writes */

struct chain {
    uint8_t head[DIGEST_SIZE];
    uint64_t n; /* records of the segment so far */
};

/* Whether the line is what an erased record left, and its digest. */
bool chain_redacted(struct span line, uint8_t digest[DIGEST_SIZE]);
/* A record more; 'line' with or without its newline. */
void chain_add(struct chain *c, struct span line);

struct chain_file {
    uint64_t segment, first; /* number; sequence number of its first record, from 1 */
    unsigned schema;
    uint8_t previous[DIGEST_SIZE];
    struct chain end;  /* of a closed segment */
    bool is_closed;
    struct chain *marks; /* the "at" lines */
    size_t n_marks;
};

/* E_NONE when there is none, E_IO, E_BAD with "FILE:LINE: ..." when it is none; E_STATE for a version or schema that is not known. */
int chain_file_read(const char *path, struct chain_file *out, struct text *why);
void chain_file_free(struct chain_file *f);
/* The lines, into 'out'. */
void chain_file_head(const struct chain_file *f, struct text *out);
void chain_file_line(const char *word, const struct chain *c, struct text *out); /* "at", "end" */

#endif
