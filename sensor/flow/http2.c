/* SPDX-License-Identifier: Apache-2.0
 * A connection of HTTP/2: turns the events of its two frame machines into the exchanges of its streams. */
#include "flow/http2.h"

#include "flow/http2_message.h"
#include "wire/base64.h"

#define AHEAD 2000u           /* out of sync: how far a stream may be from those seen */
#define AHEAD_UNKNOWN 1048576u /* and when none was seen */

static const struct counter_def DEFS[] = {
    {"http2_conns", "connections", "that spoke HTTP/2"},
    {"http2_upgraded", "connections", "of these, by Upgrade: h2c"},
    {"http2_guessed", "connections", "of these, joined midstream and known by their frames"},
    {"http2_refused", "connections", "not followed because too many were open; raise the limit"},
    {"http2_streams", "streams", "followed"},
    {"http2_too_many", "times", "more streams were open in a connection than are followed"},
    {"http2_streams_untracked", "streams", "not followed for lack of room; their headers are read, their bytes counted below"},
    {"http2_streams_untold", "streams", "of which neither head could be read"},
    {"http2_bytes_unowned", "bytes", "of DATA for no stream that is followed: reset, tunnelled, or untracked"},
    {"http2_blocks_lost", "header blocks", "with bytes missing; a lossy tap"},
    {"http2_blocks_cut", "header blocks", "larger than the cap; may be a flood of CONTINUATION"},
    {"http2_heads_partial", "heads", "some fields of which cannot be known"},
    {"http2_pushed", "streams", "promised by the server"},
    {"http2_tunnels", "streams", "handed over to another protocol by CONNECT"},
    {"http2_trailers", "messages", "with trailer fields"},
    {"http2_resets", "streams", "reset by either side"},
    {"http2_resets_early", "streams", "reset by the client before an answer began"},
    {"http2_rapid", "connections", "that reset 200 streams before an answer began; may be a rapid-reset attack"},
    {"http2_goaway", "frames", "GOAWAY"},
    {"http2_odd", "times", "something came that no endpoint should send; it was left out"},
};
_Static_assert(sizeof DEFS / sizeof DEFS[0] * sizeof(uint64_t) == sizeof(struct http2_counts), "a name for each counter");

struct counters http2_counters(const struct http2_counts *counts)
{
    return (struct counters){DEFS, (const uint64_t *)counts, sizeof DEFS / sizeof DEFS[0]};
}

size_t http2_size(void)
{
    return sizeof(struct http2);
}

/* ---- beginning and end ---- */

/* The settings of the client, as its request carried them (RFC 7540, 3.2.1). */
static void take_upgrade_settings(struct http2 *h, const struct exchange *e)
{
    uint8_t bytes[240];
    size_t size;
    struct span text = span_trim(fields_get(&e->t.request_fields, SPAN("http2-settings")));
    if (base64_decode(text, bytes, sizeof bytes, &size))
        return;
    struct reader r = reader_of(span_of(bytes, size));
    while (r.left.size >= 6) {
        uint16_t id = reader_u16(&r);
        uint32_t value = reader_u32(&r);
        int answering = conn_direction(h->conn, CONN_RESPONSE);
        if (id == HTTP2_SETTING_TABLE_SIZE)
            hpack_allow(&h->hpack[answering], value);
        else if (id == HTTP2_SETTING_FRAME_SIZE && value <= HTTP2_FRAME_MAX)
            h->frame[answering].max_size = value;
    }
}

void http2_prove(struct http2 *h)
{
    struct conn *c = h->conn;
    h->is_sure = c->has_roles = true;
    c->speaks = CONN_HTTP2;
    http2_stream_counts(h)->conns++;
    c->pool->counts.swapped += c->is_swapped;
}

/* Nothing is known of what came before in this direction. */
static void begin_blind(struct http2 *h, int direction)
{
    hpack_lose(&h->hpack[direction]);
    http2_frame_seek(&h->frame[direction]);
}

