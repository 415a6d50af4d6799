/* SPDX-License-Identifier: Apache-2.0
 * Heads of HTTP/1.x: start lines, fields, hosts, framing, PROXY prefaces; and the message machine by itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"
#include "wire/http1.h"
#include "wire/http1_proxy.h"

#define N(array) (sizeof(array) / sizeof *(array))

static struct field list[HTTP1_MAX_FIELDS];

static int parse(const char *text, enum http1_role role, struct http1_head *head)
{
    *head = (struct http1_head){.fields = {list, 0, N(list), false}};
    return http1_head_parse(span_text(text), role, head);
}

static void request_lines(void **state)
{
    static const struct {
        const char *line, *method, *target;
        bool is_strict, is_odd;
    } rows[] = {
        {"GET / HTTP/1.1\r\n", "GET", "/", true, false},
        {"GET / HTTP/1.0\n", "GET", "/", true, false},
        {"OPTIONS * HTTP/1.1\r\n", "OPTIONS", "*", true, false},
        {"CONNECT desk.example:443 HTTP/1.1\r\n", "CONNECT", "desk.example:443", true, false},
        {"GET http://desk.example/ HTTP/1.1\r\n", "GET", "http://desk.example/", true, false},
        {"get /a HTTP/1.1\r\n", "get", "/a", true, false},
        {"M-SEARCH * HTTP/1.1\r\n", "M-SEARCH", "*", true, false},
        {"GET\t\t/  HTTP/1.1 \r\n", "GET", "/", false, false},
        {"GET /a b HTTP/1.1\r\n", "GET", "/a", false, true},
        {"GET /a HTML/1.1\r\n", "GET", "/a", false, true},
        {"GET /a HTTP/1.10\r\n", "GET", "/a", false, true},
        {"GET /a HTTP/2.0\r\n", "GET", "/a", false, true},
        {"PRI * HTTP/2.0\r\n", NULL, NULL, false, false},
        {"GET /a\r\n", "GET", "/a", false, true},
        {"PUT /a\r\n", "PUT", "/a", false, true},
        {"PUT a\r\n", NULL, NULL, false, false},
        {"HELO /a\r\n", NULL, NULL, false, false},
        {"GET HTTP/1.1\r\n", "GET", "HTTP/1.1", false, true},
        {"GET  HTTP/1.1\r\n", "GET", "HTTP/1.1", false, true},
        {"GET HTTP/2.0\r\n", NULL, NULL, false, false},
        {"CCM_POST / HTTP/1.\r\n", "CCM_POST", "/", false, true},
        {"OPTIONS / RTSP/1.0\r\n", NULL, NULL, false, false},
        {"HELO /a there\r\n", NULL, NULL, false, false},
        {"G\x01T / HTTP/1.1\r\n", NULL, NULL, false, false},
        {"\r\n", NULL, NULL, false, false},
        {"", NULL, NULL, false, false},
    };
    (void)state;
    for (size_t i = 0; i < N(rows); i++) {
        struct http1_head head;
        int error = parse(rows[i].line, HTTP1_REQUEST, &head);
        assert_int_equal(error, rows[i].method ? E_OK : E_BAD);
        assert_int_equal(http1_head_is_request_line(span_text(rows[i].line), false), rows[i].method != NULL);
        assert_int_equal(http1_head_is_request_line(span_text(rows[i].line), true), rows[i].is_strict);
        if (!rows[i].method)
            continue;
        assert_true(span_eq(head.method, span_text(rows[i].method)));
        assert_true(span_eq(head.target, span_text(rows[i].target)));
        assert_int_equal(head.has_odd_version, rows[i].is_odd);
    }
}

static void status_lines(void **state)
{
    static const struct {
        const char *line;
        int status; /* 0 = none */
        bool is_strict;
    } rows[] = {
        {"HTTP/1.1 200 OK\r\n", 200, true},    {"HTTP/1.0 404\n", 404, true},
        {"HTTP/1.1 200 \r\n", 200, true},      {"HTTP/1.1  200 OK\r\n", 200, false},
        {"HTTP/2.1 200 ok\r\n", 200, false},   {"HTTP/1.10 200 ok\r\n", 200, false},
        {"HTTP/1.1 2XX ok\r\n", 2, false},     {"HTTP/1.1 2000 ok\r\n", 200, false},
        {"HTTP/1.1 200\rA: b\r\n", 200, true}, {"HTTP/1.1 000\r\n", 0, false},
        {"HTTP/1.1 OK\r\n", 0, false},         {"HTTP/1.1\r\n", 0, false},
        {"HTTPS 200 OK\r\n", 0, false},        {"ICY 200 OK\r\n", 0, false},
    };
    (void)state;
    for (size_t i = 0; i < N(rows); i++) {
        struct http1_head head;
        assert_int_equal(parse(rows[i].line, HTTP1_RESPONSE, &head), rows[i].status ? E_OK : E_BAD);
        assert_int_equal(http1_head_is_status_line(span_text(rows[i].line), false), rows[i].status != 0);
        assert_int_equal(http1_head_is_status_line(span_text(rows[i].line), true), rows[i].is_strict);
        if (rows[i].status)
            assert_int_equal(head.status, rows[i].status);
    }
}

