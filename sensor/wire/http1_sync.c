/* SPDX-License-Identifier: Apache-2.0
 * Finding the next message after sync was lost, and the buffer that heads are collected in. */
#include "wire/http1_sync.h"

#include "wire/http1_chunks.h"

void http1_sync_drop(struct http1 *h, struct http1_memory *memory)
{
    if (h->buffer)
        pool_give(h->capacity == HTTP1_SMALL ? memory->small : memory->large, h->buffer);
    h->buffer = NULL;
    h->buffered = h->capacity = h->line_start = 0;
    h->has_candidate = false;
}

/* Room for 'size' bytes in all; keeps what is in the buffer. */
static bool make_room(struct http1 *h, size_t size, struct http1_memory *memory)
{
    if (size <= h->capacity)
        return true;
    bool is_small = size <= HTTP1_SMALL;
    uint8_t *block = pool_take(is_small ? memory->small : memory->large);
    if (!block) {
        memory->refused++;
        http1_sync_drop(h, memory);
        return false;
    }
    if (h->buffered)
        memcpy(block, h->buffer, h->buffered);
    if (h->buffer)
        pool_give(memory->small, h->buffer);
    h->buffer = block;
    h->capacity = is_small ? HTTP1_SMALL : HTTP1_MAX_HEAD;
    return true;
}

bool http1_sync_collect(struct http1 *h, struct span bytes, struct http1_memory *memory)
{
    size_t room = HTTP1_MAX_HEAD - h->buffered;
    if (bytes.size > room)
        h->is_cut = true;
    bytes = span_sub(bytes, 0, room);
    if (bytes.size == 0)
        return true;
    if (!make_room(h, h->buffered + bytes.size, memory))
        return false;
    memcpy(h->buffer + h->buffered, bytes.at, bytes.size);
    h->buffered += (uint32_t)bytes.size;
    return true;
}

void http1_sync_lose(struct http1 *h, struct http1_memory *memory)
{
    http1_sync_drop(h, memory);
    h->state = HTTP1_AT_RESYNC;
    h->unsynced = 0;
    h->is_cut = false;
    h->chunk_line = 0;
}

enum http1_event http1_sync_lost(struct http1 *h, struct http1_memory *memory, struct http1_out *out, bool by_gap,
                                 bool in_message)
{
    out->by_gap = by_gap;
    out->in_message = in_message;
    out->was_first = h->is_first;
    http1_sync_lose(h, memory);
    return HTTP1_LOST;
}

/* Where in 'line' a request line begins that fills it to its end, or SIZE_MAX. */
static size_t find_request_line(struct span line)
{
    size_t end = line.size - 1;
    if (end && line.at[end - 1] == '\r')
        end--;
    if (end < 14 || !span_starts(span_sub(line, end - 9, 9), SPAN(" HTTP/1.")))
        return SIZE_MAX;
    size_t target = end - 9;
    while (target && line.at[target - 1] > ' ' && line.at[target - 1] != 0x7f)
        target--;
    if (target < 2 || target == end - 9 || line.at[target - 1] != ' ')
        return SIZE_MAX;
    struct span before = span_sub(line, 0, target - 1);
    size_t method = http1_head_usual_method(before);
    if (method == 0 || !http1_head_is_request_line(span_from(line, before.size - method), true))
        return SIZE_MAX;
    return before.size - method;
}

static size_t find_status_line(struct span line)
{
    size_t at = 0;
    while ((at = span_find(line, SPAN("HTTP/1."), at)) != SIZE_MAX) {
        if (http1_head_is_status_line(span_from(line, at), true))
            return at;
        at += 7;
    }
    return SIZE_MAX;
}

/* Where in a whole line (at most its last HTTP1_SMALL bytes) a message starts, or SIZE_MAX. */
static size_t find_start(const struct http1 *h, struct span line, uint8_t *role)
{
    size_t skip = line.size > HTTP1_SMALL ? line.size - HTTP1_SMALL : 0;
    size_t at = SIZE_MAX;
    line = span_from(line, skip);
    if (h->role & HTTP1_REQUEST) {
        at = find_request_line(line);
        *role = HTTP1_REQUEST;
    }
    if (at == SIZE_MAX && h->role & HTTP1_RESPONSE) {
        at = find_status_line(line);
        *role = HTTP1_RESPONSE;
    }
    return at == SIZE_MAX ? at : at + skip;
}

/* Forgets the first 'size' bytes of the buffer, and the candidate that began there. */
static void cut_front(struct http1 *h, size_t size)
{
    memmove(h->buffer, h->buffer + size, h->buffered - size);
    h->buffered -= (uint32_t)size;
    h->line_start = 0;
    h->has_candidate = false;
}

/* The buffer is one whole line: makes it a candidate, or drops it. */
static void judge_start(struct http1 *h)
{
    uint8_t role = 0;
    size_t at = find_start(h, span_of(h->buffer, h->buffered), &role);
    if (at == SIZE_MAX) {
        h->buffered = 0;
        return;
    }
    cut_front(h, at);
    h->line_start = h->buffered;
    h->has_candidate = true;
    h->start_part = role; /* kept here until the head is whole: the role is not sure before */
}

