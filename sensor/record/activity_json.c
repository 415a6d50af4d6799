/* SPDX-License-Identifier: Apache-2.0
 * One activity as a line of the activity log: everything needed to order it and to judge it again stands in it. */
#include "record/ecs.h"
#include "record/session_record.h"

/* Flags that other fields say: they are not listed again. */
#define SAID_ELSEWHERE                                                                                                 \
    (ACT_HAS_FILE_SIZE | ACT_HAS_BODY | ACT_COMPLETE | ACT_TRANSFER | ACT_TRANSFER_BYTES | ACT_TRANSFER_COVERAGE |     \
     ACT_TRANSFER_COMPLETE | ACT_TRANSFER_UNSURE | ACT_SERVICE)

static bool is_http(const struct activity *a)
{
    return !(a->flags & ACT_ENCRYPTED) && a->action != ACTION_CONNECTION && a->action != ACTION_IDENTIFY && a->action != ACTION_AMEND;
}

static void write_event(struct json *j, const struct activity *a)
{
    ecs_raw(j, SPAN("\"event\":{\"kind\":\"event\""));
    bool is_begin = a->action == ACTION_CONNECTION && !(a->flags & ACT_HAS_BODY);
    ecs_raw(j, is_begin ? ecs_category_begin() : ecs_category((enum action)a->action));
    json_str(j, "action", action_name((enum action)a->action));
    json_str(j, "outcome", outcome_name((enum outcome)a->outcome));
    ecs_hash128(j, "id", a->id);
    ecs_raw(j, SPAN("\"module\":\"casetap\",\"dataset\":\"casetap.activity\""));
    json_close(j, '}');
}

/* nDPI names are "MASTER.SUB": ECS wants the protocol and the application apart, in lower case. */
static void write_lower(struct json *j, const char *key, struct span s)
{
    uint8_t lower[64];
    if (s.size)
        json_span(j, key, span_lower(s, lower, sizeof lower));
}

static void write_network(struct json *j, const struct activity *a)
{
    if (is_http(a)) {
        ecs_raw(j, SPAN("\"network\":{\"transport\":\"tcp\",\"protocol\":\"http\"}"));
    } else if (a->size[STR_PROTOCOL]) {
        struct span name = activity_get(a, STR_PROTOCOL);
        size_t dot = span_find_byte(name, '.', 0);
        json_open(j, "network", '{');
        write_lower(j, "protocol", span_sub(name, 0, dot));
        write_lower(j, "application", dot == SIZE_MAX ? span_of(NULL, 0) : span_from(name, dot + 1));
        json_close(j, '}');
    }
    if (a->size[STR_SNI] || a->size[STR_JA3] || a->size[STR_CERT]) {
        json_open(j, "tls", '{');
        json_open(j, "client", '{');
        ecs_string(j, "server_name", a, STR_SNI);
        ecs_string(j, "ja3", a, STR_JA3);
        ecs_string(j, "subject", a, STR_CERT);
        json_close(j, '}');
        json_close(j, '}');
    }
}

static void write_related(struct json *j, const struct activity *a)
{
    const struct ipaddr *ips[3] = {&a->source, &a->peer.ip, &a->server.ip};
    bool has_ip = !ipaddr_is_zero(ips[0]) || !ipaddr_is_zero(ips[1]) || !ipaddr_is_zero(ips[2]);
    struct span users[2] = {activity_get(a, STR_USER), activity_get(a, STR_ACTS_FOR)};
    if (a->action == ACTION_AMEND || (!has_ip && !users[0].size && !users[1].size))
        return;
    json_open(j, "related", '{');
    if (has_ip) {
        json_open(j, "ip", '[');
        for (int i = 0; i < 3; i++) {
            bool is_known = (i > 0 && ipaddr_eq(ips[i], ips[0])) || (i > 1 && ipaddr_eq(ips[i], ips[1]));
            if (!is_known && !ipaddr_is_zero(ips[i]))
                ecs_ip(j, NULL, ips[i]);
        }
        json_close(j, ']');
    }
    if (users[0].size || users[1].size) {
        json_open(j, "user", '[');
        for (int i = 0; i < 2; i++)
            if (users[i].size && (i == 0 || !span_eq(users[0], users[1])))
                json_span(j, NULL, users[i]);
        json_close(j, ']');
    }
    json_close(j, '}');
}

/* Who acts, and in whose name it says it does: ECS keeps the two apart. */
static void write_user(struct json *j, const struct activity *a)
{
    if (!a->size[STR_USER] && !a->size[STR_ACTS_FOR])
        return;
    json_open(j, "user", '{');
    ecs_string(j, "name", a, STR_USER);
    ecs_only(j, SPAN("\"effective\":{\"name\":"), activity_get(a, STR_ACTS_FOR));
    json_close(j, '}');
}

