/* SPDX-License-Identifier: Apache-2.0
 * One session as a line of sessions.ndjson. */
#include "record/session_record.h"

#include "base/hash.h"
#include "base/times.h"
#include "record/ecs.h"

#include <math.h>

const char *session_begin_name(enum session_begin begin)
{
    static const char *const names[] = {"unseen", "login", "remembered", "resumed", "after_end"};
    return names[begin];
}

const char *session_end_name(enum session_end end)
{
    static const char *const names[] = {"open", "logout", "removed", "login", "expired", "idle", "room"};
    return names[end];
}

double session_record_variation(const struct session_record *r)
{
    if (r->intervals < 2 || r->interval_mean_s <= 0)
        return 0;
    return sqrt(r->interval_m2 / r->intervals) / r->interval_mean_s;
}

static void write_event(struct json *j, const struct session_record *r)
{
    struct {
        uint8_t session[SESSION_HASH_SIZE];
        uint64_t start_ns;
    } what = {.start_ns = r->start_ns};
    uint8_t id[16];
    memcpy(what.session, r->id, sizeof what.session);
    hash128(span_of(&what, sizeof what), 7, id);
    json_open(j, "event", '{');
    ecs_raw(j, SPAN("\"kind\":\"event\",\"category\":[\"session\"]"));
    ecs_raw(j, r->end == SESSION_END_OPEN ? SPAN("\"type\":[\"info\"]") : SPAN("\"type\":[\"end\"]"));
    ecs_hash128(j, "id", id);
    ecs_raw(j, SPAN("\"module\":\"casetap\",\"dataset\":\"casetap.session\""));
    json_time(j, "start", r->start_ns);
    json_time(j, "end", r->end_ns);
    json_u64(j, "duration", r->end_ns - r->start_ns);
    json_close(j, '}');
}

static void write_related(struct json *j, const struct session_record *r)
{
    json_open(j, "related", '{');
    if (r->n_contexts) {
        json_open(j, "ip", '[');
        for (uint8_t i = 0; i < r->n_contexts; i++) {
            bool is_known = false;
            for (uint8_t k = 0; k < i; k++)
                is_known |= ipaddr_eq(&r->contexts[k].ip, &r->contexts[i].ip);
            if (!is_known)
                ecs_ip(j, NULL, &r->contexts[i].ip);
        }
        json_close(j, ']');
    }
    if (r->user_size) {
        json_open(j, "user", '[');
        json_span(j, NULL, span_of(r->user, r->user_size));
        json_close(j, ']');
    }
    json_close(j, '}');
}

static void write_text(struct json *j, const char *key, const char *text)
{
    if (text[0])
        json_str(j, key, text);
}

static void write_contexts(struct json *j, const struct session_record *r)
{
    json_open(j, "contexts", '[');
    for (uint8_t i = 0; i < r->n_contexts; i++) {
        const struct session_context *c = &r->contexts[i];
        char text[PREFIX_TEXT_MAX];
        struct prefix prefix = ipaddr_prefix(&c->ip, 24, 48);
        json_open(j, NULL, '{');
        ecs_ip(j, "ip", &c->ip);
        json_str(j, "prefix", prefix_text(&prefix, text));
        if (c->asn)
            json_u64(j, "as", c->asn);
        write_text(j, "country", c->country);
        write_text(j, "client", c->client);
        write_text(j, "ja4", c->ja4);
        json_time(j, "first", c->first_ns);
        json_time(j, "last", c->last_ns);
        json_u64(j, "acts", c->count);
        json_close(j, '}');
    }
    json_close(j, ']');
    if (r->n_more_contexts)
        json_u64(j, "contexts_replaced", r->n_more_contexts);
}

static void write_actions(struct json *j, const struct session_record *r)
{
    json_open(j, "actions", '{');
    for (unsigned i = ACTION_NONE + 1; i < ACTION_N; i++)
        if (r->actions[i])
            json_u64(j, action_name((enum action)i), r->actions[i]);
    json_close(j, '}');
    json_open(j, "order", '[');
    for (uint8_t i = 0; i < r->n_order; i++)
        json_str(j, NULL, action_name((enum action)r->order[i]));
    json_close(j, ']');
}

void session_values_json(struct json *j, uint32_t replaced, uint32_t forks, uint32_t foreign_forks, uint32_t late,
                         uint32_t copied)
{
    json_open(j, "values", '{');
    json_u64(j, "replaced", replaced);
    json_u64(j, "forks", forks);
    json_u64(j, "foreign_forks", foreign_forks);
    json_u64(j, "late", late);
    json_u64(j, "copied", copied);
    json_close(j, '}');
}

static void write_session(struct json *j, const struct session_record *r)
{
    json_open(j, "session", '{');
    ecs_hash128(j, "id", r->id);
    json_str(j, "begin", session_begin_name((enum session_begin)r->begin));
    json_str(j, "end", session_end_name((enum session_end)r->end));
    if (r->until_s)
        json_time(j, "expires", r->until_s * NS_PER_S);
    if (r->values)
        session_values_json(j, r->values, r->forks, r->foreign_forks, r->late, r->copied);
    json_close(j, '}');
}

static void write_own(struct json *j, const struct session_record *r)
{
    ecs_raw(j, SPAN("\"observer\":" ECS_OBSERVER ",\"casetap\":{\"schema\":" RECORD_SCHEMA));
    if (r->app_size)
        json_span(j, "app", span_of(r->app, r->app_size));
    write_session(j, r);
    if (r->cred_kind != CRED_NONE)
        ecs_only(j, SPAN("\"credential\":{\"kind\":"), span_text(cred_kind_name((enum cred_kind)r->cred_kind)));
    json_u64(j, "acts", r->acts);
    json_u64(j, "failures", r->failures);
    write_actions(j, r);
    write_contexts(j, r);
    json_u64(j, "pages", r->pages);
    json_u64(j, "api_calls", r->api);
    json_u64(j, "page_parts", r->assets);
    json_open(j, "referer", '{');
    json_u64(j, "own", r->referer_own);
    json_u64(j, "other", r->referer_other);
    json_u64(j, "none", r->referer_none);
    json_close(j, '}');
    if (r->intervals) {
        json_open(j, "interval", '{');
        json_u64(j, "count", r->intervals);
        json_fixed(j, "mean_s", r->interval_mean_s, 3);
        json_fixed(j, "variation", session_record_variation(r), 3);
        json_close(j, '}');
    }
    json_close(j, '}');
}

void session_record_json(const struct session_record *r, struct text *out)
{
    struct json j = json_on(out);
    ecs_start(&j, r->end_ns);
    write_event(&j, r);
    ecs_only(&j, SPAN("\"user\":{\"name\":"), span_of(r->user, r->user_size));
    write_related(&j, r);
    write_own(&j, r);
    json_close(&j, '}');
    text_add_char(out, '\n');
}
