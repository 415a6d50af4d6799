/* SPDX-License-Identifier: Apache-2.0
 * Compiling one route of a profile. */
#include "app/profile_rules.h"

#include "base/err.h"

static const struct {
    const char *name;
    uint8_t bit;
} methods[] = {
    {"GET", METHOD_GET},     {"HEAD", METHOD_HEAD},     {"POST", METHOD_POST},   {"PUT", METHOD_PUT},
    {"PATCH", METHOD_PATCH}, {"DELETE", METHOD_DELETE}, {"OTHER", METHOD_OTHER}, {"ANY", METHOD_ANY},
};
#define N_METHODS (sizeof methods / sizeof methods[0])

static const char *const field_names[FIELD_N] = {"case", "customer", "file", "object", "user", "token", "mime",
                                                "signed_in", "requestor", "acts_for"};

static int methods_load(const struct yaml_node *node, struct route *out, struct text *why)
{
    if (!node) {
        out->methods = METHOD_GET;
        return E_OK;
    }
    for (const struct yaml_node *m = node_first(node); m; m = m->next) {
        uint8_t bit = 0;
        for (size_t i = 0; m->kind == YAML_SCALAR && i < N_METHODS; i++)
            if (!strcmp(methods[i].name, m->scalar))
                bit = methods[i].bit;
        if (!bit)
            return yaml_fail(m, why, "expected a method: GET, HEAD, POST, PUT, PATCH, DELETE, OTHER or ANY");
        out->methods |= bit;
        if (node->kind != YAML_LIST)
            break;
    }
    return E_OK;
}

static int tests_load(struct profile *p, const struct yaml_node *node, struct route *out, struct text *why)
{
    size_t n = node_count(node);
    if (n > 16)
        return yaml_fail(node, why, "at most 16 conditions");
    out->tests = profile_keep(p, n * sizeof *out->tests);
    if (!out->tests)
        return E_NOMEM;
    for (const struct yaml_node *m = node_first(node); m && out->n_tests < n; m = m->next) {
        struct test *t = &out->tests[out->n_tests++];
        int rc = test_load(p, out, m, t, why);
        if (rc)
            return rc;
        out->is_late |= source_is_late(&t->source);
        if (t->source.kind == SOURCE_SLOT && !slot_is_request(&p->slots[t->source.slot]))
            return yaml_fail(m, why, "a condition cannot look into the answer's body: use 'outcome'");
        out->request_slots |= source_slots(&t->source);
    }
    return E_OK;
}

static void slots_note(struct profile *p, struct route *out, const struct sources *list)
{
    for (uint8_t i = 0; i < list->n; i++) {
        if (list->list[i].kind != SOURCE_SLOT)
            continue;
        uint64_t bit = 1ULL << list->list[i].slot;
        if (slot_is_request(&p->slots[list->list[i].slot]))
            out->request_slots |= bit;
        else
            out->response_slots |= bit;
    }
}

static int fields_load(struct profile *p, const struct yaml_node *node, struct route *out, struct text *why)
{
    for (unsigned f = 0; f < FIELD_N; f++) {
        const struct yaml_node *at = yaml_get(node, field_names[f]);
        if (!at)
            continue;
        int rc = sources_load(p, out, at, field_names[f], &out->fields[f], why);
        if (rc)
            return rc;
        slots_note(p, out, &out->fields[f]);
    }
    return E_OK;
}

