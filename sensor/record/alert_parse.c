/* SPDX-License-Identifier: Apache-2.0
 * A line of the alert log back into an alert, so that it can be told in any other format. */
#include "base/err.h"
#include "record/act_fields.h"
#include "record/alert.h"
#include "record/json_tree.h"

#include <math.h>
#include <stdlib.h>

struct alert_kept {
    struct alert alert;
    struct rule rule;
    char words[8192]; /* the rule's texts */
    size_t used;
};

struct parse {
    struct tree tree;
    struct alert_kept *kept;
    struct alert *a;
};

/* A copy that lives as long as the alert; what does not fit is cut. */
static const char *keep(struct alert_kept *k, struct span s)
{
    char *at = k->words + k->used;
    size_t room = sizeof k->words - k->used;
    size_t size = s.size < room ? s.size : room ? room - 1 : 0;
    if (!room)
        return "";
    if (size)
        memcpy(at, s.at, size);
    at[size] = 0;
    k->used += size + 1;
    return at;
}

static const char *keep_text(struct parse *p, const char *path)
{
    return keep(p->kept, tree_text(&p->tree, path));
}

static struct span item_text(const json_t *item)
{
    return json_is_string(item) ? span_of(json_string_value(item), json_string_length(item)) : span_of(NULL, 0);
}

static void read_tactics(struct parse *p)
{
    json_t *ids = tree_find(&p->tree, "threat.tactic.id");
    for (size_t i = 0; i < json_array_size(ids) && i + 1 < sizeof p->kept->rule.tactics / sizeof(char *); i++)
        p->kept->rule.tactics[i] = keep(p->kept, item_text(json_array_get(ids, i)));
}

/* A technique of which there are sub-techniques stands for itself alone no more. */
static void read_techniques(struct parse *p)
{
    struct rule *r = &p->kept->rule;
    json_t *ids = tree_find(&p->tree, "threat.technique.id"),
           *subs = tree_find(&p->tree, "threat.technique.subtechnique.id");
    size_t n = 0, most = sizeof r->techniques / sizeof(char *) - 1;
    for (size_t i = 0; i < json_array_size(ids); i++) {
        struct span id = item_text(json_array_get(ids, i));
        bool has_sub = false;
        for (size_t k = 0; k < json_array_size(subs) && n < most; k++) {
            struct span sub = item_text(json_array_get(subs, k));
            if (sub.size <= id.size || !span_starts(sub, id) || sub.at[id.size] != '.')
                continue;
            r->techniques[n++] = keep(p->kept, sub);
            has_sub = true;
        }
        if (!has_sub && n < most)
            r->techniques[n++] = keep(p->kept, id);
    }
}

static void read_rule(struct parse *p)
{
    struct rule *r = &p->kept->rule;
    p->a->rule = r;
    r->id = keep_text(p, "rule.id");
    r->name = keep_text(p, "rule.name");
    r->action = keep_text(p, "event.action");
    r->category = keep_text(p, "rule.category");
    r->description = keep_text(p, "rule.description");
    r->first_step = keep_text(p, "casetap.first_step");
    if (!r->id[0])
        tree_complain(&p->tree, "rule.id", "missing");
    read_tactics(p);
    read_techniques(p);
}

static double number_of(const json_t *item)
{
    return json_is_number(item) ? json_number_value(item) : (double)NAN;
}

static void read_why(struct parse *p)
{
    json_t *list = tree_find(&p->tree, "casetap.why");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        const json_t *field = json_object_get(item, "field"), *value = json_object_get(item, "value");
        const json_t *usual = json_object_get(item, "usual");
        if (!json_is_string(field) || !json_is_string(value) || !json_is_string(usual))
            tree_complain(&p->tree, "casetap.why", "expected field, value and usual");
        else
            alert_why(p->a, json_string_value(field), json_string_value(value), json_string_value(usual),
                      number_of(json_object_get(item, "bits")));
    }
}

/* related.ip is: source, the connection's other end, server, and what else there is, each once. */
static void read_related_ips(struct parse *p)
{
    json_t *list = tree_find(&p->tree, "related.ip");
    struct alert *a = p->a;
    size_t n = json_array_size(list), n_before = 0, server_at = SIZE_MAX;
    struct ipaddr ip;
    for (size_t i = 0; i < n; i++) {
        if (!ipaddr_parse(item_text(json_array_get(list, i)), &ip)) {
            tree_complain(&p->tree, "related.ip", "expected IP addresses");
            return;
        }
        if (server_at == SIZE_MAX && ipaddr_eq(&ip, &a->last.server.ip))
            server_at = i;
    }
    for (size_t i = 0; i < n; i++) {
        (void)ipaddr_parse(item_text(json_array_get(list, i)), &ip); /* it was, above */
        if (ipaddr_eq(&ip, &a->last.source) || ipaddr_eq(&ip, &a->last.server.ip))
            continue;
        if (n_before++ == 0 && server_at != SIZE_MAX && i < server_at)
            a->last.peer.ip = ip;
        else
            alert_relate_ip(a, &ip);
    }
}

