/* SPDX-License-Identifier: Apache-2.0
 * What new_term rules remember: which group has had which value, since when a group is watched, how many groups have had a
 * value. Hashes alone, bounded; it outlives the process as a section of the state file. */
#ifndef DETECT_RULE_TERMS_H
#define DETECT_RULE_TERMS_H

#include <stdbool.h>
#include <stdint.h>

#define RULE_TERMS_MAX 131072u

struct term {
    uint32_t first_s, last_s, n;
};

struct rule_terms;

/* NULL when memory cannot be reserved. */
struct rule_terms *rule_terms_new(void);
void rule_terms_free(struct rule_terms *t);
/* Finds or makes the entry of that hash. Borrowed until the next call. */
struct term *rule_terms_touch(struct rule_terms *t, uint64_t hash, bool *is_new);
uint64_t rule_terms_evicted(const struct rule_terms *t);
/* One line an entry, least recently used first, for a state file; takes one back (E_BAD when it is none). */
void rule_terms_save(void *terms, void (*line)(void *line_ctx, const char *text), void *line_ctx);
int rule_terms_load(void *terms, const char *line);

#endif
