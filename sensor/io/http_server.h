/* SPDX-License-Identifier: Apache-2.0
 * A small HTTP/1.1 server on an event loop: routes by a table, answers of one piece, and streams of server-sent events
 * (WHATWG HTML, 9.2). Everything a client can make it hold is bounded: head, body, connections, the time for a request,
 * what a slow reader of events has not taken. It speaks no TLS and so listens on loopback or a unix socket, or elsewhere
 * when that is asked for by name; behind a proxy it is safe anywhere.
 *
 * Life: http_server_new; http_server_add for each table of routes; the loop runs; http_server_free. The process ignores
 * SIGPIPE, or the thread blocks it: clients go when they like. */
#ifndef IO_HTTP_SERVER_H
#define IO_HTTP_SERVER_H

#include "base/counter.h"
#include "base/text.h"
#include "io/loop.h"

struct http_server;
struct http_call;   /* one request; until its handler returns */
struct http_events; /* one client's stream of events */

struct http_server_options {
    const char *address;  /* "127.0.0.1:8080", "[::1]:0" (0: a free port), "8080" (of 127.0.0.1), "unix:/run/x.sock" */
    bool is_anywhere;     /* an address that is not of the machine itself is meant */
    const char *name;     /* a further host name clients may ask for, or NULL; borrowed while http_server_new runs */
    uint32_t connections; /* at once; 0: 256 */
    uint32_t patience_ms; /* for a request, or between two; 0: 30 s */
    size_t body_max;      /* of a request; 0: 64 KiB */
    size_t backlog_max;   /* bytes of events a client has not taken before it is dropped; 0: 256 KiB */
};

/* A handler answers (http_call_answer), or begins a stream (http_call_events), before it returns; what does neither is a
 * 500. */
struct http_route {
    const char *method; /* "GET" (which serves HEAD), "POST", "PUT", "DELETE" */
    const char *path;   /* the whole path, or with '*' at the end, whatever begins so; the longest that fits holds */
    void (*fn)(void *ctx, struct http_call *call);
};

/* Listens. E_USAGE for an address that is none or is not of this machine, E_IO when it cannot be had; a line in why. */
int http_server_new(struct loop *l, const struct http_server_options *o, struct http_server **out, struct text *why);
/* Routes (borrowed for its life) with their context; E_LIMIT when there are 8 tables already. */
int http_server_add(struct http_server *s, const struct http_route *routes, size_t n, void *ctx);
/* Where it listens: "http://127.0.0.1:8080" or "unix:/run/x.sock". */
const char *http_server_url(const struct http_server *s);
struct counters http_server_counters(const struct http_server *s);
/* Closes everything; the on_gone of streams are called. NULL does nothing. */
void http_server_free(struct http_server *s);

/* What was asked; borrowed until the handler returns. */
const char *http_call_method(const struct http_call *c);
/* The path as it was sent, and what stands where the route has '*', without its percent signs (may hold any byte). */
struct span http_call_path(const struct http_call *c);
struct span http_call_rest(const struct http_call *c);
/* A parameter of the query, decoded, appended to out; false when it is not there. */
bool http_call_query(const struct http_call *c, const char *name, struct text *out);
/* NULL when the client did not send it; of several the first. */
const char *http_call_header(const struct http_call *c, const char *name);
struct span http_call_body(const struct http_call *c);
/* The client's address, or "" on a unix socket. */
const char *http_call_peer(const struct http_call *c);

/* A header of the answer to come; the value has no line ends (else it is left out). */
void http_call_set(struct http_call *c, const char *name, const char *value);
void http_call_answer(struct http_call *c, int status, const char *type, struct span body);
/* Begins a stream. on_gone is called once, when the client went, was too slow, or the server ends; the stream is gone
 * then. NULL without memory (a 503 is answered). */
struct http_events *http_call_events(struct http_call *c, void (*on_gone)(void *ctx, struct http_events *e), void *ctx);
/* One event; 'data' may have lines. A client that is too slow is dropped: then on_gone is called before this returns. */
void http_events_send(struct http_events *e, const char *event, struct span data);

#endif
