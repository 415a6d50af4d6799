/* SPDX-License-Identifier: Apache-2.0
 * pcapng blocks: both byte orders, clocks, several interfaces and sections, and malformed blocks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/err.h"
#include "capture/source_pcapng.h"
#include "support/savefile.h"

#define MAX_PACKETS 8

struct seen {
    struct pcapng g;
    size_t n;
    struct packet packets[MAX_PACKETS];
    int rc; /* of the block that ended it, or 0 */
};

/* Walks blocks as a reader of files does. The packets borrow 'bytes'. */
static void walk(struct seen *seen, struct span bytes)
{
    while (bytes.size > 0) {
        uint32_t type, size;
        seen->rc = source_pcapng_head(&seen->g, span_sub(bytes, 0, PCAPNG_HEAD_SIZE), &type, &size);
        if (seen->rc != E_OK || size > bytes.size)
            return;
        if (source_pcapng_is_wanted(type)) {
            assert_in_range(seen->n, 0, MAX_PACKETS - 1);
            seen->rc = source_pcapng_block(&seen->g, type, span_sub(bytes, 8, size - 12), &seen->packets[seen->n]);
            if (seen->rc < 0)
                return;
            seen->n += (size_t)seen->rc;
        }
        bytes = span_from(bytes, size);
    }
    seen->rc = 0;
}

/* if_tsresol and if_tsoffset as option bytes. */
static struct span clock_options(struct savefile *f, uint8_t resolution, int64_t offset)
{
    savefile_u16(f, 9);
    savefile_u16(f, 1);
    savefile_u32(f, f->is_big ? (uint32_t)resolution << 24 : resolution);
    savefile_u16(f, 14);
    savefile_u16(f, 8);
    savefile_u64(f, (uint64_t)offset);
    savefile_u32(f, 0); /* end of options */
    return text_span(&f->out);
}

static void test_clocks(void **state)
{
    (void)state;
    static const struct {
        uint8_t resolution;
        int64_t offset;
        uint64_t ticks, ns;
    } cases[] = {
        {6, 0, 1700000000123456, 1700000000123456000},
        {9, 0, 1700000000123456789, 1700000000123456789},
        {0, 0, 1700000000, 1700000000000000000},
        {3, 10, 1700000000123, 1700000010123000000},
        {3, -1700000000, 1700000000123, 123000000},
        {3, -1700000001, 1700000000123, 0},
        {12, 0, 1700000000123456, 1700000000123},
        {0x80 | 10, 0, 1024 * 5 + 512, 5500000000},
        {0x80 | 63, 0, 3ull << 62, 1500000000},
        {0, 0, UINT64_MAX, UINT64_MAX},
        {9, INT64_MAX, UINT64_MAX, UINT64_MAX},
        {9, INT64_MIN, UINT64_MAX, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (int is_big = 0; is_big < 2; is_big++) {
            struct savefile f = {.is_big = is_big}, options = {.is_big = is_big};
            struct seen seen = {0};
            savefile_section(&f);
            savefile_interface(&f, 1, 0, clock_options(&options, cases[i].resolution, cases[i].offset));
            savefile_packet(&f, 0, cases[i].ticks, 7, 61);
            walk(&seen, text_span(&f.out));
            assert_int_equal(seen.rc, 0);
            assert_int_equal(seen.n, 1);
            assert_int_equal(seen.packets[0].time_ns, cases[i].ns);
            assert_int_equal(seen.packets[0].caught, 61);
            assert_int_equal(seen.packets[0].bytes[60], 67);
            source_pcapng_fini(&seen.g);
            text_fini(&f.out);
            text_fini(&options.out);
        }
    }
}

static void test_interfaces_and_sections(void **state)
{
    (void)state;
    struct savefile f = {0};
    struct seen seen = {0};
    savefile_section(&f);
    savefile_interface(&f, 1, 65535, SPAN(""));
    savefile_interface(&f, 113, 65535, SPAN(""));
    savefile_interface(&f, 101, 0, SPAN("")); /* raw IP, which is another number in a DLT */
    savefile_packet(&f, 1, 1000000, 0, 20);
    savefile_block(&f, 5, SPAN("statistics come here")); /* passed over */
    savefile_packet(&f, 2, 2000000, 0, 21);
    savefile_packet(&f, 0, 3000000, 0, 22);
    f.is_big = true; /* a second section with an interface 0 of its own */
    savefile_section(&f);
    savefile_interface(&f, 276, 0, SPAN(""));
    savefile_packet(&f, 0, 4000000, 0, 23);
    walk(&seen, text_span(&f.out));
    assert_int_equal(seen.rc, 0);
    assert_int_equal(seen.n, 4);
    static const uint32_t links[] = {113, 12, 1, 276};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(seen.packets[i].link, links[i]);
        assert_int_equal(seen.packets[i].time_ns, (i + 1) * 1000000000ull);
        assert_int_equal(seen.packets[i].wire, 20 + i);
    }
    savefile_packet(&f, 1, 5000000, 0, 20); /* the interface belonged to the section before */
    seen.n = 0;
    source_pcapng_fini(&seen.g);
    walk(&seen, text_span(&f.out));
    assert_int_equal(seen.rc, E_BAD);
    assert_int_equal(seen.n, 4);
    source_pcapng_fini(&seen.g);
    text_fini(&f.out);
}

