/* SPDX-License-Identifier: Apache-2.0
 * What of the engine is kept beside the baselines. */
#include "detect/engine_parts.h"

struct rule_terms *engine_terms(struct engine *e)
{
    return ruleset_terms(e->ruleset);
}

struct levels *engine_levels(struct engine *e)
{
    e->levels = (struct levels){e->budget, &e->norms};
    return &e->levels;
}
