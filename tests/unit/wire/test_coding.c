/* SPDX-License-Identifier: Apache-2.0
 * Content codings undone: whole and cut into pieces, damaged, followed by other bytes, more than a limit allows, and
 * more of them at once than there is room for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"
#include "wire/coding.h"

#define TEXT "the case file of a customer, the case file of another customer"
#define TEXT_SIZE (sizeof TEXT - 1)
#define DEFLATED "+\xc9HUHN,NUH\xcb\xccIU\xc8OSHTH.-.\xc9\xcfM-\xd2Q(\xc1\x90\xcc\xcb\x07\x8a\x15\xc1\x95\x00\x00"
#define GZIPPED "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03" DEFLATED "\x8a\x61\x09\x96>\x00\x00\x00"
#define ZLIBBED "x\xda" DEFLATED "\xb0\x8c\x16g"
#define BROTLIED                                                                                                       \
    "\x13\x3d\x00\x48\x1c\x09\x36\x4e\x76\x6d\xfe\x25\xaa\xca\xe8\x32\x6c\x0c\xad\x40\xe6\x60\x22\x07\x4e\x2d\x0b\xe1" \
    "\x80"                                                                                                             \
    "\x6f\x8e\x89\x47\xb4\x27\x09\x0c\x79\x4b\xdc\x00\x8d\x0c"

struct got {
    char text[4096];
    size_t size;
    uint64_t all;
};

static void take(void *ctx, struct span bytes)
{
    struct got *g = ctx;
    g->all += bytes.size;
    size_t n = bytes.size < sizeof g->text - g->size ? bytes.size : sizeof g->text - g->size;
    memcpy(g->text + g->size, bytes.at, n);
    g->size += n;
}

struct row {
    const char *name;
    enum coding_kind kind;
    const char *bytes;
    size_t size;
    uint64_t decoded;
    int error;
    bool is_done;
};

#define ROW(name, kind, bytes, decoded, error, is_done)                                                                \
    {                                                                                                                  \
        name, kind, bytes, sizeof(bytes) - 1, decoded, error, is_done                                                  \
    }

static const struct row ROWS[] = {
    ROW("gzip", CODING_GZIP, GZIPPED, TEXT_SIZE, 0, true),
    ROW("two gzip members", CODING_GZIP, GZIPPED GZIPPED, 2 * TEXT_SIZE, 0, true),
    ROW("gzip and then something", CODING_GZIP, GZIPPED "more\x1f", TEXT_SIZE, 0, true),
    ROW("half a gzip", CODING_GZIP, "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03+\xc9HUHN", 5, 0, false),
    ROW("no gzip", CODING_GZIP, "plain text", 0, E_BAD, false),
    ROW("gzip with a wrong sum", CODING_GZIP,
        "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03" DEFLATED "\x8b\x61\x09\x96>\x00\x00\x00", TEXT_SIZE, E_BAD, false),
    ROW("deflate", CODING_DEFLATE, ZLIBBED, TEXT_SIZE, 0, true),
    ROW("bare deflate", CODING_DEFLATE, DEFLATED, TEXT_SIZE, 0, true),
    ROW("deflate and then something", CODING_DEFLATE, ZLIBBED "\x1f\x8b", TEXT_SIZE, 0, true),
    ROW("no deflate", CODING_DEFLATE, "\xff\xff\xff", 0, E_BAD, false),
    ROW("br", CODING_BROTLI, BROTLIED, TEXT_SIZE, 0, true),
    ROW("br and then something", CODING_BROTLI, BROTLIED "xyz", TEXT_SIZE, 0, true),
    ROW("no br", CODING_BROTLI, "\xff\xff\xff\xff\xff\xff", 0, E_BAD, false),
    ROW("br bomb of 77 bytes for 3,000,000", CODING_BROTLI,
        "\xa3\xff\xff\x83\x7f\x02\x20\x1e\x0b\x04\x72\xef\x0f\xf4\xff\x7f\xf0\x4f\x00\xc4\x61\x11\x80\xee\xfd\x81\xfe"
        "\xff\x0f\xfe\x09\x80\x38\x2c\x00\xd0\xbd\x3f\xd0\xff\xff\xc1\x3f\x01\x10\x87\x05\x00\xba\xf7\x07\xfa\xff\x3f"
        "\xf8\x27\x00\xe2\xb0\x00\x40\xf7\xfe\xa0\x7e\x8d\x0b\xff\x04\x40\x1c\x16\x00\xe8\xf9\x16\x00",
        0, E_LIMIT, false),
};

static int feed_in_pieces(struct coding *c, const char *bytes, size_t size, size_t piece, struct got *g)
{
    int error = 0;
    for (size_t at = 0; at < size; at += piece) {
        size_t n = size - at < piece ? size - at : piece;
        char *copy = malloc(n);
        memcpy(copy, bytes + at, n);
        error = coding_feed(c, span_of(copy, n), take, g);
        free(copy);
    }
    return error;
}

static void play(const struct row *row, size_t piece)
{
    struct coding_pool *p = coding_pool_new(NULL);
    struct coding *c = coding_new(p, row->kind);
    struct got g = {0};
    int error = feed_in_pieces(c, row->bytes, row->size, piece, &g);
    if (error != row->error || coding_is_done(c) != row->is_done || (error != E_LIMIT && g.all != row->decoded))
        print_error("\"%s\" in pieces of %zu: error %d, %llu bytes\n", row->name, piece, error,
                    (unsigned long long)g.all);
    assert_int_equal(error, row->error);
    assert_int_equal(coding_is_done(c), row->is_done);
    if (row->error != E_LIMIT) {
        assert_int_equal(g.all, row->decoded);
        assert_memory_equal(g.text, TEXT, g.size < TEXT_SIZE ? g.size : TEXT_SIZE);
    }
    coding_free(p, c);
    coding_pool_free(p);
}

static void codings_come_out_the_same_however_they_are_cut(void **state)
{
    static const size_t pieces[] = {SIZE_MAX, 1, 2, 7};
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++)
        for (size_t j = 0; j < sizeof pieces / sizeof pieces[0]; j++)
            play(&ROWS[i], pieces[j]);
}

static void names_are_read_as_a_list(void **state)
{
    (void)state;
    assert_int_equal(coding_kind_of(SPAN("GZip")), CODING_GZIP);
    assert_int_equal(coding_kind_of(SPAN(" x-gzip ")), CODING_GZIP);
    assert_int_equal(coding_kind_of(SPAN("identity, br")), CODING_BROTLI);
    assert_int_equal(coding_kind_of(SPAN("deflate,")), CODING_DEFLATE);
    assert_int_equal(coding_kind_of(SPAN("gzip, br")), CODING_UNKNOWN);
    assert_int_equal(coding_kind_of(SPAN("zstd")), CODING_UNKNOWN);
    assert_int_equal(coding_kind_of(SPAN("identity")), CODING_IDENTITY);
    assert_int_equal(coding_kind_of(span_of(NULL, 0)), CODING_IDENTITY);
}

static void output_stops_at_the_limit(void **state)
{
    struct coding_pool *p =
        coding_pool_new(&(struct coding_limits){.max_gzip = 1, .max_brotli = 1, .max_out = TEXT_SIZE - 1});
    struct coding *c = coding_new(p, CODING_GZIP);
    struct got g = {0};
    (void)state;
    assert_int_equal(coding_feed(c, SPAN(GZIPPED), take, &g), E_LIMIT);
    assert_int_equal(coding_feed(c, SPAN("x"), take, &g), E_LIMIT);
    assert_int_equal(g.all, 0);
    assert_false(coding_is_done(c));
    coding_free(p, c);
    coding_pool_free(p);
}

/* 30,000,000 zeros over a window of 16 MiB. */
static void a_window_larger_than_the_slot_is_a_limit(void **state)
{
    struct coding_pool *p = coding_pool_new(&(struct coding_limits){.max_ratio = UINT32_MAX});
    struct coding *c = coding_new(p, CODING_BROTLI);
    struct got g = {0};
    struct span bytes = SPAN(
        "\xcf\xff\xff\x7f\xf8\x27\x00\xe2\xb1\x40\x20\xf7\xfe\x3f\xff\x86\x93\xf1\x4f\x00\xc4\x61\x01\x80\xce\x6e\x32");
    (void)state;
    assert_int_equal(coding_feed(c, bytes, take, &g), E_LIMIT);
    assert_true(g.all < 30000000);
    coding_free(p, c);
    coding_pool_free(p);
}

