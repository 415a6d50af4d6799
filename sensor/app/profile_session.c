/* SPDX-License-Identifier: Apache-2.0
 * Compiling one of the ways in which a profile's credentials show themselves. */
#include "app/profile_rules.h"

#include "base/err.h"

static int claims_load(struct profile *p, const struct yaml_node *node, struct session_rule *out, struct text *why)
{
    out->jwt = profile_keep(p, sizeof *out->jwt);
    if (!out->jwt)
        return E_NOMEM;
    jwt_claims_init(out->jwt);
    if (node_count(node) > JWT_NAMES)
        return yaml_fail(node, why, "at most %d claims", JWT_NAMES);
    for (const struct yaml_node *m = node_first(node); m; m = node->kind == YAML_LIST ? m->next : NULL) {
        const char *reason = "too long";
        int rc = node_scalar(m, why);
        if (rc)
            return rc;
        if (jwt_claims_add(out->jwt, node_span(m), &reason))
            return yaml_fail(m, why, "'%s' is no claim: %s", m->scalar, reason);
    }
    return E_OK;
}

/* A pattern with a capture of this name. */
static int part_load(struct profile *p, const struct yaml_node *node, const char *name, struct pattern **out,
                     struct text *why)
{
    const char *reason = "";
    *out = profile_keep(p, sizeof **out);
    if (!*out)
        return E_NOMEM;
    int rc = node_scalar(node, why);
    if (rc)
        return rc;
    if (pattern_compile(node_span(node), *out, &reason))
        return yaml_fail(node, why, "'%s' is no pattern: %s", node->scalar, reason);
    bool has = false;
    for (uint8_t i = 0; i < (*out)->n; i++)
        has |= !strcmp((*out)->names[i], name);
    return has ? E_OK : yaml_fail(node, why, "the pattern needs a capture {%s}", name);
}

static int yes_load(const struct yaml_node *node, unsigned kind, bool *out, struct text *why)
{
    if (!node)
        return E_OK;
    struct span word = node_span(node);
    if (kind != SESSION_COOKIE)
        return yaml_fail(node, why, "'%s' goes with cookie", node->key);
    *out = span_eq(word, SPAN("true"));
    return *out || span_eq(word, SPAN("false")) ? E_OK : yaml_fail(node, why, "expected true or false");
}

int session_load(struct profile *p, const struct yaml_node *node, struct session_rule *out, struct text *why)
{
    static const char *const keys[] = {"cookie", "authorization", "header", "query", "link", "except", "public", "jwt",
                                       "min_size", "key", "acts_for", "remember", "rotates", NULL};
    int rc = yaml_check_keys(node, keys, why);
    const struct yaml_node *what = rc ? NULL : node->child;
    if (rc)
        return rc;
    unsigned kind = 0;
    while (what && kind < 5 && strcmp(what->key, keys[kind]) != 0)
        kind++;
    if (!what || kind == 5)
        return yaml_fail(node, why, "expected one of cookie, authorization, header, query, link as the first key");
    rc = node_scalar(what, why);
    if (rc)
        return rc;
    out->kind = (uint8_t)kind;
    out->name = node_span(what);
    out->except = node_span(yaml_get(node, "except"));
    out->key = node_span(yaml_get(node, "key"));
    if (out->key.size && (kind != SESSION_AUTHORIZATION || !span_eq(out->name, SPAN("basic"))))
        return yaml_fail(yaml_get(node, "key"), why, "'key' goes with authorization: basic");
    if (yaml_get(node, "acts_for") && (kind != SESSION_AUTHORIZATION || !span_eq(out->name, SPAN("basic"))))
        return yaml_fail(yaml_get(node, "acts_for"), why, "'acts_for' goes with authorization: basic");
    const struct yaml_node *min = yaml_get(node, "min_size"), *jwt = yaml_get(node, "jwt");
    uint64_t size = 0;
    if (min && (!span_u64(node_span(min), &size) || size > 4096))
        return yaml_fail(min, why, "expected a number of bytes up to 4096");
    out->min_size = (uint16_t)size;
    rc = yes_load(yaml_get(node, "remember"), kind, &out->is_remember, why);
    if (!rc)
        rc = yes_load(yaml_get(node, "rotates"), kind, &out->is_rotating, why);
    if (rc)
        return rc;
    if (yaml_get(node, "public"))
        rc = part_load(p, yaml_get(node, "public"), "public", &out->public, why);
    if (!rc && yaml_get(node, "acts_for"))
        rc = part_load(p, yaml_get(node, "acts_for"), "user", &out->acts_for, why);
    return rc || !jwt ? rc : claims_load(p, jwt, out, why);
}