bool http2_begin(struct conn *c, enum http2_how how)
{
    struct conn_pool *p = c->pool;
    struct http2 *h = pool_take(p->http2s);
    if (!h) {
        p->http2_counts.refused++;
        return false;
    }
    *h = (struct http2){.conn = c};
    c->http2 = h;
    int asking = conn_direction(c, CONN_REQUEST);
    uint8_t all = sizeof HTTP2_PREFACE - 1, matched = how == HTTP2_BY_PREFACE ? 16 : 0;
    if (how == HTTP2_BY_SERVER)
        matched = (uint8_t)c->side[asking].buffered;
    http2_frame_init(&h->frame[asking], how == HTTP2_BY_GUESS ? all : matched);
    http2_frame_init(&h->frame[!asking], all);
    for (int dir = 0; dir < 2; dir++) {
        hpack_init(&h->hpack[dir], p->hpacks);
        if (!c->info->saw[!dir])
            hpack_allow(&h->hpack[dir], HPACK_MAX_TABLE);
        http1_stop(&c->side[dir], &p->memory);
    }
    if (how == HTTP2_BY_ALPN && c->info->is_midstream)
        begin_blind(h, !asking);
    for (int dir = 0; dir < 2 && how == HTTP2_BY_GUESS; dir++) {
        hpack_lose(&h->hpack[dir]);
        http2_frame_doubt(&h->frame[dir]);
    }
    p->http2_counts.guessed += how == HTTP2_BY_GUESS;
    if (how == HTTP2_BY_SERVER)
        http2_frame_doubt(&h->frame[!asking]);
    if (how == HTTP2_BY_SERVER || how == HTTP2_BY_GUESS)
        return true;
    if (how == HTTP2_BY_UPGRADE) {
        take_upgrade_settings(h, c->first);
        http2_stream_adopt(h, c->first);
        h->highest[0] = 1;
        p->http2_counts.upgraded++;
    }
    http2_prove(h);
    return true;
}

bool http2_is_asked(const struct conn *c)
{
    return c->n_open > c->http2->n_reset;
}

static void release(struct http2 *h)
{
    struct conn *c = h->conn;
    for (int dir = 0; dir < 2; dir++) {
        http2_frame_fini(&h->frame[dir], &c->pool->memory);
        hpack_fini(&h->hpack[dir]);
    }
    c->http2 = NULL;
    pool_give(c->pool->http2s, h);
}

void http2_end(struct conn *c, uint32_t flags, uint64_t now_ns)
{
    while (c->first)
        http2_stream_end(c->first, flags, now_ns);
    release(c->http2);
}

void http2_give_up(struct exchange *e, uint64_t now_ns)
{
    e->conn->http2->was_refused = true;
    http2_stream_end(e, TXN_CUT, now_ns);
}

/* It is no HTTP/2 after all. */
static void disprove(struct http2 *h)
{
    bool is_guess = h->conn->info->is_midstream;
    http2_stream_counts(h)->guessed -= is_guess;
    release(h);
}

/* ---- bodies ---- */

/* The exchange whose body this is. Its head may have been lost with what came before. */
static struct exchange *body_of(struct http2 *h, int half, uint32_t stream)
{
    struct exchange *e = http2_stream_find(h, stream);
    if (e && e->progress[half] == CONN_AWAITED) {
        e->progress[half] = CONN_COMING;
        e->t.flags |= e->is_lost[half] ? TXN_GAP : TXN_AMBIGUOUS;
    }
    return e && e->progress[half] == CONN_COMING ? e : NULL;
}

static void on_data(struct http2 *h, int direction, const struct http2_frame_out *out, uint64_t now_ns)
{
    int half = http2_stream_half(h, direction);
    struct exchange *e = body_of(h, half, out->stream);
    if (!e) {
        http2_stream_counts(h)->unowned += out->size;
        return;
    }
    if (e->reset_ns)
        e->reset_ns = now_ns;
    conn_measure(e, half)->bytes += out->size;
    e->seen[half] += out->data.size;
    if (h->conn->is_skipping) {
        e->seen[half] += out->size;
        return;
    }
    if (out->data.size) {
        conn_body_feed(&e->body[half], h->conn->pool->codings, out->data);
        return;
    }
    conn_measure(e, half)->missing += out->size;
    e->t.flags |= TXN_GAP;
    e->is_unsure[half] = e->is_unsure[half] || out->is_unsure;
    conn_body_gap(&e->body[half], h->conn->pool->codings, out->size);
}

static void on_data_end(struct http2 *h, int direction, const struct http2_frame_out *out, uint64_t now_ns)
{
    struct exchange *e = body_of(h, http2_stream_half(h, direction), out->stream);
    if (e)
        http2_stream_complete(e, http2_stream_half(h, direction), now_ns);
}

