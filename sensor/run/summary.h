/* SPDX-License-Identifier: Apache-2.0
 * What a person wants to know at the end: how much was read, who was seen, what was assumed, what could not be seen. */
#ifndef RUN_SUMMARY_H
#define RUN_SUMMARY_H

#include "capture/source.h"
#include "run/activity_log.h"
#include "run/analysis.h"
#include "run/pipeline.h"
#include "run/settings.h"

struct summary {
    struct text text; /* lines, ready to print */
};

/* Writes the summary of a finished run into summary->text. */
void summary_take(struct summary *summary, const struct settings *s, struct source *source, const struct pipeline *p,
                  const struct analysis *a, bool is_default_key);
/* The same after activities [first_ns, last_ns] from a log. */
struct summary_span {
    uint64_t first_ns, last_ns;
};
void summary_take_log(struct summary *summary, const struct activity_log *log, const struct summary_span *span,
                      const struct analysis *a);
void summary_fini(struct summary *summary);
/* The value of one counter by its name over all modules; 0 when there is none of that name. */
uint64_t summary_counter(const struct pipeline *p, const struct analysis *a, const char *name);

#endif