static void fields_are_kept_in_order(void **state)
{
    struct http1_head head;
    (void)state;
    assert_int_equal(parse("GET / HTTP/1.1\r\n folded start\r\nA: 1\r\nno colon\r\nB:\t two \r\n\tmore\r\n  \r\nB: "
                           "3\r\n: x\r\nC :4\r\nD:\r\n"
                           " late\r\nE: cut",
                           HTTP1_REQUEST, &head),
                     E_OK);
    static const char *const expected[][2] = {
        {"A", "1"}, {"B", "two \r\n\tmore"}, {"B", "3"}, {"C", "4"}, {"D", "late"}};
    assert_int_equal(head.fields.n, N(expected));
    for (size_t i = 0; i < N(expected); i++) {
        assert_true(span_eq(list[i].name, span_text(expected[i][0])));
        assert_true(span_eq(list[i].value, span_text(expected[i][1])));
    }
    assert_true(head.has_folds);
    assert_true(head.has_bad_lines);
    char value[] = "two \r\n\tmore";
    http1_head_unfold((uint8_t *)value, sizeof value - 1);
    assert_string_equal(value, "two   \tmore");
}

static void more_fields_than_fit_are_told(void **state)
{
    struct http1_head head = {.fields = {list, 0, 2, false}};
    (void)state;
    assert_int_equal(
        http1_head_parse(SPAN("GET / HTTP/1.1\r\nA: 1\r\nB: 2\r\nC: 3\r\n d\r\n\r\n"), HTTP1_REQUEST, &head), E_OK);
    assert_int_equal(head.fields.n, 2);
    assert_true(head.fields.is_cut);
    assert_true(span_eq(list[1].value, SPAN("2"))); /* the fold is of the one left out */
    head.fields = (struct fields){list, 0, 2, false};
    assert_int_equal(http1_head_parse(SPAN("GET / HTTP/1.1\r\nA: 1\r\nB: 2\r\nCOOKIE: 3\r\n d\r\nHost: 4\r\nCookie: 5\r\n\r\n"),
                                      HTTP1_REQUEST, &head), E_OK);
    assert_true(head.fields.is_cut && span_eq(list[0].value, SPAN("3\r\n d")) && span_eq(list[1].value, SPAN("4")));
}

static void hosts(void **state)
{
    static const char *const rows[][2] = {
        {"GET / HTTP/1.1\r\nHost: desk.example\r\n", "desk.example"},
        {"GET / HTTP/1.1\r\nhost:  Desk.Example:8080 \r\n", "Desk.Example"},
        {"GET / HTTP/1.1\r\nHost: [::1]:80\r\n", "[::1]"},
        {"GET / HTTP/1.1\r\nHost: [::1\r\n", "[::1"},
        {"GET / HTTP/1.1\r\n\r\n", ""},
        {"GET http://a.example HTTP/1.1\r\nHost: b\r\n", "a.example"},
        {"GET http://a.example?x HTTP/1.1\r\nHost: b\r\n", "a.example"},
        {"GET https://u:p@a.example:1/x@y HTTP/1.1\r\nHost: b\r\n", "a.example"},
        {"GET /x?u=http://c/ HTTP/1.1\r\nHost: b\r\n", "b"},
        {"CONNECT c.example:443 HTTP/1.1\r\nHost: b\r\n", "c.example"},
    };
    (void)state;
    for (size_t i = 0; i < N(rows); i++) {
        struct http1_head head;
        assert_int_equal(parse(rows[i][0], HTTP1_REQUEST, &head), E_OK);
        assert_true(span_eq(http1_head_host(&head), span_text(rows[i][1])));
    }
}

