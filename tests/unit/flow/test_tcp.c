/* SPDX-License-Identifier: Apache-2.0
 * Streams told as scripts: segments in, and what was handed on as text. Then conversations cut up, doubled, mixed up
 * and thinned out at random: the same text, or never a byte that was not sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/times.h"
#include "flow/tcp.h"

/* Initial sequence numbers just before they wrap, so that every script crosses the end of the circle. */
static const uint32_t isn[2] = {0xfffffffcu, 0x7ffffffeu};
static const uint64_t t0 = 1700000000ULL * NS_PER_S;

/* "c:" and "s:" data, "[n]" gap, "[n!]" acknowledged gap, "." FIN; one word for each run of data of one direction. */
struct told {
    char text[1 << 20];
    size_t size;
    int dir;
};

static void add(struct told *told, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    told->size += (size_t)vsnprintf(told->text + told->size, sizeof told->text - told->size, format, args);
    va_end(args);
    assert_true(told->size < sizeof told->text);
}

static void on_data(void *ctx, int dir, struct span bytes, uint64_t ns)
{
    struct told *told = ctx;
    assert_true(ns >= t0 && bytes.size > 0);
    if (told->dir != dir)
        add(told, "%s%c:", told->size ? " " : "", dir ? 's' : 'c');
    told->dir = dir;
    add(told, "%.*s", (int)bytes.size, (const char *)bytes.at);
}

static void on_gap(void *ctx, int dir, uint64_t bytes, bool is_acked, uint64_t ns)
{
    struct told *told = ctx;
    assert_true(ns >= t0 && bytes > 0);
    add(told, "%s%c[%d%s]", told->size ? " " : "", dir ? 's' : 'c', (int)bytes, is_acked ? "!" : "");
    told->dir = -1;
}

static void on_fin(void *ctx, int dir, uint64_t ns)
{
    struct told *told = ctx;
    assert_true(ns >= t0);
    add(told, "%s%c.", told->size ? " " : "", dir ? 's' : 'c');
    told->dir = -1;
}

struct bench {
    struct tcp tcp;
    struct tcp_counts counts;
    struct told told;
};

static void begin(struct bench *b, uint32_t mib)
{
    memset(&b->counts, 0, sizeof b->counts);
    b->told = (struct told){.dir = -1};
    assert_true(tcp_init(&b->tcp, mib, &(struct tcp_ops){on_data, on_gap, on_fin, NULL}, &b->counts));
}

/* After every stream: each segment and byte is in exactly one account, and all memory is back. */
static void finish(struct bench *b)
{
    const struct tcp_counts *c = &b->counts;
    assert_int_equal(c->segments, c->empty + c->ordered + c->held + c->retransmitted + c->late + c->keepalive +
                                      c->after_fin + c->far + c->refused);
    assert_int_equal(c->bytes_in, c->bytes_delivered + c->bytes_cut + c->bytes_held + c->bytes_repeated +
                                      c->bytes_after_fin + c->bytes_far + c->bytes_refused + c->bytes_urgent);
    assert_int_equal(c->bytes_held, 0);
    assert_int_equal(pool_used(b->tcp.blocks), 0);
    tcp_fini(&b->tcp);
}

enum { F = DECAP_FIN, S = DECAP_SYN, R = DECAP_RST, A = DECAP_ACK };

struct step {
    int ms;           /* since the beginning */
    char who;         /* 'c', 's'; 't': only time passes; 0: end */
    int64_t seq, ack; /* relative: the first byte is 1 */
    const char *data; /* NULL = none */
    uint8_t flags;
    uint32_t cut; /* bytes that the capture cut off */
};

static struct dissected segment_of(const struct step *step)
{
    int dir = step->who == 's';
    struct dissected d = {.seq = isn[dir] + (uint32_t)step->seq,
                          .ack = isn[!dir] + (uint32_t)step->ack,
                          .tcp_flags = step->flags,
                          .protocol = 6};
    d.payload = span_text(step->data);
    d.payload_wire = (uint32_t)d.payload.size;
    d.payload.size -= step->cut;
    return d;
}

static void play(struct bench *b, struct tcp_stream *s, const struct step *step)
{
    uint64_t now = t0 + (uint64_t)step->ms * NS_PER_MS;
    if (s->is_over)
        return;
    if (s->deadline_ns && s->deadline_ns <= now && tcp_expire(&b->tcp, s, &b->told, now) == TCP_OVER)
        return;
    if (step->who == 't')
        return;
    struct dissected d = segment_of(step);
    (void)tcp_feed(&b->tcp, s, &b->told, step->who == 's', &d, now); /* the script tells what is to come of it */
}

#define HANDSHAKE                                                                                                      \
    {0, 'c', 0, 0, NULL, S, 0}, {1, 's', 0, 1, NULL, S | A, 0},                                                        \
    {                                                                                                                  \
        2, 'c', 1, 1, NULL, A, 0                                                                                       \
    }

