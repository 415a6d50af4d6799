/* SPDX-License-Identifier: Apache-2.0
 * An exchange written as text, driven through the hooks of app/ as a connection would: heads parsed, bodies fed in
 * slices to who asked for them. */
#ifndef TESTS_UNIT_APP_EXCHANGE_H
#define TESTS_UNIT_APP_EXCHANGE_H

#include "flow/conn.h"

#define EXCHANGE_FIELDS 40

/* One line off the front, without its end. */
static inline struct span exchange_line(struct span *rest)
{
    size_t end = span_find_byte(*rest, '\n', 0);
    struct span line = span_sub(*rest, 0, end);
    *rest = end == SIZE_MAX ? SPAN("") : span_from(*rest, end + 1);
    return line;
}

static inline void exchange_fields(struct span *rest, struct fields *out)
{
    for (struct span line = exchange_line(rest); line.size; line = exchange_line(rest)) {
        size_t colon = span_find_byte(line, ':', 0);
        if (colon != SIZE_MAX)
            fields_add(out, span_sub(line, 0, colon), span_trim(span_from(line, colon + 1)));
    }
}

/* 'gap_at': this slice (from 1) is missing from the capture; 0 = none. */
static inline void exchange_body(struct span body, size_t slice, size_t gap_at, struct body_measure *m,
                                 const struct body_tap *tap)
{
    size_t step = slice ? slice : body.size + 1;
    m->known = SIZE_OBSERVED;
    for (size_t at = 0, n = 1; at < body.size; at += step, n++) {
        struct span part = span_sub(body, at, step);
        m->bytes += part.size;
        if (n == gap_at) {
            m->missing += part.size;
            if (tap->gap)
                tap->gap(tap->ctx, part.size);
        } else if (tap->feed && (!tap->limit || at < tap->limit)) {
            tap->feed(tap->ctx, part);
        }
    }
    m->is_complete = true;
}

/* Lines end in "\n"; an empty line ends a head. "METHOD TARGET" and "STATUS" are the first lines. A response with
 * at == NULL: none came; an empty request was not seen. Without a Host field it is desk.example. */
static inline void exchange_run(const struct conn_hooks *hooks, uint32_t number, struct span request, struct span response,
                                size_t slice, size_t gap_at)
{
    struct field storage[2][EXCHANGE_FIELDS];
    struct body_tap tap = {0};
    struct span first = exchange_line(&request);
    size_t space = span_find_byte(first, ' ', 0);
    uint64_t now = 1000000000ull * number;
    struct transaction t = {.flow_hash = 7, .number = number, .request_ns = now, .request_end_ns = now + 1,
                            .end_ns = now + 1, .version_major = 1, .version_minor = 1};
    t.request_fields = (struct fields){storage[0], 0, EXCHANGE_FIELDS, false};
    t.response_fields = (struct fields){storage[1], 0, EXCHANGE_FIELDS, false};
    ipaddr_parse(SPAN("10.20.0.10"), &t.client.ip);
    ipaddr_parse(SPAN("10.20.0.20"), &t.server.ip);
    t.method = span_sub(first, 0, space);
    t.target = span_from(first, space == SIZE_MAX ? space : space + 1);
    exchange_fields(&request, &t.request_fields);
    t.host = fields_get(&t.request_fields, SPAN("Host"));
    if (first.size == 0) {
        t.flags |= TXN_NO_REQUEST;
        t.request_ns = t.request_end_ns = 0;
    } else {
        if (!t.host.size)
            t.host = SPAN("desk.example");
        hooks->on_request(hooks->ctx, &t, &tap);
        exchange_body(request, slice, 0, &t.request_body, &tap);
    }
    uint64_t code = 0;
    struct span status = response.at ? exchange_line(&response) : SPAN("");
    if (span_u64(status, &code) && code >= 100 && code <= 599) {
        t.status = (uint16_t)code;
        exchange_fields(&response, &t.response_fields);
        t.response_ns = t.end_ns = now + 2;
        tap = (struct body_tap){0};
        hooks->on_response(hooks->ctx, &t, &tap);
        exchange_body(response, slice, gap_at, &t.response_body, &tap);
        t.end_ns = now + 3;
    } else {
        t.flags |= TXN_NO_RESPONSE;
    }
    hooks->on_end(hooks->ctx, &t);
}

#endif
