/* SPDX-License-Identifier: Apache-2.0
 * casetap impact: which customers' files a credential, a session or an address got. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "base/hex.h"
#include "base/times.h"
#include "cmd/command.h"
#include "run/evidence.h"
#include "run/impact_show.h"
#include "store/segments.h"

#define MAX_LOGS 64u

struct question {
    struct subject subject;
    const char *alert, *alerts, *packages, *evidence, *verify, *from, *to, *last;
    char *logs[MAX_LOGS]; /* owned */
    size_t n_logs;
    enum impact_form form;
};

static void print_help(void)
{
    puts("usage: casetap impact [--credential NAME] [--session ID] [--address CIDR] [--alert ID] [option...] LOG...\n"
         "       casetap impact --verify FILE [LOG...]\n\n"
         "Tells which customers' files a credential, a session or an address got: by customer, case and file when, how often, how\n"
         "many bytes, whether whole, with how many secrets in it and how sure that is; apart from it, what was only viewed, listed\n"
         "or refused. Each byte counts once, however often and in however many pieces it was fetched; what later records complete\n"
         "or name counts as completed and named. All that is asked for must hold.\n\n"
         "LOG is a directory written with --log or --out, or an activities.ndjson, plain or packed.\n\n"
         "options:\n"
         "  --credential NAME   user.name, exactly\n"
         "  --session ID        casetap.session.id, 32 hexadecimal digits\n"
         "  --address CIDR      source.ip: 203.0.113.7, 203.0.113.0/24, 2001:db8::/32\n"
         "  --alert ID          the credential of this alert, in the /24 (IPv6: /64) around its address, from its first evidence on\n"
         "  --alerts FILE       where it stands (default: alerts.ndjson in the directory of the log)\n"
         "  --from TIME, --to TIME   by packet time: 2026-03-20, 2026-03-20T03:12:00Z; --to is not part of it; also 8h, 2d behind --from\n"
         "  --last 8h           that long before the last activity of the log\n"
         "  --csv, --json       instead of text\n"
         "  --packages DIR      one file a customer, without what is of the others\n"
         "  --evidence FILE     the records it was told from, with the log's hash chain around each\n"
         "  --verify FILE       whether such a file is what was written; with LOG, also whether the log still says the same\n"
         "  --help              this text\n\n"
         "exit codes: 0 done, 1 a file failed, there is no such alert, or --verify found a fault, 2 wrong usage");
}

static int add_log(struct question *q, const char *path, struct text *why)
{
    struct text file = {0};
    if (q->n_logs == MAX_LOGS) {
        text_addf(why, "more than %u logs", MAX_LOGS);
        return E_USAGE;
    }
    text_addf(&file, "%s/activities.ndjson", path);
    bool is_out = !segments_are_in(path) && access(text_str(&file), F_OK) == 0;
    q->logs[q->n_logs] = strdup(is_out ? text_str(&file) : path);
    int rc = q->logs[q->n_logs] ? E_OK : E_NOMEM;
    q->n_logs += rc == E_OK;
    text_fini(&file);
    return rc;
}

enum { OPT_CREDENTIAL = 1, OPT_SESSION, OPT_ADDRESS, OPT_ALERT, OPT_ALERTS, OPT_FROM, OPT_TO, OPT_LAST, OPT_LOG, OPT_CSV, OPT_JSON,
       OPT_PACKAGES, OPT_EVIDENCE, OPT_VERIFY, OPT_HELP };

static int set_who(struct subject *s, int option, const char *value, struct text *why)
{
    if (option == OPT_CREDENTIAL) {
        if (!*value || strlen(value) >= sizeof s->credential) {
            text_add_str(why, "--credential: empty, or longer than any name is");
            return E_USAGE;
        }
        snprintf(s->credential, sizeof s->credential, "%s", value);
    } else if (option == OPT_SESSION) {
        if (!hex_bytes(span_text(value), s->session, sizeof s->session)) {
            text_addf(why, "--session: '%s' is no session's id: 32 hexadecimal digits (casetap.session.id)", value);
            return E_USAGE;
        }
        s->has_session = true;
    } else {
        if (!prefix_parse(span_text(value), &s->place)) {
            text_addf(why, "--address: '%s' is no address or prefix (10.0.0.0/8, 2001:db8::/32)", value);
            return E_USAGE;
        }
        s->has_place = true;
    }
    return E_OK;
}

