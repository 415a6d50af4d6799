/* SPDX-License-Identifier: Apache-2.0
 * Streams: from their first head to their end. */
#include "flow/http2_stream.h"

#include "flow/conn_pair.h"

static struct exchange **bucket_of(struct http2 *h, uint32_t stream)
{
    return &h->buckets[stream / 2 % HTTP2_BUCKETS];
}

struct exchange *http2_stream_find(struct http2 *h, uint32_t stream)
{
    if (h->latest && h->latest->t.stream_id == stream)
        return h->latest;
    struct exchange *e = *bucket_of(h, stream);
    while (e && e->t.stream_id != stream)
        e = e->bucket_next;
    if (e)
        h->latest = e;
    return e;
}

bool http2_stream_was_reset(const struct http2 *h, uint32_t stream)
{
    for (size_t i = 0; i < HTTP2_RECENT; i++)
        if (h->recent[i] == stream)
            return true;
    return false;
}

/* Takes it out of the connection and gives its memory back. */
static void drop(struct exchange *e)
{
    struct http2 *h = e->conn->http2;
    struct exchange **at = bucket_of(h, e->t.stream_id);
    while (*at && *at != e)
        at = &(*at)->bucket_next;
    if (*at)
        *at = e->bucket_next;
    if (h->latest == e)
        h->latest = NULL;
    h->n_reset = (uint16_t)(h->n_reset - (e->reset_ns != 0));
    conn_exchange_free(e);
}

/* One that is over, or nearly: reset; or where ends are not seen, one-sided, the oldest. */
static struct exchange *oldest_done(const struct http2 *h)
{
    struct conn *c = h->conn;
    struct exchange *e = c->first;
    if (!h->n_reset)
        return c->info->saw[0] && c->info->saw[1] ? NULL : e;
    while (!e->reset_ns)
        e = e->next;
    return e;
}

static struct exchange *make(struct http2 *h, uint64_t now_ns)
{
    struct conn *c = h->conn;
    if (c->n_open >= CONN_MAX_OPEN) {
        struct exchange *done = oldest_done(h);
        c->pool->http2_counts.too_many++;
        if (!done)
            return NULL;
        http2_stream_end(done, 0, done->reset_ns ? done->reset_ns : now_ns);
    }
    struct exchange *e;
    while (!(e = conn_exchange_new(c)))
        if (!conn_make_room(c, now_ns))
            return NULL;
    return e;
}

static void enlist(struct http2 *h, struct exchange *e, uint32_t stream)
{
    struct exchange **bucket = bucket_of(h, stream);
    e->t.stream_id = stream;
    e->bucket_next = *bucket;
    *bucket = e;
    h->latest = e;
    h->conn->pool->http2_counts.streams++;
}

void http2_stream_adopt(struct http2 *h, struct exchange *e)
{
    struct body_measure *m = &e->t.request_body;
    if (e->progress[CONN_REQUEST] != CONN_DONE)
        m->known = SIZE_OBSERVED; /* its rest is not waited for */
    e->progress[CONN_REQUEST] = CONN_DONE;
    conn_body_close(&e->body[CONN_REQUEST], h->conn->pool->codings, m);
    for (int half = 0; half < 2; half++)
        h->conn->active[half] = h->conn->lost[half] = NULL;
    enlist(h, e, 1);
}

struct exchange *http2_stream_open(struct http2 *h, uint32_t stream, uint64_t now_ns)
{
    struct exchange *e = make(h, now_ns);
    if (!e) {
        h->conn->pool->http2_counts.untracked++;
        h->was_refused = true;
        return NULL;
    }
    enlist(h, e, stream);
    if (h->conn->is_finished[CONN_RESPONSE])
        e->progress[CONN_RESPONSE] = CONN_DONE;
    return e;
}

/* ---- ends ---- */