/* The list of a case's files: each value counts, so the slot is one of its own. */
static int objects_load(struct profile *p, const struct yaml_node *node, struct route *out, struct text *why)
{
    static const char *const keys[] = {"text", "json", "as", "names", NULL};
    int rc = yaml_check_keys(node, keys, why);
    if (rc)
        return rc;
    const struct yaml_node *text = yaml_get(node, "text"), *json = yaml_get(node, "json");
    const struct yaml_node *names = yaml_get(node, "names"), *as = yaml_get(node, "as");
    if (!text == !json || (names && !json))
        return yaml_fail(node, why, "expected 'text' or 'json' ('names' goes with json)");
    out->objects.list = profile_keep(p, sizeof *out->objects.list);
    if (!out->objects.list)
        return E_NOMEM;
    struct source *s = out->objects.list;
    const struct yaml_node *where[2] = {text ? text : json, names};
    int at[2] = {-1, -1};
    for (int i = 0; i < 2 && where[i]; i++) {
        struct slot slot = {.kind = text ? SLOT_TEXT : SLOT_JSON, .is_each = true};
        const char *reason = "";
        rc = text ? text_rule_load(where[i], &slot.text, why) : node_scalar(where[i], why);
        slot.name = json ? node_span(where[i]) : SPAN("");
        if (!rc && json && json_pointer_compile(slot.name, JSON_SCAN_TEXT, &slot.pointer, &reason))
            rc = yaml_fail(where[i], why, "'%s' is no JSON pointer: %s", where[i]->scalar, reason);
        at[i] = rc ? -1 : slot_add(p, where[i], &slot, why);
        if (at[i] < 0)
            return rc ? rc : E_CONF;
        out->response_slots |= 1ULL << at[i];
    }
    *s = (struct source){.kind = SOURCE_SLOT, .slot = (int8_t)at[0]};
    out->object_names = (int8_t)at[1];
    out->objects.n = 1;
    if (as) {
        const char *reason = "";
        s->as = profile_keep(p, sizeof *s->as);
        if (!s->as)
            return E_NOMEM;
        if (as->kind != YAML_SCALAR || pattern_compile(node_span(as), s->as, &reason))
            return yaml_fail(as, why, "no pattern: %s", reason);
    }
    return E_OK;
}

/* One column of a list of cases. */
static int column_load(struct profile *p, const struct yaml_node *node, const char *name, struct route *out,
                       enum list_column column, struct text *why)
{
    static const char *const keys[] = {"text", "json", "as", NULL};
    struct sources *to = &out->cases[column];
    int rc = yaml_check_keys(node, keys, why);
    const struct yaml_node *text = yaml_get(node, "text"), *json = yaml_get(node, "json"), *what = text ? text : json;
    if (rc || !text == !json)
        return rc ? rc : yaml_fail(node, why, "expected 'text' or 'json'");
    struct slot slot = {.kind = text ? SLOT_TEXT : SLOT_JSON, .is_each = true};
    const char *reason = "";
    rc = text ? text_rule_load(what, &slot.text, why) : node_scalar(what, why);
    slot.name = json ? node_span(what) : SPAN("");
    if (!rc && json && json_pointer_compile(slot.name, JSON_SCAN_TEXT, &slot.pointer, &reason))
        rc = yaml_fail(what, why, "'%s' is no JSON pointer: %s", what->scalar, reason);
    if (!rc && text && !slot.text.until.size)
        rc = yaml_fail(what, why, "'until' is missing: what ends each value");
    int at = rc ? -1 : slot_add(p, what, &slot, why);
    if (at < 0)
        return rc ? rc : E_CONF;
    to->list = profile_keep(p, sizeof *to->list);
    if (!to->list)
        return E_NOMEM;
    to->list[0] = (struct source){.kind = SOURCE_SLOT, .slot = (int8_t)at};
    to->n = 1;
    out->case_decode[column] = slot.text.decode;
    out->response_slots |= 1ULL << at;
    return yaml_get(node, "as") ? pattern_load(p, yaml_get(node, "as"), name, to->list, why) : E_OK;
}

static int cases_load(struct profile *p, const struct yaml_node *node, struct route *out, struct text *why)
{
    static const char *const keys[] = {"case", "customer", "requestor", NULL};
    int rc = yaml_check_keys(node, keys, why);
    if (rc)
        return rc;
    const struct yaml_node *first = yaml_get(node, keys[LIST_CASE]);
    if (!first || (!yaml_get(node, keys[LIST_CUSTOMER]) && !yaml_get(node, keys[LIST_REQUESTOR])))
        return yaml_fail(node, why, "a list of cases needs 'case', and 'customer' or 'requestor'");
    if (out->objects.n)
        return yaml_fail(node, why, "an answer lists 'objects' or 'cases', not both");
    for (unsigned i = 0; keys[i] && rc == 0; i++) {
        const struct yaml_node *column = yaml_get(node, keys[i]);
        if (!column)
            continue;
        if (!yaml_get(column, "text") != !yaml_get(first, "text"))
            return yaml_fail(column, why, "all columns stand in JSON, or all in text");
        rc = column_load(p, column, keys[i], out, (enum list_column)i, why);
    }
    return rc;
}

