/* SPDX-License-Identifier: Apache-2.0
 * A connection: turns the events of its two message machines into transactions. */
#include "flow/conn.h"

#include "flow/conn_pair.h"
#include "flow/http2.h"
#include "wire/http1_proxy.h"

struct conn *conn_new(struct conn_pool *p, const struct flow_info *info)
{
    struct conn *c = pool_take(p->conns);
    if (!c) {
        p->counts.refused++;
        return NULL;
    }
    *c = (struct conn){.pool = p, .info = info, .number = info->numbered, .proxy_client = info->proxied};
    http1_init(&c->side[CONN_CLIENT], info->is_midstream ? HTTP1_EITHER : HTTP1_REQUEST);
    http1_init(&c->side[CONN_SERVER], info->is_midstream ? HTTP1_EITHER : HTTP1_RESPONSE);
    p->counts.opened++;
    return c;
}

enum conn_speaks conn_speaks(const struct conn *c)
{
    return (enum conn_speaks)c->speaks;
}

bool conn_is_swapped(const struct conn *c)
{
    return c->is_swapped;
}

bool conn_is_asked(const struct conn *c)
{
    return c->http2 ? http2_is_asked(c) : c->first != NULL;
}

static int half_of(const struct conn *c, int direction)
{
    return direction ^ (int)c->is_swapped;
}

static enum http1_role role_of(const struct conn *c, int direction)
{
    if (!c->has_roles && c->info->is_midstream)
        return HTTP1_EITHER;
    return half_of(c, direction) == CONN_REQUEST ? HTTP1_REQUEST : HTTP1_RESPONSE;
}

/* From here on it is something else. */
static void become_other(struct conn *c, uint32_t flags, uint64_t now_ns)
{
    if (c->http2)
        http2_end(c, flags, now_ns);
    conn_pair_end_all(c, flags, now_ns);
    for (int dir = 0; dir < 2; dir++)
        http1_stop(&c->side[dir], &c->pool->memory);
    c->speaks = CONN_OTHER;
    c->pool->counts.other++;
}

static bool is_untouched(const struct conn *c)
{
    return c->speaks == CONN_UNSURE && !c->has_roles && !c->http2;
}

bool conn_is_prefaced(const struct conn *c, struct ipaddr *source)
{
    const struct http1 *h = &c->side[CONN_CLIENT];
    *source = c->proxy_client;
    return c->is_prefaced && is_untouched(c) && h->state == HTTP1_AT_START && h->matched == 0;
}

bool conn_is_prefacing(const struct conn *c)
{
    return !c->is_prefaced && is_untouched(c) && http1_is_prefacing(&c->side[CONN_CLIENT]);
}

bool conn_is_tunnel(const struct conn *c, uint32_t *numbered, struct span *host)
{
    *numbered = c->number;
    *host = span_text(c->pool->tunnel_host);
    return c->is_tunnel;
}

void conn_expect(struct conn *c, enum conn_speaks speaks)
{
    if (speaks == CONN_HTTP2 && c->speaks == CONN_UNSURE && !c->http2 && !http2_begin(c, HTTP2_BY_ALPN))
        become_other(c, 0, 0);
}

/* With HTTP/1 that is the end of its connection: the next answer would be taken for this one's. */
bool conn_make_room(struct conn *c, uint64_t now_ns)
{
    struct exchange *e = c->pool->oldest;
    if (!e || e->conn == c)
        return false;
    c->pool->counts.evicted++;
    if (e->conn->http2)
        http2_give_up(e, now_ns);
    else
        become_other(e->conn, TXN_CUT, now_ns);
    return true;
}

/* The first head in a connection tells who is who. False when this one contradicts what is known. */
static bool settle_roles(struct conn *c, int direction)
{
    struct http1 *h = &c->side[direction], *other = &c->side[!direction];
    int half = h->role == HTTP1_RESPONSE ? CONN_RESPONSE : CONN_REQUEST;
    if (c->has_roles)
        return half == half_of(c, direction);
    c->has_roles = true;
    c->is_swapped = half != direction;
    c->speaks = CONN_HTTP1;
    c->pool->counts.http++;
    c->pool->counts.swapped += c->is_swapped;
    if (other->state == HTTP1_AT_OFF && !c->is_finished[half_of(c, !direction)])
        http1_seek(other, role_of(c, !direction), 0);
    other->role = (uint8_t)role_of(c, !direction);
    http1_wake(other);
    http1_wake(h);
    return true;
}

