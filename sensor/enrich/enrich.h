/* SPDX-License-Identifier: Apache-2.0
 * Facts about a source address and a client that no packet carries: country, AS, the operator's named networks, client
 * family. Databases are read at start; look-ups are pure. */
#ifndef ENRICH_ENRICH_H
#define ENRICH_ENRICH_H

#include "base/counter.h"
#include "base/text.h"
#include "record/activity.h"

struct enrich;

struct enrich *enrich_new(void);
void enrich_free(struct enrich *e);
/* Adds a MaxMind-format database (country, city or ASN, told apart by content). Later ones win per field. E_IO, E_BAD. */
int enrich_add_geo(struct enrich *e, const char *path, struct text *why);
/* Looks for databases where Debian, geoipupdate and npm put them; adds what it finds. Returns how many. */
int enrich_find_geo(struct enrich *e);
/* A list of prefixes, one a line ("198.51.100.0/24 office"), '#' comments; 'class' is what they are. E_IO, E_CONF. */
int enrich_add_list(struct enrich *e, const char *path, enum network_class class, struct text *why);
/* Fills country, asn, AS_ORG, NETWORK, source_class, client_family, client_major, client_os and its version,
 * STR_CLIENT; ACT_MACHINE and ACT_CLIENT_MISMATCH. */
void enrich_activity(struct enrich *e, struct activity *a);
/* The databases in use, one line each ("/usr/share/GeoIP/x.mmdb: GeoLite2-City, 2026-03-01"); NULL after the last. */
const char *enrich_source(const struct enrich *e, size_t i);
bool enrich_has_country(const struct enrich *e);
bool enrich_has_asn(const struct enrich *e);

#endif
