/* SPDX-License-Identifier: Apache-2.0
 * What a segment says is noted first (start, acknowledgement, FIN, RST), then its payload is handed on or held; then
 * whatever that has made possible is handed on ("drain"), and what is still owed is given a deadline ("mark"). */
#include "flow/tcp.h"

#include "flow/tcp_doubt.h"
#include "flow/tcp_order.h"
#include "flow/tcp_start.h"

#define FAR_RUN 4u /* so many far-away segments in a row, acknowledged, are another connection */

static const struct counter_def defs[] = {
    {"tcp_segments", "packets", "TCP segments of tracked connections"},
    {"tcp_empty", "packets", "without payload"},
    {"tcp_ordered", "packets", "in order, handed on without a copy"},
    {"tcp_held", "packets", "ahead of what came before it, kept; many mean a mixed-up or lossy tap"},
    {"tcp_retransmitted", "packets", "brought nothing new"},
    {"tcp_late", "packets", "came after its bytes had been given up as missing"},
    {"tcp_keepalive", "packets", "keep-alive probes"},
    {"tcp_after_fin", "packets", "payload behind the end of the stream"},
    {"tcp_far", "packets", "sequence number outside of any window"},
    {"tcp_refused", "packets", "no memory left to hold it"},
    {"tcp_bytes_in", "bytes", "payload on the wire"},
    {"tcp_bytes_delivered", "bytes", "handed on in order"},
    {"tcp_bytes_cut", "bytes", "cut by the capture; raise the snap length"},
    {"tcp_bytes_held", "bytes", "waiting now"},
    {"tcp_bytes_repeated", "bytes", "seen before"},
    {"tcp_bytes_after_fin", "bytes", "behind the end of the stream"},
    {"tcp_bytes_far", "bytes", "outside of any window"},
    {"tcp_bytes_refused", "bytes", "no memory left to hold them"},
    {"tcp_bytes_urgent", "bytes", "urgent, which hosts leave out of the stream"},
    {"tcp_bytes_missing", "bytes", "sent, but not in the capture; a lossy or one-sided tap"},
    {"tcp_bytes_missing_acked", "bytes", "of these, acknowledged by the receiver"},
    {"tcp_gaps", "gaps", "holes given up"},
    {"tcp_forced", "gaps", "holes given up early, for lack of memory"},
    {"tcp_resets_ignored", "packets", "RST outside of the window"},
    {"tcp_acks_ignored", "packets", "acknowledgements of bytes nobody can have sent"},
    {"tcp_false_syns", "packets", "SYN inside a connection that went on; many may blind a sensor, or a scanner sends them"},
    {"tcp_false_fins", "packets", "FIN that its own sender took back; made to blind a sensor, or damaged"},
    {"tcp_false_resets", "packets", "RST of a client that went on; made to blind a sensor, or of a middlebox"},
};

_Static_assert(sizeof defs / sizeof *defs * sizeof(uint64_t) == sizeof(struct tcp_counts), "one name for each counter");

struct counters tcp_counters(const struct tcp_counts *counts)
{
    return (struct counters){defs, &counts->segments, sizeof defs / sizeof *defs};
}

bool tcp_init(struct tcp *t, uint32_t mib, const struct tcp_ops *ops, struct tcp_counts *counts)
{
    *t = (struct tcp){.counts = counts, .ops = *ops, .blocks = hold_pool_new(mib)};
    return t->blocks != NULL;
}

void tcp_fini(struct tcp *t)
{
    pool_free(t->blocks);
}

/* ---- what is owed ---- */

/* Up to where bytes of this direction have certainly been sent. The last acknowledged number may be that of a FIN that
 * was not seen, unless something shows that it is a byte. */
static uint32_t sent_limit(const struct tcp_stream *s, int dir)
{
    const struct tcp_half *h = &s->half[dir];
    bool is_byte = h->has_fin || h->acked == h->acked_data || !seq_before(h->next, h->acked) ||
                   (h->hold.last && !seq_before(hold_end(&h->hold), h->acked));
    uint32_t limit = is_byte ? h->acked : h->acked - 1;
    if (!s->saw[!dir] && h->hold.last && seq_before(limit, h->hold.last->seq))
        limit = h->hold.last->seq;
    return limit;
}

