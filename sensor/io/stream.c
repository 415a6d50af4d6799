/* SPDX-License-Identifier: Apache-2.0
 * A connection on libevent's buffered sockets. */
#include "io/stream.h"

#include <errno.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>

#include "base/err.h"
#include "io/resolve.h"

struct stream {
    struct bufferevent *b;
    struct stream_options o; /* host and path are not kept */
    struct loop_event *deadline, *later;
    bool is_up, is_down;
    char why[320];
};

static void down(struct stream *s, const char *why)
{
    if (s->is_down)
        return;
    s->is_down = true;
    snprintf(s->why, sizeof s->why, "%s",
             s->o.tls && tls_client_reason(s->o.tls)[0] ? tls_client_reason(s->o.tls) : why);
    bufferevent_disable(s->b, EV_READ | EV_WRITE);
    loop_timer_once(s->later, 1); /* it may be freed there: not from inside libevent */
}

static void on_later(void *ctx)
{
    struct stream *s = ctx;
    s->o.on_down(s->o.ctx, s->why); /* may free s */
}

static void on_deadline(void *ctx)
{
    down(ctx, "no connection in time");
}

static void on_event(struct bufferevent *b, short what, void *ctx)
{
    struct stream *s = ctx;
    (void)b;
    if (what & BEV_EVENT_CONNECTED) {
        loop_timer_stop(s->deadline);
        s->is_up = true;
        s->o.on_up(s->o.ctx);
    } else if (what & BEV_EVENT_ERROR) {
        int error = EVUTIL_SOCKET_ERROR();
        down(s, error ? strerror(error) : "TLS failed: the other end speaks another protocol, or wants a certificate");
    } else if (what & BEV_EVENT_EOF) {
        down(s, s->is_up ? "the other end closed the connection" : "the other end closed the connection at once");
    }
}

/* Collectors say nothing; what they say all the same is let go. */
static void on_read(struct bufferevent *b, void *ctx)
{
    struct evbuffer *in = bufferevent_get_input(b);
    (void)ctx;
    evbuffer_drain(in, evbuffer_get_length(in));
}

struct stream *stream_open(struct loop *l, const struct stream_options *o, const char **why)
{
    struct place place;
    *why = "";
    if (o->host ? resolve(o->host, o->port, SOCK_STREAM, o->attempt, &place, why) : resolve_unix(o->path, &place))
        return NULL;
    struct stream *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->o = *o;
    s->deadline = loop_timer(l, on_deadline, s);
    s->later = loop_timer(l, on_later, s);
    struct ssl_st *ssl = o->tls ? tls_client_session(o->tls, o->host) : NULL;
    if (o->tls && ssl)
        s->b = bufferevent_openssl_socket_new(loop_base(l), -1, ssl, BUFFEREVENT_SSL_CONNECTING, BEV_OPT_CLOSE_ON_FREE);
    else if (!o->tls)
        s->b = bufferevent_socket_new(loop_base(l), -1, BEV_OPT_CLOSE_ON_FREE);
    if (!s->deadline || !s->later || !s->b) {
        stream_free(s);
        return NULL;
    }
    if (o->tls)
        bufferevent_openssl_set_allow_dirty_shutdown(s->b, 1);
    bufferevent_setcb(s->b, on_read, NULL, on_event, s);
    bufferevent_enable(s->b, EV_READ | EV_WRITE);
    loop_timer_once(s->deadline, o->timeout_ms);
    if (bufferevent_socket_connect(s->b, (struct sockaddr *)&place.at, (int)place.size) != 0)
        down(s, strerror(errno));
    return s;
}

void stream_free(struct stream *s)
{
    if (!s)
        return;
    loop_remove(s->deadline);
    loop_remove(s->later);
    if (s->b)
        bufferevent_free(s->b);
    free(s);
}

void stream_write(struct stream *s, struct span bytes)
{
    bufferevent_write(s->b, bytes.at,
                      bytes.size); /* fails when memory is out: the connection then stays silent and ends */
}

uint64_t stream_unsent(const struct stream *s)
{
    int queued = 0;
    struct bufferevent *under = bufferevent_get_underlying(s->b);
    uint64_t waiting = evbuffer_get_length(bufferevent_get_output(s->b));
    if (under)
        waiting += evbuffer_get_length(bufferevent_get_output(under));
    if (bufferevent_getfd(s->b) >= 0 && ioctl(bufferevent_getfd(s->b), SIOCOUTQ, &queued) == 0 && queued > 0)
        waiting += (uint64_t)queued;
    return waiting;
}