static void test_other_packet_blocks(void **state)
{
    (void)state;
    struct savefile f = {0}, body = {0};
    struct seen seen = {0};
    savefile_section(&f);
    savefile_interface(&f, 1, 8, SPAN(""));
    savefile_packet(&f, 0, 9000000, 1, 4);
    savefile_u32(&body, 100); /* simple: 100 on the wire, cut to the interface's 8 */
    text_add(&body.out, SPAN("abcdefgh"));
    savefile_block(&f, 3, text_span(&body.out));
    text_clear(&body.out);
    savefile_u16(&body, 0); /* the obsolete packet block */
    savefile_u16(&body, 3);
    savefile_u32(&body, 0);
    savefile_u32(&body, 10000000);
    savefile_u32(&body, 5);
    savefile_u32(&body, 90);
    text_add(&body.out, SPAN("hello"));
    savefile_block(&f, 2, text_span(&body.out));
    walk(&seen, text_span(&f.out));
    assert_int_equal(seen.rc, 0);
    assert_int_equal(seen.n, 3);
    assert_int_equal(seen.packets[1].time_ns, 9000000000ull);
    assert_int_equal(seen.packets[1].caught, 8);
    assert_int_equal(seen.packets[1].wire, 100);
    assert_memory_equal(seen.packets[1].bytes, "abcdefgh", 8);
    assert_int_equal(seen.packets[2].time_ns, 10000000000ull);
    assert_int_equal(seen.packets[2].caught, 5);
    assert_int_equal(seen.packets[2].wire, 90);
    assert_memory_equal(seen.packets[2].bytes, "hello", 5);
    source_pcapng_fini(&seen.g);
    text_fini(&f.out);
    text_fini(&body.out);
}

static void expect_error(struct savefile *f, int code)
{
    struct seen seen = {0};
    walk(&seen, text_span(&f->out));
    assert_int_equal(seen.rc, code);
    source_pcapng_fini(&seen.g);
    text_fini(&f->out);
}

static void expect_bad(struct savefile *f)
{
    expect_error(f, E_BAD);
}

static void test_malformed(void **state)
{
    (void)state;
    struct savefile f = {0}, options = {0};
    savefile_packet(&f, 0, 0, 0, 4); /* no section */
    expect_bad(&f);
    savefile_section(&f);
    savefile_packet(&f, 0, 0, 0, 4); /* no interface */
    expect_bad(&f);
    savefile_section(&f);
    savefile_block(&f, 1, SPAN("\1\0\0\0")); /* an interface that is too short */
    expect_bad(&f);
    savefile_section(&f);
    savefile_interface(&f, 1, 0, clock_options(&options, 20, 0)); /* ticks that do not fit 64 bits */
    expect_bad(&f);
    savefile_section(&f);
    savefile_interface(&f, 1, 0, SPAN("\x09\0\xff\0\6\0\0\0")); /* an option longer than its block */
    expect_bad(&f);
    savefile_section(&f);
    savefile_interface(&f, 1, 0, SPAN(""));
    savefile_packet(&f, 0, 0, 0, 4);
    f.out.at[28 + 20 + 8 + 12] = 99; /* caught length behind the end of the block */
    expect_bad(&f);
    savefile_section(&f);
    f.out.at[12] = 2; /* major version */
    expect_error(&f, E_NONE);
    savefile_section(&f);
    f.out.at[4] = 30; /* length not a multiple of four */
    expect_bad(&f);
    savefile_section(&f);
    f.out.at[8] = 0; /* byte-order magic */
    expect_bad(&f);
    text_fini(&options.out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clocks),
        cmocka_unit_test(test_interfaces_and_sections),
        cmocka_unit_test(test_other_packet_blocks),
        cmocka_unit_test(test_malformed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
