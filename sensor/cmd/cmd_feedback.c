/* SPDX-License-Identifier: Apache-2.0
 * casetap feedback: a person says what an alert was. A line is added to a file; whoever judges reads it there. The clock is read
 * for when the person said it. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/err.h"
#include "base/times.h"
#include "cmd/command.h"
#include "record/feedback.h"
#include "sink/sink.h"

#define FOLLOWS_S 60u /* "--at alert": that long after the alert's evidence */

struct order {
    struct feedback f;
    const char *dir, *file, *alert, *at;
    bool is_list;
};

static void print_help(void)
{
    puts("usage: casetap feedback benign ALERT --out DIR [--why TEXT]\n"
         "       casetap feedback malicious ALERT --out DIR [--since TIME] [--until TIME] [--why TEXT]\n"
         "       casetap feedback suppress [ALERT] --out DIR --until TIME [--rule ID] [--user NAME] [--place CIDR] [--why TEXT]\n"
         "       casetap feedback undo FEEDBACK --out DIR [--why TEXT]\n"
         "       casetap feedback list --out DIR\n\n"
         "Says what an alert was, by its id (event.id). A running 'casetap run --out DIR' takes it up within a second;\n"
         "'casetap replay --feedback DIR/feedback.ndjson' when packet time comes to it.\n\n"
         "  benign     it was the owner: the place, the client or the volume is usual from now on\n"
         "  malicious  it was not: nothing of it is learned, the baseline learns no more until it is undone or --until,\n"
         "             and the same session, address or client is told again. --since: all the credential learned from\n"
         "             then on is forgotten\n"
         "  suppress   such alerts are counted and not told until then; with ALERT, those of its rule and credential\n"
         "  undo       takes a verdict back, as if it had not been given; FEEDBACK is its id, as 'list' shows it\n\n"
         "options:\n"
         "  --out DIR           where alerts.ndjson is, and feedback.ndjson is written\n"
         "  --feedback FILE     another file for the verdicts\n"
         "  --rule ID           suppress: alerts of this rule, like D01\n"
         "  --user NAME         suppress: of this credential\n"
         "  --place CIDR        suppress: from this address or prefix\n"
         "  --since TIME        malicious: when the credential was taken\n"
         "  --until TIME        when it ends: 2026-12-31, 2026-12-31T12:00:00Z, or 30d, 12h from --at on\n"
         "  --at TIME           from when on it holds (default: now); 'alert': a minute after the alert, for replays\n"
         "  --why TEXT, --by NAME   why, and who says so (default: $USER)\n"
         "  --help              this text\n\n"
         "exit codes: 0 done, 1 a file failed or there is no such alert, 2 wrong usage");
}

static int bad_time(const char *option, const char *value, struct text *why)
{
    text_addf(why, "--%s: '%s' is no time: 2026-12-31, 2026-12-31T12:00:00Z, 30d, 12h", option, value);
    return E_USAGE;
}

static int hex_of(const char *text, uint8_t out[16])
{
    for (int i = 0; i < 16; i++) {
        unsigned byte;
        char pair[3] = {text[0], text[0] ? text[1] : 0, 0};
        char *end;
        byte = (unsigned)strtoul(pair, &end, 16);
        if (strlen(pair) != 2 || *end || strchr("+- ", pair[0]))
            return E_BAD;
        out[i] = (uint8_t)byte;
        text += 2;
    }
    return *text ? E_BAD : E_OK;
}

static int set_text(const char *option, const char *value, char *out, size_t size, struct text *why)
{
    if (strlen(value) < size) {
        snprintf(out, size, "%s", value);
        return E_OK;
    }
    text_addf(why, "--%s: longer than %zu bytes", option, size - 1);
    return E_USAGE;
}

enum { OPT_OUT = 1, OPT_FILE, OPT_RULE, OPT_USER, OPT_PLACE, OPT_SINCE, OPT_UNTIL, OPT_AT, OPT_WHY, OPT_BY, OPT_HELP };

struct times {
    const char *since, *until;
};