/* The other side is closed and has acknowledged one number more than we saw: our FIN, which the capture lacks. */
static bool is_fin_lost(const struct tcp_stream *s, int dir)
{
    const struct tcp_half *h = &s->half[dir];
    return h->is_started && !h->has_fin && !h->hold.first && s->half[!dir].is_finished && h->acked == h->next + 1;
}

/* Whether there is more than a bare acknowledgement to show that bytes at 'next' are missing. */
static bool is_urgent(const struct tcp_stream *s, int dir)
{
    const struct tcp_half *h = &s->half[dir];
    return h->hold.first || !s->saw[dir] || seq_before(h->next, h->acked_data) || h->has_fin;
}

/* Notes since when bytes are owed and until when they are waited for. */
static void mark(struct tcp_stream *s, int dir, uint64_t now_ns)
{
    struct tcp_half *h = &s->half[dir];
    uint32_t limit = sent_limit(s, dir);
    bool is_owed = h->is_started && seq_before(h->next, limit);
    bool is_slow = is_owed ? !is_urgent(s, dir) : is_fin_lost(s, dir);
    if (!is_owed && !is_slow) {
        h->is_marked = false;
        return;
    }
    bool is_kept = h->is_marked && h->is_mark_slow == is_slow && seq_before(h->next, h->mark);
    if (is_kept && !(is_slow && h->mark_next != h->next))
        return;
    h->is_marked = true;
    h->is_mark_slow = is_slow;
    h->mark = is_owed ? limit : h->next + 1;
    h->mark_next = h->next;
    h->mark_ns = now_ns;
    h->due_ns = now_ns + (is_slow ? TCP_SILENCE_NS : TCP_GRACE_NS);
}

static void set_deadline(struct tcp_stream *s)
{
    uint64_t first = s->end_ns;
    bool is_waiting = s->half[0].hold.first || s->half[1].hold.first || s->half[0].has_fin || s->half[1].has_fin;
    if (!s->is_settled && is_waiting && (!first || s->settle_ns < first))
        first = s->settle_ns;
    for (int dir = 0; dir < 2; dir++) {
        const struct tcp_half *h = &s->half[dir];
        if (h->is_marked && (!first || h->due_ns < first))
            first = h->due_ns;
    }
    s->deadline_ns = first;
}

/* After anything has changed. */
static void settle(struct tcp *t, struct tcp_stream *s, void *ctx, uint64_t now_ns)
{
    tcp_order_drain(t, s, ctx);
    mark(s, 0, now_ns);
    mark(s, 1, now_ns);
    s->is_over = s->is_over || (s->half[0].is_finished && s->half[1].is_finished);
    set_deadline(s);
}

/* A FIN inside of what is held is a contradiction; the bytes were seen first. */
static void note_fin(struct tcp_half *h, uint32_t seq, uint32_t ack, uint64_t now_ns)
{
    if (h->is_finished || seq_before(seq, h->next) || (h->has_fin && !tcp_doubt_is_moved(h, seq)) || (h->hold.last && seq_before(seq, hold_end(&h->hold))))
        return;
    h->has_fin = true;
    h->fin = seq;
    h->fin_ack = ack;
    h->fin_ns = now_ns;
}

/* Nobody waits for a direction that is not on the tap: what is known of it is told at once. */
static void tell_unseen(struct tcp *t, struct tcp_stream *s, void *ctx, uint64_t now_ns)
{
    for (int dir = 0; dir < 2; dir++)
        if (!s->saw[dir] && s->half[dir].is_started)
            tcp_order_give_up(&s->half[dir], sent_limit(s, dir), now_ns);
    tcp_order_drain(t, s, ctx);
}

/* What this direction owed has been waited for long enough. */
static void give_up(struct tcp_stream *s, int dir)
{
    struct tcp_half *h = &s->half[dir];
    h->is_marked = false;
    s->is_alone = !s->saw[0] || !s->saw[1];
    if (is_fin_lost(s, dir))
        note_fin(h, h->next, s->half[!dir].next, h->mark_ns);
    else
        tcp_order_give_up(h, h->mark, h->mark_ns);
}

