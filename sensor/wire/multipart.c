/* SPDX-License-Identifier: Apache-2.0
 * A boundary begins with a line end and holds none itself, so after a mismatch nothing of what was matched can begin
 * another one: searching needs no failure table, and bodies are skipped by memchr. */
#include "wire/multipart.h"

#include "base/err.h"
#include "wire/disposition.h"

enum state { PREAMBLE, BEHIND, HEAD, BODY, DONE };

/* What was read behind a boundary: white space, then a line end; or two hyphens first, which close the whole. */
enum after {
    AFTER_START, AFTER_HYPHEN, AFTER_SPACE, AFTER_CR, CLOSE_SPACE, CLOSE_CR, AFTER_LINE, CLOSE_LINE, NO_BOUNDARY,
};

int multipart_init(struct multipart *m, struct span boundary, const struct multipart_want *want, size_t n_want,
                   const struct multipart_hooks *hooks)
{
    memset(m, 0, sizeof *m);
    m->state = DONE;
    m->keeping = -1;
    if (boundary.size == 0 || boundary.size > MULTIPART_BOUNDARY_MAX ||
        span_find_byte(boundary, '\n', 0) != SIZE_MAX || span_find_byte(boundary, '\r', 0) != SIZE_MAX)
        return E_BAD;
    if (n_want > MULTIPART_WANT_MAX)
        return E_LIMIT;
    memcpy(m->delimiter, "\r\n--", 4);
    memcpy(m->delimiter + 4, boundary.at, boundary.size);
    m->delimiter_size = (uint8_t)(boundary.size + 4);
    for (size_t i = 0; i < n_want; i++)
        m->want[i] = want[i];
    m->n_want = (uint8_t)n_want;
    if (hooks)
        m->hooks = *hooks;
    m->state = PREAMBLE;
    m->matched = m->assumed = 2;
    return E_OK;
}

static bool is_told(const struct multipart *m)
{
    return m->part.number <= MULTIPART_PARTS_MAX;
}

/* Body bytes of the part in progress. */
static void body_bytes(struct multipart *m, struct span bytes)
{
    if (!m->in_part)
        return;
    m->part.size += bytes.size;
    if (m->hooks.on_data && bytes.size && is_told(m))
        m->hooks.on_data(m->hooks.ctx, bytes);
    if (m->keeping < 0)
        return;
    struct multipart_value *v = &m->values[m->keeping];
    v->size += bytes.size;
    if (m->want[m->keeping].is_secret)
        return;
    struct span fits = span_sub(bytes, 0, (size_t)(MULTIPART_VALUE_MAX - v->kept));
    if (fits.size)
        memcpy(v->bytes + v->kept, fits.at, fits.size);
    v->kept = (uint16_t)(v->kept + fits.size);
}

/* What looked like the beginning of a boundary was none. */
static void body_flush(struct multipart *m)
{
    body_bytes(m, span_of(m->delimiter + m->assumed, (size_t)(m->matched - m->assumed)));
    m->matched = m->assumed = 0;
}

static void part_end(struct multipart *m, bool is_complete)
{
    if (!m->in_part)
        return;
    m->in_part = false;
    m->part.is_complete = is_complete;
    if (m->keeping >= 0) {
        struct multipart_value *v = &m->values[m->keeping];
        v->is_cut = m->part.is_unsure || !is_complete || (v->size > v->kept && !m->want[m->keeping].is_secret);
        m->keeping = -1;
    }
    if (is_told(m) && m->hooks.on_part)
        m->hooks.on_part(m->hooks.ctx, &m->part);
}

/* Joins folded lines: the line end before white space becomes a space. */
static void head_unfold(struct multipart *m)
{
    for (size_t i = 0; i + 1 < m->head_used; i++) {
        uint8_t next = m->head[i + 1];
        if (m->head[i] != '\n' || (next != ' ' && next != '\t'))
            continue;
        m->head[i] = ' ';
        if (i && m->head[i - 1] == '\r')
            m->head[i - 1] = ' ';
    }
}

