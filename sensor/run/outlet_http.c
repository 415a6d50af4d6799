/* SPDX-License-Identifier: Apache-2.0
 * Collectors that take a POST: a webhook (one alert each, signed), Splunk's event collector (asked whether it has
 * indexed what it took), _bulk of Elasticsearch and OpenSearch (each item has its own status). */
#include "base/digest.h"
#include "base/err.h"
#include "base/hex.h"
#include "base/keyed.h"
#include "io/http_post.h"
#include "record/collector_answer.h"
#include "run/outlet.h"

#include <stdio.h>
#include <stdlib.h>

#define ASK_MS 500  /* how often a collector is asked whether it has indexed */
#define ASK_MOST 60 /* how often in all; then it is sent again */

struct http_outlet {
    struct outlet head;
    struct tls_client *tls;
    struct keyed *mac; /* of a webhook with a secret */
    struct http_post *post;
    struct loop_event *ask;
    struct text body;
    bool taken[BATCH_MAX]; /* items of the post that is under way */
    bool is_single;        /* after a refusal: one by one, so that one bad alert holds up no other */
    char authorization[600], signature[80], channel[40], target[600];
    uint64_t ack_id;
    uint32_t asked;
};

static void send_next(struct http_outlet *h);

static void finish(struct http_outlet *h, const char *why)
{
    http_post_free(h->post);
    h->post = NULL;
    h->head.batch = NULL;
    h->head.done(h->head.ctx, why);
}

static bool is_refusal(int status)
{
    return status == 400 || status == 413 || status == 422;
}

static void settle(struct http_outlet *h, bool is_good)
{
    struct batch *b = h->head.batch;
    for (size_t i = 0; i < b->n; i++) {
        if (h->taken[i] && is_good)
            b->items[i].state = ITEM_DONE;
        else if (h->taken[i])
            batch_refuse(b, i, h->head.config->attempts);
    }
}

/* One that is refused for good is no reason to wait before the next. */
static void refuse(struct http_outlet *h, int status)
{
    char why[64];
    size_t n = 0, first = 0;
    for (size_t i = h->head.batch->n; i-- > 0;) {
        n += h->taken[i];
        first = h->taken[i] ? i : first;
    }
    snprintf(why, sizeof why, "the server answers %d", status);
    if (n > 1) {
        h->is_single = true;
        finish(h, why);
        return;
    }
    settle(h, false);
    if (h->head.batch->items[first].state == ITEM_REFUSED)
        send_next(h);
    else
        finish(h, why);
}

static void bulk_answer(struct http_outlet *h, struct span body)
{
    struct batch *b = h->head.batch;
    uint16_t statuses[BATCH_MAX];
    size_t n = 0, k = 0;
    bool is_whole = true;
    struct text why = {0};
    char told[256];
    for (size_t i = 0; i < b->n; i++)
        n += h->taken[i];
    if (!answer_bulk(body, statuses, n, &why)) {
        text_fini(&why);
        finish(h, "the answer is none of _bulk");
        return;
    }
    for (size_t i = 0; i < b->n; i++) {
        if (!h->taken[i])
            continue;
        uint16_t status = statuses[k++];
        if ((status >= 200 && status < 300) || status == 409) /* 409: a later update is there already */
            b->items[i].state = ITEM_DONE;
        else if (status < 500 && status != 429)
            batch_refuse(b, i, h->head.config->attempts);
        is_whole = is_whole && b->items[i].state == ITEM_DONE;
    }
    snprintf(told, sizeof told, "%s", why.size ? text_str(&why) : "an item was not taken");
    text_fini(&why);
    if (is_whole)
        send_next(h);
    else
        finish(h, told);
}

static void on_answer(void *ctx, int status, struct span body, const char *why);

static void start(struct http_outlet *h, const char *target, const char *type)
{
    const struct sink_config *c = h->head.config;
    const char *failed = "";
    struct http_post_options o = {.host = c->host,
                                  .port = c->port,
                                  .target = target,
                                  .tls = h->tls,
                                  .attempt = h->head.attempt++,
                                  .timeout_ms = c->timeout_ms,
                                  .body = text_span(&h->body),
                                  .done = on_answer,
                                  .ctx = h};
    size_t n = 0;
    o.headers[n].name = "Content-Type", o.headers[n++].value = type;
    o.headers[n].name = "User-Agent", o.headers[n++].value = "casetap/" CASETAP_VERSION;
    if (h->authorization[0])
        o.headers[n].name = "Authorization", o.headers[n++].value = h->authorization;
    if (h->channel[0])
        o.headers[n].name = "X-Splunk-Request-Channel", o.headers[n++].value = h->channel;
    if (h->signature[0])
        o.headers[n].name = "X-Casetap-Signature", o.headers[n++].value = h->signature;
    http_post_free(h->post);
    h->post = http_post_start(h->head.loop, &o, &failed);
    if (!h->post)
        finish(h, failed[0] ? failed : err_text(E_NOMEM));
}

static void on_ask(void *ctx)
{
    struct http_outlet *h = ctx;
    text_clear(&h->body);
    text_addf(&h->body, "{\"acks\":[%llu]}", (unsigned long long)h->ack_id);
    start(h, "/services/collector/ack", "application/json");
}

/* Of the question, while 'asked' counts. */
static void hec_asked(struct http_outlet *h, int status, struct span body)
{
    if (status == 200 && answer_hec_acked(body, h->ack_id)) {
        h->asked = 0;
        settle(h, true);
        send_next(h);
    } else if (h->asked++ < ASK_MOST) {
        loop_timer_once(h->ask, ASK_MS);
    } else {
        h->asked = 0;
        finish(h, "what was sent is not indexed in time");
    }
}