enum tcp_result tcp_expire(struct tcp *t, struct tcp_stream *s, void *ctx, uint64_t now_ns)
{
    while (!s->is_over && s->deadline_ns && s->deadline_ns <= now_ns) {
        uint64_t deadline = s->deadline_ns;
        if (!s->is_settled && s->settle_ns <= deadline)
            tcp_start_settle(t, s);
        for (int dir = 0; dir < 2; dir++)
            if (s->half[dir].is_marked && s->half[dir].due_ns <= deadline)
                give_up(s, dir);
        bool is_reset = s->end_ns && s->end_ns <= deadline;
        s->is_over = s->is_over || is_reset;
        settle(t, s, ctx, deadline);
        if (s->is_over)
            s->end_ns = is_reset ? s->quiet_ns : deadline;
    }
    return s->is_over ? TCP_OVER : TCP_GOING;
}

/* ---- memory ---- */

/* A flow may hold an eighth of all blocks, and a 256th when they run short. */
static uint32_t allowance(const struct tcp *t)
{
    uint32_t max = pool_max(t->blocks);
    return pool_used(t->blocks) < max / 2 ? max / 8 : max / 256 + 8;
}

/* Lets the first thing that holds up a direction go. False when nothing is held. */
static bool force(struct tcp *t, struct tcp_stream *s, void *ctx, int dir, uint64_t now_ns)
{
    struct tcp_half *h = &s->half[dir];
    if (!h->hold.first) {
        dir = !dir;
        h = &s->half[dir];
    }
    if (!h->hold.first)
        return false;
    if (!s->is_settled)
        tcp_start_settle(t, s);
    uint32_t blocks = h->hold.blocks;
    if (h->hold.first->seq != h->next)
        tcp_order_give_up(h, h->hold.first->seq, now_ns);
    else
        tcp_order_give_up(&s->half[!dir], h->hold.first->ack, now_ns);
    tcp_order_drain(t, s, ctx);
    if (h->hold.first && h->hold.blocks == blocks) {
        if (h->hold.first->seq != h->next)
            tcp_order_gap(t, s, ctx, dir, h->hold.first->seq - h->next, now_ns);
        tcp_order_held(t, s, ctx, dir);
        tcp_order_drain(t, s, ctx);
    }
    return true;
}

static void make_room(struct tcp *t, struct tcp_stream *s, void *ctx, int dir, uint32_t need, uint64_t now_ns)
{
    while (s->half[0].hold.blocks + s->half[1].hold.blocks + need > allowance(t) ||
           pool_max(t->blocks) - pool_used(t->blocks) < need || s->half[dir].hold.runs == HOLD_MAX_RUNS) {
        if (!force(t, s, ctx, dir, now_ns))
            return;
        t->counts->forced++;
    }
}

/* ---- one segment ---- */

/* What the segment says about the other direction. False when it acknowledges what cannot have been sent. */
static bool note_ack(struct tcp *t, struct tcp_stream *s, int dir, uint32_t ack, bool has_data, uint64_t now_ns)
{
    struct tcp_half *o = &s->half[!dir];
    bool is_untouched = o->is_started && o->next == o->start && !o->hold.first && !o->has_fin;
    if (is_untouched && o->has_other_start && ack == o->other_start)
        tcp_start_at(o, ack, false);
    if (is_untouched && o->has_syn && !s->half[dir].has_syn && !has_data && ack != o->start) {
        t->counts->acks_ignored++; /* before its SYN-ACK a peer can only speak of an older connection */
        return false;
    }
    bool is_probed = o->is_soft && ack == o->next + 1; /* a keep-alive probe stands one before its stream */
    bool is_behind = o->is_soft && has_data && !s->has_syn && seq_before(o->next, ack);
    if (!o->is_started || is_probed || is_behind) {
        tcp_start_at(o, ack, !has_data && !s->has_syn);
        o->ack_ns = now_ns;
    } else {
        if (is_untouched && !s->is_settled && !o->has_syn && o->start - ack <= TCP_START_WINDOW)
            tcp_start_early_ack(o, ack);
        o->is_soft = o->is_soft && !has_data;
    }
    int32_t ahead = (int32_t)(ack - o->acked);
    if (ahead > (int32_t)TCP_FAR || ahead < -(int32_t)TCP_FAR) {
        o->far_acked = o->far_acked || ack - o->far_next + TCP_FAR < 2 * TCP_FAR;
        t->counts->acks_ignored++;
        return false;
    }
    if (ahead > 0) {
        o->acked = ack;
        o->ack_ns = now_ns;
    }
    if (has_data && seq_before(o->acked_data, ack))
        o->acked_data = ack;
    if (has_data && seq_before(o->next, ack) && ack == o->acked && o->ack_ns + TCP_GRACE_NS <= now_ns) /* old news */
        tcp_order_give_up(o, ack, o->ack_ns);
    return true;
}

