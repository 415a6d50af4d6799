/* SPDX-License-Identifier: Apache-2.0
 * Rules read aside and put in the place of those at work, between two acts. What was learned, open stories and what rules
 * that did not change have counted so far go on; a rule that changed begins to count anew. */
#ifndef DETECT_ENGINE_RULES_H
#define DETECT_ENGINE_RULES_H

#include "detect/engine.h"

struct engine_rules;

/* Reads and compiles all of a rules directory; touches no engine, so another thread may do it. E_CONF with
 * "file:line:column: ..." in why. */
int engine_rules_new(const char *rules_dir, const char *own_dir, struct engine_rules **out, struct text *why);
/* NULL does nothing. */
void engine_rules_free(struct engine_rules *r);
size_t engine_rules_count(const struct engine_rules *r);
/* The engine goes on under r, whose content is then what the engine had: to be freed by the caller, on any thread, after
 * engine_rules_unused. Also who people are, and whether country and AS are known. */
void engine_rules_swap(struct engine *e, struct engine_rules *r, const struct roster *roster, bool has_geo);
/* Whether no open story names a rule of r any more: one that was taken out of the directory lives as long as its stories. */
bool engine_rules_unused(const struct engine *e, const struct engine_rules *r);

#endif
