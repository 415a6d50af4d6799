/* SPDX-License-Identifier: Apache-2.0
 * The message machine of one direction of HTTP/1.x. */
#include "wire/http1.h"

#include "wire/http1_body.h"
#include "wire/http1_chunks.h"
#include "wire/http1_sync.h"

#define VERSION_LITERAL "HTTP/1."
#define VERSION_SIZE 7u
#define RESPONSE_SIZE 5u /* "HTTP/" tells a response from a request */
#define MAX_METHOD 32u
#define PREFACE2_ADDRESSES 36u

static const uint8_t PREFACE2[12] = {'\r', '\n', '\r', '\n', 0, '\r', '\n', 'Q', 'U', 'I', 'T', '\n'};

enum { PART_FIRST, PART_REST, PART_FIELDS };

void http1_init(struct http1 *h, enum http1_role role)
{
    *h = (struct http1){.role = (uint8_t)role, .is_first = true};
}

void http1_fini(struct http1 *h, struct http1_memory *memory)
{
    http1_sync_drop(h, memory);
    h->state = HTTP1_AT_OFF;
}

void http1_stop(struct http1 *h, struct http1_memory *memory)
{
    http1_fini(h, memory);
}

void http1_seek(struct http1 *h, enum http1_role role, uint64_t budget)
{
    h->role = (uint8_t)role;
    h->is_bounded = budget != 0;
    h->left = budget;
    if (h->state == HTTP1_AT_OFF)
        http1_sync_reuse(h);
}

void http1_wake(struct http1 *h)
{
    h->is_bounded = false;
    if (h->state == HTTP1_AT_SLEEP)
        h->state = HTTP1_AT_RESYNC;
}

/* What stands where a message should start is none. What was collected of its first line stays, to be looked at again.
 */
static enum http1_event reject(struct http1 *h, struct http1_out *out)
{
    if (h->is_first) {
        h->state = HTTP1_AT_OFF;
        return HTTP1_FOREIGN;
    }
    *out = (struct http1_out){0};
    http1_sync_reuse(h);
    return HTTP1_LOST;
}

static void begin_head(struct http1 *h, uint64_t now_ns)
{
    h->state = HTTP1_AT_HEAD;
    h->matched = 0;
    h->start_part = PART_FIRST;
    h->line = HTTP1_LINE_MORE;
    h->is_cut = h->has_target = h->is_path = false;
    h->head_size = 0;
    h->begin_ns = now_ns;
}

/* One byte of the part of the start line that tells requests and responses apart. False when it can be neither. */
static bool start_byte(struct http1 *h, uint8_t c)
{
    uint8_t role = h->role;
    bool is_longer = h->matched >= VERSION_SIZE; /* taken for a request's until the other side showed who is who */
    if (role & HTTP1_RESPONSE && (is_longer || c != (uint8_t)VERSION_LITERAL[h->matched]))
        role &= (uint8_t)~HTTP1_RESPONSE;
    bool ends_method = h->matched > 0 && (c == ' ' || c == '\t');
    if (role & HTTP1_REQUEST && !ends_method && (!http1_head_is_token_byte(c) || h->matched >= MAX_METHOD))
        role &= (uint8_t)~HTTP1_REQUEST;
    if (role == 0)
        return false;
    h->role = role;
    h->matched++;
    if ((role == HTTP1_REQUEST && ends_method) || (role == HTTP1_RESPONSE && h->matched == RESPONSE_SIZE))
        h->start_part = PART_REST;
    return true;
}

/* Behind the method and "HTTP/" nearly everything is let pass, but what is no path and has control characters is no
 * HTTP. */
static bool rest_byte(struct http1 *h, uint8_t c)
{
    if (!h->has_target && c != ' ' && c != '\t') {
        h->has_target = true;
        h->is_path = c == '/';
    }
    bool is_control = (c < ' ' && c != '\t' && c != '\r' && c != '\n') || c == 0x7f;
    return h->role == HTTP1_RESPONSE || h->is_path || !is_control;
}