/* ---- the rest ---- */

static void on_setting(struct http2 *h, int direction, const struct http2_frame_out *out)
{
    if (out->id == HTTP2_SETTING_TABLE_SIZE)
        hpack_allow(&h->hpack[!direction], out->value);
    else if (out->id == HTTP2_SETTING_FRAME_SIZE && out->value >= HTTP2_FRAME_SIZE && out->value <= HTTP2_FRAME_MAX)
        h->frame[!direction].max_size = out->value;
}

static void on_setting_lost(struct http2 *h, int direction)
{
    hpack_allow(&h->hpack[!direction], HPACK_MAX_TABLE);
}

static void on_reset(struct http2 *h, int direction, const struct http2_frame_out *out, uint64_t now_ns)
{
    struct exchange *e = http2_stream_find(h, out->stream);
    if (e)
        http2_stream_reset(e, http2_stream_half(h, direction) == CONN_REQUEST, now_ns);
}

/* What the server has not looked at will not be answered (RFC 9113, 6.8). */
static void on_goaway(struct http2 *h, int direction, const struct http2_frame_out *out, uint64_t now_ns)
{
    struct exchange *next;
    http2_stream_counts(h)->goaway++;
    if (!h->is_sure || http2_stream_half(h, direction) != CONN_RESPONSE)
        return;
    for (struct exchange *e = h->conn->first; e; e = next) {
        next = e->next;
        if (e->t.stream_id % 2 && e->t.stream_id > out->value && e->progress[CONN_RESPONSE] == CONN_AWAITED)
            http2_stream_end(e, TXN_ABORTED, now_ns);
    }
}

static void on_window(struct http2 *h, int direction, const struct http2_frame_out *out)
{
    struct exchange *e = out->stream ? http2_stream_find(h, out->stream) : NULL;
    if (e && http2_stream_half(h, direction) == CONN_REQUEST && !http2_stream_was_seen(h, CONN_RESPONSE))
        http2_stream_credit(e, out->value);
}

static void on_lost(struct http2 *h, int direction, const struct http2_frame_out *out)
{
    int half = http2_stream_half(h, direction);
    bool has_no_preface = !out->by_gap && h->frame[direction].matched < sizeof HTTP2_PREFACE - 1;
    if (has_no_preface && h->frame[!direction].state == HTTP2_AT_HEAD)
        begin_blind(h, !direction); /* joined later than it seemed */
    h->conn->pool->counts.resyncs++;
    h->conn->pool->counts.junk += !out->by_gap;
    h->conn->had_gap[half] = h->conn->had_gap[half] || out->by_gap;
    hpack_lose(&h->hpack[direction]);
    on_setting_lost(h, direction);
    if (h->is_sure)
        http2_stream_lose(h, half, out->by_gap);
}

/* ---- out of sync: what may be the head of a frame ---- */

static bool is_near(const struct http2 *h, uint32_t stream)
{
    uint32_t highest = h->highest[stream % 2 == 0];
    return stream <= highest + (highest ? AHEAD : AHEAD_UNKNOWN);
}

static bool may_be_headers(struct http2 *h, int half, const struct http2_frame_out *out)
{
    struct exchange *e = http2_stream_find(h, out->stream);
    if (e && e->progress[half] != CONN_DONE)
        return true;
    if (e || !is_near(h, out->stream) || !(out->flags & HTTP2_END_HEADERS))
        return false;
    return half == CONN_REQUEST ? out->stream % 2 && out->stream > h->highest[0] : out->stream > 0;
}

static bool may_be_frame(struct http2 *h, int direction, const struct http2_frame_out *out)
{
    int half = http2_stream_half(h, direction);
    struct exchange *e = out->stream ? http2_stream_find(h, out->stream) : NULL;
    switch (out->type) {
    case HTTP2_TYPE_DATA: return e && e->progress[half] != CONN_DONE;
    case HTTP2_TYPE_HEADERS: return !h->is_sure ? is_near(h, out->stream) : may_be_headers(h, half, out);
    case HTTP2_TYPE_PUSH_PROMISE: return e && half == CONN_RESPONSE;
    case HTTP2_TYPE_RST_STREAM: return is_near(h, out->stream);
    case HTTP2_TYPE_WINDOW_UPDATE: return out->stream == 0 || is_near(h, out->stream);
    case HTTP2_TYPE_SETTINGS:
    case HTTP2_TYPE_PING: return true;
    case HTTP2_TYPE_GOAWAY: return out->size <= 1024;
    default: return false;
    }
}

