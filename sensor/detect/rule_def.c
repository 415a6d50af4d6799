/* SPDX-License-Identifier: Apache-2.0
 * The body of a rule: one table of numbers, and the keys that name fields, selections and lists. */
#include "detect/rule_def.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#define DAY 86400.0

/* Which types take a key: bits by their place in the table of rule_type.c. */
enum {
    ANY = 1, BLACK = 2, WHITE = 4, CHANGE = 8, FREQUENCY = 16, SPIKE = 32, FLAT = 64, TERM = 128, CARDINALITY = 256, METRIC = 512,
    PERCENT = 1024, TEMPORAL = 2048, ORDERED = 4096, EVERY = 8191
};

static const struct number {
    const char *name;
    unsigned types, needed; /* which take it, which cannot be without it */
    enum unit unit;
    size_t at;
    double usual, min, max;
    const char *help;
} numbers[] = {
#define AT(member) offsetof(struct rule_params, member)
    {"timeframe", CHANGE | FREQUENCY | SPIKE | FLAT | CARDINALITY | METRIC | PERCENT | TEMPORAL | ORDERED,
     FREQUENCY | SPIKE | FLAT | CARDINALITY | METRIC | PERCENT | TEMPORAL | ORDERED, UNIT_TIME, AT(timeframe_s), 0, 2, 90 * DAY,
     "how far back in packet time is looked"},
    {"gte", FREQUENCY | CARDINALITY | METRIC | PERCENT, FREQUENCY, UNIT_NUMBER, AT(gte), 0, -1e18, 1e18, "fires from so much on"},
    {"lt", FLAT | CARDINALITY | METRIC | PERCENT, FLAT, UNIT_NUMBER, AT(lt), 0, -1e18, 1e18, "fires below so much"},
    {"height", SPIKE, SPIKE, UNIT_NUMBER, AT(height), 0, 1, 1e9, "how many times the timeframe before"},
    {"min-events", SPIKE | TERM | METRIC | PERCENT, 0, UNIT_NUMBER, AT(min_events), 0, 0, 1e9,
     "with fewer acts nothing is said; of a spike: in the timeframe now"},
    {"min-reference", SPIKE, 0, UNIT_NUMBER, AT(reference), 1, 0, 1e18, "the same in the timeframe before"},
    {"window", TERM, 0, UNIT_TIME, AT(window_s), 30 * DAY, 60, 3650 * DAY, "a value not seen for so long is new again"},
    {"learning", TERM, 0, UNIT_TIME, AT(learning_s), 7 * DAY, 0, 365 * DAY, "how long a group is watched before anything is news"},
    {"peers", TERM, 0, UNIT_NUMBER, AT(peers), 0, 0, 1e9, "a value that so many groups have had is no news; 0: it always is"},
    {"each", CARDINALITY, 0, UNIT_NUMBER, AT(each), 1, 1, 65535, "a value counts once it was seen so often"},
    {"after", ORDERED, 0, UNIT_TIME, AT(after_s), 0, 0, 90 * DAY, "so long at least lies between two stages"},
#undef AT
};

static const struct word_key {
    const char *name;
    unsigned types, needed;
    const char *help;
} words[] = {
    {"detection", EVERY, EVERY, "selections and their condition"},
    {"group-by", EVERY, CHANGE, "fields: each combination of their values is counted apart; an act without one is not counted"},
    {"realert", EVERY, 0, "how long the same group is not told again (default 1d)"},
    {"exponential-realert", EVERY, 0, "doubles that pause each time, up to so long"},
    {"reason", ANY, 0, "the field that the alert shows (default event.action)"},
    {"usual", EVERY, 0, "what is usual, for the alert"},
    {"bits", EVERY, 0, "how much it weighs in an alert's sum (0 to 20)"},
    {"field", BLACK | WHITE | SPIKE | CARDINALITY | METRIC, BLACK | WHITE | CARDINALITY | METRIC, "the field that is looked at"},
    {"fields", CHANGE | TERM, CHANGE | TERM, "the fields that are looked at, together"},
    {"list", BLACK | WHITE, 0, "the values"},
    {"list-file", BLACK | WHITE, 0, "the name of a file in lists/ with the values, one a line"},
    {"direction", SPIKE, 0, "up (default), down or both"},
    {"metric", METRIC, METRIC, "sum, avg, min or max"},
    {"match", TERM | PERCENT, PERCENT, "the selection whose share counts; of a new_term: without it a value only teaches"},
    {"stages", TEMPORAL | ORDERED, TEMPORAL | ORDERED, "names of selections"},
    {"reset", TEMPORAL | ORDERED, 0, "a selection that forgets what has been"},
};

