/* SPDX-License-Identifier: Apache-2.0
 * From the tree of a file to tests: fields and modifiers by name, values by the field's kind. */
#include "detect/rule_compile.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#define ALL_ACTIONS ((1u << ACTION_N) - 1)

static const struct {
    const char *name;
    enum op op;
    unsigned kinds; /* bit per enum field_kind that it fits */
} modifiers[] = {
    {"contains", OP_CONTAINS, 1u << FIELD_TEXT | 1u << FIELD_WORDS},
    {"startswith", OP_STARTS, 1u << FIELD_TEXT},
    {"endswith", OP_ENDS, 1u << FIELD_TEXT},
    {"re", OP_RE, 1u << FIELD_TEXT},
    {"list", OP_LIST, 1u << FIELD_TEXT | 1u << FIELD_IP},
    {"cidr", OP_CIDR, 1u << FIELD_IP},
    {"gt", OP_GT, 1u << FIELD_NUMBER},
    {"gte", OP_GTE, 1u << FIELD_NUMBER},
    {"lt", OP_LT, 1u << FIELD_NUMBER},
    {"lte", OP_LTE, 1u << FIELD_NUMBER},
    {"exists", OP_EXISTS, ~0u},
};

struct compile {
    const char *lists;
    struct text *why;
};

