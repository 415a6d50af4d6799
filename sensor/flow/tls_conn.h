/* SPDX-License-Identifier: Apache-2.0
 * One TLS connection between a stream and who reads its plaintext: bytes and gaps of both directions in, plaintext and
 * its gaps out, in their order. Without keys: what the handshake shows. SSL 3.0 to TLS 1.3 (RFC 8446, 5246).
 *
 * Secrets may come late. Then what comes waits, bounded in bytes and in packet time; after that the connection is
 * closed to us, and counted. A lost record costs what it held: the next one is found by its sequence number. */
#ifndef FLOW_TLS_CONN_H
#define FLOW_TLS_CONN_H

#include "base/counter.h"
#include "record/tls_facts.h"
#include "wire/tls_keys.h"

/* Where the plaintext goes; 'ctx' is the connection's. Never called from inside themselves. */
struct tls_conn_ops {
    void (*data)(void *ctx, int direction, struct span bytes, uint64_t ns);
    void (*gap)(void *ctx, int direction, uint64_t bytes, uint64_t ns); /* so many bytes of plaintext are lost */
    void (*fin)(void *ctx, int direction, uint64_t ns);
    /* How many of the next bytes of plaintext nobody wants to see; they come by 'skip', as a number. */
    uint64_t (*skippable)(void *ctx, int direction);
    void (*skip)(void *ctx, int direction, uint64_t bytes, uint64_t ns);
};

struct tls_conn_limits {
    uint32_t max_conns;   /* TLS connections followed at once; 0 = 65536 */
    uint32_t max_openers; /* directions being decrypted at once; 0 = 16384 */
    uint32_t hold_mib;    /* memory for what waits for keys; 0 = 64 */
    uint64_t wait_ns;     /* packet time that keys may be late; 0: who has none at once stays closed */
    bool is_fed;          /* a feed of secrets is there: also the first of all is waited for */
    bool is_eager;        /* decrypt and authenticate also what nobody wants to see */
};

struct tls_conn_pool; /* of one worker */
struct tls_conn;

/* NULL without memory. 'keys' may be NULL and is borrowed. */
struct tls_conn_pool *tls_conn_pool_new(const struct tls_conn_limits *limits, const struct tls_conn_ops *ops,
                                        struct tls_keys *keys);
void tls_conn_pool_free(struct tls_conn_pool *p); /* connections must have been ended */
struct counters tls_conn_counters(const struct tls_conn_pool *p);
/* Counters of the decryption itself. */
struct counters tls_conn_open_counters(const struct tls_conn_pool *p);
/* Secrets have come, or packet time has: connections that wait go on, or are given up. Cheap when none waits. */
void tls_conn_pool_poll(struct tls_conn_pool *p, uint64_t now_ns);

/* Whether these first bytes of a direction may begin a TLS connection. */
bool tls_conn_may_begin(struct span bytes);
/* NULL when too many are open (counted). */
struct tls_conn *tls_conn_new(struct tls_conn_pool *p, void *ctx);
void tls_conn_data(struct tls_conn *t, int direction, struct span bytes, uint64_t ns);
void tls_conn_gap(struct tls_conn *t, int direction, uint64_t bytes, uint64_t ns);
void tls_conn_fin(struct tls_conn *t, int direction, uint64_t ns);
/* No more will come: what waits is given up; the facts stay. */
void tls_conn_finish(struct tls_conn *t, uint64_t now_ns);
/* Gives everything back. */
void tls_conn_free(struct tls_conn *t);

enum tls_conn_state {
    TLS_CONN_GOING,
    TLS_CONN_CLOSED,  /* nothing will come out (any more): facts say why. Memory but for the facts has been given back */
    TLS_CONN_FOREIGN, /* it is no TLS: tls_conn_first has the first bytes that were taken */
};
enum tls_conn_state tls_conn_state(const struct tls_conn *t);
/* TLS_CONN_FOREIGN: the bytes of a direction that were taken before that was known. Those of the call that showed it
 * are not among them: nothing of that was taken. */
struct span tls_conn_first(const struct tls_conn *t, int direction);
/* What is known so far; lives as long as the connection. */
const struct tls_facts *tls_conn_facts(const struct tls_conn *t);
/* Whether ciphertext is kept until its secret comes. */
bool tls_conn_is_waiting(const struct tls_conn *t);
/* Whether plaintext has come out. */
bool tls_conn_is_open(const struct tls_conn *t);
/* Whether plaintext still comes out, and there is room enough to keep its keys while nothing is said. */
bool tls_conn_may_idle(const struct tls_conn *t);

#endif