static void read_related(struct parse *p)
{
    json_t *users = tree_find(&p->tree, "related.user"), *customers = tree_find(&p->tree, "casetap.customers");
    struct span user = tree_text(&p->tree, "user.name");
    for (size_t i = 0; i < json_array_size(users); i++) {
        struct span name = item_text(json_array_get(users, i));
        if (!span_eq(name, user))
            alert_relate_user(p->a, name);
    }
    for (size_t i = 0; i < json_array_size(customers); i++)
        alert_relate_customer(p->a, item_text(json_array_get(customers, i)));
    read_related_ips(p);
}

/* "17.4", "10" */
static void read_version(struct span s, uint16_t *major, uint16_t *minor)
{
    struct span part;
    uint64_t n;
    uint16_t *const numbers[2] = {major, minor};
    for (int i = 0; i < 2 && s.size && span_split(&s, '.', &part); i++) {
        if (span_u64(part, &n) && n <= UINT16_MAX)
            *numbers[i] = (uint16_t)n;
    }
}

/* Which of n names stands at the path; 0 when none of them does: a later version may have more. */
static uint8_t read_name(struct parse *p, const char *path, const char *(*name)(int), int n)
{
    int i = tree_name(&p->tree, path, name, n);
    return i > 0 ? (uint8_t)i : 0;
}

static const char *media_at(int i)
{
    return i > FILE_BINARY ? file_type_media((enum file_type)i) : NULL;
}

static void read_act(struct parse *p)
{
    struct activity *act = &p->a->last;
    struct tree *t = &p->tree;
    uint16_t ignored;
    activity_init(act);
    act_fields_read(t, act);
    act->time_ns = p->a->time_ns;
    act->action = (uint8_t)action_of(tree_text(t, "casetap.activity.action"));
    (void)tree_hex(t, "casetap.activity.id", act->id, sizeof act->id);          /* absent: zero */
    (void)tree_hex(t, "casetap.session.id", act->session, sizeof act->session); /* absent: none */
    act->outcome = read_name(p, "event.outcome", outcome_at, OUTCOME_FAILURE + 1);
    act->source_class = read_name(p, "casetap.source.class", network_class_at, NETWORK_N);
    struct span country = tree_text(t, "source.geo.country_iso_code");
    memcpy(act->country, country.size == 2 ? (const char *)country.at : "", country.size == 2 ? 2 : 0);
    act->file.type = read_name(p, "file.mime_type", media_at, FILE_TYPES);
    act->file.has_sha256 = tree_hex(t, "file.hash.sha256", act->file.sha256, sizeof act->file.sha256);
    read_version(tree_text(t, "user_agent.version"), &act->client_major, &ignored);
    act->client_os = read_name(p, "user_agent.os.name", client_os_at, OS_N);
    read_version(tree_text(t, "user_agent.os.version"), &act->os_major, &act->os_minor);
}

static void read_head(struct parse *p)
{
    struct alert *a = p->a;
    struct tree *t = &p->tree;
    if (!span_eq(tree_text(t, "event.dataset"), SPAN("casetap.alert")))
        tree_complain(t, "event.dataset", "expected casetap.alert");
    if (!tree_hex(t, "event.id", a->id, sizeof a->id))
        tree_complain(t, "event.id", "missing");
    tree_time(t, "@timestamp", &a->time_ns);
    tree_time(t, "event.start", &a->start_ns);
    if (a->time_ns > INT64_MAX) /* a duration has to be a number for every reader */
        tree_complain(t, "@timestamp", "out of range");
    a->update = (uint32_t)tree_number_or_0(t, "casetap.update", UINT32_MAX);
    a->risk = (uint8_t)tree_number_or_0(t, "event.risk_score", 100);
    a->bits = number_of(tree_find(t, "casetap.bits"));
    a->n_acts = (uint32_t)tree_number_or_0(t, "casetap.story.acts", UINT32_MAX);
    a->n_files = (uint32_t)tree_number_or_0(t, "casetap.story.files", UINT32_MAX);
    a->n_customers = (uint32_t)tree_number_or_0(t, "casetap.story.customers", UINT32_MAX);
    a->n_cases = (uint32_t)tree_number_or_0(t, "casetap.story.cases", UINT32_MAX);
    a->n_bytes = tree_number_or_0(t, "casetap.story.bytes", INT64_MAX);
    uint64_t confidence;
    if (tree_number(t, "casetap.confidence", 100, &confidence))
        a->doubt = (uint8_t)(100 - confidence);
    struct span blind = tree_text(t, "casetap.blind");
    size_t size = blind.size < sizeof a->blind ? blind.size : sizeof a->blind - 1;
    memcpy(a->blind, size ? (const char *)blind.at : "", size);
}

struct alert_kept *alert_kept_new(void)
{
    return calloc(1, sizeof(struct alert_kept));
}

void alert_kept_free(struct alert_kept *k)
{
    free(k);
}

int alert_parse(struct span line, struct alert_kept *k, const struct alert **out, struct text *why)
{
    memset(k, 0, sizeof *k);
    struct parse p = {.kept = k, .a = &k->alert};
    if (tree_open(&p.tree, line, why))
        return E_BAD;
    read_head(&p);
    read_rule(&p);
    read_act(&p);
    read_related(&p);
    read_why(&p);
    tree_close(&p.tree);
    *out = p.tree.is_bad ? NULL : &k->alert;
    return p.tree.is_bad ? E_BAD : E_OK;
}
