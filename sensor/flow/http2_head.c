/* SPDX-License-Identifier: Apache-2.0
 * Header blocks of HTTP/2 into heads. */
#include "flow/http2_head.h"

static struct span add_text(struct http2_head *h, struct span s)
{
    uint8_t *to = h->pool->text + h->text.size;
    if (s.size > sizeof h->pool->text - h->text.size) {
        h->head.fields.is_cut = true;
        return span_of(NULL, 0);
    }
    if (s.size)
        memcpy(to, s.at, s.size);
    h->text.size += s.size;
    return span_of(to, s.size);
}

static void add_field(struct http2_head *h, struct span name, struct span value)
{
    bool has_room = h->head.fields.n < h->head.fields.max || http1_head_is_vital(name);
    if (!has_room || name.size + value.size > sizeof h->pool->text - h->text.size) {
        h->head.fields.is_cut = true;
        return;
    }
    name = add_text(h, name);
    (void)http1_head_add_field(&h->head.fields, name, add_text(h, value));
}

/* All pseudo-header fields have come. */
static void settle(struct http2_head *h)
{
    if (h->has_fields)
        return;
    h->has_fields = true;
    if (!h->head.target.size && span_eq(h->head.method, SPAN("CONNECT")))
        h->head.target = h->authority;
    if (h->head.target.at <= h->head.method.at) /* conn_exchange_keep wants it behind the method */
        h->head.target = add_text(h, h->head.target);
    if (!h->head.target.at)
        h->head.target = span_of(h->pool->text + h->text.size, 0);
    if (h->authority.size)
        add_field(h, SPAN("host"), h->authority);
    if (h->protocol.size)
        add_field(h, SPAN(":protocol"), h->protocol);
}

static void take_once(struct http2_head *h, struct span *to, struct span value)
{
    if (to->size)
        h->is_odd = true;
    else
        *to = add_text(h, value);
}

static void take_status(struct http2_head *h, struct span value)
{
    uint64_t status;
    if (h->has_status || value.size != 3 || !span_u64(value, &status) || status < 100) {
        h->is_odd = true;
        return;
    }
    h->has_status = true;
    h->head.status = (uint16_t)status;
}

static void take_pseudo(struct http2_head *h, struct span name, struct span value)
{
    if (h->has_fields)
        h->is_odd = true;
    else if (span_eq(name, SPAN(":method")))
        take_once(h, &h->head.method, value);
    else if (span_eq(name, SPAN(":path")))
        take_once(h, &h->head.target, value);
    else if (span_eq(name, SPAN(":authority")))
        take_once(h, &h->authority, value);
    else if (span_eq(name, SPAN(":protocol")))
        take_once(h, &h->protocol, value);
    else if (span_eq(name, SPAN(":status")))
        take_status(h, value);
    else if (!span_eq(name, SPAN(":scheme")))
        h->is_odd = true;
}

static void take_crumb(struct http2_head *h, struct span value)
{
    struct conn_pool *p = h->pool;
    size_t room = sizeof p->crumbs - h->crumbs;
    if (value.size + 2 > room) {
        h->head.fields.is_cut = true;
        return;
    }
    if (h->crumbs) {
        memcpy(p->crumbs + h->crumbs, "; ", 2);
        h->crumbs += 2;
    }
    if (value.size)
        memcpy(p->crumbs + h->crumbs, value.at, value.size);
    h->crumbs += value.size;
}

static bool is_name(struct span name)
{
    for (size_t i = 0; i < name.size; i++)
        if (!http1_head_is_token_byte(name.at[i]) || (name.at[i] >= 'A' && name.at[i] <= 'Z'))
            return false;
    return name.size != 0;
}

static void on_field(void *ctx, struct span name, struct span value)
{
    struct http2_head *h = ctx;
    if (name.size && name.at[0] == ':') {
        take_pseudo(h, name, value);
        return;
    }
    settle(h);
    h->is_odd = h->is_odd || !is_name(name);
    if (span_eq(name, SPAN("cookie")))
        take_crumb(h, value);
    else if (!h->authority.size || !span_eq(name, SPAN("host")))
        add_field(h, name, value);
}

int http2_head_read(struct conn_pool *p, struct hpack *h, struct span block, struct http2_head *out)
{
    struct span start = span_of(p->text, 0);
    *out = (struct http2_head){.text = start, .pool = p};
    out->head = (struct http1_head){
        .method = start,
        .target = start,
        .version_major = 2,
        .fields = {p->fields, 0, HTTP1_MAX_FIELDS, false},
    };
    int code = hpack_decode(h, block, on_field, out, &out->n_unknown);
    if (code)
        return code;
    settle(out);
    if (out->crumbs)
        add_field(out, SPAN("cookie"), span_of(p->crumbs, out->crumbs));
    out->has_method = out->head.method.size != 0;
    return 0;
}