/* Slots of the texts that must, or must not, stand in the answer. */
static int has_load(struct profile *p, const struct yaml_node *node, uint64_t *out, struct text *why)
{
    for (const struct yaml_node *m = node_first(node); m; m = m->next) {
        struct slot slot = {.kind = SLOT_TEXT, .text = {.n_after = 1, .within = 65536}};
        int rc = node_scalar(m, why);
        if (rc)
            return rc;
        slot.text.after[0] = node_span(m);
        if (slot.text.after[0].size > TEXT_MARKER_MAX)
            return yaml_fail(m, why, "at most %d bytes", TEXT_MARKER_MAX);
        int at = slot_add(p, m, &slot, why);
        if (at < 0)
            return E_CONF;
        *out |= 1ULL << at;
        if (node->kind != YAML_LIST)
            break;
    }
    return E_OK;
}

static int named(const struct yaml_node *node, const char *const *names, uint8_t *out, struct text *why)
{
    for (uint8_t i = 0; node->kind == YAML_SCALAR && names[i]; i++)
        if (!strcmp(names[i], node->scalar)) {
            *out = i;
            return E_OK;
        }
    const char *nearest = node->kind == YAML_SCALAR ? yaml_nearest(node->scalar, names) : NULL;
    return yaml_fail(node, why, "expected one of %s, %s ...%s%s%s", names[0], names[1], nearest ? " (did you mean '" : "",
                     nearest ? nearest : "", nearest ? "'?)" : "");
}

static int first_line_load(struct profile *p, const struct yaml_node *node, struct outcome_rule *out,
                           struct text *why)
{
    struct slot slot = {.kind = SLOT_TEXT, .text = {.until = SPAN("\n"), .within = 256}};
    int rc = node_scalar(node, why);
    if (rc)
        return rc;
    int at = slot_add(p, node, &slot, why);
    out->first_line = (int8_t)at;
    out->line_glob = node_span(node);
    return at < 0 ? E_CONF : E_OK;
}

static int json_has_load(struct profile *p, const struct yaml_node *node, uint64_t *out, struct text *why)
{
    for (const struct yaml_node *m = node_first(node); m; m = m->next) {
        struct slot slot = {.kind = SLOT_JSON, .is_secret = true, .name = node_span(m)};
        const char *reason = "";
        int rc = node_scalar(m, why);
        if (rc)
            return rc;
        if (json_pointer_compile(slot.name, JSON_SCAN_SIZE, &slot.pointer, &reason))
            return yaml_fail(m, why, "'%s' is no JSON pointer: %s", m->scalar, reason);
        int at = slot_add(p, m, &slot, why);
        if (at < 0)
            return E_CONF;
        *out |= 1ULL << at;
        if (node->kind != YAML_LIST)
            break;
    }
    return E_OK;
}

static int outcome_load(struct profile *p, const struct yaml_node *node, struct outcome_rule *out, struct text *why)
{
    static const char *const keys[] = {"is", "status", "cookie", "has", "lacks", "json", "first_line", "location",
                                       "location_not", "type", NULL};
    static const char *const outcomes[] = {"unknown", "success", "failure", NULL};
    static const char *const cookies[] = {"any", "changed", "same", "first", "none", NULL};
    int rc = yaml_check_keys(node, keys, why);
    if (rc)
        return rc;
    out->first_line = -1;
    const struct yaml_node *is = yaml_get(node, "is"), *cookie = yaml_get(node, "cookie");
    if (!is)
        return yaml_fail(node, why, "'is' is missing: success or failure");
    rc = named(is, outcomes, &out->outcome, why);
    if (!rc && cookie)
        rc = named(cookie, cookies, &out->cookie, why);
    if (!rc && yaml_get(node, "status"))
        rc = status_load(yaml_get(node, "status"), out->status, &out->n_status, why);
    if (!rc && yaml_get(node, "has"))
        rc = has_load(p, yaml_get(node, "has"), &out->has, why);
    if (!rc && yaml_get(node, "json"))
        rc = json_has_load(p, yaml_get(node, "json"), &out->has, why);
    if (!rc && yaml_get(node, "lacks"))
        rc = has_load(p, yaml_get(node, "lacks"), &out->lacks, why);
    if (!rc && yaml_get(node, "first_line"))
        rc = first_line_load(p, yaml_get(node, "first_line"), out, why);
    out->location = node_span(yaml_get(node, "location"));
    out->location_not = node_span(yaml_get(node, "location_not"));
    out->type = node_span(yaml_get(node, "type"));
    return rc;
}

