/* SPDX-License-Identifier: Apache-2.0
 * One map of declared names, and short lists of patterns, domains and services. */
#include "app/people.h"

#include "app/template.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/yaml.h"

#include <stdlib.h>

#define LIST_MAX 1024 /* patterns, domains, services */
#define NAMES_MAX 200000u

struct other { /* a declared name in lower case, as a hash -> who it is */
    const struct yaml_node *at;
    struct span name;
};

struct rewrite {
    struct pattern from;
    struct span before, after; /* around {user} in what comes of it */
};

struct people {
    struct yaml *yaml; /* owns the text everything borrows */
    bool is_folded;
    struct map *others;
    struct rewrite *rewrites;
    struct span *domains, *services;
    size_t n_rewrites, n_domains, n_services;
};

void people_free(struct people *p)
{
    if (!p)
        return;
    if (p->others)
        map_free(p->others);
    free(p->rewrites);
    free(p->domains);
    free(p->services);
    yaml_close(p->yaml);
    free(p);
}

static char lower(uint8_t c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

static void key_of(struct span name, uint8_t key[16])
{
    char text[PEOPLE_NAME];
    name = span_sub(name, 0, sizeof text);
    for (size_t i = 0; i < name.size; i++)
        text[i] = lower(name.at[i]);
    hash128(span_of(text, name.size), 0, key);
}

/* ---- reading ---- */

static int word(const struct yaml_node *node, struct span *out, struct text *why)
{
    if (node->kind != YAML_SCALAR || node->scalar_size == 0 || node->scalar_size > PEOPLE_NAME)
        return yaml_fail(node, why, "expected a text of 1 to %d bytes", PEOPLE_NAME);
    *out = span_of(node->scalar, node->scalar_size);
    return E_OK;
}

static size_t count(const struct yaml_node *list)
{
    size_t n = 0;
    for (const struct yaml_node *m = list ? list->child : NULL; m; m = m->next)
        n++;
    return n;
}

static int check_list(const struct yaml_node *node, size_t max, struct text *why)
{
    if (node && node->kind != YAML_LIST)
        return yaml_fail(node, why, "expected a list");
    if (count(node) > max)
        return yaml_fail(node, why, "at most %zu", max);
    return E_OK;
}

static int words_load(const struct yaml_node *node, struct span **list, size_t *n, struct text *why)
{
    int rc = check_list(node, LIST_MAX, why);
    if (rc || !node)
        return rc;
    *list = calloc(count(node) + 1, sizeof **list);
    if (!*list)
        return E_NOMEM;
    for (const struct yaml_node *m = node->child; m && !rc; m = m->next)
        rc = word(m, &(*list)[(*n)++], why);
    return rc;
}

static int other_add(struct people *p, const struct yaml_node *at, struct span other, struct span name, struct text *why)
{
    uint8_t key[16];
    bool is_new;
    key_of(other, key);
    struct other *o = map_touch(p->others, key, &is_new);
    if (!is_new && !span_eq(o->name, name))
        return yaml_fail(at, why, "'%.*s' is '%.*s' already, in line %u", (int)other.size, (const char *)other.at,
                         (int)o->name.size, (const char *)o->name.at, o->at->line);
    *o = (struct other){at, name};
    return E_OK;
}

static int person_load(struct people *p, const struct yaml_node *node, struct text *why)
{
    static const char *const keys[] = {"name", "also", NULL};
    struct span name, other;
    int rc = yaml_check_keys(node, keys, why);
    if (rc)
        return rc;
    const struct yaml_node *is = yaml_get(node, "name"), *also = yaml_get(node, "also");
    if (!is || !also)
        return yaml_fail(node, why, "'%s' is missing", is ? "also" : "name");
    rc = word(is, &name, why);
    rc = rc ? rc : other_add(p, is, name, name, why);
    rc = rc ? rc : check_list(also, NAMES_MAX, why);
    for (const struct yaml_node *m = also->child; m && !rc; m = m->next) {
        rc = word(m, &other, why);
        rc = rc ? rc : other_add(p, m, other, name, why);
    }
    return rc;
}

static int people_list_load(struct people *p, const struct yaml_node *node, struct text *why)
{
    size_t n = 1;
    int rc = check_list(node, NAMES_MAX, why);
    for (const struct yaml_node *m = node && !rc ? node->child : NULL; m; m = m->next)
        n += 1 + count(yaml_get(m, "also"));
    if (rc)
        return rc;
    if (n > NAMES_MAX)
        return yaml_fail(node, why, "at most %u names", NAMES_MAX);
    p->others = map_new(16, sizeof(struct other), (uint32_t)n, 0);
    if (!p->others)
        return E_NOMEM;
    for (const struct yaml_node *m = node ? node->child : NULL; m && !rc; m = m->next)
        rc = person_load(p, m, why);
    return rc;
}

static int rewrite_load(const struct yaml_node *node, struct rewrite *out, struct text *why)
{
    static const char *const keys[] = {"from", "to", NULL};
    const char *reason = "";
    struct span from, to;
    int rc = yaml_check_keys(node, keys, why);
    if (rc)
        return rc;
    const struct yaml_node *f = yaml_get(node, "from"), *t = yaml_get(node, "to");
    if (!f || !t)
        return yaml_fail(node, why, "'%s' is missing", f ? "to" : "from");
    rc = word(f, &from, why);
    rc = rc ? rc : word(t, &to, why);
    if (rc)
        return rc;
    if (pattern_compile(from, &out->from, &reason))
        return yaml_fail(f, why, "'%s' is no pattern: %s", f->scalar, reason);
    bool has = false;
    for (uint8_t i = 0; i < out->from.n; i++)
        has |= !strcmp(out->from.names[i], "user");
    size_t at = span_find(to, SPAN("{user}"), 0);
    if (!has || at == SIZE_MAX)
        return yaml_fail(has ? t : f, why, "it needs {user}");
    out->before = span_sub(to, 0, at);
    out->after = span_from(to, at + 6);
    return E_OK;
}

static int rewrites_load(struct people *p, const struct yaml_node *node, struct text *why)
{
    int rc = check_list(node, LIST_MAX, why);
    if (rc || !node)
        return rc;
    p->rewrites = calloc(count(node) + 1, sizeof *p->rewrites);
    if (!p->rewrites)
        return E_NOMEM;
    for (const struct yaml_node *m = node->child; m && !rc; m = m->next)
        rc = rewrite_load(m, &p->rewrites[p->n_rewrites++], why);
    return rc;
}

static int case_load(struct people *p, const struct yaml_node *node, struct text *why)
{
    if (!node)
        return E_OK;
    p->is_folded = node->kind == YAML_SCALAR && !strcmp(node->scalar, "fold");
    if (!p->is_folded && (node->kind != YAML_SCALAR || strcmp(node->scalar, "keep") != 0))
        return yaml_fail(node, why, "expected fold or keep");
    return E_OK;
}

static int compile(struct yaml *yaml, struct people **out, struct text *why)
{
    static const char *const keys[] = {"case", "strip_domain", "map", "people", "services", NULL};
    struct people *p = calloc(1, sizeof *p);
    if (!p) {
        yaml_close(yaml);
        return E_NOMEM;
    }
    p->yaml = yaml;
    const struct yaml_node *root = yaml_root(yaml);
    int rc = yaml_check_keys(root, keys, why);
    rc = rc ? rc : case_load(p, yaml_get(root, "case"), why);
    rc = rc ? rc : words_load(yaml_get(root, "strip_domain"), &p->domains, &p->n_domains, why);
    rc = rc ? rc : words_load(yaml_get(root, "services"), &p->services, &p->n_services, why);
    rc = rc ? rc : rewrites_load(p, yaml_get(root, "map"), why);
    rc = rc ? rc : people_list_load(p, yaml_get(root, "people"), why);
    if (rc) {
        people_free(p);
        return rc;
    }
    *out = p;
    return E_OK;
}

int people_load(const char *path, struct people **out, struct text *why)
{
    struct yaml *y;
    int rc = yaml_load(path, &y, why);
    return rc ? rc : compile(y, out, why);
}

int people_parse(const char *name, struct span content, struct people **out, struct text *why)
{
    struct yaml *y;
    int rc = yaml_parse(name, content, &y, why);
    return rc ? rc : compile(y, out, why);
}

/* ---- asking ---- */

static struct span declared(const struct people *p, struct span name)
{
    uint8_t key[16];
    if (map_size(p->others) == 0)
        return span_of(NULL, 0);
    key_of(name, key);
    const struct other *o = map_find(p->others, key);
    return o ? o->name : span_of(NULL, 0);
}

static bool is_domain(const struct people *p, struct span domain)
{
    for (size_t i = 0; i < p->n_domains; i++)
        if (span_eq_nocase(p->domains[i], domain))
            return true;
    return false;
}

/* name@domain and DOMAIN\name without a domain that is ours. */
static struct span stripped(const struct people *p, struct span name)
{
    size_t slash = span_find_byte(name, '\\', 0), at = span_find_byte(name, '@', 0);
    if (slash != SIZE_MAX && slash + 1 < name.size && is_domain(p, span_sub(name, 0, slash)))
        return span_from(name, slash + 1);
    if (at != SIZE_MAX && at && is_domain(p, span_from(name, at + 1)))
        return span_sub(name, 0, at);
    return name;
}

/* What the first pattern that fits makes of a name; false when none does, or it gets too long. */
static bool rewritten(const struct people *p, struct span name, char out[PEOPLE_NAME], size_t *size)
{
    for (size_t i = 0; i < p->n_rewrites; i++) {
        const struct rewrite *r = &p->rewrites[i];
        struct span user = pattern_take(&r->from, name, SPAN("user"));
        if (!user.size)
            continue;
        *size = r->before.size + user.size + r->after.size;
        if (*size > PEOPLE_NAME)
            return false;
        memmove(out + r->before.size, user.at, user.size);
        memcpy(out, r->before.at, r->before.size);
        memcpy(out + r->before.size + user.size, r->after.at, r->after.size);
        return true;
    }
    return false;
}

size_t people_name(const struct people *p, struct span name, char out[PEOPLE_NAME])
{
    char text[PEOPLE_NAME];
    size_t size;
    if (!name.size || name.size > PEOPLE_NAME)
        return 0;
    struct span is = declared(p, name);
    if (!is.at) {
        if (rewritten(p, name, text, &size))
            name = span_of(text, size);
        name = stripped(p, name);
        is = declared(p, name);
    }
    if (is.at)
        name = is;
    memmove(out, name.at, name.size);
    bool is_own = span_starts(span_of(out, name.size), SPAN("session:")) || span_starts(span_of(out, name.size), SPAN("token:"));
    for (size_t i = 0; p->is_folded && !is.at && !is_own && i < name.size; i++)
        out[i] = lower((uint8_t)out[i]);
    return name.size;
}

bool people_is_service(const struct people *p, struct span name)
{
    for (size_t i = 0; name.size && i < p->n_services; i++)
        if (glob_match(p->services[i], name, true))
            return true;
    return false;
}

void people_count(const struct people *p, size_t *names, size_t *patterns, size_t *services)
{
    *names = map_size(p->others);
    *patterns = p->n_rewrites + p->n_domains;
    *services = p->n_services;
}
