/* SPDX-License-Identifier: Apache-2.0
 * What a session consists of: honest people, machines and thieves do their deeds through these. */
#ifndef EVAL_DEEDS_H
#define EVAL_DEEDS_H

#include "eval/world.h"

enum route {
    ROUTE_LOGIN,
    ROUTE_HOME,
    ROUTE_CASE,
    ROUTE_FILES,
    ROUTE_FILE,
    ROUTE_SEARCH,
    ROUTE_REPLY,
    ROUTE_FILE_LIST,
    ROUTE_LOGOUT,
    ROUTE_REPORT,
    ROUTE_JOB,
    ROUTE_FACTOR,
    ROUTE_API_CASE,
    ROUTE_API_FILES,
    ROUTE_API_FILE,
    ROUTE_API_SEARCH,
    ROUTE_API_DESCRIBE,
    ROUTE_N
};

/* A session under way. */
struct deeds {
    struct world *w;
    struct prng *r;
    uint32_t who, truth;
    uint64_t ms, session;
    double pace_s;           /* median pause between two requests */
    struct spot spot, spot6; /* spot6.asn == 0: IPv4 only */
    uint16_t client, major;
    uint8_t kind; /* enum cred_kind */
};

/* A new session at that time; 'truth' is the case its acts belong to, or 0. */
struct deeds deeds_start(struct world *w, struct prng *r, uint32_t who, uint64_t ms);
/* Mistyped passwords, then the right one (when 'success'). */
void deeds_login(struct deeds *d, uint32_t failures, bool success);
void deeds_page(struct deeds *d, enum route route);
/* Opens a case (when 'view'), lists its files when there are any, fetches n from 'first' on. */
void deeds_case(struct deeds *d, uint32_t customer, uint32_t case_id, uint32_t first, uint32_t n, bool view);
/* An export of so many bytes: the job, its result, its removal. */
void deeds_export(struct deeds *d, uint64_t bytes, bool is_removed);
/* A remote-desktop connection from here to the workstation at 'to'. */
void deeds_remote(struct deeds *d, const struct ipaddr *to);

#endif
