/* SPDX-License-Identifier: Apache-2.0
 * The counters of every module as a file, written at the end of a run: to see what was missed, and that the sums add up. */
#ifndef RUN_COUNTERS_FILE_H
#define RUN_COUNTERS_FILE_H

#include "capture/source.h"
#include "run/analysis.h"
#include "run/pipeline.h"
#include "sink/sink.h"

/* One line for each counter, in a fixed order: name, value, unit, a colon and what it means. 'stats' are those of the
 * source. Errors stay in 'f' and are told when it is closed. */
void counters_file_write(struct line_file *f, const struct source_stats *stats, struct counters feed, const struct pipeline *p,
                         const struct analysis *a);

#endif
