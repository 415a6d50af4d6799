/* SPDX-License-Identifier: Apache-2.0
 * Where activities, transactions and alerts go: files of one JSON object a line, and a terminal. */
#ifndef SINK_SINK_H
#define SINK_SINK_H

#include "base/text.h"
#include "record/alert.h"

/* A file of lines, buffered (64 KiB). With 'is_atomic' it is written beside its name (NAME.unfinished) and renamed into
 * place by line_file_close, so that a failed run leaves nothing half-written; what stood there before is replaced.
 * Without, it is a log: lines are added to what is there (behind its last whole line), and a flush is at once in it. A
 * device or pipe is always written in place. */
struct line_file;
/* E_IO with "PATH: reason"; the directory must exist. */
int line_file_open(struct line_file **out, const char *path, bool is_atomic, struct text *why);
/* A log of which the same lines are written once more from the first on: those it has are compared, the rest is added. A line that
 * differs is an error (E_IO, sticky). */
int line_file_again(struct line_file **out, const char *path, struct text *why);
/* Where it is being written. Borrowed. */
const char *line_file_path(const struct line_file *f);
/* Appends whole lines. E_IO is sticky (nothing is written after it) and told by line_file_close too. */
int line_file_write(struct line_file *f, struct span lines);
int line_file_flush(struct line_file *f);
/* Flushes, renames if atomic and 'keep', else removes the unfinished file; frees 'f' (NULL does nothing). E_IO with a
 * reason: an atomic file is then not there. */
int line_file_close(struct line_file *f, bool keep, struct text *why);

#endif