static void head_field(struct multipart *m, struct span name, struct span value, struct arena *names)
{
    struct multipart_part *p = &m->part;
    if (span_eq_nocase(name, SPAN("Content-Disposition"))) {
        struct disposition d;
        disposition_parse(value, names, &d);
        p->name = d.name;
        p->filename = d.filename;
        p->has_filename = d.has_filename;
    } else if (span_eq_nocase(name, SPAN("Content-Type"))) {
        (void)content_type_parse(value, &p->type); /* a malformed one leaves media "" */
    } else if (span_eq_nocase(name, SPAN("Content-Range"))) {
        (void)content_range_parse(value, &p->range); /* a malformed one leaves has_range false */
    }
}

/* The head is as complete as it will get: the part begins. */
static void part_begin(struct multipart *m)
{
    struct arena names;
    arena_init(&names, m->names, sizeof m->names);
    m->part = (struct multipart_part){.number = m->part.number + (m->part.number < UINT32_MAX)};
    m->in_part = true;
    head_unfold(m);
    struct span rest = span_of(m->head, m->head_used), line;
    while (span_split(&rest, '\n', &line)) {
        size_t colon = span_find_byte(line, ':', 0);
        if (colon != SIZE_MAX)
            head_field(m, span_trim(span_sub(line, 0, colon)), span_trim(span_from(line, colon + 1)), &names);
    }
    for (int8_t i = 0; i < m->n_want && m->keeping < 0 && m->part.name.at && !m->part.has_filename; i++)
        if (!m->values[i].is_there && span_eq(m->want[i].name, m->part.name))
            m->keeping = i;
    if (m->keeping >= 0)
        m->values[m->keeping].is_there = m->values[m->keeping].is_cut = true;
    if (is_told(m) && m->hooks.on_begin)
        m->hooks.on_begin(m->hooks.ctx, &m->part);
    m->state = BODY;
}

/* Reads the head up to its empty line; what is over the cap is passed by. */
static size_t feed_head(struct multipart *m, struct span s)
{
    size_t at = 0;
    while (at < s.size) {
        uint8_t c = s.at[at++];
        if (c == '\n' && m->head_line_empty) {
            part_begin(m);
            /* a part without a body may share its empty line with the boundary that follows */
            m->matched = m->assumed = 2;
            return at;
        }
        if (m->head_used < MULTIPART_HEAD_MAX)
            m->head[m->head_used++] = c;
        m->head_line_empty = c == '\n' || (c == '\r' && m->head_line_empty);
    }
    return at;
}

static enum after after_step(enum after now, uint8_t c)
{
    bool is_space = c == ' ' || c == '\t';
    switch (now) {
    case AFTER_START:
        return c == '-' ? AFTER_HYPHEN : after_step(AFTER_SPACE, c);
    case AFTER_SPACE:
        return is_space ? AFTER_SPACE : c == '\r' ? AFTER_CR : c == '\n' ? AFTER_LINE : NO_BOUNDARY;
    case AFTER_HYPHEN:
        return c == '-' ? CLOSE_SPACE : NO_BOUNDARY;
    case AFTER_CR:
        return c == '\n' ? AFTER_LINE : NO_BOUNDARY;
    case CLOSE_SPACE:
        return is_space ? CLOSE_SPACE : c == '\r' ? CLOSE_CR : c == '\n' ? CLOSE_LINE : NO_BOUNDARY;
    case CLOSE_CR:
        return c == '\n' ? CLOSE_LINE : NO_BOUNDARY;
    default:
        return NO_BOUNDARY;
    }
}

/* It was no boundary: all of it was body. */
static void not_behind(struct multipart *m)
{
    body_flush(m);
    body_bytes(m, span_of(m->tail, m->tail_used));
    uint64_t lost = m->tail_size - m->tail_used; /* white space that was not kept */
    if (m->in_part)
        m->part.size += lost;
    if (m->keeping >= 0)
        m->values[m->keeping].size += lost; /* more than is kept: the value is marked cut */
    m->state = m->in_part ? BODY : PREAMBLE;
}

