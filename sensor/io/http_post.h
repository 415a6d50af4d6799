/* SPDX-License-Identifier: Apache-2.0
 * One POST over HTTP/1.1 or HTTPS on an event loop, on a connection of its own. Never waits for ever: the deadline is
 * for all of it. */
#ifndef IO_HTTP_POST_H
#define IO_HTTP_POST_H

#include "base/span.h"
#include "io/loop.h"
#include "io/tls_client.h"

struct http_post;

#define HTTP_POST_HEADERS 8
struct http_post_options {
    const char *host;
    uint16_t port;
    const char *target;     /* "/path?query" */
    struct tls_client *tls; /* borrowed; NULL: none */
    uint32_t attempt;       /* which of the host's addresses */
    uint32_t timeout_ms;
    struct {
        const char *name, *value; /* NULL-ended; without Host and Content-Length */
    } headers[HTTP_POST_HEADERS];
    struct span body;
    /* status 0: no answer, and why. The body (at most 1 MiB) is borrowed. Once; the post may be freed in it. */
    void (*done)(void *ctx, int status, struct span body, const char *why);
    void *ctx;
};

/* NULL when there is no memory or no such host; then *why says so and done is not called. */
struct http_post *http_post_start(struct loop *l, const struct http_post_options *o, const char **why);
/* Gives up what is under way, without done. NULL does nothing. */
void http_post_free(struct http_post *p);

#endif
