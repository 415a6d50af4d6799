/* SPDX-License-Identifier: Apache-2.0
 * A small table of counts, emptied at each flush. */
#include "app/assets.h"

#include "base/map.h"

#include <stdlib.h>

struct asset_key {
    uint8_t session[SESSION_HASH_SIZE];
    struct endpoint server;
};

struct asset_count {
    uint64_t first_ns, last_ns;
    uint32_t n;
};

struct assets {
    struct map *counts; /* struct asset_key -> struct asset_count */
    struct activity fact;
    assets_emit_fn *emit;
    void *ctx;
};

static void tell(void *ctx, const void *key, void *value)
{
    struct assets *s = ctx;
    const struct asset_key *k = key;
    const struct asset_count *c = value;
    activity_init(&s->fact);
    s->fact.tail_used = 0;
    s->fact.time_ns = c->first_ns;
    s->fact.done_ns = c->last_ns;
    s->fact.cred_kind = CRED_COOKIE;
    s->fact.server = k->server;
    s->fact.assets = c->n;
    memcpy(s->fact.session, k->session, SESSION_HASH_SIZE);
    s->emit(s->ctx, &s->fact);
}

struct assets *assets_new(uint32_t max, assets_emit_fn *emit, void *ctx)
{
    struct assets *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->counts = map_new(sizeof(struct asset_key), sizeof(struct asset_count), max, 0);
    if (!s->counts) {
        free(s);
        return NULL;
    }
    s->emit = emit;
    s->ctx = ctx;
    map_on_evict(s->counts, tell, s);
    return s;
}

void assets_free(struct assets *s)
{
    if (!s)
        return;
    map_free(s->counts);
    free(s);
}

void assets_add(struct assets *s, const uint8_t session[SESSION_HASH_SIZE], const struct endpoint *server, uint64_t time_ns)
{
    struct asset_key key;
    bool is_new;
    memset(&key, 0, sizeof key); /* compared as bytes: the padding too */
    memcpy(key.session, session, SESSION_HASH_SIZE);
    key.server.ip = server->ip;
    key.server.port = server->port;
    struct asset_count *c = map_touch(s->counts, &key, &is_new);
    if (is_new)
        c->first_ns = time_ns;
    if (c->last_ns < time_ns)
        c->last_ns = time_ns;
    c->n++;
}

void assets_flush(struct assets *s)
{
    const void *key;
    void *value;
    for (uint32_t at = UINT32_MAX; map_walk(s->counts, &at, &key, &value);) {
        struct asset_key gone = *(const struct asset_key *)key;
        tell(s, key, value);
        map_remove(s->counts, &gone);
    }
}
