/* SPDX-License-Identifier: Apache-2.0
 * The summary, from the counters of every module. */
#include "run/summary.h"

#include "base/times.h"
#include "run/unmapped_file.h"

#include <stdio.h>

static uint64_t value_of(struct counters c, const char *name)
{
    for (size_t i = 0; i < c.n; i++)
        if (strcmp(c.defs[i].name, name) == 0)
            return c.values[i];
    return 0;
}

uint64_t summary_counter(const struct pipeline *p, const struct analysis *a, const char *name)
{
    struct counters c;
    uint64_t sum = 0;
    for (size_t i = 0; (c = pipeline_counters(p, i)).defs; i++)
        sum += value_of(c, name);
    for (size_t i = 0; (c = analysis_counters(a, i)).defs; i++)
        sum += value_of(c, name);
    return sum;
}

/* "1,234,567" */
static const char *grouped(uint64_t n, char out[32])
{
    char digits[24];
    int size = snprintf(digits, sizeof digits, "%llu", (unsigned long long)n), at = 0;
    for (int i = 0; i < size; i++) {
        if (i && (size - i) % 3 == 0)
            out[at++] = ',';
        out[at++] = digits[i];
    }
    out[at] = 0;
    return out;
}

/* "1 packet", "2,000 packets" */
static void add_count(struct text *t, uint64_t n, const char *one, const char *many)
{
    char digits[32];
    text_addf(t, "%s %s", grouped(n, digits), n == 1 ? one : many);
}

static void add_time(struct text *t, uint64_t ns)
{
    char when[TIME_TEXT_MAX];
    time_text(ns, when);
    when[10] = ' ';
    when[19] = 0; /* whole seconds */
    text_add_str(t, when);
}

static void found(struct text *t, const struct analysis_totals *n, const struct summary_span *span)
{
    text_add_str(t, "\nfound     ");
    add_count(t, n->activities, "activity", "activities");
    text_add_str(t, " of ");
    add_count(t, n->credentials, "credential", "credentials");
    text_add_str(t, ", ");
    add_count(t, n->downloads, "file download", "file downloads");
    text_add_char(t, '\n');
    if (span->first_ns <= span->last_ns) {
        text_add_str(t, "from      ");
        add_time(t, span->first_ns);
        text_add_str(t, " to ");
        add_time(t, span->last_ns);
        text_add_str(t, " UTC\n");
    }
}

static void totals(struct text *t, uint64_t packets, const struct pipeline *p, const struct analysis_totals *n)
{
    text_add_str(t, "read      ");
    add_count(t, packets, "packet", "packets");
    text_add_str(t, ", ");
    add_count(t, pipeline_transactions(p), "HTTP transaction", "HTTP transactions");
    found(t, n, &(struct summary_span){pipeline_first(p), pipeline_now(p)});
}

static void alerts(struct text *t, const struct analysis_totals *n)
{
    static const char *const severities[] = {"low", "medium", "high", "critical"};
    const char *before = " (";
    char digits[32];
    text_addf(t, "alerts    %s", n->alerts ? grouped(n->alerts, digits) : "none");
    for (int i = 3; i >= 0; i--) {
        if (!n->alerts_by_severity[i])
            continue;
        text_addf(t, "%s%s %s", before, grouped(n->alerts_by_severity[i], digits), severities[i]);
        before = ", ";
    }
    text_add_str(t, n->alerts ? ")" : "");
    if (n->updates) {
        text_add_str(t, ", updated ");
        add_count(t, n->updates, "time", "times");
    }
    text_add_char(t, '\n');
}

static void assumptions(struct text *t, const struct settings *s, const struct pipeline *p, const struct analysis *a,
                        bool is_default_key)
{
    const char *line;
    for (size_t i = 0; (line = app_assumption(pipeline_app(p), i)); i++)
        text_addf(t, "assumed   %s\n", line);
    if (s->n_trusted == 0)
        text_add_str(t, "assumed   forwarding headers of private addresses are believed (--trust CIDR)\n");
    if (is_default_key)
        text_add_str(t, "assumed   the documented default key for hashes of session values (--key-file)\n");
    for (size_t i = 0; (line = analysis_database(a, i)); i++)
        text_addf(t, "geo       %s\n", line);
    if (!analysis_database(a, 0))
        text_add_str(t, "geo       no database: places are told apart by network prefix only (--geoip FILE)\n");
}

/* The capture's own loss: what its receiver has acknowledged was sent, so that nobody but the tap lost it. */
static void capture_loss(struct text *t, const struct pipeline *p, const struct analysis *a)
{
    uint64_t lost = summary_counter(p, a, "tcp_bytes_missing_acked");
    uint64_t seen = summary_counter(p, a, "tcp_bytes_in") - summary_counter(p, a, "tcp_bytes_repeated");
    char digits[32];
    if (lost)
        text_addf(t, "loss      %.2f %% of the payload: %s bytes were acknowledged and never seen\n",
                  100.0 * (double)lost / ((double)lost + (double)seen), grouped(lost, digits));
}

static void links(struct text *t, const struct pipeline *p, const struct analysis *a)
{
    uint64_t value = summary_counter(p, a, "decap_unknown_link");
    uint32_t link = pipeline_unread_link(p);
    if (!value)
        return;
    text_add_str(t, "not seen  ");
    add_count(t, value, "frame", "frames");
    text_addf(t, " of a link type that is not read (the first: %u %s)\n", link, source_link_name(link));
}

