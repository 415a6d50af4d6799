/* SPDX-License-Identifier: Apache-2.0
 * A line of the activity log back into an activity. */
#include "base/err.h"
#include "base/times.h"
#include "record/act_fields.h"
#include "record/ecs.h"
#include "record/json_tree.h"
#include "record/session_record.h"

#include <stdio.h>

/* One reading. */
struct parse {
    struct tree tree;
    struct activity *a;
    bool is_other_schema;
    uint64_t schema;
};

typedef const char *name_fn(int value);

static const char *size_known_at(int i)
{
    return size_known_name((enum size_known)i);
}

static const char *cred_kind_at(int i)
{
    return cred_kind_name((enum cred_kind)i);
}

static const char *assertion_at(int i)
{
    return assertion_name((enum assertion)i);
}

/* One of the n names an enum has; 0 when nothing stands at the path. */
static uint8_t read_name(struct parse *p, const char *path, name_fn *name, int n)
{
    int i = tree_name(&p->tree, path, name, n);
    if (i >= 0)
        return (uint8_t)i;
    tree_complain(&p->tree, path, "not one of the known names");
    return 0;
}

static void read_flag(struct parse *p, struct span name)
{
    for (uint32_t bit = 1; bit; bit <<= 1) {
        const char *known = activity_flag_name(bit);
        if (known && span_eq(name, span_text(known))) {
            p->a->flags |= bit;
            return;
        }
    }
    tree_complain(&p->tree, "casetap.flags", "not one of the known names");
}

/* Sets the flag when true stands at the path. */
static void read_truth(struct parse *p, const char *path, uint32_t flag)
{
    json_t *hit = tree_find(&p->tree, path);
    if (hit && !json_is_boolean(hit))
        tree_complain(&p->tree, path, "expected true or false");
    if (json_is_true(hit))
        p->a->flags |= flag;
}

static void read_coverage(struct parse *p)
{
    json_t *hit = tree_find(&p->tree, "casetap.transfer.coverage");
    if (!hit)
        return;
    double share = json_is_number(hit) ? json_number_value(hit) : -1;
    if (!(share >= 0 && share <= 1)) {
        tree_complain(&p->tree, "casetap.transfer.coverage", "expected a number from 0 to 1");
        return;
    }
    p->a->transfer_coverage = (uint32_t)(share * 1e6 + 0.5);
    p->a->flags |= ACT_TRANSFER_COVERAGE;
}

static void read_transfer(struct parse *p)
{
    struct activity *a = p->a;
    if (!tree_hex(&p->tree, "casetap.transfer.id", a->transfer_id, sizeof a->transfer_id)) {
        if (tree_find(&p->tree, "casetap.transfer"))
            tree_complain(&p->tree, "casetap.transfer.id", "missing");
        return;
    }
    a->flags |= ACT_TRANSFER;
    if (!tree_number(&p->tree, "casetap.transfer.unique_bytes", INT64_MAX, &a->transfer_bytes))
        return;
    a->flags |= ACT_TRANSFER_BYTES;
    read_coverage(p);
    read_truth(p, "casetap.transfer.complete", ACT_TRANSFER_COMPLETE);
    read_truth(p, "casetap.transfer.unsure", ACT_TRANSFER_UNSURE);
}

/* A whole number of seconds, perhaps negative. */
static void read_seconds(struct parse *p, const char *path, uint8_t bit, int32_t *out)
{
    json_t *hit = tree_find(&p->tree, path);
    if (!hit)
        return;
    json_int_t n = json_is_integer(hit) ? json_integer_value(hit) : INT64_MIN;
    if (n < INT32_MIN || n > INT32_MAX) {
        tree_complain(&p->tree, path, "expected a whole number of seconds in range");
        return;
    }
    *out = (int32_t)n;
    p->a->asserted |= bit;
}

static void read_asserted(struct parse *p, const char *path, uint8_t bit)
{
    json_t *hit = tree_find(&p->tree, path);
    if (hit && !json_is_boolean(hit))
        tree_complain(&p->tree, path, "expected true or false");
    if (json_is_true(hit))
        p->a->asserted |= bit;
}

static void read_assertion(struct parse *p)
{
    p->a->assertion = read_name(p, "casetap.identity.kind", assertion_at, ASSERTION_N);
    if (!p->a->assertion)
        return;
    read_asserted(p, "casetap.identity.signed", ASSERTED_SIGNED);
    read_asserted(p, "casetap.identity.encrypted", ASSERTED_ENCRYPTED);
    read_asserted(p, "casetap.identity.ambiguous", ASSERTED_AMBIGUOUS);
    read_seconds(p, "casetap.token.age_seconds", ASSERTED_AGE, &p->a->token_age_s);
    read_seconds(p, "casetap.token.expires_seconds", ASSERTED_EXPIRY, &p->a->token_left_s);
}

static const char *file_type_at(int i)
{
    return file_type_name((enum file_type)i);
}