static int set_option(struct order *o, struct times *t, int option, const char *value, struct text *why)
{
    struct feedback *f = &o->f;
    switch (option) {
    case OPT_OUT: o->dir = value; return E_OK;
    case OPT_FILE: o->file = value; return E_OK;
    case OPT_SINCE: t->since = value; return E_OK;
    case OPT_UNTIL: t->until = value; return E_OK;
    case OPT_AT: o->at = value; return E_OK;
    case OPT_RULE: return set_text("rule", value, f->rule, sizeof f->rule, why);
    case OPT_USER: return set_text("user", value, f->user, sizeof f->user, why);
    case OPT_WHY: return set_text("why", value, f->why, sizeof f->why, why);
    case OPT_BY: return set_text("by", value, f->by, sizeof f->by, why);
    case OPT_PLACE:
        f->has_place = prefix_parse(span_text(value), &f->place);
        if (!f->has_place)
            text_addf(why, "--place: '%s' is no address or prefix (10.0.0.0/8, 2001:db8::/32)", value);
        return f->has_place ? E_OK : E_USAGE;
    default: return E_END;
    }
}

static int parse_options(int argc, char **argv, struct order *o, struct times *t, struct text *why)
{
    static const struct option options[] = {
        {"out", required_argument, NULL, OPT_OUT},     {"feedback", required_argument, NULL, OPT_FILE},
        {"rule", required_argument, NULL, OPT_RULE},   {"user", required_argument, NULL, OPT_USER},
        {"place", required_argument, NULL, OPT_PLACE}, {"since", required_argument, NULL, OPT_SINCE},
        {"until", required_argument, NULL, OPT_UNTIL}, {"at", required_argument, NULL, OPT_AT},
        {"why", required_argument, NULL, OPT_WHY},     {"by", required_argument, NULL, OPT_BY},
        {"help", no_argument, NULL, OPT_HELP},         {NULL, 0, NULL, 0}};
    int c, rc = E_OK;
    opterr = 0;
    optind = 0; /* glibc: begin anew */
    while (rc == E_OK && (c = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
        if (c == '?' || c == ':') {
            text_addf(why, c == ':' ? "option '%s' needs a value; try 'casetap feedback --help'"
                                    : "unknown option '%s'; try 'casetap feedback --help'", argv[optind - 1]);
            return E_USAGE;
        }
        rc = set_option(o, t, c == 'h' ? OPT_HELP : c, optarg, why);
    }
    return rc;
}

static int parse_words(int argc, char **argv, struct order *o, struct text *why)
{
    const char *verb = optind < argc ? argv[optind] : "";
    for (int v = VERDICT_BENIGN; v < VERDICT_N; v++)
        if (strcmp(verb, verdict_name((enum feedback_verdict)v)) == 0)
            o->f.verdict = (uint8_t)v;
    o->is_list = strcmp(verb, "list") == 0;
    if (!o->f.verdict && !o->is_list) {
        text_addf(why, "expected benign, malicious, suppress, undo or list instead of '%s'; try 'casetap feedback --help'", verb);
        return E_USAGE;
    }
    o->alert = optind + 1 < argc ? argv[optind + 1] : NULL;
    if (optind + 2 < argc || (o->is_list && o->alert)) {
        text_addf(why, "'%s' is not expected here", argv[optind + 1 + !o->is_list]);
        return E_USAGE;
    }
    if (!o->dir && !o->file) {
        text_add_str(why, "where? --out DIR, as 'run' or 'replay' has it");
        return E_USAGE;
    }
    if (!o->alert && !o->is_list && o->f.verdict != VERDICT_SUPPRESS) {
        text_addf(why, "%s: which %s? Its id is expected", verb, o->f.verdict == VERDICT_UNDO ? "verdict" : "alert");
        return E_USAGE;
    }
    return E_OK;
}

/* Calls fn for each whole line; stops when it returns another thing than E_OK. E_NONE when there is no such file. */
static int each_line(const char *path, int (*fn)(void *ctx, struct span line), void *ctx, struct text *why)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t size;
    int rc = E_OK;
    FILE *file = fopen(path, "re");
    if (!file) {
        text_addf(why, "%s: %s", path, strerror(errno));
        return errno == ENOENT ? E_NONE : E_IO;
    }
    while (rc == E_OK && (size = getline(&line, &room, file)) > 0)
        rc = fn(ctx, span_trim(span_of(line, (size_t)size)));
    free(line);
    fclose(file);
    return rc;
}

