/* SPDX-License-Identifier: Apache-2.0
 * Base64: decoding the small, counting the large, whatever the slices. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "wire/base64.h"

#define N(array) (sizeof(array) / sizeof *(array))

static void test_decode(void **state)
{
    static const struct {
        const char *text, *plain;
        int result;
    } rows[] = {
        {"", "", E_OK},
        {"Zg==", "f", E_OK},
        {"Zm8=", "fo", E_OK},
        {"Zm9v", "foo", E_OK},
        {"Zm9vYg==", "foob", E_OK},
        {"Zm9vYmFy", "foobar", E_OK},
        {"Zg", "f", E_OK},
        {"Zm8", "fo", E_OK},
        {"Zm9v\r\nYm Fy\n", "foobar", E_OK},
        {"-_-_", "\xfb\xff\xbf", E_OK},
        {"+/+/", "\xfb\xff\xbf", E_OK},
        {"Z", "", E_BAD},
        {"Zm9vY", "foo", E_BAD},
        {"Zm9!", "fo", E_BAD},
        {"=", "", E_BAD},
        {"Z===", "", E_BAD},
        {"Zg==Zg==", "f", E_BAD},
    };
    (void)state;
    for (size_t i = 0; i < N(rows); i++) {
        uint8_t out[64];
        size_t size;
        assert_int_equal(base64_decode(span_text(rows[i].text), out, sizeof out, &size), rows[i].result);
        assert_int_equal(size, strlen(rows[i].plain));
        assert_memory_equal(out, rows[i].plain, size);
    }
    uint8_t two[2];
    size_t size;
    assert_int_equal(base64_decode(SPAN("Zm9v"), two, sizeof two, &size), E_LIMIT);
    assert_int_equal(size, 2);
}

static void test_count(void **state)
{
    static const struct {
        const char *text;
        uint64_t size;
        bool is_exact;
    } rows[] = {
        {"", 0, true},         {"Zg==", 1, true},  {"Zm8=", 2, true},     {"Zm9v", 3, true},
        {"Zm8", 2, true},      {"Zg", 1, true},    {"Zm9vYg==", 4, true}, {"Zm9v\nYm\r\nFy \t", 6, true},
        {"-_-_", 3, true},     {"Z", 0, false},    {"Zm9vY", 3, false},   {"Zm.9v", 3, false},
        {"=", 0, false},       {"Z===", 0, false}, {"Zg==Zg==", 2, true}, /* two texts joined */
        {"Zg=Zm9v", 4, false},
    };
    (void)state;
    for (size_t i = 0; i < N(rows); i++) {
        struct span text = span_text(rows[i].text);
        for (size_t slice = 1; slice <= text.size + 1; slice++) {
            struct base64_count c = {0};
            bool is_exact;
            for (size_t at = 0; at < text.size; at += slice)
                base64_count_feed(&c, span_sub(text, at, slice));
            if (base64_count_size(&c, &is_exact) != rows[i].size || is_exact != rows[i].is_exact)
                fail_msg("\"%s\" in slices of %zu", rows[i].text, slice);
        }
    }
}

/* Every size from 0 to 300 with line ends, against what the encoder put in. */
static void test_count_sizes(void **state)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    (void)state;
    for (size_t size = 0; size <= 300; size++) {
        char text[512];
        size_t used = 0, symbols = (size * 8 + 5) / 6;
        for (size_t i = 0; i < (size + 2) / 3 * 4; i++) {
            text[used++] = i < symbols ? alphabet[(i * 7 + size) % 64] : '=';
            if (i % 76 == 75)
                text[used++] = '\n';
        }
        struct base64_count c = {0};
        bool is_exact;
        base64_count_feed(&c, span_of(text, used));
        assert_int_equal(base64_count_size(&c, &is_exact), size);
        assert_true(is_exact);
    }
}

/* A character of neither alphabet is found wherever it stands in a long run. */
static void test_count_strays(void **state)
{
    static const uint8_t strays[] = {'.', '@', '[', '`', '{', '\0', '\\', '"', 0x80, 0xff, '*', ',', ':'};
    uint8_t text[100];
    (void)state;
    for (size_t at = 0; at < sizeof text; at++) {
        for (size_t i = 0; i < N(strays); i++) {
            struct base64_count c = {0};
            bool is_exact;
            memset(text, "AZaz09+/-_"[at % 10], sizeof text);
            base64_count_feed(&c, span_of(text, sizeof text));
            assert_int_equal(base64_count_size(&c, &is_exact), 75);
            assert_true(is_exact);
            text[at] = strays[i];
            base64_count_feed(&c, span_of(text, sizeof text));
            assert_int_equal(c.symbols, 199);
            (void)base64_count_size(&c, &is_exact);
            assert_false(is_exact);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decode),
        cmocka_unit_test(test_count),
        cmocka_unit_test(test_count_sizes),
        cmocka_unit_test(test_count_strays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
