/* SPDX-License-Identifier: Apache-2.0
 * Pairing. Responses come in the order of their requests (RFC 9112, 9.3). Where bytes are lost, one more thing is used:
 * a client that does not pipeline asks again only when it has its answer. */
#include "flow/conn_pair.h"

static bool is_two_sided(const struct conn *c)
{
    return c->info->saw[0] && c->info->saw[1];
}

static void note_odd(struct exchange *e, int half)
{
    if (e->conn->side[conn_direction(e->conn, half)].is_odd)
        e->t.flags |= TXN_AMBIGUOUS;
}

/* Bytes of a body by what of its framing is there. */
static void add_reframed(struct exchange *e, int half, uint64_t bytes)
{
    struct body_measure *m = conn_measure(e, half);
    m->bytes += bytes;
    if (m->missing > e->missing_before[half] + bytes)
        m->missing = e->missing_before[half] + bytes;
}

/* Whether what comes behind the gap cannot be of another message: each one of the other side is known. */
static bool is_same(const struct exchange *e, int half)
{
    return e->is_lost[half] && !e->next && !e->conn->had_gap[!half];
}

/* Its bytes have been counted to its end, or as far as it came. Where some of the framing is missing, what a head says of
 * the size of a whole body is better. */
static void set_counted(struct exchange *e, int half, bool is_complete)
{
    struct body_measure *m = conn_measure(e, half);
    m->is_complete = is_complete && (!e->is_lost[half] || is_same(e, half));
    m->known = !e->is_lost[half] ? SIZE_OBSERVED : is_same(e, half) ? SIZE_REFRAMED : SIZE_UNKNOWN;
    if (e->is_lost[half] && is_complete)
        (void)conn_exchange_take_said(e, half, 0);
}

/* The bytes that went by while sync was lost are charged to 'e'. They are a bound: what is left of a head and of chunk
 * framing is among them. When the answer's head is not known to the sensor and the client acknowledged everything that
 * is missing, that is a size of its own kind. */
static void charge(struct exchange *e, int half)
{
    struct conn *c = e->conn;
    struct http1 *h = &c->side[conn_direction(c, half)];
    struct body_measure *m = conn_measure(e, half);
    if (c->lost[half] != e)
        return;
    c->lost[half] = NULL;
    uint64_t rest;
    if (http1_end_body(h, e->is_followed, &rest) && is_same(e, half)) {
        add_reframed(e, half, rest);
        set_counted(e, half, true);
        h->unsynced = 0;
        return;
    }
    m->bytes += h->unsynced;
    h->unsynced = 0;
    bool is_whole = half == CONN_RESPONSE && !e->is_lost[half] && !e->has_unacked && !e->is_mixed;
    m->known = is_whole && m->bytes ? SIZE_ACKNOWLEDGED : SIZE_UNKNOWN;
    if (m->known == SIZE_UNKNOWN && e->is_followed)
        (void)conn_exchange_take_said(e, half, 0);
}

void conn_pair_settle(struct conn *c, uint64_t now_ns)
{
    struct exchange *e;
    while ((e = c->first) && e->progress[CONN_REQUEST] == CONN_DONE && e->progress[CONN_RESPONSE] == CONN_DONE) {
        charge(e, CONN_REQUEST);
        conn_exchange_tell_end(e, now_ns);
        conn_exchange_free(e);
    }
}

void conn_pair_abort(struct exchange *e, int half)
{
    struct conn *c = e->conn;
    struct body_measure *m = conn_measure(e, half);
    if (e->progress[half] == CONN_DONE)
        return;
    bool is_coming = e->progress[half] == CONN_COMING;
    e->progress[half] = CONN_DONE;
    conn_body_close(&e->body[half], c->pool->codings, m);
    if (c->lost[half] == e)
        charge(e, half);
    else if (is_coming && c->side[conn_direction(c, half)].state == HTTP1_AT_PEEK)
        m->known = SIZE_UNKNOWN; /* perhaps the answer to a HEAD request: it had no body to lose */
    else if (is_coming) {
        set_counted(e, half, false);
        note_odd(e, half);
        e->t.flags |= TXN_ABORTED;
    }
    if (c->active[half] == e)
        c->active[half] = NULL;
}

void conn_pair_end_all(struct conn *c, uint32_t flags, uint64_t now_ns)
{
    while (c->first) {
        struct exchange *e = c->first;
        e->t.flags |= flags;
        conn_pair_abort(e, CONN_REQUEST);
        conn_pair_abort(e, CONN_RESPONSE);
        conn_pair_settle(c, now_ns);
    }
}

