/* SPDX-License-Identifier: Apache-2.0
 * The packet half takes all its memory before the first packet: conversations of every kind run through a pipeline whose
 * hooks do nothing, and the heap is not asked once. Neither for flows that are not HTTP: nDPI has a heap of fixed size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <zlib.h>

#include "base/times.h"
#include "run/pipeline.h"
#include "run/setup.h"
#include "support/packet_build.h"

#define FLOWS 3000u
#define MAX_FLOWS 1000u /* of the table: the others make room */
#define HOST "Host: support.example.test\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:147.0) Gecko/20100101 Firefox/147.0\r\n"

static volatile bool is_armed, is_strict; /* strict: nobody may ask, so tell who did */
static volatile uint64_t n_taken, n_given;

static void note_taken(void)
{
    n_taken += is_armed;
}

static void note_given(const volatile void *memory)
{
    n_given += is_armed && memory;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
/* of the sanitizer's runtime; not every package of the compiler has its headers */
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *, size_t),
                                              void (*on_free)(const volatile void *));
void __sanitizer_print_stack_trace(void);

static void on_malloc(const volatile void *memory, size_t size)
{
    (void)memory;
    (void)size;
    if (is_armed && is_strict && n_taken < 3)
        __sanitizer_print_stack_trace();
    note_taken();
}

static void trap_install(void)
{
    assert_true(__sanitizer_install_malloc_and_free_hooks(on_malloc, note_given) > 0);
}
#else
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *memory, size_t size);
void __libc_free(void *memory);

void *malloc(size_t size)
{
    note_taken();
    return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    note_taken();
    return __libc_calloc(n, size);
}

void *realloc(void *memory, size_t size)
{
    note_taken();
    note_given(memory);
    return __libc_realloc(memory, size);
}

void free(void *memory)
{
    note_given(memory);
    __libc_free(memory);
}

static void trap_install(void)
{
}
#endif

/* The trap itself: if it did not see this, the test would prove nothing. */
static void test_trap_works(void **state)
{
    (void)state;
    uint64_t before = n_taken;
    is_armed = true;
    void *volatile memory = malloc(100);
    is_armed = false;
    free(memory);
    assert_int_equal(n_taken, before + 1);
    n_taken = n_given = 0;
}

struct wire {
    struct pipeline *pipeline;
    struct packet_build build;
    uint64_t now_ns;
    uint32_t flow, next[2]; /* of the conversation: sequence numbers by direction */
    uint16_t server_port;
};

static uint64_t n_candidates;

static void on_candidate(void *ctx, const struct activity *candidate)
{
    (void)ctx;
    (void)candidate;
    n_candidates++;
}

static void send_at(struct wire *w, int direction, uint32_t seq, uint8_t flags, struct span bytes)
{
    char client[24];
    snprintf(client, sizeof client, "10.1.%u.%u", w->flow >> 8 & 255, w->flow & 255);
    uint16_t port = (uint16_t)(20000 + w->flow % 40000);
    packet_build_payload(&w->build, bytes);
    packet_build_tcp(&w->build, &(struct packet_build_tcp){.src = direction ? w->server_port : port,
                                                          .dst = direction ? port : w->server_port,
                                                          .seq = seq,
                                                          .ack = flags & 16 ? w->next[!direction] : 0,
                                                          .flags = flags});
    packet_build_ip(&w->build, &(struct packet_build_ip){.src = direction ? "10.9.9.9" : client,
                                                        .dst = direction ? client : "10.9.9.9",
                                                        .protocol = 6,
                                                        .id = ++w->build.room[0]});
    packet_build_ether(&w->build, 0x0800);
    struct packet p = packet_build_done(&w->build, 1, w->now_ns += 50000);
    pipeline_packet(w->pipeline, &p);
}

static void send_next(struct wire *w, int direction, uint8_t flags, struct span bytes)
{
    uint32_t seq = w->next[direction];
    w->next[direction] += (uint32_t)bytes.size + (flags & 3 ? 1 : 0);
    send_at(w, direction, seq, flags, bytes);
}

