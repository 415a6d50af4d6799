/* SPDX-License-Identifier: Apache-2.0
 * One connection out, over TCP, TLS or a unix socket, on an event loop. It never blocks, but for the name of a host. */
#ifndef IO_STREAM_H
#define IO_STREAM_H

#include "base/span.h"
#include "io/loop.h"
#include "io/tls_client.h"

struct stream;

struct stream_options {
    const char *host; /* or NULL: 'path' */
    uint16_t port;
    const char *path;       /* of a unix socket */
    struct tls_client *tls; /* borrowed; NULL: none */
    uint32_t attempt;       /* which of the host's addresses */
    uint32_t timeout_ms;    /* to be up */
    void (*on_up)(void *ctx);
    void (*on_down)(void *ctx, const char *why); /* not up in time, refused, or gone; once */
    void *ctx;
};

/* NULL when there is no memory or no such host (then *why says so); on_up or on_down follow in a turn of the loop. */
struct stream *stream_open(struct loop *l, const struct stream_options *o, const char **why);
/* Without on_down. NULL does nothing. From inside a callback, too. */
void stream_free(struct stream *s);
/* Queued, copied. */
void stream_write(struct stream *s, struct span bytes);
/* Bytes that the other end has not acknowledged yet (TCP), or not taken (unix); 0: all has arrived at its system. */
uint64_t stream_unsent(const struct stream *s);

#endif