static int take_alert(void *ctx, struct span line)
{
    struct order *o = ctx;
    struct text ignored = {.max = 256};
    struct feedback of_alert = o->f;
    uint8_t id[16];
    memcpy(id, o->f.alert, sizeof id);
    if (feedback_is_of(line, id) && feedback_of_alert(line, &of_alert, &ignored) == E_OK && memcmp(of_alert.alert, id, 16) == 0)
        o->f = of_alert; /* the last line of it holds */
    text_fini(&ignored);
    return E_OK;
}

/* What the person named outweighs what the alert says. */
static int find_alert(struct order *o, struct text *why)
{
    struct text path = {0};
    struct feedback said = o->f;
    if (hex_of(o->alert, o->f.alert)) {
        text_addf(why, "'%s' is no alert's id: 32 hexadecimal digits, the last line of an alert", o->alert);
        return E_USAGE;
    }
    text_addf(&path, "%s/alerts.ndjson", o->dir ? o->dir : ".");
    int rc = each_line(text_str(&path), take_alert, o, why);
    if (rc == E_OK && !o->f.alerted_ns) {
        text_addf(why, "%s: no alert %s", text_str(&path), o->alert);
        rc = E_NONE;
    }
    text_fini(&path);
    if (said.user[0])
        memcpy(o->f.user, said.user, sizeof said.user);
    if (said.rule[0])
        memcpy(o->f.rule, said.rule, sizeof said.rule);
    return rc == E_NONE ? E_IO : rc;
}

/* A suppression is of a rule and a credential, whatever else the alert said. */
static void narrow(struct feedback *f)
{
    if (f->verdict != VERDICT_SUPPRESS)
        return;
    struct feedback all = *f;
    *f = (struct feedback){.verdict = all.verdict, .alerted_ns = all.alerted_ns, .has_place = all.has_place, .place = all.place};
    memcpy(f->alert, all.alert, sizeof f->alert);
    memcpy(f->user, all.user, sizeof f->user);
    memcpy(f->rule, all.rule, sizeof f->rule);
    memcpy(f->by, all.by, sizeof f->by);
    memcpy(f->why, all.why, sizeof f->why);
}