static void open_flow(struct wire *w, uint16_t server_port)
{
    w->flow++;
    w->server_port = server_port;
    w->next[0] = w->flow * 77777;
    w->next[1] = w->flow * 99991;
    send_next(w, 0, 2, SPAN(""));
    send_next(w, 1, 18, SPAN(""));
    send_next(w, 0, 16, SPAN(""));
}

static void close_flow(struct wire *w)
{
    send_next(w, 0, 17, SPAN(""));
    send_next(w, 1, 17, SPAN(""));
    send_next(w, 0, 16, SPAN(""));
}

struct exchange_text {
    const char *request, *answer;
};

static const struct exchange_text exchanges[] = {
    {"GET /Ticket/Display.html?id=%u HTTP/1.1\r\n" HOST "X-Forwarded-For: 198.51.100.7\r\n"
     "Cookie: RT_SID_support.example.test.80=%032u\r\n\r\n",
     "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 180\r\n\r\n<html><script>RT.CurrentUser = {\"id\":44,"
     "\"EmailAddress\":\"ivan.lopez@example.test\",\"Name\":\"ivan.lopez\",\"Privileged\":true};</script><title>#7: printer"
     " on fire</title>.......................</html>"},
    {"POST /NoAuth/Login.html?next=%u HTTP/1.1\r\n" HOST "Cookie: RT_SID_support.example.test.80=%032u\r\n"
     "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 25\r\n\r\nuser=ivan.lopez&pass=12345",
     "HTTP/1.1 302 Found\r\nLocation: /\r\nSet-Cookie: RT_SID_support.example.test.80=aaaaaaaaaaaaaaaaaaaaaaaaaaaa%u; path=/\r\n"
     "Content-Length: 0\r\n\r\n"},
    {"GET /Ticket/Attachment/%u/%u/core%%20dump.txt HTTP/1.1\r\n" HOST "Authorization: Basic aXZhbjpzZWNyZXQ=\r\n\r\n",
     "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=\"a.bin\"\r\n"
     "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"},
    {"POST /Ticket/Update.html?id=%u HTTP/1.1\r\n" HOST "Cookie: RT_SID_support.example.test.80=%032u\r\n"
     "Content-Type: multipart/form-data; boundary=XX\r\nContent-Length: 99\r\n\r\n--XX\r\nContent-Disposition: form-data; "
     "name=\"Attach\"; filename=\"core.log\"\r\n\r\n0123456789012\r\n--XX--\r\n",
     "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<html></html>"},
    {"GET /REST/2.0/ticket/%u?token=%u&url=http%%3A%%2F%%2Fu:p%%40h HTTP/1.1\r\n" HOST "Authorization: token 1-48-abcdef%u\r\n\r\n",
     "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 26\r\n\r\n{\"id\":7,\"Subject\":\"a\",\"x\":1}"},
    {"GET /files/%u.zip?X-Amz-Signature=%032u HTTP/1.1\r\nHost: files%u.example.test\r\nRange: bytes=0-9\r\n\r\n",
     "HTTP/1.1 206 Partial Content\r\nContent-Type: application/zip\r\nContent-Range: bytes 0-9/1000\r\nContent-Length: 10\r\n\r\n"
     "0123456789"},
};
#define N_EXCHANGES (sizeof exchanges / sizeof exchanges[0])

#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* the texts above are the formats */
static struct span fill(char *to, size_t size, const char *format, unsigned n)
{
    return span_of(to, (size_t)snprintf(to, size, format, n, n, n, n));
}

