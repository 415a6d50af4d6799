/* SPDX-License-Identifier: Apache-2.0
 * The people half alone, one of several that are each other's copies: applies what sensors tell (run/feed_in.h), begins where it
 * stopped, and serves sinks while it leads. */
#ifndef RUN_ANALYSER_H
#define RUN_ANALYSER_H

#include "run/live.h"

/* Until SIGINT or SIGTERM. Errors as of setup_init, analysis_new and feed_in_open; E_STATE, E_BAD when it cannot go on. */
int analyser_run(const struct settings *s, const struct live_hooks *hooks, struct summary *summary, struct text *why);

#endif