/* Up to and with 'last': nothing more comes for them. */
static void close_up_to(struct conn *c, struct exchange *last, uint64_t now_ns)
{
    for (struct exchange *e = c->first; e; e = e->next) {
        e->is_followed = true;
        conn_pair_abort(e, CONN_RESPONSE);
        if (e == last)
            break;
    }
    conn_pair_settle(c, now_ns);
}

static struct exchange *first_awaiting(struct exchange *e, bool can_be_ghost)
{
    while (e && (e->progress[CONN_RESPONSE] != CONN_AWAITED || (e->is_ghost && !can_be_ghost)))
        e = e->next;
    return e;
}

static bool is_out_of_sync(const struct conn *c, int half)
{
    uint8_t state = c->side[conn_direction(c, half)].state;
    return state == HTTP1_AT_RESYNC || state == HTTP1_AT_SLEEP;
}

/* A request while its own predecessor, whose end was not seen, waits for its answer: only from who pipelines. */
static bool is_plausible_request(const struct conn *c)
{
    return c->is_pipelining || is_out_of_sync(c, CONN_RESPONSE) || !first_awaiting(c->first, true);
}

/* A response must have been asked for. */
static bool is_plausible_response(const struct conn *c)
{
    const struct exchange *lost = c->lost[CONN_RESPONSE], *e = first_awaiting(c->first, true);
    if (e && e == lost)
        e = first_awaiting(e->next, true);
    if (e || c->is_request_missed || c->number == c->info->numbered)
        return true;
    /* its first bytes are missing, so this is not its head, unless something came before that: an interim response */
    return lost && lost->progress[CONN_RESPONSE] == CONN_AWAITED &&
           (c->info->is_midstream || fields_get(&lost->t.request_fields, SPAN("expect")).at);
}

bool conn_pair_is_plausible(const struct conn *c, int half)
{
    if (!is_two_sided(c))
        return true;
    return half == CONN_REQUEST ? is_plausible_request(c) : is_plausible_response(c);
}

/* A new request has begun, seen or not. From a client that does not pipeline that is the end of an answer whose own end
 * could not be seen. */
static void end_lost(struct conn *c, uint64_t now_ns)
{
    bool is_blind = !c->info->saw[conn_direction(c, CONN_RESPONSE)];
    if (c->lost[CONN_REQUEST])
        charge(c->lost[CONN_REQUEST], CONN_REQUEST);
    if (c->active[CONN_RESPONSE] && c->active[CONN_RESPONSE]->is_doubtful) {
        http1_lose(&c->side[conn_direction(c, CONN_RESPONSE)], &c->pool->memory);
        conn_pair_lose_inside(c, CONN_RESPONSE, true);
    }
    struct exchange *lost = c->lost[CONN_RESPONSE];
    bool are_all =
        is_blind ? lost || c->n_open >= CONN_MAX_OPEN : is_out_of_sync(c, CONN_RESPONSE) && !c->is_pipelining;
    if (are_all)
        lost = c->last;
    if (lost)
        close_up_to(c, lost, now_ns);
    c->is_pipelining = c->is_pipelining || first_awaiting(c->first, true);
}

void conn_pair_end_early(struct conn *c)
{
    if (c->first && c->first->is_early)
        c->first->progress[CONN_REQUEST] = CONN_DONE;
}

struct exchange *conn_pair_request(struct conn *c, uint64_t now_ns)
{
    end_lost(c, now_ns);
    if (c->first && c->first->is_early) { /* then it is the only one */
        c->first->t.flags = (c->first->t.flags & ~TXN_NO_REQUEST) | TXN_AMBIGUOUS;
        return c->first;
    }
    if (c->n_open >= CONN_MAX_OPEN) {
        c->pool->counts.too_many++;
        return NULL;
    }
    c->is_request_missed = false;
    struct exchange *e = conn_exchange_new(c);
    if (e && c->is_finished[CONN_RESPONSE])
        e->progress[CONN_RESPONSE] = CONN_DONE;
    return e;
}

bool conn_pair_has_awaiting(const struct conn *c)
{
    return first_awaiting(c->first, true) != NULL;
}

/* It has been answered already; the rest of the request is not waited for. */
static void leave_request(struct exchange *e)
{
    if (e->progress[CONN_REQUEST] == CONN_COMING)
        e->t.request_body.known = SIZE_OBSERVED;
    e->progress[CONN_REQUEST] = CONN_DONE;
}

/* A response nobody is known to have asked for. What came before it is over. */
static struct exchange *unasked(struct conn *c, uint64_t now_ns)
{
    for (struct exchange *e = c->first; e; e = e->next) {
        leave_request(e);
        conn_pair_abort(e, CONN_RESPONSE);
    }
    conn_pair_settle(c, now_ns);
    struct exchange *e = conn_exchange_new(c);
    if (e)
        e->progress[CONN_REQUEST] = CONN_DONE;
    return e;
}