/* ---- heads ---- */

enum head_end {
    HEAD_WHOLE,
    HEAD_GAP,   /* cut short by a gap */
    HEAD_SHORT, /* nothing more came, or the answer came first */
};

static uint32_t head_flags(const struct http1_out *out, const struct http1_body *body, enum head_end end)
{
    uint32_t flags = out->is_cut ? TXN_CUT : 0;
    if (end == HEAD_GAP)
        flags |= TXN_GAP;
    if (end == HEAD_SHORT || body->is_ambiguous)
        flags |= TXN_AMBIGUOUS;
    return flags;
}

static void set_declared(struct body_measure *m, const struct http1_body *body)
{
    m->has_declared = body->has_length;
    m->declared = body->length;
    m->known = body->kind == HTTP1_BODY_LENGTH ? SIZE_DECLARED : SIZE_UNKNOWN;
    if (body->kind == HTTP1_BODY_NONE)
        m->known = SIZE_OBSERVED;
}

/* The head is not whole: nothing tells how its body is framed. */
static void follow_cut(struct conn *c, struct exchange *e, int half)
{
    c->active[half] = NULL;
    c->lost[half] = e;
    e->progress[half] = half == CONN_REQUEST ? CONN_DONE : CONN_COMING;
    conn_measure(e, half)->known = SIZE_UNKNOWN;
    conn_body_close(&e->body[half], c->pool->codings, conn_measure(e, half));
}

static void on_request(struct conn *c, struct http1 *h, const struct http1_head *head, const struct http1_out *out,
                       enum head_end end, uint64_t now_ns)
{
    struct exchange *e;
    while (!(e = conn_pair_request(c, now_ns)) && c->n_open < CONN_MAX_OPEN && conn_make_room(c, now_ns))
        ;
    if (!e) {
        become_other(c, TXN_CUT, now_ns);
        return;
    }
    struct http1_body body = http1_head_request_body(head);
    body.is_ambiguous = body.is_ambiguous || head->has_odd_version;
    conn_exchange_keep(e, CONN_REQUEST, out->data, head);
    e->t.flags |= head_flags(out, &body, end);
    e->t.request_ns = h->begin_ns;
    e->t.request_end_ns = now_ns;
    set_declared(&e->t.request_body, &body);
    e->progress[CONN_REQUEST] = CONN_COMING;
    c->active[CONN_REQUEST] = e;
    conn_exchange_tell_request(e);
    if (e->is_early)
        conn_exchange_tell_early(e);
    if (end != HEAD_WHOLE)
        follow_cut(c, e, CONN_REQUEST);
    else
        http1_follow(h, &c->pool->memory, &body, false);
}

static bool is_upgrade(const struct exchange *e)
{
    return e->t.status == 101 || (e->t.status / 100 == 2 && span_eq(e->t.method, SPAN("CONNECT")));
}

static void upgrade(struct conn *c, struct exchange *e, uint64_t now_ns)
{
    struct conn_pool *p = c->pool;
    c->is_tunnel = e->t.status != 101 && !c->is_swapped;
    size_t n = e->t.host.size < sizeof p->tunnel_host ? e->t.host.size : 0;
    if (n)
        memcpy(p->tunnel_host, e->t.host.at, n);
    p->tunnel_host[n] = 0;
    e->t.flags |= TXN_UPGRADED;
    e->progress[CONN_REQUEST] = e->progress[CONN_RESPONSE] = CONN_DONE;
    e->t.request_body.is_complete = e->t.response_body.is_complete = true;
    e->t.response_body.known = SIZE_OBSERVED;
    c->pool->counts.upgraded++;
    become_other(c, 0, now_ns);
}

/* The answer comes, or is missing, while the request's head has no end yet: if its start line is whole, then that is
 * all there is of it. */