/* The counters that mean something was not seen, in the order of the packet's way. */
static void blind(struct text *t, const struct pipeline *p, const struct analysis *a)
{
    static const struct {
        const char *counter, *one, *many, *advice;
    } rows[] = {
        {"decap_truncated", "frame cut by the capture inside a header", "frames cut by the capture inside a header",
         " (raise the snap length)"},
        {"decap_snapped", "frame whose payload the capture cut", "frames whose payload the capture cut",
         " (raise the snap length)"},
        {"decap_bad", "frame with a header that contradicts itself", "frames with a header that contradicts itself", ""},
        {"decap_too_deep", "frame with more tunnels inside each other than are followed",
         "frames with more tunnels inside each other than are followed", ""},
        {"ipfrag_timed_out", "datagram with fragments missing", "datagrams with fragments missing", ""},
        {"tcp_bytes_missing", "payload byte that was sent but is not in the capture",
         "payload bytes that were sent but are not in the capture", ""},
        {"flow_evicted", "flow ended early for room", "flows ended early for room", " (--max-flows)"},
        {"conn_refused", "connection not looked into for room", "connections not looked into for room", " (--max-flows)"},
        {"pipeline_flows_encrypted", "encrypted connection (TLS, QUIC): what was said inside",
         "encrypted connections (TLS, QUIC): what was said inside", "; tap behind the TLS termination"},
        {"conn_no_request", "response whose request was not seen", "responses whose request was not seen", ""},
        {"conn_no_response", "request whose response was not seen", "requests whose response was not seen", ""},
        {"conn_gap", "transaction with bytes missing", "transactions with bytes missing", ""},
        {"app_no_room", "transaction not looked at for room", "transactions not looked at for room", ""},
        {"store_evicted", "credential forgotten for room", "credentials forgotten for room", " (--max-credentials)"},
        {"store_unsure", "credential judged without its baseline: Redis was away",
         "credentials judged without their baseline: Redis was away", ""},
        {"store_lost", "baseline lost while Redis was away", "baselines lost while Redis was away", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint64_t value = summary_counter(p, a, rows[i].counter);
        if (!value)
            continue;
        text_add_str(t, "not seen  ");
        add_count(t, value, rows[i].one, rows[i].many);
        text_addf(t, "%s\n", rows[i].advice);
    }
    uint64_t unknown = summary_counter(p, a, "app_unknown_file");
    if (unknown) {
        text_add_str(t, "unknown   ");
        add_count(t, unknown, "file", "files");
        text_add_str(t, " came through a route that no application profile names: whose they are is not known\n");
    }
}

void summary_take(struct summary *summary, const struct settings *s, struct source *source, const struct pipeline *p,
                  const struct analysis *a, bool is_default_key)
{
    struct source_stats stats;
    struct analysis_totals n;
    struct text *t = &summary->text;
    const char *note;
    source_stats(source, &stats);
    analysis_totals(a, &n);
    totals(t, stats.packets, p, &n);
    alerts(t, &n);
    analysis_tell_feedback(a, t);
    assumptions(t, s, p, a, is_default_key);
    for (size_t i = 0; (note = source_note(source, i)); i++)
        text_addf(t, "note      %s\n", note);
    if (stats.packets && !pipeline_transactions(p))
        text_add_str(t, "note      no HTTP/1 in it: nothing to tell who did what from\n");
    if (stats.kernel_drops || stats.interface_drops)
        text_addf(t, "not seen  %llu packets dropped by the kernel, %llu by the interface\n",
                  (unsigned long long)stats.kernel_drops, (unsigned long long)stats.interface_drops);
    capture_loss(t, p, a);
    links(t, p, a);
    blind(t, p, a);
    unmapped_summary(app_unmapped(pipeline_app(p)), t);
}

/* What of a log was no activity. */
static void damage(struct text *t, const struct activity_log *log, const struct activity_log_stats *n)
{
    if (n->garbage) {
        text_add_str(t, "not seen  ");
        add_count(t, n->garbage, "line of the log that is no activity", "lines of the log that are no activities");
        text_addf(t, " (first %s)\n", activity_log_first_garbage(log));
    }
    if (n->torn) {
        text_add_str(t, "not seen  ");
        add_count(t, n->torn, "last line without its end", "last lines without their end");
        text_add_str(t, ": the log was cut there\n");
    }
    if (n->redacted) {
        text_add_str(t, "not seen  ");
        add_count(t, n->redacted, "record that was erased", "records that were erased");
        text_add_str(t, ": only their digests are left in the log\n");
    }
    if (n->unordered) {
        text_add_str(t, "note      ");
        add_count(t, n->unordered, "activity was", "activities were");
        text_add_str(t, " done before what stands in front of it in the log: judged in the order written\n");
    }
}

void summary_take_log(struct summary *summary, const struct activity_log *log, const struct summary_span *span,
                      const struct analysis *a)
{
    struct activity_log_stats stats;
    struct analysis_totals n;
    struct text *t = &summary->text;
    activity_log_stats(log, &stats);
    analysis_totals(a, &n);
    text_add_str(t, "read      ");
    add_count(t, stats.activities, "record", "records");
    text_add_str(t, " of an activity log");
    found(t, &n, span);
    alerts(t, &n);
    analysis_tell_feedback(a, t);
    text_add_str(t, "geo       as recorded\n");
    damage(t, log, &stats);
}

void summary_fini(struct summary *summary)
{
    text_fini(&summary->text);
}
