/* SPDX-License-Identifier: Apache-2.0
 * Bodies on their way to a tap, heads of every size, sizes beyond 4 GiB, and what happens when memory runs out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/talk.h"

#define REQ "GET /a HTTP/1.1\r\n\r\n"
#define GZIPPED                                                                                                        \
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03+\xc9HUHN,NUH\xcb\xccIU\xc8OSHTH.-.\xc9\xcfM-\xd2Q("                      \
    "\xc1\x90\xcc\xcb\x07\x8a"                                                                                         \
    "\x15\xc1\x95\x00\x00\x8a\x61\x09\x96>\x00\x00\x00" /* 59 bytes of 62 */

struct body_row {
    struct talk_row talk;
    const char *request, *response; /* what the taps got last */
};

static const struct body_row ROWS[] = {
    {.talk = {"length", "1 POST /a - 200 5oc 5oc\n",
              .steps = {C("POST /a HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"),
                        S("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nworld")}},
     .request = "hello",
     .response = "world"},
    {.talk = {"chunked", "1 GET /a - 200 0oc 10oc\n",
              .steps = {C(REQ), S("HTTP/1.1 200 OK\r\nTransfer-Encoding: "
                                  "chunked\r\n\r\n5\r\nhello\r\n5;x=y\r\nworld\r\n0\r\nA: b\r\n\r\n")}},
     .response = "helloworld"},
    {.talk = {"a gap", "1 GET /a - 200 0oc 10oc/4 gap\n",
              .steps = {C(REQ), S("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"), SGAP(4), S("xyz")}},
     .response = "abc[-4]xyz"},
    {.talk = {"a limit", "1 GET /a - 200 0oc 10oc\n", .limit = 7,
              .steps = {C(REQ), S("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789")}},
     .response = "0123456"},
    {.talk = {"a limit inside a gap", "1 GET /a - 200 0oc 12oc/8 gap\n", .limit = 7,
              .steps = {C(REQ), S("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nabc"), SGAP(8), S("x")}},
     .response = "abc[-4]"},
    {.talk = {"gzip decoded", "1 GET /a - 200 0oc 59oc~62\n", .want_decoded = true,
              .steps = {C(REQ), S("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 59\r\n\r\n" GZIPPED)}},
     .response = "the case file of a customer, the case file of another customer"},
    {.talk =
         {"gzip, chunked, decoded", "1 GET /a - 200 0oc 59oc~62\n", .want_decoded = true,
          .steps = {C(REQ),
                    S("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n3b\r\n" GZIPPED
                      "\r\n0\r\n\r\n")}},
     .response = "the case file of a customer, the case file of another customer"},
    {.talk = {"gzip as it is on the wire", "1 GET /a - 200 0oc 4oc\n",
              .steps = {C(REQ), S("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nABCD")}},
     .response = "ABCD"},
    {.talk = {"gzip decoded up to a limit", "1 GET /a - 200 0oc 59oc\n", .want_decoded = true, .limit = 8,
              .steps = {C(REQ), S("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 59\r\n\r\n" GZIPPED)}},
     .response = "the case"},
    {.talk = {"no gzip", "1 GET /a - 200 0oc 10oc\n2 GET /a - 200 0oc 0oc\n", .want_decoded = true,
              .steps = {C(REQ), S("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 10\r\n\r\nplain text"),
                        C(REQ), S("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")}},
     .response = ""},
    {.talk = {"a coding nobody knows", "1 GET /a - 200 0oc 4oc\n", .want_decoded = true,
              .steps = {C(REQ), S("HTTP/1.1 200 OK\r\nContent-Encoding: zstd\r\nContent-Length: 4\r\n\r\nABCD")}},
     .response = ""},
    {.talk = {"a gap in gzip", "1 GET /a - 200 0oc 59oc/50 gap\n", .want_decoded = true,
              .steps = {C(REQ),
                        S("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 59\r\n\r\n\x1f\x8b\x08"),
                        SGAP(50), S("123456")}},
     .response = "[-50]"},
    {.talk = {"identity decoded", "1 GET /a - 200 0oc 4oc\n", .want_decoded = true,
              .steps = {C(REQ), S("HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\nContent-Length: 4\r\n\r\nABCD")}},
     .response = "ABCD"},
};