/* Far-away segments are not of this window; a run of them, acknowledged, is another connection. */
static bool is_far(struct tcp *t, struct tcp_stream *s, int dir, const struct segment *g, bool *is_lost)
{
    struct tcp_half *h = &s->half[dir];
    int32_t ahead = (int32_t)(g->seq - h->next);
    if (ahead <= (int32_t)TCP_FAR && ahead >= -(int32_t)TCP_FAR) {
        h->far_run = 0;
        return false;
    }
    bool continues = h->far_run && g->seq - h->far_next + TCP_FAR < 2 * TCP_FAR;
    h->far_run = continues ? (uint8_t)(h->far_run + (h->far_run < FAR_RUN)) : 1;
    h->far_acked = continues && h->far_acked;
    h->far_next = g->seq + g->wire;
    *is_lost = h->far_run == FAR_RUN && (h->far_acked || !s->saw[!dir]);
    if (!*is_lost) {
        t->counts->far++;
        t->counts->bytes_far += g->wire;
    }
    return true;
}

static void cut_front(struct segment *g, uint32_t bytes)
{
    g->seq += bytes;
    g->wire -= bytes;
    g->bytes = span_from(g->bytes, bytes);
}

static void count_old(struct tcp *t, const struct tcp_half *h, const struct segment *g)
{
    if (g->wire == 1 && g->seq == h->next - 1)
        t->counts->keepalive++;
    else if (h->gap_from != h->gap_to && seq_before(g->seq, h->gap_to) && seq_before(h->gap_from, g->seq + g->wire))
        t->counts->late++;
    else
        t->counts->retransmitted++;
}

/* Takes off what was handed on before and what stands behind the FIN. False when nothing is left. */
static bool trim(struct tcp *t, struct tcp_half *h, struct segment *g)
{
    if (seq_before(g->seq, h->next)) {
        uint32_t old = h->next - g->seq;
        if (old >= g->wire) {
            t->counts->bytes_repeated += g->wire;
            count_old(t, h, g);
            return false;
        }
        t->counts->bytes_repeated += old;
        cut_front(g, old);
    }
    if (h->has_fin && seq_before(h->fin, g->seq + g->wire) && !tcp_doubt_drop_fin(t, h)) {
        uint32_t behind = seq_before(g->seq, h->fin) ? g->seq + g->wire - h->fin : g->wire;
        t->counts->bytes_after_fin += behind;
        g->wire -= behind;
        g->bytes = span_sub(g->bytes, 0, g->wire);
        t->counts->after_fin += g->wire == 0;
    }
    return g->wire > 0;
}

static void hold_segment(struct tcp *t, struct tcp_half *h, const struct segment *g)
{
    uint32_t refused;
    uint32_t kept = hold_put(&h->hold, t->blocks, g, &refused);
    t->counts->bytes_held += kept;
    t->counts->bytes_refused += refused;
    t->counts->bytes_repeated += g->wire - kept - refused;
    if (kept > 0)
        t->counts->held++;
    else if (refused > 0)
        t->counts->refused++;
    else
        t->counts->retransmitted++;
}

