/* SPDX-License-Identifier: Apache-2.0
 * The sandbox of a running sensor: which paths its settings name. */
#ifndef RUN_CONFINE_H
#define RUN_CONFINE_H

#include "run/settings.h"

/* For good, before the first thread begins and behind what needs a privilege (guard/guard.h); 'told' says in a line what is
 * in force. The directories of results and of the log are made on the way, as the user that writes them; with
 * --no-sandbox that is all. E_CONF (no such user), E_DENIED, E_LIMIT, E_IO with a line in why. */
int confine(const struct settings *s, struct text *told, struct text *why);

#endif
