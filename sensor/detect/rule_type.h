/* SPDX-License-Identifier: Apache-2.0
 * The types of rules: each is one small file (type_*.c) and one line in the table of rule_type.c. A type sees the acts for
 * which the rule's condition holds, group by group, and says when the rule fires. */
#ifndef DETECT_RULE_TYPE_H
#define DETECT_RULE_TYPE_H

#include "detect/quantity.h"
#include "detect/rule_match.h"
#include "detect/rule_terms.h"
#include "detect/word_list.h"

#define RULE_FIELDS_MAX 4u
#define RULE_STAGES_MAX 8u

enum metric { METRIC_SUM, METRIC_AVG, METRIC_MIN, METRIC_MAX };

/* What a rule's file says; what its type does not take stays at its default. */
struct rule_params {
    double timeframe_s, gte, lt, height, min_events, reference, window_s, learning_s, peers, each, after_s, percent;
    bool has_gte, has_lt;
    int direction; /* of a spike: 1 up, -1 down, 0 both */
    enum metric metric;
    unsigned fields[RULE_FIELDS_MAX], n_fields;
    unsigned stages[RULE_STAGES_MAX], n_stages;
    int field, match, reset, reason; /* -1: none */
    struct word_list *list;
};

/* Why it fired. */
struct rule_reason {
    char field[32], value[ALERT_TEXT], usual[ALERT_TEXT];
};

/* One act in one group of one rule. */
struct rule_event {
    const struct rule_params *p;
    const struct rule_match *match;
    const struct rule_view *view;
    struct rule_terms *terms;
    uint64_t rule, group; /* hashes */
    uint32_t now_s;
};

struct rule_type {
    const char *name, *alias; /* alias: ElastAlert2's or Sigma's other name for it, or NULL */
    const char *help;
    size_t state_size;  /* of a group; zeroed at its beginning */
    bool sees_all;      /* asked about every act of the stages or the denominator, not only where the condition holds */
    /* Takes one act. True when the rule fires: 'why' is filled. */
    bool (*feed)(const struct rule_event *e, void *state, struct rule_reason *why);
    /* When the rule fires of silence, in seconds, if no act of the group comes before; UINT32_MAX: never. It depends on the acts
     * alone, so that the moment is the same however far packet time goes at once. NULL: the type does not wait for silence. */
    uint32_t (*due)(const struct rule_params *p, const void *state);
    /* That moment, at_s, has come: fills 'why'. */
    void (*quiet)(const struct rule_params *p, void *state, uint32_t at_s, struct rule_reason *why);
};

/* NULL when none is called so. */
const struct rule_type *rule_type_of(const char *name);
const struct rule_type *rule_type_at(size_t i);
/* Every name, NULL-ended, for messages. */
const char *const *rule_type_names(void);

const struct rule_type *type_any(void);
const struct rule_type *type_blacklist(void);
const struct rule_type *type_whitelist(void);
const struct rule_type *type_change(void);
const struct rule_type *type_frequency(void);
const struct rule_type *type_spike(void);
const struct rule_type *type_flatline(void);
const struct rule_type *type_new_term(void);
const struct rule_type *type_cardinality(void);
const struct rule_type *type_metric(void);
const struct rule_type *type_percentage(void);
const struct rule_type *type_temporal(void);
const struct rule_type *type_temporal_ordered(void);

#endif
