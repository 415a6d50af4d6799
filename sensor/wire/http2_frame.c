/* SPDX-License-Identifier: Apache-2.0
 * The frame machine of one direction of HTTP/2. */
#include "wire/http2_frame.h"

#define GO_ON ((enum http2_frame_event)-1) /* a state has changed: step again */
#define PREFACE_SIZE (sizeof HTTP2_PREFACE - 1)
#define SETTING_SIZE 6u

void http2_frame_init(struct http2_frame *f, uint8_t matched)
{
    *f = (struct http2_frame){.matched = matched, .max_size = HTTP2_FRAME_SIZE};
    f->state = matched < PREFACE_SIZE ? HTTP2_AT_PREFACE : HTTP2_AT_HEAD;
}

/* ---- the buffer of a header block ---- */

static void drop_buffer(struct http2_frame *f, struct http1_memory *memory)
{
    if (f->capacity)
        pool_give(f->capacity == HTTP1_SMALL ? memory->small : memory->large, f->buffer);
    f->buffer = NULL;
    f->buffered = f->capacity = 0;
    f->is_spent = false;
}

void http2_frame_fini(struct http2_frame *f, struct http1_memory *memory)
{
    drop_buffer(f, memory);
}

static bool grow_buffer(struct http2_frame *f, uint32_t size, struct http1_memory *memory)
{
    bool is_small = size <= HTTP1_SMALL;
    uint8_t *buffer = pool_take(is_small ? memory->small : memory->large);
    if (!buffer) {
        memory->refused++;
        return false;
    }
    uint32_t buffered = f->buffered;
    if (buffered)
        memcpy(buffer, f->buffer, buffered);
    drop_buffer(f, memory);
    f->buffer = buffer;
    f->buffered = buffered;
    f->capacity = is_small ? HTTP1_SMALL : HTTP1_MAX_HEAD;
    return true;
}

static bool collect(struct http2_frame *f, struct span part, struct http1_memory *memory, bool *is_cut)
{
    *is_cut = part.size > HTTP2_MAX_BLOCK - f->buffered;
    if (*is_cut)
        return false;
    uint32_t size = f->buffered + (uint32_t)part.size;
    if (size > f->capacity && !grow_buffer(f, size, memory))
        return false;
    memcpy(f->buffer + f->buffered, part.at, part.size);
    f->buffered = size;
    return true;
}

/* ---- input ---- */

static bool has_input(const struct http1_input *in)
{
    return in->bytes.size || in->gap;
}

/* Takes up to 'most' bytes off the input, or of a gap. */
static uint32_t take(struct http1_input *in, uint32_t most, struct span *bytes)
{
    *bytes = span_sub(in->bytes, 0, most);
    if (bytes->size) {
        in->bytes = span_from(in->bytes, bytes->size);
        return (uint32_t)bytes->size;
    }
    uint64_t gap = in->gap < most ? in->gap : most;
    in->gap -= gap;
    return (uint32_t)gap;
}

/* Collects into 'held' until f->n_wanted bytes are there. */
static bool hold(struct http2_frame *f, struct http1_input *in)
{
    struct span part;
    uint32_t n = take(in, (uint32_t)(f->n_wanted - f->n_held), &part);
    if (n)
        memcpy(f->held + f->n_held, part.at, n);
    f->n_held = (uint8_t)(f->n_held + n);
    return f->n_held == f->n_wanted;
}

static bool is_at_gap(const struct http1_input *in)
{
    return in->bytes.size == 0 && in->gap != 0;
}

/* ---- heads ---- */

struct head {
    uint32_t size, stream;
    uint8_t type, flags;
    bool is_reserved; /* the reserved bit is set */
};

static struct head head_read(const uint8_t *at)
{
    struct reader r = reader_of(span_of(at, HTTP2_FRAME_HEAD));
    struct head h;
    h.size = reader_u24(&r);
    h.type = reader_u8(&r);
    h.flags = reader_u8(&r);
    h.stream = reader_u32(&r);
    h.is_reserved = h.stream >> 31;
    h.stream &= 0x7fffffffu;
    return h;
}

