/* SPDX-License-Identifier: Apache-2.0
 * A redis_server that need not be there at the start. */
#include "run/feed_link.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "store/redis_server.h"

#define RETRY_MS 1000u
#define CONNECT_MS 500

struct feed_link {
    struct loop *loop;
    struct feed_link_options options;
    struct redis_server *server; /* NULL: was never reached */
    bool was_up, is_fresh; /* fresh: connected anew, or its contents may be others */
    uint64_t losses, tried_ms;
    struct text key;
};

/* Restarted or emptied: whoever uses it looks again. */
static void on_forgotten(void *ctx)
{
    struct feed_link *l = ctx;
    l->is_fresh = true;
}

static int try_open(struct feed_link *l, struct text *why)
{
    l->tried_ms = loop_now_ms(l->loop);
    return redis_server_open(l->loop, &(struct redis_server_options){.url = l->options.url, .prefix = STORE_PREFIX,
                                                                     .connect_ms = CONNECT_MS, .on_forgotten = on_forgotten, .ctx = l},
                             &l->server, why);
}

int feed_link_open(struct feed_link **out, struct loop *loop, const struct feed_link_options *o, struct text *why)
{
    struct text said = {0};
    struct feed_link *l = calloc(1, sizeof *l);
    *out = NULL;
    if (!l)
        return E_NOMEM;
    l->loop = loop;
    l->options = *o;
    int rc = try_open(l, &said);
    if (rc == E_IO) {
        log_warn("feed: %s; it is tried again", text_str(&said));
        rc = E_OK;
    }
    if (rc) {
        text_add(why, text_span(&said));
        feed_link_free(l);
    } else {
        *out = l;
    }
    text_fini(&said);
    return rc;
}

void feed_link_free(struct feed_link *l)
{
    if (!l)
        return;
    redis_server_free(l->server);
    text_fini(&l->key);
    free(l);
}

bool feed_link_is_up(const struct feed_link *l)
{
    return l->server && redis_server_is_usable(l->server);
}

bool feed_link_takes(const struct feed_link *l)
{
    return l->was_up && l->server && redis_server_is_writable(l->server);
}

void feed_link_turn(struct feed_link *l)
{
    struct text ignored = {0};
    if (!l->server && loop_now_ms(l->loop) - l->tried_ms >= RETRY_MS && try_open(l, &ignored) == E_OK)
        log_warn("feed: Redis is there");
    text_fini(&ignored);
    bool is_up = feed_link_is_up(l);
    if (is_up && redis_server_losses(l->server) != l->losses) {
        l->losses = redis_server_losses(l->server);
        l->is_fresh = true;
    }
    bool is_new = is_up && (!l->was_up || l->is_fresh);
    l->was_up = is_up;
    if (is_new) {
        l->is_fresh = false;
        l->options.on_up(l->options.ctx);
    }
}

uint32_t feed_link_room(const struct feed_link *l)
{
    return feed_link_is_up(l) ? redis_link_room(redis_server_link(l->server)) : 0;
}

void feed_link_refused(struct feed_link *l, const struct redis_reply *error)
{
    redis_server_hold(l->server, error);
}

void feed_link_worked(struct feed_link *l)
{
    redis_server_worked(l->server);
}

const char *feed_link_key(struct feed_link *l, enum feed_key key, const char *name)
{
    store_key_feed(&l->key, STORE_PREFIX, key, name);
    return text_str(&l->key);
}

bool feed_link_send(struct feed_link *l, const struct span *words, unsigned n, redis_link_done_fn *done, void *ctx)
{
    return feed_link_is_up(l) && redis_link_send(redis_server_link(l->server), words, n, done, ctx) == E_OK;
}

void feed_id_text(uint64_t number, uint64_t sub, char out[FEED_ID_MAX])
{
    snprintf(out, FEED_ID_MAX, "%llu-%llu", (unsigned long long)number, (unsigned long long)sub);
}

bool feed_id_read(struct span text, uint64_t *number, uint64_t *sub)
{
    size_t dash = span_find_byte(text, '-', 0);
    return dash != SIZE_MAX && span_u64(span_sub(text, 0, dash), number) && span_u64(span_from(text, dash + 1), sub);
}

void feed_last_id(const struct redis_reply *reply, uint64_t *number, uint64_t *sub)
{
    *number = *sub = 0;
    for (size_t i = 0; reply && i + 1 < reply_size(reply); i += 2)
        if (span_eq(reply_text(reply_item(reply, i)), SPAN("last-generated-id")) &&
            !feed_id_read(reply_text(reply_item(reply, i + 1)), number, sub))
            *number = *sub = 0;
}
