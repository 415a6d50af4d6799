/* SPDX-License-Identifier: Apache-2.0
 * The life of flows, with a connection and a classifier that only write down what they are told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/times.h"
#include "flow/flow_table.h"
#include "support/packet_build.h"

static const uint64_t t0 = 1700000000ULL * NS_PER_S;

/* ---- what the table is linked to here ---- */

struct diary {
    char text[1 << 16];
    size_t size;
    unsigned conns, classified, classifiers;
};

static struct diary diary;

static void note(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (diary.size < sizeof diary.text - 256)
        diary.size += (size_t)vsnprintf(diary.text + diary.size, sizeof diary.text - diary.size, format, args);
    va_end(args);
}

struct conn_pool {
    unsigned left;
};

struct conn {
    struct conn_pool *pool;
    const struct flow_info *info;
    enum conn_speaks speaks;
};

struct classify {
    unsigned wants; /* packets of a flow */
};

struct classify_flow {
    unsigned seen;
};

uint64_t conn_skippable(const struct conn *c, int direction)
{
    (void)c, (void)direction; /* everything is wanted */
    return 0;
}

void conn_skip(struct conn *c, int direction, uint64_t bytes, uint64_t now_ns)
{
    (void)c, (void)direction, (void)bytes, (void)now_ns;
    fail_msg("nothing may be skipped");
}

bool conn_is_prefaced(const struct conn *c, struct ipaddr *source)
{
    (void)c, (void)source; /* nothing here sends one */
    return false;
}

bool conn_is_prefacing(const struct conn *c)
{
    (void)c;
    return false;
}

bool conn_is_tunnel(const struct conn *c, uint32_t *numbered, struct span *host)
{
    (void)c, (void)numbered, (void)host; /* nothing here is one */
    return false;
}

void conn_expect(struct conn *c, enum conn_speaks speaks)
{
    (void)c, (void)speaks;
    fail_msg("nothing here is encrypted");
}

struct conn *conn_new(struct conn_pool *p, const struct flow_info *info)
{
    struct conn *c = p->left ? malloc(sizeof *c) : NULL;
    if (!c)
        return NULL;
    p->left--;
    *c = (struct conn){p, info, CONN_UNSURE};
    diary.conns++;
    note("{%d>%d%s ", info->client.port, info->server.port, info->is_midstream ? " mid" : "");
    return c;
}

void conn_data(struct conn *c, int direction, struct span bytes, uint64_t now_ns)
{
    (void)now_ns; /* the stream's tests look at times */
    if (c->speaks == CONN_UNSURE)
        c->speaks = bytes.at[0] == 0x16 ? CONN_OTHER : CONN_HTTP1;
    note("%c:%.*s ", direction ? 's' : 'c', (int)bytes.size, (const char *)bytes.at);
}

void conn_gap(struct conn *c, int direction, uint64_t bytes, bool is_acked, uint64_t now_ns)
{
    (void)c, (void)now_ns; /* the stream's tests look at times */
    note("%c[%d%s] ", direction ? 's' : 'c', (int)bytes, is_acked ? "!" : "");
}

void conn_fin(struct conn *c, int direction, uint64_t now_ns)
{
    (void)c, (void)now_ns; /* the stream's tests look at times */
    note("%c. ", direction ? 's' : 'c');
}

void conn_end(struct conn *c, uint64_t now_ns)
{
    if (c->info->rtt_us)
        note("rtt %u ", c->info->rtt_us);
    note("@%dms} ", (int)((now_ns - t0) / NS_PER_MS));
    c->pool->left++;
    diary.conns--;
    free(c);
}

enum conn_speaks conn_speaks(const struct conn *c)
{
    return c->speaks;
}

bool conn_is_swapped(const struct conn *c)
{
    (void)c; /* nothing here looks at content */
    return false;
}

bool conn_is_asked(const struct conn *c)
{
    (void)c; /* nothing here speaks HTTP/2 */
    return false;
}

