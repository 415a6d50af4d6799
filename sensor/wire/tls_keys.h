/* SPDX-License-Identifier: Apache-2.0
 * The secrets of one worker, found by the random of the ClientHello. Bounded: the oldest make room, and what is older
 * (packet time) than its life expires. The secrets lie in one block that is locked into memory and left out of core
 * dumps; each is wiped when it goes. */
#ifndef WIRE_TLS_KEYS_H
#define WIRE_TLS_KEYS_H

#include "base/counter.h"
#include "wire/tls_keylog.h"

struct tls_keys;

struct tls_keys_limits {
    uint32_t max_connections; /* whose secrets are held at once; 0 = 16384 (300 bytes each) */
    uint64_t life_ns;         /* packet time from the last secret of a connection until all of it goes; 0 = for ever */
};

/* NULL when memory cannot be reserved. 'limits' may be NULL. */
struct tls_keys *tls_keys_new(const struct tls_keys_limits *limits);
/* Wipes everything. NULL does nothing. */
void tls_keys_free(struct tls_keys *k);
/* False: the system did not lock the block (RLIMIT_MEMLOCK): it may be swapped out. */
bool tls_keys_is_locked(const struct tls_keys *k);

/* Copies the entry in. 'now_ns' is packet time; a secret that comes again in other words replaces the first. */
void tls_keys_add(struct tls_keys *k, const struct tls_keylog_entry *entry, uint64_t now_ns);
/* The secret, or an empty span. Borrowed until the next tls_keys_add or tls_keys_expire. */
struct span tls_keys_find(struct tls_keys *k, const uint8_t client_random[TLS_RANDOM_SIZE], enum tls_secret label);
/* The master secret that an older key log names by session id (1 to 32 bytes; others find nothing); not needed for
 * resumption: libraries log the master secret again under the random of each new ClientHello. */
struct span tls_keys_find_session(struct tls_keys *k, struct span session_id);
/* Goes up with every secret that is new: who found nothing need not look again before. */
uint64_t tls_keys_generation(const struct tls_keys *k);
/* Wipes what is older than its life; what came before the first packet (time 0) is as old as that. Call it now and then;
 * cheap when there is nothing. */
void tls_keys_expire(struct tls_keys *k, uint64_t now_ns);
struct counters tls_keys_counters(const struct tls_keys *k);

#endif
