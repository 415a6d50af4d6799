/* SPDX-License-Identifier: Apache-2.0
 * Conditions: "selection and not (filter or 1 of known_*)". Compiled by recursive descent to asks and jumps; 'not' binds
 * closest, then 'and', then 'or'. Beside the steps, which actions can make it hold. */
#include "detect/rule_compile.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

#define ALL_ACTIONS ((1u << ACTION_N) - 1)
#define DEPTH_MAX 16u

struct parse {
    struct rule_match *m;
    const struct yaml_node *node;
    const char *at;
    char word[64];
    unsigned depth;
    struct text *why;
};

/* What a part can hold for, and what its negation can: for plain sets of actions both are known. */
struct reach {
    uint32_t is, is_not;
};

static void next(struct parse *p)
{
    size_t n = 0;
    while (isspace((unsigned char)*p->at))
        p->at++;
    if (*p->at == '(' || *p->at == ')')
        p->word[n++] = *p->at++;
    else
        while (*p->at && !isspace((unsigned char)*p->at) && *p->at != '(' && *p->at != ')') {
            if (n + 1 < sizeof p->word)
                p->word[n++] = *p->at;
            p->at++;
        }
    p->word[n] = 0;
}

static bool is_word(const struct parse *p, const char *word)
{
    return strcasecmp(p->word, word) == 0;
}

static int emit(struct parse *p, int kind, unsigned at)
{
    if (p->m->n_steps == STEPS_MAX)
        return yaml_fail(p->node, p->why, "condition: too long");
    struct step *s = &p->m->steps[p->m->n_steps++];
    s->kind = (__typeof__(s->kind))kind;
    s->at = at;
    return E_OK;
}

static struct reach reach_of(const struct selection *s)
{
    bool is_plain = s->n == 1 && s->alternatives[0].n == 1 && s->alternatives[0].tests[0].op == OP_ACTIONS;
    return (struct reach){s->actions, is_plain ? ALL_ACTIONS & ~s->actions : ALL_ACTIONS};
}

static int unknown_selection(struct parse *p)
{
    const char *names[SELECTIONS_MAX + 1] = {0};
    for (unsigned i = 0; i < p->m->n; i++)
        names[i] = p->m->selections[i].name;
    const char *nearest = yaml_nearest(p->word, names);
    return yaml_fail(p->node, p->why, "condition: %s'%s' is no selection%s%s%s", *p->word ? "" : "it ends too early: ", p->word,
                     nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
}

static bool fits_name(const char *pattern, const char *name)
{
    size_t n = strlen(pattern);
    if (strcasecmp(pattern, "them") == 0)
        return true;
    return n && pattern[n - 1] == '*' ? strncmp(pattern, name, n - 1) == 0 : strcmp(pattern, name) == 0;
}

/* "1 of them", "all of known_*" */
static int some_of(struct parse *p, struct reach *out)
{
    bool is_all = is_word(p, "all");
    unsigned jumps[SELECTIONS_MAX], n = 0;
    next(p);
    if (!is_word(p, "of"))
        return yaml_fail(p->node, p->why, "condition: 'of' is expected after 1 or all");
    next(p);
    *out = is_all ? (struct reach){ALL_ACTIONS, 0} : (struct reach){0, ALL_ACTIONS};
    for (unsigned i = 0; i < p->m->n; i++) {
        struct selection *s = &p->m->selections[i];
        if (!fits_name(p->word, s->name))
            continue;
        struct reach r = reach_of(s);
        s->is_named = true;
        out->is = is_all ? out->is & r.is : out->is | r.is;
        out->is_not = is_all ? out->is_not | r.is_not : out->is_not & r.is_not;
        int rc = emit(p, STEP_ASK, i);
        jumps[n++] = p->m->n_steps;
        rc = rc ? rc : emit(p, is_all ? STEP_JUMP_FALSE : STEP_JUMP_TRUE, 0);
        if (rc)
            return rc;
    }
    if (n == 0)
        return unknown_selection(p);
    for (unsigned i = 0; i < n; i++)
        p->m->steps[jumps[i]].at = p->m->n_steps;
    next(p);
    return E_OK;
}

static int either(struct parse *p, struct reach *out);

static int primary(struct parse *p, struct reach *out)
{
    if (++p->depth > DEPTH_MAX)
        return yaml_fail(p->node, p->why, "condition: nested too deeply");
    int rc = E_OK;
    if (is_word(p, "not")) {
        next(p);
        rc = primary(p, out);
        *out = (struct reach){out->is_not, out->is};
        rc = rc ? rc : emit(p, STEP_NOT, 0);
    } else if (strcmp(p->word, "(") == 0) {
        next(p);
        rc = either(p, out);
        if (rc == E_OK && strcmp(p->word, ")") != 0)
            rc = yaml_fail(p->node, p->why, "condition: ')' is missing");
        next(p);
    } else if (is_word(p, "1") || is_word(p, "all")) {
        rc = some_of(p, out);
    } else {
        int i = rule_match_selection(p->m, p->word);
        if (i < 0)
            return unknown_selection(p);
        p->m->selections[i].is_named = true;
        *out = reach_of(&p->m->selections[i]);
        rc = emit(p, STEP_ASK, (unsigned)i);
        next(p);
    }
    p->depth--;
    return rc;
}

/* A chain of parts joined by 'word': the first that decides jumps to the end. */
static int chain(struct parse *p, const char *word, int (*part)(struct parse *p, struct reach *out), int jump,
                 struct reach *out)
{
    unsigned jumps[STEPS_MAX], n = 0;
    bool is_and = jump == STEP_JUMP_FALSE;
    int rc = part(p, out);
    while (rc == E_OK && is_word(p, word)) {
        struct reach r = {0, 0};
        next(p);
        jumps[n++] = p->m->n_steps;
        rc = emit(p, jump, 0);
        rc = rc ? rc : part(p, &r);
        out->is = is_and ? out->is & r.is : out->is | r.is;
        out->is_not = is_and ? out->is_not | r.is_not : out->is_not & r.is_not;
    }
    for (unsigned i = 0; i < n && rc == E_OK; i++)
        p->m->steps[jumps[i]].at = p->m->n_steps;
    return rc;
}

static int both(struct parse *p, struct reach *out)
{
    return chain(p, "and", primary, STEP_JUMP_FALSE, out);
}

static int either(struct parse *p, struct reach *out)
{
    return chain(p, "or", both, STEP_JUMP_TRUE, out);
}

/* Without a condition the only selection is meant. */
int rule_condition(struct rule_match *m, const struct yaml_node *condition, struct text *why)
{
    struct reach reach = {ALL_ACTIONS, ALL_ACTIONS};
    if (!condition) {
        m->steps[m->n_steps++] = (struct step){STEP_ASK, 0};
        m->selections[0].is_named = true;
        m->actions = m->selections[0].actions;
        return E_OK;
    }
    if (condition->kind != YAML_SCALAR || condition->scalar_size == 0)
        return yaml_fail(condition, why, "condition: a text is expected, like 'selection and not filter'");
    struct parse p = {.m = m, .node = condition, .at = condition->scalar, .why = why};
    next(&p);
    int rc = either(&p, &reach);
    if (rc == E_OK && p.word[0])
        rc = yaml_fail(condition, why, "condition: 'and' or 'or' is expected before '%s'", p.word);
    m->actions = reach.is;
    if (rc == E_OK && reach.is == 0)
        rc = yaml_fail(condition, why, "condition: no action can ever make it hold");
    return rc;
}
