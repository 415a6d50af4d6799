/* SPDX-License-Identifier: Apache-2.0
 * The counters of every module as a file, written at the end of a run: to see what was missed, and that the sums add up. */
#ifndef RUN_COUNTERS_FILE_H
#define RUN_COUNTERS_FILE_H

#include "capture/source.h"
#include "run/analysis.h"
#include "run/pipeline.h"
#include "sink/sink.h"

/* One line for each counter, in a fixed order: name, value, unit, a colon and what it means. 'stats' are those of the
 * source; without a pipeline or analysis there are none of theirs. Errors stay in 'f' and are told when it is closed. */
void counters_file_write(struct line_file *f, const struct source_stats *stats, struct counters feed, const struct pipeline *p,
                         const struct analysis *a);
/* The same of one more module. */
void counters_file_more(struct line_file *f, struct counters c);
/* Adds a module's to a file that is closed already. E_IO with a line in why. */
int counters_file_add(const char *path, struct counters c, struct text *why);

#endif