static void write_assertion(struct json *j, const struct activity *a)
{
    if (!a->assertion)
        return;
    json_open(j, "identity", '{');
    json_str(j, "kind", assertion_name((enum assertion)a->assertion));
    ecs_string(j, "issuer", a, STR_ISSUER);
    ecs_string(j, "tenant", a, STR_TENANT);
    json_bool(j, "signed", a->asserted & ASSERTED_SIGNED);
    json_bool(j, "encrypted", a->asserted & ASSERTED_ENCRYPTED);
    if (a->asserted & ASSERTED_AMBIGUOUS)
        json_bool(j, "ambiguous", true);
    json_close(j, '}');
    if (!(a->asserted & (ASSERTED_AGE | ASSERTED_EXPIRY)))
        return;
    json_open(j, "token", '{');
    if (a->asserted & ASSERTED_AGE)
        json_i64(j, "age_seconds", a->token_age_s);
    if (a->asserted & ASSERTED_EXPIRY)
        json_i64(j, "expires_seconds", a->token_left_s);
    json_close(j, '}');
}

static void write_body(struct json *j, const struct activity *a)
{
    if (!(a->flags & (ACT_HAS_BODY | ACT_COMPLETE)) && !a->missing_bytes && !a->size_known)
        return;
    json_open(j, "body", '{');
    json_str(j, "known", size_known_name((enum size_known)a->size_known));
    json_u64(j, "missing_bytes", count_long(a->missing_bytes));
    json_bool(j, "complete", a->flags & ACT_COMPLETE);
    json_close(j, '}');
}

static void write_transfer(struct json *j, const struct activity *a)
{
    if (!(a->flags & ACT_TRANSFER))
        return;
    json_open(j, "transfer", '{');
    ecs_hash128(j, "id", a->transfer_id);
    if (a->flags & ACT_TRANSFER_BYTES) {
        json_u64(j, "unique_bytes", count_long(a->transfer_bytes));
        if (a->flags & ACT_TRANSFER_COVERAGE)
            json_fixed(j, "coverage", a->transfer_coverage / 1e6, 6);
        json_bool(j, "complete", a->flags & ACT_TRANSFER_COMPLETE);
        if (a->flags & ACT_TRANSFER_UNSURE)
            json_bool(j, "unsure", true);
    }
    json_close(j, '}');
}

static void write_secrets(struct json *j, const struct file_facts *f)
{
    json_open(j, "secrets", '{');
    json_u64(j, "total", file_facts_secrets(f));
    json_u64(j, "live", file_facts_live(f));
    if (f->is_cut)
        json_bool(j, "cut", true);
    if (file_facts_secrets(f)) {
        json_open(j, "kinds", '{');
        for (int i = 0; i < SECRET_KINDS; i++)
            if (f->secrets[i])
                json_u64(j, secret_kind_name((enum secret_kind)i), f->secrets[i]);
        json_close(j, '}');
    }
    json_close(j, '}');
}

static void write_file(struct json *j, const struct file_facts *f)
{
    if (!f->type && !f->file_class)
        return;
    json_open(j, "file", '{');
    if (f->file_class)
        json_str(j, "class", file_class_name((enum file_class)f->file_class));
    if (f->type)
        json_str(j, "type", file_type_name((enum file_type)f->type));
    if (f->is_mismatch)
        json_bool(j, "mismatch", true);
    if (f->is_scanned)
        write_secrets(j, f);
    json_close(j, '}');
}

static void write_flags(struct json *j, uint32_t flags)
{
    flags &= ACT_WRITTEN & ~SAID_ELSEWHERE;
    if (!flags)
        return;
    json_open(j, "flags", '[');
    for (uint32_t bit = 1; bit && bit <= flags; bit <<= 1) {
        const char *name = flags & bit ? activity_flag_name(bit) : NULL;
        if (name)
            json_str(j, NULL, name);
    }
    json_close(j, ']');
}

static void write_hop(struct json *j, const struct activity *a)
{
    bool has_ip = !ipaddr_is_zero(&a->peer.ip);
    if (!has_ip && !a->peer.port)
        return;
    json_open(j, "peer", '{');
    if (has_ip)
        ecs_ip(j, "ip", &a->peer.ip);
    if (a->peer.port)
        json_u64(j, "port", a->peer.port);
    json_close(j, '}');
}

