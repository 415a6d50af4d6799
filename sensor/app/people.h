/* SPDX-License-Identifier: Apache-2.0
 * Which names are one person, and which are services: an operator's file (people.yaml beside the other rules; the language
 * is described in rules/README.md). Read once; asked of every name. */
#ifndef APP_PEOPLE_H
#define APP_PEOPLE_H

#include "base/text.h"

#define PEOPLE_NAME 192 /* bytes of a name */

struct people;

/* Reads the file. E_IO when it cannot be read, E_CONF with file, line and column. */
int people_load(const char *path, struct people **out, struct text *why);
/* The same from memory; 'name' stands for the file in messages. */
int people_parse(const char *name, struct span content, struct people **out, struct text *why);
void people_free(struct people *p);

/* The name 'name' goes by, written to 'out'; its size. 'name' may be 'out'. The size is that of 'name' where nothing is
 * declared, and 0 for a name longer than PEOPLE_NAME (which is left as it is). A list outweighs a pattern, a pattern a
 * domain; case is folded last. */
size_t people_name(const struct people *p, struct span name, char out[PEOPLE_NAME]);
/* Whether a name (as people_name gave it) is a service's. */
bool people_is_service(const struct people *p, struct span name);
/* For what check shows: names that stand for others, patterns and domains, services. */
void people_count(const struct people *p, size_t *names, size_t *patterns, size_t *services);

#endif