/* A whole line is at the end of the buffer. True when it ended a head. */
static bool judge_line(struct http1 *h, uint64_t now_ns)
{
    if (!h->has_candidate) {
        judge_start(h);
        return false;
    }
    struct span line = span_of(h->buffer + h->line_start, h->buffered - h->line_start);
    if (line.size == 1 || (line.size == 2 && line.at[0] == '\r'))
        return true;
    if (http1_head_is_field_line(line)) {
        h->line_start = h->buffered;
        return false;
    }
    cut_front(h, h->line_start);
    h->begin_ns = now_ns;
    judge_start(h);
    return false;
}

void http1_sync_reuse(struct http1 *h)
{
    h->state = HTTP1_AT_RESYNC;
    h->unsynced = h->buffered;
    h->is_cut = h->has_candidate = false;
    h->chunk_line = 0;
    h->line_start = 0;
    if (h->buffered > HTTP1_SMALL)
        cut_front(h, h->buffered - HTTP1_SMALL);
    if (h->buffered && h->buffer[h->buffered - 1] == '\n')
        judge_start(h);
}

/* Appends a part of a line. Without a candidate the buffer keeps only the last HTTP1_SMALL bytes of the line. */
static void keep(struct http1 *h, struct span part, struct http1_memory *memory)
{
    if (h->has_candidate && h->buffered + part.size > HTTP1_MAX_HEAD) {
        size_t line = h->buffered - h->line_start;
        cut_front(h, line > HTTP1_SMALL ? h->buffered - HTTP1_SMALL : h->line_start);
    }
    if (!h->has_candidate) {
        if (part.size > HTTP1_SMALL)
            part = span_from(part, part.size - HTTP1_SMALL);
        if (h->buffered + part.size > HTTP1_SMALL)
            cut_front(h, h->buffered + part.size - HTTP1_SMALL);
    }
    (void)http1_sync_collect(h, part, memory); /* refused: counted, and the line is lost */
}

static enum http1_event found(struct http1 *h, struct http1_out *out)
{
    h->role = h->start_part;
    h->state = HTTP1_AT_VERDICT;
    h->unsynced -= h->unsynced < h->buffered ? h->unsynced : h->buffered;
    out->data = span_of(h->buffer, h->buffered);
    out->is_found = true;
    return HTTP1_HEAD;
}

bool http1_sync_finish(struct http1 *h, struct http1_out *out)
{
    uint8_t role = h->start_part;
    struct span s = span_of(h->buffer, h->buffered);
    if (!h->has_candidate) {
        if (h->role & HTTP1_REQUEST && http1_head_is_request_line(s, true))
            role = HTTP1_REQUEST;
        else if (h->role & HTTP1_RESPONSE && http1_head_is_status_line(s, true))
            role = HTTP1_RESPONSE;
        else
            return false;
    }
    h->start_part = role;
    (void)found(h, out);
    h->is_first = h->is_bounded = false;
    return true;
}

enum http1_event http1_sync_step(struct http1 *h, struct http1_input *in, struct http1_memory *memory,
                                 struct http1_out *out)
{
    while (in->bytes.size) {
        struct span part = in->bytes;
        if (h->is_bounded)
            part = span_sub(part, 0, h->left < SIZE_MAX ? (size_t)h->left : SIZE_MAX);
        if (part.size == 0) {
            http1_sync_drop(h, memory);
            h->state = HTTP1_AT_SLEEP;
            return HTTP1_MORE;
        }
        size_t end = span_find_byte(part, '\n', 0);
        if (end != SIZE_MAX)
            part = span_sub(part, 0, end + 1);
        if (!h->has_candidate && h->buffered == 0)
            h->begin_ns = in->now_ns;
        uint8_t role;
        bool is_whole = end != SIZE_MAX && h->buffered == 0;
        if (!is_whole || find_start(h, part, &role) != SIZE_MAX) /* most lines need no copy */
            keep(h, part, memory);
        in->bytes = span_from(in->bytes, part.size);
        h->unsynced += part.size;
        if (h->chunk_line && http1_chunks_step(h, part, &out->size)) {
            http1_sync_drop(h, memory);
            return HTTP1_REFRAMED;
        }
        if (h->is_bounded)
            h->left -= part.size;
        if (end != SIZE_MAX && h->buffered && judge_line(h, in->now_ns))
            return found(h, out);
    }
    if (in->gap) {
        if (h->buffered && http1_sync_finish(h, out))
            return HTTP1_CUT_HEAD;
        http1_sync_drop(h, memory);
        http1_chunks_gap(h);
        out->size = in->gap;
        h->unsynced += in->gap;
        in->gap = 0;
        return HTTP1_PASSED;
    }
    return HTTP1_MORE;
}