static const struct script {
    const char *name;
    const char *told; /* '|' stands where the end of the capture is */
    struct step steps[24];
} scripts[] = {
    {"in order",
     "c:request s:response c:again s:twice c. s. |",
     {HANDSHAKE,
      {3, 'c', 1, 1, "request", A, 0},
      {4, 's', 1, 8, "resp", A, 0},
      {5, 's', 5, 8, "onse", A, 0},
      {6, 'c', 8, 9, "again", A, 0},
      {7, 's', 9, 13, "twice", A, 0},
      {8, 'c', 13, 14, NULL, F | A, 0},
      {9, 's', 14, 14, NULL, F | A, 0}}},
    {"reordered",
     "c:abcdefghi |",
     {HANDSHAKE, {3, 'c', 7, 1, "ghi", A, 0}, {4, 'c', 4, 1, "def", A, 0}, {5, 'c', 1, 1, "abc", A, 0}}},
    {"reordered, two holes",
     "c:abcdefghi |",
     {HANDSHAKE,
      {3, 'c', 7, 1, "g", A, 0},
      {3, 'c', 9, 1, "i", A, 0},
      {3, 'c', 4, 1, "def", A, 0},
      {4, 'c', 8, 1, "h", A, 0},
      {5, 'c', 1, 1, "abc", A, 0}}},
    {"retransmitted",
     "c:abc s:xyz |",
     {HANDSHAKE,
      {3, 'c', 1, 1, "abc", A, 0},
      {4, 'c', 1, 1, "abc", A, 0},
      {5, 's', 1, 4, "xyz", A, 0},
      {6, 's', 1, 4, "xy", A, 0}}},
    {"overlap: the first bytes stay",
     "c:abcdef |",
     {HANDSHAKE, {3, 'c', 1, 1, "abc", A, 0}, {4, 'c', 2, 1, "XXdef", A, 0}}},
    {"overlap of held segments: the first bytes stay",
     "c:abcDEfghi |",
     {HANDSHAKE,
      {3, 'c', 4, 1, "DE", A, 0},
      {3, 'c', 8, 1, "hi", A, 0},
      {4, 'c', 3, 1, "cxxfgxx", A, 0},
      {5, 'c', 1, 1, "ab", A, 0}}},
    {"in-order segment over a held one",
     "c:abCde |",
     {HANDSHAKE, {3, 'c', 3, 1, "C", A, 0}, {4, 'c', 1, 1, "abxde", A, 0}}},
    {"hole, acknowledged: a gap after the grace",
     "c:abc c[3!] c:ghi |",
     {HANDSHAKE,
      {3, 'c', 1, 1, "abc", A, 0},
      {4, 'c', 7, 1, "ghi", A, 0},
      {10, 's', 1, 10, NULL, A, 0},
      {209, 't', 0, 0, NULL, 0, 0},
      {210, 't', 0, 0, NULL, 0, 0}}},
    {"hole, acknowledged before the frame that fills it",
     "c:abcdefghi |",
     {HANDSHAKE,
      {3, 'c', 1, 1, "abc", A, 0},
      {4, 'c', 7, 1, "ghi", A, 0},
      {10, 's', 1, 10, NULL, A, 0},
      {150, 'c', 4, 1, "def", A, 0},
      {900, 't', 0, 0, NULL, 0, 0}}},
    {"hole, not acknowledged: waits for the retransmission",
     "c:abcdefghi |",
     {HANDSHAKE,
      {3, 'c', 1, 1, "abc", A, 0},
      {4, 'c', 7, 1, "ghi", A, 0},
      {10, 's', 1, 4, NULL, A, 0},
      {3000, 't', 0, 0, NULL, 0, 0},
      {3300, 'c', 4, 1, "def", A, 0}}},
    {"hole never filled: a gap at the end",
     "c:abc | c[3] c:ghi",
     {HANDSHAKE, {3, 'c', 1, 1, "abc", A, 0}, {4, 'c', 7, 1, "ghi", A, 0}, {60000, 't', 0, 0, NULL, 0, 0}}},
    {"late: after the gap was told",
     "c:abc c[3!] c:ghi |",
     {HANDSHAKE,
      {3, 'c', 1, 1, "abc", A, 0},
      {4, 'c', 7, 1, "ghi", A, 0},
      {10, 's', 1, 10, NULL, A, 0},
      {300, 'c', 4, 1, "def", A, 0}}},
    {"answer captured before its question",
     "c:ask s:answer c:more |",
     {HANDSHAKE, {4, 's', 1, 4, "answer", A, 0}, {5, 'c', 1, 1, "ask", A, 0}, {6, 'c', 4, 7, "more", A, 0}}},
    {"answer whose question is lost",
     "c[3!] s:answer |",
     {HANDSHAKE, {4, 's', 1, 4, "answer", A, 0}, {205, 't', 0, 0, NULL, 0, 0}}},
    {"answer lost, next question tells",
     "c:ask s[6!] c:more |",
     {HANDSHAKE, {4, 'c', 1, 1, "ask", A, 0}, {6, 'c', 4, 7, "more", A, 0}, {207, 't', 0, 0, NULL, 0, 0}}},
    {"question and half of the answer lost: in this order",
     "c[3!] s[3!] s:wer |",
     {HANDSHAKE, {4, 's', 4, 4, "wer", A, 0}, {5, 'c', 4, 7, NULL, A, 0}, {300, 't', 0, 0, NULL, 0, 0}}},
    {"acknowledged in advance: the sender is not silent",
     "c:get s:abcdefghi | s[990!]",
     {HANDSHAKE,
      {4, 'c', 1, 1, "get", A, 0},
      {5, 's', 1, 4, "abc", A, 0},
      {6, 'c', 4, 1000, NULL, A, 0},
      {1900, 's', 4, 4, "def", A, 0},
      {3800, 's', 7, 4, "ghi", A, 0}}},
    {"end of an answer lost, acknowledged only",
     "c:get s:abc s[5!] | s[1!]",
     {HANDSHAKE,
      {4, 'c', 1, 1, "get", A, 0},
      {5, 's', 1, 4, "abc", A, 0},
      {6, 'c', 4, 10, NULL, A, 0},
      {2007, 't', 0, 0, NULL, 0, 0}}},
    {"both FIN lost, the last acknowledgement seen",
     "c:get s:abc | s.",
     {HANDSHAKE,
      {4, 'c', 1, 1, "get", A, 0},
      {5, 's', 1, 4, "abc", A, 0},
      {6, 'c', 4, 4, NULL, A, 0},
      {7, 'c', 5, 5, NULL, A, 0}}},
    {"end of an answer lost, then a question",
     "c:get s:abc s[5!] s[1!] c:more |",
     {HANDSHAKE,
      {4, 'c', 1, 1, "get", A, 0},
      {5, 's', 1, 4, "abc", A, 0},
      {6, 'c', 4, 10, NULL, A, 0},
      {2007, 't', 0, 0, NULL, 0, 0},
      {2008, 'c', 4, 10, "more", A, 0}}},
    {"midstream, question first",
     "c:ask s:answer |",
     {{3, 'c', 100, 500, "ask", A, 0}, {4, 's', 500, 103, "answer", A, 0}, {40, 't', 0, 0, NULL, 0, 0}}},
    {"midstream, keep-alive probe first",
     "c:ask s:yes |",
     {{3, 'c', 99, 500, NULL, A, 0},
      {4, 's', 500, 100, NULL, A, 0},
      {5, 'c', 100, 500, "ask", A, 0},
      {6, 's', 500, 103, "yes", A, 0},
      {40, 't', 0, 0, NULL, 0, 0}}},
    {"midstream, keep-alive probe with a byte first",
     "c:ask |",
     {{3, 'c', 99, 500, "\001", A, 0}, {5, 'c', 100, 500, "ask", A, 0}, {40, 't', 0, 0, NULL, 0, 0}}},
    {"midstream, byte by byte",
     "c:ask |",
     {{3, 'c', 100, 500, "a", A, 0},
      {4, 'c', 101, 500, "s", A, 0},
      {5, 'c', 102, 500, "k", A, 0},
      {30, 't', 0, 0, NULL, 0, 0}}},
    {"midstream, data in flight is not missing",
     "s:def |",
     {{3, 'c', 100, 500, NULL, A, 0},
      {4, 's', 900, 100, "def", A, 0},
      {9, 'c', 100, 903, NULL, A, 0},
      {40, 't', 0, 0, NULL, 0, 0}}},
    {"midstream, the answer before its question",
     "c:ask s:answer c:more |",
     {{3, 's', 500, 103, "answer", A, 0},
      {4, 'c', 100, 500, "ask", A, 0},
      {22, 't', 0, 0, NULL, 0, 0},
      {23, 'c', 103, 506, "more", A, 0}}},
    {"midstream, first frames mixed up",
     "c:abcdef s:xyz |",
     {{3, 'c', 103, 500, "def", A, 0},
      {4, 's', 500, 106, "xyz", A, 0},
      {5, 'c', 100, 500, "abc", A, 0},
      {40, 't', 0, 0, NULL, 0, 0}}},
    {"handshake captured after the data",
     "c:abcdef s:xyz |",
     {{3, 'c', 4, 1, "def", A, 0},
      {4, 's', 1, 7, "xyz", A, 0},
      {5, 'c', 0, 0, NULL, S, 0},
      {6, 's', 0, 1, NULL, S | A, 0},
      {7, 'c', 1, 1, "abc", A, 0}}},
    {"midstream, beginning of the answer lost",
     "c:ask s[3!] s:wer |",
     {{3, 'c', 100, 500, "ask", A, 0},
      {4, 's', 503, 103, "wer", A, 0},
      {5, 'c', 103, 506, NULL, A, 0},
      {300, 't', 0, 0, NULL, 0, 0}}},
    {"keep-alive probes",
     "c:abc |",
     {HANDSHAKE,
      {3, 'c', 1, 1, "abc", A, 0},
      {9, 'c', 3, 1, "c", A, 0},
      {10, 'c', 3, 1, NULL, A, 0},
      {11, 's', 1, 4, NULL, A, 0}}},
    {"client side only: sizes by acknowledgement, in order",
     "c:one s[2!] s[3!] c:two s[6!] c. s[1!] s. |",
     {{0, 'c', 0, 0, NULL, S, 0},
      {2, 'c', 1, 1, NULL, A, 0},
      {3, 'c', 1, 1, "one", A, 0},
      {4, 'c', 4, 4, NULL, A, 0},
      {5, 'c', 4, 6, NULL, A, 0},
      {400, 'c', 4, 6, "two", A, 0},
      {402, 'c', 7, 13, NULL, A, 0},
      {500, 'c', 7, 13, NULL, F | A, 0},
      {501, 'c', 8, 14, NULL, A, 0},
      {2600, 't', 0, 0, NULL, 0, 0}}},
    {"client side only, acknowledgements mixed up",
     "c:one s[5!] c:two s[2!] | s[2!]",
     {{0, 'c', 1, 9, NULL, A, 0},
      {1, 'c', 4, 6, "two", A, 0},
      {2, 'c', 1, 1, "one", A, 0},
      {3, 'c', 0, 0, NULL, S, 0},
      {4, 'c', 7, 9, NULL, A, 0},
      {5, 'c', 7, 10, NULL, A, 0},
      {300, 't', 0, 0, NULL, 0, 0}}},
    {"client side only, all within the grace",
     "c:one s[5!] c:two s[3!] c:three |",
     {{0, 'c', 0, 0, NULL, S, 0},
      {1, 'c', 1, 1, "one", A, 0},
      {2, 'c', 4, 6, "two", A, 0},
      {3, 'c', 7, 9, "three", A, 0},
      {500, 't', 0, 0, NULL, 0, 0}}},
    {"client side only, the end of the capture tells the sizes",
     "c:one | s[5!] c:two s[3!] c:three s[1!]",
     {{0, 'c', 0, 0, NULL, S, 0},
      {1, 'c', 1, 1, "one", A, 0},
      {25, 'c', 4, 6, "two", A, 0},
      {26, 'c', 7, 9, "three", A, 0},
      {27, 'c', 12, 10, NULL, A, 0}}},
    {"client side only, server closes",
     "c:one s[5!] c. s. |",
     {{0, 'c', 0, 0, NULL, S, 0},
      {2, 'c', 1, 1, NULL, A, 0},
      {3, 'c', 1, 1, "one", A, 0},
      {4, 'c', 4, 7, NULL, A, 0},
      {5, 'c', 4, 7, NULL, F | A, 0},
      {4000, 't', 0, 0, NULL, 0, 0}}},
    {"client side only, no end",
     "c:one s[4!] | s[1!]",
     {{0, 'c', 0, 0, NULL, S, 0},
      {2, 'c', 1, 1, NULL, A, 0},
      {3, 'c', 1, 1, "one", A, 0},
      {4, 'c', 4, 6, NULL, A, 0},
      {500, 't', 0, 0, NULL, 0, 0}}},
    {"server side only",
     "c[3!] s:first c[4!] s:second s. c. |",
     {{1, 's', 0, 1, NULL, S | A, 0},
      {4, 's', 1, 4, "first", A, 0},
      {300, 's', 6, 8, "second", A, 0},
      {400, 's', 12, 8, NULL, F | A, 0},
      {401, 's', 13, 9, NULL, A, 0},
      {3000, 't', 0, 0, NULL, 0, 0}}},
    {"server side only, hole",
     "c[3!] s:abc s[3] s:ghi |",
     {{1, 's', 0, 1, NULL, S | A, 0},
      {4, 's', 1, 4, "abc", A, 0},
      {300, 's', 7, 4, "ghi", A, 0},
      {501, 't', 0, 0, NULL, 0, 0}}},
    {"cut by the capture",
     "c:ab c[3] c:fgh |",
     {HANDSHAKE, {3, 'c', 1, 1, "abcde", A, 3}, {4, 'c', 6, 1, "fgh", A, 0}}},
    {"cut by the capture and held",
     "c:xyab c[3] c:fgh |",
     {HANDSHAKE, {3, 'c', 3, 1, "abcde", A, 3}, {4, 'c', 8, 1, "fgh", A, 0}, {5, 'c', 1, 1, "xy", A, 0}}},
    {"behind the FIN",
     "c:abc c. |",
     {HANDSHAKE,
      {3, 'c', 1, 1, "abc", F | A, 0},
      {4, 's', 1, 5, NULL, A, 0},
      {5, 'c', 5, 1, "nothing", A, 0}}},
    {"FIN with data, before what comes first",
     "c:abcdef c. s. |",
     {HANDSHAKE, {3, 'c', 4, 1, "def", F | A, 0}, {4, 'c', 1, 1, "abc", A, 0}, {5, 's', 1, 8, NULL, F | A, 0}}},
    {"FIN inside of bytes that are there is none",
     "c:abcdef |",
     {HANDSHAKE, {3, 'c', 4, 1, "def", A, 0}, {4, 'c', 1, 1, "ab", F | A, 0}, {5, 'c', 3, 1, "c", A, 0}}},
    {"one FIN lost",
     "c:abc s:xyz c. s. |",
     {HANDSHAKE,
      {3, 'c', 1, 1, "abc", A, 0},
      {4, 's', 1, 4, "xyz", A, 0},
      {5, 'c', 4, 5, NULL, F | A, 0},
      {6, 's', 5, 5, NULL, A, 0},
      {2100, 't', 0, 0, NULL, 0, 0}}},
    {"both close at once",
     "c:abc s. c. |",
     {HANDSHAKE,
      {3, 'c', 1, 1, "abc", A, 0},
      {4, 'c', 4, 1, NULL, F | A, 0},
      {4, 's', 1, 4, NULL, F | A, 0},
      {5, 'c', 5, 2, NULL, A, 0},
      {5, 's', 2, 5, NULL, A, 0}}},
    {"reset",
     "c:abc |",
     {HANDSHAKE, {3, 'c', 1, 1, "abc", A, 0}, {4, 's', 1, 4, NULL, R | A, 0}, {5, 'c', 4, 1, "def", A, 0}}},
    {"reset hands on what was held",
     "c:abc | c[3] c:ghi",
     {HANDSHAKE,
      {3, 'c', 1, 1, "abc", A, 0},
      {4, 'c', 7, 1, "ghi", A, 0},
      {5, 's', 1, 4, NULL, R | A, 0},
      {900, 'c', 10, 1, "no", A, 0}}},
    {"reset outside of the window",
     "c:abcdef |",
     {HANDSHAKE, {3, 'c', 1, 1, "abc", A, 0}, {4, 's', 9000000, 4, NULL, R | A, 0}, {5, 'c', 4, 1, "def", A, 0}}},
    {"connection refused",
     "|",
     {{0, 'c', 0, 0, NULL, S, 0}, {1, 's', -0x7ffffffeLL, 1, NULL, R | A, 0}, {5, 'c', 1, 1, "no", A, 0}}},
    {"far away",
     "c:abcdef |",
     {HANDSHAKE, {3, 'c', 1, 1, "abc", A, 0}, {4, 'c', 900000000, 1, "far", A, 0}, {5, 'c', 4, 1, "def", A, 0}}},
    {"acknowledgement of what nobody can have sent",
     "c:abc s:xyz |",
     {HANDSHAKE, {3, 'c', 1, 900000000, "abc", A, 0}, {4, 's', 1, 4, "xyz", A, 0}}},
    {"SYN-ACK lost",
     "c:ask s:answer |",
     {{0, 'c', 0, 0, NULL, S, 0},
      {2, 'c', 1, 1, NULL, A, 0},
      {3, 'c', 1, 1, "ask", A, 0},
      {4, 's', 1, 4, "answer", A, 0},
      {40, 't', 0, 0, NULL, 0, 0}}},
    {"SYN-ACK lost, and the beginning of the answer",
     "c:ask s[3!] s:wer |",
     {{0, 'c', 0, 0, NULL, S, 0},
      {2, 'c', 1, 1, NULL, A, 0},
      {3, 'c', 1, 1, "ask", A, 0},
      {4, 's', 4, 4, "wer", A, 0},
      {5, 'c', 4, 7, NULL, A, 0},
      {300, 't', 0, 0, NULL, 0, 0}}},
    {"SYN captured after the SYN-ACK",
     "c:ask s:yes |",
     {{0, 's', 0, 1, NULL, S | A, 0},
      {1, 'c', 0, 0, NULL, S, 0},
      {2, 'c', 1, 1, NULL, A, 0},
      {3, 'c', 1, 1, "ask", A, 0},
      {4, 's', 1, 4, "yes", A, 0}}},
    {"SYN with data",
     "c:early s:yes |",
     {{0, 'c', 0, 0, "early", S, 0}, {1, 's', 0, 6, NULL, S | A, 0}, {2, 's', 1, 6, "yes", A, 0}}},
    {"SYN with data that the server does not take, so that other data counts",
     "c:asked s:yes |",
     {{0, 'c', 0, 0, "early", S, 0},
      {1, 's', 0, 1, NULL, S | A, 0},
      {2, 'c', 1, 1, "asked", A, 0},
      {3, 's', 1, 6, "yes", A, 0}}},
    {"SYN with data, the server is not on the tap",
     "c:earlylate |",
     {{0, 'c', 0, 0, "early", S, 0}, {50, 'c', 6, 1, "late", A, 0}}},
    {"SYN in the middle that nobody answers",
     "c:ask s:yes c:more s:ok |",
     {HANDSHAKE,
      {3, 'c', 1, 1, "ask", A, 0},
      {4, 'c', 700000000, 0, NULL, S, 0},
      {5, 's', 1, 4, "yes", A, 0},
      {6, 'c', 700000000, 0, "decoy", S, 0},
      {7, 'c', 4, 4, "more", A, 0},
      {8, 's', 4, 8, "ok", A, 0}}},
    {"FIN of a client that goes on",
     "c:ask s:yes c:more s:ok c. |",
     {HANDSHAKE,
      {3, 'c', 1, 1, "ask", A, 0},
      {4, 'c', 4, 1, NULL, F | A, 0},
      {5, 's', 1, 4, "yes", A, 0},
      {6, 'c', 4, 4, "more", A, 0},
      {7, 's', 4, 8, "ok", A, 0},
      {8, 'c', 8, 6, NULL, F | A, 0},
      {9, 's', 6, 9, NULL, A, 0},
      {10, 'c', 9, 6, "late", A, 0}}},
    {"FIN of a client that nobody acknowledges",
     "c:ask s:yes | c.",
     {HANDSHAKE, {3, 'c', 1, 1, "ask", A, 0}, {4, 'c', 4, 1, NULL, F | A, 0}, {5, 's', 1, 4, "yes", A, 0}}},
    {"half closed: the answer to a FIN",
     "c:ask c. s:yes s. |",
     {HANDSHAKE,
      {3, 'c', 1, 1, "ask", F | A, 0},
      {4, 's', 1, 5, "yes", A, 0},
      {5, 's', 4, 5, NULL, F | A, 0}}},
    {"two SYN-ACKs, the first counts",
     "c:ask s:yes |",
     {{0, 'c', 0, 0, NULL, S, 0},
      {1, 's', 0, 1, NULL, S | A, 0},
      {2, 's', 700000000, 1, NULL, S | A, 0},
      {3, 'c', 1, 1, "ask", A, 0},
      {4, 's', 1, 4, "yes", A, 0}}},
    {"two SYN-ACKs, the second counts",
     "c:ask s:yes |",
     {{0, 'c', 0, 0, NULL, S, 0},
      {1, 's', 0, 1, NULL, S | A, 0},
      {2, 's', 700000000, 1, NULL, S | A, 0},
      {3, 'c', 1, 700000001, "ask", A, 0},
      {4, 's', 700000001, 4, "yes", A, 0}}},
    {"answer to a SYN about an older connection",
     "c:ask s:yes |",
     {{0, 'c', 0, 0, NULL, S, 0},
      {1, 's', 9000, 28259, NULL, A, 0},
      {900, 's', 0, 1, NULL, S | A, 0},
      {901, 'c', 1, 1, "ask", A, 0},
      {902, 's', 1, 4, "yes", A, 0}}},
    {"SYN sent twice",
     "c:ask |",
     {{0, 'c', 0, 0, NULL, S, 0},
      {900, 'c', 0, 0, NULL, S, 0},
      {901, 's', 0, 1, NULL, S | A, 0},
      {902, 'c', 1, 1, "ask", A, 0}}},
    {"handshake elsewhere behind a keep-alive probe with a byte",
     "s:yes |",
     {{0, 's', 50, 1, "\001", A, 0},
      {100, 's', -300000000, 1, NULL, S | A, 0},
      {101, 's', -299999999, 1, "yes", A, 0}}},
};

