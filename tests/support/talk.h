/* SPDX-License-Identifier: Apache-2.0
 * Plays a conversation (bytes, gaps and ends of both directions) to a connection and writes its transactions down as
 * text, one line each. For the tests of flow/conn. */
#ifndef SUPPORT_TALK_H
#define SUPPORT_TALK_H

#include "flow/conn.h"

#include <stdio.h>
#include <stdlib.h>

enum talk_kind { TALK_END, TALK_BYTES, TALK_GAP, TALK_ACKED_GAP, TALK_FIN };

struct talk_step {
    enum talk_kind kind;
    int direction;
    const char *bytes;
    size_t size; /* of bytes, or of the gap */
};

#define C(text)                                                                                                        \
    {                                                                                                                  \
        TALK_BYTES, CONN_CLIENT, text, sizeof(text) - 1                                                                \
    }
#define S(text)                                                                                                        \
    {                                                                                                                  \
        TALK_BYTES, CONN_SERVER, text, sizeof(text) - 1                                                                \
    }
#define CGAP(n)                                                                                                        \
    {                                                                                                                  \
        TALK_GAP, CONN_CLIENT, NULL, n                                                                                 \
    }
#define SGAP(n)                                                                                                        \
    {                                                                                                                  \
        TALK_GAP, CONN_SERVER, NULL, n                                                                                 \
    }
#define SACKED(n)                                                                                                      \
    {                                                                                                                  \
        TALK_ACKED_GAP, CONN_SERVER, NULL, n                                                                           \
    }
#define CACKED(n)                                                                                                      \
    {                                                                                                                  \
        TALK_ACKED_GAP, CONN_CLIENT, NULL, n                                                                           \
    }
#define CFIN                                                                                                           \
    {                                                                                                                  \
        TALK_FIN, CONN_CLIENT, NULL, 0                                                                                 \
    }
#define SFIN                                                                                                           \
    {                                                                                                                  \
        TALK_FIN, CONN_SERVER, NULL, 0                                                                                 \
    }

struct talk_row {
    const char *name;
    const char *expected;
    struct talk_step steps[64];
    unsigned blind; /* 1: client direction not on the tap, 2: server direction */
    bool is_midstream;
    bool is_many;            /* more than one connection: numbers are not checked */
    bool want_decoded;       /* taps ask for it */
    bool skips;              /* no taps: what is skippable is skipped */
    bool is_expected;        /* HTTP/2, by ALPN */
    uint64_t limit;          /* of the taps */
    enum conn_speaks speaks; /* at the end; 0 = not checked */
};

struct talk {
    char text[65536]; /* what was told */
    size_t size;
    char body[2][512];
    size_t body_size[2];
    const struct talk_row *row;
    unsigned open, errors;
    uint32_t last_number;
    bool is_swapped;
    enum conn_speaks speaks;
};

static inline void talk_add(struct talk *k, const char *text)
{
    size_t n = strlen(text);
    if (n > sizeof k->text - 1 - k->size)
        n = sizeof k->text - 1 - k->size;
    memcpy(k->text + k->size, text, n);
    k->size += n;
    k->text[k->size] = 0;
}

static inline void talk_body_bytes(struct talk *k, int half, struct span s)
{
    for (size_t i = 0; i < s.size && k->body_size[half] < sizeof k->body[0] - 1; i++)
        k->body[half][k->body_size[half]++] = s.at[i] >= ' ' && s.at[i] < 0x7f ? (char)s.at[i] : '.';
    k->body[half][k->body_size[half]] = 0;
}

static inline void talk_feed_request(void *ctx, struct span bytes)
{
    talk_body_bytes(ctx, 0, bytes);
}

static inline void talk_feed_response(void *ctx, struct span bytes)
{
    talk_body_bytes(ctx, 1, bytes);
}

static inline void talk_gap_response(void *ctx, uint64_t bytes)
{
    char text[32];
    snprintf(text, sizeof text, "[-%llu]", (unsigned long long)bytes);
    talk_body_bytes(ctx, 1, span_text(text));
}

static inline void talk_on_request(void *ctx, struct transaction *t, struct body_tap *tap)
{
    struct talk *k = ctx;
    t->note = k;
    k->open++;
    k->errors += t->method.size == 0 || (!k->row->is_many && t->number != k->last_number + 1);
    k->last_number = t->number;
    if (!k->row->skips)
        *tap = (struct body_tap){talk_feed_request, NULL, k, k->row->limit, k->row->want_decoded, NULL};
    k->body_size[0] = 0;
    k->body[0][0] = 0;
}

static inline void talk_on_response(void *ctx, struct transaction *t, struct body_tap *tap)
{
    struct talk *k = ctx;
    if (!t->note) {
        k->errors += !(t->flags & TXN_NO_REQUEST) || (!k->row->is_many && t->number != k->last_number + 1);
        k->last_number = t->number;
        k->open++;
        k->body_size[0] = 0;
        k->body[0][0] = 0;
    }
    t->note = k;
    k->errors += t->status == 0 || t->status == 100;
    if (!k->row->skips)
        *tap = (struct body_tap){talk_feed_response, talk_gap_response, k, k->row->limit, k->row->want_decoded, NULL};
    k->body_size[1] = 0;
    k->body[1][0] = 0;
}

