/* SPDX-License-Identifier: Apache-2.0
 * The record layer of TLS: first bytes, records however they are cut, gaps in and between them, the way back into sync.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/text.h"
#include "support/unhex.h"
#include "wire/tls_record.h"

#define N(array) (sizeof(array) / sizeof *(array))

static struct tls_record_memory memory;

static int set_up(void **state)
{
    (void)state;
    memory = (struct tls_record_memory){.blocks = pool_new(TLS_RECORD_BLOCK, 2)};
    return !memory.blocks;
}

static int tear_down(void **state)
{
    (void)state;
    pool_free(memory.blocks);
    return 0;
}

static void first_bytes(void **state)
{
    static const struct {
        const char *hex;
        enum tls_probe probe;
    } rows[] = {
        {"", TLS_PROBE_MORE},
        {"16", TLS_PROBE_MORE},
        {"16 03", TLS_PROBE_MORE},
        {"16 0301 0200", TLS_PROBE_MORE},
        {"16 0301 0200 01", TLS_PROBE_CLIENT},
        {"16 0303 0040 02", TLS_PROBE_SERVER},
        {"16 0303 0040 04", TLS_PROBE_RECORD},
        {"15 0301 0002", TLS_PROBE_RECORD},
        {"17 0303 4000", TLS_PROBE_RECORD},
        {"16 0301 0000", TLS_PROBE_NO},
        {"16 0301 4801", TLS_PROBE_NO},
        {"16 0305", TLS_PROBE_NO},
        {"16 02", TLS_PROBE_NO},
        {"19", TLS_PROBE_NO},
        {"47", TLS_PROBE_NO},
        {"80", TLS_PROBE_MORE},
        {"80 2e 01 00", TLS_PROBE_MORE},
        {"80 2e 01 0002", TLS_PROBE_SSL2},
        {"80 2e 01 0301", TLS_PROBE_SSL2},
        {"80 2e 01 0305", TLS_PROBE_NO},
        {"80 2e 01 0003", TLS_PROBE_NO},
        {"80 2e 04", TLS_PROBE_NO},
        {"80 08", TLS_PROBE_NO},
    };
    (void)state;
    for (size_t i = 0; i < N(rows); i++) {
        uint8_t bytes[16];
        assert_int_equal(tls_record_probe(unhex(rows[i].hex, bytes, sizeof bytes)), rows[i].probe);
    }
}

/* What a test wants of each record; SIZE_MAX: says nothing. */
struct wish {
    size_t head, tail;
};

static const struct wish whole = {SIZE_MAX, 0};

/* A stream: bytes, and gaps in front of offsets. */
struct stream {
    uint8_t bytes[131072];
    size_t size;
    struct {
        size_t at;
        uint64_t size;
    } gap[4];
    size_t n_gaps;
    uint8_t sent[16][TLS_RECORD_MAX]; /* the fragments as they were sent */
    size_t sent_size[16], n_sent;
};

static struct stream stream;

static void begin(void)
{
    stream.size = stream.n_gaps = stream.n_sent = 0;
}

static void put(const void *at, size_t size)
{
    assert_true(stream.size + size <= sizeof stream.bytes);
    memcpy(stream.bytes + stream.size, at, size);
    stream.size += size;
}

/* Bytes that look like nothing; 'seed' makes them differ. */
static void put_noise(size_t size, size_t seed)
{
    uint32_t noise = (uint32_t)seed;
    for (size_t i = 0; i < size; i++) {
        noise = noise * 1103515245u + 12345;
        uint8_t byte = (uint8_t)(noise >> 16 | 0x80); /* never a record type */
        put(&byte, 1);
    }
}

static void put_header(uint8_t type, uint16_t version, size_t length)
{
    const uint8_t header[5] = {type, (uint8_t)(version >> 8), (uint8_t)version, (uint8_t)(length >> 8),
                               (uint8_t)length};
    put(header, sizeof header);
}

static void put_record(uint8_t type, uint16_t version, size_t length)
{
    put_header(type, version, length);
    put_noise(length, stream.n_sent + 1);
    memcpy(stream.sent[stream.n_sent], stream.bytes + stream.size - length, length);
    stream.sent_size[stream.n_sent++] = length;
}

/* The last 'size' bytes are lost. */
static void lose(size_t size)
{
    assert_true(stream.n_gaps < N(stream.gap) && size <= stream.size);
    stream.size -= size;
    stream.gap[stream.n_gaps].at = stream.size;
    stream.gap[stream.n_gaps++].size = size;
}

