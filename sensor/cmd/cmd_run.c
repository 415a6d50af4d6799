/* SPDX-License-Identifier: Apache-2.0
 * casetap run: live on an interface. */
#include "base/err.h"
#include "cmd/command.h"
#include "cmd/options.h"
#include "cmd/show.h"
#include "run/analyser.h"
#include "run/confine.h"
#include "run/live.h"
#include "run/sensor.h"

#include <stdio.h>

static const struct usage usage = {
    "run", "",
    "Watches an interface (a SPAN port or tap) until SIGINT or SIGTERM. Needs CAP_NET_RAW (root, or\n"
    "'setcap cap_net_raw=ep' on the program).",
    "examples:\n"
    "  casetap run -i eth1 --out /var/log/casetap --redis unix:///run/redis/redis.sock\n"
    "  casetap run -i eth1 --filter 'tcp port 8080' --state /var/lib/casetap/state --json\n",
    SETTING_RUN};

struct screen {
    struct show show;
    const struct settings *settings;
    struct text guarded; /* what is in force */
};

static void on_alert(void *ctx, const struct alert *a)
{
    struct screen *screen = ctx;
    if (!sink_config_has(screen->settings->sinks, SINK_STDOUT)) /* else a sink writes them */
        show_alert(&screen->show, a);
}

static void on_ready(void *ctx)
{
    const struct screen *screen = ctx;
    const struct settings *s = screen->settings;
    if (s->quiet)
        return;
    if (s->interface)
        fprintf(stderr, "casetap: capturing on %s; SIGINT or SIGTERM ends it\n", s->interface);
    else
        fprintf(stderr, "casetap: analysing what sensors tell; SIGINT or SIGTERM ends it\n");
    fprintf(stderr, "casetap: %s\n", text_str(&screen->guarded));
}

/* What is the same for all roles: what was shown and what is told at the end. */
static int end(struct screen *screen, struct summary *summary, int rc, struct text *why)
{
    if (!screen->settings->quiet)
        fputs(text_str(&summary->text), stderr);
    summary_fini(summary);
    text_fini(&screen->guarded);
    int shown = show_fini(&screen->show, why);
    return rc ? rc : shown;
}

static int run_analyser(const struct settings *s, struct text *why)
{
    struct summary summary = {0};
    struct screen screen = {.settings = s};
    show_init(&screen.show, s->json, true);
    int rc = confine(s, &screen.guarded, why);
    if (rc == 0)
        rc = analyser_run(s, &(struct live_hooks){&screen, on_alert, on_ready}, &summary, why);
    return end(&screen, &summary, rc, why);
}

static int run(const struct settings *s, struct text *why)
{
    enum role role;
    int rc = role_of(s, &role, why);
    if (rc || role == ROLE_ANALYSER)
        return rc ? rc : run_analyser(s, why);
    struct source *source = NULL;
    struct summary summary = {0};
    struct screen screen = {.settings = s};
    if (!s->interface) {
        text_add_str(why, "no interface named: casetap run -i IFACE");
        return E_USAGE;
    }
    if (s->sinks && s->sinks->n && !s->out) {
        text_add_str(why, "--sink needs --out DIR: sinks are served from the alert log there");
        return E_USAGE;
    }
    rc = source_open_live(&source, s->interface, &(struct source_live_options){.filter = s->filter}, why);
    if (rc)
        return rc;
    show_init(&screen.show, s->json, true);
    rc = confine(s, &screen.guarded, why);
    if (rc == 0)
        rc = live_run(s, source, &(struct live_hooks){&screen, on_alert, on_ready}, &summary, why);
    source_close(source);
    return end(&screen, &summary, rc, why);
}

int cmd_run(int argc, char **argv)
{
    return options_command(&usage, argc, argv, "; captures are for 'casetap replay'", run);
}
