/* SPDX-License-Identifier: Apache-2.0
 * A rule of the language, compiled: its head, what it looks at, its type and the type's parameters. */
#ifndef DETECT_RULE_DEF_H
#define DETECT_RULE_DEF_H

#include "detect/detections.h"
#include "detect/rule_type.h"

struct rule_def {
    const struct rule *head; /* borrowed from the detection */
    const struct detection *detection;
    const struct rule_type *type;
    struct rule_match *match;
    struct rule_params params;
    unsigned group[RULE_FIELDS_MAX], n_group;
    uint32_t realert_s, exponential_s; /* 0: always the same */
    uint32_t actions;
    bool has_condition, is_late;       /* is_late: asks what others have said */
    bool is_silent;                    /* informational: no alert of its own */
    const char *usual;
    double bits;
};

/* Compiles the body. 'lists': directory of the files of words, or NULL. E_CONF, E_IO. */
int rule_def_load(const struct detection *d, const char *lists, struct rule_def *out, struct text *why);
void rule_def_fini(struct rule_def *r);

/* A key of the body, for the reference: which types take it, what it is. */
struct rule_key {
    const char *name, *types, *help;
    char usual[QUANTITY_TEXT], min[QUANTITY_TEXT], max[QUANTITY_TEXT];
};
/* The i-th key of the body; false at the end. */
bool rule_key_at(size_t i, struct rule_key *out);
/* Whether a body may have that key, for any type. */
bool rule_key_is(const char *name);

#endif
