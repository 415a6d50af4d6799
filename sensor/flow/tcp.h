/* SPDX-License-Identifier: Apache-2.0
 * Both directions of one TCP connection, from segments in any order to bytes in order and explicit gaps (RFC 9293).
 *
 * In-order segments are handed on without a copy. Where segments overlap, the bytes seen first stay. A SPAN port mixes
 * up frames of the two directions too, and who pairs requests with responses must not see an answer before its
 * question: a segment that acknowledges bytes of the other side that have not come yet waits for them like one behind a
 * hole.
 *
 * A hole becomes a gap when the receiver has acknowledged it (nobody will send it again) and TCP_GRACE_NS of packet
 * time has passed since, or when the memory for waiting segments is used up, or at the end. Where nothing but a bare
 * acknowledgement tells of it (no data behind it, no answer to it) the sender must have been silent for TCP_SILENCE_NS:
 * acknowledging in advance blinds nobody. Without the other direction on the tap the grace alone decides, and the bytes
 * of that other direction are told as acknowledged gaps before the visible data that came after them. Times are packet
 * times; the deadline of what waits is exact, so results do not depend on how often anyone looks.
 *
 * A client may send what only the sensor gets to see: with a TTL that ends in between, or in the place of what its server
 * ignores. So its FIN ends its stream only when the server has acknowledged it, and data behind it before shows that it
 * was none. Its RST in the middle of an answer ends the connection when it has been silent for TCP_RESET_NS. Its SYN
 * begins another connection when the server answers it. The data of a SYN is the stream's when the server acknowledges
 * it, or does not answer on this tap. The urgent byte (RFC 6093) is left out of the stream, as hosts do.
 *
 * Without both SYN nobody knows where a direction begins, and its first frames may be mixed up as well: everything
 * waits for TCP_SETTLE_NS from the first packet on, and then begins at the lowest sequence number seen. */
#ifndef FLOW_TCP_H
#define FLOW_TCP_H

#include "base/counter.h"
#include "flow/hold.h"
#include "wire/decap.h"

#define TCP_GRACE_NS 200000000ULL
#define TCP_SILENCE_NS 2000000000ULL
#define TCP_SETTLE_NS 20000000ULL
#define TCP_RESET_NS 60000000000ULL
#define TCP_FAR (64u << 20) /* bytes: a sequence number further away belongs to no window */

/* Where a stream goes; direction 0 is the client's. */
struct tcp_ops {
    void (*data)(void *ctx, int direction, struct span bytes, uint64_t ns);
    void (*gap)(void *ctx, int direction, uint64_t bytes, bool is_acked, uint64_t ns);
    void (*fin)(void *ctx, int direction, uint64_t ns);
    bool (*is_busy)(void *ctx); /* whether an answer is under way; NULL: never */
};

/* Each segment ends as one of: empty ordered held retransmitted late keepalive after_fin far refused (so segments is
 * their sum). bytes_in (payload on the wire) = bytes_delivered + bytes_cut + bytes_held (now waiting) + bytes_repeated
 * + bytes_after_fin + bytes_far + bytes_refused + bytes_urgent. */
struct tcp_counts {
    uint64_t segments;
    uint64_t empty, ordered, held, retransmitted, late, keepalive, after_fin, far, refused;
    uint64_t bytes_in, bytes_delivered, bytes_cut, bytes_held, bytes_repeated;
    uint64_t bytes_after_fin, bytes_far, bytes_refused, bytes_urgent;
    uint64_t bytes_missing;       /* told as gaps; bytes_cut is not among them */
    uint64_t bytes_missing_acked; /* of these, acknowledged by the receiver */
    uint64_t gaps, forced, resets_ignored, acks_ignored;
    uint64_t false_syns, false_fins, false_resets;
};

/* Shared by all streams of one worker. */
struct tcp {
    struct tcp_counts *counts;
    struct tcp_ops ops;
    struct pool *blocks;
};

