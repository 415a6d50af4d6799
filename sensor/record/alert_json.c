/* SPDX-License-Identifier: Apache-2.0
 * One alert as a line of alerts.ndjson. */
#include "record/alert.h"
#include "record/alert_words.h"
#include "record/attack.h"
#include "record/ecs.h"

#define RULESET_VERSION "1"
#define TACTICS_MAX (sizeof((struct rule *)0)->tactics / sizeof(const char *))
#define TECHNIQUES_MAX (sizeof((struct rule *)0)->techniques / sizeof(const char *))

/* The numbers Elastic's rules give to the four severities. */
static uint64_t severity_number(const struct alert *a)
{
    return a->risk < 40 ? 21 : a->risk < 60 ? 47 : a->risk < 80 ? 73 : 99;
}

static void write_event(struct json *j, const struct alert *a)
{
    struct text reason = {.max = 2048};
    uint64_t start_ns = a->start_ns && a->start_ns <= a->time_ns ? a->start_ns : a->time_ns;
    json_open(j, "event", '{');
    ecs_raw(j, SPAN("\"kind\":\"alert\",\"category\":[\"intrusion_detection\"],\"type\":[\"info\"]"));
    json_str(j, "action", a->rule->action);
    json_str(j, "outcome", outcome_name((enum outcome)a->last.outcome));
    ecs_hash128(j, "id", a->id);
    json_str(j, "code", a->rule->id);
    ecs_raw(j, SPAN("\"module\":\"casetap\",\"dataset\":\"casetap.alert\",\"provider\":\"sensor\""));
    json_u64(j, "severity", severity_number(a));
    json_u64(j, "risk_score", a->risk);
    json_time(j, "start", start_ns);
    json_time(j, "end", a->time_ns);
    json_u64(j, "duration", a->time_ns - start_ns);
    words_reason(a, &reason);
    if (reason.size)
        json_span(j, "reason", text_span(&reason));
    json_close(j, '}');
    text_fini(&reason);
}

static void write_rule(struct json *j, const struct rule *r)
{
    json_open(j, "rule", '{');
    json_str(j, "id", r->id);
    json_str(j, "name", r->name);
    json_str(j, "category", r->category);
    json_str(j, "description", r->description);
    ecs_raw(j, SPAN("\"ruleset\":\"casetap\",\"version\":\"" RULESET_VERSION "\",\"author\":[\"casetap\"]"));
    json_close(j, '}');
}

/* "id":[...],"name":[...] of n ids, in step. */
static void write_attack(struct json *j, const char *const *ids, size_t n)
{
    json_open(j, "id", '[');
    for (size_t i = 0; i < n; i++)
        json_str(j, NULL, ids[i]);
    json_close(j, ']');
    json_open(j, "name", '[');
    for (size_t i = 0; i < n; i++) {
        const char *name = attack_name(ids[i]);
        json_str(j, NULL, name ? name : ids[i]);
    }
    json_close(j, ']');
}

/* The techniques themselves: sub-techniques by their parent, each once. Fills 'ids' from 'store'. */
static size_t parents_of(const struct rule *r, char store[][8], const char **ids)
{
    size_t n = 0;
    for (size_t i = 0; i < TECHNIQUES_MAX && r->techniques[i]; i++) {
        size_t size = strcspn(r->techniques[i], "."), seen = 0;
        if (size >= sizeof store[n])
            continue;
        memcpy(store[n], r->techniques[i], size);
        store[n][size] = 0;
        while (seen < n && strcmp(store[seen], store[n]) != 0)
            seen++;
        if (seen == n) {
            ids[n] = store[n];
            n++;
        }
    }
    return n;
}

static void write_threat(struct json *j, const struct rule *r)
{
    char store[TECHNIQUES_MAX][8];
    const char *parents[TECHNIQUES_MAX], *subs[TECHNIQUES_MAX];
    size_t n_tactics = 0, n_subs = 0, n_parents = parents_of(r, store, parents);
    while (n_tactics < TACTICS_MAX && r->tactics[n_tactics])
        n_tactics++;
    for (size_t i = 0; i < TECHNIQUES_MAX && r->techniques[i]; i++) {
        if (strchr(r->techniques[i], '.'))
            subs[n_subs++] = r->techniques[i];
    }
    if (!n_tactics && !n_parents)
        return;
    json_open(j, "threat", '{');
    json_str(j, "framework", "MITRE ATT&CK");
    if (n_tactics) {
        json_open(j, "tactic", '{');
        write_attack(j, r->tactics, n_tactics);
        json_close(j, '}');
    }
    if (n_parents) {
        json_open(j, "technique", '{');
        write_attack(j, parents, n_parents);
        if (n_subs) {
            json_open(j, "subtechnique", '{');
            write_attack(j, subs, n_subs);
            json_close(j, '}');
        }
        json_close(j, '}');
    }
    json_close(j, '}');
}