static int set_times(struct order *o, const struct times *t, struct text *why)
{
    struct timespec now;
    struct feedback *f = &o->f;
    clock_gettime(CLOCK_REALTIME, &now);
    f->time_ns = (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
    if (o->at && strcmp(o->at, "alert") == 0 && f->alerted_ns)
        f->time_ns = f->alerted_ns + FOLLOWS_S * NS_PER_S;
    else if (o->at && !time_typed(o->at, f->time_ns, &f->time_ns))
        return bad_time("at", o->at, why);
    if (t->until && !time_typed(t->until, f->time_ns, &f->until_ns))
        return bad_time("until", t->until, why);
    if (t->since && !time_typed(t->since, 0, &f->since_ns))
        return bad_time("since", t->since, why);
    if (t->since && f->since_ns >= f->time_ns)
        text_add_str(why, "--since: that is not before the verdict itself (--at)");
    else if (t->until && f->until_ns <= f->time_ns)
        text_add_str(why, "--until: that is over before it begins (--at)");
    else if (t->since && f->verdict != VERDICT_MALICIOUS)
        text_add_str(why, "--since: only of malicious");
    else if (t->until && f->verdict != VERDICT_MALICIOUS && f->verdict != VERDICT_SUPPRESS)
        text_add_str(why, "--until: only of malicious and suppress");
    else if (f->verdict == VERDICT_SUPPRESS && !t->until)
        text_add_str(why, "suppress: until when? --until 30d");
    else if (f->verdict == VERDICT_SUPPRESS && !f->user[0] && !f->rule[0] && !f->has_place)
        text_add_str(why, "suppress: which alerts? ALERT, --rule, --user or --place");
    else if (f->verdict == VERDICT_BENIGN && !f->user[0])
        text_add_str(why, "the alert is about no one credential: there is no baseline to teach; use suppress");
    else
        return E_OK;
    return E_USAGE;
}

static int find_verdict(void *ctx, struct span line)
{
    struct order *o = ctx;
    struct feedback f;
    struct text ignored = {.max = 256};
    if (feedback_parse(line, &f, &ignored) == E_OK && memcmp(f.id, o->f.undoes, 16) == 0)
        o->f.alerted_ns = 1; /* there is one */
    text_fini(&ignored);
    return E_OK;
}

static int set_undone(struct order *o, const char *path, struct text *why)
{
    if (hex_of(o->alert, o->f.undoes)) {
        text_addf(why, "'%s' is no verdict's id: 32 hexadecimal digits, as 'casetap feedback list' shows them", o->alert);
        return E_USAGE;
    }
    int rc = each_line(path, find_verdict, o, why);
    if (rc == E_OK && !o->f.alerted_ns) {
        text_addf(why, "%s: no verdict %s", path, o->alert);
        rc = E_IO;
    }
    o->f.alerted_ns = 0;
    return rc == E_NONE ? E_IO : rc;
}

static int list_line(void *ctx, struct span line)
{
    struct feedback f;
    struct text out = {0}, ignored = {.max = 256};
    char time[TIME_TEXT_MAX], place[PREFIX_TEXT_MAX];
    (void)ctx;
    if (feedback_parse(line, &f, &ignored) == E_OK) {
        for (int i = 0; i < 16; i++)
            text_addf(&out, "%02x", f.id[i]);
        text_addf(&out, "  %.16sZ  %-9s", time_text(f.time_ns, time), verdict_name((enum feedback_verdict)f.verdict));
        text_addf(&out, "%s%s%s%s%s%s", f.rule[0] ? "  " : "", f.rule, f.user[0] ? "  " : "", f.user, f.has_place ? "  from " : "",
                  f.has_place ? prefix_text(&f.place, place) : "");
        for (int i = 0; i < 16 && f.verdict == VERDICT_UNDO; i++)
            text_addf(&out, "%s%02x", i ? "" : "  of ", f.undoes[i]);
        if (f.since_ns)
            text_addf(&out, "  since %.16sZ", time_text(f.since_ns, time));
        if (f.until_ns)
            text_addf(&out, "  until %.16sZ", time_text(f.until_ns, time));
        text_addf(&out, "%s%s%s%s", f.by[0] ? "  by " : "", f.by, f.why[0] ? ": " : "", f.why);
        puts(text_str(&out));
    }
    text_fini(&out);
    text_fini(&ignored);
    return E_OK;
}

static int write_record(struct order *o, const char *path, struct text *why)
{
    struct line_file *file;
    struct text line = {0};
    feedback_seal(&o->f);
    feedback_json(&o->f, &line);
    int rc = line_file_open(&file, path, false, why);
    if (rc == E_OK) {
        (void)line_file_write(file, text_span(&line)); /* sticky: told at close */
        rc = line_file_close(file, true, why);
    }
    text_fini(&line);
    if (rc != E_OK)
        return rc;
    for (int i = 0; i < 16; i++)
        printf("%02x", o->f.id[i]);
    puts("");
    return E_OK;
}

static int obey(struct order *o, const struct times *t, struct text *why)
{
    struct text path = {0};
    if (o->file)
        text_add_str(&path, o->file);
    else
        text_addf(&path, "%s/feedback.ndjson", o->dir);
    int rc = E_OK;
    if (o->is_list) {
        rc = each_line(text_str(&path), list_line, NULL, why);
        rc = rc == E_NONE ? E_OK : rc; /* nobody has said anything yet */
    } else {
        if (o->f.verdict == VERDICT_UNDO)
            rc = set_undone(o, text_str(&path), why);
        else if (o->alert)
            rc = find_alert(o, why);
        narrow(&o->f);
        if (rc == E_OK)
            rc = set_times(o, t, why);
        if (rc == E_OK)
            rc = write_record(o, text_str(&path), why);
    }
    text_fini(&path);
    return rc;
}

int cmd_feedback(int argc, char **argv)
{
    struct order o = {0};
    struct times t = {0};
    struct text why = {0};
    const char *user = getenv("USER");
    snprintf(o.f.by, sizeof o.f.by, "%s", user ? user : "");
    int rc = parse_options(argc, argv, &o, &t, &why);
    if (rc == E_END)
        print_help();
    if (rc == E_OK)
        rc = parse_words(argc, argv, &o, &why);
    if (rc == E_OK)
        rc = obey(&o, &t, &why);
    int code = rc == E_OK || rc == E_END ? EXIT_DONE : command_fail(rc, text_str(&why));
    text_fini(&why);
    return code;
}
