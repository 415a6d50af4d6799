/* SPDX-License-Identifier: Apache-2.0
 * The sinks of the settings: made ready, and served at the end of a replay. */
#ifndef RUN_SINKS_H
#define RUN_SINKS_H

#include "run/settings.h"

/* Reads secrets and certificates. E_CONF or E_USAGE with a line in why. Nothing to do without sinks. */
int sinks_prepare(const struct settings *s, struct text *why);
/* Delivers the alert log of a finished replay, for at most 30 s; adds what became of it to 'told' and to the file of
 * --counters. E_IO when something did not arrive, said in why. */
int sinks_deliver(const struct settings *s, struct text *told, struct text *why);
/* One alert that says that it is a test, to the sinks that --sink picks, or to all; within 10 s; 'told' says what
 * became of it. E_IO when one did not get it. */
struct alert;
int sinks_test(const struct settings *s, const struct alert *a, struct text *told, struct text *why);

#endif