#define N_NUMBERS (sizeof numbers / sizeof numbers[0])
#define N_WORDS (sizeof words / sizeof words[0])

static void types_text(unsigned types, char out[160])
{
    size_t used = 0;
    out[0] = 0;
    if (types == EVERY) {
        snprintf(out, 160, "all");
        return;
    }
    for (unsigned i = 0; rule_type_at(i); i++)
        if (types >> i & 1 && used < 159)
            used += (size_t)snprintf(out + used, 160 - used, "%s%s", used ? ", " : "", rule_type_at(i)->name);
}

bool rule_key_at(size_t i, struct rule_key *out)
{
    static char types[N_NUMBERS + N_WORDS][160];
    *out = (struct rule_key){0};
    if (i >= N_NUMBERS + N_WORDS)
        return false;
    bool is_number = i >= N_WORDS;
    const struct number *n = is_number ? &numbers[i - N_WORDS] : NULL;
    types_text(is_number ? n->types : words[i].types, types[i]);
    out->types = types[i];
    out->name = is_number ? n->name : words[i].name;
    out->help = is_number ? n->help : words[i].help;
    if (is_number) {
        quantity_text(n->unit, n->usual, out->usual);
        quantity_text(n->unit, n->min, out->min);
        quantity_text(n->unit, n->max, out->max);
    }
    return true;
}

bool rule_key_is(const char *name)
{
    struct rule_key key;
    for (size_t i = 0; rule_key_at(i, &key); i++)
        if (strcmp(key.name, name) == 0)
            return true;
    return false;
}

static unsigned bit_of(const struct rule_type *type)
{
    unsigned i = 0;
    while (rule_type_at(i) != type)
        i++;
    return 1u << i;
}

/* A key that the type does not take, or one it cannot be without. */
static int check_key(const struct yaml_node *root, const char *name, unsigned types, unsigned needed,
                     const struct rule_type *type, struct text *why)
{
    const struct yaml_node *n = yaml_get(root, name);
    if (n && !(types & bit_of(type))) {
        text_addf(why, "%s:%u:%u: type %s takes no '%s'", n->file, n->key_line, n->key_column, type->name, name);
        return E_CONF;
    }
    if (!n && needed & bit_of(type))
        return yaml_fail(root, why, "type %s needs '%s'", type->name, name);
    return E_OK;
}

static int read_numbers(const struct yaml_node *root, struct rule_def *r, struct text *why)
{
    for (size_t i = 0; i < N_NUMBERS; i++) {
        const struct number *k = &numbers[i];
        const struct yaml_node *n = yaml_get(root, k->name);
        double value = k->usual;
        int rc = check_key(root, k->name, k->types, k->needed, r->type, why);
        if (rc == E_OK && n)
            rc = quantity_read(n, k->name, k->unit, k->min, k->max, &value, why);
        if (rc)
            return rc;
        memcpy((char *)&r->params + k->at, &value, sizeof value);
    }
    r->params.has_gte = yaml_get(root, "gte") != NULL;
    r->params.has_lt = yaml_get(root, "lt") != NULL;
    bool is_bounded = r->params.has_gte || r->params.has_lt;
    if (!is_bounded && bit_of(r->type) & (CARDINALITY | METRIC | PERCENT))
        return yaml_fail(root, why, "type %s needs 'gte' or 'lt'", r->type->name);
    return E_OK;
}

static int read_field(const struct yaml_node *n, unsigned *out, struct text *why)
{
    const char *names[128] = {0};
    int field = n->kind == YAML_SCALAR ? rule_field_of(n->scalar) : -1;
    if (field >= 0) {
        *out = (unsigned)field;
        return E_OK;
    }
    for (unsigned i = 0; i < 127 && rule_field_name(i); i++)
        names[i] = rule_field_name(i);
    const char *nearest = n->kind == YAML_SCALAR ? yaml_nearest(n->scalar, names) : NULL;
    return yaml_fail(n, why, "the name of a field is expected%s%s%s", nearest ? "; did you mean '" : "", nearest ? nearest : "",
                     nearest ? "'?" : "");
}