bool conn_may_idle(const struct conn *c)
{
    (void)c; /* as above */
    return true;
}

struct classify_flow *classify_flow_new(struct classify *c)
{
    (void)c; /* any number */
    diary.classifiers++;
    return calloc(1, sizeof(struct classify_flow));
}

void classify_flow_free(struct classify *c, struct classify_flow *f)
{
    (void)c; /* any number */
    diary.classifiers--;
    free(f);
}

bool classify_packet(struct classify *c, struct classify_flow *f, struct span ip, int direction, uint64_t now_ns)
{
    (void)direction, (void)now_ns; /* not written down */
    assert_true(ip.size >= 20);
    diary.classified++;
    return ++f->seen == c->wants;
}

void classify_result(struct classify *c, struct classify_flow *f, char protocol[64], char sni[256])
{
    (void)c; /* only what was seen counts */
    snprintf(protocol, 64, "P%u", f->seen);
    snprintf(sni, 256, "example.org");
}

static void on_other(void *ctx, const struct flow_other *o)
{
    (void)ctx; /* there is one diary */
    note("other(%d>%d %s %s %d/%d) ", o->info->client.port, o->info->server.port, o->protocol, o->server_name,
         (int)o->info->packets[0], (int)o->info->packets[1]);
}

/* ---- frames ---- */

struct bench {
    struct packet_build build;
    struct flow_table *table;
    struct conn_pool conns;
    struct classify classify;
    struct decap_counts decap;
    uint32_t id;
    unsigned tick_ms; /* 0 = no ticks */
    uint64_t ticked_ms;
};

static void begin(struct bench *b, const struct flow_limits *limits)
{
    diary = (struct diary){0};
    b->conns.left = 100000;
    b->classify.wants = 3;
    memset(&b->decap, 0, sizeof b->decap);
    b->id = 0;
    b->tick_ms = 1000;
    b->ticked_ms = 0;
    b->table = flow_table_new(
        limits, &(struct flow_parts){.conns = &b->conns, .classify = &b->classify, .on_other = on_other});
    assert_non_null(b->table);
}

static uint64_t count(const struct bench *b, const char *name)
{
    struct counters c = flow_table_counters(b->table);
    for (size_t i = 0; i < c.n; i++)
        if (strcmp(c.defs[i].name, name) == 0)
            return c.values[i];
    fail_msg("no counter %s", name);
    return 0;
}

/* Every packet and flow is in one account. */
static void expect_sums(const struct bench *b)
{
    const struct decap_counts *d = &b->decap;
    uint64_t decoded = d->tcp + d->udp + d->fragment + d->other_ip;
    uint64_t refused = d->not_ip + d->unknown_link + d->truncated + d->bad + d->too_deep;
    assert_int_equal(d->received + d->reassembled, decoded + refused);
    assert_int_equal(count(b, "flow_received") + d->reassembled, decoded + count(b, "flow_undecodable"));
    assert_int_equal(count(b, "flow_received"), count(b, "flow_bad_sum") + count(b, "flow_duplicates") + count(b, "flow_fragments") +
                                                    count(b, "flow_undecodable") + count(b, "flow_other_ip") +
                                                    count(b, "flow_tcp") + count(b, "flow_udp"));
    assert_int_equal(count(b, "flow_tcp"), count(b, "tcp_segments") + count(b, "flow_after_close"));
    assert_int_equal(count(b, "flow_flows"), count(b, "flow_idle") + count(b, "flow_closed") + count(b, "flow_reused") +
                                                 count(b, "flow_lost") + count(b, "flow_evicted") +
                                                 count(b, "flow_flushed") + flow_table_size(b->table));
    assert_int_equal(count(b, "tcp_bytes_in"), count(b, "tcp_bytes_delivered") + count(b, "tcp_bytes_cut") +
                                                   count(b, "tcp_bytes_held") + count(b, "tcp_bytes_repeated") +
                                                   count(b, "tcp_bytes_after_fin") + count(b, "tcp_bytes_far") +
                                                   count(b, "tcp_bytes_refused"));
}

