/* SPDX-License-Identifier: Apache-2.0
 * All rules of the language at work: which of them an act concerns (by its action), their groups, when one may speak again, and
 * what they say as findings in stories. */
#ifndef DETECT_RULESET_H
#define DETECT_RULESET_H

#include "base/counter.h"
#include "detect/rule_def.h"

struct ruleset;

/* Compiles those detections that are not scored and not switched off. 'dir' holds lists/. E_CONF, E_IO, E_NOMEM. */
int ruleset_new(const struct detections *d, const char *dir, struct ruleset **out, struct text *why);
void ruleset_free(struct ruleset *r);
/* Takes over from 'was' what each rule that is the same in both has counted, and all that new_term rules remember. 'was' is
 * then to be freed and nothing else. */
void ruleset_adopt(struct ruleset *r, struct ruleset *was);
size_t ruleset_count(const struct ruleset *r);
/* One act. After the detectors have judged it, before anything is learned from it. */
void ruleset_act(struct ruleset *r, const struct rule_view *v, struct stories *stories);
/* Packet time has come to now_ns: rules that wait for silence. */
void ruleset_tick(struct ruleset *r, uint64_t now_ns, struct stories *stories);
struct rule_terms *ruleset_terms(struct ruleset *r);
struct counters ruleset_counters(struct ruleset *r);

#endif
