/* SPDX-License-Identifier: Apache-2.0
 * Spans, the sticky reader, texts. */
#include "base/span.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants the four above first */
#include <cmocka.h>

static void sub_clamps(void **state)
{
    (void)state;
    struct span s = SPAN("abcdef");
    assert_true(span_eq(span_sub(s, 2, 2), SPAN("cd")));
    assert_true(span_eq(span_sub(s, 4, 100), SPAN("ef")));
    assert_int_equal(span_sub(s, 100, 1).size, 0);
    assert_int_equal(span_from(span_of(NULL, 0), 3).size, 0);
}

static void finds(void **state)
{
    (void)state;
    struct span s = SPAN("Foo: bar\r\n\r\nbody");
    assert_int_equal(span_find(s, SPAN("\r\n\r\n"), 0), 8);
    assert_int_equal(span_find(s, SPAN("nope"), 0), SIZE_MAX);
    assert_int_equal(span_find(s, SPAN("body"), 13), SIZE_MAX);
    assert_int_equal(span_find_nocase(s, SPAN("FOO"), 0), 0);
    assert_int_equal(span_find_byte(s, ':', 0), 3);
    assert_true(span_eq_nocase(SPAN("Content-Length"), SPAN("content-length")));
    assert_false(span_eq_nocase(SPAN("Content"), SPAN("content-length")));
    assert_true(span_eq(span_trim(SPAN(" \t x y \r\n")), SPAN("x y")));
}

/* Against the plain definition, over all small texts of a few letters. */
static void find_is_exact(void **state)
{
    (void)state;
    char text[9] = {0}, needle[4] = {0};
    for (unsigned t = 0; t < 6561; t++) { /* 3^8 */
        for (unsigned i = 0, v = t; i < 8; i++, v /= 3)
            text[i] = "a<N"[v % 3];
        for (unsigned n = 0; n < 27; n++) {
            for (unsigned i = 0, v = n; i < 3; i++, v /= 3)
                needle[i] = "a<N"[v % 3];
            for (size_t size = 1; size <= 3; size++) {
                const char *want = memmem(text, 8, needle, size);
                assert_true(span_find(span_of(text, 8), span_of(needle, size), 0) == (want ? (size_t)(want - text) : SIZE_MAX));
            }
        }
    }
}

static void splits(void **state)
{
    (void)state;
    struct span rest = SPAN("a,,b,"), part;
    const char *want[] = {"a", "", "b", ""};
    for (size_t i = 0; i < 4; i++) {
        assert_true(span_split(&rest, ',', &part));
        assert_true(span_eq(part, span_text(want[i])));
    }
    assert_false(span_split(&rest, ',', &part));
}

static void numbers(void **state)
{
    (void)state;
    const struct {
        const char *text;
        bool ok;
        uint64_t value;
    } rows[] = {{"0", true, 0}, {"18446744073709551615", true, UINT64_MAX}, {"18446744073709551616", false, 0},
                {"", false, 0}, {"-1", false, 0}, {"1 ", false, 0}, {"007", true, 7}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint64_t value = 0;
        assert_int_equal(span_u64(span_text(rows[i].text), &value), rows[i].ok);
        if (rows[i].ok)
            assert_true(value == rows[i].value);
    }
}

static void reader_sticks(void **state)
{
    (void)state;
    struct reader r = reader_of(SPAN("\x01\x02\x03\x04\x05"));
    assert_int_equal(reader_u16(&r), 0x0102);
    assert_int_equal(reader_u24(&r), 0x030405);
    assert_false(r.is_bad);
    assert_int_equal(reader_u8(&r), 0);
    assert_true(r.is_bad);
    assert_int_equal(reader_u32(&r), 0);
    assert_true(r.is_bad);
}

static void text_caps(void **state)
{
    (void)state;
    struct text t = {.max = 10};
    text_add_str(&t, "12345");
    text_addf(&t, "%s", "67890abc");
    assert_true(t.is_cut);
    assert_string_equal(text_str(&t), "1234567890");
    text_clear(&t);
    assert_false(t.is_cut);
    for (int i = 0; i < 20; i++)
        text_add_char(&t, 'x');
    assert_int_equal(t.size, 10);
    assert_true(t.is_cut);
    text_fini(&t);
    assert_string_equal(text_str(&t), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(sub_clamps), cmocka_unit_test(finds), cmocka_unit_test(find_is_exact), cmocka_unit_test(splits),
                                       cmocka_unit_test(numbers), cmocka_unit_test(reader_sticks), cmocka_unit_test(text_caps)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
