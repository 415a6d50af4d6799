/* SPDX-License-Identifier: Apache-2.0
 * The swap: pointers change hands, stories are told the new names of their rules. */
#include "detect/engine_rules.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "detect/engine_parts.h"

struct engine_rules {
    struct detections *detections;
    struct rules rules;
    struct ruleset *ruleset;
};

int engine_rules_load(const char *rules_dir, const char *own_dir, struct detections **detections, struct rules *rules,
                      struct ruleset **ruleset, struct text *why)
{
    struct text path = {0};
    text_addf(&path, "%s/detect.yaml", rules_dir);
    int rc = rules_load(text_str(&path), rules, why);
    if (rc == E_OK)
        rc = detections_load(rules_dir, own_dir, detections, why);
    if (rc == E_OK)
        rc = detections_scored(*detections, rules, why);
    if (rc == E_OK)
        rc = ruleset_new(*detections, rules_dir, ruleset, why);
    text_fini(&path);
    return rc;
}

int engine_rules_new(const char *rules_dir, const char *own_dir, struct engine_rules **out, struct text *why)
{
    struct engine_rules *r = calloc(1, sizeof *r);
    if (!r)
        return E_NOMEM;
    int rc = engine_rules_load(rules_dir, own_dir, &r->detections, &r->rules, &r->ruleset, why);
    if (rc)
        engine_rules_free(r);
    else
        *out = r;
    return rc;
}

void engine_rules_free(struct engine_rules *r)
{
    if (!r)
        return;
    ruleset_free(r->ruleset);
    detections_free(r->detections);
    free(r);
}

size_t engine_rules_count(const struct engine_rules *r)
{
    return detections_count(r->detections);
}

/* The rule of the same id, switched off or not: its stories go on. One that is gone keeps its old head. */
static const struct rule *renamed(void *ctx, const struct rule *was)
{
    const struct detections *now = ctx;
    for (size_t i = 0; i < detections_count(now); i++)
        if (strcmp(detections_at(now, i)->rule.id, was->id) == 0)
            return &detections_at(now, i)->rule;
    return was;
}

void engine_rules_swap(struct engine *e, struct engine_rules *r, const struct roster *roster, bool has_geo)
{
    struct engine_rules was = {e->detections, e->rules, e->ruleset};
    ruleset_adopt(r->ruleset, e->ruleset);
    e->detections = r->detections;
    e->rules = r->rules;
    e->ruleset = r->ruleset;
    *r = was;
    e->roster = roster;
    e->has_geo = has_geo;
    sources_retune(e->sources, e->rules.success_after_failures.window_s, e->rules.stuffing.share);
    budget_retune(e->budget, e->alerts_a_day > 0 ? e->alerts_a_day : e->rules.budget.a_day);
    stories_rename(e->stories, renamed, e->detections);
}

static const struct rule *is_of(void *ctx, const struct rule *rule)
{
    struct {
        const struct detections *d;
        bool is_found;
    } *asked = ctx;
    for (size_t i = 0; i < detections_count(asked->d); i++)
        asked->is_found |= &detections_at(asked->d, i)->rule == rule;
    return rule;
}

bool engine_rules_unused(const struct engine *e, const struct engine_rules *r)
{
    struct {
        const struct detections *d;
        bool is_found;
    } asked = {r->detections, false};
    stories_rename(e->stories, is_of, &asked);
    return !asked.is_found;
}
