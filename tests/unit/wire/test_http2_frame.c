/* SPDX-License-Identifier: Apache-2.0
 * Frames of HTTP/2 as events: the same from bytes in one piece and in any other, with gaps, and after sync was lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "wire/http2_frame.h"

struct part {
    const char *bytes; /* NULL: a gap */
    size_t size;
};

#define P(text)                                                                                                        \
    {                                                                                                                  \
        text, sizeof(text) - 1                                                                                         \
    }
#define MISSING(n)                                                                                                     \
    {                                                                                                                  \
        NULL, n                                                                                                        \
    }

struct row {
    const char *name, *expected;
    struct part parts[12];
    bool has_preface;
};

/* Accepts while out of sync: HEADERS and DATA of stream 1, WINDOW_UPDATE. */
static const struct row rows[] = {
    {"data", "data 1 'hello' end 1 ",
     {P("\0\0\5\0\0\0\0\0\1hello\0\0\0\0\1\0\0\0\1")}, false},
    {"preface", "setting 4=7 ",
     {P("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\6\4\0\0\0\0\0\0\4\0\0\0\7")}, true},
    {"no preface", "lost ", {P("GET / HTTP/1.1\r\n\r\n")}, true},
    {"settings", "setting 1=4096 setting 3=100 setting 5=16777215 ",
     {P("\0\0\22\4\0\0\0\0\0\0\1\0\0\20\0\0\3\0\0\0\144\0\5\0\377\377\377\0\0\0\4\1\0\0\0\0")}, false},
    {"padded data", "data 3 'ab' end 3 ", {P("\0\0\6\0\11\0\0\0\3\3ab\0\0\0")}, false},
    {"all padding", "end 3 ", {P("\0\0\4\0\11\0\0\0\3\3\0\0\0")}, false},
    {"more padding than frame", "end 3 ", {P("\0\0\4\0\10\0\0\0\3\11\0\0\0\0\0\0\0\1\0\0\0\3")}, false},
    {"headers", "headers 1 'abc' ", {P("\0\0\3\1\4\0\0\0\1abc")}, false},
    {"headers that end the stream", "headers 1 'abc' end ", {P("\0\0\3\1\5\0\0\0\1abc")}, false},
    {"headers, padded, with a weight", "headers 1 'abc' ", {P("\0\0\13\1\54\0\0\0\1\2\0\0\0\0\7abc\0\0")}, false},
    {"a block in pieces", "headers 1 'abcdef' end ",
     {P("\0\0\2\1\1\0\0\0\1ab\0\0\0\11\0\0\0\0\1\0\0\3\11\0\0\0\0\1cde\0\0\1\11\4\0\0\0\1f")}, false},
    {"a block in pieces, padded", "headers 1 'abcd' ",
     {P("\0\0\5\1\10\0\0\0\1\2ab\0\0\0\0\2\11\4\0\0\0\1cd")}, false},
    {"something between the pieces", "blocklost 1 data 1 'x' window 1 9 ",
     {P("\0\0\2\1\0\0\0\0\1ab\0\0\1\0\0\0\0\0\1x\0\0\2\11\4\0\0\0\1cd\0\0\4\10\0\0\0\0\1\0\0\0\11")}, false},
    {"a promise", "push 1 2 'abc' ", {P("\0\0\7\5\4\0\0\0\1\0\0\0\2abc")}, false},
    {"a promise, padded", "push 1 2 'abc' ", {P("\0\0\12\5\14\0\0\0\1\2\0\0\0\2abc\0\0")}, false},
    {"too short for what it says", "blocklost 1 ", {P("\0\0\3\1\44\0\0\0\1abc")}, false},
    {"reset, going away, window", "reset 5 goaway 7 window 0 65535 window 3 1 ",
     {P("\0\0\4\3\0\0\0\0\5\0\0\0\10\0\0\12\7\0\0\0\0\0\0\0\0\7\0\0\0\0xx\0\0\4\10\0\0\0\0\0\200\0\377\377\0\0\4\10\0\0\0\0\3\0\0\0\1")},
     false},
    {"unknown types, priority, ping", "window 0 1 ",
     {P("\0\0\3\77\377\0\0\0\1abc\0\0\5\2\0\0\0\0\3\0\0\0\0\1\0\0\10\6\0\0\0\0\0abcdefgh\0\0\4\10\0\0\0\0\0\0\0\0\1")}, false},
    {"a large frame", "data 1 'x' skip 1 69999 end 1 ", {P("\1\21\160\0\1\0\0\0\1x"), MISSING(69999)}, false},
    {"what cannot be", "lost ", {P("\0\0\5\10\0\0\0\0\1abcde")}, false},
    {"data without a stream", "lost ", {P("\0\0\5\0\0\0\0\0\0abcde")}, false},
    {"settings of an odd size", "lost ", {P("\0\0\5\4\0\0\0\0\0abcde")}, false},

    {"a gap in data", "data 1 'he' skip 1 2 data 1 'o' end 1 ", {P("\0\0\5\0\1\0\0\0\1he"), MISSING(2), P("o")}, false},
    {"a gap over padding", "data 1 'h' skip 1 1 end 1 window 0 1 ",
     {P("\0\0\5\0\11\0\0\0\1\2h"), MISSING(3), P("\0\0\4\10\0\0\0\0\0\0\0\0\1")}, false},
    {"a gap over the pad length", "skip 1 2? data 1 'abc' end 1 ", {P("\0\0\5\0\11\0\0\0\1"), MISSING(2), P("abc")}, false},
    {"a gap in headers", "blocklost 1 end data 1 'x' ",
     {P("\0\0\5\1\5\0\0\0\1a"), MISSING(3), P("e\0\0\1\0\0\0\0\0\1x")}, false},
    {"a gap in a piece of a block", "blocklost 1 data 1 'x' ",
     {P("\0\0\2\1\0\0\0\0\1ab\0\0\3\11\0\0\0\0\1"), MISSING(3), P("\0\0\2\11\4\0\0\0\1cd\0\0\1\0\0\0\0\0\1x")}, false},
    {"a gap in a promise", "blocklost 1 push window 0 1 ",
     {P("\0\0\7\5\4\0\0\0\1\0\0"), MISSING(5), P("\0\0\4\10\0\0\0\0\0\0\0\0\1")}, false},
    {"a gap in settings", "setting 4=1 settinglost window 0 1 ",
     {P("\0\0\14\4\0\0\0\0\0\0\4\0\0\0\1\0"), MISSING(5), P("\0\0\4\10\0\0\0\0\0\0\0\0\1")}, false},
    {"a gap in what nobody reads", "window 0 1 ",
     {P("\0\0\10\6\0\0\0\0\0ab"), MISSING(6), P("\0\0\4\10\0\0\0\0\0\0\0\0\1")}, false},
    {"a gap between frames", "lost gap found 3,3 data 1 'x' ", {MISSING(3), P("\0\0\1\0\0\0\0\0\1x")}, false},
    {"a gap over the end of a frame", "data 1 'a' skip 1 4 lost gap found 17,3 data 1 'x' end 1 window 0 1 ",
     {P("\0\0\5\0\0\0\0\0\1a"), MISSING(7), P("garbage\0\0\0\0\1\0\1\0\0\1\0\1\0\0\0\1x\0\0\4\10\0\0\0\0\0\0\0\0\1")}, false},
    {"a wrong guess", "lost gap found 1,1 data 1 'x' lost found 3,0 window 0 1 ",
     {MISSING(1), P("\0\0\1\0\0\0\0\0\1xabc\0\0\4\10\0\0\0\0\0\0\0\0\1\0\0\4\10\0\0\0\0\7")}, false},
    {"more than is missing at once", "lost gap found 2018,2010 headers 1 'q' found! ",
     {MISSING(10), P("abcdefgh"), MISSING(2000), P("\0\0\1\1\4\0\0\0\1q")}, false},
};