static void finish_request_head(struct conn *c, enum head_end end, uint64_t now_ns)
{
    int direction = conn_direction(c, CONN_REQUEST);
    struct http1_head head = {.fields = {c->pool->request_fields, 0, HTTP1_MAX_FIELDS, false}};
    struct http1 *h = &c->side[direction];
    struct http1_out out;
    if (conn_pair_has_awaiting(c) || !http1_finish(h, &out) || http1_head_parse(out.data, HTTP1_REQUEST, &head))
        return;
    on_request(c, h, &head, &out, end, now_ns);
}

static bool names_h2c(const struct fields *fields)
{
    const struct field *f;
    uint16_t from = 0;
    while ((f = fields_next(fields, SPAN("upgrade"), &from)))
        for (struct span list = f->value, part; span_split(&list, ',', &part);)
            if (span_eq_nocase(span_trim(part), SPAN("h2c")))
                return true;
    return false;
}

/* 101 to h2c: the answer to the request comes by HTTP/2 (RFC 7540, 3.2). */
static bool begins_http2(struct conn *c, const struct http1_head *head)
{
    const struct exchange *e = c->first;
    return head->status == 101 && names_h2c(&head->fields) && e && e == c->last && e->t.method.size &&
           e->progress[CONN_RESPONSE] == CONN_AWAITED && names_h2c(&e->t.request_fields);
}

static void on_response(struct conn *c, struct http1 *h, const struct http1_head *head, const struct http1_out *out,
                        enum head_end end, uint64_t now_ns)
{
    struct conn_pool *p = c->pool;
    if (head->status / 100 == 1 && head->status != 101) {
        p->counts.interim++;
        if (end == HEAD_WHOLE)
            http1_ignore(h, &p->memory);
        return;
    }
    finish_request_head(c, HEAD_SHORT, now_ns);
    if (end == HEAD_WHOLE && begins_http2(c, head) && http2_begin(c, HTTP2_BY_UPGRADE))
        return;
    struct exchange *e;
    bool can_wait = end == HEAD_WHOLE && head->status != 101;
    while (!(e = conn_pair_response(c, out->is_found, can_wait, now_ns)) && conn_make_room(c, now_ns))
        ;
    if (!e) {
        become_other(c, TXN_CUT, now_ns);
        return;
    }
    struct http1_body body = http1_head_response_body(head, e->t.method);
    body.is_ambiguous = body.is_ambiguous || head->has_odd_version;
    conn_exchange_keep(e, CONN_RESPONSE, out->data, head);
    e->t.flags |= head_flags(out, &body, end);
    e->t.response_ns = h->begin_ns;
    set_declared(&e->t.response_body, &body);
    e->progress[CONN_RESPONSE] = CONN_COMING;
    e->is_doubtful = out->is_found && body.kind == HTTP1_BODY_CLOSE;
    c->active[CONN_RESPONSE] = e;
    if (is_upgrade(e))
        e->t.flags |= TXN_UPGRADED;
    if (!e->is_early)
        conn_exchange_tell_response(e);
    if (is_upgrade(e))
        upgrade(c, e, now_ns);
    else if (end != HEAD_WHOLE)
        follow_cut(c, e, CONN_RESPONSE);
    else
        http1_follow(h, &p->memory, &body, e->t.method.size == 0);
}

static void on_head(struct conn *c, int direction, const struct http1_out *out, enum head_end end, uint64_t now_ns)
{
    struct http1 *h = &c->side[direction];
    struct http1_head head = {.fields = {c->pool->fields, 0, HTTP1_MAX_FIELDS, false}};
    if (!settle_roles(c, direction)) {
        http1_seek(h, role_of(c, direction), 0);
        return;
    }
    if (out->is_found && !conn_pair_is_plausible(c, half_of(c, direction))) {
        http1_refuse(h);
        return;
    }
    c->pool->counts.found += out->is_found;
    if (http1_twins_parse(&c->pool->twins, out->data, (enum http1_role)h->role, &head))
        return; /* then the machine looks on */
    if (half_of(c, direction) == CONN_REQUEST)
        on_request(c, h, &head, out, end, now_ns);
    else
        on_response(c, h, &head, out, end, now_ns);
}

