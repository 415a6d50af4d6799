/* SPDX-License-Identifier: Apache-2.0
 * A SYN says where a direction begins. Without one the lowest sequence number of the first packets does, as they may be
 * mixed up, or what the other side had got. */
#include "flow/tcp_start.h"

void tcp_start_at(struct tcp_half *h, uint32_t seq, bool is_soft)
{
    h->is_started = true;
    h->is_soft = is_soft;
    h->next = h->start = h->acked = h->acked_data = seq;
    h->ack_ns = 0;
}

/* The beginning is known better; nothing has been handed on. */
static void move(struct tcp_half *h, uint32_t seq)
{
    if (h->acked == h->start || seq_before(h->acked, seq)) /* was a guess, too */
        h->acked = seq;
    if (h->acked_data == h->start || seq_before(h->acked_data, seq))
        h->acked_data = seq;
    h->next = h->start = seq;
}

/* Whether a first SYN may say where this direction begins: nothing was handed on, and what waits or was acknowledged
 * stands behind it. */
static bool can_begin_at(const struct tcp_half *h, uint32_t first)
{
    return !h->has_syn && h->next == h->start && (h->acked == h->start || h->acked - first <= TCP_START_WINDOW) &&
           (!h->hold.first || h->hold.first->seq - first <= TCP_START_WINDOW) &&
           (!h->has_fin || h->fin - first <= TCP_START_WINDOW);
}

static void note_syn(struct tcp_stream *s, struct tcp_half *h, uint32_t first)
{
    s->has_syn = true;
    s->end_ns = 0; /* the handshake goes on: a reset was of an older connection */
    if (!h->is_started) {
        tcp_start_at(h, first, false);
    } else if (can_begin_at(h, first)) {
        move(h, first);
    } else if (h->start != first) { /* a second answer to a SYN: which one counts the client will say */
        h->other_start = first;
        h->has_other_start = true;
    }
    h->is_soft = false;
    h->has_syn = true;
}

/* The first sequence number of the sender's direction: behind its SYN, or midstream where its first data stands. */
void tcp_start_note(struct tcp_stream *s, int dir, const struct dissected *d, uint32_t size)
{
    struct tcp_half *h = &s->half[dir];
    if (d->tcp_flags & DECAP_SYN) {
        note_syn(s, h, d->seq + 1);
    } else if (size > 0 || d->tcp_flags & DECAP_FIN) {
        if (!h->is_started || (h->is_soft && h->next != d->seq))
            tcp_start_at(h, d->seq, false);
        else if (!s->is_settled && !h->has_syn && h->next - d->seq <= TCP_START_WINDOW)
            move(h, d->seq);
        h->is_soft = false;
    } else if (!h->is_started && !(d->tcp_flags & DECAP_RST)) {
        tcp_start_at(h, d->seq, true);
    }
}

/* An acknowledgement of less than was taken for the beginning, before that is settled: acknowledgements are mixed up as
 * well. The later one still holds. */
void tcp_start_early_ack(struct tcp_half *o, uint32_t ack)
{
    uint32_t acked = o->acked;
    move(o, ack);
    if (o->ack_ns)
        o->acked = acked;
}

/* One byte at the very front is what some systems probe an idle connection with: not data, and before it. In practice
 * it is 0; a printable one begins a message that was sent byte by byte. */
static void drop_probe(struct tcp *t, struct tcp_half *h)
{
    const struct hold_block *b = h->hold.first;
    if (h->has_syn || !b || b->seq != h->next || b->wire != 1 || (b->caught == 1 && b->data[0] >= ' '))
        return;
    pool_give(t->blocks, hold_take(&h->hold));
    t->counts->bytes_held--;
    t->counts->bytes_repeated++;
    move(h, h->next + 1);
}

/* Both beginnings are known, or have had their time. */
void tcp_start_settle(struct tcp *t, struct tcp_stream *s)
{
    s->is_settled = true;
    drop_probe(t, &s->half[0]);
    drop_probe(t, &s->half[1]);
}

bool tcp_start_contradicts(const struct tcp_stream *s, int direction, const struct dissected *d)
{
    const struct tcp_half *h = &s->half[direction];
    if (!(d->tcp_flags & DECAP_SYN) || d->tcp_flags & DECAP_RST || !h->is_started || h->start == d->seq + 1)
        return false;
    if (s->is_over || h->next != h->start)
        return true;
    if (!h->has_syn)
        return !can_begin_at(h, d->seq + 1) || s->half[!direction].next != s->half[!direction].start;
    return !(d->tcp_flags & DECAP_ACK); /* a second SYN-ACK may correct the first */
}