struct told {
    char text[2000];
    size_t size;
    bool in_data; /* of one frame, that comes in pieces */
};

static void tell(struct told *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void tell(struct told *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    t->size += (size_t)vsnprintf(t->text + t->size, sizeof t->text - t->size, format, args);
    va_end(args);
    assert_true(t->size < sizeof t->text);
}

/* Data of one frame that came in pieces is told as one; the same for what is missing. */
static void tell_data(struct told *t, const struct http2_frame_out *out)
{
    char head[40];
    int n = snprintf(head, sizeof head, "data %u '", out->stream);
    size_t last = t->size;
    bool goes_on = t->in_data && t->size > 2 && strcmp(t->text + t->size - 2, "' ") == 0;
    if (goes_on)
        t->size = last - 2;
    else
        tell(t, "%.*s", n, head);
    tell(t, "%.*s' ", (int)out->data.size, (const char *)out->data.at);
    t->in_data = true;
}

static void tell_event(struct told *t, struct http2_frame *f, enum http2_frame_event event, const struct http2_frame_out *o)
{
    bool was = t->in_data;
    t->in_data = false;
    switch (event) {
    case HTTP2_DATA:
        t->in_data = was;
        tell_data(t, o);
        break;
    case HTTP2_SKIP: tell(t, "skip %u %u%s ", o->stream, (unsigned)o->size, o->is_unsure ? "?" : ""); break;
    case HTTP2_DATA_END: tell(t, "end %u ", o->stream); break;
    case HTTP2_HEADERS:
        tell(t, "headers %u '%.*s' %s%s", o->stream, (int)o->data.size, (const char *)o->data.at, o->is_end ? "end " : "",
             o->is_found ? "found! " : "");
        break;
    case HTTP2_PUSH: tell(t, "push %u %u '%.*s' ", o->stream, o->promised, (int)o->data.size, (const char *)o->data.at); break;
    case HTTP2_BLOCK_LOST:
        tell(t, "blocklost %u %s%s", o->stream, o->is_end ? "end " : "", o->type == HTTP2_TYPE_PUSH_PROMISE ? "push " : "");
        break;
    case HTTP2_RESET: tell(t, "reset %u ", o->stream); break;
    case HTTP2_SETTING: tell(t, "setting %u=%u ", o->id, o->value); break;
    case HTTP2_SETTING_LOST: tell(t, "settinglost "); break;
    case HTTP2_GOAWAY: tell(t, "goaway %u ", o->value); break;
    case HTTP2_WINDOW: tell(t, "window %u %u ", o->stream, o->value); break;
    case HTTP2_LOST: tell(t, "lost %s", o->by_gap ? "gap " : ""); break;
    case HTTP2_CANDIDATE:
        if (o->type == HTTP2_TYPE_WINDOW_UPDATE || (o->stream == 1 && o->type <= HTTP2_TYPE_HEADERS)) {
            http2_frame_accept(f);
            tell(t, "found %u,%u ", (unsigned)f->unsynced, (unsigned)f->missing);
        }
        break;
    case HTTP2_MORE: break;
    }
}

static void feed(struct told *t, struct http2_frame *f, struct http1_memory *memory, struct http1_input in)
{
    struct http2_frame_out out;
    enum http2_frame_event event;
    while ((event = http2_frame_step(f, &in, memory, &out)) != HTTP2_MORE)
        tell_event(t, f, event, &out);
    assert_int_equal(in.bytes.size + in.gap, 0);
}

static void play(const struct row *r, size_t piece, struct http1_memory *memory, struct told *t)
{
    struct http2_frame f;
    *t = (struct told){0};
    http2_frame_init(&f, r->has_preface ? 0 : sizeof HTTP2_PREFACE - 1);
    for (const struct part *p = r->parts; p->size; p++) {
        if (!p->bytes)
            feed(t, &f, memory, (struct http1_input){.gap = p->size});
        for (size_t at = 0; p->bytes && at < p->size; at += piece) {
            size_t n = p->size - at < piece ? p->size - at : piece;
            uint8_t *copy = malloc(n); /* so that the sanitizer sees a byte too far */
            memcpy(copy, p->bytes + at, n);
            feed(t, &f, memory, (struct http1_input){.bytes = span_of(copy, n)});
            free(copy);
        }
    }
    http2_frame_fini(&f, memory);
}

static struct http1_memory make_memory(void)
{
    struct http1_memory memory = {pool_new(HTTP1_SMALL, 2), pool_new(HTTP1_MAX_HEAD, 1), 0};
    assert_non_null(memory.small);
    assert_non_null(memory.large);
    return memory;
}

static void free_memory(struct http1_memory *memory)
{
    assert_int_equal(pool_used(memory->small) + pool_used(memory->large), 0);
    pool_free(memory->small);
    pool_free(memory->large);
}

static void frames_come_out_the_same_however_they_are_cut(void **state)
{
    (void)state;
    static const size_t pieces[] = {SIZE_MAX, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 13, 20};
    static struct told t;
    unsigned wrong = 0;
    struct http1_memory memory = make_memory();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (size_t p = 0; p < sizeof pieces / sizeof pieces[0]; p++) {
            play(&rows[i], pieces[p] == SIZE_MAX ? 100000 : pieces[p], &memory, &t);
            if (strcmp(t.text, rows[i].expected) != 0) {
                print_error("%s, pieces of %zu:\n  %s\nwanted\n  %s\n", rows[i].name, pieces[p], t.text, rows[i].expected);
                wrong++;
            }
        }
    }
    free_memory(&memory);
    assert_int_equal(wrong, 0);
}

