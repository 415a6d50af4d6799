/* SPDX-License-Identifier: Apache-2.0
 * Compiling "where a value stands": sources, tests on them, and the slots of values inside bodies. */
#include "app/profile_rules.h"

#include "base/err.h"

static bool slot_same(const struct slot *a, const struct slot *b)
{
    const struct text_rule *x = &a->text, *y = &b->text;
    if (a->kind != b->kind || a->is_secret != b->is_secret || a->is_each != b->is_each || !span_eq(a->name, b->name))
        return false;
    if (a->kind != SLOT_TEXT)
        return a->pointer.want == b->pointer.want;
    if (x->n_after != y->n_after || !span_eq(x->until, y->until) || !span_eq(x->stop, y->stop) ||
        x->within != y->within || x->decode != y->decode)
        return false;
    for (uint8_t i = 0; i < x->n_after; i++)
        if (!span_eq(x->after[i], y->after[i]))
            return false;
    return true;
}

int slot_add(struct profile *p, const struct yaml_node *node, const struct slot *slot, struct text *why)
{
    for (uint8_t i = 0; i < p->n_slots; i++)
        if (slot_same(&p->slots[i], slot))
            return i;
    if (p->n_slots == PROFILE_SLOTS) {
        yaml_fail(node, why, "a profile may look for at most %d values in bodies", PROFILE_SLOTS);
        return -1;
    }
    p->slots[p->n_slots] = *slot;
    return p->n_slots++;
}

uint64_t source_slots(const struct source *s)
{
    return s->kind == SOURCE_SLOT ? 1ULL << s->slot : 0;
}

bool source_is_late(const struct source *s)
{
    return s->kind == SOURCE_SLOT || s->kind == SOURCE_RESPONSE_HEADER || s->kind == SOURCE_LOCATION ||
           s->kind == SOURCE_LOCATION_QUERY || s->kind == SOURCE_DISPOSITION;
}

static int marker_load(const struct yaml_node *node, struct span *out, struct text *why)
{
    int rc = node_scalar(node, why);
    if (rc)
        return rc;
    *out = node_span(node);
    if (out->size > TEXT_MARKER_MAX)
        return yaml_fail(node, why, "a marker has at most %d bytes", TEXT_MARKER_MAX);
    return E_OK;
}

static int decode_load(const struct yaml_node *node, uint8_t *out, struct text *why)
{
    static const char *const names[] = {"none", "html", "json", "url", NULL};
    int rc = node_scalar(node, why);
    if (rc)
        return rc;
    for (uint8_t i = 0; names[i]; i++)
        if (!strcmp(names[i], node->scalar)) {
            *out = i;
            return E_OK;
        }
    return yaml_fail(node, why, "'%s' is no decoding: none, html, json or url", node->scalar);
}

static void find_anchors(struct text_rule *rule)
{
    for (uint8_t i = 0; i < rule->n_after; i++)
        rule->anchor[i] = (uint8_t)span_anchor(rule->after[i]);
    rule->until_anchor = (uint8_t)span_anchor(rule->until);
    rule->stop_anchor = (uint8_t)span_anchor(rule->stop);
}

int text_rule_load(const struct yaml_node *node, struct text_rule *out, struct text *why)
{
    static const char *const keys[] = {"after", "until", "stop", "within", "decode", NULL};
    int rc = yaml_check_keys(node, keys, why);
    if (rc)
        return rc;
    const struct yaml_node *after = yaml_get(node, "after"), *within = yaml_get(node, "within");
    if (node_count(after) > TEXT_MARKERS)
        return yaml_fail(after, why, "at most %d markers", TEXT_MARKERS);
    for (const struct yaml_node *m = node_first(after); m && out->n_after < TEXT_MARKERS; m = m->next) {
        rc = marker_load(m, &out->after[out->n_after++], why);
        if (rc)
            return rc;
        if (after->kind != YAML_LIST)
            break;
    }
    if (yaml_get(node, "until"))
        rc = marker_load(yaml_get(node, "until"), &out->until, why);
    if (!rc && yaml_get(node, "stop"))
        rc = marker_load(yaml_get(node, "stop"), &out->stop, why);
    if (!rc && yaml_get(node, "decode"))
        rc = decode_load(yaml_get(node, "decode"), &out->decode, why);
    if (rc)
        return rc;
    uint64_t bytes = 0;
    if (within && (!span_u64(node_span(within), &bytes) || bytes > UINT32_MAX))
        return yaml_fail(within, why, "expected a number of bytes");
    out->within = (uint32_t)bytes;
    if (!out->n_after && !out->until.size)
        return yaml_fail(node, why, "a text needs 'after' or 'until'");
    find_anchors(out);
    return E_OK;
}