static void test_scripts(void **state)
{
    struct bench *b = *state;
    bool is_good = true;
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        struct tcp_stream s = {0};
        int ms = 0;
        begin(b, 1);
        for (const struct step *step = scripts[i].steps; step->who; ms = step++->ms)
            play(b, &s, step);
        add(&b->told, b->told.size ? " |" : "|");
        b->told.dir = -1;
        tcp_flush(&b->tcp, &s, &b->told, t0 + (uint64_t)ms * NS_PER_MS);
        if (strcmp(b->told.text, scripts[i].told) != 0) {
            print_error("%s:\n  expected %s\n  told     %s\n", scripts[i].name, scripts[i].told, b->told.text);
            is_good = false;
        }
        finish(b);
    }
    assert_true(is_good);
}

/* ---- memory ---- */

static void feed(struct bench *b, struct tcp_stream *s, int dir, uint32_t seq, uint32_t ack, struct span bytes,
                 uint64_t now)
{
    struct dissected d = {.seq = isn[dir] + seq,
                          .ack = isn[!dir] + ack,
                          .tcp_flags = DECAP_ACK,
                          .payload = bytes,
                          .payload_wire = (uint32_t)bytes.size};
    if (s->deadline_ns && s->deadline_ns <= now)
        (void)tcp_expire(&b->tcp, s, &b->told, now); /* no FIN or RST in these tests: it cannot be over */
    assert_int_equal(tcp_feed(&b->tcp, s, &b->told, dir, &d, now), TCP_GOING);
}