/* From here on the start line goes to its end whatever it holds. */
static bool is_any_let_pass(const struct http1 *h)
{
    return h->start_part == PART_REST && (h->role == HTTP1_RESPONSE || h->is_path);
}

/* A start line as nearly all are, in one piece, when it is known which of both it must be: its size with the line end;
 * 0 when it has to be read byte by byte. */
static size_t plain_start_line(const struct http1 *h, struct span s)
{
    if (h->start_part != PART_FIRST || h->matched || h->head_size || h->role == HTTP1_EITHER)
        return 0;
    size_t end = span_find_byte(span_sub(s, 0, HTTP1_MAX_HEAD), '\n', 0);
    if (end == SIZE_MAX)
        return 0;
    struct span line = span_sub(s, 0, end + 1);
    bool is_plain = h->role == HTTP1_RESPONSE ? http1_head_is_plain_status_line(line)
                                              : http1_head_is_plain_request_line(line);
    return is_plain && !span_starts(line, SPAN("PROXY ")) ? line.size : 0;
}

/* Reads the start line as far as it goes. The number of bytes read, up to and with the line end (*is_whole); *is_bad
 * when the byte behind them cannot stand there. */
static size_t read_start_line(struct http1 *h, struct span s, bool *is_whole, bool *is_bad)
{
    size_t i = 0;
    *is_whole = *is_bad = false;
    size_t limit = HTTP1_MAX_HEAD > h->head_size ? HTTP1_MAX_HEAD - h->head_size : 0;
    for (; i < s.size; i++) {
        uint8_t c = s.at[i];
        if (i >= limit)
            break;
        if (is_any_let_pass(h)) {
            size_t end = span_find_byte(span_sub(s, 0, limit), '\n', i);
            *is_whole = end != SIZE_MAX;
            *is_bad = end == SIZE_MAX && s.size > limit;
            return *is_whole ? end + 1 : s.size < limit ? s.size : limit;
        }
        if (!(h->start_part == PART_FIRST ? start_byte(h, c) : rest_byte(h, c)))
            break;
        if (c == '\n') {
            *is_whole = true;
            return i + 1;
        }
    }
    *is_bad = i < s.size;
    return i;
}

/* Takes 'size' bytes off the input into the head buffer. */
static bool take_into_head(struct http1 *h, struct http1_input *in, size_t size, struct http1_memory *memory)
{
    struct span part = span_sub(in->bytes, 0, size);
    in->bytes = span_from(in->bytes, size);
    h->head_size += (uint32_t)size;
    return http1_sync_collect(h, part, memory);
}

static bool start_line_holds(struct http1 *h, struct span line, struct http1_out *out, bool *is_preface)
{
    *is_preface = h->is_first && h->role & HTTP1_REQUEST && span_starts(line, SPAN("PROXY ")) && line.size <= 107;
    if (*is_preface) {
        out->data = line;
        return true;
    }
    return h->role == HTTP1_RESPONSE ? http1_head_is_status_line(line, false) : http1_head_is_request_line(line, false);
}

/* The start line is whole: its last byte is in[size - 1], what came before is in the buffer. */
static enum http1_event end_start_line(struct http1 *h, struct http1_input *in, size_t size,
                                       struct http1_memory *memory, struct http1_out *out)
{
    bool is_preface, is_split = h->buffered != 0;
    if (is_split && !take_into_head(h, in, size, memory))
        return reject(h, out);
    struct span line = is_split ? span_of(h->buffer, h->buffered) : span_sub(in->bytes, 0, size);
    if (!start_line_holds(h, line, out, &is_preface)) {
        if (!is_split)
            (void)take_into_head(h, in, size, memory); /* refused: then it cannot be looked at again */
        return reject(h, out);
    }
    if (is_preface) {
        if (!is_split)
            in->bytes = span_from(in->bytes, size);
        h->buffered = h->head_size = 0; /* the block stays until the next step, for out->data */
        h->state = HTTP1_AT_START;
        h->matched = 0;
        return HTTP1_PROXY;
    }
    h->start_part = PART_FIELDS;
    h->line = HTTP1_LINE_EMPTY;
    return HTTP1_MORE;
}

