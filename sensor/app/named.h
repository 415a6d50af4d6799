/* SPDX-License-Identifier: Apache-2.0
 * The customers an operator names himself: by case (exact, or a pattern) and by domain of the requestor's address. */
#ifndef APP_NAMED_H
#define APP_NAMED_H

#include "base/text.h"

struct named;

struct named *named_new(void); /* NULL when out of memory */
void named_free(struct named *n);
/* Adds a file of lines "case,PATTERN,CUSTOMER" and "domain,NAME,CUSTOMER" (RFC 4180 quotes, '#' comments; a first line
 * "kind,pattern,customer" is a heading). E_IO, E_NOMEM, E_CONF with file:line:column in why. */
int named_read(struct named *n, const char *path, struct text *why);
/* The customer, or an empty span. An exact case outweighs a pattern, the first pattern the others; the longest domain
 * that fits counts. Domains are in lower case. */
struct span named_case(const struct named *n, struct span of_case);
struct span named_domain(const struct named *n, struct span domain);
size_t named_cases(const struct named *n);
size_t named_domains(const struct named *n);

#endif
