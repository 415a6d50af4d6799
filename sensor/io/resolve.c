/* SPDX-License-Identifier: Apache-2.0
 * Addresses of a host, one after the other over attempts. */
#include "io/resolve.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "base/err.h"

int resolve(const char *host, uint16_t port, int socket_type, uint32_t attempt, struct place *out, const char **why)
{
    char service[8];
    struct addrinfo hints = {.ai_socktype = socket_type}, *list = NULL;
    snprintf(service, sizeof service, "%u", port);
    int rc = getaddrinfo(host, service, &hints, &list);
    if (rc) {
        *why = gai_strerror(rc);
        return E_IO;
    }
    uint32_t n = 0;
    for (const struct addrinfo *a = list; a; a = a->ai_next)
        n++;
    const struct addrinfo *pick = list;
    for (uint32_t i = attempt % n; i; i--)
        pick = pick->ai_next;
    memset(out, 0, sizeof *out);
    memcpy(&out->at, pick->ai_addr, pick->ai_addrlen);
    out->size = pick->ai_addrlen;
    rc = getnameinfo(pick->ai_addr, pick->ai_addrlen, out->text, sizeof out->text, NULL, 0, NI_NUMERICHOST);
    freeaddrinfo(list);
    *why = rc ? gai_strerror(rc) : "";
    return rc ? E_IO : E_OK;
}

int resolve_unix(const char *path, struct place *out)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof un.sun_path)
        return E_LIMIT;
    memcpy(un.sun_path, path, strlen(path) + 1);
    memset(out, 0, sizeof *out);
    memcpy(&out->at, &un, sizeof un);
    out->size = sizeof un;
    return E_OK;
}