static enum http1_event step_head(struct http1 *h, struct http1_input *in, struct http1_memory *memory,
                                  struct http1_out *out)
{
    size_t used = plain_start_line(h, in->bytes);
    if (used) {
        h->start_part = PART_FIELDS;
        h->line = HTTP1_LINE_EMPTY;
    } else if (h->start_part != PART_FIELDS) {
        bool is_whole, is_bad;
        size_t before = in->bytes.size;
        used = read_start_line(h, in->bytes, &is_whole, &is_bad);
        if (!is_whole)
            return take_into_head(h, in, used, memory) && !is_bad ? HTTP1_MORE : reject(h, out);
        enum http1_event event = end_start_line(h, in, used, memory, out);
        if (event != HTTP1_MORE)
            return event;
        used -= before - in->bytes.size;
    }
    size_t end = http1_head_find_end(in->bytes, used, &h->line);
    size_t size = end == SIZE_MAX ? in->bytes.size : end;
    if (h->head_size + size > HTTP1_MAX_HEAD_TOTAL) {
        in->bytes = span_from(in->bytes, HTTP1_MAX_HEAD_TOTAL - h->head_size);
        return http1_sync_lost(h, memory, out, false, false);
    }
    if (end != SIZE_MAX && h->buffered == 0) {
        out->data = span_sub(in->bytes, 0, size < HTTP1_MAX_HEAD ? size : HTTP1_MAX_HEAD);
        out->is_cut = size > HTTP1_MAX_HEAD;
        in->bytes = span_from(in->bytes, size);
    } else {
        if (!take_into_head(h, in, size, memory))
            return http1_sync_lost(h, memory, out, false, false);
        out->data = span_of(h->buffer, h->buffered);
        out->is_cut = h->is_cut;
    }
    if (end == SIZE_MAX)
        return HTTP1_MORE;
    h->state = HTTP1_AT_VERDICT;
    return HTTP1_HEAD;
}

/* Empty lines before a message (RFC 9112, 2.2), and the signature of PROXY v2 at the very start. */
static enum http1_event step_start(struct http1 *h, struct http1_input *in, struct http1_memory *memory,
                                   struct http1_out *out)
{
    http1_sync_drop(h, memory); /* a PROXY line was handed out of it */
    while (in->bytes.size) {
        uint8_t c = in->bytes.at[0];
        bool can_be_preface = h->state == HTTP1_AT_START && h->role & HTTP1_REQUEST && h->matched < sizeof PREFACE2;
        if (can_be_preface && c == PREFACE2[h->matched]) {
            in->bytes = span_from(in->bytes, 1);
            if (++h->matched == sizeof PREFACE2) {
                h->state = HTTP1_AT_PREFACE;
                h->left = 4;
                return HTTP1_MORE;
            }
            continue;
        }
        if (can_be_preface && h->matched > 4)
            return reject(h, out);
        h->matched = sizeof PREFACE2;
        if (c != '\r' && c != '\n') {
            begin_head(h, in->now_ns);
            return HTTP1_MORE;
        }
        in->bytes = span_from(in->bytes, 1);
    }
    return HTTP1_MORE;
}

bool http1_is_prefacing(const struct http1 *h)
{
    struct span begun = span_of(h->buffer, h->buffered), v1 = SPAN("PROXY ");
    if (h->state == HTTP1_AT_START)
        return h->matched > 0 && h->matched < sizeof PREFACE2;
    if (h->state != HTTP1_AT_HEAD)
        return h->state == HTTP1_AT_PREFACE;
    return begun.size && (span_starts(begun, v1) || span_starts(v1, begun));
}

