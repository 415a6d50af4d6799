/* SPDX-License-Identifier: Apache-2.0
 * Handshake messages out of records: whole, cut at every place, several in one, too large, interrupted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/text.h"
#include "support/unhex.h"
#include "wire/tls_handshake.h"

#define N(array) (sizeof(array) / sizeof *(array))

static struct tls_handshake_memory memory;

static int set_up(void **state)
{
    (void)state;
    memory = (struct tls_handshake_memory){.small = pool_new(TLS_HANDSHAKE_SMALL, 2),
                                           .large = pool_new(TLS_HANDSHAKE_LARGE, 1)};
    return !memory.small || !memory.large;
}

static int tear_down(void **state)
{
    (void)state;
    pool_free(memory.small);
    pool_free(memory.large);
    return 0;
}

static uint32_t used(void)
{
    return pool_used(memory.small) + pool_used(memory.large);
}

/* type:length and, of what is kept, its size and last byte */
static void feed(struct tls_handshake *h, struct span fragment, struct text *log)
{
    struct tls_handshake_out out;
    while (tls_handshake_step(h, &memory, &fragment, &out) != TLS_HANDSHAKE_MORE) {
        text_addf(log, "%u:%u", out.type, out.length);
        if (out.is_kept) {
            text_addf(log, "=%zu/%02x", out.body.size, out.body.size ? out.body.at[out.body.size - 1] : 0);
            assert_int_equal(out.message.size, out.body.size + 4);
            assert_int_equal(out.message.at[0], out.type);
        }
        text_addf(log, out.is_cut ? "cut " : " ");
    }
    assert_int_equal(fragment.size, 0);
}

static void messages(void **state)
{
    static const struct {
        const char *hex, *want;
    } rows[] = {
        {"", ""},
        {"01000003 0a0b0c", "1:3=3/0c "},
        {"02000001 07 0e000000", "2:1=1/07 14:0 "},
        {"04000004 01020304 18000001 01", "4:4 24:1=1/01 "},
        {"08000000 14000002 0102", "8:0=0/00 20:2=2/02 "},
        {"fe000002 0000 0b000003 000000", "254:2 11:3=3/00 "},
        {"00000000 00000000", "0:0 0:0 "},
        {"01000003 0a0b", ""},
    };
    (void)state;
    for (size_t i = 0; i < N(rows); i++) {
        uint8_t bytes[64];
        struct span all = unhex(rows[i].hex, bytes, sizeof bytes);
        for (size_t cut = 0; cut <= all.size; cut++) /* in two, and the first part byte by byte */
            for (int is_fine = 0; is_fine < 2; is_fine++) {
                struct tls_handshake h;
                struct text log = {0};
                tls_handshake_init(&h);
                for (size_t at = 0; is_fine && at < cut; at++)
                    feed(&h, span_sub(all, at, 1), &log);
                if (!is_fine)
                    feed(&h, span_sub(all, 0, cut), &log);
                feed(&h, span_from(all, cut), &log);
                assert_string_equal(text_str(&log), rows[i].want);
                tls_handshake_fini(&h, &memory);
                assert_int_equal(used(), 0);
                text_fini(&log);
            }
    }
}

/* A message of 'length' bytes in records of 'cut', each byte of it the low byte of its place. */
static void send_large(struct tls_handshake *h, uint8_t type, size_t length, size_t cut, struct text *log)
{
    static uint8_t bytes[140000];
    const uint8_t header[4] = {type, (uint8_t)(length >> 16), (uint8_t)(length >> 8), (uint8_t)length};
    memcpy(bytes, header, sizeof header);
    for (size_t i = 0; i < length; i++)
        bytes[4 + i] = (uint8_t)i;
    for (size_t at = 0; at < length + 4; at += cut)
        feed(h, span_sub(span_of(bytes, length + 4), at, cut), log);
}

static void large_messages(void **state)
{
    static const struct {
        uint8_t type;
        size_t length;
        const char *want;
    } rows[] = {
        {1, 4092, "1:4092=4092/fb "},         {1, 4093, "1:4093=4093/fc "},         {11, 65532, "11:65532=65532/fb "},
        {11, 65533, "11:65533=65532/fbcut "}, {1, 131072, "1:131072=65532/fbcut "}, {22, 131072, "22:131072 "},
    };
    static const size_t cuts[] = {1000, 4096, 16384, 140000};
    (void)state;
    for (size_t i = 0; i < N(rows) * N(cuts); i++) {
        struct tls_handshake h;
        struct text log = {0};
        tls_handshake_init(&h);
        send_large(&h, rows[i / N(cuts)].type, rows[i / N(cuts)].length, cuts[i % N(cuts)], &log);
        assert_string_equal(text_str(&log), rows[i / N(cuts)].want);
        tls_handshake_fini(&h, &memory);
        assert_int_equal(used(), 0);
        text_fini(&log);
    }
}

static void a_gap_drops_what_is_under_way(void **state)
{
    (void)state;
    struct tls_handshake h;
    struct text log = {0};
    tls_handshake_init(&h);
    assert_false(tls_handshake_gap(&h, &memory));
    feed(&h, SPAN("\x01\x00\x00\x10\x01\x02"), &log);
    assert_int_equal(used(), 1);
    assert_true(tls_handshake_gap(&h, &memory));
    assert_int_equal(used(), 0);
    feed(&h, SPAN("\x02\x00\x00\x01\x09"), &log);
    assert_string_equal(text_str(&log), "2:1=1/09 ");
    tls_handshake_fini(&h, &memory);
    text_fini(&log);
}

static void no_memory_is_counted(void **state)
{
    (void)state;
    void *blocks[2] = {pool_take(memory.small), pool_take(memory.small)};
    struct tls_handshake h;
    struct text log = {0};
    uint64_t before = memory.refused;
    tls_handshake_init(&h);
    feed(&h, SPAN("\x01\x00\x00\x02\x01"), &log);
    feed(&h, SPAN("\x05\x02\x00\x00\x01\x09"), &log); /* the second is whole in its record */
    assert_string_equal(text_str(&log), "1:2 2:1=1/09 ");
    assert_int_equal(memory.refused, before + 1);
    tls_handshake_fini(&h, &memory);
    for (size_t i = 0; i < N(blocks); i++)
        pool_give(memory.small, blocks[i]);
    text_fini(&log);
}

static void hellos_behind_a_change_of_cipher(void **state)
{
    static const struct {
        const char *hex;
        bool is_hello;
    } rows[] = {
        {"01000003 0303aa", true},  {"02000003 0303aa", true},  {"01000003 0303", false}, {"01000002 0303aa", false},
        {"14000003 0303aa", false}, {"01000003 0305aa", false}, {"01000002 0303", false}, {"", false},
    };
    (void)state;
    for (size_t i = 0; i < N(rows); i++) {
        uint8_t bytes[16];
        assert_int_equal(tls_handshake_is_hello(unhex(rows[i].hex, bytes, sizeof bytes)), rows[i].is_hello);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages),
        cmocka_unit_test(large_messages),
        cmocka_unit_test(a_gap_drops_what_is_under_way),
        cmocka_unit_test(no_memory_is_counted),
        cmocka_unit_test(hellos_behind_a_change_of_cipher),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