void http2_stream_settle(struct exchange *e, uint64_t now_ns)
{
    if (e->progress[CONN_REQUEST] != CONN_DONE || e->progress[CONN_RESPONSE] != CONN_DONE)
        return;
    if (!e->is_told)
        e->conn->pool->http2_counts.untold++;
    conn_exchange_tell_end(e, now_ns);
    drop(e);
}

/* What is known of the size of a body in which sync was lost: what its head said, if its end was seen; else a bound. */
static void measure_lost(struct exchange *e, int half, bool is_complete)
{
    struct body_measure *m = conn_measure(e, half);
    m->known = SIZE_UNKNOWN;
    m->is_complete = is_complete;
    if (!is_complete || !conn_exchange_take_said(e, half, e->seen[half]))
        return;
    if (m->missing > m->bytes - e->seen[half])
        m->missing = m->bytes - e->seen[half];
}

/* The answer was not on the tap. Alone on the connection, all that was acknowledged is its; else what its own window
 * updates tell. */
static void measure_hidden(struct exchange *e)
{
    struct body_measure *m = &e->t.response_body;
    uint64_t bytes = e->is_mixed || e->has_unacked ? e->credited : e->hidden;
    if (e->t.status || m->bytes || !bytes)
        return;
    m->bytes = m->missing = bytes;
    m->known = SIZE_ACKNOWLEDGED;
}

void http2_stream_complete(struct exchange *e, int half, uint64_t now_ns)
{
    struct conn *c = e->conn;
    struct body_measure *m = conn_measure(e, half);
    if (e->progress[half] == CONN_DONE)
        return;
    if (e->is_lost[half]) {
        measure_lost(e, half, true);
    } else {
        m->known = e->is_unsure[half] ? SIZE_UNKNOWN : SIZE_OBSERVED;
        m->is_complete = true;
        if (m->has_declared && m->declared != m->bytes && !conn_exchange_has_no_body(e, half) && !e->is_unsure[half])
            e->t.flags |= TXN_AMBIGUOUS; /* malformed (RFC 9113, 8.1.1) */
    }
    if (c->lost[half] == e)
        c->lost[half] = NULL;
    conn_body_close(&e->body[half], c->pool->codings, m);
    e->progress[half] = CONN_DONE;
    if (e->reset_ns)
        e->t.flags &= ~TXN_ABORTED; /* it had been sent to its end by then */
    if (half == CONN_REQUEST)
        e->t.request_end_ns = now_ns;
    http2_stream_settle(e, now_ns);
}

void http2_stream_abort(struct exchange *e, int half)
{
    struct conn *c = e->conn;
    struct body_measure *m = conn_measure(e, half);
    if (e->progress[half] == CONN_DONE)
        return;
    bool is_coming = e->progress[half] == CONN_COMING;
    e->progress[half] = CONN_DONE;
    conn_body_close(&e->body[half], c->pool->codings, m);
    if (c->lost[half] == e)
        c->lost[half] = NULL;
    if (e->is_lost[half])
        measure_lost(e, half, false);
    else if (is_coming)
        m->known = e->is_unsure[half] ? SIZE_UNKNOWN : SIZE_OBSERVED;
    if (is_coming)
        e->t.flags |= TXN_ABORTED;
    if (half == CONN_RESPONSE)
        measure_hidden(e);
}

void http2_stream_end(struct exchange *e, uint32_t flags, uint64_t now_ns)
{
    e->t.flags |= flags;
    http2_stream_abort(e, CONN_REQUEST);
    http2_stream_abort(e, CONN_RESPONSE);
    http2_stream_settle(e, now_ns);
}

static void count_reset(struct http2 *h, const struct exchange *e, bool by_client)
{
    struct http2_counts *counts = &h->conn->pool->http2_counts;
    counts->resets++;
    if (!by_client || e->progress[CONN_RESPONSE] != CONN_AWAITED)
        return;
    counts->early_resets++;
    counts->rapid += ++h->early_resets == HTTP2_RAPID;
}

