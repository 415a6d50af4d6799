/* SPDX-License-Identifier: Apache-2.0
 * What each kind of collector wants around an alert: syslog (RFC 5424), Splunk's HTTP Event Collector, Elasticsearch's
 * and OpenSearch's _bulk. */
#include "base/json.h"
#include "base/times.h"
#include "sink/config.h"

#define FACILITY_LOCAL0 16u

/* PRINTUSASCII of at most 'max' bytes, "-" when nothing of it is. */
static void put_printable(const char *s, size_t max, struct text *out)
{
    size_t n = 0;
    for (; *s && n < max; s++) {
        if (*s > ' ' && *s < 0x7f) {
            text_add_char(out, *s);
            n++;
        }
    }
    if (!n)
        text_add_char(out, '-');
}

/* name="value": '"', '\' and ']' are escaped, control characters left out. */
static void put_param(const char *name, struct span value, struct text *out)
{
    if (!value.size)
        return;
    text_addf(out, " %s=\"", name);
    for (size_t i = 0; i < value.size; i++) {
        char c = (char)value.at[i];
        if (c == '"' || c == '\\' || c == ']')
            text_add_char(out, '\\');
        if ((uint8_t)c >= ' ' && c != 0x7f)
            text_add_char(out, c);
    }
    text_add_char(out, '"');
}

static void wrap_syslog(const struct sink_config *c, const struct alert *a, struct span payload, struct text *out)
{
    char when[TIME_TEXT_MAX], ip[IPADDR_TEXT_MAX] = "";
    struct text id = {0};
    unsigned severity = a->risk < 40 ? 5 : a->risk < 60 ? 4 : a->risk < 80 ? 3 : 2; /* notice to critical */
    time_text(a->time_ns, when);
    text_addf(out, "<%u>1 %.26sZ ", FACILITY_LOCAL0 * 8 + severity, when); /* six digits of a second are allowed */
    put_printable(c->self, 255, out);
    text_add_str(out, " casetap - ");
    put_printable(a->rule->id, 32, out);
    text_add_str(out, " [alert@32473"); /* the number that is set apart for documentation (RFC 5612) */
    format_id(a, &id);
    put_param("id", text_span(&id), out);
    text_addf(out, " update=\"%u\" risk=\"%u\"", a->update, a->risk);
    put_param("user", activity_get(&a->last, STR_USER), out);
    if (!ipaddr_is_zero(&a->last.source))
        put_param("src", span_text(ipaddr_text(&a->last.source, ip)), out);
    text_add_str(out, "] \xef\xbb\xbf");
    text_add(out, payload);
    text_fini(&id);
}

static void wrap_hec(const struct sink_config *c, const struct alert *a, struct span payload, struct text *out)
{
    struct json j = json_on(out);
    bool is_json = c->format == FORMAT_ECS || c->format == FORMAT_OCSF;
    json_open(&j, NULL, '{');
    json_head(&j, "time");
    text_addf(out, "%llu.%03u", (unsigned long long)(a->time_ns / NS_PER_S), (unsigned)(a->time_ns / NS_PER_MS % 1000));
    if (c->self[0])
        json_str(&j, "host", c->self);
    json_str(&j, "source", "casetap");
    json_str(&j, "sourcetype", "casetap:alert");
    if (c->index[0])
        json_str(&j, "index", c->index);
    json_head(&j, "event");
    if (is_json)
        text_add(out, payload);
    else
        json_put_span(&j, payload);
    json_close(&j, '}');
}

/* The id is the document's, the count of updates its version: what comes twice, or late, changes nothing. */
static void wrap_bulk(const struct sink_config *c, const struct alert *a, struct span payload, struct text *out)
{
    struct text id = {0};
    struct json j = json_on(out);
    format_id(a, &id);
    json_open(&j, NULL, '{');
    json_open(&j, "index", '{');
    json_str(&j, "_index", c->index);
    json_span(&j, "_id", text_span(&id));
    json_u64(&j, "version", a->update + 1u);
    json_str(&j, "version_type", "external_gte");
    json_close(&j, '}');
    json_close(&j, '}');
    text_add_char(out, '\n');
    text_add(out, payload);
    text_add_char(out, '\n');
    text_fini(&id);
}

void sink_wrap(const struct sink_config *c, const struct alert *a, struct text *out)
{
    struct text payload = {0};
    format_alert(c->format, a, &payload);
    switch (c->type) {
    case SINK_FILE:
    case SINK_STDOUT:
        text_add(out, text_span(&payload));
        text_add_char(out, '\n');
        break;
    case SINK_SYSLOG_UNIX:
    case SINK_SYSLOG_UDP:
    case SINK_SYSLOG_TCP:
    case SINK_SYSLOG_TLS: wrap_syslog(c, a, text_span(&payload), out); break;
    case SINK_HEC: wrap_hec(c, a, text_span(&payload), out); break;
    case SINK_BULK: wrap_bulk(c, a, text_span(&payload), out); break;
    case SINK_REDIS:
    case SINK_WEBHOOK: text_add(out, text_span(&payload)); break;
    }
    text_fini(&payload);
}
