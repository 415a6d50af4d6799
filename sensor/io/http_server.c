/* SPDX-License-Identifier: Apache-2.0
 * libevent's evhttp with the bounds it lacks. It keeps no list of its connections: each one's bufferevent is held here by a
 * reference of our own, and one whose callbacks are gone has been let go by evhttp. */
#include "io/http_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>

#include "base/err.h"
#include "io/listen.h"

#define HEAD_MAX 16384
#define TABLES_MAX 8u
#define TURN_MS 500u
#define HEARTBEAT_MS 10000u /* a client that went is found out by writing to it */
#define QUEUE 64            /* of the kernel, while nothing is accepted */

static const struct counter_def defs[] = {
    {"http_requests", "requests", "that HTTP clients of the sensor sent and that were answered, whatever the answer"},
    {"http_refused", "requests", "answered with an error: not found, no right, malformed"},
    {"http_waits", "times", "no connection was free: further clients had to wait"},
    {"http_slow", "connections", "closed because no whole request came, or no answer was taken, in time"},
    {"http_streams", "streams", "of events that were begun"},
    {"http_streams_dropped", "streams", "ended because the client did not take its events fast enough"},
};
struct http_counts {
    uint64_t requests, refused, waits, slow, streams, streams_dropped;
};
_Static_assert(sizeof(struct http_counts) / sizeof(uint64_t) == sizeof defs / sizeof defs[0], "one each");

struct slot {
    struct bufferevent *bev; /* NULL: free */
    uint64_t since_ms;       /* accepted, or its last request */
    struct http_events *events;
};

struct http_events {
    struct http_server *server;
    struct slot *slot; /* NULL: it is gone */
    struct evhttp_request *request;
    void (*on_gone)(void *ctx, struct http_events *e);
    void *ctx;
};

struct table {
    const struct http_route *routes;
    size_t n;
    void *ctx;
};

struct http_server {
    struct loop *loop;
    struct evhttp *http;
    struct evconnlistener *listener; /* evhttp's */
    struct loop_event *turn;
    struct table tables[TABLES_MAX];
    size_t n_tables;
    struct slot *slots;
    uint32_t n_slots;
    uint32_t patience_ms;
    size_t backlog_max;
    bool is_paused, is_loopback;
    uint64_t heartbeat_ms;
    char *path; /* of the unix socket, or NULL */
    char name[256];
    char url[320];
    struct http_counts counts;
};

struct http_call {
    struct http_server *server;
    struct evhttp_request *request;
    const struct evhttp_uri *uri;
    struct text rest;
    struct span body;
    bool is_settled;
};

/* evhttp let go of it: its callbacks are cleared then, and never while it serves. */
static bool is_left(struct bufferevent *bev)
{
    bufferevent_data_cb on_read, on_write;
    bufferevent_event_cb on_event;
    bufferevent_getcb(bev, &on_read, &on_write, &on_event, NULL);
    return !on_read && !on_write && !on_event;
}

static struct slot *reap(struct http_server *s)
{
    struct slot *is_free = NULL;
    for (uint32_t i = 0; i < s->n_slots; i++) {
        struct slot *slot = &s->slots[i];
        if (slot->bev && is_left(slot->bev)) {
            bufferevent_decref(slot->bev); /* closes the descriptor */
            *slot = (struct slot){0};
        }
        if (!slot->bev)
            is_free = slot;
    }
    return is_free;
}

static bool has_room(const struct http_server *s)
{
    for (uint32_t i = 0; i < s->n_slots; i++)
        if (!s->slots[i].bev)
            return true;
    return false;
}

/* Nothing more is accepted from when the last place is taken: the kernel keeps those who come. */
static struct bufferevent *on_connection(struct event_base *base, void *ctx)
{
    struct http_server *s = ctx;
    struct slot *slot = reap(s);
    struct bufferevent *bev = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
    if (bev && slot) {
        bufferevent_incref(bev);
        *slot = (struct slot){.bev = bev, .since_ms = loop_now_ms(s->loop)};
    }
    if (!has_room(s)) {
        s->counts.waits++;
        s->is_paused = true;
        evconnlistener_disable(s->listener);
    }
    return bev;
}

