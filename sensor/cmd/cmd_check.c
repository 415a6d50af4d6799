/* SPDX-License-Identifier: Apache-2.0
 * casetap check: finds what is wrong before a start does. */
#include "base/err.h"
#include "cmd/command.h"
#include "cmd/options.h"
#include "run/analysis.h"
#include "run/draft.h"
#include "run/reach.h"
#include "run/setup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct usage usage = {
    "check", "[FILE...]",
    "Reads configuration, rules, application profiles, databases and, when named, Redis, as 'run' would,\n"
    "and says what is wrong (file:line:column) or what was found.\n"
    "With --suggest-profile it reads captures (FILE...) of an application that has no profile yet, and prints\n"
    "a first draft of one: logins, session cookies, keys, files and case pages seen. Read it before use.",
    "examples:\n"
    "  casetap check --config /etc/casetap/casetap.yaml\n"
    "  casetap check --suggest-profile desk.pcap > draft.yaml\n"
    "  casetap check --suggest-profile=desk.example.com --keylog keys.log desk.pcapng\n", SETTING_CHECK};

static void no_alert(void *ctx, const struct alert *a)
{
    (void)ctx;
    (void)a;
}

/* What nobody could verify against real traffic says so, and so does a route that can never be taken. */
static size_t show_profile(const struct profiles *p, size_t i)
{
    struct text flaws = {0};
    size_t all = profiles_routes(p, i), unseen = profiles_unseen(p, i);
    printf("profile   %-16s %3zu routes, ", profiles_name(p, i), all);
    if (strcmp(profiles_status(p, i), "verified") != 0)
        puts("from public documentation: never seen on a wire");
    else if (unseen)
        printf("%zu verified, %zu from public documentation\n", all - unseen, unseen);
    else
        puts("verified");
    size_t n = profiles_audit(p, i, &flaws);
    if (n)
        fputs(text_str(&flaws), stdout);
    text_fini(&flaws);
    return n;
}

static void show_detections(const struct detections *d)
{
    size_t own = 0, off = 0;
    for (size_t i = 0; i < detections_count(d); i++) {
        own += detections_at(d, i)->is_own;
        off += !detections_at(d, i)->is_enabled;
    }
    printf("detections %zu, %zu of your own, %zu switched off\n", detections_count(d), own, off);
}

/* False when it was to be reached and could not. */
static bool show_sink(const struct sink_config *c, bool wants_reach)
{
    struct text why = {0};
    int rc = wants_reach ? reach(c, &why) : E_NONE;
    printf("sink      %s: %s, %s", c->name, c->type == SINK_REDIS ? "Redis" : c->url, format_name(c->format));
    if (wants_reach)
        printf("%s%s", rc == E_NONE ? ", ask 'casetap selftest'" : rc ? ", not reached: " : ", reached", text_str(&why));
    putchar('\n');
    text_fini(&why);
    return rc == 0 || rc == E_NONE;
}

static int check(const struct settings *s, struct text *why)
{
    struct setup setup;
    struct analysis *analysis = NULL;
    const char *line;
    size_t flaws = 0, away = 0;
    int rc = setup_init(&setup, s, why);
    if (rc)
        return rc;
    rc = analysis_new(s, text_str(&setup.rules_dir), true, &(struct analysis_hooks){.on_alert = no_alert}, &analysis, why);
    if (rc == 0) {
        printf("rules     %s\n", text_str(&setup.rules_dir));
        for (size_t i = 0; i < profiles_count(setup.profiles); i++)
            flaws += show_profile(setup.profiles, i);
        show_detections(analysis_detections(analysis));
        for (size_t i = 0; (line = analysis_database(analysis, i)); i++)
            printf("geo       %s\n", line);
        if (!analysis_database(analysis, 0))
            puts("geo       no database found (--geoip FILE)");
        size_t names, patterns, services;
        analysis_people(analysis, &names, &patterns, &services);
        if (names || patterns || services)
            printf("people    %zu names, %zu patterns and domains, %zu services\n", names, patterns, services);
        struct roster_totals roster = analysis_roster(analysis);
        if (s->roster)
            printf("roster    %zu people, %zu of them leavers, %zu services; %zu organisations, %zu roles, %zu prefixes\n",
                   roster.people, roster.leavers, roster.services, roster.organisations, roster.roles, roster.prefixes);
        size_t cases, domains;
        analysis_customers(analysis, &cases, &domains);
        if (s->customers.n)
            printf("customers %zu cases or patterns, %zu domains\n", cases, domains);
        for (size_t i = 0; s->sinks && i < s->sinks->n; i++)
            away += !show_sink(&s->sinks->at[i], s->reach);
        printf("baselines %s\n", s->redis ? "in Redis, reachable" : "in memory");
        if (flaws) {
            text_addf(why, "%zu %s of the profiles can never be taken", flaws, flaws == 1 ? "route" : "routes");
            rc = E_CONF;
        } else if (away) {
            text_addf(why, "%zu %s cannot be reached", away, away == 1 ? "sink" : "sinks");
            rc = E_IO;
        } else {
            puts("all well");
        }
    }
    analysis_free(analysis);
    setup_fini(&setup);
    return rc;
}

/* Nothing is printed of a draft that failed. */
static int suggest(const struct settings *s, const char *const *paths, size_t n, struct text *why)
{
    struct source *source = NULL;
    struct text draft = {0};
    if (n == 0) {
        text_add_str(why, "no capture named; try 'casetap check --help'");
        return E_USAGE;
    }
    int rc = source_open_files(&source, paths, n, s->filter, why);
    if (rc == 0)
        rc = draft_run(s, source, &draft, why);
    if (rc == 0 && draft.is_cut)
        rc = E_LIMIT;
    if (rc == 0 && (fwrite(draft.at, 1, draft.size, stdout) != draft.size || fflush(stdout) != 0)) {
        text_add_str(why, "the draft could not be written to standard output");
        rc = E_IO;
    }
    if (source)
        source_close(source);
    text_fini(&draft);
    return rc;
}

static int print_defaults(const char *format, struct text *why)
{
    struct text out = {0};
    int rc = settings_print(format, &out);
    if (rc == 0 && fputs(text_str(&out), stdout) < 0)
        rc = E_IO;
    if (rc)
        text_add_str(why, rc == E_USAGE ? "--print-defaults: expected yaml or markdown" : "standard output took not all");
    text_fini(&out);
    return rc;
}

int cmd_check(int argc, char **argv)
{
    struct settings s;
    struct text why = {0};
    int first;
    settings_init(&s);
    int rc = options_parse(&usage, argc, argv, &s, &first, &why);
    if (rc == 0 && first != argc && !s.suggest_profile) {
        text_addf(&why, "'%s' is not expected here", argv[first]);
        rc = E_USAGE;
    }
    free(s.out); /* a start makes it and writes there; a check leaves nothing behind */
    s.out = NULL;
    if (rc == 0 && s.print_defaults)
        rc = print_defaults(s.print_defaults, &why);
    else if (rc == 0 && s.suggest_profile)
        rc = suggest(&s, (const char *const *)(argv + first), (size_t)(argc - first), &why);
    else if (rc == 0)
        rc = check(&s, &why);
    int code = rc == 0 || rc == E_END ? EXIT_DONE : command_fail(rc, text_str(&why));
    settings_fini(&s);
    text_fini(&why);
    return code;
}