/* What RFC 9113, 6 says of each type: the stream, the size, and the flags. */
static const struct rule {
    bool has_stream, has_none; /* must have a stream; must not */
    uint8_t least, most, unit; /* of the size; most 0: any */
    uint8_t flags;
} RULES[] = {
    [HTTP2_TYPE_DATA] = {true, false, 0, 0, 1, HTTP2_END_STREAM | HTTP2_PADDED},
    [HTTP2_TYPE_HEADERS] = {true, false, 1, 0, 1,
                            HTTP2_END_STREAM | HTTP2_END_HEADERS | HTTP2_PADDED | HTTP2_PRIORITY},
    [HTTP2_TYPE_PRIORITY] = {true, false, 5, 5, 1, 0},
    [HTTP2_TYPE_RST_STREAM] = {true, false, 4, 4, 1, 0},
    [HTTP2_TYPE_SETTINGS] = {false, true, 0, 0, SETTING_SIZE, HTTP2_ACK},
    [HTTP2_TYPE_PUSH_PROMISE] = {true, false, 5, 0, 1, HTTP2_END_HEADERS | HTTP2_PADDED},
    [HTTP2_TYPE_PING] = {false, true, 8, 8, 1, HTTP2_ACK},
    [HTTP2_TYPE_GOAWAY] = {false, true, 8, 0, 1, 0},
    [HTTP2_TYPE_WINDOW_UPDATE] = {false, false, 4, 4, 1, 0},
    [HTTP2_TYPE_CONTINUATION] = {true, false, 0, 0, 1, HTTP2_END_HEADERS},
};
#define N_RULES (sizeof RULES / sizeof RULES[0])

/* In sync: what no endpoint would go on after. Types nobody knows are let pass (RFC 9113, 5.5). */
static bool is_possible(const struct head *h)
{
    if (h->type >= N_RULES)
        return true;
    const struct rule *rule = &RULES[h->type];
    bool fits = h->size >= rule->least && (rule->most == 0 || h->size <= rule->most) && h->size % rule->unit == 0;
    if (h->type == HTTP2_TYPE_HEADERS || h->type == HTTP2_TYPE_PUSH_PROMISE)
        fits = true; /* an empty one is a lost header block, not lost sync */
    return fits && !(rule->has_stream && h->stream == 0) && !(rule->has_none && h->stream != 0);
}

/* Out of sync: to the letter, and of use for finding the way. */
static bool is_plausible(const struct http2_frame *f, const struct head *h)
{
    if (h->type >= N_RULES || h->is_reserved || h->size > f->max_size || !is_possible(h))
        return false;
    const struct rule *rule = &RULES[h->type];
    bool is_empty = h->type == HTTP2_TYPE_DATA && h->size == 0 && !(h->flags & HTTP2_END_STREAM);
    bool is_odd_ack = h->type == HTTP2_TYPE_SETTINGS && (h->flags & HTTP2_ACK) && h->size;
    return (h->flags & ~rule->flags) == 0 && h->size >= rule->least && !is_empty && !is_odd_ack;
}

/* ---- losing and finding sync ---- */

static void begin_search(struct http2_frame *f)
{
    f->state = HTTP2_AT_RESYNC;
    f->in_block = f->is_block_found = false;
    f->unproven = 0;
    f->buffered = 0;
    f->unsynced = f->missing = 0;
}

static enum http2_frame_event lose(struct http2_frame *f, bool by_gap, struct http2_frame_out *out)
{
    if (by_gap)
        f->n_held = 0;
    begin_search(f);
    out->by_gap = by_gap;
    return HTTP2_LOST;
}

void http2_frame_seek(struct http2_frame *f)
{
    f->n_held = 0;
    begin_search(f);
}

void http2_frame_accept(struct http2_frame *f)
{
    f->state = HTTP2_AT_HEAD;
    f->unproven = 2;
}

void http2_frame_doubt(struct http2_frame *f)
{
    f->unproven = 2;
}

/* Drops the first byte held, and those behind it that cannot begin a head. */
static void shift(struct http2_frame *f)
{
    struct span rest = span_of(f->held + 1, f->n_held - 1u);
    uint8_t most = (uint8_t)(f->max_size >> 16);
    while (rest.size && rest.at[0] > most)
        rest = span_from(rest, 1);
    f->unsynced += f->n_held - rest.size;
    f->n_held = (uint8_t)rest.size;
    memmove(f->held, rest.at, rest.size);
}

