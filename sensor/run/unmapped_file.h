/* SPDX-License-Identifier: Apache-2.0
 * unmapped.ndjson: what no route of a profile took, by template, and the lines of the summary about it. */
#ifndef RUN_UNMAPPED_FILE_H
#define RUN_UNMAPPED_FILE_H

#include "app/unmapped.h"
#include "sink/sink.h"

/* "DIR/unmapped.ndjson", written whole when it is closed; what stood there before is replaced. */
int unmapped_file_open(struct line_file **out, const char *dir, struct text *why);
/* All rows; errors are told at close. */
void unmapped_file_write(struct line_file *f, const struct unmapped *u);
/* The rows with most files and bytes, a line each, and how many others there are. Nothing when all was taken by routes. */
void unmapped_summary(const struct unmapped *u, struct text *out);

#endif
