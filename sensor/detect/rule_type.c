/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/rule_type.h"

#include <string.h>

typedef const struct rule_type *rule_type_fn(void);

static rule_type_fn *const types[] = {
    type_any,         type_blacklist,  type_whitelist,        type_change,     type_frequency,
    type_spike,       type_flatline,   type_new_term,         type_cardinality, type_metric,
    type_percentage,  type_temporal,   type_temporal_ordered,
};

#define N_TYPES (sizeof types / sizeof types[0])

const struct rule_type *rule_type_at(size_t i)
{
    return i < N_TYPES ? types[i]() : NULL;
}

const struct rule_type *rule_type_of(const char *name)
{
    for (size_t i = 0; i < N_TYPES; i++) {
        const struct rule_type *t = types[i]();
        if (strcmp(t->name, name) == 0 || (t->alias && strcmp(t->alias, name) == 0))
            return t;
    }
    return NULL;
}

const char *const *rule_type_names(void)
{
    static const char *const names[] = {
        "scored",      "contribution", "any",         "blacklist",   "whitelist",          "change",            "frequency",
        "event_count", "spike",       "spike_aggregation", "flatline",     "new_term",          "new_terms",
        "cardinality", "value_count", "metric_aggregation", "percentage_match", "temporal",     "temporal_ordered",
        NULL,
    };
    return names;
}