static void handshake(struct bench *b, struct tcp_stream *s)
{
    static const struct step steps[] = {HANDSHAKE};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        play(b, s, &steps[i]);
}

/* One stream with a hole that is never filled must not grow: the hole is given up when the stream has used its share.
 */
static void test_hole_with_endless_data(void **state)
{
    struct bench *b = *state;
    struct tcp_stream s = {0};
    static char filler[100];
    memset(filler, 'x', sizeof filler);
    begin(b, 1);
    handshake(b, &s);
    for (uint32_t i = 1; i <= 2000; i++) {
        feed(b, &s, 0, 1 + i * 100, 1, span_of(filler, 100), t0 + 5 * NS_PER_MS);
        assert_true(pool_used(b->tcp.blocks) <= pool_max(b->tcp.blocks) / 8);
    }
    assert_int_equal(b->counts.forced, 1);
    assert_int_equal(b->counts.bytes_missing, 100);
    assert_int_equal(b->counts.bytes_delivered, 200000);
    tcp_flush(&b->tcp, &s, &b->told, t0 + NS_PER_S);
    finish(b);
}

/* Every second byte alone: as many runs as there are bytes. */
static void test_confetti(void **state)
{
    struct bench *b = *state;
    struct tcp_stream s = {0};
    begin(b, 16);
    handshake(b, &s);
    for (uint32_t i = 20000; i > 0; i--)
        feed(b, &s, 0, 2 + i % 7919 * 2, 1, SPAN("y"), t0 + 5 * NS_PER_MS);
    assert_true(s.half[0].hold.runs <= HOLD_MAX_RUNS);
    tcp_flush(&b->tcp, &s, &b->told, t0 + NS_PER_S);
    finish(b);
}

