/* SPDX-License-Identifier: Apache-2.0
 * What was done in a case whose customer, or with a file whose case, is not known yet: a ring of the last of them, found
 * again by what they wait for. */
#ifndef APP_WAITING_H
#define APP_WAITING_H

#include "app/desk_key.h"
#include "base/ipaddr.h"

#define WAITING_CASE_MAX 48
#define WAITING_USER_MAX 95

/* Each is in up to two chains: that of its case or file, and that of the domain of its case's requestor. */
enum waiting_chain { WAITING_OWN, WAITING_DOMAIN, WAITING_CHAINS };

struct waiting_act {
    uint8_t id[16]; /* its event.id */
    uint64_t time_ns;
    struct ipaddr source;
    uint8_t session[SESSION_HASH_SIZE];
    uint8_t cred_kind, outcome, case_size, user_size;
    bool is_object; /* waits for the case of its file, not for its customer */
    bool is_ready;  /* can be completed: no chain shows it any more */
    bool is_told;   /* has been */
    struct desk_key key[WAITING_CHAINS];
    uint64_t before[WAITING_CHAINS]; /* the one before it in the chain; 0 = none */
    uint64_t next_ready;             /* of those that can be completed: the one after it; 0 = none */
    char of_case[WAITING_CASE_MAX];  /* what it was told with, or has been given since */
    char user[WAITING_USER_MAX];     /* the name it was told with; empty when it is longer */
};

struct waiting;

/* 'max' are kept at most. NULL when memory cannot be reserved. */
struct waiting *waiting_new(uint32_t max);
void waiting_free(struct waiting *w);
/* Adds one, in the chain of 'own'; the oldest makes room. Borrowed until the next call. */
struct waiting_act *waiting_add(struct waiting *w, const struct desk_key *own);
/* Puts an act that waiting_find handed out into the chain of 'domain' as well, once. */
void waiting_tie(struct waiting *w, uint64_t number, const struct desk_key *domain);
/* The acts of a chain, newest first: start with *number = 0; false at the end. Those that are ready are left out. */
bool waiting_find(const struct waiting *w, enum waiting_chain chain, const struct desk_key *key, uint64_t *number,
                  struct waiting_act **act);
/* The number of the act added last. */
uint64_t waiting_last(const struct waiting *w);
/* The act of that number, or NULL when it has made room. */
struct waiting_act *waiting_act(const struct waiting *w, uint64_t number);
/* How many made room before they were completed. */
uint64_t waiting_dropped(const struct waiting *w);

#endif
