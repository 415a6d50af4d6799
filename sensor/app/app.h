/* SPDX-License-Identifier: Apache-2.0
 * The packet side of applications: which application a transaction belongs to, which route of its profile took it, and
 * the activity candidates that come of it. One object per worker; the compiled profiles are shared and read-only. */
#ifndef APP_APP_H
#define APP_APP_H

#include "app/profile.h"
#include "app/unmapped.h"
#include "base/counter.h"
#include "base/keyed.h"
#include "flow/conn.h"
#include "record/activity.h"

struct app;

/* Which route took a transaction; borrowed. */
struct app_route {
    const struct transaction *t;
    struct span profile, route; /* route: empty when none took it */
    const char *action;         /* "none" when nothing is to be told */
    bool is_told;
    struct span why; /* with app_options.explain: a paragraph, or a JSON line; else empty */
};

struct app_options {
    const struct profiles *profiles;
    struct keyed *key;               /* for session hashes; borrowed */
    const struct prefix *trusted;    /* proxies whose forwarding headers count; n_trusted 0 = private peers */
    size_t n_trusted;
    uint32_t max_transactions;       /* concurrently open; 0 = 65536 */
    uint64_t scan_budget;            /* bytes of one file that are looked through for secrets; 0 = none */
    bool has_hash;                   /* tell the SHA-256 of files */
    /* A candidate; borrowed during the call. */
    void (*emit)(void *ctx, const struct activity *candidate);
    /* A candidate of ACTION_NONE that is not to be told, only to be known (identity_fact). May be NULL. */
    void (*on_fact)(void *ctx, const struct activity *fact);
    /* Every transaction at its end, with the client a trusted proxy named (or NULL). May be NULL. */
    void (*on_transaction)(void *ctx, const struct transaction *t, const struct ipaddr *forwarded);
    /* Every transaction at its end, with what the profiles made of it. May be NULL. */
    void (*on_route)(void *ctx, const struct app_route *r);
    enum app_explain { APP_EXPLAIN_NOT, APP_EXPLAIN_TEXT, APP_EXPLAIN_JSON } explain; /* for on_route; allocates */
    void *ctx;
};

struct app *app_new(const struct app_options *options);
void app_free(struct app *app);
/* Transactions that begin from here on are read by other profiles, and other proxies' fields are believed; those under way end
 * under the profiles they began with. 'profiles' was held with profiles_hold for this app. Allocates nothing. E_LIMIT: those
 * of 64 former swaps are still in use; nothing has changed, try later. */
int app_swap(struct app *app, const struct profiles *profiles, const struct prefix *trusted, size_t n_trusted);
/* The hooks to hand to conn_pool_new. */
struct conn_hooks app_hooks(struct app *app);
/* About once a second of packet time, and at the end: tells the facts that were collected. */
void app_tick(struct app *app);
struct counters app_counters(const struct app *app);
struct counters app_body_counters(const struct app *app);    /* bodies in which values were looked for */
struct counters app_file_counters(const struct app *app);    /* bodies in which files were looked at */
struct counters app_content_counters(const struct app *app); /* what was looked at in them */
/* What no route took, by template; borrowed. */
const struct unmapped *app_unmapped(const struct app *app);
/* Whether 'server' has been seen to serve a known application (for flows that are not HTTP). */
bool app_watches(const struct app *app, const struct ipaddr *server);
/* Who the client of a connection is that cannot be read: the source of its PROXY preface ('proxied'; zero: none) when
 * the peer is a trusted proxy, else the peer. */
struct ipaddr app_client_of(const struct app *app, const struct endpoint *peer, const struct ipaddr *proxied);
/* Whether the name in a TLS handshake is that of a host that serves one. */
bool app_watches_name(const struct app *app, struct span server_name);
/* Whether it is the name of a declared host of which nothing was ever read: then all of it stays closed. */
bool app_is_closed(const struct app *app, struct span server_name);
/* What was assumed, one line each, in byte order ("support.example.test is rt: cookie RT_SID_*"); NULL after the last. */
const char *app_assumption(const struct app *app, size_t i);

#endif