/* A flood of CONTINUATION: what is collected has an end, the frames behind it are read. */
static void a_block_has_an_end(void **state)
{
    (void)state;
    static uint8_t bytes[9 + 1000];
    struct http1_memory memory = make_memory();
    struct http2_frame f;
    struct http2_frame_out out;
    unsigned lost = 0, after = 0;
    http2_frame_init(&f, sizeof HTTP2_PREFACE - 1);
    for (int i = 0; i < 5000; i++) {
        memcpy(bytes, i ? "\0\3\350\11\0\0\0\0\1" : "\0\3\350\1\0\0\0\0\1", 9);
        struct http1_input in = {.bytes = span_of(bytes, sizeof bytes)};
        enum http2_frame_event event;
        while ((event = http2_frame_step(&f, &in, &memory, &out)) != HTTP2_MORE) {
            assert_int_equal(event, HTTP2_BLOCK_LOST);
            assert_true(out.is_cut);
            assert_int_equal(i, 65);
            lost++;
        }
    }
    struct http1_input in = {.bytes = SPAN("\0\0\1\11\4\0\0\0\1x\0\0\1\0\0\0\0\0\1x")};
    while (http2_frame_step(&f, &in, &memory, &out) == HTTP2_DATA)
        after++;
    assert_int_equal(lost, 1);
    assert_int_equal(after, 1);
    http2_frame_fini(&f, &memory);
    free_memory(&memory);
}