static void on_candidate(struct http2 *h, int direction, const struct http2_frame_out *out)
{
    struct http2_frame *f = &h->frame[direction];
    bool is_first = f->unsynced == 0;
    if (!may_be_frame(h, direction, out) && !(is_first && out->type == HTTP2_TYPE_DATA && is_near(h, out->stream)))
        return;
    http2_frame_accept(f);
    h->conn->pool->counts.found++;
    http2_stream_found(h, http2_stream_half(h, direction));
}

/* A flow that does not begin with frames, or not with those of a beginning, is something else. */
static bool is_disproved(struct http2 *h, enum http2_frame_event event)
{
    bool is_midstream = h->conn->info->is_midstream;
    if (!h->is_sure && !is_midstream && h->frame[CONN_CLIENT].state == HTTP2_AT_HEAD)
        http2_prove(h);
    bool is_early = event == HTTP2_HEADERS || event == HTTP2_DATA || event == HTTP2_SKIP || event == HTTP2_PUSH;
    return !h->is_sure && (h->is_wrong || event == HTTP2_LOST || (is_early && !is_midstream));
}

static void on_event(struct http2 *h, int direction, enum http2_frame_event event, const struct http2_frame_out *out,
                     uint64_t now_ns)
{
    switch (event) {
    case HTTP2_DATA:
    case HTTP2_SKIP: on_data(h, direction, out, now_ns); break;
    case HTTP2_DATA_END: on_data_end(h, direction, out, now_ns); break;
    case HTTP2_HEADERS: http2_message_head(h, direction, out, now_ns); break;
    case HTTP2_PUSH: http2_message_push(h, direction, out, now_ns); break;
    case HTTP2_BLOCK_LOST: http2_message_lost(h, direction, out, now_ns); break;
    case HTTP2_RESET: on_reset(h, direction, out, now_ns); break;
    case HTTP2_SETTING: on_setting(h, direction, out); break;
    case HTTP2_SETTING_LOST: on_setting_lost(h, direction); break;
    case HTTP2_GOAWAY: on_goaway(h, direction, out, now_ns); break;
    case HTTP2_WINDOW: on_window(h, direction, out); break;
    case HTTP2_CANDIDATE: on_candidate(h, direction, out); break;
    case HTTP2_LOST: on_lost(h, direction, out); break;
    case HTTP2_MORE: break;
    }
}

void http2_take(struct conn *c, int direction, struct http1_input *in, bool is_acked)
{
    struct http2 *h = c->http2;
    struct http2_frame_out out;
    enum http2_frame_event event;
    if (h->n_reset && in->now_ns >= h->reset_due_ns)
        http2_stream_expire(h, in->now_ns);
    if (in->gap && !c->info->saw[direction] && http2_stream_half(h, direction) == CONN_RESPONSE)
        http2_stream_hide(h, in->gap, is_acked);
    do {
        event = http2_frame_step(&h->frame[direction], in, &c->pool->memory, &out);
        on_event(h, direction, event, &out, in->now_ns);
        if (is_disproved(h, event)) {
            disprove(h);
            return;
        }
    } while (event != HTTP2_MORE);
}

uint64_t http2_skippable(const struct conn *c, int direction)
{
    struct http2 *h = c->http2;
    const struct http2_frame *f = &h->frame[direction];
    if (!h->is_sure)
        return 0;
    if (f->state == HTTP2_AT_REST)
        return f->left;
    if (f->state != HTTP2_AT_DATA || f->is_pad_unknown)
        return 0;
    int half = http2_stream_half(h, direction);
    const struct exchange *e = http2_stream_find(h, f->stream);
    return e && e->body[half].tap.feed ? 0 : f->left;
}

void http2_fin(struct conn *c, int direction, uint64_t now_ns)
{
    struct http2 *h = c->http2;
    struct exchange *next;
    int half = http2_stream_half(h, direction);
    for (struct exchange *e = c->first; e; e = next) {
        next = e->next;
        http2_stream_abort(e, half);
        http2_stream_settle(e, now_ns);
    }
    c->is_finished[half] = true;
}