/* Many streams with holes share the memory; nobody is starved of the in-order path, and what does not fit is refused.
 */
static void test_many_streams_with_holes(void **state)
{
    struct bench *b = *state;
    static struct tcp_stream s[1000];
    memset(s, 0, sizeof s);
    begin(b, 1);
    for (size_t i = 0; i < 1000; i++) {
        handshake(b, &s[i]);
        feed(b, &s[i], 0, 4, 1, SPAN("def"), t0 + 5 * NS_PER_MS);
    }
    assert_int_equal(b->counts.refused + b->counts.held, 1000);
    assert_true(b->counts.held > 400 && b->counts.refused > 100);
    for (size_t i = 0; i < 1000; i++) {
        feed(b, &s[i], 0, 1, 1, SPAN("abc"), t0 + 6 * NS_PER_MS);
        tcp_flush(&b->tcp, &s[i], &b->told, t0 + NS_PER_S);
    }
    assert_int_equal(b->counts.ordered, 1000);
    finish(b);
}

/* ---- another connection on the same addresses ---- */

static void test_begins_anew(void **state)
{
    struct bench *b = *state;
    struct tcp_stream s = {0};
    begin(b, 1);
    handshake(b, &s);
    struct dissected syn = {.seq = isn[0], .tcp_flags = DECAP_SYN};
    assert_false(tcp_begins_anew(&s, 0, &syn));
    syn.seq += 77777;
    assert_false(tcp_begins_anew(&s, 0, &syn)); /* who has a connection may send this to the sensor alone */
    struct dissected answer = {.seq = isn[1] + 99999, .ack = syn.seq, .tcp_flags = DECAP_SYN | DECAP_ACK};
    assert_false(tcp_begins_anew(&s, 1, &answer));
    answer.ack++;
    assert_true(tcp_begins_anew(&s, 1, &answer));
    answer.tcp_flags = DECAP_RST | DECAP_ACK; /* refused */
    assert_false(tcp_begins_anew(&s, 1, &answer));
    syn.tcp_flags |= DECAP_ACK; /* a server may answer a repeated SYN with another number as long as nothing was said */
    assert_false(tcp_begins_anew(&s, 1, &syn));
    feed(b, &s, 1, 1, 1, SPAN("220 hello"), t0 + 9 * NS_PER_MS);
    assert_true(tcp_begins_anew(&s, 1, &syn));
    tcp_flush(&b->tcp, &s, &b->told, t0 + NS_PER_S);
    finish(b);
}

