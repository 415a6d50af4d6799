/* SPDX-License-Identifier: Apache-2.0
 * The operator's named networks: lists of prefixes, each with a name and a class; the longest prefix that holds an
 * address answers. */
#ifndef ENRICH_NETLIST_H
#define ENRICH_NETLIST_H

#include "base/ipaddr.h"
#include "base/text.h"

#define NETLIST_MAX 1000000u /* prefixes in all lists */
#define NETLIST_NAME_MAX 64u

struct netlist_hit {
    struct span name; /* borrowed from the list */
    uint8_t class;    /* as given with the list */
};

struct netlist;

struct netlist *netlist_new(void);
void netlist_free(struct netlist *l);
/* Adds one prefix; the name is copied and cut at NETLIST_NAME_MAX. The same prefix again replaces the earlier one.
 * E_LIMIT, E_NOMEM. */
int netlist_add(struct netlist *l, const struct prefix *prefix, struct span name, uint8_t class);
/* Adds a file of lines "PREFIX [NAME]", '#' comments; without a name the file's own (less its ending) stands for it.
 * E_IO; E_CONF with "FILE:LINE:COLUMN: what". Nothing is added on error. */
int netlist_add_file(struct netlist *l, const char *path, uint8_t class, struct text *why);
bool netlist_find(struct netlist *l, const struct ipaddr *ip, struct netlist_hit *hit);
size_t netlist_size(const struct netlist *l);

#endif
