/* SPDX-License-Identifier: Apache-2.0
 * Going on with a log whose writer was stopped: the same input gives the same records, so what comes is looked for in what is there. */
#ifndef STORE_LOG_RESUME_H
#define STORE_LOG_RESUME_H

#include "base/text.h"

struct log_resume;

/* Before the log is opened for writing. *out is NULL when there is nothing to go on with. E_IO with a line in why. */
int log_resume_open(struct log_resume **out, const char *dir, struct text *why);
/* Whether the log has this record (with its newline) already: its sequence number, or 0 when it is to be appended, as are then all
 * that follow. The first one is looked for everywhere, the next must each be the one behind it: E_BAD (below 0) with a line in why
 * when the log goes on differently. */
int64_t log_resume_find(struct log_resume *r, struct span line, struct text *why);
/* The last line of the log when nothing of the input was in it; else empty. Borrowed. */
struct span log_resume_last(const struct log_resume *r);
void log_resume_free(struct log_resume *r);

#endif