#define NONE HTTP1_BODY_NONE
#define LENGTH HTTP1_BODY_LENGTH
#define CHUNKED HTTP1_BODY_CHUNKED
#define CLOSE HTTP1_BODY_CLOSE

struct framing {
    const char *fields;
    enum http1_body_kind request, response;
    uint64_t length;
    bool is_ambiguous[2]; /* request, response */
};

static void framings(void **state)
{
    static const struct framing rows[] = {
        {"", NONE, CLOSE, 0, {false, false}},
        {"Content-Length: 5\r\n", LENGTH, LENGTH, 5, {false, false}},
        {"Content-Length: 5\r\nContent-Length: 5\r\n", LENGTH, LENGTH, 5, {false, false}},
        {"Content-Length: 5, 5\r\n", LENGTH, LENGTH, 5, {false, false}},
        {"Content-Length: 5\r\nContent-Length: 6\r\n", LENGTH, LENGTH, 5, {true, true}},
        {"Content-Length: x\r\nContent-Length: 6\r\n", LENGTH, LENGTH, 6, {true, true}},
        {"Content-Length: -1\r\n", NONE, CLOSE, 0, {true, true}},
        {"Content-Length: 99999999999999999999\r\n", NONE, CLOSE, 0, {true, true}},
        {"Content-Length:\r\n", NONE, CLOSE, 0, {true, true}},
        {"Content-Length: 9223372036854775807\r\n", LENGTH, LENGTH, INT64_MAX, {false, false}},
        {"Content-Length: 18446744073709551615\r\n", NONE, CLOSE, 0, {true, true}},
        {"Transfer-Encoding: chunked\r\n", CHUNKED, CHUNKED, 0, {false, false}},
        {"Transfer-Encoding: gzip, CHUNKED\r\n", CHUNKED, CHUNKED, 0, {false, false}},
        {"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", CHUNKED, CHUNKED, 0, {false, false}},
        {"Transfer-Encoding: identity\r\nContent-Length: 5\r\n", LENGTH, LENGTH, 5, {false, false}},
        {"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", CHUNKED, CHUNKED, 5, {true, true}},
        {"Transfer-Encoding: chunked, chunked\r\n", CHUNKED, CHUNKED, 0, {true, true}},
        {"Transfer-Encoding: chunked, gzip\r\n", NONE, CLOSE, 0, {true, true}},
        {"Transfer-Encoding: gzip\r\n", NONE, CLOSE, 0, {true, false}},
        {"Transfer-Encoding: gzip\r\nContent-Length: 5\r\n", LENGTH, CLOSE, 5, {true, true}},
        {"Transfer-Encoding : chunked\r\n", CHUNKED, CHUNKED, 0, {true, true}},
        {"Transfer-Encoding: xchunked\r\nContent-Length: 5\r\n", LENGTH, CLOSE, 5, {true, true}},
    };
    (void)state;
    for (size_t i = 0; i < N(rows); i++) {
        char text[200];
        struct http1_head head;
        snprintf(text, sizeof text, "POST / HTTP/1.1\r\n%s\r\n", rows[i].fields);
        assert_int_equal(parse(text, HTTP1_REQUEST, &head), E_OK);
        struct http1_body body = http1_head_request_body(&head);
        if (body.kind != rows[i].request || body.is_ambiguous != rows[i].is_ambiguous[0])
            print_error("request with %s", rows[i].fields);
        assert_int_equal(body.kind, rows[i].request);
        assert_int_equal(body.length, rows[i].length);
        assert_int_equal(body.is_ambiguous, rows[i].is_ambiguous[0]);
        snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\n%s\r\n", rows[i].fields);
        assert_int_equal(parse(text, HTTP1_RESPONSE, &head), E_OK);
        body = http1_head_response_body(&head, SPAN("POST"));
        if (body.kind != rows[i].response || body.is_ambiguous != rows[i].is_ambiguous[1])
            print_error("response with %s", rows[i].fields);
        assert_int_equal(body.kind, rows[i].response);
        assert_int_equal(body.is_ambiguous, rows[i].is_ambiguous[1]);
        assert_int_equal(http1_head_response_body(&head, SPAN("HEAD")).kind, HTTP1_BODY_NONE);
        assert_int_equal(http1_head_response_body(&head, SPAN("CONNECT")).kind, HTTP1_BODY_NONE);
    }
}

