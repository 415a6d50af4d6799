/* SPDX-License-Identifier: Apache-2.0
 * One table of keys; what must be there, and what form each has. */
#include "detect/detection_head.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "detect/rule_def.h"
#include "record/attack.h"

/* Sigma's levels, the risk that each stands for, and the range of risks that is called so in alerts. */
static const struct {
    const char *name;
    uint8_t usual, min, max;
} levels[] = {
    {"informational", 10, 0, 19}, {"low", 25, 20, 39}, {"medium", 50, 40, 59}, {"high", 65, 60, 79}, {"critical", 85, 80, 100},
};

static const char *const statuses[] = {"stable", "test", "experimental", "deprecated", "unsupported", NULL};
static const char *const categories[] = {"context", "integrity", "volume", "campaign", "deterministic", "navigation",
                                         "own", NULL};

static const char *const keys[] = { /* of the head */
    "title",  "id",         "name",           "status", "level", "risk",       "description", "author",   "date", "modified",
    "tags",   "references", "falsepositives", "license", "category", "first-step", "reasons", "enabled",  "type",
};

static int unknown_word(const struct yaml_node *n, const char *what, const char *const *valid, struct text *why)
{
    const char *nearest = yaml_nearest(n->scalar, valid);
    struct text list = {0};
    for (const char *const *v = valid; *v; v++)
        text_addf(&list, "%s%s", v == valid ? "" : ", ", *v);
    int rc = nearest ? yaml_fail(n, why, "%s: '%.60s' is none; did you mean '%s'?", what, n->scalar, nearest)
                     : yaml_fail(n, why, "%s: '%.60s' is none; expected one of %s", what, n->scalar, text_str(&list));
    text_fini(&list);
    return rc;
}

/* A text that must be there, if 'is_needed'. */
static int read_text(const struct yaml_node *root, const char *key, bool is_needed, const char **out, struct text *why)
{
    const struct yaml_node *n = yaml_get(root, key);
    if (!n)
        return is_needed ? yaml_fail(root, why, "'%s' is missing", key) : E_OK;
    if (n->kind != YAML_SCALAR || n->scalar_size == 0)
        return yaml_fail(n, why, "%s: a text is expected", key);
    *out = n->scalar;
    return E_OK;
}

static int read_word(const struct yaml_node *root, const char *key, const char *const *valid, const char **out,
                     struct text *why)
{
    int rc = read_text(root, key, true, out, why);
    if (rc)
        return rc;
    for (const char *const *v = valid; *v; v++)
        if (strcmp(*v, *out) == 0)
            return E_OK;
    return unknown_word(yaml_get(root, key), key, valid, why);
}

/* Ids and names end up in alerts, file names of reports and URLs: letters, digits, '-', '_' and '.' alone. */
static int check_slug(const struct yaml_node *root, const char *key, size_t max, struct text *why)
{
    const struct yaml_node *n = yaml_get(root, key);
    for (const char *c = n->scalar; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("-_.", *c))
            return yaml_fail(n, why, "%s: letters, digits, '-', '_' and '.' are allowed", key);
    return n->scalar_size > max ? yaml_fail(n, why, "%s: longer than %zu", key, max) : E_OK;
}

static int read_level(const struct yaml_node *root, struct detection *out, struct text *why)
{
    const char *names[sizeof levels / sizeof levels[0] + 1] = {0};
    const struct yaml_node *risk = yaml_get(root, "risk");
    size_t i = 0;
    for (size_t k = 0; k < sizeof levels / sizeof levels[0]; k++)
        names[k] = levels[k].name;
    int rc = read_word(root, "level", names, &out->level, why);
    while (rc == E_OK && strcmp(levels[i].name, out->level) != 0)
        i++;
    if (rc)
        return rc;
    out->rule.risk = levels[i].usual;
    if (!risk)
        return E_OK;
    char *end = NULL;
    double value = risk->kind == YAML_SCALAR ? strtod(risk->scalar, &end) : -1;
    if (!end || end == risk->scalar || *end || !(value >= levels[i].min && value <= levels[i].max))
        return yaml_fail(risk, why, "risk: of level %s it is %u to %u", out->level, levels[i].min, levels[i].max);
    out->rule.risk = (uint8_t)value;
    return E_OK;
}

static int add_id(const struct yaml_node *tag, const char **list, size_t max, const char *id, struct text *why)
{
    size_t n = 0;
    while (list[n])
        n++;
    if (n + 1 >= max)
        return yaml_fail(tag, why, "tags: at most %zu of this kind", max - 1);
    list[n] = id;
    return E_OK;
}