/* Whether every byte was seen that a request may have been in, and one may still come. */
static bool can_be_early(const struct conn *c)
{
    return is_two_sided(c) && !c->info->is_midstream && !c->had_gap[CONN_REQUEST] && !c->had_gap[CONN_RESPONSE] &&
           !c->is_request_missed && !c->is_finished[CONN_REQUEST];
}

struct exchange *conn_pair_response(struct conn *c, bool is_found, bool can_wait, uint64_t now_ns)
{
    struct exchange *lost = c->lost[CONN_RESPONSE], *e;
    if (lost && lost->progress[CONN_RESPONSE] == CONN_AWAITED && !first_awaiting(lost->next, true)) {
        /* the only request there is: what was lost was an interim response, or no gap at all */
        c->lost[CONN_RESPONSE] = NULL;
        lost->t.response_body = (struct body_measure){0};
        e = lost;
    } else {
        if (lost)
            close_up_to(c, lost, now_ns);
        e = first_awaiting(c->first, !is_found);
        if (!e)
            e = first_awaiting(c->first, true);
    }
    if (!e) {
        e = unasked(c, now_ns);
        if (e && can_wait && !is_found && can_be_early(c)) {
            e->is_early = true;
            e->progress[CONN_REQUEST] = CONN_AWAITED;
        }
    }
    if (!e)
        return NULL;
    /* ghosts before it have lost their answer too; who was answered early ends where the next answer begins */
    for (struct exchange *before = c->first; before != e; before = before->next) {
        leave_request(before);
        conn_pair_abort(before, CONN_RESPONSE);
    }
    conn_pair_settle(c, now_ns);
    if (!e->is_told) {
        c->is_request_missed = false;
        e->t.flags |= TXN_NO_REQUEST | (c->had_gap[CONN_REQUEST] && is_two_sided(c) ? TXN_GAP : 0);
    }
    e->is_ghost = false;
    return e;
}

void conn_pair_complete(struct conn *c, int half, uint64_t now_ns)
{
    struct exchange *e = c->active[half];
    c->active[half] = NULL;
    if (!e)
        return;
    struct body_measure *m = conn_measure(e, half);
    set_counted(e, half, true);
    note_odd(e, half);
    conn_body_close(&e->body[half], c->pool->codings, m);
    e->progress[half] = CONN_DONE;
    if (half == CONN_REQUEST)
        e->t.request_end_ns = now_ns;
    conn_pair_settle(c, now_ns);
}

void conn_pair_lose_inside(struct conn *c, int half, bool by_gap)
{
    struct exchange *e = c->active[half];
    c->active[half] = NULL;
    c->lost[half] = e;
    if (!e)
        return;
    e->is_lost[half] = true;
    e->t.flags |= by_gap ? TXN_GAP : TXN_AMBIGUOUS;
    e->missing_before[half] = conn_measure(e, half)->missing;
    conn_measure(e, half)->known = SIZE_UNKNOWN;
    conn_body_close(&e->body[half], c->pool->codings, conn_measure(e, half));
    if (half == CONN_REQUEST)
        e->progress[half] = CONN_DONE; /* its end will not be seen; its answer ends it */
}

void conn_pair_find_inside(struct conn *c, int half, uint64_t bytes)
{
    struct exchange *e = c->lost[half];
    struct http1 *h = &c->side[conn_direction(c, half)];
    if (!e)
        return;
    if (!is_same(e, half)) {
        conn_measure(e, half)->bytes += h->unsynced;
        http1_lose(h, &c->pool->memory);
        return;
    }
    c->lost[half] = NULL;
    c->active[half] = e;
    e->progress[half] = CONN_COMING;
    add_reframed(e, half, bytes);
}

void conn_pair_lose_start(struct conn *c, int half, uint64_t now_ns)
{
    c->side[conn_direction(c, half)].unsynced = 0;
    if (half == CONN_RESPONSE) {
        struct exchange *e = c->lost[half] = first_awaiting(c->first, true);
        if (e && e->next)
            e->is_mixed = true;
        if (e && is_two_sided(c))
            e->t.flags |= TXN_GAP;
        return;
    }
    end_lost(c, now_ns);
    c->is_request_missed = true;
    if (!is_two_sided(c) || c->n_open >= CONN_MAX_OPEN)
        return;
    struct exchange *ghost = conn_exchange_new(c);
    if (!ghost)
        return;
    ghost->is_ghost = true;
    ghost->progress[CONN_REQUEST] = CONN_DONE;
}

void conn_pair_miss(struct conn *c, int half, uint64_t bytes, bool is_acked)
{
    struct exchange *e = c->lost[half];
    if (!e)
        return;
    conn_measure(e, half)->missing += bytes;
    if (half == CONN_RESPONSE && !is_acked)
        e->has_unacked = true;
}