/* 'g' begins at or behind 'next'. */
static bool is_direct(const struct tcp_stream *s, int dir, const struct segment *g)
{
    const struct tcp_half *h = &s->half[dir];
    if (!s->is_settled || g->seq != h->next || !tcp_order_is_answered(s, dir, g->ack))
        return false;
    return !h->hold.first || !seq_before(h->hold.first->seq, g->seq + g->wire);
}

static void take_payload(struct tcp *t, struct tcp_stream *s, void *ctx, int dir, struct segment *g)
{
    struct tcp_half *h = &s->half[dir];
    t->counts->bytes_in += g->wire;
    if (!trim(t, h, g))
        return;
    if (is_direct(s, dir, g)) {
        t->counts->ordered++;
        tcp_order_data(t, s, ctx, dir, g);
        return;
    }
    make_room(t, s, ctx, dir, hold_need(g), g->time_ns);
    if (!trim(t, h, g)) /* making room may have given up what this segment brings */
        return;
    hold_segment(t, h, g);
}

/* RFC 5961, 3.2 lets only the exact number reset; a lossy capture may lag behind, so some bytes ahead count too. */
static void note_reset(struct tcp *t, struct tcp_stream *s, void *ctx, int dir, const struct dissected *d,
                       uint64_t now_ns)
{
    struct tcp_half *h = &s->half[dir];
    uint32_t ahead = d->seq - h->next + (h->is_finished ? 1 : 0);
    if (h->is_started && !h->is_soft && ahead > TCP_START_WINDOW) {
        t->counts->resets_ignored++;
        return;
    }
    s->was_reset[dir] = true;
    bool is_owed =
        (h->is_started && !h->is_soft && seq_before(h->next, d->seq)) || h->hold.first || s->half[!dir].hold.first;
    for (int i = 0; i < 2; i++)
        is_owed = is_owed || (s->half[i].is_started && seq_before(s->half[i].next, sent_limit(s, i)));
    bool is_doubted = dir == 0 && t->ops.is_busy && t->ops.is_busy(ctx);
    if (!is_owed && !is_doubted)
        s->is_over = true;
    else if (!s->end_ns) {
        s->reset_ns = s->quiet_ns = now_ns;
        s->end_ns = now_ns + (is_doubted ? TCP_RESET_NS : TCP_GRACE_NS);
    }
}

void tcp_swap(struct tcp_stream *s)
{
    struct tcp_half half = s->half[0];
    bool saw = s->saw[0], was_reset = s->was_reset[0];
    s->half[0] = s->half[1];
    s->half[1] = half;
    s->saw[0] = s->saw[1];
    s->saw[1] = saw;
    s->was_reset[0] = s->was_reset[1];
    s->was_reset[1] = was_reset;
}

bool tcp_goes_on(const struct tcp_stream *s, int direction, const struct dissected *d)
{
    const struct tcp_half *h = &s->half[direction];
    if (d->tcp_flags & DECAP_RST)
        return false;
    if (d->tcp_flags & DECAP_SYN)
        return s->was_reset[0] || s->was_reset[1];
    if (d->payload_wire == 0)
        return false;
    if (!h->is_started || d->seq - h->next + TCP_START_WINDOW > 2 * TCP_START_WINDOW)
        return h->is_started;
    return s->was_reset[direction] && d->seq == h->next;
}

static bool is_quiet(const struct tcp_stream *s)
{
    const struct tcp_half *a = &s->half[0], *b = &s->half[1];
    return !a->hold.first && !b->hold.first && !s->deadline_ns && !s->end_ns && !s->is_alone &&
           a->has_fin == a->is_finished && b->has_fin == b->is_finished && !seq_before(a->next, a->acked) &&
           !seq_before(b->next, b->acked);
}

