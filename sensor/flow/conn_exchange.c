/* SPDX-License-Identifier: Apache-2.0
 * Open transactions: their memory, their heads, and telling of them. */
#include "flow/conn_exchange.h"

#include "base/err.h"
#include "wire/content.h"

static void enlist(struct conn_pool *p, struct exchange *e)
{
    e->older = p->newest;
    e->newer = NULL;
    if (p->newest)
        p->newest->newer = e;
    else
        p->oldest = e;
    p->newest = e;
}

static void delist(struct conn_pool *p, struct exchange *e)
{
    if (e->older)
        e->older->newer = e->newer;
    else
        p->oldest = e->newer;
    if (e->newer)
        e->newer->older = e->older;
    else
        p->newest = e->older;
}

struct exchange *conn_exchange_new(struct conn *c)
{
    const struct flow_info *info = c->info;
    struct exchange *e = pool_take(c->pool->blocks);
    if (!e) {
        c->pool->counts.blocks_refused++;
        return NULL;
    }
    *e = (struct exchange){.conn = c};
    arena_init(&e->arena, e + 1, CONN_BLOCK - sizeof *e);
    e->t.flow_hash = info->hash;
    e->t.client = c->is_swapped ? info->server : info->client;
    e->t.server = c->is_swapped ? info->client : info->server;
    e->t.is_ip6 = info->is_ip6;
    e->t.vlan[0] = info->vlan[0];
    e->t.vlan[1] = info->vlan[1];
    e->t.tunnel = (enum tunnel_kind)info->tunnel;
    e->t.tls = info->tls;
    e->t.proxy_protocol_client = c->proxy_client;
    if (c->last)
        c->last->next = e;
    else
        c->first = e;
    c->last = e;
    c->n_open++;
    enlist(c->pool, e);
    return e;
}

static void unlink_exchange(struct conn *c, struct exchange *e)
{
    struct exchange *before = NULL;
    for (struct exchange *at = c->first; at != e; at = at->next)
        before = at;
    if (before)
        before->next = e->next;
    else
        c->first = e->next;
    if (c->last == e)
        c->last = before;
    c->n_open--;
}

void conn_exchange_free(struct exchange *e)
{
    struct conn *c = e->conn;
    struct conn_pool *p = c->pool;
    unlink_exchange(c, e);
    delist(p, e);
    for (int half = 0; half < 2; half++) {
        if (c->active[half] == e)
            c->active[half] = NULL;
        if (c->lost[half] == e)
            c->lost[half] = NULL;
        conn_body_close(&e->body[half], p->codings, conn_measure(e, half));
        pool_give(p->large, e->large[half]);
    }
    pool_give(p->blocks, e);
}

static struct span moved(struct span s, const uint8_t *from, const uint8_t *to)
{
    return s.at ? span_of(to + (s.at - from), s.size) : s;
}

static size_t end_of(struct span s, const uint8_t *from)
{
    return s.at ? (size_t)(s.at - from) + s.size : 0;
}

/* How many fields fit into 'room' together with the bytes up to their end; *size is set to those bytes. */
static uint16_t fields_that_fit(const struct http1_head *head, const uint8_t *from, size_t room, size_t *size)
{
    for (uint16_t n = head->fields.n; n > 0; n--) {
        *size = end_of(head->fields.list[n - 1].value, from);
        if (*size + n * sizeof(struct field) + 16 <= room)
            return n;
    }
    *size = end_of(head->target, from);
    if (*size > room)
        *size = room;
    return 0;
}

static struct arena *arena_for(struct exchange *e, int half, struct arena *large, size_t size)
{
    if (size + 16 <= e->arena.size - e->arena.used)
        return &e->arena;
    e->large[half] = pool_take(e->conn->pool->large);
    if (!e->large[half]) {
        e->conn->pool->counts.blocks_refused++;
        return &e->arena;
    }
    arena_init(large, e->large[half], CONN_LARGE);
    return large;
}

static void keep_fields(const struct http1_head *head, uint16_t n, const uint8_t *from, uint8_t *to,
                        struct arena *arena, struct fields *out)
{
    struct field *list = arena_alloc(arena, n * sizeof *list);
    *out = (struct fields){list, list ? n : 0, list ? n : 0, head->fields.is_cut || n != head->fields.n};
    for (uint16_t i = 0; i < out->n; i++)
        list[i] = (struct field){moved(head->fields.list[i].name, from, to), moved(head->fields.list[i].value, from, to)};
    for (uint16_t i = 0; head->has_folds && i < out->n; i++)
        if (list[i].value.at)
            http1_head_unfold(to + (list[i].value.at - to), list[i].value.size);
}

void conn_exchange_keep(struct exchange *e, int half, struct span bytes, const struct http1_head *head)
{
    struct arena large, *arena = arena_for(e, half, &large, bytes.size + head->fields.n * sizeof(struct field));
    size_t size, used = (arena->used + 7) & ~(size_t)7;
    uint16_t n = fields_that_fit(head, bytes.at, arena->size > used ? arena->size - used : 0, &size);
    struct span kept = arena_copy(arena, span_sub(bytes, 0, size));
    uint8_t *to = kept.at ? arena->at + (kept.at - arena->at) : NULL;
    struct fields fields = {0};
    if (to)
        keep_fields(head, n, bytes.at, to, arena, &fields);
    else
        fields.is_cut = head->fields.n != 0;
    if (fields.is_cut)
        e->t.flags |= TXN_CUT;
    if (half == CONN_RESPONSE) {
        e->t.status = head->status;
        e->t.response_fields = fields;
        return;
    }
    struct http1_head copy = *head;
    copy.fields = fields;
    copy.method = span_sub(moved(head->method, bytes.at, to), 0, kept.size);
    size_t before = (size_t)(head->target.at - bytes.at);
    copy.target =
        kept.size > before ? span_sub(moved(head->target, bytes.at, to), 0, kept.size - before) : span_of(NULL, 0);
    e->t.method = copy.method;
    e->t.target = copy.target;
    e->t.version_major = head->version_major;
    e->t.version_minor = head->version_minor;
    e->t.request_fields = fields;
    e->t.host = http1_head_host(&copy);
}