/* Which record this is the beginning, and the end, of. */
static int which(const struct tls_record_out *out)
{
    for (size_t i = 0; i < stream.n_sent; i++) {
        struct span sent = span_of(stream.sent[i], stream.sent_size[i]);
        if (sent.size == out->head.length && span_eq(out->data, span_sub(sent, 0, out->data.size)) &&
            span_eq(out->tail, span_from(sent, sent.size - out->tail.size)))
            return (int)i;
    }
    return -1;
}

/* H type:length, B bytes of the head +tail =record -missing, M -missing, L size, F size -missing, X size */
static void log_event(struct text *log, enum tls_record_event event, const struct tls_record_out *out)
{
    unsigned missing = (unsigned)out->missing, size = (unsigned)out->size;
    switch (event) {
    case TLS_RECORD_MORE: break;
    case TLS_RECORD_HEAD: text_addf(log, "H%u:%u ", out->head.type, out->head.length); break;
    case TLS_RECORD_BODY:
        text_addf(log, "B%zu+%zu=%d", out->data.size, out->tail.size, which(out));
        text_addf(log, missing ? "-%u " : " ", missing);
        break;
    case TLS_RECORD_MEASURED:
        text_addf(log, "M-%u%s%s ", missing, out->is_cut ? "cut" : "", out->is_refused ? "refused" : "");
        break;
    case TLS_RECORD_LOST: text_addf(log, "L%u ", size); break;
    case TLS_RECORD_FOUND: text_addf(log, "F%u-%u ", size, missing); break;
    case TLS_RECORD_SSL2: text_addf(log, "S%04x+%zu ", out->version, out->data.size); break;
    case TLS_RECORD_FOREIGN: text_addf(log, "X%u ", size); break;
    }
}

static void step_all(struct tls_record_reader *r, struct tls_record_input *input, const struct wish *wish,
                     struct text *log)
{
    struct tls_record_out out;
    enum tls_record_event event;
    while ((event = tls_record_step(r, &memory, input, &out)) != TLS_RECORD_MORE) {
        log_event(log, event, &out);
        if (event == TLS_RECORD_HEAD && wish->head != SIZE_MAX)
            tls_record_want(r, wish->head, wish->tail);
    }
    assert_int_equal(input->bytes.size + input->gap, 0);
}

static void play_piece(struct tls_record_reader *r, size_t from, size_t to, const struct wish *wish, struct text *log)
{
    uint8_t *copy = malloc(to - from ? to - from : 1); /* its own allocation: sanitizers see what is read outside */
    assert_non_null(copy);
    memcpy(copy, stream.bytes + from, to - from);
    struct tls_record_input input = {.bytes = span_of(copy, to - from)};
    step_all(r, &input, wish, log);
    free(copy);
}

/* The stream in pieces of 'cut' bytes; the log is the caller's to free. */
static void play(size_t cut, const struct wish *wish, uint64_t seek, struct text *log)
{
    struct tls_record_reader r;
    struct tls_record_input input = {.gap = 0};
    size_t at = 0;
    tls_record_init(&r);
    if (seek)
        tls_record_seek(&r, seek);
    for (size_t g = 0; g <= stream.n_gaps; g++) {
        size_t end = g < stream.n_gaps ? stream.gap[g].at : stream.size;
        for (; at < end; at += end - at < cut ? end - at : cut)
            play_piece(&r, at, end - at < cut ? end : at + cut, wish, log);
        if (g < stream.n_gaps) {
            input.gap = stream.gap[g].size;
            step_all(&r, &input, wish, log);
        }
    }
    tls_record_finish(&r);
    step_all(&r, &input, wish, log);
    tls_record_fini(&r, &memory);
    assert_int_equal(pool_used(memory.blocks), 0);
}

/* Plays it in many cuts: always the same comes out, and that is 'want'. */
static void expect(const struct wish *wish, uint64_t seek, const char *want)
{
    static const size_t cuts[] = {1, 2, 3, 5, 7, 64, 1460, 16385, 1000000};
    for (size_t i = 0; i < N(cuts); i++) {
        struct text log = {0};
        play(cuts[i], wish, seek, &log);
        if (strcmp(text_str(&log), want))
            print_message("cut %zu\n", cuts[i]);
        assert_string_equal(text_str(&log), want);
        text_fini(&log);
    }
}

static void records_whole(void **state)
{
    (void)state;
    begin();
    put_record(TLS_HANDSHAKE, 0x0301, 300);
    put_record(TLS_CHANGE_CIPHER_SPEC, 0x0303, 1);
    put_record(TLS_APPLICATION_DATA, 0x0303, TLS_RECORD_MAX);
    put_record(TLS_APPLICATION_DATA, 0x0303, 0);
    put_record(TLS_ALERT, 0x0303, 2);
    expect(&whole, 0, "H22:300 B300+0=0 H20:1 B1+0=1 H23:18432 B18432+0=2 H23:0 B0+0=3 H21:2 B2+0=4 ");
}