/* Version and command, family, size (4 bytes), then addresses and more, of which the first are kept. */
static enum http1_event step_preface(struct http1 *h, struct http1_input *in, struct http1_memory *memory,
                                     struct http1_out *out)
{
    while (in->bytes.size && h->left) {
        size_t want = h->buffered < 4 + PREFACE2_ADDRESSES ? 4 + PREFACE2_ADDRESSES - h->buffered : SIZE_MAX;
        struct span part = span_sub(in->bytes, 0, h->left < want ? (size_t)h->left : want);
        in->bytes = span_from(in->bytes, part.size);
        h->left -= part.size;
        if (want != SIZE_MAX && !http1_sync_collect(h, part, memory))
            return reject(h, out);
        if (h->buffered == 4 && h->left == 0 && !h->is_cut) {
            if (h->buffer[0] >> 4 != 2)
                return reject(h, out);
            h->left = (uint64_t)(h->buffer[2] << 8 | h->buffer[3]);
            h->is_cut = true; /* here: the size has been read */
        }
    }
    if (h->left || !h->is_cut)
        return HTTP1_MORE;
    out->data = span_of(h->buffer, h->buffered);
    h->buffered = 0;
    h->is_cut = false;
    h->state = HTTP1_AT_START;
    h->matched = 0;
    return HTTP1_PROXY;
}

/* A status line, whose first bytes, the front of VERSION_LITERAL, are not in the input any more. False without memory. */
static bool begin_status_line(struct http1 *h, size_t size, struct http1_memory *memory)
{
    begin_head(h, h->begin_ns);
    for (size_t i = 0; i < RESPONSE_SIZE; i++)
        (void)start_byte(h, (uint8_t)VERSION_LITERAL[i]);
    h->head_size = (uint32_t)size;
    return http1_sync_collect(h, span_of(VERSION_LITERAL, size), memory);
}

/* Behind a head with a length whose request is not known: a start line here means that it answered a HEAD. */
static enum http1_event step_peek(struct http1 *h, struct http1_input *in, struct http1_memory *memory,
                                  struct http1_out *out)
{
    static const char literal[] = VERSION_LITERAL;
    while (in->bytes.size && h->matched < VERSION_SIZE && h->matched < h->left &&
           in->bytes.at[0] == (uint8_t)literal[h->matched]) {
        if (h->matched++ == 0)
            h->begin_ns = in->now_ns;
        in->bytes = span_from(in->bytes, 1);
    }
    if (h->matched == VERSION_SIZE)
        return begin_status_line(h, VERSION_SIZE, memory) ? HTTP1_END : http1_sync_lost(h, memory, out, false, false);
    if (in->bytes.size == 0 && h->matched < h->left)
        return HTTP1_MORE;
    out->data = span_of(literal, h->matched);
    h->left -= h->matched;
    h->state = h->left ? HTTP1_AT_LENGTH : HTTP1_AT_END;
    return out->data.size ? HTTP1_DATA : HTTP1_MORE;
}

bool http1_expect_bare(struct http1 *h, struct http1_memory *memory)
{
    if (h->buffered >= RESPONSE_SIZE)
        return false;
    if (h->buffered)
        memcpy(h->held, h->buffer, h->buffered);
    h->n_held = (uint8_t)h->buffered;
    http1_sync_drop(h, memory);
    h->state = HTTP1_AT_JUNK;
    h->matched = 0;
    return true;
}

bool http1_finish_bare(struct http1 *h, struct http1_out *out)
{
    *out = (struct http1_out){.data = span_of(h->held, h->n_held)};
    if (h->state != HTTP1_AT_JUNK || h->matched)
        return false;
    h->state = HTTP1_AT_CLOSE;
    return true;
}

