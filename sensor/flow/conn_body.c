/* SPDX-License-Identifier: Apache-2.0
 * Body bytes on their way to a tap. */
#include "flow/conn_body.h"

static void stop(struct conn_body *b, struct coding_pool *codings)
{
    coding_free(codings, b->coding);
    b->coding = NULL;
    b->tap.feed = NULL;
}

/* All Content-Encoding fields are one list; more than one real coding is more than we undo. */
static enum coding_kind kind_of(const struct fields *fields)
{
    enum coding_kind kind = CODING_IDENTITY;
    const struct field *field;
    uint16_t from = 0;
    while ((field = fields_next(fields, SPAN("content-encoding"), &from))) {
        enum coding_kind next = coding_kind_of(field->value);
        if (next == CODING_IDENTITY)
            continue;
        kind = kind == CODING_IDENTITY ? next : CODING_UNKNOWN;
    }
    return kind;
}

void conn_body_open(struct conn_body *b, struct coding_pool *codings, const struct fields *fields)
{
    if (!b->tap.feed || !b->tap.want_decoded)
        return;
    enum coding_kind kind = kind_of(fields);
    if (kind == CODING_IDENTITY)
        return;
    b->coding = coding_new(codings, kind);
    if (!b->coding)
        stop(b, codings);
}

/* How many of 'size' bytes are within the limit. */
static uint64_t within(const struct conn_body *b, uint64_t size)
{
    if (b->tap.limit == 0)
        return size;
    uint64_t room = b->tap.limit > b->passed ? b->tap.limit - b->passed : 0;
    return size < room ? size : room;
}

static void pass(void *ctx, struct span bytes)
{
    struct conn_body *b = ctx;
    bytes = span_sub(bytes, 0, (size_t)within(b, bytes.size));
    b->passed += bytes.size;
    if (bytes.size)
        b->tap.feed(b->tap.ctx, bytes);
}

/* Nothing more can pass, or is wanted. A coding is undone as long as its end may come within the limit. */
static bool is_full(const struct conn_body *b)
{
    if (b->tap.is_done && b->tap.is_done(b->tap.ctx))
        return true;
    if (b->coding)
        return b->tap.limit && coding_size(b->coding) > b->tap.limit;
    return b->tap.limit && b->passed >= b->tap.limit;
}

void conn_body_feed(struct conn_body *b, struct coding_pool *codings, struct span bytes)
{
    if (!b->tap.feed)
        return;
    if (!b->coding)
        pass(b, bytes);
    else if (coding_feed(b->coding, bytes, pass, b))
        stop(b, codings);
    if (b->tap.feed && is_full(b))
        stop(b, codings);
}

void conn_body_gap(struct conn_body *b, struct coding_pool *codings, uint64_t bytes)
{
    if (!b->tap.feed)
        return;
    uint64_t told = b->coding ? bytes : within(b, bytes);
    b->passed += told;
    if (told && b->tap.gap)
        b->tap.gap(b->tap.ctx, told);
    if (b->coding || is_full(b))
        stop(b, codings); /* what is coded cannot be decoded behind a hole */
}

void conn_body_close(struct conn_body *b, struct coding_pool *codings, struct body_measure *measure)
{
    if (b->coding && coding_is_done(b->coding)) {
        measure->decoded = coding_size(b->coding);
        measure->has_decoded = true;
    }
    stop(b, codings);
}