static const char *file_class_at(int i)
{
    return file_class_name((enum file_class)i);
}

static void read_secrets(struct parse *p)
{
    struct file_facts *f = &p->a->file;
    uint64_t total, live;
    char path[64];
    f->is_scanned = tree_number(&p->tree, "casetap.file.secrets.total", UINT16_MAX * SECRET_KINDS, &total);
    if (!f->is_scanned)
        return;
    f->is_cut = json_is_true(tree_find(&p->tree, "casetap.file.secrets.cut"));
    for (int i = 0; i < SECRET_KINDS; i++) {
        snprintf(path, sizeof path, "casetap.file.secrets.kinds.%s", secret_kind_name((enum secret_kind)i));
        f->secrets[i] = (uint16_t)tree_number_or_0(&p->tree, path, UINT16_MAX);
    }
    if (!tree_number(&p->tree, "casetap.file.secrets.live", total, &live) || total != file_facts_secrets(f))
        tree_complain(&p->tree, "casetap.file.secrets", "its numbers do not fit each other");
    else
        f->expired = (uint16_t)(total - live);
}

static void read_file(struct parse *p)
{
    struct file_facts *f = &p->a->file;
    f->type = read_name(p, "casetap.file.type", file_type_at, FILE_TYPES);
    f->file_class = read_name(p, "casetap.file.class", file_class_at, FILE_CLASSES);
    f->is_mismatch = json_is_true(tree_find(&p->tree, "casetap.file.mismatch"));
    f->has_sha256 = tree_hex(&p->tree, "file.hash.sha256", f->sha256, sizeof f->sha256);
    read_secrets(p);
}

static void read_flags(struct parse *p)
{
    json_t *list = tree_find(&p->tree, "casetap.flags");
    if (list && !json_is_array(list))
        tree_complain(&p->tree, "casetap.flags", "expected an array");
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *item = json_array_get(list, i);
        if (json_is_string(item))
            read_flag(p, span_of(json_string_value(item), json_string_length(item)));
        else
            tree_complain(&p->tree, "casetap.flags", "expected strings");
    }
    read_truth(p, "casetap.body.complete", ACT_COMPLETE);
    read_truth(p, "casetap.user.service", ACT_SERVICE);
}

static void read_sizes(struct parse *p)
{
    struct activity *a = p->a;
    a->range_from = tree_number_or_0(&p->tree, "casetap.range.from", INT64_MAX);
    a->missing_bytes = tree_number_or_0(&p->tree, "casetap.body.missing_bytes", INT64_MAX);
    a->size_known = read_name(p, "casetap.body.known", size_known_at, SIZE_REFRAMED + 1);
    uint64_t confidence;
    if (tree_number(&p->tree, "casetap.confidence", 100, &confidence))
        a->doubt = (uint8_t)(100 - confidence);
}

static void read_addresses(struct parse *p)
{
    struct activity *a = p->a;
    tree_ip(&p->tree, "casetap.peer.ip", &a->peer.ip);
    a->peer.port = (uint16_t)tree_number_or_0(&p->tree, "casetap.peer.port", UINT16_MAX);
    struct span country = tree_text(&p->tree, "source.geo.country_iso_code");
    if (country.size && country.size < sizeof a->country)
        memcpy(a->country, country.at, country.size);
    else if (country.size)
        tree_complain(&p->tree, "source.geo.country_iso_code", "expected two letters");
    a->source_class = read_name(p, "casetap.source.class", network_class_at, NETWORK_N);
    a->client_family = (uint16_t)tree_number_or_0(&p->tree, "casetap.client.family", UINT16_MAX);
    a->client_major = (uint16_t)tree_number_or_0(&p->tree, "casetap.client.major", UINT16_MAX);
}

/* "10.15" */
static void read_os(struct parse *p)
{
    struct activity *a = p->a;
    a->client_os = read_name(p, "user_agent.os.name", client_os_at, OS_N);
    struct span rest = tree_text(&p->tree, "user_agent.os.version"), part;
    uint16_t *const numbers[2] = {&a->os_major, &a->os_minor};
    for (int i = 0; rest.size; i++) {
        uint64_t number;
        if (i == 2 || !a->client_os || !span_split(&rest, '.', &part) || !span_u64(part, &number) ||
            number > UINT16_MAX) {
            tree_complain(&p->tree, "user_agent.os.version", "expected a version");
            return;
        }
        *numbers[i] = (uint16_t)number;
    }
}

static const char *session_begin_at(int i)
{
    return session_begin_name((enum session_begin)i);
}

static uint32_t read_count(struct parse *p, const char *path)
{
    return (uint32_t)tree_number_or_0(&p->tree, path, UINT32_MAX);
}