static void records_in_part(void **state)
{
    static const struct {
        struct wish wish;
        const char *want;
    } rows[] = {
        {{0, 0}, "H23:16384 M-0 H23:20 M-0 "},
        {{17, 0}, "H23:16384 B17+0=0 H23:20 B17+0=1 "},
        {{17, 32}, "H23:16384 B17+32=0 H23:20 B20+0=1 "},
        {{0, 18}, "H23:16384 B0+18=0 H23:20 B0+18=1 "},
        {{100000, 1}, "H23:16384 B16384+0=0 H23:20 B20+0=1 "},
    };
    (void)state;
    for (size_t i = 0; i < N(rows); i++) {
        begin();
        put_record(TLS_APPLICATION_DATA, 0x0303, 16384);
        put_record(TLS_APPLICATION_DATA, 0x0303, 20);
        expect(&rows[i].wish, 0, rows[i].want);
    }
}

/* A gap inside of a record costs that record, or nothing where those bytes were not wanted. */
static void gaps_inside_of_records(void **state)
{
    static const struct {
        struct wish wish;
        const char *want;
    } rows[] = {
        {{SIZE_MAX, 0}, "H23:5000 M-1460 H23:70 B70+0=1 "},
        {{0, 0}, "H23:5000 M-1460 H23:70 M-0 "},
        {{9, 16}, "H23:5000 B9+16=0-1460 H23:70 B9+16=1 "},
        {{2000, 0}, "H23:5000 M-1460 H23:70 B70+0=1 "},
        {{995, 2545}, "H23:5000 B995+2545=0-1460 H23:70 B70+0=1 "},
        {{996, 0}, "H23:5000 M-1460 H23:70 B70+0=1 "},
        {{0, 2546}, "H23:5000 M-1460 H23:70 B70+0=1 "},
    };
    (void)state;
    for (size_t i = 0; i < N(rows); i++) {
        begin();
        put_record(TLS_APPLICATION_DATA, 0x0303, 5000);
        uint8_t rest[2545]; /* behind a gap of 1460 bytes */
        memcpy(rest, stream.bytes + stream.size - sizeof rest, sizeof rest);
        stream.size -= sizeof rest;
        lose(1460);
        put(rest, sizeof rest);
        put_record(TLS_APPLICATION_DATA, 0x0303, 70);
        expect(&rows[i].wish, 0, rows[i].want);
    }
}

/* A gap that reaches behind the end of a record; what is between it and the next header is passed. */
static void gaps_between_records(void **state)
{
    (void)state;
    begin();
    put_record(TLS_APPLICATION_DATA, 0x0303, 100);
    put_record(TLS_APPLICATION_DATA, 0x0303, 200);
    lose(230);         /* the last 25 of the first, all of the second */
    put_noise(50, 99); /* the end of a third, whose header was in the gap, say */
    put_record(TLS_APPLICATION_DATA, 0x0303, 300);
    put_record(TLS_APPLICATION_DATA, 0x0303, 400);
    expect(&whole, 0, "H23:100 M-25 L205 F255-205 H23:300 B300+0=2 H23:400 B400+0=3 ");
}

static void gap_in_a_header(void **state)
{
    (void)state;
    begin();
    put_record(TLS_APPLICATION_DATA, 0x0303, 100);
    put_header(TLS_APPLICATION_DATA, 0x0303, 60);
    lose(3);
    put_noise(60, 98);
    put_record(TLS_APPLICATION_DATA, 0x0303, 30);
    put_record(TLS_APPLICATION_DATA, 0x0303, 40);
    expect(&whole, 0, "H23:100 B100+0=0 L3 F65-3 H23:30 B30+0=1 H23:40 B40+0=2 ");
}

