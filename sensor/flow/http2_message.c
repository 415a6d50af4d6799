/* SPDX-License-Identifier: Apache-2.0
 * Header blocks of HTTP/2: which exchange they begin, answer or end, and what becomes of it when they cannot be read. */
#include "flow/http2_message.h"

#include "flow/http2_head.h"

static void note_stream(struct http2 *h, uint32_t stream)
{
    uint32_t *highest = &h->highest[stream % 2 == 0];
    if (stream > *highest)
        *highest = stream;
}

static void set_declared(struct body_measure *m, const struct fields *fields)
{
    struct span length = fields_get(fields, SPAN("content-length"));
    m->has_declared = length.at && span_u64(span_trim(length), &m->declared);
    m->known = m->has_declared ? SIZE_DECLARED : SIZE_UNKNOWN;
}

static uint32_t head_flags(struct http2 *h, const struct http2_head *head)
{
    uint32_t flags = head->head.fields.is_cut ? TXN_CUT : 0;
    http2_stream_counts(h)->partial += head->n_unknown != 0;
    if (head->n_unknown)
        flags |= TXN_PARTIAL;
    if (head->is_odd)
        flags |= TXN_AMBIGUOUS;
    return flags;
}

/* A request: of a client, or in a promise. Without a method nobody can be told of it before its answer comes. */
static struct exchange *take_request(struct http2 *h, uint32_t stream, const struct http2_head *head, uint32_t flags,
                                     const struct http2_frame_out *out, uint64_t now_ns)
{
    note_stream(h, stream);
    struct exchange *e = http2_stream_open(h, stream, now_ns);
    if (!e)
        return NULL;
    e->t.flags |= flags | head_flags(h, head);
    e->progress[CONN_REQUEST] = CONN_COMING;
    if (!head->has_method)
        return e;
    conn_exchange_keep(e, CONN_REQUEST, head->text, &head->head);
    struct http1_head named = {.fields = e->t.request_fields}; /* also of CONNECT, which may have a path */
    e->t.host = http1_head_host(&named);
    e->t.request_ns = out->begin_ns;
    e->t.request_end_ns = now_ns;
    set_declared(&e->t.request_body, &e->t.request_fields);
    conn_exchange_tell_request(e);
    return e;
}

static void on_request(struct http2 *h, const struct http2_frame_out *out, const struct http2_head *head,
                       uint64_t now_ns)
{
    struct exchange *e = http2_stream_find(h, out->stream);
    bool is_new = !e && out->stream % 2 && !http2_stream_was_reset(h, out->stream) &&
                  (out->stream > h->highest[0] || head->has_method);
    if (is_new)
        e = take_request(h, out->stream, head, 0, out, now_ns);
    else if (e && e->progress[CONN_REQUEST] == CONN_COMING)
        http2_stream_counts(h)->trailers++;
    else
        http2_stream_counts(h)->odd++;
    if (e && out->is_end)
        http2_stream_complete(e, CONN_REQUEST, now_ns);
}

/* An answer whose request was not seen. */
static struct exchange *unasked(struct http2 *h, uint32_t stream, uint64_t now_ns)
{
    bool may_be = !http2_stream_was_seen(h, CONN_REQUEST) || h->conn->had_gap[CONN_REQUEST] || h->was_refused ||
                  h->conn->info->is_midstream || h->hpack[conn_direction(h->conn, CONN_REQUEST)].is_lost;
    if (!may_be || http2_stream_was_reset(h, stream)) {
        http2_stream_counts(h)->odd++;
        return NULL;
    }
    note_stream(h, stream);
    struct exchange *e = http2_stream_open(h, stream, now_ns);
    if (!e)
        return NULL;
    e->progress[CONN_REQUEST] = CONN_DONE;
    e->t.flags |= h->was_refused ? TXN_CUT : 0;
    e->t.flags |= stream % 2 == 0 ? TXN_PUSHED : 0;
    return e;
}

static bool is_tunnel(const struct exchange *e)
{
    return e->t.status / 100 == 2 && span_eq(e->t.method, SPAN("CONNECT"));
}

static void begin_response(struct http2 *h, struct exchange *e, const struct http2_frame_out *out,
                           const struct http2_head *head)
{
    struct conn *c = h->conn;
    e->t.flags |= head_flags(h, head);
    e->progress[CONN_RESPONSE] = CONN_COMING;
    if (!head->has_status) {
        e->t.flags |= TXN_PARTIAL;
        return;
    }
    e->is_lost[CONN_RESPONSE] = false;
    if (!e->is_told)
        e->t.flags |= TXN_NO_REQUEST | (c->had_gap[CONN_REQUEST] && http2_stream_was_seen(h, CONN_REQUEST) ? TXN_GAP : 0);
    conn_exchange_keep(e, CONN_RESPONSE, head->text, &head->head);
    e->t.version_major = 2;
    e->t.version_minor = 0;
    e->t.response_ns = out->begin_ns;
    set_declared(&e->t.response_body, &e->t.response_fields);
    e->t.flags |= is_tunnel(e) ? TXN_UPGRADED : 0;
    conn_exchange_tell_response(e);
}