/* ---- other events ---- */

static void on_data(struct conn *c, int half, struct span bytes)
{
    struct exchange *e = c->active[half];
    if (!e)
        return;
    conn_measure(e, half)->bytes += bytes.size;
    conn_body_feed(&e->body[half], c->pool->codings, bytes);
}

static void on_skip(struct conn *c, int half, uint64_t bytes)
{
    struct exchange *e = c->active[half];
    if (!e)
        return;
    conn_measure(e, half)->bytes += bytes;
    if (c->is_skipping)
        return;
    conn_measure(e, half)->missing += bytes;
    conn_body_gap(&e->body[half], c->pool->codings, bytes);
}

#define MAYBE_BUDGET 4096u /* bytes to look through where HTTP may follow something else */

/* SOCKS 4 or 5 (RFC 1928), which carries what follows; or a usual method in a line that is no request line to us, but
 * may be to the server. */
static bool may_be_http(const struct http1 *h, struct span bytes)
{
    struct span line = span_of(h->buffer, h->buffered);
    if (h->head_size == 0)
        return bytes.size && (bytes.at[0] == 4 || bytes.at[0] == 5);
    line = span_sub(line, 0, span_find_byte(line, ' ', 0));
    return line.size && http1_head_usual_method(line) == line.size;
}

/* No request line to HTTP/1, but the first of another protocol's (RFC 9113, 3.4). */
static bool is_http2(struct conn *c, int direction)
{
    const struct http1 *h = &c->side[direction];
    if (c->has_roles || !span_eq(span_of(h->buffer, h->buffered), SPAN("PRI * HTTP/2.0\r\n")))
        return false;
    c->is_swapped = direction != CONN_CLIENT;
    return http2_begin(c, HTTP2_BY_PREFACE);
}

/* At what may be the head of a frame: joined midstream, or of a server that does not wait for the client's preface. */
static bool may_be_http2(struct conn *c, int direction, const struct http1_input *in)
{
    const struct http1 *h = &c->side[direction], *other = &c->side[!direction];
    struct span sent = span_of(other->buffer, other->buffered);
    if (c->has_roles || c->is_maybe || h->head_size || !in->bytes.size || in->bytes.at[0] != 0)
        return false;
    if (c->info->is_midstream)
        return http2_begin(c, HTTP2_BY_GUESS);
    return direction == CONN_SERVER && span_starts(SPAN(HTTP2_PREFACE), sent) && http2_begin(c, HTTP2_BY_SERVER);
}

/* The first answer of a connection whose every byte was seen. Later ones are not taken for such by clients either. */
static bool may_be_bare(const struct conn *c, int direction)
{
    return c->has_roles && half_of(c, direction) == CONN_RESPONSE && !c->info->is_midstream && !c->is_maybe &&
           !c->had_gap[CONN_RESPONSE] && conn_pair_has_awaiting(c);
}

/* An answer without a head: all that comes is its body, to those clients that take it at all. */
static void on_bare(struct conn *c, uint64_t now_ns)
{
    struct exchange *e = conn_pair_response(c, false, false, now_ns);
    if (!e)
        return;
    e->t.flags |= TXN_AMBIGUOUS;
    e->progress[CONN_RESPONSE] = CONN_COMING;
    c->active[CONN_RESPONSE] = e;
    c->pool->counts.bare++;
}

/* No more bytes come, or what comes shows that there will be none: a head is what there is of it. */
static void finish_head(struct conn *c, int direction, uint64_t now_ns)
{
    struct http1 *h = &c->side[direction];
    struct http1_out out;
    if (c->speaks == CONN_OTHER)
        return;
    if (http1_finish(h, &out)) {
        on_head(c, direction, &out, HEAD_SHORT, now_ns);
    } else if (http1_finish_bare(h, &out)) {
        on_bare(c, now_ns);
        on_data(c, CONN_RESPONSE, out.data);
    }
}