static int read_fields(const struct yaml_node *n, unsigned *out, unsigned *count, struct text *why)
{
    int rc = E_OK;
    const struct yaml_node *first = n && n->kind == YAML_LIST ? n->child : n;
    for (const struct yaml_node *f = first; f && rc == E_OK; f = n->kind == YAML_LIST ? f->next : NULL) {
        if (*count == RULE_FIELDS_MAX)
            return yaml_fail(f, why, "at most %u fields", RULE_FIELDS_MAX);
        rc = read_field(f, &out[(*count)++], why);
    }
    if (rc == E_OK && n && *count == 0)
        return yaml_fail(n, why, "a field is expected");
    return rc;
}

static int read_selection(const struct yaml_node *n, const struct rule_match *m, int *out, struct text *why)
{
    *out = n && n->kind == YAML_SCALAR ? rule_match_selection(m, n->scalar) : -1;
    return !n || *out >= 0 ? E_OK : yaml_fail(n, why, "the name of a selection of 'detection' is expected");
}

static int read_stages(const struct yaml_node *n, struct rule_def *r, struct text *why)
{
    if (!n)
        return E_OK;
    int rc = n->kind == YAML_LIST ? E_OK : yaml_fail(n, why, "stages: a list of two selections or more is expected");
    for (const struct yaml_node *s = n->child; s && rc == E_OK; s = s->next) {
        int selection;
        if (r->params.n_stages == RULE_STAGES_MAX)
            return yaml_fail(s, why, "at most %u stages", RULE_STAGES_MAX);
        rc = read_selection(s, r->match, &selection, why);
        r->params.stages[r->params.n_stages++] = (unsigned)selection;
    }
    if (rc == E_OK && r->params.n_stages < 2)
        return yaml_fail(n, why, "stages: a list of two selections or more is expected");
    return rc;
}

static int read_word(const struct yaml_node *n, const char *const *valid, int *out, struct text *why)
{
    for (int i = 0; n && n->kind == YAML_SCALAR && valid[i]; i++)
        if (strcmp(valid[i], n->scalar) == 0) {
            *out = i;
            return E_OK;
        }
    return n ? yaml_fail(n, why, "%s, %s%s%s is expected", valid[0], valid[1], valid[2] ? " or " : "", valid[2] ? valid[2] : "")
             : E_OK;
}

static int read_list(const struct yaml_node *root, const char *lists, struct rule_def *r, struct text *why)
{
    const struct yaml_node *list = yaml_get(root, "list"), *file = yaml_get(root, "list-file");
    bool is_needed = bit_of(r->type) & (BLACK | WHITE);
    if (is_needed && (list != NULL) == (file != NULL))
        return yaml_fail(root, why, "type %s needs either 'list' or 'list-file'", r->type->name);
    if (file) {
        if (file->kind != YAML_SCALAR || strpbrk(file->scalar, "/\\"))
            return yaml_fail(file, why, "a list's name is expected, no path");
        return lists ? word_list_load(lists, file->scalar, &r->params.list, why)
                     : yaml_fail(file, why, "there is no directory of lists");
    }
    if (!list)
        return E_OK;
    int rc = word_list_new(&r->params.list);
    if (list->kind != YAML_LIST || !list->child)
        return yaml_fail(list, why, "list: a list of values is expected");
    for (const struct yaml_node *v = list->child; v && rc == E_OK; v = v->next) {
        rc = v->kind == YAML_SCALAR ? word_list_add(r->params.list, span_of(v->scalar, v->scalar_size)) : E_BAD;
        if (rc && rc != E_NOMEM)
            rc = yaml_fail(v, why, rc == E_STATE ? "this value stands here twice" : "a value is expected");
    }
    return rc;
}

static int read_names(const struct yaml_node *root, struct rule_def *r, struct text *why)
{
    static const char *const directions[] = {"down", "both", "up", NULL}, *const metrics[] = {"sum", "avg", "min", "max", NULL};
    int direction = 2, metric = 0, rc = E_OK;
    unsigned field = 0, n_field = 0, reason = 0, n_reason = 0;
    for (size_t i = 0; i < N_WORDS && rc == E_OK; i++)
        rc = check_key(root, words[i].name, words[i].types, words[i].needed, r->type, why);
    rc = rc ? rc : read_fields(yaml_get(root, "group-by"), r->group, &r->n_group, why);
    rc = rc ? rc : read_fields(yaml_get(root, "fields"), r->params.fields, &r->params.n_fields, why);
    rc = rc ? rc : read_fields(yaml_get(root, "field"), &field, &n_field, why);
    rc = rc ? rc : read_fields(yaml_get(root, "reason"), &reason, &n_reason, why);
    r->params.reason = n_reason ? (int)reason : -1;
    r->params.field = n_field ? (int)field : -1;
    rc = rc ? rc : read_word(yaml_get(root, "direction"), directions, &direction, why);
    rc = rc ? rc : read_word(yaml_get(root, "metric"), metrics, &metric, why);
    r->params.direction = direction == 0 ? -1 : direction == 1 ? 0 : 1;
    r->params.metric = (enum metric)metric;
    bool is_number = n_field && rule_field_kind(field) == FIELD_NUMBER;
    if (rc == E_OK && n_field && !is_number && bit_of(r->type) & (METRIC | SPIKE))
        rc = yaml_fail(yaml_get(root, "field"), why, "%s is no number", rule_field_name(field));
    return rc;
}

