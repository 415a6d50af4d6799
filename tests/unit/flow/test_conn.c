/* SPDX-License-Identifier: Apache-2.0
 * Conversations whose every byte was seen: framing, pairing, upgrades, prefaces, bodies. Each is played whole and cut
 * into pieces of 1, 2, 3 and 7 bytes; what comes out must be the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/talk.h"

static const struct talk_row ROWS[] = {
    {"one", "1 GET /a h 200 0oc 5oc\n",
     .steps = {C("GET /a HTTP/1.1\r\nHost: h\r\n\r\n"), S("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")}},
    {"keep-alive", "1 GET /a h 200 0oc 2oc\n2 POST /b h 404 3oc 0oc\n3 GET /c h 204 0oc 0oc\n",
     .steps = {C("GET /a HTTP/1.1\r\nHost: h:80\r\n\r\n"), S("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"),
               C("POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nx=1"),
               S("HTTP/1.1 404\r\nContent-Length:0\r\n\r\n"), C("GET /c HTTP/1.1\r\nHost: h\r\n\r\n"),
               S("HTTP/1.1 204 No Content\r\n\r\n")}},
    {"pipelined", "1 GET /a - 200 0oc 1oc\n2 GET /b - 200 0oc 2oc\n3 GET /c - 200 0oc 3oc\n",
     .steps = {C("GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\nGET /c HTTP/1.1\r\n\r\n"),
               S("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\naHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nbb"
                 "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nccc")}},
    {"chunked, extensions, trailers", "1 GET /a - 200 0oc 11oc\n2 GET /b - 200 0oc 1oc\n",
     .steps =
         {C("GET /a HTTP/1.1\r\n\r\n"),
          S("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n005;name=\"v\"\r\nhello\r\n6 \r\n world\r\n0;last\r\n"
            "X-Sum: 1\r\nX-Two: 2\r\n\r\n"),
          C("GET /b HTTP/1.1\r\n\r\n"), S("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")}},
    {"gzip, chunked", "1 GET /a - 200 0oc 3oc\n",
     .steps = {C("GET /a HTTP/1.1\r\n\r\n"),
               S("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")}},
    {"chunked with bare line feeds", "1 GET /a - 200 0oc 3oc\n",
     .steps = {C("GET /a HTTP/1.1\n\n"), S("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n3\nabc\n0\n\n")}},
    {"close-delimited", "1 GET /a - 200 0oc 9oc\n",
     .steps = {C("GET /a HTTP/1.0\r\n\r\n"), S("HTTP/1.0 200 OK\r\n\r\nsome"), S("thing"), SFIN, CFIN}},
    {"close-delimited, reset", "1 GET /a - 200 0oc 4o aborted\n",
     .steps = {C("GET /a HTTP/1.0\r\n\r\n"), S("HTTP/1.0 200 OK\r\n\r\nsome")}},
    {"client FIN does not end the response", "1 GET /a - 200 0oc 4oc\n",
     .steps = {C("GET /a HTTP/1.0\r\n\r\n"), CFIN, S("HTTP/1.0 200 OK\r\n\r\nso"), S("me"), SFIN}},
    {"aborted body", "1 GET /a - 200 0oc 3o=10 aborted\n",
     .steps = {C("GET /a HTTP/1.1\r\n\r\n"), S("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"), SFIN}},
    {"aborted upload", "1 POST /a - 0 3o=10 0u noresponse aborted\n",
     .steps = {C("POST /a HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc"), CFIN, SFIN}},
    {"HEAD, 304 and 204 have no body",
     "1 HEAD /a - 200 0oc 0oc=500\n2 GET /b - 304 0oc 0oc=500\n3 GET /c - 204 0oc 0oc\n"
     "4 GET /d - 200 0oc 1oc\n",
     .steps = {C("HEAD /a HTTP/1.1\r\n\r\n"), S("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"),
               C("GET /b HTTP/1.1\r\n\r\n"), S("HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n"),
               C("GET /c HTTP/1.1\r\n\r\n"), S("HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n"),
               C("GET /d HTTP/1.1\r\n\r\n"), S("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")}},
    {"100-continue and 103", "1 PUT /a - 201 4oc 0oc\n",
     .steps = {C("PUT /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"),
               S("HTTP/1.1 100 Continue\r\n\r\n"), C("data"),
               S("HTTP/1.1 103 Early Hints\r\nLink: </s>\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")}},
    {"early response", "1 POST /a - 413 4o=100 0oc\n2 - - - 408 0u 0oc norequest\n",
     .steps = {C("POST /a HTTP/1.1\r\nContent-Length: 100\r\n\r\ndata"),
               S("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"),
               S("HTTP/1.1 408 Timeout\r\nContent-Length: 0\r\n\r\n")}},
    {"upgrade", "1 GET /ws h 101 0oc 0oc upgraded\n",
     .steps = {C("GET /ws HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"),
               S("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x05hello"), C("\x81\x05hello")},
     .speaks = CONN_OTHER},
    {"CONNECT", "1 CONNECT desk.example:443 desk.example 200 0oc 0oc upgraded\n",
     .steps = {C("CONNECT desk.example:443 HTTP/1.1\r\nHost: proxy\r\n\r\n"), S("HTTP/1.1 200 Connected\r\n\r\n"),
               C("\x16\x03\x01GET / HTTP/1.1\r\n\r\n")},
     .speaks = CONN_OTHER},
    {"CONNECT refused", "1 CONNECT desk.example:443 desk.example 403 0oc 2oc\n2 GET /b - 200 0oc 0oc\n",
     .steps = {C("CONNECT desk.example:443 HTTP/1.1\r\n\r\n"), S("HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno"),
               C("GET /b HTTP/1.1\r\n\r\n"), S("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")},
     .speaks = CONN_HTTP1},
    {"hosts",
     "1 GET http://u:p@a.example:81/x a.example 200 0oc 0oc\n2 GET / [2001:db8::1] 200 0oc 0oc\n"
     "3 OPTIONS * b.example 200 0oc 0oc\n4 GET /r?u=http://e.example/ c.example 200 0oc 0oc\n",
     .steps = {C("GET http://u:p@a.example:81/x HTTP/1.1\r\nHost: other\r\n\r\n"),
               S("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
               C("GET / HTTP/1.1\r\nHost: [2001:db8::1]:8080\r\n\r\n"),
               S("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), C("OPTIONS * HTTP/1.1\r\nHost: b.example\r\n\r\n"),
               S("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
               C("GET /r?u=http://e.example/ HTTP/1.1\r\nHost: c.example\r\n\r\n"),
               S("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")}},
    {"tolerance", "1 get /a h 200 0oc 2oc ambiguous mark= one      two\n",
     .steps = {C("\r\n\r\nget  /a  b  HTTP/1.1 \nX-Mark: one\r\n    two  \r\nno field\nHOST :\t h \n\n"),
               S("\r\nHTTP/1.1\t200\nCONTENT-LENGTH:\t2\t\n\nok")}},
    {"lengths that agree", "1 POST /a - 200 3oc 1oc\n",
     .steps = {C("POST /a HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc"),
               S("HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\nx")}},
    {"lengths that do not", "1 POST /a - 200 3oc 1oc ambiguous\n2 GET /b - 200 0oc 0oc\n",
     .steps = {C("POST /a HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 30\r\n\r\nabc"),
               S("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"), C("GET /b HTTP/1.1\r\n\r\n"),
               S("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")}},
    {"length and chunked", "1 POST /a - 200 1oc=44 0oc ambiguous\n2 GET /smuggled - 200 0oc 0oc\n",
     .steps = {C("POST /a HTTP/1.1\r\nContent-Length: 44\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nz\r\n0\r\n\r\n"
                 "GET /smuggled HTTP/1.1\r\n\r\n"),
               S("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")}},
    {"malformed length", "1 GET /a - 200 0oc 4oc ambiguous\n",
     .steps = {C("GET /a HTTP/1.1\r\n\r\n"), S("HTTP/1.1 200 OK\r\nContent-Length: +4\r\n\r\nbody"), SFIN}},
    {"bad chunk size", "1 GET /a - 200 0oc 10u ambiguous\n",
     .steps = {C("GET /a HTTP/1.1\r\n\r\n"),
               S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\nzz\r\nabc\r\n"), SFIN}},
    {"408 to nobody", "1 GET /a - 200 0oc 0oc\n2 - - - 408 0u 0oc norequest\n",
     .steps = {C("GET /a HTTP/1.1\r\n\r\n"), S("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
               S("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"), SFIN}},
    {"no answer", "1 GET /a - 0 0oc 0u noresponse\n", .steps = {C("GET /a HTTP/1.1\r\n\r\n"), CFIN, SFIN}},
    {"more body than said", "1 GET /a - 200 0oc 2oc\n2 GET /b - 200 0oc 1oc\n",
     .steps = {C("GET /a HTTP/1.1\r\n\r\n"), S("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokmore\r\n"),
               C("GET /b HTTP/1.1\r\n\r\n"), S("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")}},
    {"PROXY v1", "1 GET /a h 200 0oc 0oc proxy=198.51.100.7\n2 GET /b h 200 0oc 0oc proxy=198.51.100.7\n",
     .steps = {C("PROXY TCP4 198.51.100.7 203.0.113.1 5000 80\r\nGET /a HTTP/1.1\r\nHost: h\r\n\r\n"),
               S("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), C("GET /b HTTP/1.1\r\nHost: h\r\n\r\n"),
               S("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")}},
    {"PROXY v1 unknown", "1 GET /a - 200 0oc 0oc\n",
     .steps = {C("PROXY UNKNOWN\r\nGET /a HTTP/1.1\r\n\r\n"), S("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")}},
    {"PROXY v2", "1 GET /a - 200 0oc 0oc proxy=2001:db8::5\n",
     .steps = {C("\r\n\r\n\0\r\nQUIT\n\x21\x21\0\x29"
                 "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x05"
                 "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x06"
                 "\x13\x88\0\x50"
                 "\x04\0\x02xx"
                 "GET /a HTTP/1.1\r\n\r\n"),
               S("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")}},
    {"PROXY v2 local", "1 GET /a - 200 0oc 0oc\n",
     .steps = {C("\r\n\r\n\0\r\nQUIT\n\x20\0\0\0GET /a HTTP/1.1\r\n\r\n"),
               S("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")}},
    {"request head without an end", "1 GET /a h 200 0u 2oc ambiguous\n",
     .steps = {C("GET /a HTTP/1.1\r\nHost: h\r\n"), S("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")}},
    {"heads without an end", "1 GET /a - 200 0u 0u ambiguous\n",
     .steps = {C("GET /a HTTP/1.1\r\nHo"), CFIN, S("HTTP/1.1 200 OK\r\nServ"), SFIN}},
    {"a version that is none", "1 GET /a - 200 0oc 0oc ambiguous\n2 GET /b - 200 0oc 0oc ambiguous\n",
     .steps = {C("GET /a HTML/1.1\r\n\r\n"), S("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
               C("GET /b HTTP/1.1\r\n\r\n"), S("HTTP/2.10  200 OK\r\nContent-Length: 0\r\n\r\n")}},
    {"control characters in a path", "1 GET /\x01\x7f\xff - 404 0oc 0oc\n",
     .steps = {C("GET /\x01\x7f\xff HTTP/1.1\r\n\r\n"), S("HTTP/1.1 404 Not\r\nContent-Length: 0\r\n\r\n")}},
    {"said to be chunked, and is not",
     "1 GET /a - 200 0oc 9oc ambiguous\n2 GET /b - 200 0oc 4oc ambiguous\n"
     "3 GET /c - 200 0oc 18oc ambiguous\n",
     .steps = {C("GET /a HTTP/1.1\r\n\r\n"),
               S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 9\r\n\r\nabcdefghi"),
               C("GET /b HTTP/1.1\r\n\r\n"),
               S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n\r\n12"),
               C("GET /c HTTP/1.1\r\n\r\n"),
               S("HTTP/1.1 200 OK\r\nTransfer-Encoding : chunked\r\n\r\n 0123456789012345\n"), SFIN}},
    {"chunk sizes some clients take", "1 GET /a - 200 0oc 9oc ambiguous\n2 GET /b - 200 0oc 0oc\n",
     .steps = {C("GET /a HTTP/1.1\r\n\r\n"),
               S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n 3\x0b\r\nabc\r\n\r\n03\r\ndef\r\n"
                 "000000000000000000003 x\r\nghi\r\n0x\r\n\r\n"),
               C("GET /b HTTP/1.1\r\n\r\n"), S("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")}},
    {"ways to hide chunked in a response",
     "1 GET /a - 200 0oc 2oc ambiguous\n2 GET /b - 200 0oc 2oc ambiguous\n"
     "3 GET /c - 200 0oc 2oc ambiguous\n4 GET /d - 200 0oc 2oc ambiguous\n",
     .steps = {C("GET /a HTTP/1.1\r\n\r\n"),
               S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked;\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
               C("GET /b HTTP/1.1\r\n\r\n"),
               S("HTTP/1.1 200 OK\rTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
               C("GET /c HTTP/1.1\r\n\r\n"),
               S("HTTP/1.1 200 OK\r\nTransfer-Encoding\r\n : chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
               C("GET /d HTTP/1.1\r\n\r\n"),
               S("HTTP/1.1 200 OK\r\nA: b\r \rTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")}},
    {"a bare CR in a request is no line end", "1 GET /a h 200 0oc 0oc\n",
     .steps = {C("GET /a HTTP/1.1\r\nHost: h\r\nA: b\rX-Mark: forged\r\n\r\n"),
               S("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")}},
    {"length with something behind it", "1 GET /a - 200 0oc 2oc ambiguous\n",
     .steps = {C("GET /a HTTP/1.1\r\n\r\n"), S("HTTP/1.1 200 OK\r\nContent-Length: 2 A\r\n\r\nokXX")}},
    {"head ended by LF CR CR LF", "1 GET /a - 200 0oc 2oc\n",
     .steps = {C("GET /a HTTP/1.1\r\n\r\n"), S("HTTP/1.1 200 OK\r\nContent-Length: 2\n\r\r\nok")}},
    {"SOCKS 5", "1 GET /a - 200 0oc 0oc\n",
     .steps = {C("\x05\x01\0"), S("\x05\0"), C("\x05\x01\0\x01\x01\x02\x03\x04\0\x50"),
               S("\x05\0\0\x01\x01\x02\x03\x04\0\x50"), C("GET /a HTTP/1.1\r\n\r\n"),
               S("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")}},
    {"TLS", "", .steps = {C("\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03"), S("\x16\x03\x03")}, .speaks = CONN_OTHER},
    {"HTTP/2", "", .steps = {C("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")}, .speaks = CONN_HTTP2},
    {"HTTP/0.9", "1 GET /a - 0 0u 6oc noresponse ambiguous\n", .steps = {C("GET /a\r\n"), S("<html>"), SFIN}},
    {"HTTP/0.9 with an empty line", "1 GET /a - 0 0oc 6oc noresponse ambiguous\n",
     .steps = {C("GET /a\r\n\r\n"), S("<html>"), SFIN}},
    {"a request line nobody can read", "1 - - - 200 0u 2oc norequest\n",
     .steps = {C("GET ?\r\nHost: h\r\n\r\n"), S("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")}},
    {"request lines without a target or a version, as servers answer them",
     "1 GET HTTP/1.1 h 200 0oc 2oc ambiguous\n2 PUT /HTTP/1.1 h 411 0oc 0oc ambiguous\n"
     "3 CCM_POST / h 405 0oc 0oc ambiguous\n",
     .steps = {C("GET HTTP/1.1\r\nHost: h\r\n\r\n"), S("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
               C("PUT /HTTP/1.1\r\nHost: h\r\n\r\n"), S("HTTP/1.1 411 No\r\nContent-Length: 0\r\n\r\n"),
               C("CCM_POST / HTTP/1.\r\nHost: h\r\n\r\n"), S("HTTP/1.1 405 No\r\nContent-Length: 0\r\n\r\n")}},
    {"a length no file can have is none", "1 POST / h 200 0oc 0oc ambiguous\n2 GET /s h 200 0oc 2oc ambiguous\n",
     .steps = {C("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 18446744073709551615\r\n\r\n"
                 "GET /s HTTP/1.1\r\nHost: h\r\n\r\n"),
               S("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
                 "HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775808\r\n\r\nok"),
               SFIN}},
    {"an answer before its question", "1 GET /a h 200 0oc 2oc ambiguous mark= got\n2 GET /b h 200 0oc 1oc\n",
     .steps = {S("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), C("GET /a HTTP/1.1\r\nHost: h\r\nX-Mark: got\r\n\r\n"),
               C("GET /b HTTP/1.1\r\nHost: h\r\n\r\n"), S("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")}},
    {"a question in the middle of its answer", "1 POST /a h 200 2oc 4oc ambiguous\n",
     .steps = {S("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nok"), C("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi"),
               S("ok")}},
    {"answers to nobody", "1 - - - 200 0u 2oc norequest\n2 - - - 200 0u 1oc norequest\n",
     .steps = {S("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"), CFIN, SFIN}},
    {"an answer, its end, then its question", "1 GET /a h 200 0oc 2oc ambiguous\n",
     .steps = {S("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), SFIN, C("GET /a HTTP/1.1\r\nHost: h\r\n\r\n"), CFIN}},
    {"some bytes before the first status line", "1 GET /a - 200 0oc 2oc\n2 GET /b - 200 0oc 1oc\n",
     .steps = {C("GET /a HTTP/1.1\r\n\r\n"), S(" \t\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
               C("GET /b HTTP/1.1\r\n\r\n"), S("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")}},
    {"bytes of a status line before it", "1 GET /a - 200 0oc 2oc\n",
     .steps = {C("GET /a HTTP/1.1\r\n\r\n"), S("HTTPHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")}},
    {"more bytes before it: an answer without a head", "1 GET /a - 0 0oc 51oc noresponse ambiguous\n",
     .steps = {C("GET /a HTTP/1.1\r\n\r\n"), S("SIP/2.0 200\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), SFIN}},
    {"a short answer without a head", "1 GET /a - 0 0oc 3oc noresponse ambiguous\n",
     .steps = {C("GET /a HTTP/1.1\r\n\r\n"), S("HT\n"), SFIN}},
    {"SMTP", "", .steps = {S("220 mail ESMTP\r\n"), C("EHLO x\r\n")}, .speaks = CONN_OTHER},
    {"SSH", "", .steps = {C("SSH-2.0-x\r\n"), S("SSH-2.0-y\r\n")}, .speaks = CONN_OTHER},
    {"nothing yet", "", .steps = {C("GE")}, .speaks = CONN_UNSURE},
};

static void play(const struct talk_row *row, size_t piece)
{
    static struct talk k;
    talk_play(&k, row, piece);
    if (strcmp(k.text, row->expected) != 0)
        print_error("\"%s\" in pieces of %zu:\n%sexpected:\n%s", row->name, piece, k.text, row->expected);
    assert_string_equal(k.text, row->expected);
    assert_int_equal(k.open, 0);
    if (k.errors)
        print_error("\"%s\" in pieces of %zu breaks the order of calls\n", row->name, piece);
    assert_int_equal(k.errors, 0);
    if (row->speaks)
        assert_int_equal(k.speaks, row->speaks);
}

static void conversations_come_out_the_same_however_they_are_cut(void **state)
{
    static const size_t pieces[] = {SIZE_MAX, 1, 2, 3, 7};
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++)
        for (size_t j = 0; j < sizeof pieces / sizeof pieces[0]; j++)
            play(&ROWS[i], pieces[j]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conversations_come_out_the_same_however_they_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