static uint64_t count_of(const struct coding_pool *p, const char *name)
{
    struct counters c = coding_counters(p);
    for (size_t i = 0; i < c.n; i++)
        if (strcmp(c.defs[i].name, name) == 0)
            return c.values[i];
    fail_msg("no counter %s", name);
    return 0;
}

static void memory_is_given_back_and_never_grows(void **state)
{
    static const enum coding_kind kinds[] = {CODING_GZIP, CODING_DEFLATE, CODING_BROTLI};
    struct coding_pool *p = coding_pool_new(&(struct coding_limits){.max_gzip = 1, .max_brotli = 1});
    struct got g = {0};
    (void)state;
    for (int i = 0; i < 3000; i++) { /* each left at another point of its work */
        enum coding_kind kind = kinds[i % 3];
        struct span all = kind == CODING_BROTLI ? SPAN(BROTLIED) : kind == CODING_GZIP ? SPAN(GZIPPED) : SPAN(ZLIBBED);
        struct coding *c = coding_new(p, kind);
        assert_non_null(c);
        assert_int_equal(coding_feed(c, span_sub(all, 0, (size_t)i % (all.size + 1)), take, &g), 0);
        coding_free(p, c);
    }
    assert_int_equal(count_of(p, "coding_refused"), 0);
    assert_int_equal(count_of(p, "coding_started"), 3000);
    struct coding *c = coding_new(p, CODING_GZIP);
    assert_null(coding_new(p, CODING_GZIP));
    assert_int_equal(count_of(p, "coding_refused"), 1);
    coding_free(p, c);
    coding_pool_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codings_come_out_the_same_however_they_are_cut),
        cmocka_unit_test(names_are_read_as_a_list),
        cmocka_unit_test(output_stops_at_the_limit),
        cmocka_unit_test(a_window_larger_than_the_slot_is_a_limit),
        cmocka_unit_test(memory_is_given_back_and_never_grows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