static void prefaces(void **state)
{
    static const struct {
        struct span bytes;
        const char *source; /* NULL = none */
        uint16_t port;
    } rows[] = {
        {{(const uint8_t *)"PROXY TCP4 192.0.2.1 192.0.2.2 1000 80\r\n", 40}, "192.0.2.1", 1000},
        {{(const uint8_t *)"PROXY TCP6 2001:db8::1 2001:db8::2 65535 80\r\n", 45}, "2001:db8::1", 65535},
        {{(const uint8_t *)"PROXY TCP4 192.0.2.1 192.0.2.2 65536 80\r\n", 41}, NULL, 0},
        {{(const uint8_t *)"PROXY TCP4 192.0.2.1\r\n", 22}, NULL, 0},
        {{(const uint8_t *)"PROXY UNKNOWN a b c d\r\n", 23}, NULL, 0},
        {{(const uint8_t *)"\x21\x11\0\x0c\xc0\0\2\1\xc0\0\2\2\3\xe8\0\x50", 16}, "192.0.2.1", 1000},
        {{(const uint8_t *)"\x20\x11\0\x0c\xc0\0\2\1\xc0\0\2\2\3\xe8\0\x50", 16}, NULL, 0}, /* LOCAL */
        {{(const uint8_t *)"\x21\x31\0\x0c\xc0\0\2\1\xc0\0\2\2\3\xe8\0\x50", 16}, NULL, 0}, /* UNIX */
        {{(const uint8_t *)"\x21\x21\0\x0c\xc0\0\2\1\xc0\0\2\2\3\xe8\0\x50", 16}, NULL, 0}, /* too short for IPv6 */
        {{(const uint8_t *)"\x21\x11\0\x0c\xc0\0", 6}, NULL, 0},
        {{(const uint8_t *)"\x21", 1}, NULL, 0},
    };
    (void)state;
    for (size_t i = 0; i < N(rows); i++) {
        struct endpoint source = {0};
        char text[IPADDR_TEXT_MAX];
        assert_int_equal(http1_proxy_source(rows[i].bytes, &source), rows[i].source != NULL);
        if (rows[i].source)
            assert_string_equal(ipaddr_text(&source.ip, text), rows[i].source);
        assert_int_equal(source.port, rows[i].port);
    }
}

static void whole_prefaces(void **state)
{
#define V2 "\r\n\r\n\0\r\nQUIT\n"
    static const struct {
        struct span bytes;
        size_t size;
    } rows[] = {
        {{(const uint8_t *)"PROXY TCP4 192.0.2.1 192.0.2.2 1000 80\r\n\x16\x03", 42}, 40},
        {{(const uint8_t *)"PROXY TCP4 192.0.2.1 192.0.2.2 1000 80\r", 39}, 0},
        {{(const uint8_t *)"PROXY ", 6}, 0},
        {{(const uint8_t *)"PROPFIND /a HTTP/1.1\r\n", 22}, 0},
        {{(const uint8_t *)V2 "\x21\x11\0\x0c\xc0\0\2\1\xc0\0\2\2\3\xe8\0\x50GET", 31}, 28},
        {{(const uint8_t *)V2 "\x21\x11\0\x0c\xc0\0\2\1\xc0\0\2\2\3\xe8\0", 27}, 0},
        {{(const uint8_t *)V2 "\x20\0\0\0", 16}, 16},
        {{(const uint8_t *)V2 "\x20\0\0", 15}, 0},
        {{NULL, 0}, 0},
    };
    (void)state;
    for (size_t i = 0; i < N(rows); i++)
        assert_int_equal(http1_proxy_size(rows[i].bytes), rows[i].size);
#undef V2
}