static int read_pauses(const struct yaml_node *root, struct rule_def *r, struct text *why)
{
    const struct yaml_node *realert = yaml_get(root, "realert"), *most = yaml_get(root, "exponential-realert");
    const struct yaml_node *bits = yaml_get(root, "bits"), *usual = yaml_get(root, "usual");
    double pause = DAY, cap = 0;
    int rc = realert ? quantity_read(realert, "realert", UNIT_TIME, 0, 90 * DAY, &pause, why) : E_OK;
    if (rc == E_OK && most)
        rc = quantity_read(most, "exponential-realert", UNIT_TIME, pause, 90 * DAY, &cap, why);
    if (rc == E_OK && bits)
        rc = quantity_read(bits, "bits", UNIT_NUMBER, 0, 20, &r->bits, why);
    if (rc == E_OK && usual && usual->kind != YAML_SCALAR)
        rc = yaml_fail(usual, why, "usual: a text is expected");
    r->realert_s = (uint32_t)pause;
    r->exponential_s = (uint32_t)cap;
    r->usual = usual ? usual->scalar : NULL;
    return rc;
}

/* The acts it must be asked about. */
static void set_actions(struct rule_def *r)
{
    r->actions = r->type->sees_all && !r->has_condition ? 0 : rule_match_actions(r->match);
    for (unsigned i = 0; i < r->params.n_stages && !r->has_condition; i++)
        r->actions |= rule_match_actions_of(r->match, r->params.stages[i]);
    if (r->params.reset >= 0 && !r->has_condition)
        r->actions |= rule_match_actions_of(r->match, (unsigned)r->params.reset);
}

static bool is_stage(const struct rule_def *r, const char *name)
{
    int at = rule_match_selection(r->match, name);
    for (unsigned i = 0; i < r->params.n_stages; i++)
        if ((int)r->params.stages[i] == at)
            return true;
    return at == r->params.reset || at == r->params.match;
}

static int check_unused(const struct yaml_node *detection, const struct rule_def *r, struct text *why)
{
    const char *name;
    for (unsigned i = 0; (name = rule_match_unused(r->match, i)); i++)
        if (!is_stage(r, name)) {
            const struct yaml_node *n = yaml_get(detection, name);
            text_addf(why, "%s:%u:%u: selection '%s' is used nowhere", n->file, n->key_line, n->key_column, name);
            return E_CONF;
        }
    return E_OK;
}

int rule_def_load(const struct detection *d, const char *lists, struct rule_def *out, struct text *why)
{
    const struct yaml_node *root = d->root, *detection = yaml_get(root, "detection");
    *out = (struct rule_def){.head = &d->rule, .detection = d, .type = rule_type_of(d->type)};
    out->params = (struct rule_params){.field = -1, .match = -1, .reset = -1, .reason = -1};
    out->is_silent = strcmp(d->level, "informational") == 0;
    out->has_condition = yaml_get(detection, "condition") != NULL;
    int rc = read_numbers(root, out, why);
    rc = rc ? rc : read_names(root, out, why);
    rc = rc ? rc : read_pauses(root, out, why);
    rc = rc ? rc : read_list(root, lists, out, why);
    rc = rc ? rc : rule_match_new(detection, lists, &out->match, why);
    rc = rc ? rc : read_stages(yaml_get(root, "stages"), out, why);
    rc = rc ? rc : read_selection(yaml_get(root, "match"), out->match, &out->params.match, why);
    rc = rc ? rc : read_selection(yaml_get(root, "reset"), out->match, &out->params.reset, why);
    rc = rc ? rc : check_unused(detection, out, why);
    if (rc == E_OK) {
        set_actions(out);
        out->is_late = rule_match_asks_rules(out->match);
    } else {
        rule_def_fini(out);
    }
    return rc;
}

void rule_def_fini(struct rule_def *r)
{
    rule_match_free(r->match);
    word_list_free(r->params.list);
    r->match = NULL;
    r->params.list = NULL;
}