static struct slot *slot_of(struct http_server *s, struct evhttp_request *r)
{
    const struct bufferevent *bev = evhttp_connection_get_bufferevent(evhttp_request_get_connection(r));
    for (uint32_t i = 0; i < s->n_slots; i++)
        if (s->slots[i].bev == bev)
            return &s->slots[i];
    return NULL;
}

/* evhttp sees the end of the connection in its next turn, and lets go. */
static void cut(const struct slot *slot)
{
    int fd = (int)bufferevent_getfd(slot->bev);
    if (fd >= 0)
        shutdown(fd, SHUT_RDWR);
}

/* Its user hears of it once; the rest stays until evhttp has let go of the connection. */
static void gone(struct http_events *e)
{
    if (!e->slot)
        return;
    e->slot->events = NULL;
    e->slot = NULL;
    e->on_gone(e->ctx, e);
}

static void on_close(struct evhttp_connection *connection, void *ctx)
{
    struct http_events *e = ctx;
    (void)connection;
    gone(e);
    if (!evhttp_request_get_connection(e->request)) /* broken off: evhttp leaves the request to its user */
        evhttp_send_reply_end(e->request);          /* which frees it then */
    free(e);
}

static bool put(struct http_events *e, struct evbuffer *chunk)
{
    size_t waits = evbuffer_get_length(bufferevent_get_output(e->slot->bev));
    if (waits + evbuffer_get_length(chunk) > e->server->backlog_max) {
        e->server->counts.streams_dropped++;
        cut(e->slot);
        gone(e);
        return false;
    }
    evhttp_send_reply_chunk(e->request, chunk);
    return true;
}

static void beat(struct http_server *s)
{
    struct evbuffer *chunk = evbuffer_new();
    for (uint32_t i = 0; chunk && i < s->n_slots; i++) {
        if (!s->slots[i].events)
            continue;
        evbuffer_add(chunk, ":\n\n", 3);
        put(s->slots[i].events, chunk);
        evbuffer_drain(chunk, evbuffer_get_length(chunk));
    }
    if (chunk)
        evbuffer_free(chunk);
}

static void on_turn(void *ctx)
{
    struct http_server *s = ctx;
    uint64_t now_ms = loop_now_ms(s->loop);
    if (reap(s) && s->is_paused) {
        s->is_paused = false;
        evconnlistener_enable(s->listener);
    }
    for (uint32_t i = 0; i < s->n_slots; i++) {
        struct slot *slot = &s->slots[i];
        if (!slot->bev || slot->events || now_ms - slot->since_ms < s->patience_ms)
            continue;
        s->counts.slow++;
        slot->since_ms = now_ms;
        cut(slot);
    }
    if (now_ms - s->heartbeat_ms >= HEARTBEAT_MS) {
        s->heartbeat_ms = now_ms;
        beat(s);
    }
}

/* The host a client believes it talks to. A page of another site whose name was turned to this machine's address says that
 * site's: it gets nothing. */
static bool is_our_name(const struct http_server *s, const char *host)
{
    struct span name = span_text(host);
    struct ipaddr ip;
    size_t end;
    if (!s->is_loopback)
        return true;
    if (name.size && name.at[0] == '[') {
        end = span_find_byte(name, ']', 0);
        return end != SIZE_MAX && ipaddr_parse(span_sub(name, 1, end - 1), &ip);
    }
    end = span_find_byte(name, ':', 0);
    name = end == SIZE_MAX ? name : span_sub(name, 0, end);
    return ipaddr_parse(name, &ip) || span_eq_nocase(name, SPAN("localhost")) ||
           (s->name[0] && span_eq_nocase(name, span_text(s->name)));
}