/* While looking: what seems a header and is none, a second gap, and one record alone at the end. */
static void the_way_back(void **state)
{
    (void)state;
    begin();
    put_record(TLS_APPLICATION_DATA, 0x0303, 100);
    put_record(TLS_APPLICATION_DATA, 0x0303, 10);
    lose(15);
    put_header(TLS_APPLICATION_DATA, 0x0303, 16000); /* nothing stands at its end */
    put_noise(40, 97);
    put_header(TLS_APPLICATION_DATA, 0x0302, 30); /* at its end a header of another version */
    put_noise(30, 96);
    put_record(TLS_APPLICATION_DATA, 0x0303, 500);
    put_record(TLS_APPLICATION_DATA, 0x0303, 16384);
    put_record(TLS_ALERT, 0x0303, 26);
    expect(&whole, 0, "H23:100 B100+0=0 L15 F95-15 H23:500 B500+0=2 H23:16384 B16384+0=3 H21:26 B26+0=4 ");
    begin();
    put_record(TLS_APPLICATION_DATA, 0x0303, 10);
    lose(15);
    put_record(TLS_APPLICATION_DATA, 0x0303, 200);
    lose(20);
    put_noise(10, 95);
    put_record(TLS_APPLICATION_DATA, 0x0303, 300);
    expect(&whole, 0, "L15 F230-35 H23:300 B300+0=2 ");
    begin();
    put_record(TLS_APPLICATION_DATA, 0x0303, 10);
    put_noise(1000, 94);
    expect(&whole, 0, "H23:10 B10+0=0 L0 ");
}

/* Bytes that look like headers at every fifth place cost time, not more than that. */
static void headers_everywhere(void **state)
{
    (void)state;
    begin();
    put_record(TLS_APPLICATION_DATA, 0x0303, 10);
    lose(15);
    for (int i = 0; i < 8000; i++)
        put_header(TLS_APPLICATION_DATA, 0x0303, 0x4003); /* not a multiple of five away */
    put_record(TLS_ALERT, 0x0303, 26);
    put_record(TLS_ALERT, 0x0303, 27);
    expect(&whole, 0, "L15 F40015-15 H21:26 B26+0=1 H21:27 B27+0=2 ");
}

static void sync_lost_without_a_gap(void **state)
{
    (void)state;
    begin();
    put_record(TLS_APPLICATION_DATA, 0x0303, 100);
    put_noise(77, 93);
    put_record(TLS_APPLICATION_DATA, 0x0303, 100);
    put_record(TLS_APPLICATION_DATA, 0x0303, 100);
    put_noise(5, 92);
    expect(&whole, 0, "H23:100 B100+0=0 L0 F77-0 H23:100 B100+0=1 H23:100 B100+0=2 L0 ");
    begin();
    put_record(TLS_APPLICATION_DATA, 0x0303, 100);
    put_header(TLS_APPLICATION_DATA, 0x0303, TLS_RECORD_MAX + 1);
    put_record(TLS_APPLICATION_DATA, 0x0303, 100);
    expect(&whole, 0, "H23:100 B100+0=0 L0 F5-0 H23:100 B100+0=1 ");
}

static void joined_midstream(void **state)
{
    (void)state;
    begin();
    put_noise(3000, 91);
    put_record(TLS_APPLICATION_DATA, 0x0303, 100);
    put_record(TLS_APPLICATION_DATA, 0x0303, 50);
    expect(&whole, 100000, "F3000-0 H23:100 B100+0=0 H23:50 B50+0=1 ");
    expect(&whole, 3000, "X3000 ");
    expect(&whole, 17, "X17 ");
    expect(&whole, 3001, "F3000-0 H23:100 B100+0=0 H23:50 B50+0=1 ");
    begin();
    put_record(TLS_HANDSHAKE, 0x0301, 100);
    lose(50); /* the end of the only record */
    expect(&whole, 0, "H22:100 M-50 ");
}

/* What a gap makes void has been looked at. */
static void a_search_gives_up(void **state)
{
    (void)state;
    begin();
    put_header(TLS_APPLICATION_DATA, 0x0303, 16000); /* waits for its end */
    put_noise(500, 87);
    put_noise(100, 86);
    lose(100);
    put_noise(500, 85);
    put_record(TLS_APPLICATION_DATA, 0x0303, 100);
    put_record(TLS_APPLICATION_DATA, 0x0303, 50);
    expect(&whole, 400, "X605 ");
    expect(&whole, 700, "X800 ");
    expect(&whole, 2000, "F1105-100 H23:100 B100+0=0 H23:50 B50+0=1 ");
}

static void ends_inside_of_a_record(void **state)
{
    static const struct wish none = {0, 0};
    (void)state;
    begin();
    put_record(TLS_HANDSHAKE, 0x0301, 100);
    put_header(TLS_APPLICATION_DATA, 0x0303, 100);
    put_noise(40, 90);
    expect(&whole, 0, "H22:100 B100+0=0 H23:100 M-60cut ");
    expect(&none, 0, "H22:100 M-0 H23:100 M-60cut ");
    begin(); /* the same right behind a search that the end of the stream decides */
    put_noise(20, 89);
    put_record(TLS_APPLICATION_DATA, 0x0303, 100);
    put_header(TLS_APPLICATION_DATA, 0x0303, 100);
    put_noise(40, 88);
    expect(&whole, 1000, "F20-0 H23:100 B100+0=0 H23:100 M-60cut ");
}