static void finish(struct bench *b, uint64_t ms)
{
    flow_table_flush(b->table, t0 + ms * NS_PER_MS);
    expect_sums(b);
    assert_int_equal(flow_table_size(b->table), 0);
    assert_int_equal(diary.conns, 0);
    assert_int_equal(diary.classifiers, 0);
    flow_table_free(b->table);
}

static void tick(struct bench *b, uint64_t ms)
{
    if (b->tick_ms && ms / b->tick_ms != b->ticked_ms / b->tick_ms)
        flow_table_tick(b->table, t0 + ms * NS_PER_MS);
    b->ticked_ms = ms;
}

static void send(struct bench *b, uint64_t ms)
{
    struct dissected d;
    struct packet p = packet_build_done(&b->build, 1, t0 + ms * NS_PER_MS);
    tick(b, ms);
    if (decap_packet(&p, &d, &b->decap) == 0)
        flow_table_packet(b->table, &p, &d, &b->decap);
}

struct frame {
    uint64_t ms;
    char who;      /* 'c' or 's', 0: end */
    uint16_t port; /* of the client */
    uint32_t seq, ack;
    uint8_t flags;
    const char *data;
};

enum { F = DECAP_FIN, S = DECAP_SYN, R = DECAP_RST, A = DECAP_ACK };

static void build(struct bench *b, const struct frame *f)
{
    bool is_client = f->who == 'c';
    packet_build_payload(&b->build, span_text(f->data));
    packet_build_tcp(&b->build, &(struct packet_build_tcp){.src = is_client ? f->port : 80,
                                                           .dst = is_client ? 80 : f->port,
                                                           .seq = f->seq,
                                                           .ack = f->ack,
                                                           .flags = f->flags});
    packet_build_ip(&b->build, &(struct packet_build_ip){.src = is_client ? "10.9.0.1" : "10.0.0.2",
                                                         .dst = is_client ? "10.0.0.2" : "10.9.0.1",
                                                         .protocol = 6,
                                                         .id = ++b->id});
    packet_build_ether(&b->build, 0x0800);
}

static void play(struct bench *b, const struct frame *frames)
{
    for (; frames->who; frames++) {
        build(b, frames);
        send(b, frames->ms);
    }
}

#define OPEN(at, port, c, s)                                                                                           \
    {at, 'c', port, c, 0, S, NULL}, {at, 's', port, s, c + 1, S | A, NULL},                                            \
    {                                                                                                                  \
        at, 'c', port, c + 1, s + 1, A, NULL                                                                           \
    }