static void read_session(struct parse *p)
{
    struct activity *a = p->a;
    struct session_so_far *s = &a->so_far;
    (void)tree_hex(&p->tree, "casetap.session.id", a->session, sizeof a->session); /* absent: none */
    if (!tree_find(&p->tree, "casetap.session.start"))
        return;
    tree_time(&p->tree, "casetap.session.start", &s->start_ns);
    if (!tree_hex(&p->tree, "casetap.session.begins", s->id, sizeof s->id))
        memcpy(s->id, a->session, sizeof s->id);
    s->begin = read_name(p, "casetap.session.begin", session_begin_at, SESSION_BEGIN_N);
    s->assets = read_count(p, "casetap.session.page_parts");
    s->values = read_count(p, "casetap.session.values.replaced");
    s->forks = read_count(p, "casetap.session.values.forks");
    s->foreign_forks = read_count(p, "casetap.session.values.foreign_forks");
    s->late = read_count(p, "casetap.session.values.late");
    s->copied = read_count(p, "casetap.session.values.copied");
}

/* One of the names, each of which stands for a bit. */
static void read_hint(struct parse *p, const char *path, const char *const names[], const uint32_t bits[], int n)
{
    struct span s = tree_text(&p->tree, path);
    for (int i = 0; s.at && i < n; i++) {
        if (span_eq(s, span_text(names[i]))) {
            p->a->hints |= bits[i];
            return;
        }
    }
    if (s.at)
        tree_complain(&p->tree, path, "not one of the known names");
}

static void read_request(struct parse *p)
{
    static const char *const referers[] = {"own", "other", "none"}, *const kinds[] = {"page", "interface"};
    static const uint32_t referer_bits[] = {HINT_REFERER_OWN, HINT_REFERER_OTHER, HINT_REFERER_NONE};
    static const uint32_t kind_bits[] = {HINT_PAGE, HINT_INTERFACE};
    read_hint(p, "casetap.request.referer", referers, referer_bits, 3);
    read_hint(p, "casetap.request.kind", kinds, kind_bits, 2);
    if (p->schema == 1)
        act_string_read(&p->tree, "http.response.mime_type", STR_MIME, p->a); /* then it was what is declared */
    if (p->schema == 1 && p->a->action != ACTION_AMEND && p->a->action != ACTION_IDENTIFY)
        p->a->hints |= activity_manner(p->a);
    p->a->rtt_us = read_count(p, "casetap.source.rtt_us");
}

static void read_head(struct parse *p)
{
    struct activity *a = p->a;
    uint64_t number, own;
    p->schema = tree_number_or_0(&p->tree, "casetap.schema", INT64_MAX);
    uint8_t flow[8] = {0};
    if (!span_u64(SPAN(ACTIVITY_SCHEMA), &own) || p->schema == 0 || p->schema > own) {
        tree_complain(&p->tree, "casetap.schema", "not a version this program reads");
        p->is_other_schema = p->schema != 0;
    }
    if (!span_eq(tree_text(&p->tree, "event.dataset"), SPAN("casetap.activity")))
        tree_complain(&p->tree, "event.dataset", "expected casetap.activity");
    tree_time(&p->tree, "@timestamp", &a->time_ns);
    tree_time(&p->tree, "casetap.done", &a->done_ns);
    if (!tree_hex(&p->tree, "casetap.flow", flow, sizeof flow))
        tree_complain(&p->tree, "casetap.flow", "missing");
    a->flow_hash = (uint64_t)flow[0];
    for (int i = 1; i < 8; i++)
        a->flow_hash = a->flow_hash << 8 | flow[i];
    if (!tree_number(&p->tree, "casetap.n", UINT32_MAX, &number))
        tree_complain(&p->tree, "casetap.n", "missing");
    a->number = (uint32_t)number;
    a->action = (uint8_t)action_of(tree_text(&p->tree, "event.action"));
    if (a->action == ACTION_NONE)
        tree_complain(&p->tree, "event.action", "not one of the known names");
    a->outcome = read_name(p, "event.outcome", outcome_at, OUTCOME_FAILURE + 1);
    if (!tree_hex(&p->tree, "event.id", a->id, sizeof a->id))
        tree_complain(&p->tree, "event.id", "missing");
    if (a->action == ACTION_AMEND && !tree_hex(&p->tree, "casetap.amends", a->amends, sizeof a->amends))
        tree_complain(&p->tree, "casetap.amends", "missing");
    a->cred_kind = read_name(p, "casetap.credential.kind", cred_kind_at, CRED_N);
}

int activity_parse(struct span line, struct activity *a, struct text *why)
{
    activity_init(a);
    struct parse p = {.a = a};
    if (tree_open(&p.tree, line, why))
        return E_BAD;
    read_head(&p);
    act_fields_read(&p.tree, p.a);
    read_addresses(&p);
    read_sizes(&p);
    read_os(&p);
    read_flags(&p);
    read_assertion(&p);
    read_transfer(&p);
    read_file(&p);
    read_session(&p);
    read_request(&p);
    tree_close(&p.tree);
    return p.is_other_schema ? E_STATE : p.tree.is_bad ? E_BAD : E_OK;
}
