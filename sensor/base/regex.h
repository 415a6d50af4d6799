/* SPDX-License-Identifier: Apache-2.0
 * Regular expressions (PCRE2), compiled once and just in time to machine code, matched with a bound on work and without
 * allocation. The only user of libpcre2. */
#ifndef BASE_REGEX_H
#define BASE_REGEX_H

#include "base/text.h"

#define REGEX_MATCH_LIMIT 20000u /* steps of one match; a pattern that needs more does not match, and is counted */

struct regex;

/* Compiles a pattern, UTF-8, without regard to case if asked. E_CONF with PCRE2's reason and offset in why; E_NOMEM. */
int regex_new(struct span pattern, bool nocase, struct regex **out, struct text *why);
void regex_free(struct regex *r);
/* Whether it matches anywhere in s. */
bool regex_match(struct regex *r, struct span s);
/* How many matches were given up at the limit. */
uint64_t regex_gave_up(const struct regex *r);

#endif
