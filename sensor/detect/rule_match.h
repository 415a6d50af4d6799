/* SPDX-License-Identifier: Apache-2.0
 * Selections over the fields of an act, and conditions over selections: the 'detection:' of a rule, in Sigma's words.
 *
 *     detection:
 *       taken:
 *         event.action: [download, export]     # a list: any of them
 *         file.name|endswith: .har             # all lines of one selection must hold
 *       service:
 *         user.name|re: '^svc-'
 *       condition: taken and not service
 *
 * Texts are compared without regard to case, as Sigma does; |cased compares as they stand. Compiled once; matching allocates
 * nothing and its work is bounded by the rule's size. */
#ifndef DETECT_RULE_MATCH_H
#define DETECT_RULE_MATCH_H

#include "base/yaml.h"
#include "detect/rule_field.h"

#define SELECTIONS_MAX 16u

struct rule_match;

/* Compiles the 'detection:' map. 'lists' is the directory of the files that |list names, or NULL. E_CONF, E_IO (a list). */
int rule_match_new(const struct yaml_node *detection, const char *lists, struct rule_match **out, struct text *why);
void rule_match_free(struct rule_match *m);
/* Whether the condition holds. */
bool rule_match(const struct rule_match *m, const struct rule_view *v);
/* The selection of that name, or -1; whether it alone holds. */
int rule_match_selection(const struct rule_match *m, const char *name);
bool rule_match_one(const struct rule_match *m, unsigned selection, const struct rule_view *v);
/* What its author calls it. */
const char *rule_match_name(const struct rule_match *m, unsigned selection);
/* The actions (a bit each) without which no selection nor the condition can hold: what the rule need not be asked about. */
uint32_t rule_match_actions(const struct rule_match *m);
uint32_t rule_match_actions_of(const struct rule_match *m, unsigned selection);
/* Whether it asks what other rules have said (rule.id). */
bool rule_match_asks_rules(const struct rule_match *m);
/* Calls fn for each id it asks for there. */
void rule_match_rules(const struct rule_match *m, void (*fn)(void *ctx, struct span id, const struct yaml_node *at), void *ctx);
/* Selections that the condition never names: shadowed. The i-th, or NULL. */
const char *rule_match_unused(const struct rule_match *m, unsigned i);
/* How many matches of expressions were given up at their limit. */
uint64_t rule_match_gave_up(const struct rule_match *m);

#endif
