/* SPDX-License-Identifier: Apache-2.0
 * Which credentials work at which address, and which addresses are being worked from afar. Bounded; packet time only. */
#ifndef DETECT_REMOTE_H
#define DETECT_REMOTE_H

#include "detect/peers.h"
#include "detect/rules.h"
#include "detect/scene.h"
#include "enrich/remote_tool.h"
#include "store/store.h"

#define REMOTE_PRESENT 4u /* credentials of an address; more are behind it: it is a proxy's, no computer's */

/* Somebody works the computer of that address. */
struct remote_control {
    const struct remote_tool *tool;
    struct ipaddr by; /* the other end: a host, or the tool's relay */
    uint64_t since_ns, until_ns; /* until_ns 0: as far as is known it goes on */
    uint32_t sessions; /* of that computer from anywhere, before this one */
    float bits;       /* how unusual it is that this computer is worked from there */
};

/* A credential that has acted from an address. */
struct remote_present {
    uint64_t credential;
    uint32_t last_s;
    struct visit_key visit;
    char name[BASELINE_NAME_MAX];
};

struct remotes;

/* NULL when memory cannot be reserved. The store keeps from where each computer is usually worked. */
struct remotes *remotes_new(uint32_t max_addresses, struct store *store);
void remotes_free(struct remotes *r);
/* A credential acts from the address. */
void remotes_present(struct remotes *r, const struct ipaddr *address, uint64_t credential, struct span name,
                     const struct visit_key *visit, uint32_t now_s);
/* Who has acted from there within the last 'active_s'; how many, 0 for a proxy's address. Borrowed until the next call. */
uint32_t remotes_who(const struct remotes *r, const struct ipaddr *address, uint32_t now_s, uint32_t active_s,
                     const struct remote_present *out[REMOTE_PRESENT]);
/* Takes a connection activity: the address that is worked, or NULL when it is no such connection or only its end. Learns from
 * where it is worked. */
const struct ipaddr *remotes_connection(struct remotes *r, const struct activity *a, const struct rules *rules,
                                        struct peers *peers, bool is_young, uint64_t now_ns);
/* Whether, and by whom, that address is being worked now; NULL: it is not. */
const struct remote_control *remotes_control(const struct remotes *r, const struct ipaddr *address, uint32_t lasts_s,
                                             uint64_t now_ns);
/* An alert spoke about it: from there the computer does not become usual. */
void remotes_alerted(struct remotes *r, const struct ipaddr *address, uint64_t now_ns);
/* From here on the habits are kept in another store. */
void remotes_adopt(struct remotes *r, struct store *store);
uint64_t remotes_evicted(const struct remotes *r);

#endif