/* A server may answer at once and then reset the stream, so that the rest of the request is not sent (RFC 9113, 8.1). */
void http2_stream_reset(struct exchange *e, bool by_client, uint64_t now_ns)
{
    struct http2 *h = e->conn->http2;
    bool is_answered = e->progress[CONN_RESPONSE] == CONN_DONE;
    count_reset(h, e, by_client);
    if (!is_answered)
        e->t.flags |= TXN_ABORTED;
    uint32_t was = e->t.flags & TXN_ABORTED;
    http2_stream_abort(e, CONN_REQUEST);
    e->t.flags = (e->t.flags & ~TXN_ABORTED) | was;
    if (by_client && !is_answered) {
        h->n_reset = (uint16_t)(h->n_reset + (e->reset_ns == 0));
        e->reset_ns = now_ns ? now_ns : 1;
        if (h->n_reset == 1)
            h->reset_due_ns = now_ns + HTTP2_LINGER_NS;
        return;
    }
    h->recent[h->n_recent++ % HTTP2_RECENT] = e->t.stream_id;
    http2_stream_end(e, 0, now_ns);
}

void http2_stream_expire(struct http2 *h, uint64_t now_ns)
{
    struct exchange *next;
    uint64_t due_ns = UINT64_MAX;
    for (struct exchange *e = h->conn->first; e; e = next) {
        next = e->next;
        if (!e->reset_ns)
            continue;
        if (now_ns >= e->reset_ns + HTTP2_LINGER_NS) {
            h->recent[h->n_recent++ % HTTP2_RECENT] = e->t.stream_id;
            http2_stream_end(e, 0, e->reset_ns);
        } else if (e->reset_ns + HTTP2_LINGER_NS < due_ns) {
            due_ns = e->reset_ns + HTTP2_LINGER_NS;
        }
    }
    h->reset_due_ns = due_ns;
}

/* ---- losses ---- */

void http2_stream_lose(struct http2 *h, int half, bool by_gap)
{
    struct conn *c = h->conn;
    unsigned n = 0;
    for (struct exchange *e = c->first; e; e = e->next) {
        if (e->progress[half] == CONN_DONE)
            continue;
        e->is_lost[half] = true;
        if (e->progress[half] == CONN_AWAITED)
            continue; /* its head may have been lost; what comes will tell */
        n++;
        c->lost[half] = e;
        e->t.flags |= by_gap ? TXN_GAP : TXN_AMBIGUOUS;
        conn_measure(e, half)->known = SIZE_UNKNOWN;
        conn_body_close(&e->body[half], c->pool->codings, conn_measure(e, half));
    }
    if (n != 1)
        c->lost[half] = NULL;
}

/* What went by belongs to the only body there was. It is a bound: frame heads are among it. */
void http2_stream_found(struct http2 *h, int half)
{
    struct conn *c = h->conn;
    struct http2_frame *f = &h->frame[conn_direction(c, half)];
    struct exchange *e = c->lost[half];
    c->lost[half] = NULL;
    if (e) {
        conn_measure(e, half)->bytes += f->unsynced;
        conn_measure(e, half)->missing += f->missing;
    }
    for (e = c->first; e; e = e->next) /* also of those that began in between */
        e->is_lost[half] = e->is_lost[half] || e->progress[half] == CONN_AWAITED;
}

void http2_stream_hide(struct http2 *h, uint64_t bytes, bool is_acked)
{
    struct conn *c = h->conn;
    for (struct exchange *e = c->first; e; e = e->next) {
        e->hidden += bytes;
        e->is_mixed = e->is_mixed || c->n_open > 1;
        e->has_unacked = e->has_unacked || !is_acked;
    }
}

/* A client may open the window before anything has come: that says nothing. */
void http2_stream_credit(struct exchange *e, uint32_t bytes)
{
    uint64_t room = e->hidden > e->credited ? e->hidden - e->credited : 0;
    e->credited += bytes < room ? bytes : room;
}
