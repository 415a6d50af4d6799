/* SPDX-License-Identifier: Apache-2.0
 * Where activities, transactions and alerts go: files of one JSON object a line, and a terminal. */
#ifndef SINK_SINK_H
#define SINK_SINK_H

#include "base/text.h"
#include "record/alert.h"

/* A file of lines. With 'is_atomic' it is written beside its name and renamed into place by line_file_close, so that a
 * failed run leaves nothing half-written. */
struct line_file;
int line_file_open(struct line_file **out, const char *path, bool is_atomic, struct text *why);
/* Appends (buffered). E_IO is sticky and told by line_file_close too. */
int line_file_write(struct line_file *f, struct span lines);
int line_file_flush(struct line_file *f);
/* Flushes, renames if atomic and 'keep', else removes the unfinished file. E_IO with a reason. */
int line_file_close(struct line_file *f, bool keep, struct text *why);

#endif