static void on_response(struct http2 *h, const struct http2_frame_out *out, const struct http2_head *head,
                        uint64_t now_ns)
{
    struct exchange *e = http2_stream_find(h, out->stream);
    bool is_interim = head->has_status && head->head.status / 100 == 1;
    if (!e && !is_interim)
        e = unasked(h, out->stream, now_ns);
    if (is_interim || !e) {
        h->conn->pool->counts.interim += is_interim;
        return;
    }
    if (e->progress[CONN_RESPONSE] == CONN_AWAITED)
        begin_response(h, e, out, head);
    else if (e->progress[CONN_RESPONSE] == CONN_COMING)
        http2_stream_counts(h)->trailers++;
    if (e->t.flags & TXN_UPGRADED) {
        http2_stream_counts(h)->tunnels++;
        h->conn->pool->counts.upgraded++;
        e->t.request_body.known = e->t.response_body.known = SIZE_OBSERVED;
        http2_stream_complete(e, CONN_REQUEST, now_ns);
        e = http2_stream_find(h, out->stream);
        if (e)
            http2_stream_complete(e, CONN_RESPONSE, now_ns);
    } else if (out->is_end) {
        http2_stream_complete(e, CONN_RESPONSE, now_ns);
    }
}

/* Midstream, the first head that says so tells who is who. */
static bool settle_roles(struct http2 *h, int direction, const struct http2_head *head)
{
    if (h->is_sure)
        return true;
    if (head->has_method == head->has_status || head->is_odd)
        return false;
    h->conn->is_swapped = head->has_method != (direction == CONN_CLIENT);
    http2_prove(h);
    return true;
}

/* What resync took for a head is one, if it reads like one. */
static bool is_head(const struct http2_head *head, int half)
{
    bool is_right = half == CONN_REQUEST ? !head->has_status : !head->has_method;
    return is_right && !head->is_odd && (head->head.fields.n || head->n_unknown || head->has_status || head->has_method);
}

/* A header block that could not be read. The stream goes on without. */
static void lose_head(struct http2 *h, int direction, const struct http2_frame_out *out, uint64_t now_ns)
{
    int half = http2_stream_half(h, direction);
    struct exchange *e = http2_stream_find(h, out->stream);
    h->conn->had_gap[half] = true;
    if (!h->is_sure)
        return;
    if (!e && half == CONN_REQUEST && out->stream % 2 && out->stream > h->highest[0]) {
        note_stream(h, out->stream);
        e = http2_stream_open(h, out->stream, now_ns);
        if (e)
            e->progress[half] = CONN_COMING;
    }
    if (!e)
        return;
    e->t.flags |= out->is_cut ? TXN_CUT : TXN_GAP;
    if (e->progress[half] == CONN_AWAITED)
        e->progress[half] = CONN_COMING;
    if (out->is_end)
        http2_stream_complete(e, half, now_ns);
}

void http2_message_head(struct http2 *h, int direction, const struct http2_frame_out *out, uint64_t now_ns)
{
    struct conn_pool *p = h->conn->pool;
    struct http2_head head;
    int code = http2_head_read(p, &h->hpack[direction], out->data, &head);
    bool is_wrong = !h->is_sure && (code || !settle_roles(h, direction, &head));
    h->is_wrong = is_wrong;
    if (is_wrong || (out->is_found && (code || !is_head(&head, http2_stream_half(h, direction))))) {
        hpack_lose(&h->hpack[direction]); /* what was no head must not stay in its table */
        http2_frame_seek(&h->frame[direction]);
        return;
    }
    if (code)
        lose_head(h, direction, out, now_ns);
    else if (http2_stream_half(h, direction) == CONN_REQUEST)
        on_request(h, out, &head, now_ns);
    else
        on_response(h, out, &head, now_ns);
}

void http2_message_push(struct http2 *h, int direction, const struct http2_frame_out *out, uint64_t now_ns)
{
    struct http2_head head;
    int code = http2_head_read(h->conn->pool, &h->hpack[direction], out->data, &head);
    bool is_possible = http2_stream_half(h, direction) == CONN_RESPONSE && out->promised && out->promised % 2 == 0;
    if (code || !h->is_sure || !is_possible || out->promised <= h->highest[1]) {
        http2_stream_counts(h)->odd += !code;
        return;
    }
    struct exchange *e = take_request(h, out->promised, &head, TXN_PUSHED, out, now_ns);
    http2_stream_counts(h)->pushed++;
    if (e)
        http2_stream_complete(e, CONN_REQUEST, now_ns);
}

void http2_message_lost(struct http2 *h, int direction, const struct http2_frame_out *out, uint64_t now_ns)
{
    *(out->is_cut ? &http2_stream_counts(h)->blocks_cut : &http2_stream_counts(h)->blocks_lost) += 1;
    hpack_lose(&h->hpack[direction]);
    if (out->type == HTTP2_TYPE_HEADERS)
        lose_head(h, direction, out, now_ns);
}