struct tcp_half {
    /* read for every segment */
    struct hold hold;
    uint32_t next;            /* sequence number of the next byte to hand on */
    uint32_t start;           /* of its first byte */
    uint32_t acked;           /* the other side has confirmed up to here */
    uint32_t acked_data;      /* the same, by segments that carried data */
    bool is_started, is_soft; /* soft: 'next' is a guess that the first data may correct */
    bool has_syn, has_other_start, has_urgent;
    bool is_marked, is_mark_slow, is_over_set, has_fin, is_finished;
    bool far_acked;  /* the other side acknowledges where far_next is */
    uint8_t far_run; /* far-away segments in a row */
    uint64_t ack_ns; /* when 'acked' last went up */
    /* read when something is out of order, or at the end */
    uint64_t mark_ns, due_ns, over_ns, fin_ns;
    uint32_t mark;             /* known since mark_ns to have been sent; waited for until due_ns */
    uint32_t mark_next;        /* 'next' at that time */
    uint32_t over;             /* up to here holes are not waited for any more */
    uint32_t fin, fin_ack;     /* sequence number of the FIN, and what its sender had got */
    uint32_t gap_from, gap_to; /* the last gap */
    uint32_t other_start;      /* of another SYN-ACK for the same SYN */
    uint32_t far_next;         /* where a run of far-away segments continues */
    uint32_t syn_size;         /* payload of its SYN */
    uint32_t urgent;           /* sequence number of the urgent byte */
};

struct tcp_stream {
    uint64_t deadline_ns; /* tcp_expire wants to be called then; 0 = no need */
    uint64_t settle_ns;   /* the beginning of both directions is settled then, at the latest */
    uint64_t end_ns;      /* a reset ends the connection then, at the latest; 0 = none. After tcp_expire's TCP_OVER:
                           * when it ended */
    uint64_t reset_ns;    /* while one waits for end_ns: when it came */
    uint64_t quiet_ns;    /* the same: when it came, or the last payload since */
    uint32_t doubted;     /* where the connection of a doubted SYN begins */
    bool saw[2];          /* packets of this direction */
    bool has_syn;
    bool is_settled;   /* nothing that comes can move the beginnings any more */
    bool is_alone;     /* the other direction was never seen, and has had time to be */
    bool is_over;      /* both FIN handed on, or reset */
    bool is_ending;    /* being flushed: nothing more will come */
    bool has_doubted[2];  /* a SYN of this direction */
    bool was_reset[2]; /* by this direction */
    struct tcp_half half[2];
};

enum tcp_result {
    TCP_GOING,
    TCP_OVER, /* the connection has ended */
    TCP_LOST, /* both sides are elsewhere by now: another connection, whose handshake was not seen. The segment was not
               * taken: end this stream and feed the segment to a new one */
};

/* 'mib': memory for waiting segments; 'counts' is zeroed and kept by the caller. False without memory. */
bool tcp_init(struct tcp *t, uint32_t mib, const struct tcp_ops *ops, struct tcp_counts *counts);
void tcp_fini(struct tcp *t);
struct counters tcp_counters(const struct tcp_counts *counts);

/* A zeroed struct tcp_stream is a new stream.
 * Whether the segment opens another connection on the same addresses (RFC 9293, 3.6.1): a SYN with another initial
 * number, or while this one goes on the answer to such a SYN. */
bool tcp_begins_anew(struct tcp_stream *s, int direction, const struct dissected *d);
/* Whether a segment after the end belongs to a connection that goes on: another one, far from this, whose handshake was
 * not seen; or this one, if its sender goes on after a reset in its name, or its handshake goes on after any (so that
 * was forged, or meant for an older connection). */
bool tcp_goes_on(const struct tcp_stream *s, int direction, const struct dissected *d);
/* The directions change names. Not after anything has been handed on. */
void tcp_swap(struct tcp_stream *s);
/* One segment; 'ctx' goes to the ops. Not after TCP_OVER, and not past deadline_ns: tcp_expire comes first. */
enum tcp_result tcp_feed(struct tcp *t, struct tcp_stream *s, void *ctx, int direction, const struct dissected *d,
                         uint64_t now_ns);
/* Packet time has come to now_ns: what has waited long enough is given up. */
enum tcp_result tcp_expire(struct tcp *t, struct tcp_stream *s, void *ctx, uint64_t now_ns);
/* The end, for whatever reason: hands on all that waits, with gaps, and gives its memory back. */
void tcp_flush(struct tcp *t, struct tcp_stream *s, void *ctx, uint64_t now_ns);

#endif
