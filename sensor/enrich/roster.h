/* SPDX-License-Identifier: Apache-2.0
 * Who people are, as the operator's own directory says it: a CSV file (RFC 4180) whose first record names its columns:
 *
 *     who,organisation,role,leaver,egress,service,timezone,holidays,manager
 *     zoe.hart,Acme,agent,,,no,+01:00,2026-04-03;2026-08-03/2026-08-14,ann.lee
 *     ben.ito,Acme,agent,2026-03-31,,,,,
 *     svc-export,Acme,,,,yes,,,
 *     ,Acme,,,203.0.113.0/24;2001:db8:7::/48,,,,
 *
 * 'who' is user.name as activities have it, in any case; a record without it is about the whole organisation. Only 'who' is
 * needed. Read once, asked of every credential; nothing changes afterwards. */
#ifndef ENRICH_ROSTER_H
#define ENRICH_ROSTER_H

#include <stdio.h>

#include "base/ipaddr.h"
#include "base/text.h"

#define ROSTER_PEOPLE_MAX 262144u
#define ROSTER_ORGANISATIONS_MAX 4096u
#define ROSTER_ROLES_MAX 1024u
#define ROSTER_PREFIXES_MAX 65536u /* of all organisations */
#define ROSTER_HOLIDAYS_MAX 524288u
#define ROSTER_TEXT_MAX 160u /* bytes of a name, an organisation, a role */

#define ROSTER_SERVICE 0x1u /* a program's account: nobody signs in with it */
#define ROSTER_LEAVES 0x2u  /* leaves_ns is known */
#define ROSTER_ZONE 0x4u    /* zone_min is known, the person's or the organisation's */

struct roster_person {
    uint64_t key;                /* hash of the name in lower case */
    uint64_t leaves_ns;          /* packet time from which on nobody should use the account */
    uint32_t organisation, role; /* numbers from 1 in the order of the file; 0 = not said */
    uint32_t line;               /* of the file */
    int16_t zone_min;            /* minutes east of UTC */
    uint16_t flags;              /* ROSTER_* */
    bool is_local_day;           /* leaves_ns was given as a day: it begins by the person's time zone */
    char *name, *manager;        /* manager NULL when not said */
};

struct roster;

/* E_IO; E_CONF with "FILE:LINE:COLUMN: what is wrong"; E_NOMEM. */
int roster_load(const char *path, struct roster **out, struct text *why);
/* The same from an open file; 'name' stands for it in messages. */
int roster_read(FILE *file, const char *name, struct roster **out, struct text *why);
void roster_free(struct roster *r); /* NULL does nothing */

/* NULL when the roster (which may be NULL) does not have the name; letters in any case (ASCII). Borrowed. */
const struct roster_person *roster_find(const struct roster *r, struct span name);
/* "" for 0. */
const char *roster_organisation(const struct roster *r, uint32_t organisation);
const char *roster_role(const struct roster *r, uint32_t role);
/* Whether the address lies in what the person's organisation declared as its way out (offices, proxies, VPN). 'p' may be
 * NULL. */
bool roster_is_egress(const struct roster *r, const struct roster_person *p, const struct ipaddr *ip);
/* Whether that packet time is a holiday of the person or the organisation, by their time zone. */
bool roster_is_holiday(const struct roster *r, const struct roster_person *p, uint64_t now_ns);
/* Packet time shifted to the person's clock on the wall; unchanged where no zone is said. */
uint64_t roster_local_ns(const struct roster_person *p, uint64_t now_ns);

struct roster_totals {
    size_t people, organisations, roles, leavers, services, prefixes;
};
struct roster_totals roster_totals(const struct roster *r);

#endif