/* Without a buffer a block in pieces is lost, and counted; one that lies in one piece needs none. */
static void buffers_may_be_used_up(void **state)
{
    (void)state;
    struct http1_memory memory = make_memory();
    struct http2_frame f[4];
    struct http2_frame_out out;
    for (int i = 0; i < 4; i++) {
        struct http1_input in = {.bytes = SPAN("\0\0\3\1\4\0\0\0\1a")};
        http2_frame_init(&f[i], sizeof HTTP2_PREFACE - 1);
        assert_int_equal(http2_frame_step(&f[i], &in, &memory, &out), i < 2 ? HTTP2_MORE : HTTP2_BLOCK_LOST);
    }
    assert_int_equal(memory.refused, 2);
    struct http1_input rest = {.bytes = SPAN("bc\0\0\3\1\4\0\0\0\3abc")};
    assert_int_equal(http2_frame_step(&f[3], &rest, &memory, &out), HTTP2_HEADERS);
    assert_int_equal(out.stream, 3);
    for (int i = 0; i < 4; i++)
        http2_frame_fini(&f[i], &memory);
    free_memory(&memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_come_out_the_same_however_they_are_cut),
        cmocka_unit_test(a_block_has_an_end),
        cmocka_unit_test(buffers_may_be_used_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
