/* SPDX-License-Identifier: Apache-2.0
 * Bodies: counted, chunked (RFC 9112, 7.1) or up to the end of the connection. */
#include "wire/http1_body.h"

#include "base/hex.h"
#include "wire/http1_sync.h"

/* Body bytes by arithmetic; 'next' is the state when all have come. */
static enum http1_event step_counted(struct http1 *h, struct http1_input *in, struct http1_out *out,
                                     enum http1_state next)
{
    out->data = span_sub(in->bytes, 0, h->left < SIZE_MAX ? (size_t)h->left : SIZE_MAX);
    in->bytes = span_from(in->bytes, out->data.size);
    h->left -= out->data.size;
    if (h->left == 0)
        h->state = (uint8_t)next;
    return HTTP1_DATA;
}

static void end_chunk_size(struct http1 *h)
{
    h->state = h->left ? HTTP1_AT_CHUNK : HTTP1_AT_TRAILER;
    h->declared = h->left;
    h->line = HTTP1_LINE_EMPTY;
    h->head_size = 0;
}

/* What was said to be chunked does not begin with a chunk size: the body is what the other fields say. */
static enum http1_event deny_chunks(struct http1 *h, struct http1_memory *memory, struct http1_out *out)
{
    if (!h->is_first_size)
        return http1_sync_lost(h, memory, out, false, true);
    h->is_odd = true;
    h->state = HTTP1_AT_CLOSE;
    out->data = span_of(h->held, h->n_held);
    if (h->has_declared) {
        h->left = h->declared - h->n_held;
        h->state = h->left ? HTTP1_AT_LENGTH : HTTP1_AT_END;
    }
    return HTTP1_DATA;
}

/* No more bytes can be held back: all there is room for, or the whole body if it is not chunked. */
static bool is_held_full(const struct http1 *h)
{
    return h->n_held == sizeof h->held || (h->has_declared && h->n_held == h->declared);
}

/* Whether the byte behind the digits may stand there; behind the first size it must tell that this is one. */
static bool ends_size(struct http1 *h, uint8_t c)
{
    bool is_usual = c == ';' || c == ' ' || c == '\t' || c == '\r' || c == '\n';
    h->is_odd = h->is_odd || !is_usual;
    return is_usual || !h->is_first_size || c < ' ' || c == 0x7f;
}

/* chunk-size [ chunk-ext ] CRLF (RFC 9112, 7.1). A bare LF, blanks around the size and empty lines before it are let
 * pass, and other bytes behind it as in a chunk-ext. */
static enum http1_event step_size(struct http1 *h, struct http1_input *in, struct http1_memory *memory,
                                  struct http1_out *out)
{
    while (in->bytes.size) {
        uint8_t c = in->bytes.at[0];
        int digit = hex_digit(c);
        if (h->is_first_size && is_held_full(h))
            return deny_chunks(h, memory, out);
        if (h->is_first_size)
            h->held[h->n_held++] = c;
        in->bytes = span_from(in->bytes, 1);
        if (digit >= 0 && h->left >> 60 == 0) {
            h->left = h->left << 4 | (uint64_t)digit;
            h->matched = 1;
            continue;
        }
        if (h->matched == 0 && (c == ' ' || c == '\t' || c == '\r' || c == '\n')) {
            h->is_odd = true;
            continue;
        }
        if (digit >= 0 || h->matched == 0 || !ends_size(h, c))
            return deny_chunks(h, memory, out);
        if (h->is_first_size)
            h->declared = 0;
        h->is_first_size = false;
        if (c == '\n')
            end_chunk_size(h);
        else
            h->state = HTTP1_AT_EXTENSION;
        return HTTP1_MORE;
    }
    return h->is_first_size && h->n_held && is_held_full(h) ? deny_chunks(h, memory, out) : HTTP1_MORE;
}

static void step_extension(struct http1 *h, struct http1_input *in)
{
    size_t end = span_find_byte(in->bytes, '\n', 0);
    in->bytes = span_from(in->bytes, end == SIZE_MAX ? in->bytes.size : end + 1);
    if (end != SIZE_MAX)
        end_chunk_size(h);
}

static enum http1_event step_chunk_end(struct http1 *h, struct http1_input *in, struct http1_memory *memory,
                                       struct http1_out *out)
{
    uint8_t c = in->bytes.at[0];
    in->bytes = span_from(in->bytes, 1);
    if (c == '\r' && h->line == HTTP1_LINE_EMPTY) {
        h->line = HTTP1_LINE_CR;
        return HTTP1_MORE;
    }
    if (c != '\n')
        return http1_sync_lost(h, memory, out, false, true);
    h->state = HTTP1_AT_SIZE;
    h->matched = 0;
    h->left = 0;
    return HTTP1_MORE;
}

/* Trailer fields are passed over (RFC 9112, 7.1.2). */
static enum http1_event step_trailer(struct http1 *h, struct http1_input *in, struct http1_memory *memory,
                                     struct http1_out *out)
{
    size_t end = http1_head_find_end(in->bytes, 0, &h->line);
    size_t size = end == SIZE_MAX ? in->bytes.size : end;
    if (h->head_size + size > HTTP1_MAX_HEAD_TOTAL)
        return http1_sync_lost(h, memory, out, false, true);
    in->bytes = span_from(in->bytes, size);
    h->head_size += (uint32_t)size;
    if (end != SIZE_MAX)
        h->state = HTTP1_AT_END;
    return HTTP1_MORE;
}

enum http1_event http1_body_step(struct http1 *h, struct http1_input *in, struct http1_memory *memory,
                                 struct http1_out *out)
{
    switch (h->state) {
    case HTTP1_AT_LENGTH: return step_counted(h, in, out, HTTP1_AT_END);
    case HTTP1_AT_CHUNK: h->line = HTTP1_LINE_EMPTY; return step_counted(h, in, out, HTTP1_AT_CHUNK_END);
    case HTTP1_AT_CLOSE:
        out->data = in->bytes;
        in->bytes = span_of(NULL, 0);
        return HTTP1_DATA;
    case HTTP1_AT_SIZE: return step_size(h, in, memory, out);
    case HTTP1_AT_EXTENSION: step_extension(h, in); return HTTP1_MORE;
    case HTTP1_AT_CHUNK_END: return step_chunk_end(h, in, memory, out);
    default: return step_trailer(h, in, memory, out);
    }
}