static bool fits(const struct http_route *r, const char *path, size_t *size)
{
    size_t n = strlen(r->path);
    bool is_open = n && r->path[n - 1] == '*';
    *size = is_open ? n - 1 : n;
    return is_open ? strncmp(path, r->path, n - 1) == 0 : strcmp(path, r->path) == 0;
}

static const char *method_name(const struct evhttp_request *r)
{
    switch (evhttp_request_get_command(r)) {
    case EVHTTP_REQ_GET:
    case EVHTTP_REQ_HEAD:
        return "GET";
    case EVHTTP_REQ_POST:
        return "POST";
    case EVHTTP_REQ_PUT:
        return "PUT";
    default:
        return "DELETE"; /* others are not let in */
    }
}

/* The longest path that fits; of those, the one with the method. */
static const struct http_route *find(const struct http_server *s, const char *path, const char *method, void **ctx,
                                     struct text *allowed)
{
    const struct http_route *best = NULL;
    size_t best_size = 0, size;
    for (size_t t = 0; t < s->n_tables; t++) {
        for (size_t i = 0; i < s->tables[t].n; i++) {
            const struct http_route *r = &s->tables[t].routes[i];
            if (!fits(r, path, &size))
                continue;
            text_addf(allowed, "%s%s", allowed->size ? ", " : "", r->method);
            if (strcmp(r->method, method) != 0 || (best && size < best_size))
                continue;
            best = r;
            best_size = size;
            *ctx = s->tables[t].ctx;
        }
    }
    return best;
}

static void plain(struct http_call *c, int status, const char *words)
{
    http_call_answer(c, status, "text/plain; charset=utf-8", span_text(words));
}

static void decode_rest(struct http_call *c, const char *rest)
{
    size_t size = 0;
    char *plain_rest = evhttp_uridecode(rest, 0, &size);
    if (plain_rest)
        text_add(&c->rest, span_of(plain_rest, size));
    free(plain_rest);
}

static void serve(struct http_call *c)
{
    struct http_server *s = c->server;
    const char *path = c->uri ? evhttp_uri_get_path(c->uri) : NULL, *host = http_call_header(c, "Host");
    struct text allowed = {0};
    void *ctx = NULL;
    if (!path || !path[0]) {
        plain(c, 400, "no path\n");
    } else if (!is_our_name(s, host ? host : "")) {
        plain(c, 421, "this server has another name\n");
    } else {
        const struct http_route *r = find(s, path, method_name(c->request), &ctx, &allowed);
        if (!r && allowed.size)
            http_call_set(c, "Allow", text_str(&allowed));
        if (!r) {
            plain(c, allowed.size ? 405 : 404, allowed.size ? "not with this method\n" : "not found\n");
        } else {
            size_t size;
            fits(r, path, &size);
            decode_rest(c, path + size);
            r->fn(ctx, c);
        }
    }
    if (!c->is_settled)
        plain(c, 500, "no answer\n");
    text_fini(&allowed);
}

static void on_request(struct evhttp_request *request, void *ctx)
{
    struct http_server *s = ctx;
    struct evbuffer *in = evhttp_request_get_input_buffer(request);
    struct slot *slot = slot_of(s, request);
    struct http_call c = {.server = s, .request = request, .uri = evhttp_request_get_evhttp_uri(request)};
    size_t size = evbuffer_get_length(in);
    if (slot)
        slot->since_ms = loop_now_ms(s->loop);
    c.body = span_of(size ? evbuffer_pullup(in, -1) : NULL, size);
    s->counts.requests++;
    serve(&c);
    text_fini(&c.rest);
}

static int listen_ip(const struct http_server_options *o, struct endpoint *at, int *fd, struct text *why)
{
    if (!listen_parse(o->address, at)) {
        text_addf(why, "'%s' is no address to listen on (127.0.0.1:8080, [::1]:8080, unix:/run/casetap.sock)",
                  o->address);
        return E_USAGE;
    }
    if (!o->is_anywhere && !listen_is_loopback(&at->ip)) {
        text_addf(why, "%s is not of this machine alone, and what is served there is not encrypted: a proxy with TLS "
                       "goes before it",
                  o->address);
        return E_USAGE;
    }
    return listen_tcp(at, QUEUE, fd, why);
}

