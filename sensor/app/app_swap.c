/* SPDX-License-Identifier: Apache-2.0
 * What of an app is asked and changed while it works: other profiles from the next transaction on, who serves what. */
#include "app/app_parts.h"
#include "app/profile_rules.h"
#include "base/err.h"

#include <string.h>

uint8_t app_enter(struct app *app)
{
    app->generations[app->generation].open++;
    return app->generation;
}

static void drop(struct generation *g)
{
    atomic_fetch_sub_explicit(&((struct profiles *)(uintptr_t)g->profiles)->users, 1, memory_order_release);
    g->profiles = NULL;
}

void app_leave_all(struct app *app)
{
    for (size_t i = 0; i < APP_GENERATIONS; i++)
        if (app->generations[i].profiles)
            drop(&app->generations[i]);
}

void app_leave(struct app *app, uint8_t generation)
{
    struct generation *g = &app->generations[generation];
    if (--g->open == 0 && generation != app->generation)
        drop(g);
}

void app_set_trust(struct app *app, const struct prefix *trusted, size_t n)
{
    n = n < APP_TRUSTED_MAX ? n : APP_TRUSTED_MAX;
    if (n)
        memcpy(app->trusted, trusted, n * sizeof *trusted);
    app->trust = (struct forward_trust){app->trusted, n};
}

int app_swap(struct app *app, const struct profiles *profiles, const struct prefix *trusted, size_t n_trusted)
{
    uint8_t to = 0;
    while (to < APP_GENERATIONS && app->generations[to].profiles)
        to++;
    if (to == APP_GENERATIONS)
        return E_LIMIT;
    struct generation *was = &app->generations[app->generation];
    app->generation = to;
    app->generations[to] = (struct generation){profiles, 0};
    hosts_swap(app->hosts, profiles);
    app->options.profiles = profiles;
    if (was->open == 0)
        drop(was);
    app_set_trust(app, trusted, n_trusted);
    memset(app->forwards, 0, sizeof app->forwards); /* found under other prefixes */
    memset(app->clean, 0, sizeof app->clean);
    return E_OK;
}

bool app_watches(const struct app *app, const struct ipaddr *server)
{
    return hosts_serves(app->hosts, server);
}

struct ipaddr app_client_of(const struct app *app, const struct endpoint *peer, const struct ipaddr *proxied)
{
    struct transaction t = {.client = *peer, .proxy_protocol_client = *proxied};
    struct forward forward;
    forward_resolve(&app->trust, &t, &(struct fields){0}, &forward);
    return forward.client;
}

bool app_watches_name(const struct app *app, struct span server_name)
{
    return hosts_serves_name(app->hosts, server_name);
}

bool app_is_closed(const struct app *app, struct span server_name)
{
    return hosts_is_closed(app->hosts, server_name);
}

const char *app_assumption(const struct app *app, size_t i)
{
    return hosts_assumption(app->hosts, i);
}