/* "attack.*" must be known; other tags ("cve.2023-1234", "detection.dfir") are the user's own matter. */
static int read_tags(const struct yaml_node *root, struct rule *rule, struct text *why)
{
    const struct yaml_node *tags = yaml_get(root, "tags");
    if (tags && tags->kind != YAML_LIST)
        return yaml_fail(tags, why, "tags: a list is expected, like [attack.collection, attack.t1213.004]");
    int rc = E_OK;
    for (const struct yaml_node *t = tags ? tags->child : NULL; t && rc == E_OK; t = t->next) {
        if (t->kind != YAML_SCALAR)
            return yaml_fail(t, why, "tags: a word is expected, like attack.t1078");
        if (strncmp(t->scalar, "attack.", 7) != 0)
            continue;
        const char *id = attack_tag(t->scalar);
        if (!id)
            return yaml_fail(t, why, "tags: ATT&CK v" ATTACK_VERSION " has no '%.60s' that is known here", t->scalar + 7);
        rc = id[1] == 'A' ? add_id(t, rule->tactics, sizeof rule->tactics / sizeof *rule->tactics, id, why)
                          : add_id(t, rule->techniques, sizeof rule->techniques / sizeof *rule->techniques, id, why);
    }
    return rc;
}

static int check_lists(const struct yaml_node *root, struct text *why)
{
    static const char *const lists[] = {"references", "falsepositives"};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        const struct yaml_node *list = yaml_get(root, lists[i]);
        if (list && list->kind != YAML_LIST)
            return yaml_fail(list, why, "%s: a list is expected", lists[i]);
        for (const struct yaml_node *n = list ? list->child : NULL; n; n = n->next)
            if (n->kind != YAML_SCALAR)
                return yaml_fail(n, why, "%s: a list of texts is expected", lists[i]);
    }
    return E_OK;
}

static int read_enabled(const struct yaml_node *root, bool *out, struct text *why)
{
    const struct yaml_node *n = yaml_get(root, "enabled");
    *out = true;
    if (!n)
        return E_OK;
    if (n->kind != YAML_SCALAR || n->is_quoted || (strcmp(n->scalar, "true") != 0 && strcmp(n->scalar, "false") != 0))
        return yaml_fail(n, why, "enabled: true or false is expected");
    *out = strcmp(n->scalar, "true") == 0;
    return E_OK;
}

/* Of the head, and of the body of some type; whether this type takes it is asked when the body is read. */
static int check_keys(const struct yaml_node *root, struct text *why)
{
    const char *names[64] = {"detector", "parameters"};
    size_t n = 2;
    struct rule_key key;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        names[n++] = keys[i];
    for (size_t i = 0; rule_key_at(i, &key) && n + 1 < sizeof names / sizeof *names; i++)
        names[n++] = key.name;
    return yaml_check_keys(root, names, why);
}

/* Words of the other kind of body. */
static int check_kind(const struct yaml_node *root, const char *type, struct text *why)
{
    bool is_scored = strcmp(type, "scored") == 0;
    for (const struct yaml_node *n = root->child; n; n = n->next) {
        bool is_of_scored = strcmp(n->key, "detector") == 0 || strcmp(n->key, "parameters") == 0;
        if (is_scored ? rule_key_is(n->key) : is_of_scored) {
            text_addf(why, "%s:%u:%u: type %s takes no '%s'", n->file, n->key_line, n->key_column, type, n->key);
            return E_CONF;
        }
    }
    return E_OK;
}

int detection_head(const struct yaml_node *root, struct detection *out, struct text *why)
{
    const char *unused;
    struct {
        const char *key;
        bool is_needed;
        const char **out;
    } texts[] = {
        {"title", true, &out->rule.name},
        {"id", true, &out->rule.id},
        {"name", true, &out->rule.action},
        {"description", true, &out->rule.description},
        {"first-step", true, &out->rule.first_step},
        {"type", true, &out->type},
        {"author", false, &unused},
        {"date", false, &unused},
        {"modified", false, &unused},
        {"license", false, &unused},
        {"reasons", false, &unused},
    };
    *out = (struct detection){.root = root};
    int rc = check_keys(root, why);
    for (size_t i = 0; i < sizeof texts / sizeof *texts && rc == E_OK; i++)
        rc = read_text(root, texts[i].key, texts[i].is_needed, texts[i].out, why);
    rc = rc ? rc : check_slug(root, "id", 36, why); /* Sigma's own ids are UUIDs */
    rc = rc ? rc : check_slug(root, "name", 60, why);
    rc = rc ? rc : read_word(root, "type", rule_type_names(), &out->type, why);
    rc = rc ? rc : check_kind(root, out->type, why);
    rc = rc ? rc : read_word(root, "status", statuses, &out->status, why);
    rc = rc ? rc : read_word(root, "category", categories, &out->rule.category, why);
    rc = rc ? rc : read_level(root, out, why);
    rc = rc ? rc : read_tags(root, &out->rule, why);
    rc = rc ? rc : check_lists(root, why);
    return rc ? rc : read_enabled(root, &out->is_enabled, why);
}
