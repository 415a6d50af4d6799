/* SPDX-License-Identifier: Apache-2.0
 * Whether sinks can be reached, without sending them anything. */
#ifndef RUN_REACH_H
#define RUN_REACH_H

#include "sink/config.h"

/* Connects (over TLS where the sink does: the certificate is checked) and lets go again. E_IO with the reason in why; E_NONE for
 * kinds of sinks that only a message could tell: files, UDP, sockets of datagrams, Redis. */
int reach(const struct sink_config *c, struct text *why);

#endif
