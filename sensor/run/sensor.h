/* SPDX-License-Identifier: Apache-2.0
 * The packet half alone: what it tells goes over Redis to the analysers (run/feed_out.h). */
#ifndef RUN_SENSOR_H
#define RUN_SENSOR_H

#include "run/replay.h"

enum role { ROLE_ALL, ROLE_SENSOR, ROLE_ANALYSER };

/* What --role says. E_USAGE with a line in why. */
int role_of(const struct settings *s, enum role *role, struct text *why);

/* Recorded captures (borrowed) to their end, as fast as they can be read and the disk takes the candidates; then waits for the stream
 * to have them, at most a minute. Errors as of setup_init and feed_out_open. */
int sensor_replay(const struct settings *s, struct source *source, const struct replay_hooks *hooks, struct summary *summary,
                  struct text *why);

#endif
