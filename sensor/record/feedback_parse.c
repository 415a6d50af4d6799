/* SPDX-License-Identifier: Apache-2.0
 * Feedback records, and what they take from an alert, read back. */
#include "base/err.h"
#include "record/ecs.h"
#include "record/feedback.h"
#include "record/json_tree.h"

/* Copies what fits; a complaint when it does not. */
static void read_text(struct tree *t, const char *path, char *out, size_t size)
{
    struct span s = tree_text(t, path);
    if (s.size >= size || (s.size && memchr(s.at, 0, s.size))) {
        tree_complain(t, path, "too long");
        return;
    }
    if (s.size)
        memcpy(out, s.at, s.size);
    out[s.size] = 0;
}

/* What records and alerts say alike. */
static void read_whose(struct tree *t, struct feedback *f)
{
    read_text(t, "user.name", f->user, sizeof f->user);
    read_text(t, "source.geo.country_iso_code", f->country, sizeof f->country);
    read_text(t, "user_agent.original", f->agent, sizeof f->agent);
    read_text(t, "casetap.client.name", f->client, sizeof f->client);
    read_text(t, "rule.id", f->rule, sizeof f->rule);
    tree_ip(t, "source.ip", &f->source);
    f->asn = (uint32_t)tree_number_or_0(t, "source.as.number", UINT32_MAX);
    f->files = (uint32_t)tree_number_or_0(t, "casetap.story.files", UINT32_MAX);
    f->cases = (uint32_t)tree_number_or_0(t, "casetap.story.cases", UINT32_MAX);
    f->customers = (uint32_t)tree_number_or_0(t, "casetap.story.customers", UINT32_MAX);
    f->bytes = tree_number_or_0(t, "casetap.story.bytes", INT64_MAX);
    (void)tree_hex(t, "casetap.session.id", f->session, sizeof f->session); /* absent: none */
}

static void check_head(struct tree *t, const char *dataset)
{
    uint64_t own, schema = tree_number_or_0(t, "casetap.schema", INT64_MAX);
    if (!span_u64(SPAN(RECORD_SCHEMA), &own) || schema != own)
        tree_complain(t, "casetap.schema", "not a version this program reads");
    if (!span_eq(tree_text(t, "event.dataset"), span_text(dataset)))
        tree_complain(t, "event.dataset", "another kind of record");
}

static void read_optional_time(struct tree *t, const char *path, uint64_t *out)
{
    if (tree_find(t, path))
        tree_time(t, path, out);
}

static void read_verdict(struct tree *t, struct feedback *f)
{
    struct span name = tree_text(t, "event.action");
    for (int v = VERDICT_BENIGN; v < VERDICT_N; v++)
        if (span_eq(name, span_text(verdict_name((enum feedback_verdict)v))))
            f->verdict = (uint8_t)v;
    if (!f->verdict)
        tree_complain(t, "event.action", "expected benign, malicious, suppress or undo");
    if (!tree_hex(t, "event.id", f->id, sizeof f->id))
        tree_complain(t, "event.id", "missing");
    if (f->verdict == VERDICT_UNDO && !tree_hex(t, "casetap.undoes", f->undoes, sizeof f->undoes))
        tree_complain(t, "casetap.undoes", "missing");
    if ((f->verdict == VERDICT_BENIGN || f->verdict == VERDICT_MALICIOUS) && !f->user[0])
        tree_complain(t, "user.name", "missing");
}

int feedback_parse(struct span line, struct feedback *f, struct text *why)
{
    struct tree t;
    *f = (struct feedback){0};
    if (tree_open(&t, line, why))
        return E_BAD;
    check_head(&t, "casetap.feedback");
    tree_time(&t, "@timestamp", &f->time_ns);
    read_whose(&t, f);
    read_verdict(&t, f);
    read_optional_time(&t, "casetap.since", &f->since_ns);
    read_optional_time(&t, "casetap.until", &f->until_ns);
    read_optional_time(&t, "casetap.alerted", &f->alerted_ns);
    (void)tree_hex(&t, "casetap.alert", f->alert, sizeof f->alert); /* absent: about none */
    read_text(&t, "casetap.by", f->by, sizeof f->by);
    read_text(&t, "event.reason", f->why, sizeof f->why);
    struct span place = tree_text(&t, "casetap.place");
    f->has_place = place.size > 0;
    if (f->has_place && !prefix_parse(place, &f->place))
        tree_complain(&t, "casetap.place", "expected an address or a prefix");
    tree_close(&t);
    return t.is_bad ? E_BAD : E_OK;
}

int feedback_of_alert(struct span line, struct feedback *f, struct text *why)
{
    struct tree t;
    if (tree_open(&t, line, why))
        return E_BAD;
    check_head(&t, "casetap.alert");
    if (!tree_hex(&t, "event.id", f->alert, sizeof f->alert))
        tree_complain(&t, "event.id", "missing");
    tree_time(&t, "@timestamp", &f->alerted_ns);
    read_whose(&t, f);
    tree_close(&t);
    return t.is_bad ? E_BAD : E_OK;
}