static int outcomes_load(struct profile *p, const struct yaml_node *node, struct route *out, struct text *why)
{
    size_t n = node_count(node);
    if (n > 16)
        return yaml_fail(node, why, "at most 16 lines");
    out->outcomes = profile_keep(p, n * sizeof *out->outcomes);
    if (!out->outcomes)
        return E_NOMEM;
    for (const struct yaml_node *m = node_first(node); m && out->n_outcomes < n; m = m->next) {
        struct outcome_rule *r = &out->outcomes[out->n_outcomes++];
        int rc = outcome_load(p, m, r, why);
        if (rc)
            return rc;
        out->response_slots |= r->has | r->lacks | (r->first_line >= 0 ? 1ULL << r->first_line : 0);
    }
    return E_OK;
}

static int frame_load(struct profile *p, const struct yaml_node *node, struct route *out, struct text *why)
{
    static const char *const keys[] = {"after", "tail", NULL};
    int rc = yaml_check_keys(node, keys, why);
    if (rc)
        return rc;
    const struct yaml_node *after = yaml_get(node, "after"), *tail = yaml_get(node, "tail");
    uint64_t bytes = 0;
    if (!after)
        return yaml_fail(node, why, "'after' is missing: what ends the frame's head");
    if (tail && (!span_u64(node_span(tail), &bytes) || bytes > 1024))
        return yaml_fail(tail, why, "expected a number of bytes");
    struct slot slot = {.kind = SLOT_TEXT, .text = {.n_after = 1, .after = {node_span(after)}, .within = 4096}};
    if (!slot.text.after[0].size || slot.text.after[0].size > TEXT_MARKER_MAX)
        return yaml_fail(after, why, "expected a text of 1 to %d bytes", TEXT_MARKER_MAX);
    int at = slot_add(p, node, &slot, why);
    out->measure_slot = (int8_t)at;
    out->measure = MEASURE_FRAME;
    out->frame_tail = (uint16_t)bytes;
    out->response_slots |= at < 0 ? 0 : 1ULL << at;
    return at < 0 ? E_CONF : E_OK;
}

static int size_load(struct profile *p, const struct yaml_node *node, struct route *out, struct text *why)
{
    static const char *const keys[] = {"base64", "frame", "upload", NULL};
    if (node->kind == YAML_SCALAR) {
        bool is_none = !strcmp(node->scalar, "none");
        if (!is_none && strcmp(node->scalar, "body") != 0)
            return yaml_fail(node, why, "expected body, none, {base64: POINTER}, {frame: ...} or {upload: FIELD}");
        out->measure = is_none ? MEASURE_NONE : MEASURE_BODY;
        return E_OK;
    }
    int rc = yaml_check_keys(node, keys, why);
    if (rc || !node->child)
        return rc ? rc : yaml_fail(node, why, "expected base64, frame or upload");
    const struct yaml_node *frame = yaml_get(node, "frame"), *base64 = yaml_get(node, "base64");
    if (frame)
        return frame_load(p, frame, out, why);
    const struct yaml_node *what = base64 ? base64 : yaml_get(node, "upload");
    struct slot slot = {.kind = base64 ? SLOT_JSON : SLOT_UPLOAD, .name = node_span(what)};
    const char *reason = "";
    rc = node_scalar(what, why);
    if (!rc && base64 && json_pointer_compile(slot.name, JSON_SCAN_BASE64, &slot.pointer, &reason))
        rc = yaml_fail(what, why, "'%s' is no JSON pointer: %s", what->scalar, reason);
    slot.is_glob = !base64 && span_find_byte(slot.name, '*', 0) != SIZE_MAX;
    int at = rc ? -1 : slot_add(p, what, &slot, why);
    if (at < 0)
        return rc ? rc : E_CONF;
    out->measure = base64 ? MEASURE_BASE64 : MEASURE_UPLOAD;
    out->measure_slot = (int8_t)at;
    if (base64)
        out->response_slots |= 1ULL << at;
    else
        out->request_slots |= 1ULL << at;
    return E_OK;
}

