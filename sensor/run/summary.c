/* SPDX-License-Identifier: Apache-2.0
 * The summary, from the counters of every module. */
#include "run/summary.h"

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

static void totals(struct text *t, const struct source_stats *stats, const struct pipeline *p, const struct analysis_totals *n)
{
    char a[32], b[32], c[32], d[32], e[32];
    text_addf(t, "read      %s packets, %s transactions, %s activities of %s credentials, %s file downloads\n",
              grouped(stats->packets, a), grouped(pipeline_transactions(p), b), grouped(n->activities, c),
              grouped(n->credentials, d), grouped(n->downloads, e));
    text_addf(t, "alerts    %s (%llu critical, %llu high, %llu medium, %llu low), updated %s times\n", grouped(n->alerts, a),
              (unsigned long long)n->alerts_by_severity[3], (unsigned long long)n->alerts_by_severity[2],
              (unsigned long long)n->alerts_by_severity[1], (unsigned long long)n->alerts_by_severity[0],
              grouped(n->updates, b));
}

static void assumptions(struct text *t, const struct settings *s, const struct pipeline *p, const struct analysis *a,
                        bool is_default_key)
{
    const char *line;
    for (size_t i = 0; (line = app_assumption(pipeline_app(p), i)); i++)
        text_addf(t, "assumed   %s\n", line);
    if (s->n_trusted == 0)
        text_add_str(t, "assumed   forwarding headers of private peers are trusted (--trust CIDR says which)\n");
    if (is_default_key)
        text_add_str(t, "assumed   the documented default key for hashes of session values (--key-file)\n");
    for (size_t i = 0; (line = analysis_database(a, i)); i++)
        text_addf(t, "geo       %s\n", line);
    if (!analysis_database(a, 0))
        text_add_str(t, "geo       no database: places are told apart by network prefix only (--geoip FILE)\n");
}

/* The counters that mean something was not seen, in the order of the packet's way. */
static void blind(struct text *t, const struct pipeline *p, const struct analysis *a)
{
    static const struct {
        const char *counter, *says;
    } rows[] = {
        {"decap_unknown_link", "frames of a link type that is not read"},
        {"decap_truncated", "frames the capture cut inside a header (raise the snap length)"},
        {"decap_snapped", "frames whose payload the capture cut (raise the snap length)"},
        {"decap_bad", "frames with a header that contradicts itself"},
        {"decap_too_deep", "frames with more tunnels inside each other than are followed"},
        {"ipfrag_timed_out", "datagrams with fragments missing"},
        {"tcp_bytes_missing", "payload bytes that were sent but are not in the capture"},
        {"flow_evicted", "flows ended early for room (--max-flows)"},
        {"conn_refused", "connections not looked into for room (--max-flows)"},
        {"conn_no_request", "responses whose request was not seen"},
        {"conn_no_response", "requests whose response was not seen"},
        {"conn_gap", "transactions with bytes missing"},
        {"app_no_room", "transactions not looked at for room"},
        {"app_unknown_file", "files that came through a route no profile knows"},
        {"store_evicted", "credentials forgotten for room (--max-credentials)"},
        {"store_unsure", "credentials judged without their baseline: Redis was away"},
        {"store_lost", "baselines lost while Redis was away"},
    };
    char n[32];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint64_t value = summary_counter(p, a, rows[i].counter);
        if (value)
            text_addf(t, "not seen  %s %s\n", grouped(value, n), rows[i].says);
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
    totals(t, &stats, p, &n);
    assumptions(t, s, p, a, is_default_key);
    for (size_t i = 0; (note = source_note(source, i)); i++)
        text_addf(t, "note      %s\n", note);
    if (stats.kernel_drops || stats.interface_drops)
        text_addf(t, "not seen  %llu packets dropped by the kernel, %llu by the interface\n",
                  (unsigned long long)stats.kernel_drops, (unsigned long long)stats.interface_drops);
    blind(t, p, a);
}

void summary_fini(struct summary *summary)
{
    text_fini(&summary->text);
}
