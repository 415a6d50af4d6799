/* SPDX-License-Identifier: Apache-2.0
 * The Redis that keeps our baselines: a link to it that counts as usable only when the server behind it was checked
 * (version, role, schema), and that notices when the server may have forgotten what it acknowledged. */
#ifndef STORE_REDIS_SERVER_H
#define STORE_REDIS_SERVER_H

#include "io/redis_link.h"

struct redis_server;

struct redis_server_options {
    const char *url, *prefix; /* prefix: borrowed, good (store_prefix_is_good) */
    int connect_ms;
    void (*on_forgotten)(void *ctx); /* restarted, replaced or emptied: write again what is known */
    void *ctx;
};

/* Connects and checks; waits for the outcome. E_CONF, E_IO, E_BAD (a newer schema, or a key that is not ours), E_NOMEM
 * with one line in why. The loop is borrowed. */
int redis_server_open(struct loop *loop, const struct redis_server_options *options, struct redis_server **out,
                      struct text *why);
void redis_server_free(struct redis_server *s);

struct redis_link *redis_server_link(struct redis_server *s);
/* Up and checked: may be asked. */
bool redis_server_is_usable(const struct redis_server *s);
/* The same and not on hold: may be written to. */
bool redis_server_is_writable(const struct redis_server *s);
/* Connecting or being checked: a few turns of the loop decide. */
bool redis_server_is_settling(const struct redis_server *s);
/* Why it is not usable, or what it refused last; "" when nothing is known. */
const char *redis_server_reason(const struct redis_server *s);
/* Connections lost since it was opened. */
uint64_t redis_server_losses(const struct redis_server *s);

/* It refused a command (out of memory, no permission, ...): not writable for a while, longer each time. */
void redis_server_hold(struct redis_server *s, const struct redis_reply *error);
/* It took a command: the next hold is short again. */
void redis_server_worked(struct redis_server *s);
/* Asks whether our schema key is still there; if not, it was emptied (on_forgotten). */
void redis_server_probe(struct redis_server *s);

#endif
