/* SPDX-License-Identifier: Apache-2.0
 * OCSF 1.8.0: Detection Finding (2004) with the profile security_control. (schema.ocsf.io, Apache-2.0) */
#include "base/json.h"
#include "base/times.h"
#include "record/alert_words.h"
#include "record/attack.h"
#include "record/ecs.h"
#include "sink/format.h"

#include <stdio.h>

#define MAX_OF(list) (sizeof(list) / sizeof *(list))

/* Low 2, Medium 3, High 4, Critical 5. */
static unsigned severity_id(const struct alert *a)
{
    return a->risk < 40 ? 2 : a->risk < 60 ? 3 : a->risk < 80 ? 4 : 5;
}

static uint64_t start_of(const struct alert *a)
{
    return a->start_ns && a->start_ns <= a->time_ns ? a->start_ns : a->time_ns;
}

static void write_head(struct json *j, const struct alert *a)
{
    struct text words = {.max = 4096};
    unsigned activity = a->update ? 2 : 1; /* update, create */
    json_u64(j, "activity_id", activity);
    ecs_raw(j, SPAN("\"category_uid\":2,\"class_uid\":2004"));
    json_u64(j, "type_uid", 200400 + activity);
    json_u64(j, "time", a->time_ns / NS_PER_MS);
    json_u64(j, "start_time", start_of(a) / NS_PER_MS);
    json_u64(j, "end_time", a->time_ns / NS_PER_MS);
    if (a->n_acts)
        json_u64(j, "count", a->n_acts < INT32_MAX ? a->n_acts : INT32_MAX);
    json_u64(j, "severity_id", severity_id(a));
    ecs_raw(j, SPAN("\"status_id\":1,\"is_alert\":true,\"action_id\":3,\"disposition_id\":19"));
    json_u64(j, "risk_score", a->risk);
    json_u64(j, "confidence_score", 100u - a->doubt);
    words_message(a, &words);
    json_span(j, "message", text_span(&words));
    text_clear(&words);
    words_reason(a, &words);
    if (words.size)
        json_span(j, "risk_details", text_span(&words));
    text_fini(&words);
}

static void write_metadata(struct json *j, const struct alert *a)
{
    struct text id = {0};
    format_id(a, &id);
    text_addf(&id, "-%u", a->update);
    json_open(j, "metadata", '{');
    ecs_raw(j,
            SPAN("\"version\":\"1.8.0\",\"profiles\":[\"security_control\"],"
                 "\"product\":{\"name\":\"casetap\",\"vendor_name\":\"casetap\",\"version\":\"" CASETAP_VERSION "\"}"));
    json_span(j, "uid", text_span(&id));
    json_str(j, "event_code", a->rule->id);
    json_close(j, '}');
    text_fini(&id);
}

/* {"uid":"T1213.004","name":"..."} */
static void write_known(struct json *j, const char *key, const char *id)
{
    const char *name = attack_name(id);
    json_open(j, key, '{');
    json_str(j, "uid", id);
    json_str(j, "name", name ? name : id);
    json_close(j, '}');
}

static void write_technique(struct json *j, const char *id)
{
    char parent[16];
    snprintf(parent, sizeof parent, "%.*s", (int)strcspn(id, "."), id);
    write_known(j, "technique", parent);
    if (strchr(id, '.'))
        write_known(j, "sub_technique", id);
}