/* What one connection acknowledged is not owed by another that begins far before it. */
static void test_begins_anew_behind_bare_acks(void **state)
{
    struct bench *b = *state;
    struct tcp_stream s = {0};
    begin(b, 1);
    feed(b, &s, 0, 1, 50, span_text(NULL), t0);
    feed(b, &s, 0, 1, 90, span_text(NULL), t0 + NS_PER_MS);
    struct dissected syn = {.seq = isn[1] - 300000000, .ack = isn[0] + 1, .tcp_flags = DECAP_SYN | DECAP_ACK};
    assert_true(tcp_begins_anew(&s, 1, &syn));
    syn.seq = isn[1];
    assert_false(tcp_begins_anew(&s, 1, &syn));
    tcp_flush(&b->tcp, &s, &b->told, t0 + NS_PER_S);
    finish(b);
}

static void test_goes_on_elsewhere(void **state)
{
    struct bench *b = *state;
    struct tcp_stream s = {0};
    enum tcp_result got = TCP_GOING;
    int n = 0;
    begin(b, 1);
    handshake(b, &s);
    feed(b, &s, 0, 1, 1, SPAN("abc"), t0 + 5 * NS_PER_MS);
    for (uint32_t seq = 900000000; got == TCP_GOING && n < 100; n++) { /* nobody acknowledges: forged */
        struct dissected d = {
            .seq = seq, .ack = isn[1] + 1, .tcp_flags = DECAP_ACK, .payload = SPAN("xyz"), .payload_wire = 3};
        got = tcp_feed(&b->tcp, &s, &b->told, 0, &d, t0 + 6 * NS_PER_MS);
    }
    assert_int_equal(got, TCP_GOING);
    struct dissected ack = {.seq = isn[1] + 1, .ack = 900000003, .tcp_flags = DECAP_ACK};
    assert_int_equal(tcp_feed(&b->tcp, &s, &b->told, 1, &ack, t0 + 7 * NS_PER_MS), TCP_GOING);
    struct dissected d = {
        .seq = 900000003, .ack = isn[1] + 1, .tcp_flags = DECAP_ACK, .payload = SPAN("xyz"), .payload_wire = 3};
    assert_int_equal(tcp_feed(&b->tcp, &s, &b->told, 0, &d, t0 + 8 * NS_PER_MS), TCP_LOST);
    assert_string_equal(b->told.text, "c:abc");
    tcp_flush(&b->tcp, &s, &b->told, t0 + NS_PER_S);
    assert_true(tcp_goes_on(&s, 0, &d));
    finish(b);
}

/* A reset in the name of one who then goes on was forged. */
static void test_forged_reset(void **state)
{
    struct bench *b = *state;
    struct tcp_stream s = {0};
    begin(b, 1);
    handshake(b, &s);
    feed(b, &s, 0, 1, 1, SPAN("abc"), t0 + 5 * NS_PER_MS);
    struct dissected reset = {.seq = isn[0] + 4, .ack = isn[1] + 1, .tcp_flags = DECAP_RST | DECAP_ACK};
    assert_int_equal(tcp_feed(&b->tcp, &s, &b->told, 0, &reset, t0 + 6 * NS_PER_MS), TCP_OVER);
    struct dissected more = {
        .seq = isn[0] + 4, .ack = isn[1] + 1, .tcp_flags = DECAP_ACK, .payload = SPAN("def"), .payload_wire = 3};
    assert_true(tcp_goes_on(&s, 0, &more));
    struct dissected in_flight = {
        .seq = isn[1] + 1, .ack = isn[0] + 4, .tcp_flags = DECAP_ACK, .payload = SPAN("x"), .payload_wire = 1};
    assert_false(tcp_goes_on(&s, 1, &in_flight));
    tcp_flush(&b->tcp, &s, &b->told, t0 + NS_PER_S);
    finish(b);
}

static bool yes(void *ctx)
{
    (void)ctx;
    return true;
}

/* In the middle of an answer a client's reset ends the connection when nothing follows, as of when it came. */
static void test_doubted_reset(void **state)
{
    struct bench *b = *state;
    struct tcp_stream s = {0};
    begin(b, 1);
    b->tcp.ops.is_busy = yes;
    handshake(b, &s);
    feed(b, &s, 0, 1, 1, SPAN("abc"), t0 + 5 * NS_PER_MS);
    struct dissected reset = {.seq = isn[0] + 4, .ack = isn[1] + 1, .tcp_flags = DECAP_RST | DECAP_ACK};
    assert_int_equal(tcp_feed(&b->tcp, &s, &b->told, 0, &reset, t0 + 6 * NS_PER_MS), TCP_GOING);
    feed(b, &s, 0, 4, 1, span_text(NULL), t0 + 9 * NS_PER_MS); /* perhaps mixed up with it */
    feed(b, &s, 1, 1, 4, SPAN("yes"), t0 + 10 * NS_PER_MS);
    assert_int_not_equal(s.end_ns, 0);
    feed(b, &s, 0, 4, 4, span_text(NULL), t0 + 40 * NS_PER_MS);
    assert_int_equal(s.end_ns, 0);
    assert_int_equal(b->counts.false_resets, 1);
    assert_int_equal(tcp_feed(&b->tcp, &s, &b->told, 0, &reset, t0 + 50 * NS_PER_MS), TCP_GOING);
    feed(b, &s, 1, 4, 4, SPAN("more"), t0 + 60 * NS_PER_MS);
    assert_int_equal(tcp_expire(&b->tcp, &s, &b->told, t0 + 50 * NS_PER_MS + TCP_RESET_NS), TCP_OVER);
    assert_int_equal(s.end_ns, t0 + 60 * NS_PER_MS);
    struct dissected late = {.seq = isn[1] + 8, .ack = isn[0] + 4, .tcp_flags = DECAP_RST};
    assert_string_equal(b->told.text, "c:abc s:yesmore");
    tcp_flush(&b->tcp, &s, &b->told, t0 + NS_PER_S);
    finish(b);
    begin(b, 1);
    b->tcp.ops.is_busy = yes;
    s = (struct tcp_stream){0};
    handshake(b, &s);
    late.seq = isn[1] + 1;
    late.ack = isn[0] + 1; /* the server is believed */
    assert_int_equal(tcp_feed(&b->tcp, &s, &b->told, 1, &late, t0 + 6 * NS_PER_MS), TCP_OVER);
    tcp_flush(&b->tcp, &s, &b->told, t0 + NS_PER_S);
    finish(b);
}