/* Holds bytes back until it is clear which of both this is. 'matched' is 1 when HTTP1_BARE was told. */
static enum http1_event step_junk(struct http1 *h, struct http1_input *in, struct http1_memory *memory,
                                  struct http1_out *out)
{
    if (h->matched) {
        out->data = span_of(h->held, h->n_held);
        h->state = HTTP1_AT_CLOSE;
        return out->data.size ? HTTP1_DATA : HTTP1_MORE;
    }
    if (h->n_held == 0)
        h->begin_ns = in->now_ns;
    while (in->bytes.size && h->n_held < HTTP1_MAX_JUNK + RESPONSE_SIZE) {
        h->held[h->n_held++] = in->bytes.at[0];
        in->bytes = span_from(in->bytes, 1);
        struct span held = span_of(h->held, h->n_held);
        if (held.size < RESPONSE_SIZE || !span_starts(span_from(held, held.size - RESPONSE_SIZE), SPAN("HTTP/")))
            continue;
        if (!begin_status_line(h, RESPONSE_SIZE, memory))
            return http1_sync_lost(h, memory, out, false, false);
        return HTTP1_MORE;
    }
    if (h->n_held < HTTP1_MAX_JUNK + RESPONSE_SIZE)
        return HTTP1_MORE;
    h->matched = 1;
    return HTTP1_BARE;
}

static enum http1_event end_message(struct http1 *h)
{
    h->state = HTTP1_AT_IDLE;
    return HTTP1_END;
}

static enum http1_event skip(struct http1 *h, struct http1_input *in, struct http1_out *out, uint64_t limit)
{
    out->size = in->gap < limit ? in->gap : limit;
    in->gap -= out->size;
    if (h->state != HTTP1_AT_CLOSE)
        h->left -= out->size;
    return HTTP1_SKIP;
}

static bool has_usable_start(const struct http1 *h)
{
    struct span s = span_of(h->buffer, h->buffered);
    return h->role == HTTP1_RESPONSE
               ? http1_head_is_status_line(s, h->start_part != PART_FIELDS)
               : h->role == HTTP1_REQUEST && (h->start_part == PART_FIELDS || http1_head_is_request_line(s, true));
}

/* Between two chunks: what follows the gap may still be body. */
static enum http1_event lose_framing(struct http1 *h, struct http1_memory *memory, struct http1_out *out)
{
    unsigned framing = http1_chunks_framing(h);
    enum http1_event event = http1_sync_lost(h, memory, out, true, true);
    http1_chunks_begin(h, framing);
    return event;
}

static enum http1_event step_gap(struct http1 *h, struct http1_input *in, struct http1_memory *memory,
                                 struct http1_out *out)
{
    enum http1_event event;
    switch (h->state) {
    case HTTP1_AT_PEEK:
        h->state = HTTP1_AT_LENGTH;
        h->left -= h->matched;
        out->data = span_of(VERSION_LITERAL, h->matched);
        return h->matched ? HTTP1_DATA : HTTP1_MORE;
    case HTTP1_AT_LENGTH:
    case HTTP1_AT_CHUNK:
        event = skip(h, in, out, h->left);
        if (h->left == 0)
            h->state = h->state == HTTP1_AT_LENGTH ? HTTP1_AT_END : HTTP1_AT_CHUNK_END;
        h->line = HTTP1_LINE_EMPTY;
        return event;
    case HTTP1_AT_CLOSE: return skip(h, in, out, UINT64_MAX);
    case HTTP1_AT_SIZE:
    case HTTP1_AT_EXTENSION:
    case HTTP1_AT_CHUNK_END: return lose_framing(h, memory, out);
    case HTTP1_AT_TRAILER: return http1_sync_lost(h, memory, out, true, true);
    case HTTP1_AT_HEAD:
        if (h->buffered && has_usable_start(h)) {
            out->data = span_of(h->buffer, h->buffered);
            h->state = HTTP1_AT_VERDICT;
            h->is_first = false;
            return HTTP1_CUT_HEAD;
        }
        return http1_sync_lost(h, memory, out, true, false);
    default: return http1_sync_lost(h, memory, out, true, false);
    }
}