static const struct script {
    const char *name, *told;
    struct frame frames[20];
    uint64_t end_ms;
} scripts[] = {
    {"request and answer",
     "{1000>80 c:ask s:yes c. s. @7ms} ",
     {OPEN(0, 1000, 100, 500),
      {3, 'c', 1000, 101, 501, A, "ask"},
      {4, 's', 1000, 501, 104, A, "yes"},
      {5, 'c', 1000, 104, 504, F | A, NULL},
      {7, 's', 1000, 504, 105, F | A, NULL},
      {8, 'c', 1000, 105, 505, A, NULL}},
     9},
    {"round trip",
     "{1000>80 c:ask rtt 30000 @60ms} ",
     {{0, 'c', 1000, 100, 0, S, NULL}, {2, 's', 1000, 500, 101, S | A, NULL}, {32, 'c', 1000, 101, 501, A, NULL},
      {50, 'c', 1000, 101, 501, A, NULL}, {51, 'c', 1000, 101, 501, A, "ask"}},
     60},
    {"which of two SYN-ACKs the ACK answers is not known",
     "{1000>80 c:ask @60ms} ",
     {{0, 'c', 1000, 100, 0, S, NULL}, {2, 's', 1000, 500, 101, S | A, NULL}, {22, 's', 1000, 500, 101, S | A, NULL},
      {32, 'c', 1000, 101, 501, A, NULL}, {33, 'c', 1000, 101, 501, A, "ask"}},
     60},
    {"the ACK itself was not seen",
     "{1000>80 c:ask @60ms} ",
     {{0, 'c', 1000, 100, 0, S, NULL}, {2, 's', 1000, 500, 101, S | A, NULL}, {51, 'c', 1000, 101, 501, A, "ask"},
      {52, 'c', 1000, 104, 501, A, NULL}},
     60},
    {"an ACK of something else",
     "{1000>80 c:ask @60ms} ",
     {{0, 'c', 1000, 100, 0, S, NULL}, {2, 's', 1000, 500, 101, S | A, NULL}, {3, 'c', 1000, 101, 333, A, NULL},
      {4, 'c', 1000, 101, 501, A, NULL}, {51, 'c', 1000, 101, 501, A, "ask"}},
     60},
    {"no payload", "other(1000>80   2/1) ", {OPEN(0, 1000, 100, 500)}, 9},
    {"SYN-ACK first",
     "{1000>80 c:ask @9ms} ",
     {{0, 's', 1000, 500, 101, S | A, NULL}, {1, 'c', 1000, 100, 0, S, NULL}, {2, 'c', 1000, 101, 501, A, "ask"}},
     9},
    {"handshake after the first answers",
     "{1000>80 c:ask s:yes @40ms} ",
     {{0, 's', 1000, 501, 104, A, "yes"},
      {1, 's', 1000, 500, 101, S | A, NULL},
      {2, 'c', 1000, 101, 501, A, "ask"},
      {3, 'c', 1000, 100, 0, S, NULL}},
     40},
    {"midstream: the lower port is the server's", "{1000>80 mid s:yes @9ms} ", {{2, 's', 1000, 501, 104, A, "yes"}}, 9},
    {"reset",
     "{1000>80 c:ask @4ms} ",
     {OPEN(0, 1000, 100, 500),
      {3, 'c', 1000, 101, 501, A, "ask"},
      {4, 's', 1000, 501, 104, R | A, NULL},
      {5, 'c', 1000, 104, 501, A, "no"}},
     9},
    {"port used again after FIN",
     "{1000>80 c:one c. s. @4ms} {1000>80 c:two @9ms} ",
     {OPEN(0, 1000, 100, 500),
      {3, 'c', 1000, 101, 501, F | A, "one"},
      {4, 's', 1000, 501, 105, F | A, NULL},
      OPEN(5, 1000, 90100, 800),
      {6, 'c', 1000, 90101, 801, A, "two"}},
     9},
    {"port used again, the end was not seen",
     "{1000>80 c:one @5ms} {1000>80 c:two @9ms} ",
     {OPEN(0, 1000, 100, 500),
      {3, 'c', 1000, 101, 501, A, "one"},
      OPEN(5, 1000, 90100, 800),
      {6, 'c', 1000, 90101, 801, A, "two"}},
     9},
    {"port used again after FIN, the handshake was not seen",
     "{1000>80 c:one c. s. @4ms} {1000>80 mid c:two @9ms} ",
     {OPEN(0, 1000, 100, 500),
      {3, 'c', 1000, 101, 501, F | A, "one"},
      {4, 's', 1000, 501, 105, F | A, NULL},
      {6, 'c', 1000, 90000101, 801, A, "two"}},
     9},
    {"forged reset",
     "{1000>80 c:one @4ms} {1000>80 mid c:two @9ms} ",
     {OPEN(0, 1000, 100, 500),
      {3, 'c', 1000, 101, 501, A, "one"},
      {4, 'c', 1000, 104, 501, R | A, NULL},
      {5, 'c', 1000, 104, 501, A, "two"}},
     9},
    {"reset of an older connection, the handshake goes on",
     "{1000>80 c:ask @9ms} ",
     {{0, 'c', 1000, 100, 0, S, NULL},
      {1, 's', 1000, 7777, 28259, A, NULL},
      {2, 'c', 1000, 28259, 0, R, NULL},
      {3, 'c', 1000, 100, 0, S, NULL},
      {4, 's', 1000, 500, 101, S | A, NULL},
      {5, 'c', 1000, 101, 501, A, "ask"}},
     9},
    {"the same, later",
     "other(1000>80   2/1) {1000>80 c:ask @3009ms} ",
     {{0, 'c', 1000, 100, 0, S, NULL},
      {1, 's', 1000, 7777, 28259, A, NULL},
      {2, 'c', 1000, 28259, 0, R, NULL},
      {3003, 'c', 1000, 100, 0, S, NULL},
      {3004, 's', 1000, 500, 101, S | A, NULL},
      {3005, 'c', 1000, 101, 501, A, "ask"}},
     3009},
    {"refusal that was none",
     "other(1000>80   1/1) {1000>80 c:ask @9ms} ",
     {{0, 'c', 1000, 100, 0, S, NULL},
      {1, 's', 1000, 0, 101, R | A, NULL},
      {4, 's', 1000, 500, 101, S | A, NULL},
      {5, 'c', 1000, 101, 501, A, "ask"}},
     9},
    {"idle",
     "{1000>80 c:one s:yes @300004ms} {1000>80 mid c:two @400001ms} ",
     {OPEN(0, 1000, 100, 500),
      {3, 'c', 1000, 101, 501, A, "one"},
      {4, 's', 1000, 501, 104, A, "yes"},
      {400000, 'c', 1000, 104, 504, A, "two"}},
     400001},
    {"a client may wait for its answer",
     "{1000>80 c:one s:yes @700001ms} ",
     {OPEN(0, 1000, 100, 500), {3, 'c', 1000, 101, 501, A, "one"}, {700000, 's', 1000, 501, 104, A, "yes"}},
     700001},
    {"the answer before the question",
     "{1000>80 c:ask s:yes @9ms} ",
     {OPEN(0, 1000, 100, 500), {3, 's', 1000, 501, 104, A, "yes"}, {4, 'c', 1000, 101, 501, A, "ask"}},
     9},
    {"what waits is given up by another flow's packet",
     "{1000>80 c[3!] s:yes @301ms} {1001>80 mid c:xx @301ms} ",
     {OPEN(0, 1000, 100, 500), {3, 's', 1000, 501, 104, A, "yes"}, {300, 'c', 1001, 7, 7, A, "xx"}},
     301},
    {"not HTTP",
     "{443>80 c:\x16TLS @3ms} other(443>80 P3 example.org 6/1) ",
     {OPEN(0, 443, 100, 500),
      {3, 'c', 443, 101, 501, A, "\x16TLS"},
      {4, 'c', 443, 105, 501, A, "more"},
      {5, 'c', 443, 109, 501, A, "more"},
      {6, 'c', 443, 113, 501, A, "more"}},
     9},
};

