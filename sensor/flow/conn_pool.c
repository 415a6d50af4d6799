/* SPDX-License-Identifier: Apache-2.0
 * The memory and the counters of all connections of one worker. */
#include "flow/conn_exchange.h"
#include "flow/http2.h"

#include <stdlib.h>

static const struct counter_def DEFS[] = {
    {"conn_opened", "connections", "connections looked into"},
    {"conn_refused", "connections", "not looked into because too many were open; raise the limit"},
    {"conn_http", "connections", "that spoke HTTP/1"},
    {"conn_other", "connections", "that spoke something else, or went on to (Upgrade, CONNECT)"},
    {"conn_swapped", "connections", "joined midstream, whose client was known by what it said"},
    {"conn_proxied", "connections", "with a PROXY protocol preface"},
    {"conn_upgraded", "connections", "handed over to another protocol by 101 or CONNECT"},
    {"conn_transactions", "transactions", "HTTP transactions told"},
    {"conn_no_request", "transactions", "whose request was not seen"},
    {"conn_no_response", "transactions", "whose response was not seen"},
    {"conn_gap", "transactions", "with bytes missing from the capture; a lossy tap"},
    {"conn_cut", "transactions", "with a head larger than its cap, or given up for lack of memory"},
    {"conn_ambiguous", "transactions", "with conflicting framing; may be request smuggling"},
    {"conn_aborted", "transactions", "whose connection ended before they did"},
    {"conn_interim", "messages", "interim (1xx) responses"},
    {"conn_bare", "messages", "answers without a head: what HTTP/0.9 looks like, or what no client reads"},
    {"conn_resyncs", "times", "sync was lost in a direction"},
    {"conn_found", "messages", "found after sync was lost"},
    {"conn_junk", "times", "bytes that are no message stood where one should begin"},
    {"conn_heads_refused", "heads", "lost because no buffer was free; raise the limit"},
    {"conn_blocks_refused", "blocks", "memory for a transaction or a large head was not to be had; raise the limit"},
    {"conn_evicted", "connections", "given up, or one of their streams, so that a new transaction has memory; raise the limit"},
    {"conn_too_many", "connections", "given up because too many requests waited for their answers"},
};

#define N_OWN (sizeof DEFS / sizeof DEFS[0])
_Static_assert(N_OWN * sizeof(uint64_t) == sizeof(struct conn_counts), "one name for each counter");

static uint32_t at_least(uint32_t value, uint32_t least)
{
    return value > least ? value : least;
}

static bool make_pools(struct conn_pool *p, uint32_t max_conns, uint32_t max_active)
{
    p->conns = pool_new(sizeof(struct conn), max_conns);
    p->blocks = pool_new(CONN_BLOCK, max_active);
    p->large = pool_new(CONN_LARGE, at_least(max_active / 32, 16));
    p->memory.small = pool_new(HTTP1_SMALL, at_least(max_active / 4, 16));
    p->memory.large = pool_new(HTTP1_MAX_HEAD, at_least(max_active / 64, 16));
    p->codings = coding_pool_new(NULL);
    uint32_t max_http2 = at_least(max_conns / 8, 16);
    p->http2s = pool_new(http2_size(), max_http2);
    p->hpacks = hpack_pool_new(max_http2 * 16384ULL);
    return p->conns && p->blocks && p->large && p->memory.small && p->memory.large && p->codings && p->http2s && p->hpacks;
}

#define N_VIEWS 3u

static void views_of(const struct conn_pool *p, struct counters views[N_VIEWS])
{
    views[0] = coding_counters(p->codings);
    views[1] = http2_counters(&p->http2_counts);
    views[2] = hpack_counters(p->hpacks);
}

static bool name_counters(struct conn_pool *p)
{
    struct counters views[N_VIEWS];
    views_of(p, views);
    size_t n = N_OWN;
    for (size_t i = 0; i < N_VIEWS; i++)
        n += views[i].n;
    p->defs = calloc(n, sizeof *p->defs);
    p->values = calloc(n, sizeof *p->values);
    if (!p->defs || !p->values)
        return false;
    memcpy(p->defs, DEFS, sizeof DEFS);
    for (size_t i = 0, at = N_OWN; i < N_VIEWS; at += views[i++].n)
        memcpy(p->defs + at, views[i].defs, views[i].n * sizeof *p->defs);
    return true;
}

struct conn_pool *conn_pool_new(const struct conn_limits *limits, const struct conn_hooks *hooks)
{
    struct conn_pool *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    uint32_t max_conns = limits->max_conns ? limits->max_conns : 262144;
    uint32_t max_active = limits->max_active ? limits->max_active : at_least(max_conns / 8, 1024);
    p->hooks = *hooks;
    if (!make_pools(p, max_conns, max_active) || !name_counters(p)) {
        conn_pool_free(p);
        return NULL;
    }
    return p;
}

void conn_pool_free(struct conn_pool *p)
{
    if (!p)
        return;
    struct pool *pools[] = {p->conns, p->blocks, p->large, p->memory.small, p->memory.large, p->http2s};
    for (size_t i = 0; i < sizeof pools / sizeof pools[0]; i++)
        pool_free(pools[i]);
    coding_pool_free(p->codings);
    hpack_pool_free(p->hpacks);
    free(p->defs);
    free(p->values);
    explicit_bzero(p, sizeof *p); /* a head's text, with its cookies */
    free(p);
}

struct counters conn_counters(const struct conn_pool *p)
{
    struct counters views[N_VIEWS];
    struct conn_counts own = p->counts;
    size_t n = N_OWN;
    views_of(p, views);
    own.heads_refused = p->memory.refused;
    memcpy(p->values, &own, sizeof own);
    for (size_t i = 0; i < N_VIEWS; n += views[i++].n)
        memcpy(p->values + n, views[i].values, views[i].n * sizeof *p->values);
    return (struct counters){p->defs, p->values, n};
}

bool conn_may_idle(const struct conn *c)
{
    const struct conn_pool *p = c->pool;
    return !c->http2 || (pool_used(p->http2s) <= pool_max(p->http2s) / 2 && hpack_has_room(p->hpacks));
}
