/* SPDX-License-Identifier: Apache-2.0
 * casetap replay: recorded captures, or recorded activities, in; alerts out. */
#include "base/err.h"
#include "cmd/command.h"
#include "cmd/options.h"
#include "cmd/show.h"
#include "run/out_dir.h"
#include "run/replay.h"
#include "run/sensor.h"

#include <signal.h>
#include <stdio.h>

static const struct usage usage = {
    "replay", "FILE...",
    "Reads pcap and pcapng captures (several are merged by time; a directory means every capture in it;\n"
    "- is standard input) and prints an alert for each credential that did something unusual.\n"
    "Activity logs (activities.ndjson) are read the same way: what was recorded is judged again, under\n"
    "today's rules, without its packets.\n"
    "No configuration is needed: applications are recognised by their cookies and routes.",
    "examples:\n"
    "  casetap replay desk.pcap\n"
    "  casetap replay --out result --geoip GeoLite2-Country.mmdb week1.pcap week2.pcap\n"
    "  casetap replay --app rt=support.example.com --alias svc-export=1-48 captures/\n"
    "  casetap replay --rules my-rules result/activities.ndjson\n",
    SETTING_REPLAY};

/* For the signal handler alone. */
static struct source *volatile reading;
static struct activity_log *volatile reading_log;
static volatile sig_atomic_t stopped_by; /* the signal, or 0 */

static void stop(int signal_number)
{
    stopped_by = signal_number;
    if (reading)
        source_stop(reading);
    if (reading_log)
        activity_log_stop(reading_log);
}

static void on_alert(void *ctx, const struct alert *a)
{
    show_alert(ctx, a);
}

/* A sink writes them to standard output. */
static void no_alert(void *ctx, const struct alert *a)
{
    (void)ctx;
    (void)a;
}

static void on_explained(void *ctx, struct span why)
{
    (void)ctx;
    fwrite(why.at, 1, why.size, stdout); /* told at the end, with the alerts */
}

static void on_progress(void *ctx, const struct source_stats *stats)
{
    show_progress(ctx, stats);
}

/* Of captures that are cut, damaged, empty, or none: also where nobody wants a summary. */
static void say_notes(const struct source *source)
{
    const char *note;
    for (size_t i = 0; source && (note = source_note(source, i)); i++)
        fprintf(stderr, "casetap: %s\n", note);
}

/* One of the two is open. */
static int run(const struct settings *s, struct source *source, struct activity_log *log, struct text *why)
{
    struct summary summary = {0};
    struct show show;
    if (s->sinks && s->sinks->n && !s->out) {
        text_add_str(why, "--sink needs --out DIR: sinks are served from the alert log there");
        return E_USAGE;
    }
    enum role role;
    int rc = role_of(s, &role, why);
    if (rc == 0 && (role == ROLE_ANALYSER || (role == ROLE_SENSOR && log))) {
        text_add_str(why, role == ROLE_ANALYSER ? "--role analyser: an analyser reads from Redis; start it with 'casetap run'"
                                                : "--role sensor: what is recorded is of the analysers' half; a sensor reads captures");
        rc = E_USAGE;
    }
    if (rc == 0 && s->out)
        rc = out_dir_make(s->out, why);
    if (rc)
        return rc;
    reading = source;
    reading_log = log;
    sigaction(SIGINT, &(struct sigaction){.sa_handler = stop, .sa_flags = (int)SA_RESETHAND}, NULL);
    sigaction(SIGTERM, &(struct sigaction){.sa_handler = stop, .sa_flags = (int)SA_RESETHAND}, NULL);
    show_init(&show, s->json, s->quiet);
    struct replay_hooks hooks = {.ctx = &show, .on_alert = sink_config_has(s->sinks, SINK_STDOUT) ? no_alert : on_alert,
                                 .on_explained = on_explained, .on_progress = on_progress};
    if (log)
        show.unit = "records";
    rc = log                   ? replay_log_run(s, log, &hooks, &summary, why)
         : role == ROLE_SENSOR ? sensor_replay(s, source, &hooks, &summary, why)
                               : replay_run(s, source, &hooks, &summary, why);
    show_end(&show);
    bool may_be_sinks = s->sinks && s->sinks->n; /* the rest is done then: what they got is in the summary */
    if ((rc == 0 || (may_be_sinks && summary.text.size)) && !s->quiet) {
        show_overview(&show);
        fputs(text_str(&summary.text), stderr);
    }
    if (rc == 0 && s->quiet)
        say_notes(source);
    if (rc == 0 && stopped_by)
        fputs("casetap: stopped before the end: what is written is of the part that was read\n", stderr);
    reading = NULL;
    reading_log = NULL;
    summary_fini(&summary);
    int shown = show_fini(&show, why);
    return rc ? rc : shown;
}

static int replay(const struct settings *s, const char *const *paths, size_t n, struct text *why)
{
    struct source *source = NULL;
    struct activity_log *log = NULL;
    size_t n_logs;
    for (size_t i = 0; i < n; i++) {
        if (!paths[i][0]) {
            text_addf(why, "the name of file %zu of %zu is empty", i + 1, n);
            return E_USAGE;
        }
    }
    activity_log_count(paths, n, &n_logs);
    if (n_logs && n_logs < n) {
        text_addf(why, "captures and activity logs cannot be replayed together: %zu of %zu files are activity logs", n_logs, n);
        return E_USAGE;
    }
    int rc = n_logs ? activity_log_open(&log, paths, n, why) : source_open_files(&source, paths, n, s->filter, why);
    if (rc == 0)
        rc = run(s, source, log, why);
    if (source)
        source_close(source);
    activity_log_close(log);
    return rc;
}

int cmd_replay(int argc, char **argv)
{
    struct settings s;
    struct text why = {0};
    int first;
    settings_init(&s);
    int rc = options_parse(&usage, argc, argv, &s, &first, &why);
    if (rc == 0 && first == argc) {
        text_add_str(&why, "no capture named; try 'casetap replay --help'");
        rc = E_USAGE;
    }
    if (rc == 0)
        rc = replay(&s, (const char *const *)(argv + first), (size_t)(argc - first), &why);
    int code = rc == 0 && stopped_by ? EXIT_SIGNAL + stopped_by
               : rc == 0 || rc == E_END ? EXIT_DONE
                                        : command_fail(rc, text_str(&why));
    settings_fini(&s);
    text_fini(&why);
    return code;
}