/* "5oc": bytes, how known, complete; "/2" missing; "=9" declared otherwise; "~7" decoded */
static inline void talk_add_measure(struct talk *k, const struct body_measure *m)
{
    static const char known[] = "uodraf";
    char text[160];
    int n = snprintf(text, sizeof text, "%llu%c%s", (unsigned long long)m->bytes, known[m->known],
                     m->is_complete ? "c" : "");
    if (m->missing)
        n += snprintf(text + n, sizeof text - (size_t)n, "/%llu", (unsigned long long)m->missing);
    if (m->has_declared && m->declared != m->bytes)
        n += snprintf(text + n, sizeof text - (size_t)n, "=%llu", (unsigned long long)m->declared);
    if (m->has_decoded)
        snprintf(text + n, sizeof text - (size_t)n, "~%llu", (unsigned long long)m->decoded);
    talk_add(k, text);
}

static inline void talk_add_flags(struct talk *k, uint32_t flags)
{
    static const char *const names[] = {"norequest", "noresponse", "aborted",   "gap",     "cut",
                                        "ambiguous", "onesided",   "midstream", "upgraded", "pushed", "partial"};
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (flags & 1u << i) {
            talk_add(k, " ");
            talk_add(k, names[i]);
        }
    }
}

static inline void talk_add_span(struct talk *k, struct span s)
{
    char text[200];
    snprintf(text, sizeof text, " %.*s", s.size ? (int)(s.size < 150 ? s.size : 150) : 1,
             s.size ? (const char *)s.at : "-");
    talk_add(k, text);
}

static inline void talk_on_end(void *ctx, struct transaction *t)
{
    struct talk *k = ctx;
    char text[64];
    k->open--;
    k->errors +=
        t->note != k || (t->request_ns == 0) != (t->method.size == 0) || (t->response_ns == 0) != (t->status == 0);
    snprintf(text, sizeof text, "%u", t->number);
    talk_add(k, text);
    talk_add_span(k, t->method);
    talk_add_span(k, t->target);
    talk_add_span(k, t->host);
    snprintf(text, sizeof text, " %u ", t->status);
    talk_add(k, text);
    talk_add_measure(k, &t->request_body);
    talk_add(k, " ");
    talk_add_measure(k, &t->response_body);
    talk_add_flags(k, t->flags);
    if (!ipaddr_is_zero(&t->proxy_protocol_client)) {
        char ip[IPADDR_TEXT_MAX];
        talk_add(k, " proxy=");
        talk_add(k, ipaddr_text(&t->proxy_protocol_client, ip));
    }
    struct span mark = fields_get(&t->request_fields, SPAN("x-mark"));
    if (mark.at) {
        talk_add(k, " mark=");
        talk_add_span(k, mark);
    }
    talk_add(k, "\n");
}

static inline struct conn_hooks talk_hooks(struct talk *k)
{
    return (struct conn_hooks){k, talk_on_request, talk_on_response, talk_on_end};
}

static inline void talk_bytes(struct conn *c, const struct talk_step *s, size_t piece, bool skips, uint64_t *now)
{
    for (size_t at = 0, n; at < s->size; at += n) {
        n = s->size - at < piece ? s->size - at : piece;
        uint64_t skippable = skips ? conn_skippable(c, s->direction) : 0;
        if (skippable) {
            n = skippable < n ? (size_t)skippable : n;
            conn_skip(c, s->direction, n, (*now)++);
            continue;
        }
        uint8_t *copy = malloc(n); /* so that the sanitizer sees a byte too far */
        memcpy(copy, s->bytes + at, n);
        conn_data(c, s->direction, span_of(copy, n), (*now)++);
        free(copy);
    }
}

static inline struct conn_pool *talk_pool(struct talk *k)
{
    struct conn_hooks hooks = talk_hooks(k);
    return conn_pool_new(&(struct conn_limits){4, 300}, &hooks);
}

/* Plays 'row' in pieces of at most 'piece' bytes; k is made new; the pool is of talk_pool(k). */
static inline void talk_play_in(struct conn_pool *pool, struct talk *k, const struct talk_row *row, size_t piece)
{
    memset(k, 0, sizeof *k);
    k->row = row;
    struct flow_info info = {.hash = 1, .is_midstream = row->is_midstream};
    info.client.port = 1000;
    info.server.port = 80;
    for (int dir = 0; dir < 2; dir++)
        info.saw[dir] = !(row->blind >> dir & 1);
    struct conn *c = conn_new(pool, &info);
    uint64_t now = 1000;
    if (row->is_expected)
        conn_expect(c, CONN_HTTP2);
    for (const struct talk_step *s = row->steps; s->kind != TALK_END; s++) {
        if (s->kind == TALK_BYTES)
            talk_bytes(c, s, piece, row->skips, &now);
        else if (s->kind == TALK_FIN)
            conn_fin(c, s->direction, now++);
        else
            conn_gap(c, s->direction, s->size, s->kind == TALK_ACKED_GAP, now++);
    }
    k->speaks = conn_speaks(c);
    k->is_swapped = conn_is_swapped(c);
    conn_end(c, now);
}

static inline void talk_play(struct talk *k, const struct talk_row *row, size_t piece)
{
    struct conn_pool *pool = talk_pool(k);
    talk_play_in(pool, k, row, piece);
    conn_pool_free(pool);
}

#endif
