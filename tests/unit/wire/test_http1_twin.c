/* SPDX-License-Identifier: Apache-2.0
 * What is recalled of a head like one before is what parsing it gives, whatever differs between the two. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"
#include "wire/http1_twin.h"

static const char *const heads[] = {
    "GET /Ticket/Display.html?id=3 HTTP/1.1\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\nCookie: sid=0001\r\n"
    "X-Forwarded-For: 198.51.100.13\r\nHost: desk.example\r\n\r\n",
    "POST / HTTP/1.0\nHost : a\nFolded: one\n two\n\tthree\nbare line\n: no name\nContent-Length: 12\n\n",
    "GET /x HTTP/1.1\r\nName:\r\nOther:   \r\nLast: value with: colons :\r\r\n\r\n",
    "GET /cut HTTP/1.1\r\nA: b\r\nC: not ended",
};
static const char *const answers[] = {
    "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Sun, 22 Nov 2026 02:47:50 GMT\r\nContent-Type: text/html\r\n"
    "Content-Length: 1120\r\nETag: \"6b0257d4-460\"\r\n\r\n",
    "HTTP/1.1 404 Not\rFound: x\r\nDate: Sun, 22 Nov 2026 02:47:50 GMT\r\n\r\n",
    "HTTP/1.1 302 \r\nLocation: /a\rSet-Cookie: a=b\r\nX: y\r\n\r\n",
};

static void check(struct http1_twins *twins, struct span bytes, enum http1_role role)
{
    struct field list[HTTP1_MAX_FIELDS], other_list[HTTP1_MAX_FIELDS];
    struct http1_head head = {.fields = {list, 0, HTTP1_MAX_FIELDS, false}};
    struct http1_head other = {.fields = {other_list, 0, HTTP1_MAX_FIELDS, false}};
    int rc = http1_head_parse(bytes, role, &head);
    assert_int_equal(http1_twins_parse(twins, bytes, role, &other), rc);
    if (rc != E_OK)
        return;
    assert_int_equal(other.fields.n, head.fields.n);
    assert_int_equal(other.fields.is_cut, head.fields.is_cut);
    assert_int_equal(other.has_folds, head.has_folds);
    assert_int_equal(other.has_bad_lines, head.has_bad_lines);
    assert_int_equal(other.has_odd_version, head.has_odd_version);
    assert_int_equal(other.status, head.status);
    assert_int_equal(other.version_minor, head.version_minor);
    assert_ptr_equal(other.target.at, head.target.at);
    assert_int_equal(other.target.size, head.target.size);
    for (uint16_t i = 0; i < head.fields.n; i++) {
        assert_ptr_equal(list[i].name.at, other_list[i].name.at);
        assert_int_equal(list[i].name.size, other_list[i].name.size);
        assert_ptr_equal(list[i].value.at, other_list[i].value.at);
        assert_int_equal(list[i].value.size, other_list[i].value.size);
    }
}

/* Each head with each of its bytes turned into each of those that mean something, and into some that do not, after the head
 * as it was: what is recalled must not be the other's. */
static void check_changes(struct http1_twins *twins, const char *text, enum http1_role role)
{
    static const char bytes[] = {'\r', '\n', ':', ' ', '\t', 'x', '0', '\0', '\x7f', '\xff'};
    size_t size = strlen(text);
    char *copy = malloc(size);
    for (size_t at = 0; at < size; at++)
        for (size_t b = 0; b < sizeof bytes; b++) {
            memcpy(copy, text, size);
            check(twins, span_of(copy, size), role);
            copy[at] = bytes[b];
            check(twins, span_of(copy, size), role);
        }
    free(copy);
}

static void recalls_what_parsing_gives(void **state)
{
    (void)state;
    struct http1_twins *twins = calloc(1, sizeof *twins);
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        check_changes(twins, heads[i], HTTP1_REQUEST);
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
        check_changes(twins, answers[i], HTTP1_RESPONSE);
    free(twins);
}

static void leaves_large_heads(void **state)
{
    (void)state;
    struct http1_twins *twins = calloc(1, sizeof *twins);
    char text[8192] = "GET / HTTP/1.1\r\n";
    size_t size = strlen(text);
    while (size + 8 < sizeof text) {
        memcpy(text + size, "A: bcd\r\n", 8);
        size += 8;
        for (int twice = 0; twice < 2; twice++)
            check(twins, span_of(text, size), HTTP1_REQUEST);
    }
    free(twins);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recalls_what_parsing_gives),
        cmocka_unit_test(leaves_large_heads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