static int set_option(struct question *q, int option, const char *value, struct text *why)
{
    struct subject *s = &q->subject;
    switch (option) {
    case OPT_CREDENTIAL:
    case OPT_SESSION:
    case OPT_ADDRESS: return set_who(s, option, value, why);
    case OPT_ALERT: q->alert = value; return E_OK;
    case OPT_ALERTS: q->alerts = value; return E_OK;
    case OPT_FROM: q->from = value; return E_OK;
    case OPT_TO: q->to = value; return E_OK;
    case OPT_LAST: q->last = value; return E_OK;
    case OPT_LOG: return add_log(q, value, why);
    case OPT_CSV: q->form = IMPACT_CSV; return E_OK;
    case OPT_JSON: q->form = IMPACT_JSON; return E_OK;
    case OPT_PACKAGES: q->packages = value; return E_OK;
    case OPT_EVIDENCE: q->evidence = value; return E_OK;
    case OPT_VERIFY: q->verify = value; return E_OK;
    default: return E_END;
    }
}

static int parse(int argc, char **argv, struct question *q, struct text *why)
{
    static const struct option options[] = {
        {"credential", required_argument, NULL, OPT_CREDENTIAL}, {"session", required_argument, NULL, OPT_SESSION},
        {"address", required_argument, NULL, OPT_ADDRESS},       {"alert", required_argument, NULL, OPT_ALERT},
        {"alerts", required_argument, NULL, OPT_ALERTS},         {"from", required_argument, NULL, OPT_FROM},
        {"to", required_argument, NULL, OPT_TO},                 {"last", required_argument, NULL, OPT_LAST},
        {"log", required_argument, NULL, OPT_LOG},               {"csv", no_argument, NULL, OPT_CSV},
        {"json", no_argument, NULL, OPT_JSON},                   {"packages", required_argument, NULL, OPT_PACKAGES},
        {"evidence", required_argument, NULL, OPT_EVIDENCE},     {"verify", required_argument, NULL, OPT_VERIFY},
        {"help", no_argument, NULL, OPT_HELP},                   {NULL, 0, NULL, 0}};
    int c, rc = E_OK;
    opterr = 0;
    optind = 0; /* glibc: begin anew */
    while (rc == E_OK && (c = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
        if (c == '?' || c == ':') {
            text_addf(why, c == ':' ? "option '%s' needs a value; try 'casetap impact --help'"
                                    : "unknown option '%s'; try 'casetap impact --help'", argv[optind - 1]);
            rc = E_USAGE;
        } else {
            rc = set_option(q, c == 'h' ? OPT_HELP : c, optarg, why);
        }
    }
    for (int i = optind; rc == E_OK && i < argc; i++)
        rc = add_log(q, argv[i], why);
    return rc;
}

static bool is_asked(const struct question *q)
{
    return q->alert || q->subject.credential[0] || q->subject.has_session || q->subject.has_place;
}

static int check(const struct question *q, struct text *why)
{
    if (q->verify && is_asked(q))
        text_add_str(why, "--verify: only of a file; which records it has was asked when it was written");
    else if (!q->n_logs && !q->verify)
        text_add_str(why, "which log? A directory written with --log or --out, or an activities.ndjson");
    else if (!is_asked(q) && !q->verify)
        text_add_str(why, "whose? --credential, --session, --address or --alert");
    else if (q->last && (q->from || q->to))
        text_add_str(why, "--last: not together with --from and --to");
    else
        return E_OK;
    return E_USAGE;
}

static int bad_time(const char *option, const char *value, struct text *why)
{
    text_addf(why, "--%s: '%s' is no time: 2026-12-31, 2026-12-31T12:00:00Z, 30d, 12h", option, value);
    return E_USAGE;
}

static int set_window(struct question *q, struct text *why)
{
    struct subject *s = &q->subject;
    uint64_t last_ns = 0, length_ns = 0;
    if (q->from && !time_typed(q->from, 0, &s->from_ns))
        return bad_time("from", q->from, why);
    if (q->to && !time_typed(q->to, s->from_ns, &s->to_ns))
        return bad_time("to", q->to, why);
    if (s->to_ns && s->to_ns <= s->from_ns) {
        text_add_str(why, "--to: that is not behind --from");
        return E_USAGE;
    }
    if (!q->last)
        return E_OK;
    if (strchr(q->last, '-') || !time_typed(q->last, 0, &length_ns))
        return bad_time("last", q->last, why);
    int rc = impact_last((const char *const *)q->logs, q->n_logs, &last_ns, why);
    s->from_ns = last_ns > length_ns ? last_ns - length_ns : 0;
    return rc;
}

static int find_alert(struct question *q, struct text *why)
{
    struct text path = {0};
    uint8_t id[16];
    if (!hex_bytes(span_text(q->alert), id, sizeof id)) {
        text_addf(why, "'%s' is no alert's id: 32 hexadecimal digits", q->alert);
        return E_USAGE;
    }
    if (q->alerts) {
        text_add_str(&path, q->alerts);
    } else {
        const char *log = q->logs[0], *slash = strrchr(log, '/');
        bool is_dir = segments_are_in(log);
        text_addf(&path, "%.*s/alerts.ndjson", is_dir ? (int)strlen(log) : slash ? (int)(slash - log) : 1, is_dir || slash ? log : ".");
    }
    int rc = subject_of_alert(&q->subject, text_str(&path), q->alert, why);
    text_fini(&path);
    return rc == E_NONE ? E_IO : rc;
}

/* E_BAD when it does not hold. */
static int verify(const struct question *q, struct text *why)
{
    struct evidence_verdict v;
    struct text told = {0};
    char hex[2 * DIGEST_SIZE + 1];
    int rc = evidence_verify(q->verify, (const char *const *)q->logs, q->n_logs, &v, &told, why);
    if (rc == E_OK) {
        fputs(text_str(&told), stdout);
        printf("%llu records, %llu faults", (unsigned long long)v.records, (unsigned long long)v.faults);
        if (q->n_logs)
            printf(", %llu found unchanged in the log", (unsigned long long)v.compared);
        printf("\nseal %s\n", hex_text(span_of(v.seal, sizeof v.seal), hex));
    }
    if (rc == E_OK && v.faults) {
        text_addf(why, "%s: this is not what was written", q->verify);
        rc = E_BAD;
    }
    text_fini(&told);
    return rc;
}

static int print(const struct text *out, struct text *why)
{
    if (fwrite(text_str(out), 1, out->size, stdout) == out->size && (fflush(stdout) == 0 || errno == EPIPE))
        return E_OK;
    text_addf(why, "standard output: %s", strerror(errno));
    return E_IO;
}

static int end_evidence(struct evidence *e, const char *path, bool keep, struct text *why)
{
    uint64_t records;
    uint8_t seal[DIGEST_SIZE];
    char hex[2 * DIGEST_SIZE + 1];
    int rc = e ? evidence_close(e, keep, &records, seal, why) : E_OK;
    if (e && keep && rc == E_OK)
        fprintf(stderr, "casetap: %s: %llu records, seal %s\n", path, (unsigned long long)records, hex_text(span_of(seal, sizeof seal), hex));
    return rc;
}

static int answer(const struct question *q, struct text *why)
{
    struct impact impact = {0};
    struct evidence *evidence = NULL;
    struct text out = {.max = (size_t)1 << 30}, more = {0};
    size_t n = 0;
    int rc = q->evidence ? evidence_open(&evidence, q->evidence, &q->subject, why) : E_OK;
    if (rc == E_OK)
        rc = impact_collect(&impact, &q->subject, (const char *const *)q->logs, q->n_logs, evidence, why);
    if (rc == E_OK && q->packages) {
        rc = impact_packages(&impact, &q->subject, q->form, q->packages, &n, why);
        if (rc == E_OK)
            fprintf(stderr, "casetap: %zu customers in %s\n", n, q->packages);
    }
    int ended = end_evidence(evidence, q->evidence, rc == E_OK, rc ? &more : why);
    rc = rc ? rc : ended;
    if (rc == E_OK) {
        impact_show(&impact, &q->subject, q->form, NULL, &out);
        rc = print(&out, why);
    }
    impact_fini(&impact);
    text_fini(&out);
    text_fini(&more);
    return rc;
}

int cmd_impact(int argc, char **argv)
{
    struct question q = {0};
    struct text why = {0};
    int rc = parse(argc, argv, &q, &why);
    if (rc == E_END)
        print_help();
    if (rc == E_OK)
        rc = check(&q, &why);
    if (rc == E_OK && q.alert)
        rc = find_alert(&q, &why);
    if (rc == E_OK && !q.verify)
        rc = set_window(&q, &why);
    subject_ready(&q.subject);
    if (rc == E_OK)
        rc = q.verify ? verify(&q, &why) : answer(&q, &why);
    int code = rc == E_OK || rc == E_END ? EXIT_DONE : command_fail(rc, text_str(&why));
    for (size_t i = 0; i < q.n_logs; i++)
        free(q.logs[i]);
    text_fini(&why);
    return code;
}