static void test_scripts(void **state)
{
    struct bench *b = *state;
    bool is_good = true;
    static const unsigned ticks[] = {0, 1, 1000};
    for (size_t i = 0; i < 3 * sizeof scripts / sizeof *scripts; i++) { /* the same, however often time is told */
        const struct script *script = &scripts[i / 3];
        begin(b, &(struct flow_limits){.max_flows = 100, .reorder_mib = 1, .fragment_mib = 1});
        b->tick_ms = ticks[i % 3];
        play(b, script->frames);
        tick(b, script->end_ms);
        finish(b, script->end_ms);
        if (strcmp(diary.text, script->told) != 0) {
            print_error("%s (ticks of %u ms):\n  expected %s\n  told     %s\n", script->name, ticks[i % 3],
                        script->told, diary.text);
            is_good = false;
        }
    }
    assert_true(is_good);
}

/* Mirrored twice, tagged and untagged: one flow, each packet once. Without the check: still one flow and one text. */
static void test_mirrored_twice(void **state)
{
    struct bench *b = *state;
    static const struct frame frames[] = {
        OPEN(0, 1000, 100, 500), {3, 'c', 1000, 101, 501, A, "ask"}, {4, 's', 1000, 501, 104, A, "yes"}, {0}};
    for (int no_dedup = 0; no_dedup < 2; no_dedup++) {
        begin(b, &(struct flow_limits){.max_flows = 100, .reorder_mib = 1, .fragment_mib = 1, .no_dedup = no_dedup});
        for (const struct frame *f = frames; f->who; f++) {
            build(b, f);
            send(b, f->ms);
            packet_build_payload(&b->build, span_from(packet_build_span(&b->build), 14)); /* the same packet, tagged */
            packet_build_vlan(&b->build, 100, 0x0800);
            packet_build_ether(&b->build, 0x8100);
            send(b, f->ms);
        }
        assert_int_equal(flow_table_size(b->table), 1);
        assert_int_equal(count(b, "flow_duplicates"), no_dedup ? 0 : 5);
        assert_int_equal(count(b, "flow_tcp"), no_dedup ? 10 : 5);
        finish(b, 9);
        assert_string_equal(diary.text, "{1000>80 c:ask s:yes @9ms} ");
    }
}