static void taps_get_the_body_however_it_is_cut(void **state)
{
    static const size_t pieces[] = {SIZE_MAX, 1, 2, 3, 7};
    static struct talk k;
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        for (size_t j = 0; j < sizeof pieces / sizeof pieces[0]; j++) {
            talk_play(&k, &ROWS[i].talk, pieces[j]);
            if (strcmp(k.text, ROWS[i].talk.expected) != 0 || strcmp(k.body[1], ROWS[i].response) != 0)
                print_error("\"%s\" in pieces of %zu\n", ROWS[i].talk.name, pieces[j]);
            assert_string_equal(k.text, ROWS[i].talk.expected);
            assert_string_equal(k.body[1], ROWS[i].response);
            if (ROWS[i].request)
                assert_string_equal(k.body[0], ROWS[i].request);
            assert_int_equal(k.errors, 0);
        }
    }
}

/* ---- by hand ---- */

struct hand {
    struct talk talk;
    struct talk_row row;
    struct conn_hooks hooks;
    struct conn_pool *pool;
    struct flow_info info;
    struct conn *c;
    uint64_t now;
};

static void hand_begin(struct hand *h, uint32_t max_conns, uint32_t max_active)
{
    memset(h, 0, sizeof *h);
    h->talk.row = &h->row;
    h->row.is_many = max_conns > 1;
    h->hooks = talk_hooks(&h->talk);
    h->pool = conn_pool_new(&(struct conn_limits){max_conns, max_active}, &h->hooks);
    assert_non_null(h->pool);
    h->info.saw[0] = h->info.saw[1] = true;
    h->now = 1;
    h->c = conn_new(h->pool, &h->info);
    assert_non_null(h->c);
}

static void hand_end(struct hand *h)
{
    conn_end(h->c, h->now);
    conn_pool_free(h->pool);
    assert_int_equal(h->talk.open, 0);
    assert_int_equal(h->talk.errors, 0);
}

static void hand_say(struct hand *h, int direction, const char *bytes, size_t size, size_t piece)
{
    struct talk_step step = {TALK_BYTES, direction, bytes, size};
    talk_bytes(h->c, &step, piece, false, &h->now);
}

static void hand_text(struct hand *h, int direction, const char *text)
{
    hand_say(h, direction, text, strlen(text), SIZE_MAX);
}

static uint64_t count_of(const struct conn_pool *p, const char *name)
{
    struct counters c = conn_counters(p);
    for (size_t i = 0; i < c.n; i++)
        if (strcmp(c.defs[i].name, name) == 0)
            return c.values[i];
    fail_msg("no counter %s", name);
    return 0;
}

static void sizes_beyond_four_gibibytes_are_exact(void **state)
{
    static struct hand h;
    static uint8_t block[1 << 20];
    (void)state;
    hand_begin(&h, 1, 16);
    hand_text(&h, 0, REQ REQ);
    hand_text(&h, 1, "HTTP/1.1 200 OK\r\nContent-Length: 5368709127\r\n\r\n");
    for (int i = 0; i < 5 * 1024; i++)
        conn_data(h.c, 1, span_of(block, sizeof block), h.now++);
    hand_text(&h, 1, "1234567HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n140000000\r\n");
    for (int i = 0; i < 5 * 1024; i++)
        conn_data(h.c, 1, span_of(block, sizeof block), h.now++);
    hand_text(&h, 1, "\r\n0\r\n\r\n");
    hand_end(&h);
    assert_string_equal(h.talk.text, "1 GET /a - 200 0oc 5368709127oc\n2 GET /a - 200 0oc 5368709120oc\n");
}

/* A request with 'n' fields of 'size' bytes each, and one mark at the end. */
static char *big_request(size_t n, size_t size, size_t *total)
{
    char *text = malloc(n * (size + 32) + 128), *at = text;
    at += sprintf(at, "GET /big HTTP/1.1\r\n");
    for (size_t i = 0; i < n; i++) {
        at += sprintf(at, "F%zu: ", i);
        memset(at, 'v', size);
        at += size;
        at += sprintf(at, "\r\n");
    }
    at += sprintf(at, "X-Mark: m\r\n\r\n");
    *total = (size_t)(at - text);
    return text;
}

static void big_heads_are_kept_up_to_their_caps(void **state)
{
    static const struct {
        size_t n, size;
        const char *expected;
    } rows[] = {
        {20, 50, "1 GET /big - 200 0oc 0oc mark= m\n"},
        {60, 100, "1 GET /big - 200 0oc 0oc mark= m\n"},  /* more than a small block */
        {30, 2000, "1 GET /big - 200 0oc 0oc mark= m\n"}, /* nearly 64 KiB */
        {127, 10, "1 GET /big - 200 0oc 0oc mark= m\n"},  /* 128 fields */
        {128, 10, "1 GET /big - 200 0oc 0oc cut\n"},      /* one more */
        {40, 2000, "1 GET /big - 200 0oc 0oc cut\n"},     /* more than 64 KiB */
        {1, 300000, "1 GET /big - 200 0oc 0oc cut\n"},
        {1, 2000000, ""}, /* no end within 1 MiB: not taken for a head */
    };
    static const size_t pieces[] = {SIZE_MAX, 1460, 7, 1};
    static struct hand h;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t size;
        char *text = big_request(rows[i].n, rows[i].size, &size);
        for (size_t j = 0; j < sizeof pieces / sizeof pieces[0]; j++) {
            hand_begin(&h, 1, 16);
            hand_say(&h, 0, text, size, pieces[j]);
            if (rows[i].expected[0])
                hand_text(&h, 1, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
            hand_end(&h);
            assert_string_equal(h.talk.text, rows[i].expected);
        }
        free(text);
    }
}

