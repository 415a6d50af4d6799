/* SPDX-License-Identifier: Apache-2.0
 * A draft of a profile out of recorded captures: packets to transactions as in a replay, and instead of applications what
 * collects the draft. */
#ifndef RUN_DRAFT_H
#define RUN_DRAFT_H

#include "capture/source.h"
#include "run/settings.h"

/* Reads an open source (borrowed) to its end and writes the draft of the host 's->suggest_profile' ("-": the busiest) to
 * 'out'. E_NONE with a line in why when there is nothing to draft; else errors of setup_init, of reading, of key logs. */
int draft_run(const struct settings *s, struct source *source, struct text *out, struct text *why);

#endif