static void ends_of_heads(void **state)
{
    static const struct {
        const char *text;
        size_t end;
    } rows[] = {
        {"A: b\r\n\r\nx", 8},   {"A: b\n\nx", 6},        {"A: b\n\r\nx", 7},
        {"A: b\n\r\r\nx", 8},   {"A\r\n\rB\r\n\r\n", 9}, {"A: b\r\n \r\nC", SIZE_MAX},
        {"A: b\r\n", SIZE_MAX}, {"", SIZE_MAX},
    };
    (void)state;
    for (size_t i = 0; i < N(rows); i++) {
        uint8_t line = HTTP1_LINE_MORE;
        struct span all = span_text(rows[i].text);
        assert_int_equal(http1_head_find_end(all, 0, &line), rows[i].end);
        line = HTTP1_LINE_MORE;
        size_t end = SIZE_MAX;
        for (size_t at = 0; at < all.size && end == SIZE_MAX; at++) /* byte by byte */
            end = http1_head_find_end(span_sub(all, at, 1), 0, &line) == SIZE_MAX ? SIZE_MAX : at + 1;
        assert_int_equal(end, rows[i].end);
    }
}

/* A head that spans segments needs a block; without one it is lost, counted, and the stream goes on. */
static void without_a_block_a_head_is_lost_and_counted(void **state)
{
    struct http1_memory memory = {pool_new(HTTP1_SMALL, 0), pool_new(HTTP1_MAX_HEAD, 0), 0};
    struct http1_body none = {.kind = HTTP1_BODY_NONE};
    struct http1_input in = {.bytes = SPAN("GET /a HTTP/1.1\r\n\r\nGET /b HT")};
    struct http1_out out;
    struct http1 h;
    (void)state;
    http1_init(&h, HTTP1_REQUEST);
    assert_int_equal(http1_step(&h, &in, &memory, &out), HTTP1_HEAD);
    http1_follow(&h, &memory, &none, false);
    assert_int_equal(http1_step(&h, &in, &memory, &out), HTTP1_END);
    assert_int_equal(http1_step(&h, &in, &memory, &out), HTTP1_LOST);
    assert_int_equal(http1_step(&h, &in, &memory, &out), HTTP1_MORE);
    assert_true(memory.refused > 0);
    http1_fini(&h, &memory);
    pool_free(memory.small);
    pool_free(memory.large);
}

/* A flow joined midstream is looked through so far and no further. */
static void the_search_for_a_first_message_is_bounded(void **state)
{
    struct http1_memory memory = {pool_new(HTTP1_SMALL, 1), pool_new(HTTP1_MAX_HEAD, 1), 0};
    struct http1_input in = {.bytes = SPAN("\x01some other\nthing")};
    struct http1_out out;
    struct http1 h;
    (void)state;
    http1_init(&h, HTTP1_RESPONSE);
    assert_int_equal(http1_step(&h, &in, &memory, &out), HTTP1_FOREIGN);
    http1_seek(&h, HTTP1_RESPONSE, 10);
    assert_int_equal(http1_step(&h, &in, &memory, &out), HTTP1_MORE);
    assert_int_equal(h.state, HTTP1_AT_SLEEP);
    in.bytes = SPAN("\nHTTP/1.1 200 OK\r\n\r\n");
    assert_int_equal(http1_step(&h, &in, &memory, &out), HTTP1_MORE);
    http1_wake(&h);
    in.bytes = SPAN("\nHTTP/1.1 200 OK\r\n\r\n");
    assert_int_equal(http1_step(&h, &in, &memory, &out), HTTP1_HEAD);
    assert_true(out.is_found);
    http1_fini(&h, &memory);
    assert_int_equal(pool_used(memory.small), 0);
    pool_free(memory.small);
    pool_free(memory.large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_lines),
        cmocka_unit_test(status_lines),
        cmocka_unit_test(fields_are_kept_in_order),
        cmocka_unit_test(more_fields_than_fit_are_told),
        cmocka_unit_test(hosts),
        cmocka_unit_test(framings),
        cmocka_unit_test(prefaces), cmocka_unit_test(whole_prefaces),
        cmocka_unit_test(ends_of_heads),
        cmocka_unit_test(without_a_block_a_head_is_lost_and_counted),
        cmocka_unit_test(the_search_for_a_first_message_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
