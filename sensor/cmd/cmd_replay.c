/* SPDX-License-Identifier: Apache-2.0
 * casetap replay: recorded captures in, alerts out. */
#include "base/err.h"
#include "cmd/command.h"
#include "cmd/options.h"
#include "cmd/show.h"
#include "run/out_dir.h"
#include "run/replay.h"

#include <signal.h>
#include <stdio.h>

static const struct usage usage = {
    "replay", "FILE...",
    "Reads pcap and pcapng captures (several are merged by time; a directory means every capture in it;\n"
    "- is standard input) and prints an alert for each credential that did something unusual.\n"
    "No configuration is needed: applications are recognised by their cookies and routes.",
    "examples:\n"
    "  casetap replay desk.pcap\n"
    "  casetap replay --out result --geoip GeoLite2-Country.mmdb week1.pcap week2.pcap\n"
    "  casetap replay --app rt=support.example.com --alias svc-export=1-48 captures/\n",
    SETTING_REPLAY};

/* For the signal handler alone. */
static struct source *volatile reading;
static volatile sig_atomic_t stopped_by; /* the signal, or 0 */

static void stop(int signal_number)
{
    stopped_by = signal_number;
    if (reading)
        source_stop(reading);
}

static void on_alert(void *ctx, const struct alert *a)
{
    show_alert(ctx, a);
}

static void on_progress(void *ctx, const struct source_stats *stats)
{
    show_progress(ctx, stats);
}

static int replay(const struct settings *s, const char *const *paths, size_t n, struct text *why)
{
    struct source *source = NULL;
    struct summary summary = {0};
    struct show show;
    int rc = source_open_files(&source, paths, n, s->filter, why);
    if (rc == 0 && s->out)
        rc = out_dir_make(s->out, why);
    if (rc) {
        if (source)
            source_close(source);
        return rc;
    }
    reading = source;
    sigaction(SIGINT, &(struct sigaction){.sa_handler = stop, .sa_flags = (int)SA_RESETHAND}, NULL);
    sigaction(SIGTERM, &(struct sigaction){.sa_handler = stop, .sa_flags = (int)SA_RESETHAND}, NULL);
    show_init(&show, s->json, s->quiet);
    rc = replay_run(s, source, &(struct replay_hooks){&show, on_alert, on_progress}, &summary, why);
    show_end(&show);
    if (rc == 0 && !s->quiet) {
        show_overview(&show);
        fputs(text_str(&summary.text), stderr);
    }
    if (rc == 0 && stopped_by)
        fputs("casetap: stopped before the end: what is written is of the part that was read\n", stderr);
    reading = NULL;
    source_close(source);
    summary_fini(&summary);
    int shown = show_fini(&show, why);
    return rc ? rc : shown;
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
