/* SPDX-License-Identifier: Apache-2.0
 * The order in which the bytes of both directions are handed on: by sequence number, and not before what they answer
 * to. */
#include "flow/tcp_order.h"

#include "flow/tcp_doubt.h"

void tcp_order_gap(struct tcp *t, struct tcp_stream *s, void *ctx, int dir, uint32_t bytes, uint64_t ns)
{
    struct tcp_half *h = &s->half[dir];
    uint32_t end = h->next + bytes;
    bool is_acked = !seq_before(h->acked, end) && s->saw[!dir];
    t->counts->gaps++;
    t->counts->bytes_missing += bytes;
    t->counts->bytes_missing_acked += is_acked ? bytes : 0;
    h->gap_from = h->next;
    h->gap_to = end;
    h->next = end;
    t->ops.gap(ctx, dir, bytes, is_acked, ns);
}

void tcp_order_urgent(struct tcp_half *h, uint32_t seq)
{
    if (seq_before(seq, h->next) || (h->has_urgent && !seq_before(h->urgent, seq)))
        return;
    h->has_urgent = true;
    h->urgent = seq;
}

/* 'bytes' without the urgent one among them. */
static void tell_bytes(struct tcp *t, struct tcp_half *h, void *ctx, int dir, const struct segment *g)
{
    struct span bytes = g->bytes, before = span_of(NULL, 0);
    uint32_t at = h->urgent - g->seq;
    if (h->has_urgent && at < bytes.size) {
        h->has_urgent = false;
        t->counts->bytes_urgent++;
        before = span_sub(bytes, 0, at);
        bytes = span_from(bytes, at + 1);
    }
    t->counts->bytes_delivered += before.size + bytes.size;
    if (before.size > 0)
        t->ops.data(ctx, dir, before, g->time_ns);
    if (bytes.size > 0)
        t->ops.data(ctx, dir, bytes, g->time_ns);
}

void tcp_order_data(struct tcp *t, struct tcp_stream *s, void *ctx, int dir, const struct segment *g)
{
    struct tcp_half *h = &s->half[dir];
    uint32_t cut = g->wire - (uint32_t)g->bytes.size;
    t->counts->bytes_cut += cut;
    h->next = g->seq + g->wire;
    tell_bytes(t, h, ctx, dir, g);
    if (cut > 0)
        t->ops.gap(ctx, dir, cut, false, g->time_ns);
}

/* Whether all of the other side that the sender of this had got when it sent it has been handed on. */
bool tcp_order_is_answered(const struct tcp_stream *s, int dir, uint32_t ack)
{
    const struct tcp_half *other = &s->half[!dir];
    return !other->is_started || !seq_before(other->next, ack);
}

void tcp_order_fin(struct tcp *t, struct tcp_stream *s, void *ctx, int dir)
{
    struct tcp_half *h = &s->half[dir];
    h->is_finished = true;
    h->next++;
    t->ops.fin(ctx, dir, h->fin_ns);
}

/* Hands on the first held block, which stands at 'next'. */
void tcp_order_held(struct tcp *t, struct tcp_stream *s, void *ctx, int dir)
{
    struct hold_block *b = hold_take(&s->half[dir].hold);
    t->counts->bytes_held -= b->wire;
    tcp_order_data(
        t, s, ctx, dir,
        &(struct segment){.seq = b->seq, .wire = b->wire, .bytes = span_of(b->data, b->caught), .time_ns = b->time_ns});
    pool_give(t->blocks, b);
}

/* Hands on what stands at 'next' and is answered. True when there was something. */
static bool tell_ready(struct tcp *t, struct tcp_stream *s, void *ctx, int dir)
{
    struct tcp_half *h = &s->half[dir];
    bool did = false;
    while (h->hold.first && h->hold.first->seq == h->next && tcp_order_is_answered(s, dir, h->hold.first->ack)) {
        tcp_order_held(t, s, ctx, dir);
        did = true;
    }
    /* the other side's FIN, when it was lost, is the one number that may be acknowledged without ever being seen */
    if (h->has_fin && !h->is_finished && h->next == h->fin && tcp_order_is_answered(s, dir, h->fin_ack - 1) &&
        tcp_doubt_is_fin(s, dir)) {
        tcp_order_fin(t, s, ctx, dir);
        did = true;
    }
    return did;
}

/* How many bytes are missing at 'next' that need not be waited for any more. Not more than what the other side waits
 * for: what it says next came before the rest. */
static uint32_t overdue(struct tcp_half *h, const struct tcp_half *other)
{
    const struct hold_block *waits = other->hold.first;
    if (!h->is_over_set)
        return 0;
    if (!seq_before(h->next, h->over)) {
        h->is_over_set = false;
        return 0;
    }
    uint32_t end = h->over;
    if (h->hold.first && seq_before(h->hold.first->seq, end))
        end = h->hold.first->seq;
    if (h->has_fin && seq_before(h->fin, end))
        end = h->fin;
    if (waits && waits->seq == other->next && seq_before(h->next, waits->ack) && seq_before(waits->ack, end))
        end = waits->ack;
    return seq_before(h->next, end) ? end - h->next : 0;
}

/* Gives up one hole. When both sides have one, the one comes first whose following bytes do not answer to the other. */
static bool skip_overdue(struct tcp *t, struct tcp_stream *s, void *ctx)
{
    uint32_t size[2] = {overdue(&s->half[0], &s->half[1]), overdue(&s->half[1], &s->half[0])};
    if (!size[0] && !size[1])
        return false;
    int dir = size[0] ? 0 : 1;
    if (size[0] && size[1]) {
        const struct hold_block *after[2] = {s->half[0].hold.first, s->half[1].hold.first};
        bool is_free0 = after[0] && tcp_order_is_answered(s, 0, after[0]->ack);
        dir = !is_free0 && after[1] && tcp_order_is_answered(s, 1, after[1]->ack);
    }
    tcp_order_gap(t, s, ctx, dir, size[dir], s->half[dir].over_ns);
    return true;
}

static bool is_blocked(const struct tcp_stream *s, int dir)
{
    const struct tcp_half *h = &s->half[dir];
    return h->hold.first && h->hold.first->seq == h->next;
}

/* Two held segments that each claim to answer the other: forged or retransmitted with a later acknowledgement. When
 * that is overdue, the older one goes first. */
static bool break_circle(struct tcp *t, struct tcp_stream *s, void *ctx)
{
    if (!is_blocked(s, 0) || !is_blocked(s, 1) || !(s->half[0].is_over_set || s->half[1].is_over_set))
        return false;
    tcp_order_held(t, s, ctx, s->half[1].hold.first->time_ns < s->half[0].hold.first->time_ns);
    return true;
}

void tcp_order_drain(struct tcp *t, struct tcp_stream *s, void *ctx)
{
    bool did = false;
    if (!s->is_settled)
        return;
    do {
        did = tell_ready(t, s, ctx, 0);
        did |= tell_ready(t, s, ctx, 1);
        did = did || skip_overdue(t, s, ctx) || break_circle(t, s, ctx);
    } while (did);
}

void tcp_order_give_up(struct tcp_half *h, uint32_t over, uint64_t ns)
{
    if (seq_before(h->next, over) && (!h->is_over_set || seq_before(h->over, over))) {
        h->over = over;
        h->over_ns = ns;
        h->is_over_set = true;
    }
}
