/* SPDX-License-Identifier: Apache-2.0
 * Evaluation of compiled selections and conditions. */
#include "detect/rule_match.h"

#include <stdlib.h>
#include <string.h>

#include "detect/rule_compile.h"

static bool ends_with(struct span s, struct span end, bool is_cased)
{
    if (s.size < end.size)
        return false;
    struct span tail = span_from(s, s.size - end.size);
    return is_cased ? span_eq(tail, end) : span_eq_nocase(tail, end);
}

static bool fits_text(const struct test *t, const struct operand *o, struct span s)
{
    switch (t->op) {
    case OP_EQUALS: return t->is_cased ? span_eq(s, o->text) : span_eq_nocase(s, o->text);
    case OP_CONTAINS: return (t->is_cased ? span_find(s, o->text, 0) : span_find_nocase(s, o->text, 0)) != SIZE_MAX;
    case OP_STARTS: return t->is_cased ? span_starts(s, o->text) : span_starts_nocase(s, o->text);
    case OP_ENDS: return ends_with(s, o->text, t->is_cased);
    case OP_RE: return regex_match(o->regex, s);
    case OP_LIST: return word_list_has(o->list, s);
    default: return false;
    }
}

static bool fits_number(const struct test *t, const struct operand *o, double x)
{
    switch (t->op) {
    case OP_EQUALS: return !(x < o->number) && !(x > o->number);
    case OP_GT: return x > o->number;
    case OP_GTE: return x >= o->number;
    case OP_LT: return x < o->number;
    case OP_LTE: return x <= o->number;
    default: return false;
    }
}

static bool fits(const struct test *t, const struct operand *o, const struct field_value *value)
{
    char ip[IPADDR_TEXT_MAX];
    switch (rule_field_kind(t->field)) {
    case FIELD_TEXT: return fits_text(t, o, value->text);
    case FIELD_NUMBER: return fits_number(t, o, value->number);
    case FIELD_IP:
        return t->op == OP_CIDR ? prefix_has(&o->prefix, &value->ip) : fits_text(t, o, span_text(ipaddr_text(&value->ip, ip)));
    case FIELD_WORDS:
        for (unsigned i = 0; i < FIELD_WORDS_MAX && value->words[i]; i++)
            if (fits_text(t, o, span_text(value->words[i])))
                return true;
    }
    return false;
}

static bool holds(const struct test *t, const struct rule_view *v)
{
    struct field_value value;
    if (t->op == OP_ACTIONS)
        return t->bits >> v->a->action & 1;
    if (t->op == OP_BITS) {
        uint32_t bits = rule_field_bits(t->field, v) & t->bits;
        return t->is_all ? bits == t->bits : bits != 0;
    }
    rule_field_get(t->field, v, &value);
    if (t->op == OP_EXISTS)
        return value.is_there == (t->n > 0);
    if (!value.is_there)
        return false;
    for (unsigned i = 0; i < t->n; i++)
        if (fits(t, &t->values[i], &value) != t->is_all)
            return !t->is_all;
    return t->is_all;
}

static bool all_hold(const struct alternative *a, const struct rule_view *v)
{
    for (unsigned i = 0; i < a->n; i++)
        if (!holds(&a->tests[i], v))
            return false;
    return true;
}

bool rule_match_one(const struct rule_match *m, unsigned selection, const struct rule_view *v)
{
    const struct selection *s = &m->selections[selection];
    if (!(s->actions >> v->a->action & 1))
        return false;
    for (unsigned i = 0; i < s->n; i++)
        if (all_hold(&s->alternatives[i], v))
            return true;
    return false;
}

/* The condition is in postfix order with jumps: what is decided by its left side asks nothing of its right. */
bool rule_match(const struct rule_match *m, const struct rule_view *v)
{
    bool is = false;
    for (unsigned i = 0; i < m->n_steps; i++) {
        const struct step *s = &m->steps[i];
        switch (s->kind) {
        case STEP_ASK: is = rule_match_one(m, s->at, v); break;
        case STEP_NOT: is = !is; break;
        case STEP_JUMP_TRUE: i = is ? s->at - 1 : i; break;
        case STEP_JUMP_FALSE: i = is ? i : s->at - 1; break;
        }
    }
    return is;
}

int rule_match_selection(const struct rule_match *m, const char *name)
{
    for (unsigned i = 0; i < m->n; i++)
        if (strcmp(m->selections[i].name, name) == 0)
            return (int)i;
    return -1;
}

const char *rule_match_name(const struct rule_match *m, unsigned selection)
{
    return m->selections[selection].name;
}

uint32_t rule_match_actions(const struct rule_match *m)
{
    return m->actions;
}

uint32_t rule_match_actions_of(const struct rule_match *m, unsigned selection)
{
    return m->selections[selection].actions;
}

static void each_test(const struct rule_match *m, void (*fn)(void *ctx, const struct test *t), void *ctx)
{
    for (unsigned i = 0; i < m->n; i++)
        for (unsigned k = 0; k < m->selections[i].n; k++)
            for (unsigned j = 0; j < m->selections[i].alternatives[k].n; j++)
                fn(ctx, &m->selections[i].alternatives[k].tests[j]);
}

struct asking {
    void (*fn)(void *ctx, struct span id, const struct yaml_node *at);
    void *ctx;
    unsigned n;
};

static void ask_rules(void *ctx, const struct test *t)
{
    struct asking *asking = ctx;
    if (t->op == OP_ACTIONS || strcmp(rule_field_name(t->field), "rule.id") != 0)
        return;
    asking->n++;
    for (unsigned i = 0; i < t->n && asking->fn && t->op == OP_EQUALS; i++)
        asking->fn(asking->ctx, t->values[i].text, t->values[i].at);
}

bool rule_match_asks_rules(const struct rule_match *m)
{
    struct asking asking = {0};
    each_test(m, ask_rules, &asking);
    return asking.n > 0;
}

void rule_match_rules(const struct rule_match *m, void (*fn)(void *ctx, struct span id, const struct yaml_node *at), void *ctx)
{
    struct asking asking = {fn, ctx, 0};
    each_test(m, ask_rules, &asking);
}

const char *rule_match_unused(const struct rule_match *m, unsigned i)
{
    for (unsigned k = 0; k < m->n; k++)
        if (!m->selections[k].is_named && i-- == 0)
            return m->selections[k].name;
    return NULL;
}

static void add_gave_up(void *ctx, const struct test *t)
{
    for (unsigned i = 0; i < t->n && t->op == OP_RE; i++)
        *(uint64_t *)ctx += regex_gave_up(t->values[i].regex);
}

uint64_t rule_match_gave_up(const struct rule_match *m)
{
    uint64_t n = 0;
    each_test(m, add_gave_up, &n);
    return n;
}

static void free_test(void *ctx, const struct test *t)
{
    (void)ctx;
    for (unsigned i = 0; i < t->n && t->values; i++) {
        regex_free(t->values[i].regex);
        word_list_free(t->values[i].list);
    }
    free(t->values);
}

void rule_match_free(struct rule_match *m)
{
    if (!m)
        return;
    each_test(m, free_test, NULL);
    for (unsigned i = 0; i < m->n; i++)
        for (unsigned k = 0; k < m->selections[i].n; k++)
            free(m->selections[i].alternatives[k].tests);
    for (unsigned i = 0; i < m->n; i++)
        free(m->selections[i].alternatives);
    free(m);
}
