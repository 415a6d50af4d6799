/* SPDX-License-Identifier: Apache-2.0
 * Conversations of which the capture lacks a part: gaps of every kind, one direction, joined midstream. What is known
 * is exact, what is not says so, and what follows pairs again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/talk.h"

#define OK0 "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
#define CHUNKED "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
#define REQ(path) "GET " path " HTTP/1.1\r\n\r\n"

static const struct talk_row ROWS[] = {
    /* bodies by arithmetic */
    {"inside a length body", "1 GET /a - 200 0oc 10oc/4 gap\n2 GET /b - 200 0oc 0oc\n",
     .steps = {C(REQ("/a")), S("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"), SGAP(4), S("xyz"), C(REQ("/b")),
               S(OK0)}},
    {"the end of a length body", "1 GET /a - 200 0oc 10oc/7 gap\n2 GET /b - 200 0oc 0oc\n",
     .steps = {C(REQ("/a")), S("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"), SGAP(7), C(REQ("/b")), S(OK0)}},
    {"a whole body", "1 GET /a - 200 0oc 10oc/10 gap\n2 GET /b - 200 0oc 0oc\n",
     .steps = {C(REQ("/a")), S("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"), SGAP(10), C(REQ("/b")), S(OK0)}},
    {"inside a chunk", "1 GET /a - 200 0oc 12oc/5 gap\n2 GET /b - 200 0oc 0oc\n",
     .steps = {C(REQ("/a")), S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\nabc"), SGAP(5),
               S("xy\r\n2\r\nzz\r\n0\r\n\r\n"), C(REQ("/b")), S(OK0)}},
    {"inside a close-delimited body", "1 GET /a - 200 0oc 11oc/5 gap\n",
     .steps = {C(REQ("/a")), S("HTTP/1.1 200 OK\r\n\r\nabc"), SGAP(5), S("xyz"), SFIN}},
    {"inside an upload", "1 POST /a - 200 10oc/4 0oc gap\n2 GET /b - 200 0oc 0oc\n",
     .steps = {C("POST /a HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc"), CGAP(4), C("xyz"), S(OK0), C(REQ("/b")),
               S(OK0)}},
    {"5 GiB, nearly all of it missing", "1 GET /a - 200 0oc 5368709120oc/5368709117 gap\n2 GET /b - 200 0oc 0oc\n",
     .steps = {C(REQ("/a")), S("HTTP/1.1 200 OK\r\nContent-Length: 5368709120\r\n\r\nabc"), SGAP(5368709117),
               C(REQ("/b")), S(OK0)}},

    /* framing lost */
    {"over the end of a body and the next head",
     "1 GET /a - 200 0oc 10oc/7 gap\n2 GET /b - 0 0oc 46u/43 noresponse gap\n3 GET /c - 200 0oc 1oc\n",
     .steps = {C(REQ("/a")), S("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"), C(REQ("/b")), SGAP(50), S("xyz"),
               C(REQ("/c")), S("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")}},
    {"over a chunk boundary", "1 GET /a - 200 0oc 22u/15 gap\n2 GET /b - 200 0oc 0oc\n",
     .steps = {C(REQ("/a")), S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"), SGAP(15), S("xy\r\n0"),
               C(REQ("/b")), S(OK0)}},
    {"over a chunk boundary, and one more follows", "1 GET /a - 200 0oc 33fc/18 gap\n2 GET /b - 200 0oc 0oc\n",
     .steps = {C(REQ("/a")), S(CHUNKED "a\r\nabc"), SGAP(18), S("0123456789abcde\r\n3\r\nxyz\r\n0\r\n\r\n"), C(REQ("/b")),
               S(OK0)}},
    {"over a chunk boundary, and the connection ends", "1 GET /a - 200 0oc 30fc/18 gap\n",
     .steps = {C(REQ("/a")), S(CHUNKED "a\r\nabc"), SGAP(18), S("0123456789abcde\r\n0\r\n\r\n"), SFIN}},
    {"over chunk boundaries twice", "1 GET /a - 200 0oc 57fc/36 gap\n2 GET /b - 200 0oc 0oc\n",
     .steps = {C(REQ("/a")), S(CHUNKED "a\r\nabc"), SGAP(18), S("0123456789abcde\r\n3\r\nxyz\r\na\r\nabc"), SGAP(18),
               S("01234567\r\n0\r\n\r\n"), C(REQ("/b")), S(OK0)}},
    {"over a chunk boundary, and the next is where it must be", "1 GET /a - 200 0oc 47f/18 aborted gap\n",
     .steps = {C(REQ("/a")), S(CHUNKED "a\r\nabc"), SGAP(18), S("0123456789abcde\r\n3\r\nxyz\r\n20\r\n01234567890123"), SFIN}},
    {"over a chunk boundary, and lines in the body look like sizes", "1 GET /a - 200 0oc 51fc/18 gap\n2 GET /b - 200 0oc 0oc\n",
     .steps = {C(REQ("/a")), S(CHUNKED "a\r\nabc"), SGAP(18),
               S("01\r\n5\r\n0\r\n\r\nab\r\n1\r\n10\r\n0123456789abcdef\r\n3\r\nxyz\r\n0\r\n\r\n"), C(REQ("/b")), S(OK0)}},
    {"as many chunks as fit", "1 GET /a - 200 0oc 65536fc/65536 gap\n2 GET /b - 200 0oc 0oc\n",
     .steps = {C(REQ("/a")), S(CHUNKED "4000\r\n"), SGAP(65560), S("\r\n0\r\n\r\n"), C(REQ("/b")), S(OK0)}},
    {"the last chunk", "1 GET /a - 200 0oc 10fc gap\n2 GET /b - 200 0oc 0oc\n",
     .steps = {C(REQ("/a")), S(CHUNKED "a\r\n0123456789"), SGAP(7), C(REQ("/b")), S(OK0)}},
    {"the last chunk, or the connection", "1 GET /a - 200 0oc 17u/7 gap\n",
     .steps = {C(REQ("/a")), S(CHUNKED "a\r\n0123456789"), SGAP(7), SFIN}},
    {"over a chunk boundary of an upload", "1 POST /a - 200 33fc/18 0oc gap\n2 GET /b - 200 0oc 0oc\n",
     .steps = {C("POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\na\r\nabc"), CGAP(18),
               C("0123456789abcde\r\n3\r\nxyz\r\n0\r\n\r\n"), S(OK0), C(REQ("/b")), S(OK0)}},
    {"over a chunk boundary of one of several", "1 GET /a - 200 0oc 51u/18 gap\n2 GET /b - 200 0oc 0oc\n",
     .steps = {C(REQ("/a") REQ("/b")), S(CHUNKED "a\r\nabc"), SGAP(18),
               S("0123456789abcde\r\n3\r\nxyz\r\n0\r\n\r\n" OK0)}},
    {"over a chunk boundary of a part", "1 GET /a - 206 0oc 20rc/12 gap\n2 GET /b - 200 0oc 0oc\n",
     .steps = {C(REQ("/a")),
               S("HTTP/1.1 206 Partial\r\nContent-Range: bytes 100-119/500\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"),
               SGAP(15), S("xy\r\n0\r\n\r\n"), C(REQ("/b")), S(OK0)}},
    {"over a chunk boundary of a part, and no more", "1 GET /a - 206 0oc 24u/15 gap\n",
     .steps = {C(REQ("/a")),
               S("HTTP/1.1 206 Partial\r\nContent-Range: bytes 100-119/500\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"),
               SGAP(15), S("xy\r\n0\r\n"), SFIN}},
    {"the rest of a head that said how long", "1 GET /a - 200 0oc 9d/9 gap\n2 HEAD /b - 200 0oc 13u/10=9 gap\n3 GET /c - 200 0oc 0oc\n",
     .steps = {C(REQ("/a")), S("HTTP/1.1 200 OK\r\nContent-Length: 9\r\nX"), SGAP(10), S("xyz"), C("HEAD /b HTTP/1.1\r\n\r\n"),
               S("HTTP/1.1 200 OK\r\nContent-Length: 9\r\nX"), SGAP(10), S("xyz"), C(REQ("/c")), S(OK0)}},
    {"a response head", "1 GET /a - 0 0oc 105u/100 noresponse gap\n2 GET /b - 200 0oc 0oc\n",
     .steps = {C(REQ("/a")), SGAP(100), S("body\n"), C(REQ("/b")), S(OK0)}},
    {"a response head, acknowledged", "1 GET /a - 0 0oc 105a/100 noresponse gap\n2 GET /b - 200 0oc 0oc\n",
     .steps = {C(REQ("/a")), SACKED(100), S("body\n"), C(REQ("/b")), S(OK0)}},
    {"the first part of a response head", "1 GET /a - 0 0oc 26u/4 noresponse gap\n2 GET /b - 200 0oc 0oc\n",
     .steps = {C(REQ("/a")), SGAP(4), S("/1.1 200 OK\r\nX: y\r\n\r\nz"), C(REQ("/b")), S(OK0)}},
    {"the rest of a response head", "1 GET /a - 200 0oc 13u/10 gap\n2 GET /b - 200 0oc 0oc\n",
     .steps = {C(REQ("/a")), S("HTTP/1.1 200 OK\r\nX"), SGAP(10), S("xyz"), C(REQ("/b")), S(OK0)}},
    {"an interim response", "1 PUT /a - 201 1oc 0oc gap\n",
     .steps = {C("PUT /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n"), SGAP(25), C("x"),
               S("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")}},
    {"a whole response of several",
     "1 GET /a - 0 0oc 60u/60 noresponse gap\n2 GET /b - 200 0oc 2oc\n3 GET /c - 200 0oc 0oc\n",
     .steps = {C(REQ("/a") REQ("/b") REQ("/c")), SGAP(60), S("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nbb" OK0)}},
    {"a request", "1 GET /a - 200 0oc 0oc\n2 - - - 200 0u 2oc norequest gap\n3 GET /c - 200 0oc 0oc\n",
     .steps = {C(REQ("/a")), S(OK0), CGAP(30), S("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nbb"), C(REQ("/c")),
               S(OK0)}},
    {"a request of several", "1 GET /a - 200 0oc 0oc\n3 - - - 200 0u 2oc norequest gap\n2 GET /c - 404 0oc 0oc\n",
     .steps = {C(REQ("/a")), CGAP(30), C(REQ("/c")),
               S(OK0 "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nbbHTTP/1.1 404 Not\r\nContent-Length: 0\r\n\r\n")}},
    {"a request and its response", "1 GET /a - 200 0oc 0oc\n2 GET /c - 404 0oc 0oc\n",
     .steps = {C(REQ("/a")), S(OK0), CGAP(30), SGAP(40), C(REQ("/c")),
               S("HTTP/1.1 404 Not\r\nContent-Length: 0\r\n\r\n")}},
    {"the rest of a request head", "1 POST /a - 200 20u/10 0oc gap\n2 GET /b - 200 0oc 0oc\n",
     .steps = {C("POST /a HTTP/1.1\r\nHo"), CGAP(10), C("h\r\n\r\nx=1&y"), S(OK0), C(REQ("/b")), S(OK0)}},
    {"the rest of a request line", "1 - - - 200 0u 0oc norequest gap\n2 GET /b - 200 0oc 0oc\n",
     .steps = {C("POST /a"), CGAP(10), C(" HTTP/1.1\r\n\r\n"), S(OK0), C(REQ("/b")), S(OK0)}},
    {"the first request", "1 - - - 200 0u 0oc norequest gap\n2 GET /b - 200 0oc 0oc\n",
     .steps = {CGAP(100), S(OK0), C(REQ("/b")), S(OK0)}},
    {"a message behind other bytes of its line", "1 GET /a - 0 0oc 14u/10 noresponse gap\n2 GET /b - 200 0oc 2oc\n",
     .steps = {C(REQ("/a")), SGAP(10), S("\x89PNG"), C("x=1&y=2"), C(REQ("/b")),
               S("\x01\x02HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nbb")}},
    {"text that only looks like a message", "1 GET /a - 0 0oc 81u/10 noresponse gap\n2 GET /b - 200 0oc 0oc\n",
     .steps = {C(REQ("/a")), SGAP(10),
               S("HTTP/1.1 200 OK is what\r\nthe server said: HTTP/1.1 500 Error\r\nand more\n"), C(REQ("/b")),
               S(OK0)}},
    {"cut by the capture everywhere", "1 GET /a - 200 40u/40 90a/90 gap\n2 GET /b - 404 40u/40 20a/20 gap\n",
     .steps = {C("GET /a HTTP/1.1"), CACKED(40), S("HTTP/1.1 200 OK\r\nSer"), SACKED(90), C("GET /b HTTP/1.1"),
               CACKED(40), S("HTTP/1.1 404"), SACKED(20)}},

    /* one direction */
    {"server side only", "1 - - - 200 0u 5oc norequest onesided\n2 - - - 404 0u 0oc norequest onesided\n", .blind = 1,
     .steps = {S("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 404 Not\r\nContent-Length: 0\r\n\r\n")}},
    {"server side only, with requests acknowledged",
     "1 - - - 200 0u 0oc norequest onesided\n"
     "2 - - - 200 0u 0oc norequest onesided\n",
     .blind = 1, .steps = {CACKED(50), S(OK0), CACKED(50), S(OK0)}},
    {"server side only, answers to HEAD",
     "1 - - - 200 0u 0oc=500 norequest onesided\n2 - - - 200 0u 6oc norequest onesided\n"
     "3 - - - 200 0u 0u=500 norequest onesided\n",
     .blind = 1,
     .steps = {S("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nHTTP/2"
                 "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"),
               SFIN}},
    {"client side only",
     "1 GET /a - 0 0oc 5000a/5000 noresponse onesided\n2 POST /b - 0 3oc 300a/300 noresponse onesided\n"
     "3 GET /c - 0 0oc 0u noresponse onesided\n",
     .blind = 2,
     .steps = {C(REQ("/a")), SACKED(1000), SACKED(4000), C("POST /b HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"),
               SACKED(300), C(REQ("/c"))}},
    {"client side only, pipelined",
     "1 GET /a - 0 0oc 700u/700 noresponse onesided\n2 GET /b - 0 0oc 0u noresponse onesided\n"
     "3 GET /c - 0 0oc 60a/60 noresponse onesided\n",
     .blind = 2, .steps = {C(REQ("/a") REQ("/b")), SACKED(700), C(REQ("/c")), SACKED(60)}},

    /* joined midstream */
    {"midstream in a body", "1 GET /b - 200 0oc 1oc midstream\n", .is_midstream = true,
     .steps = {S("rest of some body\r\nwith lines"), C(REQ("/b")), S("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")}},
    {"midstream between request and response",
     "1 - - - 200 0u 1oc norequest midstream\n2 GET /b - 200 0oc 0oc midstream\n", .is_midstream = true,
     .steps = {S("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"), C(REQ("/b")), S(OK0)}},
    {"midstream, roles the other way round", "1 GET /b - 200 0oc 1oc midstream\n", .is_midstream = true,
     .steps = {C("rest"), S(REQ("/b")), C("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")}},
    {"midstream, server only, the other way round", "1 - - - 200 0u 1oc norequest onesided midstream\n",
     .is_midstream = true, .blind = 2,
     .steps = {C("\x01\x02rest\nof it"), C("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")}},
    {"midstream in an upload", "1 GET /b - 200 0oc 0oc midstream\n", .is_midstream = true,
     .steps = {C("a=b&c=\"d\""), C("GET /b HTTP/1.1\r\nA: b\r\n\r\n"), S(OK0)}},
};

static void play(const struct talk_row *row, size_t piece)
{
    static struct talk k;
    talk_play(&k, row, piece);
    if (strcmp(k.text, row->expected) != 0)
        print_error("\"%s\" in pieces of %zu:\n%sexpected:\n%s", row->name, piece, k.text, row->expected);
    assert_string_equal(k.text, row->expected);
    assert_int_equal(k.open, 0);
    assert_int_equal(k.errors, 0);
}

static void what_is_lost_is_told_however_the_rest_is_cut(void **state)
{
    static const size_t pieces[] = {SIZE_MAX, 1, 2, 3, 7};
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++)
        for (size_t j = 0; j < sizeof pieces / sizeof pieces[0]; j++)
            play(&ROWS[i], pieces[j]);
}

static void swapped_roles_are_told(void **state)
{
    static struct talk k;
    static const struct talk_row row = {"swapped", "", .is_midstream = true,
                                        .steps = {C("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")}};
    (void)state;
    talk_play(&k, &row, SIZE_MAX);
    assert_true(k.is_swapped);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_lost_is_told_however_the_rest_is_cut),
        cmocka_unit_test(swapped_roles_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
