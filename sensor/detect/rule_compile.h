/* SPDX-License-Identifier: Apache-2.0
 * The compiled form of a rule's 'detection:'. Inside rule_match.c and rule_compile.c only. */
#ifndef DETECT_RULE_COMPILE_H
#define DETECT_RULE_COMPILE_H

#include "base/regex.h"
#include "detect/rule_match.h"
#include "detect/word_list.h"

#define STEPS_MAX 128u

enum op {
    OP_EQUALS, OP_CONTAINS, OP_STARTS, OP_ENDS, OP_RE, OP_LIST, OP_CIDR, OP_GT, OP_GTE, OP_LT, OP_LTE, OP_EXISTS,
    OP_ACTIONS, /* event.action, as bits */
    OP_BITS,    /* a field of few words, as bits */
};

struct operand {
    struct span text;
    double number;
    struct prefix prefix;
    struct regex *regex;
    struct word_list *list;
    const struct yaml_node *at;
};

struct test {
    unsigned field, n;
    enum op op;
    bool is_cased, is_all; /* is_all: each value must fit, not any */
    uint32_t bits; /* OP_ACTIONS, OP_BITS */
    struct operand *values; /* OP_EXISTS: none; n = 1 means that it must be there */
};

struct alternative { /* all of its tests */
    struct test *tests;
    unsigned n;
};

struct selection { /* any of its alternatives */
    const char *name;
    struct alternative *alternatives;
    unsigned n;
    uint32_t actions;
    bool is_named; /* in the condition, or as a stage */
};

struct step {
    enum { STEP_ASK, STEP_NOT, STEP_JUMP_TRUE, STEP_JUMP_FALSE } kind;
    unsigned at; /* selection, or the step to go on with */
};

struct rule_match {
    struct selection selections[SELECTIONS_MAX];
    unsigned n;
    struct step steps[STEPS_MAX];
    unsigned n_steps;
    uint32_t actions;
};

/* Compiles 'condition:' once the selections are there. E_CONF. */
int rule_condition(struct rule_match *m, const struct yaml_node *condition, struct text *why);

#endif