enum tcp_result tcp_feed(struct tcp *t, struct tcp_stream *s, void *ctx, int direction, const struct dissected *d,
                         uint64_t now_ns)
{
    struct tcp_half *h = &s->half[direction];
    bool is_lost = false;
    if (!s->settle_ns)
        s->settle_ns = now_ns + TCP_SETTLE_NS;
    s->saw[direction] = true;
    s->is_alone = s->is_alone && !s->saw[!direction];
    if (tcp_doubt_is_false_syn(t, s, direction, d))
        return TCP_GOING;
    tcp_doubt_reset(t, s, direction, d, now_ns);
    struct segment g = {.seq = d->seq + (d->tcp_flags & DECAP_SYN ? 1 : 0), .time_ns = now_ns};
    if (!(d->tcp_flags & DECAP_RST)) { /* what a reset carries is an explanation, not of the stream */
        g.wire = d->payload_wire;
        g.bytes = d->payload;
    }
    tcp_start_note(s, direction, d, g.wire);
    tcp_doubt_syn_data(t, s, direction, d);
    if (!s->is_settled && ((s->half[0].has_syn && s->half[1].has_syn) || s->settle_ns <= now_ns))
        tcp_start_settle(t, s);
    bool is_ack = d->tcp_flags & DECAP_ACK && note_ack(t, s, direction, d->ack, g.wire > 0, now_ns);
    g.ack = is_ack ? d->ack : s->half[!direction].next;
    if (s->is_alone)
        tell_unseen(t, s, ctx, now_ns);
    uint32_t end = g.seq + g.wire;
    bool is_elsewhere =
        h->is_started && (g.wire > 0 || d->tcp_flags & DECAP_FIN) && is_far(t, s, direction, &g, &is_lost);
    if (is_lost)
        return TCP_LOST;
    t->counts->segments++;
    if (is_elsewhere) {
        t->counts->bytes_in += g.wire;
        return TCP_GOING;
    }
    if (d->tcp_flags & DECAP_URG && g.wire > 0)
        tcp_order_urgent(h, g.seq + d->urgent - (d->urgent > 0));
    if (g.wire > 0)
        take_payload(t, s, ctx, direction, &g);
    else
        t->counts->empty++;
    if (d->tcp_flags & DECAP_RST)
        note_reset(t, s, ctx, direction, d, now_ns);
    else if (d->tcp_flags & DECAP_FIN)
        note_fin(h, end, is_ack ? d->ack : s->half[!direction].next + 1, now_ns);
    if (!is_quiet(s) || s->is_over)
        settle(t, s, ctx, now_ns);
    return s->is_over ? TCP_OVER : TCP_GOING;
}

/* One last number behind bytes that were seen, which is only acknowledged, is rather the FIN than a byte. */
static void flush_half(struct tcp_stream *s, int dir, uint64_t now_ns)
{
    struct tcp_half *h = &s->half[dir];
    bool is_closing = s->half[!dir].has_fin || (s->saw[dir] && h->acked == h->next + 1 && h->gap_to != h->next);
    uint32_t end = is_closing ? sent_limit(s, dir) : h->acked;
    if (!h->is_started)
        return;
    if (h->hold.last && seq_before(end, h->hold.last->seq))
        end = h->hold.last->seq;
    if (h->has_fin && seq_before(end, h->fin))
        end = h->fin;
    tcp_order_give_up(h, end, h->ack_ns && !seq_before(h->acked, end) ? h->ack_ns : now_ns);
}

/* One acknowledged number is left that no packet showed while the connection was being closed: the FIN. */
static void flush_last(struct tcp *t, struct tcp_stream *s, void *ctx, int dir)
{
    struct tcp_half *h = &s->half[dir];
    if (!h->is_started || h->is_finished || h->acked != h->next + 1)
        return;
    h->fin_ns = h->ack_ns;
    tcp_order_fin(t, s, ctx, dir);
}

void tcp_flush(struct tcp *t, struct tcp_stream *s, void *ctx, uint64_t now_ns)
{
    s->is_ending = true;
    if (!s->is_settled)
        tcp_start_settle(t, s);
    do {
        flush_half(s, 0, now_ns);
        flush_half(s, 1, now_ns);
        tcp_order_drain(t, s, ctx);
    } while (force(t, s, ctx, 0, now_ns));
    flush_last(t, s, ctx, 0);
    flush_last(t, s, ctx, 1);
    tcp_order_drain(t, s, ctx);
    s->deadline_ns = s->end_ns = 0;
    s->is_over = true;
}