bool conn_exchange_has_no_body(const struct exchange *e, int half)
{
    return half == CONN_RESPONSE &&
           (e->t.status == 204 || e->t.status == 304 || span_eq(e->t.method, SPAN("HEAD")));
}

bool conn_exchange_take_said(struct exchange *e, int half, uint64_t seen)
{
    struct body_measure *m = conn_measure(e, half);
    struct content_range range = {0};
    bool is_part = half == CONN_RESPONSE && e->t.status == 206 &&
                   content_range_parse(fields_get(&e->t.response_fields, SPAN("content-range")), &range) == E_OK;
    if (e->t.flags & TXN_AMBIGUOUS || conn_exchange_has_no_body(e, half))
        return false;
    uint64_t said = m->declared;
    if (!m->has_declared) {
        if (!is_part || !range.has_range)
            return false;
        said = range.last - range.first + 1;
    }
    if (said < seen)
        return false;
    m->known = m->has_declared ? SIZE_DECLARED : SIZE_RANGE;
    m->bytes = said;
    if (m->missing > said)
        m->missing = said;
    return true;
}

/* Flags that depend on what has been seen of the flow by now. */
static void refresh_flags(struct exchange *e)
{
    const struct flow_info *info = e->conn->info;
    e->t.flags &= ~(TXN_ONE_SIDED | TXN_MIDSTREAM);
    if (!info->saw[0] || !info->saw[1])
        e->t.flags |= TXN_ONE_SIDED;
    if (info->is_midstream)
        e->t.flags |= TXN_MIDSTREAM;
    e->t.rtt_us = e->conn->is_swapped ? 0 : info->rtt_us;
    e->t.flow_seen = info->bytes[0] + info->bytes[1];
    e->t.flow_lost = info->missing[0] + info->missing[1];
    if (e->t.request_body.missing || (e->t.response_body.missing && e->t.status))
        e->t.flags |= TXN_GAP;
}

static void number(struct exchange *e)
{
    if (!e->is_told)
        e->t.number = ++e->conn->number;
    e->is_told = true;
}

void conn_exchange_tell_request(struct exchange *e)
{
    const struct conn_hooks *hooks = &e->conn->pool->hooks;
    number(e);
    refresh_flags(e);
    if (e->t.number == 1)
        e->t.flags &= ~TXN_ONE_SIDED; /* the answer has not had time to come */
    if (hooks->on_request)
        hooks->on_request(hooks->ctx, &e->t, &e->body[CONN_REQUEST].tap);
    conn_body_open(&e->body[CONN_REQUEST], e->conn->pool->codings, &e->t.request_fields);
}

void conn_exchange_tell_response(struct exchange *e)
{
    const struct conn_hooks *hooks = &e->conn->pool->hooks;
    number(e);
    refresh_flags(e);
    if (hooks->on_response)
        hooks->on_response(hooks->ctx, &e->t, &e->body[CONN_RESPONSE].tap);
    conn_body_open(&e->body[CONN_RESPONSE], e->conn->pool->codings, &e->t.response_fields);
}

void conn_exchange_tell_early(struct exchange *e)
{
    struct conn_body *body = &e->body[CONN_RESPONSE];
    struct coding_pool *codings = e->conn->pool->codings;
    e->is_early = false;
    conn_exchange_tell_response(e);
    if (e->t.response_body.bytes)
        conn_body_gap(body, codings, e->t.response_body.bytes);
    if (e->progress[CONN_RESPONSE] == CONN_DONE)
        conn_body_close(body, codings, &e->t.response_body);
}

static void count(struct conn_counts *counts, uint32_t flags)
{
    counts->transactions++;
    counts->no_request += (flags & TXN_NO_REQUEST) != 0;
    counts->no_response += (flags & TXN_NO_RESPONSE) != 0;
    counts->gap += (flags & TXN_GAP) != 0;
    counts->cut += (flags & TXN_CUT) != 0;
    counts->ambiguous += (flags & TXN_AMBIGUOUS) != 0;
    counts->aborted += (flags & TXN_ABORTED) != 0;
}

void conn_exchange_tell_end(struct exchange *e, uint64_t now_ns)
{
    struct conn_pool *p = e->conn->pool;
    if (e->is_early)
        conn_exchange_tell_early(e);
    if (!e->is_told)
        return;
    refresh_flags(e);
    if (e->t.status == 0)
        e->t.flags |= TXN_NO_RESPONSE;
    e->t.end_ns = now_ns;
    for (int half = 0; half < 2; half++)
        conn_body_close(&e->body[half], p->codings, conn_measure(e, half));
    count(&p->counts, e->t.flags);
    if (p->hooks.on_end)
        p->hooks.on_end(p->hooks.ctx, &e->t);
}