/* RFC 6093: the pointer names the byte behind the urgent one; hosts leave that out, held or not. */
static void test_urgent(void **state)
{
    struct bench *b = *state;
    struct tcp_stream s = {0};
    begin(b, 1);
    handshake(b, &s);
    struct dissected d = {.seq = isn[0] + 1, .ack = isn[1] + 1, .urgent = 3, .tcp_flags = DECAP_ACK | DECAP_URG};
    d.payload = SPAN("GEXT");
    d.payload_wire = 4;
    assert_int_equal(tcp_feed(&b->tcp, &s, &b->told, 0, &d, t0 + 5 * NS_PER_MS), TCP_GOING);
    d.seq += 6;
    d.payload = SPAN("fil!");
    d.urgent = 4;
    assert_int_equal(tcp_feed(&b->tcp, &s, &b->told, 0, &d, t0 + 6 * NS_PER_MS), TCP_GOING);
    feed(b, &s, 0, 5, 1, SPAN(" /"), t0 + 7 * NS_PER_MS);
    feed(b, &s, 0, 11, 1, SPAN("es"), t0 + 8 * NS_PER_MS);
    assert_string_equal(b->told.text, "c:GET /files");
    assert_int_equal(b->counts.bytes_urgent, 2);
    tcp_flush(&b->tcp, &s, &b->told, t0 + NS_PER_S);
    finish(b);
}

/* ---- conversations at random ---- */

/* xorshift64: the same conversations in every run. */
static uint64_t roll(uint64_t *seed, uint64_t below)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed % below;
}

#define MAX_SEGMENTS 100000

struct sent {
    uint32_t seq, ack;
    uint32_t size;
    uint8_t dir, flags;
    uint64_t order; /* when it is captured */
};

struct talk {
    char bytes[2][1 << 18];
    uint32_t size[2];
    struct sent sent[MAX_SEGMENTS];
    size_t n;
};

static void say(struct talk *t, int dir, uint32_t size, uint8_t flags)
{
    assert_true(t->n < MAX_SEGMENTS);
    t->sent[t->n] = (struct sent){1 + t->size[dir], 1 + t->size[!dir], size, (uint8_t)dir, flags, t->n};
    t->n++;
    for (uint32_t i = 0; i < size; i++, t->size[dir]++)
        t->bytes[dir][t->size[dir]] = (char)('a' + (t->size[dir] * 7 + (t->size[dir] >> 8)) % 26);
}

/* Requests and answers in turns, each in segments of up to 'max' bytes, answered by bare acknowledgements now and then.
 */
static void converse(struct talk *t, uint64_t *seed, uint32_t max)
{
    t->n = 0;
    t->size[0] = t->size[1] = 0;
    for (int turn = 0; turn < 12; turn++) {
        uint64_t left = 1 + roll(seed, turn % 2 ? 9000 : 900);
        while (left > 0) {
            uint32_t size = (uint32_t)(1 + roll(seed, left < max ? left : max));
            say(t, turn % 2, size, DECAP_ACK);
            left -= size;
            if (roll(seed, 3) == 0)
                say(t, !(turn % 2), 0, DECAP_ACK);
        }
    }
}

static int by_order(const void *a, const void *b)
{
    const struct sent *x = a, *y = b;
    return (x->order > y->order) - (x->order < y->order);
}

static void capture(struct bench *b, const struct talk *t, struct tcp_stream *s)
{
    handshake(b, s);
    for (size_t i = 0; i < t->n; i++) {
        const struct sent *x = &t->sent[i];
        feed(b, s, x->dir, x->seq, x->ack, span_of(t->bytes[x->dir] + x->seq - 1, x->size),
             t0 + (10 + i / 10) * NS_PER_MS);
    }
    tcp_flush(&b->tcp, s, &b->told, t0 + 90 * NS_PER_S);
}

static struct talk talk; /* one conversation at a time */

/* Doubles and swaps segments within a window of 'reach' frames. */
static void mix_up(struct talk *t, uint64_t *seed, uint64_t reach)
{
    size_t n = t->n;
    for (size_t i = 0; i < n && t->n < MAX_SEGMENTS; i++) {
        t->sent[i].order = i * 16 + roll(seed, reach * 16);
        if (roll(seed, 5) == 0) {
            t->sent[t->n] = t->sent[i];
            t->sent[t->n++].order = i * 16 + roll(seed, 4 * reach * 16);
        }
    }
    qsort(t->sent, t->n, sizeof *t->sent, by_order);
}

static void test_mixed_up_is_the_same(void **state)
{
    struct bench *b = *state;
    char *expected = malloc(sizeof b->told.text);
    assert_non_null(expected);
    for (uint64_t round = 1; round <= 300; round++) {
        uint64_t seed = round * 0x9e3779b97f4a7c15u;
        converse(&talk, &seed, round % 5 == 0 ? 1 : round % 5 == 1 ? 9000 : 1448);
        struct tcp_stream clean = {0}, mixed = {0};
        begin(b, 4);
        capture(b, &talk, &clean);
        memcpy(expected, b->told.text, b->told.size + 1);
        assert_int_equal(b->counts.held, 0);
        finish(b);
        mix_up(&talk, &seed, 1 + round % 40);
        begin(b, 4);
        capture(b, &talk, &mixed);
        assert_string_equal(b->told.text, expected);
        assert_int_equal(b->counts.bytes_missing, 0);
        finish(b);
    }
    free(expected);
}

/* Follows what is told by position: each byte must be the one that was sent there. */
struct follower {
    uint64_t at[2];
    bool is_wrong;
};