static void test_cap(void **state)
{
    struct bench *b = *state;
    begin(b, &(struct flow_limits){.max_flows = 10, .reorder_mib = 1, .fragment_mib = 1});
    for (uint16_t port = 1000; port < 1100; port++)
        play(b, (const struct frame[]){OPEN(port, port, 100, 500), {port, 'c', port, 101, 501, A, "ask"}, {0}});
    assert_int_equal(flow_table_size(b->table), 10);
    assert_int_equal(count(b, "flow_evicted"), 90);
    assert_int_equal(diary.conns, 10);
    finish(b, 2000);
}

/* Without a connection to be had the flow is still counted, and told as what it is: not known to be HTTP. */
static void test_no_connection_left(void **state)
{
    struct bench *b = *state;
    begin(b, &(struct flow_limits){.max_flows = 10, .reorder_mib = 1, .fragment_mib = 1});
    b->conns.left = 0;
    play(b, (const struct frame[]){OPEN(0, 1000, 100, 500), {1, 'c', 1000, 101, 501, A, "ask"}, {0}});
    finish(b, 9);
    assert_string_equal(diary.text, "other(1000>80   3/1) ");
}

/* HTTP never pays for the classifier; what is not HTTP pays for a few packets. */
static void test_classifier_is_asked_little(void **state)
{
    struct bench *b = *state;
    begin(b, &(struct flow_limits){.max_flows = 10, .reorder_mib = 1, .fragment_mib = 1});
    b->classify.wants = 1000;
    play(b, (const struct frame[]){
                OPEN(0, 1000, 100, 500), {1, 'c', 1000, 101, 501, A, "ask"}, {2, 's', 1000, 501, 104, A, "yes"}, {0}});
    assert_int_equal(diary.classified, 0);
    play(b, (const struct frame[]){OPEN(3, 1001, 100, 500), {3, 'c', 1001, 101, 501, A, "\x16"}, {0}});
    for (uint32_t i = 0; i < 100; i++)
        play(b, (const struct frame[]){{4, 'c', 1001, 102 + i, 501, A, "x"}, {0}});
    assert_in_range(diary.classified, 5, 20);
    assert_int_equal(diary.classifiers, 0);
    finish(b, 9);
}

static void send_udp(struct bench *b, uint64_t ms, bool is_answer, struct span payload)
{
    packet_build_payload(&b->build, payload);
    packet_build_udp(&b->build, is_answer ? 53 : 5000, is_answer ? 5000 : 53);
    packet_build_ip(&b->build, &(struct packet_build_ip){.src = is_answer ? "fd00::2" : "fd00::1",
                                                         .dst = is_answer ? "fd00::1" : "fd00::2",
                                                         .protocol = 17,
                                                         .id = ++b->id});
    packet_build_ether(&b->build, 0x86dd);
    send(b, ms);
}