static void write_session(struct json *j, const struct activity *a)
{
    static const uint8_t none[SESSION_HASH_SIZE];
    const struct session_so_far *s = &a->so_far;
    bool has_id = memcmp(a->session, none, sizeof none) != 0;
    if (!has_id && !s->start_ns)
        return;
    json_open(j, "session", '{');
    if (has_id)
        ecs_hash128(j, "id", a->session);
    if (s->start_ns) {
        if (memcmp(s->id, a->session, sizeof s->id) != 0)
            ecs_hash128(j, "begins", s->id);
        json_str(j, "begin", session_begin_name((enum session_begin)s->begin));
        json_time(j, "start", s->start_ns);
        json_u64(j, "page_parts", s->assets);
    }
    if (s->values | s->forks | s->foreign_forks | s->late | s->copied)
        session_values_json(j, s->values, s->forks, s->foreign_forks, s->late, s->copied);
    json_close(j, '}');
}

static void write_request(struct json *j, uint32_t hints)
{
    const char *referer = hints & HINT_REFERER_OWN     ? "own"
                          : hints & HINT_REFERER_OTHER ? "other"
                          : hints & HINT_REFERER_NONE  ? "none"
                                                       : NULL;
    if (!(hints & HINT_WRITTEN))
        return;
    json_open(j, "request", '{');
    if (referer)
        json_str(j, "referer", referer);
    if (hints & (HINT_PAGE | HINT_INTERFACE))
        json_str(j, "kind", hints & HINT_PAGE ? "page" : "interface");
    json_close(j, '}');
}

static void write_client(struct json *j, const struct activity *a)
{
    if (!a->client_family && !a->client_major && !a->size[STR_CLIENT])
        return;
    json_open(j, "client", '{');
    ecs_string(j, "name", a, STR_CLIENT);
    json_u64(j, "family", a->client_family);
    json_u64(j, "major", a->client_major);
    json_close(j, '}');
}

static void write_source_facts(struct json *j, const struct activity *a)
{
    if (!a->size[STR_NETWORK] && !a->source_class && !a->rtt_us)
        return;
    json_open(j, "source", '{');
    ecs_string(j, "network", a, STR_NETWORK);
    if (a->source_class)
        json_str(j, "class", network_class_name((enum network_class)a->source_class));
    if (a->rtt_us)
        json_u64(j, "rtt_us", a->rtt_us);
    json_close(j, '}');
}

static void write_own(struct json *j, const struct activity *a)
{
    ecs_raw(j, SPAN("\"observer\":" ECS_OBSERVER ",\"casetap\":{\"schema\":" ACTIVITY_SCHEMA));
    if (a->action == ACTION_AMEND)
        ecs_hash128(j, "amends", a->amends);
    ecs_string(j, "app", a, STR_APP);
    ecs_string(j, "route", a, STR_ROUTE);
    ecs_only(j, SPAN("\"case\":{\"id\":"), activity_get(a, STR_CASE));
    ecs_only(j, SPAN("\"customer\":{\"name\":"), activity_get(a, STR_CUSTOMER));
    ecs_only(j, SPAN("\"object\":{\"id\":"), activity_get(a, STR_OBJECT));
    write_session(j, a);
    if (a->cred_kind)
        ecs_only(j, SPAN("\"credential\":{\"kind\":"), span_text(cred_kind_name((enum cred_kind)a->cred_kind)));
    write_assertion(j, a);
    if (a->flags & ACT_SERVICE)
        ecs_raw(j, SPAN("\"user\":{\"service\":true}"));
    write_request(j, a->hints);
    write_hop(j, a);
    write_source_facts(j, a);
    write_client(j, a);
    ecs_string(j, "media_type", a, STR_MIME);
    ecs_string(j, "protocol", a, STR_PROTOCOL);
    ecs_only(j, SPAN("\"tls\":{\"ja4\":"), activity_get(a, STR_JA4));
    write_body(j, a);
    if (a->flags & ACT_RANGE) {
        json_open(j, "range", '{');
        json_u64(j, "from", count_long(a->range_from));
        json_close(j, '}');
    }
    write_transfer(j, a);
    write_file(j, &a->file);
    write_flags(j, a->flags);
    if (a->doubt)
        json_u64(j, "confidence", 100u - a->doubt);
    json_time(j, "done", a->done_ns);
    ecs_hash64(j, "flow", a->flow_hash);
    json_u64(j, "n", a->number);
    json_close(j, '}');
}

void activity_json(const struct activity *a, struct text *out)
{
    struct json j = json_on(out);
    ecs_start(&j, a->time_ns);
    write_event(&j, a);
    write_user(&j, a);
    ecs_source(&j, a);
    ecs_destination(&j, a);
    ecs_url(&j, a);
    ecs_http(&j, a);
    ecs_user_agent(&j, a);
    ecs_file(&j, a);
    write_network(&j, a);
    write_related(&j, a);
    write_own(&j, a);
    json_close(&j, '}');
    text_add_char(out, '\n');
}