/* In a flow joined midstream, or with bytes missing at its start, the first message may be yet to come. */
static void on_foreign(struct conn *c, int direction, const struct http1_input *in)
{
    struct http1 *h = &c->side[direction];
    if (is_http2(c, direction) || may_be_http2(c, direction, in))
        return;
    c->pool->counts.junk++;
    if (direction == CONN_SERVER && !c->has_roles && !c->info->is_midstream)
        finish_head(c, CONN_CLIENT, in->now_ns); /* of HTTP/0.9 it has no end */
    if (may_be_bare(c, direction) && http1_expect_bare(h, &c->pool->memory))
        return;
    if (direction == CONN_CLIENT && may_be_http(h, in->bytes))
        c->is_maybe = true;
    if (c->has_roles)
        http1_seek(h, role_of(c, direction), 0);
    else if (c->is_maybe)
        http1_seek(h, role_of(c, direction), MAYBE_BUDGET);
    else if (c->info->is_midstream)
        http1_seek(h, role_of(c, direction), HTTP1_UNSURE_BUDGET);
    else
        become_other(c, 0, in->now_ns);
}

static void lose_start(struct conn *c, int half, uint64_t now_ns)
{
    if (half == CONN_RESPONSE)
        finish_request_head(c, HEAD_GAP, now_ns);
    conn_pair_lose_start(c, half, now_ns);
}

static void on_lost(struct conn *c, int direction, const struct http1_out *out, uint64_t now_ns)
{
    int half = half_of(c, direction);
    c->pool->counts.resyncs++;
    c->pool->counts.junk += !out->by_gap;
    if (out->by_gap)
        c->had_gap[half] = true;
    if (!c->has_roles) {
        http1_seek(&c->side[direction], role_of(c, direction), HTTP1_UNSURE_BUDGET);
        return;
    }
    if (out->in_message)
        conn_pair_lose_inside(c, half, out->by_gap);
    else if (out->by_gap && (half == CONN_RESPONSE || !out->was_first))
        lose_start(c, half, now_ns);
}

/* More is missing while sync is lost already: in a one-sided flow that is the next answer. */
static void on_passed(struct conn *c, int half, uint64_t bytes, bool is_acked, uint64_t now_ns)
{
    c->had_gap[half] = true;
    if (half == CONN_REQUEST && !c->lost[half])
        c->is_request_missed = true;
    if (!c->has_roles)
        return;
    if (half == CONN_RESPONSE && !c->lost[half]) {
        lose_start(c, half, now_ns);
        c->side[conn_direction(c, half)].unsynced = bytes;
    }
    conn_pair_miss(c, half, bytes, is_acked);
}

static void on_proxy(struct conn *c, struct span preface)
{
    struct endpoint source;
    c->pool->counts.proxied++;
    c->is_prefaced = true;
    if (http1_proxy_source(preface, &source) && ipaddr_is_zero(&c->proxy_client))
        c->proxy_client = source.ip;
}

/* Both directions have been looked through far enough without a message. */
static bool is_hopeless(const struct conn *c)
{
    int asleep = (c->side[0].state == HTTP1_AT_SLEEP) + (c->side[1].state == HTTP1_AT_SLEEP);
    return c->speaks == CONN_UNSURE && asleep >= (c->is_maybe ? 1 : 2);
}

static void take_http1(struct conn *c, int direction, struct http1_input *in, bool is_acked)
{
    struct http1 *h = &c->side[direction];
    struct http1_out out;
    enum http1_event event;
    while (c->speaks != CONN_OTHER && !c->http2 && (event = http1_step(h, in, &c->pool->memory, &out)) != HTTP1_MORE) {
        int half = half_of(c, direction);
        switch (event) {
        case HTTP1_HEAD: on_head(c, direction, &out, HEAD_WHOLE, in->now_ns); break;
        case HTTP1_CUT_HEAD: on_head(c, direction, &out, HEAD_GAP, in->now_ns); break;
        case HTTP1_DATA: on_data(c, half, out.data); break;
        case HTTP1_SKIP: on_skip(c, half, out.size); break;
        case HTTP1_END: conn_pair_complete(c, half, in->now_ns); break;
        case HTTP1_LOST: on_lost(c, direction, &out, in->now_ns); break;
        case HTTP1_PASSED: on_passed(c, half, out.size, is_acked, in->now_ns); break;
        case HTTP1_REFRAMED: conn_pair_find_inside(c, half, out.size); break;
        case HTTP1_FOREIGN: on_foreign(c, direction, in); break;
        case HTTP1_BARE: on_bare(c, in->now_ns); break;
        default: on_proxy(c, out.data);
        }
    }
    if (is_hopeless(c))
        become_other(c, 0, in->now_ns);
}