static void test_udp(void **state)
{
    struct bench *b = *state;
    begin(b, &(struct flow_limits){.max_flows = 10, .reorder_mib = 1, .fragment_mib = 1});
    send_udp(b, 0, false, SPAN("who"));
    send_udp(b, 1, true, SPAN("me"));
    send_udp(b, 20, false, SPAN("who"));
    tick(b, 60000);
    assert_int_equal(flow_table_size(b->table), 1);
    tick(b, 62000);
    assert_int_equal(flow_table_size(b->table), 0);
    finish(b, 62000);
    assert_string_equal(diary.text, "other(5000>53 P3 example.org 2/1) ");
}

/* A segment in two fragments, the second first; and a tunnel packet whose outer packet is fragmented. */
static void test_fragments(void **state)
{
    struct bench *b = *state;
    begin(b, &(struct flow_limits){.max_flows = 10, .reorder_mib = 1, .fragment_mib = 1});
    for (int round = 0; round < 2; round++) {
        static uint8_t copy[400];
        build(b, &(struct frame){0, 'c', (uint16_t)(1000 + round), 101, 501, A, "a request in two fragments"});
        packet_build_payload(&b->build, span_from(packet_build_span(&b->build), round == 0 ? 34 : 0));
        if (round == 1)
            PACKET_BUILD_PUSH(&b->build, "\0\0\x65\x58"); /* GRE */
        size_t size = packet_build_span(&b->build).size;
        memcpy(copy, packet_build_span(&b->build).at, size);
        for (int part = 1; part >= 0; part--) {
            packet_build_payload(&b->build, part ? span_of(copy + 24, size - 24) : span_of(copy, 24));
            packet_build_ip(&b->build, &(struct packet_build_ip){.src = round ? "192.0.2.1" : "10.9.0.1",
                                                                 .dst = round ? "192.0.2.2" : "10.0.0.2",
                                                                 .protocol = round ? 47 : 6,
                                                                 .id = 9000,
                                                                 .fragment_offset = part ? 24 : 0,
                                                                 .more_fragments = part == 0});
            packet_build_ether(&b->build, 0x0800);
            send(b, (uint64_t)round);
        }
    }
    assert_int_equal(count(b, "ipfrag_completing"), 2);
    assert_int_equal(count(b, "flow_fragments"), 2);
    finish(b, 9);
    assert_string_equal(
        diary.text, "{1000>80 mid c:a request in two fragments @9ms} {1001>80 mid c:a request in two fragments @9ms} ");
}

/* A part of "a request" from byte 20 (TCP header) on, at its own time; the clock of the table is left alone. */
static void send_part(struct bench *b, uint64_t ms, uint16_t id, uint32_t seq, const char *data, bool is_first)
{
    static uint8_t copy[400];
    struct dissected d;
    build(b, &(struct frame){0, 'c', 1000, seq, 501, A, data});
    packet_build_payload(&b->build, span_from(packet_build_span(&b->build), 34));
    size_t size = packet_build_span(&b->build).size;
    memcpy(copy, packet_build_span(&b->build).at, size);
    packet_build_payload(&b->build, is_first ? span_of(copy, 24) : span_of(copy + 24, size - 24));
    packet_build_ip(&b->build, &(struct packet_build_ip){.src = "10.9.0.1",
                                                         .dst = "10.0.0.2",
                                                         .protocol = 6,
                                                         .id = id,
                                                         .fragment_offset = is_first ? 0 : 24,
                                                         .more_fragments = is_first});
    packet_build_ether(&b->build, 0x0800);
    struct packet p = packet_build_done(&b->build, 1, t0 + ms * NS_PER_MS);
    assert_int_equal(decap_packet(&p, &d, &b->decap), 0);
    flow_table_packet(b->table, &p, &d, &b->decap);
}

