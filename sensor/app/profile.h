/* SPDX-License-Identifier: Apache-2.0
 * Application profiles: rules/apps/NAME.yaml compiled to routes, extractors and tell-tales. The language stands in
 * rules/README.md. */
#ifndef APP_PROFILE_H
#define APP_PROFILE_H

#include "base/text.h"

struct profiles; /* immutable once loaded and declared */

/* Loads every *.yaml of a directory. E_IO, or E_CONF with "file:line:column: ..." in why. */
int profiles_load(const char *directory, struct profiles **out, struct text *why);
/* The same from one file's text; 'name' stands for the file in messages. For tests and for checking one file. */
int profiles_parse(const char *name, struct span content, struct profiles **out, struct text *why);
/* Declares that 'host' (exact, or "*.domain") is served by profile 'name'. E_NONE with the nearest name in why. */
int profiles_declare(struct profiles *p, const char *name, const char *host, struct text *why);
void profiles_free(struct profiles *p);
/* One more app is to work by them. */
void profiles_hold(struct profiles *p);
/* Whether an app that was to work by them still does, or has transactions that began under them. From any thread. */
bool profiles_are_used(const struct profiles *p);
size_t profiles_count(const struct profiles *p);
const char *profiles_name(const struct profiles *p, size_t i);
/* "verified" or "documentation"; NULL after the last. */
const char *profiles_status(const struct profiles *p, size_t i);
size_t profiles_routes(const struct profiles *p, size_t i);
/* How many of them were never seen on a wire: all of a profile that is not verified. */
size_t profiles_unseen(const struct profiles *p, size_t i);
/* The name of route 'k' of profile 'i'; NULL after the last. */
const char *profiles_route(const struct profiles *p, size_t i, size_t k);
/* Appends a line "file:line:column: ..." for each route of profile 'i' that is dead or shadowed for sure; how many. */
size_t profiles_audit(const struct profiles *p, size_t i, struct text *out);

#endif
