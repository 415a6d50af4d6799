/* SPDX-License-Identifier: Apache-2.0
 * A FIN is one when the other side acknowledges it, a SYN when it is answered, a RST when its sender falls silent. */
#include "flow/tcp_doubt.h"

#include "flow/tcp_start.h"

/* The two are at most so far apart that they may be of one connection. */
static bool is_near(uint32_t a, uint32_t b)
{
    return a - b + TCP_START_WINDOW <= 2 * TCP_START_WINDOW;
}

/* Somebody is there who has answered, and would answer a real SYN as well. */
static bool is_live(const struct tcp_stream *s, int dir)
{
    return !s->is_over && s->saw[!dir] && s->half[!dir].is_started && !s->half[!dir].is_soft;
}

/* The other side speaks of the connection that a doubted SYN has begun. */
static bool is_answered(const struct tcp_stream *s, int dir, const struct dissected *d)
{
    if (!s->has_doubted[!dir] || !(d->tcp_flags & DECAP_ACK) || d->tcp_flags & DECAP_RST)
        return false;
    if (d->tcp_flags & DECAP_SYN)
        return d->ack - s->doubted <= TCP_START_WINDOW;
    return d->ack - s->doubted <= TCP_START_WINDOW && !is_near(d->ack, s->half[!dir].next);
}

bool tcp_begins_anew(struct tcp_stream *s, int dir, const struct dissected *d)
{
    if (is_answered(s, dir, d))
        return true;
    if (!tcp_start_contradicts(s, dir, d))
        return false;
    if (!is_live(s, dir) || (dir == 1 && d->tcp_flags & DECAP_ACK))
        return true;
    if (!(d->tcp_flags & DECAP_ACK)) {
        s->has_doubted[dir] = true;
        s->has_doubted[!dir] = false;
        s->doubted = d->seq + 1;
    }
    return false;
}

bool tcp_doubt_is_false_syn(struct tcp *t, struct tcp_stream *s, int dir, const struct dissected *d)
{
    if (!tcp_start_contradicts(s, dir, d) || !is_live(s, dir))
        return false;
    t->counts->segments++;
    t->counts->false_syns++;
    t->counts->bytes_in += d->payload_wire;
    t->counts->bytes_far += d->payload_wire;
    *(d->payload_wire ? &t->counts->far : &t->counts->empty) += 1;
    return true;
}

void tcp_doubt_syn_data(struct tcp *t, struct tcp_stream *s, int dir, const struct dissected *d)
{
    struct tcp_half *o = &s->half[!dir];
    if (!(d->tcp_flags & DECAP_SYN))
        return;
    if (!(d->tcp_flags & DECAP_ACK)) {
        s->half[dir].syn_size = d->payload_wire;
        return;
    }
    while (d->ack == o->start && o->next == o->start && o->hold.first && o->hold.first->seq - o->start < o->syn_size) {
        struct hold_block *b = hold_take(&o->hold);
        t->counts->bytes_held -= b->wire;
        t->counts->bytes_far += b->wire;
        pool_give(t->blocks, b);
    }
}

bool tcp_doubt_is_fin(const struct tcp_stream *s, int dir)
{
    const struct tcp_half *h = &s->half[dir];
    return dir == 1 || s->is_ending || !s->saw[!dir] || seq_before(h->fin, h->acked);
}

bool tcp_doubt_is_moved(const struct tcp_half *h, uint32_t seq)
{
    return seq_before(h->fin, seq) && !seq_before(h->fin, h->acked);
}

bool tcp_doubt_drop_fin(struct tcp *t, struct tcp_half *h)
{
    if (h->is_finished || seq_before(h->fin, h->acked))
        return false;
    h->has_fin = false;
    t->counts->false_fins++;
    return true;
}

/* What was sent before the reset may come a little later than it. */
void tcp_doubt_reset(struct tcp *t, struct tcp_stream *s, int dir, const struct dissected *d, uint64_t now_ns)
{
    if (!s->end_ns || d->tcp_flags & DECAP_RST)
        return;
    if (d->payload_wire > 0)
        s->quiet_ns = now_ns;
    if (!s->was_reset[dir] || now_ns <= s->reset_ns + TCP_SETTLE_NS || !is_near(d->seq, s->half[dir].next))
        return;
    s->was_reset[dir] = false;
    s->end_ns = 0;
    t->counts->false_resets++;
}
