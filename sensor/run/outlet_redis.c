/* SPDX-License-Identifier: Apache-2.0
 * A Redis stream: XADD of the alert, its id and its count of updates. */
#include "base/err.h"
#include "io/redis_link.h"
#include "run/outlet.h"

#include <stdio.h>
#include <stdlib.h>

struct redis_outlet {
    struct outlet head;
    struct redis_link *link;
    struct loop_event *deadline;
    size_t n_sent, n_answered;
    size_t sent_item[BATCH_MAX]; /* answers come in order */
    char why[256];
};

static void finish(struct redis_outlet *r, const char *why)
{
    r->head.batch = NULL;
    loop_timer_stop(r->deadline);
    r->head.done(r->head.ctx, why);
}

/* What was sent is answered or told NULL in any case: the link sees to that. */
static void on_added(void *ctx, const struct redis_reply *reply)
{
    struct redis_outlet *r = ctx;
    struct batch *b = r->head.batch;
    size_t i = r->sent_item[r->n_answered++];
    if (!b)
        return;
    if (reply && reply_kind(reply) == REPLY_TEXT)
        b->items[i].state = ITEM_DONE;
    else if (!r->why[0])
        snprintf(r->why, sizeof r->why, "%.*s", reply ? (int)reply_text(reply).size : 18,
                 reply ? (const char *)reply_text(reply).at : "the connection went");
    if (r->n_answered == r->n_sent)
        finish(r, r->why);
}

static void write_batch(struct redis_outlet *r)
{
    struct batch *b = r->head.batch;
    char update[16];
    r->n_sent = r->n_answered = 0;
    r->why[0] = 0;
    loop_timer_stop(r->deadline);
    for (size_t i = 0; i < b->n; i++) {
        if (b->items[i].state != ITEM_WAITING)
            continue;
        snprintf(update, sizeof update, "%u", b->items[i].update);
        struct span words[] = {SPAN("XADD"),
                               span_text(r->head.config->index),
                               SPAN("*"),
                               SPAN("id"),
                               span_text(b->items[i].id),
                               SPAN("update"),
                               span_text(update),
                               SPAN("alert"),
                               batch_bytes(b, i)};
        if (redis_link_send(r->link, words, sizeof words / sizeof *words, on_added, r))
            break;
        r->sent_item[r->n_sent++] = i;
    }
    if (r->n_sent == 0)
        finish(r, "the connection went");
}

static void on_up(void *ctx)
{
    struct redis_outlet *r = ctx;
    if (r->head.batch && r->n_sent == r->n_answered)
        write_batch(r);
}

static void on_down(void *ctx)
{
    (void)ctx; /* each command is told */
}

static void on_deadline(void *ctx)
{
    struct redis_outlet *r = ctx;
    char why[256];
    snprintf(why, sizeof why, "%s", redis_link_reason(r->link));
    finish(r, why[0] ? why : "no connection in time");
}

static int open_link(struct redis_outlet *r)
{
    struct text why = {0};
    r->deadline = loop_timer(r->head.loop, on_deadline, r);
    int rc = r->deadline ? redis_link_new(r->head.loop,
                                          &(struct redis_link_options){
                                              .url = r->head.config->url, .on_up = on_up, .on_down = on_down, .ctx = r},
                                          &r->link, &why)
                         : E_NOMEM;
    snprintf(r->why, sizeof r->why, "%s", why.size ? text_str(&why) : err_text(rc));
    text_fini(&why);
    return rc;
}

static void send_batch(struct outlet *o, struct batch *b)
{
    struct redis_outlet *r = (struct redis_outlet *)o;
    if (!r->link && open_link(r)) {
        o->done(o->ctx, r->why);
        return;
    }
    o->batch = b;
    if (redis_link_is_up(r->link)) {
        write_batch(r);
        return;
    }
    loop_timer_once(r->deadline, o->config->timeout_ms);
    redis_link_retry(r->link);
}

static void destroy(struct outlet *o)
{
    struct redis_outlet *r = (struct redis_outlet *)o;
    o->batch = NULL;
    redis_link_free(r->link);
    loop_remove(r->deadline);
    free(r);
}

int outlet_redis_new(struct outlet **out, const struct sink_config *c, struct text *why)
{
    static const struct outlet_ops ops = {send_batch, NULL, destroy};
    struct redis_outlet *r = calloc(1, sizeof *r);
    (void)c;
    (void)why;
    if (!r)
        return E_NOMEM;
    r->head.ops = &ops;
    *out = &r->head;
    return E_OK;
}