static void head_begin(struct multipart *m)
{
    m->state = HEAD;
    m->head_used = 0;
    m->head_line_empty = true;
    m->matched = m->assumed = 0;
}

/* Reads what follows a boundary until it proves to be one, or none. */
static size_t feed_behind(struct multipart *m, struct span s)
{
    size_t at = 0;
    while (at < s.size) {
        uint8_t c = s.at[at];
        enum after next = after_step((enum after)m->after, c);
        if (next == NO_BOUNDARY) {
            not_behind(m); /* this byte is looked at again: it may begin a boundary */
            return at;
        }
        at++;
        if (next == AFTER_LINE || next == CLOSE_LINE) {
            /* the first boundary's line shows how lines end here */
            if (m->part.number == 0)
                m->is_lf = m->after != AFTER_CR && m->after != CLOSE_CR;
            part_end(m, true);
            if (next == CLOSE_LINE)
                m->state = DONE;
            else
                head_begin(m);
            return at;
        }
        m->after = (uint8_t)next;
        if (m->tail_used < sizeof m->tail)
            m->tail[m->tail_used++] = c;
        m->tail_size++;
    }
    return at;
}

/* Bytes of the delimiter that stand at the front of s, m->matched of it having gone before. */
static size_t match_more(const struct multipart *m, struct span s)
{
    size_t n = 0, left = (size_t)(m->delimiter_size - m->matched);
    while (n < left && n < s.size && s.at[n] == m->delimiter[m->matched + n])
        n++;
    return n;
}

/* Searches a body (or the preamble) for the delimiter. */
static size_t feed_body(struct multipart *m, struct span s)
{
    size_t at = 0;
    while (at < s.size) {
        if (m->matched == 0) {
            bool is_lf = m->is_lf || m->state == PREAMBLE; /* the preamble may end either way */
            size_t hit = span_find_byte(s, is_lf ? '\n' : '\r', at);
            body_bytes(m, span_sub(s, at, hit - at));
            if (hit == SIZE_MAX)
                return s.size;
            at = hit;
            m->matched = m->assumed = is_lf ? 1 : 0;
        }
        size_t more = match_more(m, span_from(s, at));
        m->matched = (uint8_t)(m->matched + more);
        at += more;
        if (m->matched == m->delimiter_size) {
            m->state = BEHIND;
            m->after = AFTER_START;
            m->tail_used = 0;
            m->tail_size = 0;
            return at;
        }
        if (at < s.size)
            body_flush(m);
    }
    return at;
}

void multipart_feed(struct multipart *m, struct span bytes)
{
    while (bytes.size && m->state != DONE) {
        size_t took = m->state == HEAD     ? feed_head(m, bytes)
                      : m->state == BEHIND ? feed_behind(m, bytes)
                                           : feed_body(m, bytes);
        bytes = span_from(bytes, took);
    }
}

void multipart_gap(struct multipart *m, uint64_t bytes)
{
    if (m->state == DONE || bytes == 0)
        return;
    if (m->state == BEHIND) {
        bool is_close = m->after == CLOSE_SPACE || m->after == CLOSE_CR;
        part_end(m, true);
        if (is_close) {
            m->state = DONE;
            return;
        }
        head_begin(m); /* the next part's head is in the gap */
    }
    if (m->state == HEAD)
        part_begin(m);
    body_flush(m);
    if (m->in_part) {
        m->part.is_unsure = true;
        m->part.size += bytes;
    }
}

void multipart_end(struct multipart *m)
{
    if (m->state == BEHIND) {
        part_end(m, true);
        m->state = m->after == CLOSE_SPACE || m->after == CLOSE_CR ? DONE : PREAMBLE;
    } else {
        body_flush(m);
        part_end(m, false);
    }
}

bool multipart_is_done(const struct multipart *m)
{
    return m->state == DONE && m->delimiter_size;
}

uint32_t multipart_count(const struct multipart *m)
{
    return m->part.number;
}