static void write_attacks(struct json *j, const struct rule *r)
{
    if (!r->tactics[0] && !r->techniques[0])
        return;
    json_open(j, "attacks", '[');
    for (size_t i = 0; i < MAX_OF(r->tactics) && r->tactics[i]; i++) {
        json_open(j, NULL, '{');
        json_str(j, "version", ATTACK_VERSION);
        write_known(j, "tactic", r->tactics[i]);
        json_close(j, '}');
    }
    for (size_t i = 0; i < MAX_OF(r->techniques) && r->techniques[i]; i++) {
        json_open(j, NULL, '{');
        json_str(j, "version", ATTACK_VERSION);
        write_technique(j, r->techniques[i]);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void write_finding(struct json *j, const struct alert *a)
{
    struct text id = {0};
    format_id(a, &id);
    json_open(j, "finding_info", '{');
    json_span(j, "uid", text_span(&id));
    json_str(j, "title", a->rule->name);
    json_str(j, "desc", a->rule->description);
    json_u64(j, "first_seen_time", start_of(a) / NS_PER_MS);
    json_u64(j, "last_seen_time", a->time_ns / NS_PER_MS);
    json_open(j, "analytic", '{');
    json_str(j, "uid", a->rule->id);
    json_str(j, "name", a->rule->name);
    json_str(j, "category", a->rule->category);
    json_u64(j, "type_id", 2); /* behavioural */
    json_close(j, '}');
    write_attacks(j, a->rule);
    json_close(j, '}');
    if (a->rule->first_step[0]) {
        json_open(j, "remediation", '{');
        json_str(j, "desc", a->rule->first_step);
        json_close(j, '}');
    }
    text_fini(&id);
}

static void write_source(struct json *j, const struct activity *act)
{
    if (ipaddr_is_zero(&act->source))
        return;
    json_open(j, "src_endpoint", '{');
    json_ip(j, "ip", &act->source);
    if (act->asn || act->size[STR_AS_ORG]) {
        json_open(j, "autonomous_system", '{');
        if (act->asn)
            json_u64(j, "number", act->asn);
        if (act->size[STR_AS_ORG])
            json_span(j, "name", activity_get(act, STR_AS_ORG));
        json_close(j, '}');
    }
    if (act->country[0]) {
        json_open(j, "location", '{');
        json_str(j, "country", act->country);
        json_close(j, '}');
    }
    json_close(j, '}');
}

static void write_destination(struct json *j, const struct activity *act)
{
    bool has_ip = !ipaddr_is_zero(&act->server.ip);
    if (!has_ip && !act->size[STR_HOST])
        return;
    json_open(j, "dst_endpoint", '{');
    if (has_ip)
        json_ip(j, "ip", &act->server.ip);
    if (act->server.port)
        json_u64(j, "port", act->server.port);
    if (act->size[STR_HOST])
        json_span(j, "hostname", activity_get(act, STR_HOST));
    json_close(j, '}');
}

/* OCSF knows no others; empty then. */
static struct span known_method(struct span method)
{
    static const char *const known[] = {"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"};
    for (size_t i = 0; i < MAX_OF(known); i++) {
        if (span_eq(method, span_text(known[i])))
            return method;
    }
    return span_of(NULL, 0);
}

static void write_request(struct json *j, const struct activity *act)
{
    struct span path = target_path(activity_get(act, STR_TARGET)), method = known_method(activity_get(act, STR_METHOD));
    bool has_url = act->size[STR_TARGET] && path.size;
    if (!method.size && !act->size[STR_AGENT] && !has_url)
        return;
    json_open(j, "http_request", '{');
    if (method.size)
        json_span(j, "http_method", method);
    if (act->size[STR_AGENT])
        json_span(j, "user_agent", activity_get(act, STR_AGENT));
    if (has_url) {
        json_open(j, "url", '{');
        if (act->size[STR_HOST])
            json_span(j, "hostname", activity_get(act, STR_HOST));
        json_span(j, "path", path);
        json_close(j, '}');
    }
    json_close(j, '}');
}

static void write_file(struct json *j, const struct activity *act)
{
    if (!act->size[STR_FILE])
        return;
    struct span name = activity_get(act, STR_FILE), extension = file_extension(name);
    json_open(j, "file", '{');
    json_span(j, "name", name);
    json_u64(j, "type_id", 1); /* regular */
    if (extension.size)
        json_span(j, "ext", extension);
    if (act->flags & ACT_HAS_FILE_SIZE)
        json_u64(j, "size", count_long(act->file_size));
    if (act->file.type > FILE_BINARY)
        json_str(j, "mime_type", file_type_media((enum file_type)act->file.type));
    if (act->file.has_sha256) {
        ecs_raw(j, SPAN("\"hashes\":[{\"algorithm_id\":3"));
        json_hex(j, "value", span_of(act->file.sha256, sizeof act->file.sha256));
        json_close(j, '}');
        json_close(j, ']');
    }
    json_close(j, '}');
}

/* Something that an evidence may stand for. */
static bool has_evidence(const struct activity *act)
{
    return !ipaddr_is_zero(&act->source) || !ipaddr_is_zero(&act->server.ip) || act->size[STR_HOST] ||
           act->size[STR_USER] || act->size[STR_FILE];
}

static void write_evidences(struct json *j, const struct activity *act)
{
    if (!has_evidence(act))
        return;
    json_open(j, "evidences", '[');
    json_open(j, NULL, '{');
    write_source(j, act);
    write_destination(j, act);
    ecs_only(j, SPAN("\"user\":{\"name\":"), activity_get(act, STR_USER));
    write_request(j, act);
    if (act->status) {
        json_open(j, "http_response", '{');
        json_u64(j, "code", act->status);
        json_close(j, '}');
    }
    write_file(j, act);
    json_close(j, '}');
    json_close(j, ']');
}

static void write_observable(struct json *j, const char *name, unsigned type_id, struct span value)
{
    if (!value.size)
        return;
    json_open(j, NULL, '{');
    json_str(j, "name", name);
    json_u64(j, "type_id", type_id);
    json_span(j, "value", value);
    json_close(j, '}');
}

static void write_observables(struct json *j, const struct activity *act)
{
    char ip[IPADDR_TEXT_MAX] = "";
    if (!ipaddr_is_zero(&act->source))
        ipaddr_text(&act->source, ip);
    if (!ip[0] && !act->size[STR_USER] && !act->size[STR_FILE])
        return;
    json_open(j, "observables", '[');
    write_observable(j, "evidences[0].src_endpoint.ip", 2, span_text(ip));
    write_observable(j, "evidences[0].user.name", 4, activity_get(act, STR_USER));
    write_observable(j, "evidences[0].file.name", 7, activity_get(act, STR_FILE));
    json_close(j, ']');
}

static void write_observation(struct json *j, const char *field, const char *value)
{
    json_open(j, NULL, '{');
    json_str(j, "observation_parameter", field);
    json_open(j, "observations", '[');
    json_open(j, NULL, '{');
    json_str(j, "value", value);
    json_close(j, '}');
    json_close(j, ']');
    json_close(j, '}');
}

/* The reasons: what was seen, and what is usual. */
static void write_anomalies(struct json *j, const struct alert *a)
{
    bool has_usual = false;
    struct span user = activity_get(&a->last, STR_USER);
    if (!a->n_why)
        return;
    json_open(j, "anomaly_analyses", '[');
    json_open(j, NULL, '{');
    ecs_raw(j, SPAN("\"analysis_targets\":[{\"type\":\"User\""));
    json_span(j, "name", user.size ? user : SPAN("unknown"));
    json_close(j, '}');
    json_close(j, ']');
    json_open(j, "anomalies", '[');
    for (int i = 0; i < a->n_why; i++) {
        has_usual |= a->why[i].usual[0] != 0;
        write_observation(j, a->why[i].field, a->why[i].value);
    }
    json_close(j, ']');
    if (has_usual) {
        json_open(j, "baselines", '[');
        for (int i = 0; i < a->n_why; i++) {
            if (a->why[i].usual[0])
                write_observation(j, a->why[i].field, a->why[i].usual);
        }
        json_close(j, ']');
    }
    json_close(j, '}');
    json_close(j, ']');
}

/* Whose files or cases were touched. */
static void write_resources(struct json *j, const struct alert *a)
{
    if (!a->n_listed_customers)
        return;
    json_open(j, "resources", '[');
    for (int i = 0; i < a->n_listed_customers; i++) {
        json_open(j, NULL, '{');
        json_str(j, "name", a->customers[i]);
        json_str(j, "type", "customer");
        json_close(j, '}');
    }
    json_close(j, ']');
}

/* What OCSF has no place for. */
static void write_unmapped(struct json *j, const struct alert *a)
{
    json_open(j, "unmapped", '{');
    json_u64(j, "update", a->update);
    json_u64(j, "files", a->n_files);
    json_u64(j, "customers", a->n_customers);
    json_u64(j, "cases", a->n_cases);
    json_u64(j, "bytes", count_long(a->n_bytes));
    if (a->blind[0])
        json_str(j, "blind", a->blind);
    ecs_string(j, "app", &a->last, STR_APP);
    ecs_string(j, "case", &a->last, STR_CASE);
    json_close(j, '}');
}

void format_ocsf(const struct alert *a, struct text *out)
{
    struct json j = json_on(out);
    json_open(&j, NULL, '{');
    write_head(&j, a);
    write_metadata(&j, a);
    write_finding(&j, a);
    write_evidences(&j, &a->last);
    write_anomalies(&j, a);
    write_resources(&j, a);
    write_observables(&j, &a->last);
    write_unmapped(&j, a);
    json_close(&j, '}');
}