static void not_tls(void **state)
{
    (void)state;
    begin();
    put("GET / HTTP/1.1\r\n\r\n", 18);
    expect(&whole, 0, "X0 ");
    begin();
    put("\x80\x0b\x01\x03\x01\x00\x15\x00\x00\x00\x10yz", 13); /* its whole message, then records */
    put_record(TLS_HANDSHAKE, 0x0301, 100);
    expect(&whole, 0, "S0301+11 H22:100 B100+0=0 ");
    begin();
    put("\x80\x2e\x01\x03\x01\x00\x15", 7);
    put_noise(20, 5);
    lose(20);
    expect(&whole, 0, "S0301+0 ");
    begin();
    put("\x9f\xff\x01\x03\x01\x00\x15", 7); /* longer than any */
    expect(&whole, 0, "S0301+0 ");
    begin();
    put("\x16\x03\x01", 3);
    expect(&whole, 0, "");
    begin();
    put_record(TLS_HANDSHAKE, 0x0301, 100);
    lose(105); /* the first bytes */
    put_record(TLS_APPLICATION_DATA, 0x0303, 100);
    expect(&whole, 0, "L105 F105-105 H23:100 B100+0=1 ");
}

static void no_memory_is_counted(void **state)
{
    (void)state;
    void *blocks[2] = {pool_take(memory.blocks), pool_take(memory.blocks)};
    struct tls_record_reader r;
    struct text log = {0};
    begin();
    put_record(TLS_APPLICATION_DATA, 0x0303, 100);
    put_record(TLS_APPLICATION_DATA, 0x0303, 90);
    uint64_t before = memory.refused;
    tls_record_init(&r);
    play_piece(&r, 0, 50, &whole, &log);
    play_piece(&r, 50, stream.size, &whole, &log); /* the second is whole in its piece */
    assert_string_equal(text_str(&log), "H23:100 M-0refused H23:90 B90+0=1 ");
    assert_int_equal(memory.refused, before + 1);
    struct tls_record_input gap = {.gap = 7};
    step_all(&r, &gap, &whole, &log);
    play_piece(&r, 0, 50, &whole, &log);
    pool_give(memory.blocks, blocks[0]); /* from here on it can look */
    play_piece(&r, 0, stream.size, &whole, &log);
    assert_string_equal(text_str(&log), "H23:100 M-0refused H23:90 B90+0=1 L7 F57-7 H23:100 B100+0=0 H23:90 B90+0=1 ");
    assert_int_equal(memory.refused, before + 2);
    tls_record_fini(&r, &memory);
    assert_int_equal(pool_used(memory.blocks), 1);
    pool_give(memory.blocks, blocks[1]);
    text_fini(&log);
}

/* Numbers count what was seen; times are of the packet with the first byte. */
static void numbers_and_times(void **state)
{
    (void)state;
    struct tls_record_reader r;
    struct tls_record_out out;
    begin();
    put_record(TLS_APPLICATION_DATA, 0x0303, 10);
    put_record(TLS_APPLICATION_DATA, 0x0303, 10);
    tls_record_init(&r);
    for (size_t at = 0, heads = 0; at < stream.size; at++) {
        struct tls_record_input input = {.bytes = span_of(stream.bytes + at, 1), .now_ns = 1000 + at};
        while (tls_record_step(&r, &memory, &input, &out) != TLS_RECORD_MORE)
            if (out.data.size) {
                assert_int_equal(out.head.number, heads);
                assert_int_equal(out.head.begin_ns, 1000 + 15 * heads);
                heads++;
            }
    }
    assert_int_equal(r.count, 2);
    tls_record_fini(&r, &memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_bytes),
        cmocka_unit_test(records_whole),
        cmocka_unit_test(records_in_part),
        cmocka_unit_test(gaps_inside_of_records),
        cmocka_unit_test(gaps_between_records),
        cmocka_unit_test(gap_in_a_header),
        cmocka_unit_test(the_way_back),
        cmocka_unit_test(headers_everywhere),
        cmocka_unit_test(sync_lost_without_a_gap),
        cmocka_unit_test(joined_midstream),
        cmocka_unit_test(a_search_gives_up),
        cmocka_unit_test(ends_inside_of_a_record),
        cmocka_unit_test(not_tls),
        cmocka_unit_test(no_memory_is_counted),
        cmocka_unit_test(numbers_and_times),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