static enum http1_event step_bytes(struct http1 *h, struct http1_input *in, struct http1_memory *memory,
                                   struct http1_out *out)
{
    switch (h->state) {
    case HTTP1_AT_START:
    case HTTP1_AT_IDLE: return step_start(h, in, memory, out);
    case HTTP1_AT_PREFACE: return step_preface(h, in, memory, out);
    case HTTP1_AT_HEAD: return step_head(h, in, memory, out);
    case HTTP1_AT_PEEK: return step_peek(h, in, memory, out);
    case HTTP1_AT_JUNK: return step_junk(h, in, memory, out);
    default: return http1_body_step(h, in, memory, out);
    }
}

enum http1_event http1_step(struct http1 *h, struct http1_input *in, struct http1_memory *memory, struct http1_out *out)
{
    *out = (struct http1_out){0};
    for (;;) {
        if (h->state == HTTP1_AT_VERDICT) /* a cut head, or one the caller did not answer */
            http1_sync_lose(h, memory);
        if (h->state == HTTP1_AT_END)
            return end_message(h);
        if (h->state == HTTP1_AT_PEEK && h->left == 0)
            return end_message(h);
        if (in->bytes.size == 0 && in->gap == 0)
            return HTTP1_MORE;
        if (h->state == HTTP1_AT_SLEEP || h->state == HTTP1_AT_OFF) {
            h->unsynced += in->bytes.size + in->gap;
            in->bytes = span_of(NULL, 0);
            in->gap = 0;
            return HTTP1_MORE;
        }
        enum http1_event event;
        if (h->state == HTTP1_AT_RESYNC)
            event = http1_sync_step(h, in, memory, out);
        else
            event = in->bytes.size ? step_bytes(h, in, memory, out) : step_gap(h, in, memory, out);
        if (event != HTTP1_MORE)
            return event;
    }
}

void http1_follow(struct http1 *h, struct http1_memory *memory, const struct http1_body *body, bool may_be_head)
{
    http1_sync_drop(h, memory);
    h->is_first = h->is_bounded = h->is_odd = h->is_first_size = false;
    h->matched = h->chunk_line = 0;
    h->left = 0;
    h->has_declared = body->has_length && body->length > 1; /* two bytes at least tell that it is no chunk size */
    h->declared = body->length;
    switch (body->kind) {
    case HTTP1_BODY_NONE: h->state = HTTP1_AT_END; break;
    case HTTP1_BODY_LENGTH:
        h->left = body->length;
        h->state = body->length == 0 ? HTTP1_AT_END : may_be_head ? HTTP1_AT_PEEK : HTTP1_AT_LENGTH;
        break;
    case HTTP1_BODY_CHUNKED:
        h->state = HTTP1_AT_SIZE;
        h->is_first_size = h->role == HTTP1_RESPONSE;
        h->n_held = 0;
        break;
    case HTTP1_BODY_CLOSE: h->state = HTTP1_AT_CLOSE; break;
    }
}

void http1_ignore(struct http1 *h, struct http1_memory *memory)
{
    http1_sync_drop(h, memory);
    h->is_first = h->is_bounded = false;
    h->chunk_line = 0;
    h->state = HTTP1_AT_IDLE;
}

void http1_lose(struct http1 *h, struct http1_memory *memory)
{
    http1_sync_lose(h, memory);
}

void http1_refuse(struct http1 *h)
{
    h->state = HTTP1_AT_RESYNC;
    h->unsynced += h->buffered;
    h->buffered = 0;
    h->has_candidate = false;
}

bool http1_finish(struct http1 *h, struct http1_out *out)
{
    *out = (struct http1_out){0};
    if (h->state == HTTP1_AT_RESYNC)
        return h->buffered && http1_sync_finish(h, out);
    if (h->state != HTTP1_AT_HEAD || !h->buffered || !has_usable_start(h))
        return false;
    out->data = span_of(h->buffer, h->buffered);
    h->state = HTTP1_AT_VERDICT;
    return true;
}