/* A stream waits for a datagram one fragment of which comes behind a fragment of much later: nothing is given up. */
static void test_late_fragment(void **state)
{
    struct bench *b = *state;
    begin(b, &(struct flow_limits){.max_flows = 10, .reorder_mib = 1, .fragment_mib = 1});
    play(b, (const struct frame[]){OPEN(0, 1000, 100, 500), {0}});
    send_part(b, 4, 1, 101, "a request", true);
    play(b, (const struct frame[]){{5, 'c', 1000, 110, 501, A, " goes on"}, {6, 's', 1000, 501, 118, A, NULL}, {0}});
    send_part(b, 9000, 2, 118, ", and on", true);
    send_part(b, 4, 1, 101, "a request", false);
    send_part(b, 9000, 2, 118, ", and on", false);
    assert_int_equal(count(b, "tcp_bytes_missing"), 0);
    finish(b, 9001);
    assert_string_equal(diary.text, "{1000>80 c:a request c: goes on c:, and on @9001ms} ");
}

/* The end of the capture ends flows in the order of their last packets. */
static void test_flush_order(void **state)
{
    struct bench *b = *state;
    begin(b, &(struct flow_limits){.max_flows = 100, .reorder_mib = 1, .fragment_mib = 1});
    static const uint16_t order[] = {1005, 1003, 1009, 1001};
    for (size_t i = 0; i < 4; i++)
        play(b, (const struct frame[]){{i, 'c', order[i], 101, 501, S, NULL}, {0}});
    play(b, (const struct frame[]){{9, 'c', 1005, 102, 501, A, NULL}, {0}});
    finish(b, 10);
    assert_string_equal(diary.text,
                        "other(1003>80   1/0) other(1009>80   1/0) other(1001>80   1/0) other(1005>80   2/0) ");
}

/* Anything at all, over few addresses and with little memory: the books balance and the memory comes back. */
static void test_noise(void **state)
{
    struct bench *b = *state;
    uint64_t seed = 88172645463325252u;
    begin(b, &(struct flow_limits){.max_flows = 50, .reorder_mib = 1, .fragment_mib = 1, .idle_s = 20});
    uint64_t ms = 0;
    for (uint32_t i = 0; i < 100000; i++) {
        seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
        uint32_t dice = (uint32_t)(seed >> 20);
        static const uint8_t flags[] = {A, A, A, A, A, A, A, S, S | A, F | A, R, R | A, 0, S | F, 0x3f, A};
        char text[64] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
        text[dice >> 8 & 31] = 0;
        ms += dice % 50 == 0 ? dice % 3000 : 0;
        struct frame f = {ms,
                          dice & 64 ? 'c' : 's',
                          (uint16_t)(1000 + (seed >> 50) % 80),
                          (uint32_t)(seed >> 33) % 3000,
                          (uint32_t)(seed >> 12) % 3000,
                          flags[dice & 15],
                          text};
        if (dice % 97 == 0)
            f.seq *= 1000003;
        if (dice % 89 == 0)
            f.ack *= 1000003;
        build(b, &f);
        send(b, f.ms);
        if (i % 5000 == 0)
            expect_sums(b);
    }
    assert_true(count(b, "tcp_gaps") > 0 && count(b, "tcp_far") > 0 && count(b, "flow_evicted") > 0 &&
                count(b, "flow_reused") > 0 && count(b, "tcp_late") > 0 && count(b, "tcp_after_fin") > 0 &&
                count(b, "flow_after_close") > 0);
    finish(b, ms);
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
        cmocka_unit_test(test_mirrored_twice),
        cmocka_unit_test(test_cap),
        cmocka_unit_test(test_no_connection_left),
        cmocka_unit_test(test_classifier_is_asked_little),
        cmocka_unit_test(test_udp),
        cmocka_unit_test(test_fragments),
        cmocka_unit_test(test_late_fragment),
        cmocka_unit_test(test_flush_order),
        cmocka_unit_test(test_noise),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
