/* SPDX-License-Identifier: Apache-2.0
 * The address of a Redis as people write it. */
#ifndef IO_REDIS_URL_H
#define IO_REDIS_URL_H

#include "base/text.h"

struct redis_url {
    char host[256]; /* "" for a unix socket */
    char path[108]; /* of the unix socket */
    char user[128], password[512]; /* decoded; "" = none */
    uint16_t port;
    uint32_t db;
    char where[384]; /* for people: without user and password */
};

/* redis://[[user]:password@]host[:port][/db] with host a name, an IPv4 address or [IPv6], or
 * unix://[[user]:password@]/path[?db=n]; user, password and path may hold %XX. E_CONF with one line in why, which never
 * shows user or password. */
int redis_url_parse(const char *url, struct redis_url *out, struct text *why);
/* Overwrites user and password. */
void redis_url_wipe(struct redis_url *url);

#endif
