/* SPDX-License-Identifier: Apache-2.0
 * What is known of sessions, files and cases at the end of a replay, beside the baselines' state file, so that the next one
 * goes on. */
#ifndef RUN_STATE_H
#define RUN_STATE_H

#include "app/identity.h"
#include "app/memory.h"
#include "base/text.h"

/* Reads "<state>.sessions" when it exists. E_IO, E_BAD with the line. */
int state_load(const char *state, struct identity *id, struct memory *m, struct text *why);
/* Writes "<state>.sessions", whole or not at all. E_IO. */
int state_save(const char *state, const struct identity *id, const struct memory *m, struct text *why);

#endif
