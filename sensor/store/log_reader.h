/* SPDX-License-Identifier: Apache-2.0
 * An activity log read as one run of lines: a directory of segments, plain and packed, in their order; or one file, plain or packed. */
#ifndef STORE_LOG_READER_H
#define STORE_LOG_READER_H

#include "base/text.h"
#include "store/segments.h"

#include <sys/types.h>

struct log_reader;

/* E_IO with "PATH: reason"; E_NONE with a line when a directory holds no log; E_NOMEM. */
int log_reader_open(struct log_reader **out, const char *path, struct text *why);
void log_reader_free(struct log_reader *r);
/* Before the first read: of a directory, only the segments of these days (as segment_day says them) are read. A file is read whole. */
void log_reader_days(struct log_reader *r, uint32_t first, uint32_t last);
/* Bytes as they follow each other; a segment that ends in the middle of a line is given an end there when another follows. 0 at the
 * end, which is the end for now: called again it looks for more. E_IO, E_BAD (a packed file is damaged; the rest of it is left out
 * and the next call goes on behind it) with a line in why. */
ssize_t log_reader_read(struct log_reader *r, void *to, size_t size, struct text *why);
/* Whole lines, many at once, all of one segment. 1 and *lines (borrowed until the next call); 0 at the end; errors as above. What
 * stands behind the last newline is left until its end comes. */
int log_reader_lines(struct log_reader *r, struct span *lines, struct text *why);
/* The segment the last bytes came from; number 0 for a file of no directory. */
struct segment log_reader_segment(const struct log_reader *r);
/* Sequence number of the first record of that segment; 1 where none is known. */
uint64_t log_reader_first(const struct log_reader *r);
/* Bytes of all files as they lie on disk, when it was opened. */
uint64_t log_reader_size(const struct log_reader *r);

#endif
