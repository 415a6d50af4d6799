/* SPDX-License-Identifier: Apache-2.0
 * Places to listen at: an address of this machine, or a unix socket that is open to its owner alone. */
#ifndef IO_LISTEN_H
#define IO_LISTEN_H

#include "base/ipaddr.h"
#include "base/text.h"

/* Listens at 'path' (mode 0600; in place of what a run before left behind, never of anything but a dead socket): the
 * descriptor, non-blocking, in *fd. The caller closes it and removes the path. E_IO with a line in why, and nothing to
 * remove. */
int listen_unix(const char *path, int backlog, int *fd, struct text *why);

/* Reads "127.0.0.1:8080", "[::1]:0", "localhost:80" or "80" (of 127.0.0.1); false when it is none. */
bool listen_parse(const char *text, struct endpoint *out);
bool listen_is_loopback(const struct ipaddr *ip);
/* Listens there, over TCP; a port of 0 becomes the one it got. E_IO with a line in why. */
int listen_tcp(struct endpoint *at, int backlog, int *fd, struct text *why);

#endif
