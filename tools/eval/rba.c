/* SPDX-License-Identifier: Apache-2.0
 * CSV in, activities.ndjson out. */
#include "eval/rba.h"

#include "base/err.h"
#include "base/hash.h"
#include "base/times.h"
#include "enrich/client.h"
#include "record/activity.h"

#include <errno.h>
#include <stdlib.h>

#define LINE_MAX_SIZE 8192
#define FIELDS_MAX 32

enum column { COL_TIME, COL_USER, COL_IP, COL_COUNTRY, COL_ASN, COL_AGENT, COL_OK, COL_ATTACK_IP, COL_TAKEOVER, COL_N };

static const char *const column_names[COL_N] = {
    "Login Timestamp",  "User ID",      "IP Address",          "Country", "ASN", "User Agent String",
    "Login Successful", "Is Attack IP", "Is Account Takeover",
};

struct import {
    FILE *out, *truth;
    struct rba_stats *stats;
    int at[COL_N];
    struct text line;
    struct activity activity;
};

/* Cuts a line into fields in place; quotes go, doubled ones become one. How many there are. */
static int cut_fields(char *line, struct span fields[FIELDS_MAX])
{
    int n = 0;
    for (char *from = line; from && n < FIELDS_MAX; n++) {
        char *to = from, *in = from;
        bool is_quoted = *in == '"';
        for (in += is_quoted; *in && (is_quoted || *in != ','); in++) {
            if (is_quoted && *in == '"' && *++in != '"')
                break;
            *to++ = *in;
        }
        fields[n] = span_of(from, (size_t)(to - from));
        from = *in == ',' ? in + 1 : NULL;
    }
    return n;
}

static int find_columns(struct import *m, char *line, struct text *why)
{
    struct span fields[FIELDS_MAX];
    int n = cut_fields(line, fields);
    for (int c = 0; c < COL_N; c++) {
        m->at[c] = -1;
        for (int i = 0; i < n; i++)
            if (span_eq(span_trim(fields[i]), span_text(column_names[c])))
                m->at[c] = i;
        if (m->at[c] < 0) {
            text_addf(why, "the first line has no column '%s'", column_names[c]);
            return E_BAD;
        }
    }
    return 0;
}

static bool is_true(struct span s)
{
    return span_eq_nocase(span_trim(s), SPAN("true"));
}

/* Milliseconds since 1970, or "2020-02-03 12:43:30.772" (UTC). */
static bool read_time(struct span s, uint64_t *ns)
{
    char text[TIME_TEXT_MAX];
    uint64_t ms;
    s = span_trim(s);
    if (span_u64(s, &ms)) {
        *ns = ms * NS_PER_MS;
        return true;
    }
    if (s.size < 19 || s.size + 2 > sizeof text)
        return false;
    memcpy(text, s.at, s.size);
    text[10] = 'T';
    text[s.size] = 'Z';
    return time_parse(span_of(text, s.size + 1), ns);
}

static bool fill(struct activity *a, const struct import *m, const struct span *f, uint64_t row)
{
    struct user_agent client;
    struct span user = span_trim(f[m->at[COL_USER]]), country = span_trim(f[m->at[COL_COUNTRY]]);
    uint64_t asn;
    activity_init(a);
    if (!read_time(f[m->at[COL_TIME]], &a->time_ns) || !ipaddr_parse(span_trim(f[m->at[COL_IP]]), &a->source) ||
        user.size == 0)
        return false;
    a->done_ns = a->time_ns;
    a->flow_hash = hash64(user, 0);
    a->number = (uint32_t)row;
    a->action = ACTION_LOGIN;
    a->outcome = is_true(f[m->at[COL_OK]]) ? OUTCOME_SUCCESS : OUTCOME_FAILURE;
    a->status = a->outcome == OUTCOME_SUCCESS ? 200 : 401;
    a->cred_kind = CRED_FORM;
    a->asn = span_u64(span_trim(f[m->at[COL_ASN]]), &asn) && asn <= UINT32_MAX ? (uint32_t)asn : 0;
    if (country.size == 2)
        memcpy(a->country, country.at, 2);
    activity_set(a, STR_USER, user);
    activity_set(a, STR_APP, SPAN("rba"));
    activity_set(a, STR_ROUTE, SPAN("login"));
    activity_set(a, STR_METHOD, SPAN("POST"));
    activity_set(a, STR_AGENT, f[m->at[COL_AGENT]]);
    client_parse(f[m->at[COL_AGENT]], &client);
    a->client_family = client.family;
    a->client_major = client.major;
    a->flags |= client.is_machine ? ACT_MACHINE : 0;
    activity_set(a, STR_CLIENT, span_text(client.label));
    activity_seal(a);
    return true;
}

static void write_truth(struct import *m, bool is_takeover, bool is_attack_ip)
{
    if (!m->truth || (!is_takeover && !is_attack_ip))
        return;
    fputs("{\"event.id\":\"", m->truth);
    for (size_t i = 0; i < sizeof m->activity.id; i++)
        fprintf(m->truth, "%02x", m->activity.id[i]);
    fprintf(m->truth, "\",\"takeover\":%s,\"attack_ip\":%s}\n", is_takeover ? "true" : "false",
            is_attack_ip ? "true" : "false");
}

static void take_row(struct import *m, char *line)
{
    struct span fields[FIELDS_MAX];
    int n = cut_fields(line, fields), most = 0;
    for (int c = 0; c < COL_N; c++)
        most = m->at[c] > most ? m->at[c] : most;
    if (n <= most || !fill(&m->activity, m, fields, m->stats->rows)) {
        m->stats->bad++;
        return;
    }
    bool is_takeover = is_true(fields[m->at[COL_TAKEOVER]]), is_attack_ip = is_true(fields[m->at[COL_ATTACK_IP]]);
    m->stats->rows++;
    m->stats->takeovers += is_takeover;
    m->stats->attack_ips += is_attack_ip;
    text_clear(&m->line);
    activity_json(&m->activity, &m->line);
    fwrite(text_str(&m->line), 1, m->line.size, m->out);
    write_truth(m, is_takeover, is_attack_ip);
}

int rba_import(FILE *csv, FILE *out, FILE *truth, struct rba_stats *stats, struct text *why)
{
    struct import *m = calloc(1, sizeof *m);
    char line[LINE_MAX_SIZE];
    int rc = m ? 0 : E_NOMEM;
    *stats = (struct rba_stats){0};
    if (rc == 0) {
        *m = (struct import){.out = out, .truth = truth, .stats = stats};
        rc = fgets(line, sizeof line, csv) ? 0 : E_BAD;
        if (rc)
            text_add_str(why, "the file is empty");
    }
    if (rc == 0) {
        line[strcspn(line, "\r\n")] = 0;
        rc = find_columns(m, line, why);
    }
    while (rc == 0 && fgets(line, sizeof line, csv)) {
        line[strcspn(line, "\r\n")] = 0;
        take_row(m, line);
    }
    if (rc == 0 && (ferror(csv) || ferror(out) || fflush(out) != 0)) {
        text_addf(why, "reading or writing failed: %s", strerror(errno));
        rc = E_IO;
    }
    if (m)
        text_fini(&m->line);
    free(m);
    return rc;
}
