/* SPDX-License-Identifier: Apache-2.0
 * CEF 0 and LEEF 2.0: a head of fields between bars, then keys and values. Sources: Micro Focus, "Implementing ArcSight
 * Common Event Format"; IBM, "Log Event Extended Format (LEEF) 2". */
#include "base/times.h"
#include "record/alert_words.h"
#include "record/shown.h"
#include "sink/format.h"

#include <math.h>

#define HEADER_MAX 512
#define LEEF_MAX 4000

enum place { IN_CEF_HEADER, IN_CEF_VALUE, IN_LEEF_HEADER, IN_LEEF_VALUE };

/* One character that shown_next made, or CR and LF, as the place wants it. */
static void put_char(const char *shown, enum place place, struct text *out)
{
    bool is_cef = place == IN_CEF_HEADER || place == IN_CEF_VALUE;
    for (; *shown; shown++) {
        if (is_cef && (*shown == '\\' || *shown == (place == IN_CEF_HEADER ? '|' : '=')))
            text_add_char(out, '\\');
        text_add_char(out, place == IN_LEEF_HEADER && *shown == '|' ? '/' : *shown);
    }
}

static void put(struct span s, size_t max, enum place place, struct text *out)
{
    char shown[SHOWN_MAX];
    for (size_t used = 0; s.size;) {
        bool is_end = place == IN_CEF_VALUE && (s.at[0] == '\r' || s.at[0] == '\n');
        const char *end = s.at[0] == '\r' ? "\\r" : "\\n";
        (void)shown_next(&s, shown);
        used += is_end ? 1 : strlen(shown);
        if (used > max)
            return;
        if (is_end)
            text_add_str(out, end);
        else
            put_char(shown, place, out);
    }
}

/* Writes of keys and values in one of the two forms. */
struct pairs {
    struct text *out;
    bool is_leef, is_more;
};

static void put_key(struct pairs *p, const char *key)
{
    if (p->is_more)
        text_add_char(p->out, p->is_leef ? '\t' : ' ');
    p->is_more = true;
    text_add_str(p->out, key);
    text_add_char(p->out, '=');
}

/* 'max': bytes the format allows. Nothing is written for an empty value. */
static void pair(struct pairs *p, const char *key, struct span value, size_t max)
{
    if (!value.size)
        return;
    put_key(p, key);
    put(value, max, p->is_leef ? IN_LEEF_VALUE : IN_CEF_VALUE, p->out);
}

static void pair_u64(struct pairs *p, const char *key, uint64_t value)
{
    put_key(p, key);
    text_addf(p->out, "%llu", (unsigned long long)value);
}

static void pair_ip(struct pairs *p, const char *key, const struct ipaddr *ip)
{
    char text[IPADDR_TEXT_MAX];
    if (!ipaddr_is_zero(ip))
        pair(p, key, span_text(ipaddr_text(ip, text)), IPADDR_TEXT_MAX);
}

/* A custom field of CEF, which needs a label to mean something. */
static void custom(struct pairs *p, const char *key, const char *label, struct span value)
{
    if (!value.size)
        return;
    pair(p, key, value, 4000);
    text_addf(p->out, " %sLabel=%s", key, label);
}

static void custom_u64(struct pairs *p, const char *key, const char *label, uint64_t value)
{
    pair_u64(p, key, value);
    text_addf(p->out, " %sLabel=%s", key, label);
}

static void put_techniques(const struct alert *a, struct text *t)
{
    text_clear(t);
    for (size_t i = 0; i < sizeof a->rule->techniques / sizeof(char *) && a->rule->techniques[i]; i++)
        text_addf(t, "%s%s", i ? "," : "", a->rule->techniques[i]);
}

static void put_customers(const struct alert *a, struct text *t)
{
    text_clear(t);
    for (int i = 0; i < a->n_listed_customers; i++) {
        text_add_str(t, i ? ", " : "");
        text_add_str(t, a->customers[i]);
    }
}

static void cef_addresses(struct pairs *p, const struct activity *act)
{
    /* src and dst are IPv4 to strict readers */
    if (ipaddr_is4(&act->source) || ipaddr_is_zero(&act->source))
        pair_ip(p, "src", &act->source);
    else {
        pair_ip(p, "c6a2", &act->source);
        text_add_str(p->out, " c6a2Label=Source IPv6 Address");
    }
    if (ipaddr_is4(&act->server.ip) || ipaddr_is_zero(&act->server.ip))
        pair_ip(p, "dst", &act->server.ip);
    else {
        pair_ip(p, "c6a3", &act->server.ip);
        text_add_str(p->out, " c6a3Label=Destination IPv6 Address");
    }
    if (act->server.port)
        pair_u64(p, "dpt", act->server.port);
    pair(p, "dhost", activity_get(act, STR_HOST), 1023);
}

static void cef_act(struct pairs *p, const struct alert *a)
{
    const struct activity *act = &a->last;
    pair(p, "suser", activity_get(act, STR_USER), 1023);
    pair(p, "request", activity_get(act, STR_TARGET), 1023);
    pair(p, "requestMethod", activity_get(act, STR_METHOD), 1023);
    pair(p, "requestClientApplication", activity_get(act, STR_AGENT), 1023);
    pair(p, "fname", activity_get(act, STR_FILE), 1023);
    if (act->flags & ACT_HAS_FILE_SIZE)
        pair_u64(p, "fsize", act->file_size);
    if (a->n_bytes)
        pair_u64(p, "out", a->n_bytes); /* from the server to the person */
    if (a->n_acts)
        pair_u64(p, "cnt", a->n_acts);
    pair(p, "outcome", span_text(outcome_name((enum outcome)act->outcome)), 63);
}

