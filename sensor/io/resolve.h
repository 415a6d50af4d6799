/* SPDX-License-Identifier: Apache-2.0
 * Where a host name leads. Blocks as long as the resolver takes: never in the thread that analyses. */
#ifndef IO_RESOLVE_H
#define IO_RESOLVE_H

#include <stdint.h>
#include <sys/socket.h>

struct place {
    struct sockaddr_storage at;
    socklen_t size;
    char text[64]; /* the address alone */
};

/* The address number 'attempt' (counted round) of those 'host' has. E_IO with a static reason in *why. */
int resolve(const char *host, uint16_t port, int socket_type, uint32_t attempt, struct place *out, const char **why);
/* A unix socket. E_LIMIT when the path is too long. */
int resolve_unix(const char *path, struct place *out);

#endif
