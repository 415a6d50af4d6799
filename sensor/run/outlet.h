/* SPDX-License-Identifier: Apache-2.0
 * The way out to one sink: takes a batch of alerts and says which arrived. Owned by the thread that delivers. */
#ifndef RUN_OUTLET_H
#define RUN_OUTLET_H

#include "io/loop.h"
#include "sink/config.h"

#define BATCH_MAX 32

enum item_state { ITEM_WAITING, ITEM_DONE, ITEM_REFUSED };

struct batch_item {
    size_t at, size; /* in the batch's bytes */
    char id[33];
    uint32_t update;
    uint32_t refusals; /* how often the other end said that it will not have it */
    enum item_state state;
};

struct batch {
    struct text bytes;
    struct batch_item items[BATCH_MAX];
    size_t n;
};

static inline struct span batch_bytes(const struct batch *b, size_t i)
{
    return span_of(b->bytes.at + b->items[i].at, b->items[i].size);
}
/* All that waits has arrived. */
void batch_done(struct batch *b);
/* The other end refuses item i: not to be repeated for ever. */
void batch_refuse(struct batch *b, size_t i, uint32_t attempts);

/* 'why' is "" when nothing went wrong; else items may still be waiting. */
typedef void outlet_done_fn(void *ctx, const char *why);

struct outlet;
struct outlet_ops {
    void (*send)(struct outlet *o, struct batch *b); /* done is called once, perhaps at once */
    void (*reopen)(struct outlet *o);                /* NULL: nothing to reopen */
    void (*free)(struct outlet *o);
};

/* The head of each outlet. */
struct outlet {
    const struct outlet_ops *ops;
    const struct sink_config *config; /* borrowed */
    struct loop *loop;
    outlet_done_fn *done;
    void *ctx;
    struct batch *batch; /* under way */
    uint32_t attempt;
};

/* Nothing is connected yet. E_CONF or E_NOMEM with a line in why. */
int outlet_new(struct loop *l, const struct sink_config *c, outlet_done_fn *done, void *ctx, struct outlet **out,
               struct text *why);

/* Of the kinds; for outlet_new. */
int outlet_local_new(struct outlet **out, const struct sink_config *c, struct text *why); /* FILE, STDOUT, UDP */
int outlet_stream_new(struct outlet **out, const struct sink_config *c,
                      struct text *why); /* syslog over unix, TCP and TLS */
int outlet_http_new(struct outlet **out, const struct sink_config *c, struct text *why); /* WEBHOOK, HEC, BULK */
int outlet_redis_new(struct outlet **out, const struct sink_config *c, struct text *why);
/* The TLS of a config, or NULL for none. */
struct tls_client;
int outlet_tls(const struct sink_config *c, struct tls_client **out, struct text *why);

#endif