static const struct {
    const char *key;
    uint8_t kind;  /* enum source_kind */
    uint8_t slot;  /* enum slot_kind of SOURCE_SLOT */
} source_keys[] = {
    {"path", SOURCE_PATH, 0},
    {"query", SOURCE_QUERY, 0},
    {"cookie", SOURCE_COOKIE, 0},
    {"header", SOURCE_HEADER, 0},
    {"response_header", SOURCE_RESPONSE_HEADER, 0},
    {"referer", SOURCE_REFERER, 0},
    {"referer_query", SOURCE_REFERER_QUERY, 0},
    {"location", SOURCE_LOCATION, 0},
    {"location_query", SOURCE_LOCATION_QUERY, 0},
    {"disposition", SOURCE_DISPOSITION, 0},
    {"value", SOURCE_VALUE, 0},
    {"form", SOURCE_SLOT, SLOT_FORM},
    {"upload", SOURCE_SLOT, SLOT_UPLOAD},
    {"saml", SOURCE_SLOT, SLOT_SAML},
    {"id_token", SOURCE_SLOT, SLOT_ID_TOKEN},
    {"request_json", SOURCE_SLOT, SLOT_REQUEST_JSON},
    {"json", SOURCE_SLOT, SLOT_JSON},
    {"text", SOURCE_SLOT, SLOT_TEXT},
};
#define N_SOURCE_KEYS (sizeof source_keys / sizeof source_keys[0])

static const char *const source_and_test_keys[] = {
    "path", "query", "cookie", "header", "response_header", "referer", "referer_query", "location", "location_query",
    "disposition", "value", "form", "upload", "saml", "id_token", "request_json", "json", "text", "as",
    "except", "is", "matches", "not", NULL,
};

static bool has_star(struct span s)
{
    return span_find_byte(s, '*', 0) != SIZE_MAX || span_find_byte(s, '?', 0) != SIZE_MAX;
}

static int slot_load(struct profile *p, const struct yaml_node *node, uint8_t kind, enum json_scan_want want,
                     struct source *out, struct text *why)
{
    struct slot slot = {.kind = kind, .is_secret = want == JSON_SCAN_SIZE};
    int rc = kind == SLOT_TEXT ? text_rule_load(node, &slot.text, why) : node_scalar(node, why);
    if (rc)
        return rc;
    if (kind != SLOT_TEXT) {
        slot.name = node_span(node);
        slot.is_glob = (kind == SLOT_FORM || kind == SLOT_UPLOAD) && has_star(slot.name);
    }
    const char *reason = "";
    if ((kind == SLOT_JSON || kind == SLOT_REQUEST_JSON) &&
        json_pointer_compile(slot.name, want, &slot.pointer, &reason))
        return yaml_fail(node, why, "'%s' is no JSON pointer: %s", node->scalar, reason ? reason : "too long");
    int at = slot_add(p, node, &slot, why);
    out->slot = (int8_t)at;
    return at < 0 ? E_CONF : E_OK;
}

int pattern_load(struct profile *p, const struct yaml_node *node, const char *field, struct source *out,
                 struct text *why)
{
    const char *reason = "";
    int rc = node_scalar(node, why);
    if (rc)
        return rc;
    out->as = profile_keep(p, sizeof *out->as);
    if (!out->as)
        return E_NOMEM;
    if (pattern_compile(node_span(node), out->as, &reason))
        return yaml_fail(node, why, "'%s' is no pattern: %s", node->scalar, reason);
    for (uint8_t i = 0; i < out->as->n; i++)
        if (!strcmp(out->as->names[i], field)) {
            out->take = span_text(out->as->names[i]);
            return E_OK;
        }
    return yaml_fail(node, why, "the pattern needs a capture {%s}", field);
}

/* The one key of a source; the others are its modifiers. */
static const struct yaml_node *source_key(const struct yaml_node *node, size_t *which)
{
    for (const struct yaml_node *m = node->child; m; m = m->next)
        for (size_t i = 0; i < N_SOURCE_KEYS; i++)
            if (!strcmp(m->key, source_keys[i].key)) {
                *which = i;
                return m;
            }
    return NULL;
}

static int template_source(struct profile *p, const struct yaml_node *node, const char *field, struct source *out,
                           struct text *why)
{
    int rc = template_load(p, node, &out->template, why);
    if (rc)
        return rc;
    int index = template_capture(out->template, span_text(field));
    if (index < 0)
        return yaml_fail(node, why, "the path needs a capture {%s}", field);
    out->slot = (int8_t)index;
    return E_OK;
}

/* One glob, or a list of them. */
static int globs_load(struct profile *p, const struct yaml_node *node, struct span **list, uint8_t *n_list, struct text *why)
{
    size_t n = node_count(node);
    if (n == 0 || n > 32)
        return yaml_fail(node, why, "expected 1 to 32 texts");
    *list = profile_keep(p, n * sizeof **list);
    if (!*list)
        return E_NOMEM;
    for (const struct yaml_node *m = node_first(node); m && *n_list < n; m = m->next) {
        int rc = node_scalar(m, why);
        if (rc)
            return rc;
        (*list)[(*n_list)++] = node_span(m);
    }
    return E_OK;
}

