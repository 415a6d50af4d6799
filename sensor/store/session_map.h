/* SPDX-License-Identifier: Apache-2.0
 * Which credential a session value belongs to, in Redis: so that a restart, or another sensor, knows it. One line of text
 * a value, under its keyed hash, written behind and gone with the session's lifetime. */
#ifndef STORE_SESSION_MAP_H
#define STORE_SESSION_MAP_H

#include "store/store.h"

#define SESSION_MAP_LINE_MAX 800

struct session_map;

/* Errors as of store_redis_open; url, prefix and deadlines are used. */
int session_map_open(struct session_map **out, const struct store_redis_options *options, struct text *why);
void session_map_free(struct session_map *m);
/* Writes 'line' (at most SESSION_MAP_LINE_MAX bytes) under the hash, with the next flush; a later one for the same hash
 * replaces it. Gone after ttl_s seconds. Dropped and counted when 16,384 wait: Redis is away. */
void session_map_put(struct session_map *m, const uint8_t hash[16], struct span line, uint32_t ttl_s);
/* Appends what is known under the hash; waits for the answer up to the deadline. False when nothing is known, when Redis
 * is away, and past 1000 questions in one second of packet time (counted). */
bool session_map_get(struct session_map *m, const uint8_t hash[16], uint64_t now_ns, struct text *line);
/* Writes what waits, about once a second; true when Redis was emptied or replaced: all should be put again. */
bool session_map_tick(struct session_map *m);
/* Everything is written, or E_IO and a line in why. */
int session_map_sync(struct session_map *m, struct text *why);
struct counters session_map_counters(const struct session_map *m);

#endif