/* One request and its answer, cut into pieces that come in order, or in turns, or with a piece missing. */
static void play(struct wire *w, const struct exchange_text *e, unsigned n)
{
    char text[4096];
    struct span request = fill(text, sizeof text, e->request, n);
    size_t cut = n % 3 ? request.size : request.size / 2;
    send_next(w, 0, 24, span_sub(request, 0, cut));
    if (cut < request.size)
        send_next(w, 0, 24, span_from(request, cut));
    struct span answer = fill(text, sizeof text, e->answer, n);
    cut = answer.size / 2;
    uint32_t seq = w->next[1];
    w->next[1] += (uint32_t)answer.size;
    if (n % 5 == 1) { /* the second half first, and again */
        send_at(w, 1, seq + (uint32_t)cut, 24, span_from(answer, cut));
        send_at(w, 1, seq, 24, span_sub(answer, 0, cut));
        send_at(w, 1, seq + (uint32_t)cut, 24, span_from(answer, cut));
    } else if (n % 5 == 2) { /* half of it never comes */
        send_at(w, 1, seq, 24, span_sub(answer, 0, cut));
    } else {
        send_at(w, 1, seq, 24, answer);
    }
    send_next(w, 0, 16, SPAN(""));
}

/* A page in gzip: decoders have memory too. */
static void play_coded(struct wire *w, unsigned n)
{
    static uint8_t coded[512];
    static size_t size;
    char head[256];
    if (size == 0) {
        bool was_armed = is_armed;
        is_armed = false;
        z_stream z = {.next_in = (uint8_t *)(uintptr_t)exchanges[0].answer, .avail_in = 200,
                      .next_out = coded, .avail_out = sizeof coded};
        assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
        assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
        size = z.total_out;
        deflateEnd(&z);
        is_armed = was_armed;
    }
    send_next(w, 0, 24, fill(head, sizeof head, "GET /Ticket/Display.html?id=%u HTTP/1.1\r\n" HOST "\r\n", n));
    send_next(w, 1, 24, fill(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\n"
                                                "Connection: close\r\n\r\n", n));
    send_next(w, 1, 24, span_of(coded, size));
}

/* A target as long as a head can be. */
static void play_long(struct wire *w, unsigned n)
{
    static char text[40000];
    static const char end[] = " HTTP/1.1\r\n" HOST "\r\n";
    size_t size = fill(text, sizeof text, "GET /Ticket/Display.html?id=%u", n).size;
    for (unsigned i = 0; i < 8000; i++, size += 4)
        memcpy(text + size, "&a=1", 4);
    memcpy(text + size, end, sizeof end - 1);
    struct span request = span_of(text, size + sizeof end - 1);
    for (size_t at = 0; at < request.size; at += 1400)
        send_next(w, 0, 24, span_sub(request, at, 1400));
    send_next(w, 1, 24, span_text(exchanges[0].answer));
}

/* One frame of HTTP/2 behind what is in 'to' already. */
static void add_frame(struct span *to, char *room, uint8_t type, uint8_t flags, const char *payload, size_t size)
{
    char head[9] = {0, (char)(size >> 8), (char)size, (char)type, (char)flags, 0, 0, 0, type == 4 ? 0 : 1};
    memcpy(room + to->size, head, sizeof head);
    memcpy(room + to->size + sizeof head, payload, size);
    *to = span_of(room, to->size + sizeof head + size);
}