static void on_answer(void *ctx, int status, struct span body, const char *why)
{
    struct http_outlet *h = ctx;
    char told[320];
    if (!h->head.batch)
        return;
    if (status)
        h->head.attempt--; /* the address is good */
    if (h->asked) {
        hec_asked(h, status, body);
    } else if (status >= 200 && status < 300 && h->head.config->type == SINK_BULK) {
        bulk_answer(h, body);
    } else if (status >= 200 && status < 300 && h->head.config->type == SINK_HEC && answer_hec_id(body, &h->ack_id)) {
        h->asked = 1;
        on_ask(h);
    } else if (status >= 200 && status < 300) {
        settle(h, true);
        send_next(h);
    } else if (is_refusal(status)) {
        refuse(h, status);
    } else {
        if (status)
            snprintf(told, sizeof told, "the server answers %d", status);
        else
            snprintf(told, sizeof told, "%s", why);
        finish(h, told);
    }
}

/* "sha256=" and the HMAC of the body. */
static void sign(struct http_outlet *h)
{
    uint8_t mac[DIGEST_SIZE];
    char hex[2 * DIGEST_SIZE + 1];
    keyed_mac(h->mac, text_span(&h->body), mac);
    snprintf(h->signature, sizeof h->signature, "sha256=%s", hex_text(span_of(mac, sizeof mac), hex));
}

static void send_next(struct http_outlet *h)
{
    struct batch *b = h->head.batch;
    const struct sink_config *c = h->head.config;
    bool is_one = c->type == SINK_WEBHOOK || h->is_single;
    size_t n = 0;
    text_clear(&h->body);
    for (size_t i = 0; i < b->n; i++) {
        h->taken[i] = b->items[i].state == ITEM_WAITING && !(is_one && n);
        if (!h->taken[i])
            continue;
        text_add(&h->body, batch_bytes(b, i));
        n++;
    }
    if (n == 0) {
        h->is_single = false;
        finish(h, "");
        return;
    }
    if (h->mac)
        sign(h);
    bool is_json = c->format == FORMAT_ECS || c->format == FORMAT_OCSF;
    start(h, h->target,
          c->type == SINK_BULK             ? "application/x-ndjson"
          : is_json || c->type == SINK_HEC ? "application/json"
                                           : "text/plain; charset=utf-8");
}

static void send_batch(struct outlet *o, struct batch *b)
{
    struct http_outlet *h = (struct http_outlet *)o;
    o->batch = b;
    if (!h->ask)
        h->ask = loop_timer(o->loop, on_ask, h);
    if (!h->ask)
        finish(h, err_text(E_NOMEM));
    else
        send_next(h);
}

static void destroy(struct outlet *o)
{
    struct http_outlet *h = (struct http_outlet *)o;
    http_post_free(h->post);
    loop_remove(h->ask);
    keyed_free(h->mac);
    tls_client_free(h->tls);
    text_fini(&h->body);
    explicit_bzero(h->authorization, sizeof h->authorization);
    free(h);
}

/* A channel of our own (a GUID): the same name has the same one. */
static void name_channel(struct http_outlet *h, const char *name)
{
    struct digest d;
    uint8_t x[DIGEST_SIZE];
    digest_init(&d);
    digest_feed(&d, SPAN("casetap hec channel "));
    digest_feed(&d, span_text(name));
    digest_end(&d, x);
    snprintf(h->channel, sizeof h->channel, "%02x%02x%02x%02x-%02x%02x-4%x%02x-8%x%02x-%02x%02x%02x%02x%02x%02x", x[0],
             x[1], x[2], x[3], x[4], x[5], x[6] & 15u, x[7], x[8] & 15u, x[9], x[10], x[11], x[12], x[13], x[14],
             x[15]);
}

static bool is_bare(const char *path)
{
    return strcmp(path, "/") == 0;
}

static void prepare(struct http_outlet *h, const struct sink_config *c)
{
    if (c->type == SINK_HEC) {
        snprintf(h->target, sizeof h->target, "%s", is_bare(c->path) ? "/services/collector/event" : c->path);
        snprintf(h->authorization, sizeof h->authorization, "Splunk %s", c->secret);
        name_channel(h, c->name);
    } else if (c->type == SINK_BULK) {
        snprintf(h->target, sizeof h->target, "%s", is_bare(c->path) ? "/_bulk" : c->path);
        if (c->secret[0]) /* an API key, or a whole value of the field */
            snprintf(h->authorization, sizeof h->authorization, strchr(c->secret, ' ') ? "%s" : "ApiKey %s", c->secret);
    } else {
        snprintf(h->target, sizeof h->target, "%s", c->path);
    }
}

int outlet_http_new(struct outlet **out, const struct sink_config *c, struct text *why)
{
    static const struct outlet_ops ops = {send_batch, NULL, destroy};
    struct http_outlet *h = calloc(1, sizeof *h);
    if (!h)
        return E_NOMEM;
    h->head.ops = &ops;
    prepare(h, c);
    int rc = outlet_tls(c, &h->tls, why);
    if (rc == 0 && c->type == SINK_WEBHOOK && c->secret[0] && !(h->mac = keyed_new(span_text(c->secret))))
        rc = E_NOMEM;
    if (rc)
        destroy(&h->head);
    else
        *out = &h->head;
    return rc;
}
