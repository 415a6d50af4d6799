/* SPDX-License-Identifier: Apache-2.0
 * A POST on libevent's HTTP client. */
#include "io/http_post.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/http.h>

#include "base/text.h"
#include "io/resolve.h"

#define BODY_MAX ((size_t)1 << 20)
#define HEADERS_MAX 65536

struct http_post {
    struct evhttp_connection *connection;
    struct loop_event *deadline, *later;
    struct tls_client *tls;
    void (*done)(void *ctx, int status, struct span body, const char *why);
    void *ctx;
    int status;
    bool is_over;
    char why[320];
    struct text body;
};

/* Everything is told from a turn of its own: not from inside libevent. */
static void over(struct http_post *p, int status, const char *why)
{
    if (p->is_over)
        return;
    p->is_over = true;
    p->status = status;
    const char *tls = tls_client_reason(p->tls);
    snprintf(p->why, sizeof p->why, "%s", status == 0 && tls[0] ? tls : why);
    loop_timer_stop(p->deadline);
    loop_timer_once(p->later, 1);
}

static void on_later(void *ctx)
{
    struct http_post *p = ctx;
    if (p->connection)
        evhttp_connection_free(p->connection);
    p->connection = NULL;
    p->done(p->ctx, p->status, text_span(&p->body), p->why); /* may free p */
}

static void on_deadline(void *ctx)
{
    over(ctx, 0, "no answer in time");
}

static void on_error(enum evhttp_request_error error, void *ctx)
{
    over(ctx, 0,
         error == EVREQ_HTTP_TIMEOUT          ? "no answer in time"
         : error == EVREQ_HTTP_EOF            ? "the server closed the connection before its answer was whole"
         : error == EVREQ_HTTP_INVALID_HEADER ? "the answer is no HTTP"
         : error == EVREQ_HTTP_DATA_TOO_LONG  ? "the answer is longer than 1 MiB"
                                              : "the connection broke");
}

static void on_answer(struct evhttp_request *request, void *ctx)
{
    struct http_post *p = ctx;
    int status = request ? evhttp_request_get_response_code(request) : 0;
    if (status == 0) {
        over(p, 0, "no connection");
        return;
    }
    struct evbuffer *in = evhttp_request_get_input_buffer(request);
    size_t size = evbuffer_get_length(in);
    text_add(&p->body, span_of(evbuffer_pullup(in, -1), size));
    over(p, status, "");
}

static struct bufferevent *socket_of(struct loop *l, const struct http_post_options *o)
{
    if (!o->tls)
        return bufferevent_socket_new(loop_base(l), -1, BEV_OPT_CLOSE_ON_FREE);
    struct ssl_st *ssl = tls_client_session(o->tls, o->host);
    struct bufferevent *b =
        ssl ? bufferevent_openssl_socket_new(loop_base(l), -1, ssl, BUFFEREVENT_SSL_CONNECTING, BEV_OPT_CLOSE_ON_FREE)
            : NULL;
    if (b)
        bufferevent_openssl_set_allow_dirty_shutdown(b, 1);
    return b;
}

static bool begin(struct http_post *p, const struct http_post_options *o)
{
    char host[300];
    struct evhttp_request *request = evhttp_request_new(on_answer, p);
    if (!request)
        return false;
    evhttp_request_set_error_cb(request, on_error);
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
    snprintf(host, sizeof host, strchr(o->host, ':') ? "[%s]:%u" : "%s:%u", o->host, o->port);
    bool is_good =
        evhttp_add_header(headers, "Host", host) == 0 && evhttp_add_header(headers, "Connection", "close") == 0;
    for (int i = 0; i < HTTP_POST_HEADERS && o->headers[i].name; i++)
        is_good = is_good && evhttp_add_header(headers, o->headers[i].name, o->headers[i].value) == 0;
    is_good = is_good && evbuffer_add(evhttp_request_get_output_buffer(request), o->body.at, o->body.size) == 0;
    if (!is_good) {
        evhttp_request_free(request);
        return false;
    }
    /* it frees the request when it fails */
    return evhttp_make_request(p->connection, request, EVHTTP_REQ_POST, o->target) == 0;
}

struct http_post *http_post_start(struct loop *l, const struct http_post_options *o, const char **why)
{
    struct place place;
    *why = "out of memory";
    if (resolve(o->host, o->port, SOCK_STREAM, o->attempt, &place, why))
        return NULL;
    struct http_post *p = calloc(1, sizeof *p);
    struct bufferevent *b = p ? socket_of(l, o) : NULL;
    if (!b) {
        free(p);
        return NULL;
    }
    *p = (struct http_post){.tls = o->tls, .done = o->done, .ctx = o->ctx, .body = {.max = BODY_MAX}};
    p->deadline = loop_timer(l, on_deadline, p);
    p->later = loop_timer(l, on_later, p);
    p->connection = evhttp_connection_base_bufferevent_new(loop_base(l), NULL, b, place.text, o->port);
    if (!p->deadline || !p->later || !p->connection) {
        http_post_free(p);
        return NULL;
    }
    evhttp_connection_set_max_body_size(p->connection, (ev_ssize_t)BODY_MAX);
    evhttp_connection_set_max_headers_size(p->connection, HEADERS_MAX);
    evhttp_connection_set_timeout(p->connection, (int)(o->timeout_ms / 1000 + 1));
    loop_timer_once(p->deadline, o->timeout_ms);
    if (!begin(p, o))
        over(p, 0, "no connection");
    return p;
}

void http_post_free(struct http_post *p)
{
    if (!p)
        return;
    p->is_over = true;
    if (p->connection)
        evhttp_connection_free(p->connection);
    loop_remove(p->deadline);
    loop_remove(p->later);
    text_fini(&p->body);
    free(p);
}
