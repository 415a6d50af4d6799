/* SPDX-License-Identifier: Apache-2.0
 * Country and AS of an address from MaxMind-format databases. The only user of libmaxminddb. Databases are mapped at
 * start; look-ups allocate nothing and answer from a small cache of recent addresses. */
#ifndef ENRICH_GEO_H
#define ENRICH_GEO_H

#include "base/ipaddr.h"
#include "base/text.h"

#define GEO_ORG_MAX 96

struct geo_facts {
    uint32_t asn;          /* 0 = unknown */
    char country[3];       /* ISO 3166-1 alpha-2, "" = unknown */
    char org[GEO_ORG_MAX]; /* AS organisation, cut; "" = unknown */
};

struct geo;

struct geo *geo_new(void);
void geo_free(struct geo *g);
/* Opens a database and looks what it holds. E_IO missing or unreadable; E_BAD no such database, or one with neither
 * countries nor AS numbers; E_LIMIT too many. Per field, the database added last wins where it knows an answer. */
int geo_add(struct geo *g, const char *path, struct text *why);
/* Adds every *.mmdb of a directory, by name; what is no such database is left out with a warning. Returns how many. */
int geo_add_directory(struct geo *g, const char *path);
/* Never NULL; borrowed until the next look-up. */
const struct geo_facts *geo_lookup(struct geo *g, const struct ipaddr *ip);
/* One line about the i-th database, or NULL. */
const char *geo_source(const struct geo *g, size_t i);
bool geo_has_country(const struct geo *g);
bool geo_has_asn(const struct geo *g);

#endif