static void follow_data(void *ctx, int dir, struct span bytes, uint64_t ns)
{
    struct follower *f = ctx;
    (void)ns; /* only the bytes matter */
    if (f->at[dir] + bytes.size > talk.size[dir] || memcmp(talk.bytes[dir] + f->at[dir], bytes.at, bytes.size) != 0)
        f->is_wrong = true;
    f->at[dir] += bytes.size;
}

static void follow_gap(void *ctx, int dir, uint64_t bytes, bool is_acked, uint64_t ns)
{
    struct follower *f = ctx;
    (void)is_acked, (void)ns; /* only the position matters */
    f->at[dir] += bytes;
}

static void follow_fin(void *ctx, int dir, uint64_t ns)
{
    struct follower *f = ctx;
    (void)dir, (void)ns;
    f->is_wrong = true; /* nobody sends one */
}

static void test_loss_invents_nothing(void **state)
{
    struct bench *b = *state;
    for (uint64_t round = 1; round <= 300; round++) {
        uint64_t seed = round * 0x2545f4914f6cdd1du;
        struct follower follower = {0};
        struct tcp_stream s = {0};
        memset(&b->counts, 0, sizeof b->counts);
        assert_true(tcp_init(&b->tcp, 1, &(struct tcp_ops){follow_data, follow_gap, follow_fin, NULL}, &b->counts));
        converse(&talk, &seed, 1448);
        mix_up(&talk, &seed, 1 + round % 40);
        for (int dir = 0; dir < 2; dir++) { /* the handshake, so that positions count from 1 */
            struct dissected syn = {
                .seq = isn[dir], .ack = isn[!dir] + 1, .tcp_flags = (uint8_t)(dir ? DECAP_SYN | DECAP_ACK : DECAP_SYN)};
            assert_int_equal(tcp_feed(&b->tcp, &s, &follower, dir, &syn, t0), TCP_GOING);
        }
        for (size_t i = 0; i < talk.n; i++) {
            const struct sent *x = &talk.sent[i];
            if (roll(&seed, 100) < round % 60)
                continue;
            struct dissected d = {.seq = isn[x->dir] + x->seq,
                                  .ack = isn[!x->dir] + x->ack,
                                  .tcp_flags = DECAP_ACK,
                                  .payload = span_of(talk.bytes[x->dir] + x->seq - 1, x->size),
                                  .payload_wire = x->size};
            d.payload.size -= roll(&seed, 10) == 0 ? x->size / 2 : 0; /* some are cut, too */
            uint64_t now = t0 + (10 + i) * 5 * NS_PER_MS;
            if (s.deadline_ns && s.deadline_ns <= now)
                (void)tcp_expire(&b->tcp, &s, &follower, now); /* nobody closes: it cannot be over */
            assert_int_equal(tcp_feed(&b->tcp, &s, &follower, x->dir, &d, now), TCP_GOING);
        }
        tcp_flush(&b->tcp, &s, &follower, t0 + 900 * NS_PER_S);
        assert_false(follower.is_wrong);
        assert_true(follower.at[0] <= talk.size[0] && follower.at[1] <= talk.size[1]);
        assert_int_equal(follower.at[0] + follower.at[1],
                         b->counts.bytes_delivered + b->counts.bytes_cut + b->counts.bytes_missing);
        finish(b);
    }
}

/* One direction alone: its bytes whole, the other's size by acknowledgement, up to the last that was acknowledged. */
static void test_one_side_sizes(void **state)
{
    struct bench *b = *state;
    for (uint64_t round = 1; round <= 100; round++) {
        uint64_t seed = round * 0x9e3779b97f4a7c15u;
        int seen = (int)(round % 2);
        struct follower follower = {0};
        struct tcp_stream s = {0};
        uint32_t acked = 1;
        memset(&b->counts, 0, sizeof b->counts);
        assert_true(tcp_init(&b->tcp, 1, &(struct tcp_ops){follow_data, follow_gap, follow_fin, NULL}, &b->counts));
        converse(&talk, &seed, 1448);
        struct dissected first = {
            .seq = isn[seen], .ack = isn[!seen] + 1, .tcp_flags = (uint8_t)(seen ? DECAP_SYN | DECAP_ACK : DECAP_SYN)};
        assert_int_equal(tcp_feed(&b->tcp, &s, &follower, seen, &first, t0), TCP_GOING);
        first = (struct dissected){.seq = isn[seen] + 1, .ack = isn[!seen] + 1, .tcp_flags = DECAP_ACK};
        assert_int_equal(tcp_feed(&b->tcp, &s, &follower, seen, &first, t0), TCP_GOING);
        for (size_t i = 0; i < talk.n; i++) {
            const struct sent *x = &talk.sent[i];
            uint64_t now = t0 + (10 + i) * 5 * NS_PER_MS;
            if (x->dir != seen)
                continue;
            if (s.deadline_ns && s.deadline_ns <= now)
                (void)tcp_expire(&b->tcp, &s, &follower, now); /* nobody closes: it cannot be over */
            struct dissected d = {.seq = isn[seen] + x->seq,
                                  .ack = isn[!seen] + x->ack,
                                  .tcp_flags = DECAP_ACK,
                                  .payload = span_of(talk.bytes[seen] + x->seq - 1, x->size),
                                  .payload_wire = x->size};
            assert_int_equal(tcp_feed(&b->tcp, &s, &follower, seen, &d, now), TCP_GOING);
            acked = x->ack;
        }
        tcp_flush(&b->tcp, &s, &follower, t0 + 900 * NS_PER_S);
        assert_false(follower.is_wrong);
        assert_int_equal(follower.at[seen], talk.size[seen]);
        assert_int_equal(follower.at[!seen], acked - 1);
        assert_int_equal(b->counts.bytes_missing_acked, acked - 1);
        finish(b);
    }
}

static int setup(void **state)
{
    *state = malloc(sizeof(struct bench));
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scripts),
        cmocka_unit_test(test_hole_with_endless_data),
        cmocka_unit_test(test_confetti),
        cmocka_unit_test(test_many_streams_with_holes),
        cmocka_unit_test(test_begins_anew),
        cmocka_unit_test(test_begins_anew_behind_bare_acks),
        cmocka_unit_test(test_goes_on_elsewhere),
        cmocka_unit_test(test_forged_reset),
        cmocka_unit_test(test_doubted_reset),
        cmocka_unit_test(test_urgent),
        cmocka_unit_test(test_mixed_up_is_the_same),
        cmocka_unit_test(test_loss_invents_nothing),
        cmocka_unit_test(test_one_side_sizes),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