int source_load(struct profile *p, const struct route *route, const struct yaml_node *node, const char *field,
                bool is_secret, struct source *out, struct text *why)
{
    size_t which = 0;
    int rc = yaml_check_keys(node, source_and_test_keys, why);
    if (rc)
        return rc;
    const struct yaml_node *what = source_key(node, &which);
    if (!what)
        return yaml_fail(node, why, "expected where the value stands: path, query, form, json, text, header ...");
    out->kind = source_keys[which].kind;
    if (out->kind == SOURCE_SLOT) {
        bool is_token = source_keys[which].slot == SLOT_JSON && !strcmp(field, "token");
        enum json_scan_want want = is_secret ? JSON_SCAN_SIZE : is_token ? JSON_SCAN_LONG : JSON_SCAN_TEXT;
        rc = slot_load(p, what, source_keys[which].slot, want, out, why);
    } else if (out->kind == SOURCE_REFERER || out->kind == SOURCE_LOCATION) {
        rc = template_source(p, what, field, out, why);
    } else {
        rc = node_scalar(what, why);
        out->name = node_span(what);
    }
    if (!rc && out->kind == SOURCE_PATH) {
        int index = route ? template_capture(&route->path, out->name) : -1;
        if (index < 0)
            return yaml_fail(what, why, "the route's path has no capture {%s}", what->scalar);
        out->slot = (int8_t)index;
    }
    if (!rc && yaml_get(node, "as"))
        rc = pattern_load(p, yaml_get(node, "as"), field, out, why);
    if (!rc && yaml_get(node, "except"))
        rc = globs_load(p, yaml_get(node, "except"), &out->except, &out->n_except, why);
    return rc;
}

int sources_load(struct profile *p, const struct route *route, const struct yaml_node *node, const char *field,
                 struct sources *out, struct text *why)
{
    size_t n = node_count(node);
    if (n > 16)
        return yaml_fail(node, why, "at most 16 places");
    out->list = profile_keep(p, n * sizeof *out->list);
    if (!out->list)
        return E_NOMEM;
    for (const struct yaml_node *m = node_first(node); m && out->n < n; m = m->next) {
        for (const struct yaml_node *k = m->child; m->kind == YAML_MAP && k; k = k->next)
            if (!strcmp(k->key, "is") || !strcmp(k->key, "matches") || !strcmp(k->key, "not"))
                return yaml_fail(k, why, "'%s' belongs into 'when'", k->key);
        int rc = source_load(p, route, m, field, false, &out->list[out->n++], why);
        if (rc)
            return rc;
    }
    return E_OK;
}

int test_load(struct profile *p, const struct route *route, const struct yaml_node *node, struct test *out,
              struct text *why)
{
    const struct yaml_node *is = yaml_get(node, "is"), *matches = yaml_get(node, "matches");
    const struct yaml_node *not = yaml_get(node, "not"), *glob = matches ? matches : not;
    if ((is != NULL) + (matches != NULL) + (not != NULL) > 1)
        return yaml_fail(node, why, "only one of is, matches, not");
    out->kind = TEST_FILLED;
    if (glob) {
        int rc = globs_load(p, glob, &out->globs, &out->n_globs, why);
        if (rc)
            return rc;
        out->kind = matches ? TEST_MATCHES : TEST_NOT;
    } else if (is) {
        bool is_filled = is->kind == YAML_SCALAR && !strcmp(is->scalar, "filled");
        if (!is_filled && (is->kind != YAML_SCALAR || strcmp(is->scalar, "empty") != 0))
            return yaml_fail(is, why, "expected filled or empty");
        out->kind = is_filled ? TEST_FILLED : TEST_EMPTY;
    }
    return source_load(p, route, node, "value", !glob, &out->source, why);
}

int status_load(const struct yaml_node *node, struct status_range *out, uint8_t *n, struct text *why)
{
    if (node_count(node) > STATUS_RANGES)
        return yaml_fail(node, why, "at most %d status codes", STATUS_RANGES);
    for (const struct yaml_node *m = node_first(node); m && *n < STATUS_RANGES; m = m->next) {
        int rc = node_scalar(m, why);
        if (rc)
            return rc;
        struct span s = node_span(m);
        uint64_t code = 0;
        if (s.size == 3 && s.at[0] >= '1' && s.at[0] <= '5' && s.at[1] == 'x' && s.at[2] == 'x') {
            uint16_t low = (uint16_t)((s.at[0] - '0') * 100);
            out[(*n)++] = (struct status_range){low, (uint16_t)(low + 99)};
        } else if (span_u64(s, &code) && code >= 100 && code <= 599) {
            out[(*n)++] = (struct status_range){(uint16_t)code, (uint16_t)code};
        } else {
            return yaml_fail(m, why, "'%s' is no status: 200 or 2xx", m->scalar);
        }
        if (node->kind != YAML_LIST)
            break;
    }
    return E_OK;
}
