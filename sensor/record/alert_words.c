/* SPDX-License-Identifier: Apache-2.0
 * Sentences about alerts. */
#include "record/alert_words.h"

#include <math.h>

void words_bytes(uint64_t bytes, struct text *out)
{
    static const char units[] = "kMGTPE";
    if (bytes < 1000) {
        text_addf(out, "%u byte%s", (unsigned)bytes, bytes == 1 ? "" : "s");
        return;
    }
    uint64_t unit = 1000;
    size_t i = 0;
    while (bytes / unit >= 1000 && i < 5) {
        unit *= 1000;
        i++;
    }
    uint64_t tenths = bytes / (unit / 10); /* cut, not rounded: 999.95 kB is not 1000.0 kB */
    text_addf(out, "%u.%u %cB", (unsigned)(tenths / 10), (unsigned)(tenths % 10), units[i]);
}

const char *words_action(enum action action)
{
    static const char *const words[ACTION_N] = {
        [ACTION_MFA_CHALLENGE] = "second factor asked for",
        [ACTION_MFA_PASSED] = "second factor passed",
        [ACTION_VIEW_CASE] = "case opened",
        [ACTION_LIST] = "a list or overview page",
        [ACTION_LIST_FILES] = "list of a case's files",
        [ACTION_JOB_CREATE] = "job started",
        [ACTION_JOB_POLL] = "job asked after",
        [ACTION_JOB_DELETE] = "job deleted",
        [ACTION_PASSWORD_CHANGE] = "password change",
        [ACTION_PREFS_CHANGE] = "change of preferences",
        [ACTION_FACTOR_CHANGE] = "change of a second factor",
        [ACTION_TOKEN_CREATE] = "new token",
        [ACTION_API_CALL] = "API call",
    };
    return (unsigned)action < ACTION_N && words[action] ? words[action] : action_name(action);
}

static void add_count(struct text *out, const char *before, uint32_t n, const char *what)
{
    if (n)
        text_addf(out, "%s%u %s%s", before, n, what, n == 1 ? "" : "s");
}

void words_taken(const struct alert *a, struct text *out)
{
    size_t start = out->size;
    add_count(out, "", a->n_files, "file");
    add_count(out, out->size > start ? " of " : "", a->n_customers, "customer");
    add_count(out, out->size > start ? " in " : "", a->n_cases, "case");
    if (a->n_bytes) {
        text_add_str(out, out->size > start ? ", " : "");
        words_bytes(a->n_bytes, out);
    }
}

void words_place(const struct activity *a, struct text *out)
{
    char ip[IPADDR_TEXT_MAX];
    const char *separator = " (";
    text_add_str(out, ipaddr_is_zero(&a->source) ? "an unknown address" : ipaddr_text(&a->source, ip));
    if (a->country[0]) {
        text_addf(out, "%s%.2s", separator, a->country);
        separator = ", ";
    }
    if (a->asn || a->size[STR_AS_ORG]) {
        text_add_str(out, separator);
        if (a->asn)
            text_addf(out, "AS%u%s", a->asn, a->size[STR_AS_ORG] ? " " : "");
        text_add(out, activity_get(a, STR_AS_ORG));
        separator = ", ";
    }
    if (a->source_class != NETWORK_UNKNOWN || a->size[STR_NETWORK]) {
        text_addf(out, "%s%s network", separator, network_class_name((enum network_class)a->source_class));
        if (a->size[STR_NETWORK]) {
            text_add_char(out, ' ');
            text_add(out, activity_get(a, STR_NETWORK));
        }
        separator = ", ";
    }
    if (separator[0] == ',')
        text_add_char(out, ')');
}

void words_who(const struct activity *a, int further, struct text *out)
{
    struct span user = activity_get(a, STR_USER), app = activity_get(a, STR_APP), host = activity_get(a, STR_HOST);
    if (!user.size && ipaddr_is_zero(&a->source) && (app.size || host.size)) { /* what nobody did */
        text_add_str(out, app.size ? "the application " : "the host ");
        text_add(out, app.size ? app : host);
        return;
    }
    text_add(out, user.size ? user : SPAN("somebody unnamed"));
    if (further)
        text_addf(out, " and %d further", further);
    text_add_str(out, " from ");
    words_place(a, out);
}

/* A word before the value; "" where the value is a phrase of its own. */
static const char *field_in_words(const char *field)
{
    static const struct {
        const char *field, *words;
    } table[] = {
        {"source.geo.country_iso_code", "country"},
        {"source.as.number", "network operator (AS)"},
        {"source.as.organization.name", "network operator"},
        {"source.ip", "address"},
        {"user_agent.original", "client"},
        {"user_agent.name", "client"},
        {"casetap.client", "client"},
        {"casetap.client.name", "client"},
        {"casetap.source.class", "kind of network"},
        {"casetap.source.network", "network"},
        {"casetap.route", "route"},
        {"casetap.customer.name", "customer"},
        {"casetap.case.id", "case"},
        {"casetap.session.id", "session"},
        {"event.action", "action"},
        {"event.start", "time"},
        {"event.outcome", ""}, /* a count of failures says it in its value, like those of casetap.*.day */
        {"rule.id", "also"},
        {"@timestamp", "time"},
        {"credential.idle_days", "days without use"},
        {"casetap.token.expires_seconds", "the token's seconds left"},
        {"casetap.file.class", "kind of file"},
        {"casetap.app", "application"},
        {"casetap.object", "object"},
        {"source.as.number", "AS"},
        {"source.geo.country_iso_code", "country"},
        {"visit.new", "new place"},
        {"visit.client", "new client"},
        {"http.response.status_code", "status"},
        {"url.domain", "host"},
        {"file.name", "file"},
        {"file.extension", "kind of file"},
        {"user.name", "credential"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (strcmp(field, table[i].field) == 0)
            return table[i].words;
    }
    return span_starts(span_text(field), SPAN("casetap.")) ? "" : field;
}

void words_why(const struct why *w, struct text *out)
{
    const char *words = field_in_words(w->field);
    text_add_str(out, words);
    text_add_str(out, words[0] && w->value[0] ? " " : "");
    text_add_str(out, w->value);
    if (w->usual[0]) {
        text_add_str(out, ", usual: ");
        text_add_str(out, w->usual);
    }
}

void words_reason(const struct alert *a, struct text *out)
{
    for (int i = 0; i < a->n_why; i++) {
        text_add_str(out, i ? "; " : "");
        words_why(&a->why[i], out);
        if (isfinite(a->why[i].bits) && a->why[i].bits != 0)
            text_addf(out, ", %+.1f bits", a->why[i].bits);
    }
}

void words_message(const struct alert *a, struct text *out)
{
    struct span user = activity_get(&a->last, STR_USER);
    int further = 0;
    for (int i = 0; i < a->n_users; i++)
        further += !span_eq(span_text(a->users[i]), user);
    text_add_str(out, a->rule->name);
    text_add_str(out, ": ");
    words_who(&a->last, further, out);
    if (a->n_files || a->n_customers || a->n_cases || a->n_bytes) {
        text_add_str(out, ", ");
        words_taken(a, out);
    }
}