static enum http2_frame_event step_resync(struct http2_frame *f, struct http1_input *in, struct http2_frame_out *out)
{
    if (f->n_held == HTTP2_FRAME_HEAD)
        shift(f); /* it was refused */
    if (is_at_gap(in)) {
        f->unsynced += f->n_held + in->gap;
        f->missing += in->gap;
        f->n_held = 0;
        in->gap = 0;
    }
    if (!f->n_held && f->max_size <= 65535) {
        size_t skip = span_find_byte(in->bytes, 0, 0);
        skip = skip == SIZE_MAX ? in->bytes.size : skip;
        f->unsynced += skip;
        in->bytes = span_from(in->bytes, skip);
    }
    f->n_wanted = HTTP2_FRAME_HEAD;
    if (!f->n_held)
        f->begin_ns = in->now_ns;
    if (!hold(f, in))
        return HTTP2_MORE;
    struct head h = head_read(f->held);
    if (!is_plausible(f, &h))
        return GO_ON;
    out->type = h.type;
    out->flags = h.flags;
    out->stream = h.stream;
    out->size = h.size;
    return HTTP2_CANDIDATE;
}

/* ---- the states ---- */

static enum http2_frame_event step_preface(struct http2_frame *f, struct http1_input *in, struct http2_frame_out *out)
{
    if (is_at_gap(in))
        return lose(f, true, out);
    while (in->bytes.size && f->matched < PREFACE_SIZE) {
        if (in->bytes.at[0] != (uint8_t)HTTP2_PREFACE[f->matched])
            return lose(f, false, out);
        in->bytes = span_from(in->bytes, 1);
        f->matched++;
    }
    if (f->matched < PREFACE_SIZE)
        return HTTP2_MORE;
    f->state = HTTP2_AT_HEAD;
    return GO_ON;
}

static void await(struct http2_frame *f, enum http2_frame_state state, unsigned wanted)
{
    f->state = (uint8_t)state;
    f->n_held = 0;
    f->n_wanted = (uint8_t)wanted;
}

static void fill_block(const struct http2_frame *f, struct http2_frame_out *out)
{
    out->stream = f->block_stream;
    out->promised = f->promised;
    out->type = f->block_type;
    out->is_end = f->block_type == HTTP2_TYPE_HEADERS && (f->block_flags & HTTP2_END_STREAM);
    out->is_found = f->is_block_found;
    out->begin_ns = f->block_ns;
}

/* The rest of the block, CONTINUATIONs included, is skipped. */
static enum http2_frame_event lose_block(struct http2_frame *f, struct http2_frame_out *out)
{
    fill_block(f, out);
    f->is_block_lost = true;
    f->in_block = !(f->flags & HTTP2_END_HEADERS);
    f->buffered = 0;
    f->state = HTTP2_AT_REST;
    return HTTP2_BLOCK_LOST;
}

static enum http2_frame_event begin_block(struct http2_frame *f, struct http2_frame_out *out)
{
    bool is_push = f->type == HTTP2_TYPE_PUSH_PROMISE;
    f->in_block = true;
    f->is_block_lost = false;
    f->is_block_found = f->unproven == 1;
    f->block_type = f->type;
    f->block_flags = f->flags;
    f->block_stream = f->stream;
    f->block_ns = f->begin_ns;
    f->promised = 0;
    f->buffered = 0;
    unsigned prefix = f->flags & HTTP2_PADDED ? 1 : 0;
    prefix += is_push ? 4u : f->flags & HTTP2_PRIORITY ? 5u : 0u;
    if (prefix > f->left)
        return lose_block(f, out);
    await(f, prefix ? HTTP2_AT_PREFIX : HTTP2_AT_BLOCK, prefix);
    return GO_ON;
}

static enum http2_frame_event begin_continuation(struct http2_frame *f)
{
    await(f, f->in_block && !f->is_block_lost ? HTTP2_AT_BLOCK : HTTP2_AT_REST, 0);
    if (f->is_block_lost && f->flags & HTTP2_END_HEADERS)
        f->in_block = false;
    return GO_ON;
}

