/* SPDX-License-Identifier: Apache-2.0
 * Syslog over connections: TCP (RFC 6587, octet counting), TLS (RFC 5425), and a unix socket, which is one of datagrams
 * or of a stream. Syslog answers nothing: arrived is what the other end's system has acknowledged. */
#include "base/err.h"
#include "io/resolve.h"
#include "io/stream.h"
#include "run/outlet.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOOK_MS 5 /* how often it is asked what was acknowledged */

struct streamed {
    struct outlet head;
    struct tls_client *tls;
    struct stream *stream; /* NULL: none */
    bool is_up;
    int fd; /* of datagrams; -1 */
    struct loop_event *look;
    uint64_t deadline_ms;
};

static void finish(struct streamed *s, const char *why)
{
    s->head.batch = NULL;
    if (s->look)
        loop_timer_stop(s->look);
    s->head.done(s->head.ctx, why);
}

static void drop(struct streamed *s)
{
    stream_free(s->stream);
    s->stream = NULL;
    s->is_up = false;
}

static void on_down(void *ctx, const char *why)
{
    struct streamed *s = ctx;
    char copy[320];
    snprintf(copy, sizeof copy, "%s", why); /* it goes with the stream */
    drop(s);
    if (s->head.batch)
        finish(s, copy);
}

static void on_look(void *ctx)
{
    struct streamed *s = ctx;
    struct batch *b = s->head.batch;
    if (!b || !s->is_up)
        return;
    if (stream_unsent(s->stream)) {
        if (loop_now_ms(s->head.loop) > s->deadline_ms) {
            drop(s);
            finish(s, "what was sent is not acknowledged in time");
        }
        return;
    }
    batch_done(b);
    finish(s, "");
}

static void write_batch(struct streamed *s)
{
    const struct batch *b = s->head.batch;
    struct text count = {0};
    for (size_t i = 0; i < b->n; i++) {
        if (b->items[i].state != ITEM_WAITING)
            continue;
        text_clear(&count);
        text_addf(&count, "%zu ", b->items[i].size);
        stream_write(s->stream, text_span(&count));
        stream_write(s->stream, batch_bytes(b, i));
    }
    text_fini(&count);
    s->deadline_ms = loop_now_ms(s->head.loop) + s->head.config->timeout_ms;
    loop_timer_every(s->look, LOOK_MS);
}

static void on_up(void *ctx)
{
    struct streamed *s = ctx;
    s->is_up = true;
    s->head.attempt = 0;
    if (s->head.batch)
        write_batch(s);
}

/* NULL when the socket is one of datagrams and all went into it, or it is one of a stream and now 'is_stream'. */
static const char *send_datagrams(struct streamed *s, struct batch *b, bool *is_stream)
{
    struct place place;
    *is_stream = false;
    if (resolve_unix(s->head.config->path, &place))
        return "the path is too long for a unix socket";
    if (s->fd < 0)
        s->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s->fd < 0)
        return strerror(errno);
    for (size_t i = 0; i < b->n; i++) {
        struct span bytes = batch_bytes(b, i);
        if (b->items[i].state != ITEM_WAITING)
            continue;
        if (sendto(s->fd, bytes.at, bytes.size, 0, (struct sockaddr *)&place.at, place.size) >= 0) {
            b->items[i].state = ITEM_DONE;
        } else if (errno == EPROTOTYPE) {
            *is_stream = true;
            return NULL;
        } else if (errno == EMSGSIZE) {
            b->items[i].state = ITEM_REFUSED;
        } else {
            return errno == EAGAIN ? "the receiver does not keep up" : strerror(errno);
        }
    }
    return NULL;
}

static void send_batch(struct outlet *o, struct batch *b)
{
    struct streamed *s = (struct streamed *)o;
    const struct sink_config *c = o->config;
    bool is_unix = c->type == SINK_SYSLOG_UNIX, is_stream = true;
    const char *why = is_unix && !s->stream ? send_datagrams(s, b, &is_stream) : NULL;
    if (!s->look)
        s->look = loop_timer(o->loop, on_look, s);
    if (why || !is_stream || !s->look) {
        finish(s, why ? why : s->look ? "" : err_text(E_NOMEM));
        return;
    }
    o->batch = b;
    if (s->stream) {
        if (s->is_up)
            write_batch(s);
        return;
    }
    s->stream = stream_open(o->loop,
                            &(struct stream_options){.host = is_unix ? NULL : c->host,
                                                     .port = c->port,
                                                     .path = c->path,
                                                     .tls = s->tls,
                                                     .attempt = o->attempt++,
                                                     .timeout_ms = c->timeout_ms,
                                                     .on_up = on_up,
                                                     .on_down = on_down,
                                                     .ctx = s},
                            &why);
    if (!s->stream)
        finish(s, why && why[0] ? why : err_text(E_NOMEM));
}

static void destroy(struct outlet *o)
{
    struct streamed *s = (struct streamed *)o;
    stream_free(s->stream);
    loop_remove(s->look);
    tls_client_free(s->tls);
    if (s->fd >= 0)
        close(s->fd);
    free(s);
}

int outlet_stream_new(struct outlet **out, const struct sink_config *c, struct text *why)
{
    static const struct outlet_ops ops = {send_batch, NULL, destroy};
    struct streamed *s = calloc(1, sizeof *s);
    if (!s)
        return E_NOMEM;
    s->head.ops = &ops;
    s->fd = -1;
    int rc = outlet_tls(c, &s->tls, why);
    if (rc)
        free(s);
    else
        *out = &s->head;
    return rc;
}