static int key_fail(const struct yaml_node *n, struct text *why, const char *what, struct span word, const char *nearest)
{
    text_addf(why, "%s:%u:%u: unknown %s '%.*s'%s%s%s", n->file, n->key_line, n->key_column, what, (int)word.size,
              (const char *)word.at, nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
    return E_CONF;
}

static int unknown_field(const struct yaml_node *n, struct span name, struct text *why)
{
    const char *names[128] = {0};
    char word[64];
    snprintf(word, sizeof word, "%.*s", (int)(name.size < 60 ? name.size : 60), (const char *)name.at);
    for (unsigned i = 0; i < 127 && rule_field_name(i); i++)
        names[i] = rule_field_name(i);
    return key_fail(n, why, "field", name, yaml_nearest(word, names));
}

static int read_modifier(const struct yaml_node *n, struct span word, struct test *t, struct text *why)
{
    const char *names[sizeof modifiers / sizeof modifiers[0] + 3] = {"all", "cased"};
    char text[32];
    if (span_eq(word, SPAN("all")) || span_eq(word, SPAN("cased"))) {
        *(span_eq(word, SPAN("all")) ? &t->is_all : &t->is_cased) = true;
        return E_OK;
    }
    for (size_t i = 0; i < sizeof modifiers / sizeof modifiers[0]; i++) {
        names[i + 2] = modifiers[i].name;
        if (!span_eq(word, span_text(modifiers[i].name)))
            continue;
        if (!(modifiers[i].kinds >> rule_field_kind(t->field) & 1))
            return key_fail(n, why, "use: this field has no", word, NULL);
        if (t->op != OP_EQUALS)
            return key_fail(n, why, "use: a second comparison", word, NULL);
        t->op = modifiers[i].op;
        return E_OK;
    }
    snprintf(text, sizeof text, "%.*s", (int)(word.size < 30 ? word.size : 30), (const char *)word.at);
    return key_fail(n, why, "modifier", word, yaml_nearest(text, names));
}

/* "file.name|contains|all" */
static int read_key(const struct yaml_node *n, struct test *t, struct text *why)
{
    struct span rest = span_text(n->key), part;
    char name[64];
    if (!span_split(&rest, '|', &part) || part.size >= sizeof name)
        return unknown_field(n, span_text(n->key), why);
    snprintf(name, sizeof name, "%.*s", (int)part.size, (const char *)part.at);
    int field = rule_field_of(name), rc = E_OK;
    if (field < 0)
        return unknown_field(n, part, why);
    t->field = (unsigned)field;
    while (rc == E_OK && span_split(&rest, '|', &part))
        rc = read_modifier(n, part, t, why);
    return rc;
}

static int read_word(const struct yaml_node *n, const struct test *t, struct text *why)
{
    const char *const *words = rule_field_words(t->field);
    if (!words || t->op != OP_EQUALS)
        return E_OK;
    for (const char *const *w = words; *w; w++)
        if (strcasecmp(*w, n->scalar) == 0)
            return E_OK;
    const char *nearest = yaml_nearest(n->scalar, words);
    return yaml_fail(n, why, "%s is never '%.60s'; it is %s or the like", rule_field_name(t->field), n->scalar,
                     nearest ? nearest : words[0]);
}

static int read_pattern(const struct yaml_node *n, const struct test *t, struct operand *o, const struct compile *c)
{
    struct text reason = {0};
    int rc = t->op == OP_RE ? regex_new(o->text, !t->is_cased, &o->regex, &reason) : E_OK;
    if (t->op == OP_LIST && !c->lists)
        rc = yaml_fail(n, c->why, "there is no directory of lists");
    else if (t->op == OP_LIST)
        rc = strpbrk(n->scalar, "/\\") ? yaml_fail(n, c->why, "a list's name is expected, no path")
                                       : word_list_load(c->lists, n->scalar, &o->list, c->why);
    if (rc && reason.size)
        rc = yaml_fail(n, c->why, "%s", text_str(&reason));
    text_fini(&reason);
    return rc;
}

static int read_value(const struct yaml_node *n, struct test *t, struct operand *o, const struct compile *c)
{
    enum field_kind kind = rule_field_kind(t->field);
    char *end = NULL;
    if (n->kind != YAML_SCALAR)
        return yaml_fail(n, c->why, "a value is expected");
    *o = (struct operand){.text = span_of(n->scalar, n->scalar_size), .at = n};
    if (kind == FIELD_NUMBER) {
        o->number = strtod(n->scalar, &end);
        if (end == n->scalar || *end || o->number != o->number)
            return yaml_fail(n, c->why, "%s is a number", rule_field_name(t->field));
        return E_OK;
    }
    bool is_address = kind == FIELD_IP && t->op != OP_LIST;
    if (is_address && !prefix_parse(o->text, &o->prefix))
        return yaml_fail(n, c->why, "'%.60s' is no address or prefix (10.0.0.0/8, 2001:db8::/32)", n->scalar);
    if (is_address)
        t->op = OP_CIDR;
    if (o->text.size == 0)
        return yaml_fail(n, c->why, "an empty value fits nothing; '|exists: false' asks whether the field is absent");
    int rc = read_word(n, t, c->why);
    return rc ? rc : read_pattern(n, t, o, c);
}

static int read_exists(const struct yaml_node *n, struct test *t, struct text *why)
{
    if (n->kind != YAML_SCALAR || (strcmp(n->scalar, "true") != 0 && strcmp(n->scalar, "false") != 0))
        return yaml_fail(n, why, "exists: true or false is expected");
    t->n = strcmp(n->scalar, "true") == 0;
    return E_OK;
}

/* event.action by plain equality becomes bits: the key to asking few rules about an act. */
static int fold_actions(struct test *t, struct text *why)
{
    if (strcmp(rule_field_name(t->field), "event.action") != 0 || t->op != OP_EQUALS)
        return E_OK;
    for (unsigned i = 0; i < t->n; i++) {
        enum action action = action_of(t->values[i].text);
        const char *names[ACTION_N] = {0};
        for (int k = 1; k < ACTION_N; k++)
            names[k - 1] = action_name((enum action)k);
        if (action == ACTION_NONE) {
            const char *nearest = yaml_nearest(t->values[i].at->scalar, names);
            return yaml_fail(t->values[i].at, why, "no action is called '%.60s'%s%s%s", t->values[i].at->scalar,
                             nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
        }
        t->bits |= 1u << action;
    }
    if (t->is_all && t->n > 1)
        return yaml_fail(t->values[0].at, why, "an act has one action: it cannot have all of these");
    t->op = OP_ACTIONS;
    return E_OK;
}

/* Of a field of few words, plain equality becomes bits: no text is compared for an act. */
static void fold_words(struct test *t)
{
    uint32_t bits = 0;
    if (t->op != OP_EQUALS || !rule_field_word(t->field, 0))
        return;
    for (unsigned i = 0; i < t->n; i++) {
        const char *word;
        uint32_t before = bits;
        for (unsigned bit = 0; (word = rule_field_word(t->field, bit)); bit++)
            if (t->is_cased ? span_eq(t->values[i].text, span_text(word)) : span_eq_nocase(t->values[i].text, span_text(word)))
                bits |= 1u << bit;
        if (bits == before && t->is_all)
            return; /* never, or a word twice */
    }
    t->bits = bits;
    t->op = OP_BITS;
}

/* What costs less is asked first: all must hold, in whatever order. */
static int cost_of(const struct test *t)
{
    if (t->op == OP_ACTIONS || t->op == OP_BITS)
        return 0;
    return rule_field_kind(t->field) == FIELD_NUMBER || t->op == OP_EXISTS ? 1 : t->op == OP_RE || t->op == OP_LIST ? 3 : 2;
}

static void sort_by_cost(struct alternative *a)
{
    for (unsigned i = 1; i < a->n; i++)
        for (unsigned k = i; k > 0 && cost_of(&a->tests[k]) < cost_of(&a->tests[k - 1]); k--) {
            struct test t = a->tests[k];
            a->tests[k] = a->tests[k - 1];
            a->tests[k - 1] = t;
        }
}

static int read_test(const struct yaml_node *n, struct test *t, const struct compile *c)
{
    int rc = read_key(n, t, c->why);
    if (rc)
        return rc;
    if (t->op == OP_EXISTS)
        return read_exists(n, t, c->why);
    unsigned count = 0;
    const struct yaml_node *first = n->kind == YAML_LIST ? n->child : n;
    for (const struct yaml_node *v = first; v; v = n->kind == YAML_LIST ? v->next : NULL)
        count++;
    if (count == 0)
        return yaml_fail(n, c->why, "an empty list fits nothing");
    t->values = calloc(count, sizeof *t->values);
    if (!t->values)
        return E_NOMEM;
    for (const struct yaml_node *v = first; v && rc == E_OK; v = n->kind == YAML_LIST ? v->next : NULL)
        rc = read_value(v, t, &t->values[t->n++], c);
    rc = rc ? rc : fold_actions(t, c->why);
    if (rc == E_OK)
        fold_words(t);
    return rc;
}

static int read_alternative(const struct yaml_node *n, struct alternative *a, uint32_t *actions, const struct compile *c)
{
    unsigned count = 0;
    if (n->kind != YAML_MAP || !n->child)
        return yaml_fail(n, c->why, "a selection is a map (field: value), or a list of maps");
    for (const struct yaml_node *k = n->child; k; k = k->next)
        count++;
    a->tests = calloc(count, sizeof *a->tests);
    int rc = a->tests ? E_OK : E_NOMEM;
    uint32_t can = ALL_ACTIONS;
    for (const struct yaml_node *k = n->child; k && rc == E_OK; k = k->next) {
        struct test *t = &a->tests[a->n++];
        rc = read_test(k, t, c);
        can &= t->op == OP_ACTIONS ? t->bits : ALL_ACTIONS;
    }
    *actions |= can;
    sort_by_cost(a);
    if (rc == E_OK && can == 0)
        return yaml_fail(n, c->why, "no act has two actions: this can never hold");
    return rc;
}

static int read_selection(const struct yaml_node *n, struct selection *s, const struct compile *c)
{
    unsigned count = 0;
    s->name = n->key;
    const struct yaml_node *first = n->kind == YAML_LIST ? n->child : n;
    for (const struct yaml_node *a = first; a; a = n->kind == YAML_LIST ? a->next : NULL)
        count++;
    s->alternatives = calloc(count ? count : 1, sizeof *s->alternatives);
    int rc = s->alternatives ? E_OK : E_NOMEM;
    if (count == 0)
        return yaml_fail(n, c->why, "a selection is a map (field: value), or a list of maps");
    for (const struct yaml_node *a = first; a && rc == E_OK; a = n->kind == YAML_LIST ? a->next : NULL)
        rc = read_alternative(a, &s->alternatives[s->n++], &s->actions, c);
    return rc;
}

int rule_match_new(const struct yaml_node *detection, const char *lists, struct rule_match **out, struct text *why)
{
    if (!detection || detection->kind != YAML_MAP)
        return yaml_fail(detection ? detection : detection, why, "detection: a map of selections is expected");
    struct rule_match *m = calloc(1, sizeof *m);
    struct compile c = {lists, why};
    int rc = m ? E_OK : E_NOMEM;
    for (const struct yaml_node *n = detection->child; n && rc == E_OK; n = n->next) {
        if (strcmp(n->key, "condition") == 0)
            continue;
        if (m->n == SELECTIONS_MAX)
            rc = yaml_fail(n, why, "more than %u selections", SELECTIONS_MAX);
        else
            rc = read_selection(n, &m->selections[m->n++], &c);
    }
    if (rc == E_OK && m->n == 0)
        rc = yaml_fail(detection, why, "detection: a selection is expected");
    if (rc == E_OK)
        rc = rule_condition(m, yaml_get(detection, "condition"), why);
    if (rc)
        rule_match_free(m);
    else
        *out = m;
    return rc;
}