static enum http2_frame_event begin_frame(struct http2_frame *f, const struct head *h, struct http2_frame_out *out)
{
    f->type = h->type;
    f->flags = h->flags;
    f->stream = out->stream = h->stream;
    f->left = h->size;
    f->pad = 0;
    f->is_pad_unknown = false;
    switch (h->type) {
    case HTTP2_TYPE_DATA:
        await(f, h->flags & HTTP2_PADDED && h->size ? HTTP2_AT_PREFIX : HTTP2_AT_DATA, 1);
        return GO_ON;
    case HTTP2_TYPE_HEADERS:
    case HTTP2_TYPE_PUSH_PROMISE: return begin_block(f, out);
    case HTTP2_TYPE_CONTINUATION: return begin_continuation(f);
    case HTTP2_TYPE_SETTINGS: await(f, h->flags & HTTP2_ACK ? HTTP2_AT_REST : HTTP2_AT_SMALL, SETTING_SIZE); return GO_ON;
    case HTTP2_TYPE_GOAWAY: await(f, HTTP2_AT_SMALL, 8); return GO_ON;
    case HTTP2_TYPE_WINDOW_UPDATE: await(f, HTTP2_AT_SMALL, 4); return GO_ON;
    case HTTP2_TYPE_RST_STREAM: await(f, HTTP2_AT_REST, 0); return HTTP2_RESET;
    default: await(f, HTTP2_AT_REST, 0); return GO_ON;
    }
}

static enum http2_frame_event step_head(struct http2_frame *f, struct http1_input *in, struct http2_frame_out *out)
{
    if (is_at_gap(in) && f->n_held < HTTP2_FRAME_HEAD)
        return lose(f, true, out);
    if (!f->n_held)
        f->begin_ns = in->now_ns;
    f->n_wanted = HTTP2_FRAME_HEAD;
    if (f->n_held < HTTP2_FRAME_HEAD && !hold(f, in))
        return HTTP2_MORE;
    struct head h = head_read(f->held);
    if (f->in_block && (h.type != HTTP2_TYPE_CONTINUATION || h.stream != f->block_stream)) {
        f->in_block = false;
        fill_block(f, out);
        return f->is_block_lost ? GO_ON : HTTP2_BLOCK_LOST; /* the head stays held, and is read next */
    }
    if (f->unproven ? !is_plausible(f, &h) : !is_possible(&h))
        return lose(f, false, out);
    f->unproven = f->unproven ? (uint8_t)(f->unproven - 1) : 0;
    return begin_frame(f, &h, out);
}

static enum http2_frame_event step_prefix(struct http2_frame *f, struct http1_input *in, struct http2_frame_out *out)
{
    bool is_data = f->type == HTTP2_TYPE_DATA;
    if (is_at_gap(in) && is_data) {
        f->is_pad_unknown = true;
        f->state = HTTP2_AT_DATA;
        return GO_ON;
    }
    if (is_at_gap(in)) {
        f->left -= f->n_held;
        return lose_block(f, out);
    }
    if (!hold(f, in))
        return HTTP2_MORE;
    f->left -= f->n_wanted;
    f->pad = f->flags & HTTP2_PADDED ? f->held[0] : 0;
    bool is_bad = f->pad > f->left;
    f->pad = is_bad ? f->left : f->pad;
    if (is_data) {
        f->state = HTTP2_AT_DATA;
        return GO_ON;
    }
    if (f->type == HTTP2_TYPE_PUSH_PROMISE) {
        struct reader r = reader_of(span_of(f->held + f->n_wanted - 4, 4));
        f->promised = reader_u32(&r) & 0x7fffffffu;
    }
    if (is_bad)
        return lose_block(f, out);
    f->state = HTTP2_AT_BLOCK;
    return GO_ON;
}

static enum http2_frame_event step_data(struct http2_frame *f, struct http1_input *in, struct http2_frame_out *out)
{
    uint32_t left = f->left - f->pad;
    if (left == 0) {
        f->state = HTTP2_AT_REST;
        return GO_ON;
    }
    if (!has_input(in))
        return HTTP2_MORE;
    uint32_t n = take(in, left, &out->data);
    f->left -= n;
    out->stream = f->stream;
    out->size = n;
    out->is_unsure = f->is_pad_unknown;
    return out->data.size ? HTTP2_DATA : HTTP2_SKIP;
}