/* A connection of HTTP/2: header state has memory too. The answer's head comes in two frames, or not at all. */
static void play_http2(struct wire *w, unsigned n)
{
    char asked[600], answered[600], block[300], rest[101];
    struct span c = fill(asked, sizeof asked, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", n), s = {0};
    size_t size = fill(block, sizeof block, "\x82\x87\x41\x14support.example.test\x44\x1f/Ticket/Display.html?id=%07u", n).size;
    size += fill(block + size, sizeof block - size, "\x60\x44" "RT_SID_support.example.test.443=%036u", n).size;
    memset(rest, 'a' + (int)(n % 20), sizeof rest);
    add_frame(&c, asked, 4, 0, "\0\1\0\1\0\0", 6);
    add_frame(&c, asked, 1, 5, block, size);
    add_frame(&s, answered, 4, 0, "", 0);
    add_frame(&s, answered, 1, 0, "\x88\x5f\x09text/html\x40\x05x-row\x64", 19);
    add_frame(&s, answered, 9, 4, rest, 100);
    add_frame(&s, answered, 0, 1, "<html></html>", 13);
    send_next(w, 0, 24, c);
    if (n % 4 == 0)
        w->next[1] += 40; /* never captured */
    send_next(w, 1, 24, span_sub(s, n % 4 ? 0 : 40, s.size));
}

static int make(void **state)
{
    struct wire *w = calloc(1, sizeof *w);
    struct settings *s = calloc(1, sizeof *s);
    static struct setup setup;
    static void *all[2];
    struct text why = {0};
    settings_init(s);
    s->max_flows = MAX_FLOWS;
    assert_int_equal(strings_add(&s->apps, "rt=support.example.test"), 0);
    assert_int_equal(settings_set(s, "interface", "tap0", &why), 0); /* a live pipeline makes everything at the start */
    assert_int_equal(settings_set(s, "rules", "rules", &why), 0);
    assert_int_equal(setup_init(&setup, s, &why), 0);
    assert_int_equal(pipeline_new(s, setup.profiles, setup.key, &(struct pipeline_hooks){.on_candidate = on_candidate},
                                  &w->pipeline), 0);
    w->now_ns = 1700000000 * NS_PER_S;
    settings_fini(s);
    free(s);
    all[0] = w;
    all[1] = &setup;
    *state = all;
    n_taken = n_given = n_candidates = 0;
    return 0;
}

static int unmake(void **state)
{
    void **all = *state;
    struct wire *w = all[0];
    pipeline_free(w->pipeline);
    setup_fini(all[1]);
    free(w);
    return 0;
}

static uint64_t counted(const struct pipeline *p, const char *name)
{
    struct counters c;
    for (size_t i = 0; (c = pipeline_counters(p, i)).defs; i++)
        for (size_t k = 0; k < c.n; k++)
            if (strcmp(c.defs[k].name, name) == 0)
                return c.values[k];
    fail_msg("no counter %s", name);
    return 0;
}

static void test_http_takes_nothing(void **state)
{
    struct wire *w = ((void **)*state)[0];
    is_armed = is_strict = true;
    for (unsigned i = 0; i < FLOWS; i++) {
        open_flow(w, 80);
        play(w, &exchanges[i % N_EXCHANGES], i);
        if (i % 7 == 0)
            play(w, &exchanges[(i + 1) % N_EXCHANGES], i);
        if (i % 50 == 3)
            play_coded(w, i);
        if (i % 100 == 4)
            play_long(w, i);
        if (i % 10 == 5) {
            close_flow(w);
            open_flow(w, 8080);
            play_http2(w, i / 10);
        }
        if (i % 3)
            close_flow(w);
        if (i % 500 == 0)
            w->now_ns += 400 * NS_PER_S; /* what is idle ends */
    }
    is_armed = is_strict = false;
    assert_true(n_candidates > FLOWS / 2);
    assert_int_equal(n_taken, 0);
    assert_true(counted(w->pipeline, "http2_streams") > FLOWS / 20);
    assert_true(counted(w->pipeline, "hpack_fields") > FLOWS / 4);
}

static void test_ndpi_takes_nothing(void **state)
{
    struct wire *w = ((void **)*state)[0];
    static const char hello[] = "\x16\x03\x01\x00\x2e\x01\x00\x00\x2a\x03\x03"
                                "0123456789abcdef0123456789abcdef\x00\x00\x02\x13\x01\x01\x00";
    is_armed = is_strict = true;
    for (unsigned i = 0; i < FLOWS; i++) {
        open_flow(w, 443);
        send_next(w, 0, 24, i % 2 ? span_of(hello, sizeof hello - 1) : SPAN("SSH-2.0-OpenSSH_9.2\r\n"));
        send_next(w, 1, 24, i % 2 ? SPAN("\x15\x03\x03\x00\x02\x02\x28") : SPAN("SSH-2.0-OpenSSH_9.2\r\n"));
        if (i % 3)
            close_flow(w);
        if (i % 500 == 0)
            w->now_ns += 400 * NS_PER_S;
    }
    is_armed = is_strict = false;
    assert_int_equal(n_taken, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trap_works),
        cmocka_unit_test_setup_teardown(test_http_takes_nothing, make, unmake),
        cmocka_unit_test_setup_teardown(test_ndpi_takes_nothing, make, unmake),
    };
    trap_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