static void write_related_ips(struct json *j, const struct alert *a)
{
    struct ipaddr all[3 + ALERT_RELATED_MAX];
    size_t n = 0, n_given = 3;
    const struct ipaddr *given[3 + ALERT_RELATED_MAX] = {&a->last.source, &a->last.peer.ip, &a->last.server.ip};
    for (int i = 0; i < a->n_ips; i++)
        given[n_given++] = &a->ips[i];
    for (size_t i = 0; i < n_given; i++) {
        size_t seen = 0;
        while (seen < n && !ipaddr_eq(&all[seen], given[i]))
            seen++;
        if (seen == n && !ipaddr_is_zero(given[i]))
            all[n++] = *given[i];
    }
    if (n == 0)
        return;
    json_open(j, "ip", '[');
    for (size_t i = 0; i < n; i++)
        ecs_ip(j, NULL, &all[i]);
    json_close(j, ']');
}

static void write_related(struct json *j, const struct alert *a)
{
    struct span user = activity_get(&a->last, STR_USER), host = activity_get(&a->last, STR_HOST);
    json_open(j, "related", '{');
    write_related_ips(j, a);
    if (user.size || a->n_users) {
        json_open(j, "user", '[');
        if (user.size)
            json_span(j, NULL, user);
        for (int i = 0; i < a->n_users; i++) {
            if (!span_eq(span_text(a->users[i]), user))
                json_str(j, NULL, a->users[i]);
        }
        json_close(j, ']');
    }
    if (host.size) {
        json_open(j, "hosts", '[');
        json_span(j, NULL, host);
        json_close(j, ']');
    }
    json_close(j, '}');
}

static void write_why(struct json *j, const struct alert *a)
{
    json_open(j, "why", '[');
    for (int i = 0; i < a->n_why; i++) {
        json_open(j, NULL, '{');
        json_str(j, "field", a->why[i].field);
        json_str(j, "value", a->why[i].value);
        json_str(j, "usual", a->why[i].usual);
        json_fixed(j, "bits", a->why[i].bits, 2);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void write_story(struct json *j, const struct alert *a)
{
    json_open(j, "story", '{');
    json_u64(j, "acts", a->n_acts);
    json_u64(j, "files", a->n_files);
    json_u64(j, "customers", a->n_customers);
    json_u64(j, "cases", a->n_cases);
    json_u64(j, "bytes", count_long(a->n_bytes));
    json_close(j, '}');
    if (a->n_listed_customers) {
        json_open(j, "customers", '[');
        for (int i = 0; i < a->n_listed_customers; i++)
            json_str(j, NULL, a->customers[i]);
        json_close(j, ']');
    }
}

/* What the operator's lists say of the source, as in activities. */
static void write_network(struct json *j, const struct activity *a)
{
    if (!a->size[STR_NETWORK] && !a->source_class)
        return;
    json_open(j, "source", '{');
    ecs_string(j, "network", a, STR_NETWORK);
    if (a->source_class)
        json_str(j, "class", network_class_name((enum network_class)a->source_class));
    json_close(j, '}');
}

static void write_own(struct json *j, const struct alert *a)
{
    ecs_raw(j, SPAN("\"observer\":" ECS_OBSERVER ",\"casetap\":{\"schema\":" RECORD_SCHEMA));
    json_str(j, "severity", alert_severity(a));
    json_fixed(j, "bits", a->bits, 2);
    json_u64(j, "update", a->update);
    write_why(j, a);
    write_story(j, a);
    json_str(j, "first_step", a->rule->first_step);
    if (a->blind[0])
        json_str(j, "blind", a->blind);
    if (a->doubt)
        json_u64(j, "confidence", 100u - a->doubt);
    json_open(j, "activity", '{');
    ecs_hash128(j, "id", a->last.id);
    json_str(j, "action", action_name((enum action)a->last.action));
    json_close(j, '}');
    ecs_string(j, "app", &a->last, STR_APP);
    ecs_only(j, SPAN("\"case\":{\"id\":"), activity_get(&a->last, STR_CASE));
    ecs_only(j, SPAN("\"customer\":{\"name\":"), activity_get(&a->last, STR_CUSTOMER));
    ecs_session(j, &a->last);
    ecs_only(j, SPAN("\"client\":{\"name\":"), activity_get(&a->last, STR_CLIENT));
    write_network(j, &a->last);
    ecs_raw(j, SPAN("\"attack\":{\"version\":\"" ATTACK_VERSION "\"}"));
    json_close(j, '}');
}

void alert_json(const struct alert *a, struct text *out)
{
    struct text message = {.max = 2048};
    struct json j = json_on(out);
    words_message(a, &message);
    ecs_start(&j, a->time_ns);
    json_span(&j, "message", text_span(&message));
    text_fini(&message);
    write_event(&j, a);
    write_rule(&j, a->rule);
    write_threat(&j, a->rule);
    ecs_only(&j, SPAN("\"user\":{\"name\":"), activity_get(&a->last, STR_USER));
    ecs_source(&j, &a->last);
    ecs_destination(&j, &a->last);
    ecs_url(&j, &a->last);
    ecs_http(&j, &a->last);
    ecs_user_agent(&j, &a->last);
    ecs_file(&j, &a->last);
    write_related(&j, a);
    write_own(&j, a);
    json_close(&j, '}');
    text_add_char(out, '\n');
}