static enum http2_frame_event end_block(struct http2_frame *f, struct span block, struct http2_frame_out *out)
{
    fill_block(f, out);
    out->data = block;
    f->in_block = false;
    f->is_spent = f->buffered != 0;
    f->state = HTTP2_AT_REST;
    return f->block_type == HTTP2_TYPE_HEADERS ? HTTP2_HEADERS : HTTP2_PUSH;
}

static enum http2_frame_event step_block(struct http2_frame *f, struct http1_input *in, struct http1_memory *memory,
                                         struct http2_frame_out *out)
{
    uint32_t left = f->left - f->pad;
    bool is_last = f->flags & HTTP2_END_HEADERS;
    struct span part;
    if (left == 0 && !is_last) {
        f->state = HTTP2_AT_REST;
        return GO_ON;
    }
    if (left == 0)
        return end_block(f, span_of(f->buffer, f->buffered), out);
    if (is_at_gap(in))
        return lose_block(f, out);
    if (!has_input(in))
        return HTTP2_MORE;
    f->left -= take(in, left, &part);
    if (part.size == left && is_last && !f->buffered)
        return end_block(f, part, out);
    if (!collect(f, part, memory, &out->is_cut))
        return lose_block(f, out);
    return GO_ON;
}

static enum http2_frame_event step_small(struct http2_frame *f, struct http1_input *in, struct http2_frame_out *out)
{
    if (f->left == 0 && f->n_held == 0) {
        f->state = HTTP2_AT_REST;
        return GO_ON;
    }
    if (is_at_gap(in)) {
        f->left -= f->n_held;
        f->state = HTTP2_AT_REST;
        return f->type == HTTP2_TYPE_SETTINGS ? HTTP2_SETTING_LOST : GO_ON;
    }
    if (!hold(f, in))
        return HTTP2_MORE;
    f->left -= f->n_wanted;
    f->n_held = 0;
    struct reader r = reader_of(span_of(f->held, f->n_wanted));
    out->stream = f->stream;
    if (f->type == HTTP2_TYPE_SETTINGS) {
        out->id = reader_u16(&r);
        out->value = reader_u32(&r);
        return HTTP2_SETTING;
    }
    f->state = HTTP2_AT_REST;
    out->value = reader_u32(&r) & 0x7fffffffu;
    return f->type == HTTP2_TYPE_GOAWAY ? HTTP2_GOAWAY : HTTP2_WINDOW;
}

static enum http2_frame_event step_rest(struct http2_frame *f, struct http1_input *in, struct http2_frame_out *out)
{
    struct span part;
    if (f->left && !has_input(in))
        return HTTP2_MORE;
    while (f->left && has_input(in))
        f->left -= take(in, f->left, &part);
    if (f->left)
        return HTTP2_MORE;
    await(f, HTTP2_AT_HEAD, HTTP2_FRAME_HEAD);
    out->stream = f->stream;
    return f->type == HTTP2_TYPE_DATA && f->flags & HTTP2_END_STREAM ? HTTP2_DATA_END : GO_ON;
}

enum http2_frame_event http2_frame_step(struct http2_frame *f, struct http1_input *in, struct http1_memory *memory,
                                        struct http2_frame_out *out)
{
    enum http2_frame_event event = GO_ON;
    *out = (struct http2_frame_out){0};
    if (f->is_spent)
        drop_buffer(f, memory);
    while (event == GO_ON) {
        switch ((enum http2_frame_state)f->state) {
        case HTTP2_AT_PREFACE: event = step_preface(f, in, out); break;
        case HTTP2_AT_HEAD: event = step_head(f, in, out); break;
        case HTTP2_AT_PREFIX: event = step_prefix(f, in, out); break;
        case HTTP2_AT_DATA: event = step_data(f, in, out); break;
        case HTTP2_AT_BLOCK: event = step_block(f, in, memory, out); break;
        case HTTP2_AT_SMALL: event = step_small(f, in, out); break;
        case HTTP2_AT_REST: event = step_rest(f, in, out); break;
        case HTTP2_AT_RESYNC: event = step_resync(f, in, out); break;
        }
    }
    return event;
}