static void cef_custom(struct pairs *p, const struct alert *a, struct text *t)
{
    put_techniques(a, t);
    custom(p, "cs1", "mitreTechniques", text_span(t));
    custom(p, "cs2", "country", span_text(a->last.country));
    put_customers(a, t);
    custom(p, "cs3", "customers", text_span(t));
    custom(p, "cs4", "case", activity_get(&a->last, STR_CASE));
    custom(p, "cs5", "firstStep", span_text(a->rule->first_step));
    custom(p, "cs6", "application", activity_get(&a->last, STR_APP));
    if (a->last.asn)
        custom_u64(p, "cn1", "asn", a->last.asn);
    custom_u64(p, "cn2", "update", a->update);
    if (a->doubt)
        custom_u64(p, "cn3", "confidence", 100u - a->doubt);
    if (isfinite(a->bits)) {
        put_key(p, "cfp1");
        text_addf(p->out, "%.2f cfp1Label=bits", a->bits);
    }
}

void format_cef(const struct alert *a, struct text *out)
{
    struct text t = {.max = 16384};
    struct pairs p = {.out = out};
    uint64_t start_ns = a->start_ns && a->start_ns <= a->time_ns ? a->start_ns : a->time_ns;
    text_add_str(out, "CEF:0|casetap|casetap|" CASETAP_VERSION "|");
    put(span_text(a->rule->id), HEADER_MAX, IN_CEF_HEADER, out);
    text_add_char(out, '|');
    put(span_text(a->rule->name), HEADER_MAX, IN_CEF_HEADER, out);
    text_addf(out, "|%u|", a->risk / 10u > 10 ? 10 : a->risk / 10u);
    pair_u64(&p, "rt", a->time_ns / NS_PER_MS);
    pair_u64(&p, "start", start_ns / NS_PER_MS);
    pair_u64(&p, "end", a->time_ns / NS_PER_MS);
    format_id(a, &t);
    pair(&p, "externalId", text_span(&t), 40);
    pair(&p, "cat", span_text(a->rule->category), 1023);
    pair(&p, "act", span_text(a->rule->action), 63);
    cef_addresses(&p, &a->last);
    cef_act(&p, a);
    cef_custom(&p, a, &t);
    text_clear(&t);
    words_reason(a, &t);
    pair(&p, "reason", text_span(&t), 1023);
    text_clear(&t);
    words_message(a, &t);
    pair(&p, "msg", text_span(&t), 1023);
    text_fini(&t);
}

/* "2026-03-20T03:12:14.000+0000" */
static void leef_time(struct pairs *p, uint64_t ns)
{
    char when[TIME_TEXT_MAX];
    time_text(ns, when);
    put_key(p, "devTime");
    text_addf(p->out, "%.23s+0000", when);
    put_key(p, "devTimeFormat");
    text_add_str(p->out, "yyyy-MM-dd'T'HH:mm:ss.SSSZ");
}

static void leef_act(struct pairs *p, const struct alert *a)
{
    const struct activity *act = &a->last;
    pair_ip(p, "src", &act->source);
    pair_ip(p, "dst", &act->server.ip);
    if (act->server.port)
        pair_u64(p, "dstPort", act->server.port);
    pair(p, "usrName", activity_get(act, STR_USER), 255);
    pair(p, "url", activity_get(act, STR_TARGET), LEEF_MAX);
    pair(p, "host", activity_get(act, STR_HOST), LEEF_MAX);
    pair(p, "userAgent", activity_get(act, STR_AGENT), LEEF_MAX);
    pair(p, "fileName", activity_get(act, STR_FILE), LEEF_MAX);
    if (act->flags & ACT_HAS_FILE_SIZE)
        pair_u64(p, "fileSize", act->file_size);
    if (a->n_bytes)
        pair_u64(p, "dstBytes", a->n_bytes);
    pair(p, "outcome", span_text(outcome_name((enum outcome)act->outcome)), LEEF_MAX);
    pair(p, "country", span_text(act->country), LEEF_MAX);
    if (act->asn)
        pair_u64(p, "asn", act->asn);
    pair(p, "case", activity_get(act, STR_CASE), LEEF_MAX);
}

void format_leef(const struct alert *a, struct text *out)
{
    struct text t = {.max = 16384};
    struct pairs p = {.out = out, .is_leef = true};
    text_add_str(out, "LEEF:2.0|casetap|casetap|" CASETAP_VERSION "|");
    put(span_text(a->rule->id), HEADER_MAX, IN_LEEF_HEADER, out);
    text_add_str(out, "|x09|");
    leef_time(&p, a->time_ns);
    pair_u64(&p, "sev", a->risk / 10u < 1 ? 1 : a->risk / 10u > 10 ? 10 : a->risk / 10u);
    pair(&p, "cat", span_text(a->rule->category), LEEF_MAX);
    pair(&p, "policy", span_text(a->rule->name), LEEF_MAX);
    pair(&p, "action", span_text(a->rule->action), LEEF_MAX);
    format_id(a, &t);
    pair(&p, "alertId", text_span(&t), 40);
    pair_u64(&p, "update", a->update);
    leef_act(&p, a);
    put_customers(a, &t);
    pair(&p, "customers", text_span(&t), LEEF_MAX);
    put_techniques(a, &t);
    pair(&p, "mitreTechniques", text_span(&t), LEEF_MAX);
    text_clear(&t);
    words_reason(a, &t);
    pair(&p, "reason", text_span(&t), LEEF_MAX);
    text_clear(&t);
    words_message(a, &t);
    pair(&p, "msg", text_span(&t), LEEF_MAX);
    text_fini(&t);
}
