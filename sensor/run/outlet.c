/* SPDX-License-Identifier: Apache-2.0
 * Which way out a sink has. */
#include "run/outlet.h"

#include "base/err.h"
#include "io/tls_client.h"

void batch_done(struct batch *b)
{
    for (size_t i = 0; i < b->n; i++) {
        if (b->items[i].state == ITEM_WAITING)
            b->items[i].state = ITEM_DONE;
    }
}

void batch_refuse(struct batch *b, size_t i, uint32_t attempts)
{
    if (++b->items[i].refusals >= attempts)
        b->items[i].state = ITEM_REFUSED;
}

int outlet_tls(const struct sink_config *c, struct tls_client **out, struct text *why)
{
    *out = NULL;
    if (!c->is_tls)
        return E_OK;
    return tls_client_new(c->ca[0] ? c->ca : NULL, c->cert[0] ? c->cert : NULL, c->key[0] ? c->key : NULL, out, why);
}

int outlet_new(struct loop *l, const struct sink_config *c, outlet_done_fn *done, void *ctx, struct outlet **out,
               struct text *why)
{
    int rc;
    *out = NULL;
    switch (c->type) {
    case SINK_FILE:
    case SINK_STDOUT:
    case SINK_SYSLOG_UDP: rc = outlet_local_new(out, c, why); break;
    case SINK_SYSLOG_UNIX:
    case SINK_SYSLOG_TCP:
    case SINK_SYSLOG_TLS: rc = outlet_stream_new(out, c, why); break;
    case SINK_REDIS: rc = outlet_redis_new(out, c, why); break;
    default: rc = outlet_http_new(out, c, why); break;
    }
    if (rc)
        return rc;
    struct outlet *o = *out;
    o->config = c;
    o->loop = l;
    o->done = done;
    o->ctx = ctx;
    return E_OK;
}