static int listen_at(struct http_server *s, const struct http_server_options *o, int *fd, struct text *why)
{
    if (strncmp(o->address, "unix:", 5) == 0) {
        int rc = listen_unix(o->address + 5, QUEUE, fd, why);
        snprintf(s->url, sizeof s->url, "%s", o->address);
        if (rc == E_OK && !(s->path = strdup(o->address + 5)))
            return E_NOMEM;
        return rc;
    }
    struct endpoint at;
    char host[IPADDR_TEXT_MAX];
    int rc = listen_ip(o, &at, fd, why);
    if (rc)
        return rc;
    s->is_loopback = listen_is_loopback(&at.ip);
    ipaddr_text(&at.ip, host);
    snprintf(s->url, sizeof s->url, ipaddr_is4(&at.ip) ? "http://%s:%u" : "http://[%s]:%u", host, at.port);
    return E_OK;
}

static bool open_http(struct http_server *s, const struct http_server_options *o, int fd)
{
    s->http = evhttp_new(loop_base(s->loop));
    if (!s->http)
        return false;
    evhttp_set_max_headers_size(s->http, HEAD_MAX);
    evhttp_set_max_body_size(s->http, (ev_ssize_t)(o->body_max ? o->body_max : (size_t)64 << 10));
    evhttp_set_timeout(s->http, (int)(s->patience_ms / 1000 + 5));
    evhttp_set_allowed_methods(s->http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST | EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE);
    evhttp_set_default_content_type(s->http, NULL);
    evhttp_set_bevcb(s->http, on_connection, s);
    evhttp_set_gencb(s->http, on_request, s);
    s->listener = evconnlistener_new(loop_base(s->loop), NULL, NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
    return s->listener && evhttp_bind_listener(s->http, s->listener);
}

int http_server_new(struct loop *l, const struct http_server_options *o, struct http_server **out, struct text *why)
{
    struct http_server *s = calloc(1, sizeof *s);
    int fd = -1;
    *out = NULL;
    if (!s)
        return E_NOMEM;
    s->loop = l;
    s->n_slots = o->connections ? o->connections : 256;
    s->patience_ms = o->patience_ms ? o->patience_ms : 30000;
    s->backlog_max = o->backlog_max ? o->backlog_max : (size_t)256 << 10;
    snprintf(s->name, sizeof s->name, "%s", o->name ? o->name : "");
    s->heartbeat_ms = loop_now_ms(l);
    s->slots = calloc(s->n_slots, sizeof *s->slots);
    s->turn = loop_timer(l, on_turn, s);
    int rc = s->slots && s->turn ? listen_at(s, o, &fd, why) : E_NOMEM;
    if (rc == E_OK && !open_http(s, o, fd))
        rc = E_NOMEM;
    if (rc != E_OK) {
        if (fd >= 0 && !s->listener)
            close(fd);
        http_server_free(s);
        return rc;
    }
    loop_timer_every(s->turn, TURN_MS);
    *out = s;
    return E_OK;
}

int http_server_add(struct http_server *s, const struct http_route *routes, size_t n, void *ctx)
{
    if (s->n_tables == TABLES_MAX)
        return E_LIMIT;
    s->tables[s->n_tables++] = (struct table){routes, n, ctx};
    return E_OK;
}

const char *http_server_url(const struct http_server *s)
{
    return s->url;
}

struct counters http_server_counters(const struct http_server *s)
{
    return s ? (struct counters){defs, (const uint64_t *)&s->counts, sizeof defs / sizeof *defs} : (struct counters){0};
}

void http_server_free(struct http_server *s)
{
    if (!s)
        return;
    if (s->http)
        evhttp_free(s->http); /* its listener, too, once it is bound */
    for (uint32_t i = 0; s->slots && i < s->n_slots; i++)
        if (s->slots[i].bev)
            bufferevent_decref(s->slots[i].bev);
    loop_remove(s->turn);
    if (s->path)
        unlink(s->path);
    free(s->path);
    free(s->slots);
    free(s);
}

const char *http_call_method(const struct http_call *c)
{
    return method_name(c->request);
}

struct span http_call_path(const struct http_call *c)
{
    return span_text(evhttp_uri_get_path(c->uri));
}

struct span http_call_rest(const struct http_call *c)
{
    return text_span(&c->rest);
}

bool http_call_query(const struct http_call *c, const char *name, struct text *out)
{
    struct evkeyvalq pairs;
    const char *query = evhttp_uri_get_query(c->uri);
    if (!query || evhttp_parse_query_str(query, &pairs) != 0)
        return false;
    const char *value = evhttp_find_header(&pairs, name);
    if (value)
        text_add_str(out, value);
    evhttp_clear_headers(&pairs);
    return value != NULL;
}

const char *http_call_header(const struct http_call *c, const char *name)
{
    return evhttp_find_header(evhttp_request_get_input_headers(c->request), name);
}

struct span http_call_body(const struct http_call *c)
{
    return c->body;
}

const char *http_call_peer(const struct http_call *c)
{
    char *host = NULL;
    uint16_t port;
    if (c->server->path)
        return "";
    evhttp_connection_get_peer(evhttp_request_get_connection(c->request), &host, &port);
    return host ? host : "";
}

void http_call_set(struct http_call *c, const char *name, const char *value)
{
    (void)evhttp_add_header(evhttp_request_get_output_headers(c->request), name, value); /* it refuses line ends */
}

void http_call_answer(struct http_call *c, int status, const char *type, struct span body)
{
    char size[24];
    if (c->is_settled)
        return;
    c->is_settled = true;
    c->server->counts.refused += status >= 400;
    snprintf(size, sizeof size, "%zu", body.size);
    http_call_set(c, "Content-Type", type);
    http_call_set(c, "Content-Length", size);
    http_call_set(c, "X-Content-Type-Options", "nosniff");
    bool is_head = evhttp_request_get_command(c->request) == EVHTTP_REQ_HEAD;
    if (body.size && !is_head)
        (void)evbuffer_add(evhttp_request_get_output_buffer(c->request), body.at, body.size); /* short: the client sees it */
    evhttp_send_reply(c->request, status, NULL, NULL);
}

struct http_events *http_call_events(struct http_call *c, void (*on_gone)(void *ctx, struct http_events *e), void *ctx)
{
    struct slot *slot = slot_of(c->server, c->request);
    struct http_events *e = slot ? calloc(1, sizeof *e) : NULL;
    if (!e) {
        plain(c, 503, "no room\n");
        return NULL;
    }
    *e = (struct http_events){.server = c->server, .slot = slot, .request = c->request, .on_gone = on_gone, .ctx = ctx};
    slot->events = e;
    c->is_settled = true;
    c->server->counts.streams++;
    http_call_set(c, "Content-Type", "text/event-stream; charset=utf-8");
    http_call_set(c, "Cache-Control", "no-store");
    http_call_set(c, "X-Content-Type-Options", "nosniff");
    http_call_set(c, "Connection", "close"); /* nothing follows a stream */
    evhttp_connection_set_closecb(evhttp_request_get_connection(c->request), on_close, e);
    evhttp_send_reply_start(c->request, 200, NULL);
    return e;
}

void http_events_send(struct http_events *e, const char *event, struct span data)
{
    struct evbuffer *chunk = evbuffer_new();
    struct span line;
    if (!chunk)
        return; /* as if the client had been away; it asks again for what it lacks */
    evbuffer_add_printf(chunk, "event: %s\n", event);
    while (span_split(&data, '\n', &line)) {
        evbuffer_add(chunk, "data: ", 6);
        evbuffer_add(chunk, line.at, line.size);
        evbuffer_add(chunk, "\n", 1);
    }
    evbuffer_add(chunk, "\n", 1);
    put(e, chunk);
    evbuffer_free(chunk);
}