static void long_start_lines_are_no_http(void **state)
{
    static const size_t pieces[] = {SIZE_MAX, 1460, 1};
    static struct hand h;
    char *text = malloc(70000);
    (void)state;
    memset(text, 'a', 70000);
    memcpy(text, "GET /", 5);
    memcpy(text + 69987, " HTTP/1.1\r\n\r\n", 13);
    for (size_t j = 0; j < sizeof pieces / sizeof pieces[0]; j++) {
        hand_begin(&h, 1, 16);
        hand_say(&h, 0, text, 70000, pieces[j]);
        assert_int_equal(conn_speaks(h.c), CONN_OTHER);
        hand_end(&h);
        assert_string_equal(h.talk.text, "");
    }
    free(text);
}

static void memory_comes_back_from_every_conversation(void **state)
{
    static struct hand h;
    size_t size;
    char *text = big_request(60, 100, &size);
    (void)state;
    hand_begin(&h, 4, 16);
    conn_end(h.c, h.now);
    for (size_t i = 0; i < 3000; i++) { /* each is given up at another point */
        h.talk.size = 0;
        h.c = conn_new(h.pool, &h.info);
        assert_non_null(h.c);
        hand_say(&h, 0, text, i % (size + 1), i % 3 ? SIZE_MAX : 100);
        if (i % 2)
            hand_text(&h, 1, "HTTP/1.1 200 OK\r\nContent-Len");
        if (i % 5 == 0)
            conn_gap(h.c, (int)(i % 2), 100, i % 3 == 0, h.now++);
        conn_end(h.c, h.now++);
    }
    assert_int_equal(count_of(h.pool, "conn_blocks_refused"), 0);
    assert_int_equal(count_of(h.pool, "conn_heads_refused"), 0);
    assert_int_equal(count_of(h.pool, "conn_refused"), 0);
    h.c = conn_new(h.pool, &h.info);
    free(text);
    hand_end(&h);
}

static void the_oldest_open_transaction_makes_room(void **state)
{
    static struct hand h;
    (void)state;
    hand_begin(&h, 4, 2);
    struct conn *old = h.c;
    hand_text(&h, 0, REQ);
    h.c = conn_new(h.pool, &h.info);
    hand_text(&h, 0, REQ);
    conn_end(h.c, h.now++);
    h.c = conn_new(h.pool, &h.info);
    hand_text(&h, 0, REQ REQ);
    assert_int_equal(conn_speaks(old), CONN_OTHER);
    assert_int_equal(conn_speaks(h.c), CONN_HTTP1);
    assert_int_equal(count_of(h.pool, "conn_evicted"), 1);
    hand_text(&h, 0, REQ); /* no other connection has one left: this one is given up */
    assert_int_equal(conn_speaks(h.c), CONN_OTHER);
    conn_end(old, h.now++);
    hand_end(&h);
}

static void connections_and_pipelines_are_bounded(void **state)
{
    static struct hand h;
    struct conn *more[3];
    (void)state;
    hand_begin(&h, 4, 1000);
    for (size_t i = 0; i < 3; i++)
        more[i] = conn_new(h.pool, &h.info);
    assert_null(conn_new(h.pool, &h.info));
    assert_int_equal(count_of(h.pool, "conn_refused"), 1);
    for (size_t i = 0; i < 3; i++)
        conn_end(more[i], h.now);
    for (int i = 0; i < 300; i++)
        hand_text(&h, 0, REQ);
    assert_int_equal(conn_speaks(h.c), CONN_OTHER);
    assert_int_equal(count_of(h.pool, "conn_too_many"), 1);
    hand_end(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(taps_get_the_body_however_it_is_cut),
        cmocka_unit_test(sizes_beyond_four_gibibytes_are_exact),
        cmocka_unit_test(big_heads_are_kept_up_to_their_caps),
        cmocka_unit_test(long_start_lines_are_no_http),
        cmocka_unit_test(memory_comes_back_from_every_conversation),
        cmocka_unit_test(the_oldest_open_transaction_makes_room),
        cmocka_unit_test(connections_and_pipelines_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
