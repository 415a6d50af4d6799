/* SPDX-License-Identifier: Apache-2.0
 * Any sequence of segments through one stream: per segment a byte of direction and flags, 16 bits each of sequence and
 * acknowledgement (stretched when the top bit is set), 8 bits each of size, cut and time. The books must balance, what
 * is told must not go back in time or position, and all memory must come back. */
#include "base/assert.h"
#include "base/times.h"
#include "flow/tcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct heard {
    uint64_t bytes[2], gaps[2];
    bool is_finished[2];
};

static void on_data(void *ctx, int dir, struct span bytes, uint64_t ns)
{
    struct heard *h = ctx;
    ASSERT(bytes.size > 0 && ns > 0 && !h->is_finished[dir]);
    h->bytes[dir] += bytes.size;
}

static void on_gap(void *ctx, int dir, uint64_t bytes, bool is_acked, uint64_t ns)
{
    struct heard *h = ctx;
    (void)is_acked; /* either */
    ASSERT(bytes > 0 && bytes < 1u << 31 && ns > 0 && !h->is_finished[dir]);
    h->gaps[dir] += bytes;
}

static void on_fin(void *ctx, int dir, uint64_t ns)
{
    struct heard *h = ctx;
    ASSERT(ns > 0 && !h->is_finished[dir]);
    h->is_finished[dir] = true;
}

static bool is_busy(void *ctx)
{
    const struct heard *h = ctx;
    return h->bytes[0] & 1;
}

static uint32_t stretch(uint16_t value)
{
    return value & 0x8000u ? value * 65537u : value;
}

static void expect_sums(const struct tcp_counts *c, const struct heard *h)
{
    ASSERT(c->segments == c->empty + c->ordered + c->held + c->retransmitted + c->late + c->keepalive + c->after_fin +
                              c->far + c->refused);
    ASSERT(c->bytes_in == c->bytes_delivered + c->bytes_cut + c->bytes_held + c->bytes_repeated + c->bytes_after_fin +
                              c->bytes_far + c->bytes_refused + c->bytes_urgent);
    ASSERT(c->bytes_delivered == h->bytes[0] + h->bytes[1]);
    ASSERT(c->bytes_cut + c->bytes_missing == h->gaps[0] + h->gaps[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct tcp_counts counts;
    static struct tcp tcp; /* its memory comes back after each run: that is asserted */
    struct tcp_stream s = {0};
    struct heard heard = {0};
    struct reader r = reader_of(span_of(data, size));
    uint64_t now = NS_PER_S;
    static const uint8_t bytes[256 * 16];
    memset(&counts, 0, sizeof counts);
    ASSERT(tcp.blocks || tcp_init(&tcp, 1, &(struct tcp_ops){on_data, on_gap, on_fin, is_busy}, &counts));
    while (r.left.size >= 8) {
        uint8_t head = reader_u8(&r);
        struct dissected d = {.tcp_flags = head & 0x37, .seq = stretch(reader_u16(&r)), .ack = stretch(reader_u16(&r))};
        d.urgent = d.ack & 0xff;
        d.payload = span_of(bytes, reader_u8(&r) * (head & 8 ? 16u : 1u));
        d.payload_wire = (uint32_t)d.payload.size;
        size_t cut = reader_u8(&r);
        d.payload.size -= cut < d.payload.size ? cut : 0;
        now += reader_u8(&r) * NS_PER_MS * (head & 0x40 ? 10 : 1);
        if (s.deadline_ns && s.deadline_ns <= now && tcp_expire(&tcp, &s, &heard, now) == TCP_OVER)
            break;
        ASSERT(!s.deadline_ns || s.deadline_ns > now);
        int dir = head >> 7;
        (void)tcp_begins_anew(&s, dir, &d), (void)tcp_goes_on(&s, dir, &d); /* any answer */
        if (tcp_feed(&tcp, &s, &heard, dir, &d, now) != TCP_GOING)
            break;
        expect_sums(&counts, &heard);
    }
    tcp_flush(&tcp, &s, &heard, now);
    expect_sums(&counts, &heard);
    ASSERT(counts.bytes_held == 0 && pool_used(tcp.blocks) == 0);
    return 0;
}