static int needs_load(const struct yaml_node *node, struct route *out, struct text *why)
{
    for (const struct yaml_node *m = node_first(node); m; m = m->next) {
        unsigned f = 0;
        while (f < FIELD_N && (m->kind != YAML_SCALAR || strcmp(field_names[f], m->scalar) != 0))
            f++;
        if (f == FIELD_N)
            return yaml_fail(m, why, "expected case, customer, file, object, user, token, mime, signed_in, requestor or acts_for");
        out->needs |= 1u << f;
        if (node->kind != YAML_LIST)
            break;
    }
    return E_OK;
}

static int action_load(const struct yaml_node *node, const struct yaml_node *route, struct route *out,
                       struct text *why)
{
    if (!node)
        return yaml_fail(route, why, "'action' is missing");
    int rc = node_scalar(node, why);
    if (rc || !strcmp(node->scalar, "none"))
        return rc;
    enum action action = action_of(node_span(node));
    if (action == ACTION_NONE || action >= ACTION_IDENTIFY) {
        const char *names[ACTION_IDENTIFY + 1] = {"none"};
        for (int i = 1; i < ACTION_IDENTIFY; i++)
            names[i] = action_name((enum action)i);
        const char *nearest = yaml_nearest(node->scalar, names);
        return yaml_fail(node, why, "'%s' is no action%s%s%s", node->scalar, nearest ? " (did you mean '" : "",
                         nearest ? nearest : "", nearest ? "'?)" : "");
    }
    out->action = (uint8_t)action;
    bool carries = action == ACTION_DOWNLOAD || action == ACTION_PREVIEW || action == ACTION_EXPORT;
    out->measure = carries ? MEASURE_BODY : MEASURE_NONE;
    return E_OK;
}

static int head_load(struct profile *p, const struct yaml_node *node, struct route *out, struct text *why)
{
    static const char *const keys[] = {"route", "method", "path", "when", "status", "type", "action", "case", "customer",
                                       "file", "object", "user", "token", "mime", "requestor", "objects", "cases", "size",
                                       "outcome", "needs", "signed_in", "acts_for", "verified", NULL};
    int rc = yaml_check_keys(node, keys, why);
    if (rc)
        return rc;
    const struct yaml_node *name = yaml_get(node, "route"), *path = yaml_get(node, "path");
    if (!name || !path)
        return yaml_fail(node, why, "'%s' is missing", name ? "path" : "route");
    struct template *t;
    rc = node_scalar(name, why);
    rc = rc ? rc : template_load(p, path, &t, why);
    if (rc)
        return rc;
    out->at = node;
    out->name = node_span(name);
    out->path = *t;
    out->type = node_span(yaml_get(node, "type"));
    out->object_names = out->measure_slot = -1;
    const struct yaml_node *verified = yaml_get(node, "verified");
    out->is_unseen = verified && span_eq(node_span(verified), SPAN("false"));
    return !verified || out->is_unseen ? E_OK : yaml_fail(verified, why, "expected false: a route is as its profile is otherwise");
}

int route_load(struct profile *p, const struct yaml_node *node, struct route *out, struct text *why)
{
    int rc = head_load(p, node, out, why);
    if (!rc)
        rc = methods_load(yaml_get(node, "method"), out, why);
    if (!rc)
        rc = action_load(yaml_get(node, "action"), node, out, why);
    if (!rc && yaml_get(node, "when"))
        rc = tests_load(p, yaml_get(node, "when"), out, why);
    if (!rc && yaml_get(node, "status"))
        rc = status_load(yaml_get(node, "status"), out->status, &out->n_status, why);
    out->is_late |= out->n_status || out->type.size;
    if (!rc)
        rc = fields_load(p, node, out, why);
    if (!rc && yaml_get(node, "objects"))
        rc = objects_load(p, yaml_get(node, "objects"), out, why);
    if (!rc && yaml_get(node, "cases"))
        rc = cases_load(p, yaml_get(node, "cases"), out, why);
    if (!rc && yaml_get(node, "size"))
        rc = size_load(p, yaml_get(node, "size"), out, why);
    if (!rc && yaml_get(node, "outcome"))
        rc = outcomes_load(p, yaml_get(node, "outcome"), out, why);
    if (!rc && yaml_get(node, "needs"))
        rc = needs_load(yaml_get(node, "needs"), out, why);
    return rc;
}