static void take(struct conn *c, int direction, struct http1_input in, bool is_acked)
{
    if (!c->http2)
        take_http1(c, direction, &in, is_acked);
    if (!c->http2)
        return;
    http2_take(c, direction, &in, is_acked);
    if (c->http2)
        return;
    if (!c->info->is_midstream) {
        become_other(c, 0, in.now_ns);
        return;
    }
    for (int dir = 0; dir < 2; dir++)
        http1_seek(&c->side[dir], HTTP1_EITHER, HTTP1_UNSURE_BUDGET);
    take_http1(c, direction, &in, is_acked);
}

void conn_data(struct conn *c, int direction, struct span bytes, uint64_t now_ns)
{
    if (c->speaks != CONN_OTHER)
        take(c, direction, (struct http1_input){.bytes = bytes, .now_ns = now_ns}, false);
}

void conn_gap(struct conn *c, int direction, uint64_t bytes, bool is_acked, uint64_t now_ns)
{
    if (c->speaks != CONN_OTHER)
        take(c, direction, (struct http1_input){.gap = bytes, .now_ns = now_ns}, is_acked);
}

uint64_t conn_skippable(const struct conn *c, int direction)
{
    const struct http1 *h = &c->side[direction];
    const struct exchange *e = c->active[half_of(c, direction)];
    if (c->http2)
        return http2_skippable(c, direction);
    if (c->speaks != CONN_HTTP1 || !e || e->body[half_of(c, direction)].tap.feed)
        return 0;
    if (h->state == HTTP1_AT_LENGTH || h->state == HTTP1_AT_CHUNK)
        return h->left;
    return h->state == HTTP1_AT_CLOSE ? UINT64_MAX : 0;
}

/* Like a gap, but that nothing is missing. */
void conn_skip(struct conn *c, int direction, uint64_t bytes, uint64_t now_ns)
{
    c->is_skipping = true;
    conn_gap(c, direction, bytes, true, now_ns);
    c->is_skipping = false;
}

/* A close-delimited body ends with its direction (RFC 9112, 6.3, 8); everything else that was coming is cut short. */
static void finish_half(struct conn *c, int half, uint64_t now_ns)
{
    struct http1 *h = &c->side[conn_direction(c, half)];
    struct exchange *e = c->active[half];
    if (h->state == HTTP1_AT_CLOSE)
        conn_pair_complete(c, half, now_ns);
    else if (e)
        conn_pair_abort(e, half);
    if (half == CONN_RESPONSE)
        for (e = c->first; e; e = e->next)
            conn_pair_abort(e, half);
    else
        conn_pair_end_early(c);
}

void conn_fin(struct conn *c, int direction, uint64_t now_ns)
{
    if (c->http2) {
        http2_fin(c, direction, now_ns);
        return;
    }
    finish_head(c, direction, now_ns);
    int half = half_of(c, direction);
    if (c->speaks == CONN_OTHER)
        return;
    if (c->has_roles) {
        finish_half(c, half, now_ns);
        c->is_finished[half] = true;
    }
    http1_stop(&c->side[direction], &c->pool->memory);
    conn_pair_settle(c, now_ns);
}

void conn_end(struct conn *c, uint64_t now_ns)
{
    struct conn_pool *p = c->pool;
    if (c->http2)
        http2_end(c, 0, now_ns);
    finish_head(c, conn_direction(c, CONN_REQUEST), now_ns);
    finish_head(c, conn_direction(c, CONN_RESPONSE), now_ns);
    conn_pair_end_all(c, 0, now_ns);
    for (int dir = 0; dir < 2; dir++)
        http1_fini(&c->side[dir], &p->memory);
    pool_give(p->conns, c);
}
