/* SPDX-License-Identifier: Apache-2.0
 * Feedback records: words and JSON out. */
#include "record/feedback.h"

#include <stdio.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/times.h"
#include "record/count.h"
#include "record/ecs.h"

static const char *const names[VERDICT_N] = {"none", "benign", "malicious", "suppress", "undo"};

const char *verdict_name(enum feedback_verdict v)
{
    return v < VERDICT_N ? names[v] : "none";
}

static bool is_set(const uint8_t hash[16])
{
    static const uint8_t none[16];
    return memcmp(hash, none, sizeof none) != 0;
}

static void write_event(struct json *j, const struct feedback *f)
{
    json_open(j, "event", '{');
    ecs_raw(j, SPAN("\"kind\":\"event\",\"category\":[\"configuration\"],\"type\":[\"change\"]"));
    json_str(j, "action", verdict_name((enum feedback_verdict)f->verdict));
    ecs_hash128(j, "id", f->id);
    if (f->why[0])
        json_str(j, "reason", f->why);
    ecs_raw(j, SPAN("\"module\":\"casetap\",\"dataset\":\"casetap.feedback\""));
    json_close(j, '}');
}

static void write_source(struct json *j, const struct feedback *f)
{
    if (ipaddr_is_zero(&f->source))
        return;
    json_open(j, "source", '{');
    json_ip(j, "ip", &f->source);
    if (f->country[0]) {
        json_open(j, "geo", '{');
        json_str(j, "country_iso_code", f->country);
        json_close(j, '}');
    }
    if (f->asn) {
        json_open(j, "as", '{');
        json_u64(j, "number", f->asn);
        json_close(j, '}');
    }
    json_close(j, '}');
}

/* {"member":{"leaf":value}}, when there is a value. */
static void write_leaf(struct json *j, const char *member, const char *leaf, const char *value)
{
    if (!value[0])
        return;
    json_open(j, member, '{');
    json_str(j, leaf, value);
    json_close(j, '}');
}

static void write_story(struct json *j, const struct feedback *f)
{
    if (!f->files && !f->cases && !f->customers && !f->bytes)
        return;
    json_open(j, "story", '{');
    json_u64(j, "files", f->files);
    json_u64(j, "customers", f->customers);
    json_u64(j, "cases", f->cases);
    json_u64(j, "bytes", count_long(f->bytes));
    json_close(j, '}');
}

static void write_casetap(struct json *j, const struct feedback *f)
{
    char place[PREFIX_TEXT_MAX];
    json_open(j, "casetap", '{');
    ecs_raw(j, SPAN("\"schema\":" RECORD_SCHEMA));
    if (f->by[0])
        json_str(j, "by", f->by);
    if (is_set(f->alert))
        ecs_hash128(j, "alert", f->alert);
    if (f->alerted_ns)
        json_time(j, "alerted", f->alerted_ns);
    if (is_set(f->undoes))
        ecs_hash128(j, "undoes", f->undoes);
    if (f->since_ns)
        json_time(j, "since", f->since_ns);
    if (f->until_ns)
        json_time(j, "until", f->until_ns);
    if (f->has_place)
        json_str(j, "place", prefix_text(&f->place, place));
    if (is_set(f->session)) {
        json_open(j, "session", '{');
        ecs_hash128(j, "id", f->session);
        json_close(j, '}');
    }
    write_leaf(j, "client", "name", f->client);
    write_story(j, f);
    json_close(j, '}');
}

void feedback_json(const struct feedback *f, struct text *out)
{
    struct json j = json_on(out);
    json_open(&j, NULL, '{');
    json_time(&j, "@timestamp", f->time_ns);
    ecs_raw(&j, SPAN("\"ecs\":{\"version\":\"9.4.0\"}"));
    write_event(&j, f);
    write_leaf(&j, "user", "name", f->user);
    write_source(&j, f);
    write_leaf(&j, "user_agent", "original", f->agent);
    write_leaf(&j, "rule", "id", f->rule);
    write_casetap(&j, f);
    json_close(&j, '}');
    text_add_char(out, '\n');
}

void feedback_seal(struct feedback *f)
{
    struct text line = {.max = 2 * FEEDBACK_LINE_MAX};
    memset(f->id, 0, sizeof f->id);
    feedback_json(f, &line);
    hash128(text_span(&line), 17, f->id);
    text_fini(&line);
}

bool feedback_is_of(struct span line, const uint8_t alert[16])
{
    char wanted[48];
    int n = snprintf(wanted, sizeof wanted, "\"id\":\"");
    for (size_t i = 0; i < 16; i++)
        n += snprintf(wanted + n, sizeof wanted - (size_t)n, "%02x", alert[i]);
    return span_find(line, span_of(wanted, (size_t)n), 0) != SIZE_MAX;
}
