/* SPDX-License-Identifier: Apache-2.0
 * ZIP files built here, and what of them comes out as they stream by in slices. */
#include "wire/zip_walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

struct built {
    uint8_t at[4096];
    size_t size;
};

static void put(struct built *b, const void *at, size_t size)
{
    memcpy(b->at + b->size, at, size);
    b->size += size;
}

static void number(struct built *b, uint32_t value, int size)
{
    for (int i = 0; i < size; i++)
        put(b, &(uint8_t){(uint8_t)(value >> 8 * i)}, 1);
}

/* A stored block of deflate (RFC 1951, 3.2.4): final, its length, the complement, the bytes. */
static void deflated(struct built *b, const char *text)
{
    size_t n = strlen(text);
    number(b, 1, 1);
    number(b, (uint32_t)n, 2);
    number(b, (uint32_t)~n & 0xffff, 2);
    put(b, text, n);
}

static void head(struct built *b, unsigned flags, unsigned method, size_t size, const char *name)
{
    put(b, "PK\3\4\x14\0", 6);
    number(b, flags, 2);
    number(b, method, 2);
    put(b, "\0\0\0\0\0\0\0\0", 8); /* time, date, CRC */
    number(b, (uint32_t)size, 4);
    number(b, (uint32_t)size, 4);
    number(b, (uint32_t)strlen(name), 2);
    number(b, 3, 2);
    put(b, name, strlen(name));
    put(b, "ext", 3);
}

struct seen {
    char text[512];
    size_t size;
};

static void add(void *ctx, struct span bytes)
{
    struct seen *s = ctx;
    memcpy(s->text + s->size, bytes.at, bytes.size);
    s->size += bytes.size;
}

static void member(void *ctx)
{
    add(ctx, SPAN("|"));
}

/* What comes out of it, fed in slices; *is_blind as zip_walk_end says. */
static const char *walk(struct coding_pool *pool, const struct built *b, size_t step, struct seen *s, bool *is_blind)
{
    struct zip_walk z;
    *s = (struct seen){.size = 0};
    zip_walk_init(&z, pool, &(struct zip_hooks){s, member, add});
    for (size_t at = 0; at < b->size; at += step)
        if (!zip_walk_feed(&z, span_sub(span_of(b->at, b->size), at, step)))
            break;
    *is_blind = zip_walk_end(&z);
    s->text[s->size] = 0;
    return s->text;
}

static void assert_walk(const struct built *b, const char *expected, bool blind)
{
    struct coding_pool *pool = coding_pool_new(&(struct coding_limits){.max_gzip = 1, .max_brotli = 1});
    static const size_t steps[] = {4096, 1, 2, 5, 31};
    struct seen s;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        bool is_blind;
        assert_string_equal(walk(pool, b, steps[i], &s, &is_blind), expected);
        assert_int_equal(is_blind, blind);
    }
    coding_pool_free(pool);
}

static void members(void **state)
{
    (void)state;
    struct built b = {.size = 0};
    head(&b, 0, 0, 0, "dir/");
    head(&b, 0, 0, 5, "dir/a.txt");
    put(&b, "hello", 5);
    head(&b, 0, 8, 10, "dir/b.txt");
    deflated(&b, "world");
    head(&b, 8, 8, 0, "dir/c.har"); /* its size follows it */
    deflated(&b, "again");
    put(&b, "PK\7\10crc!\12\0\0\0\5\0\0\0", 16);
    head(&b, 8, 8, 0, "d");
    deflated(&b, "more");
    put(&b, "crc!\11\0\0\0\4\0\0\0", 12); /* without the signature */
    put(&b, "PK\1\2 the directory", 18);
    assert_walk(&b, "|hello|world|again|more", false);
}

static void what_cannot_be_read(void **state)
{
    (void)state;
    struct built b = {.size = 0};
    head(&b, 1, 8, 10, "encrypted");
    deflated(&b, "world");
    head(&b, 0, 12, 3, "bzip2");
    put(&b, "BZh", 3);
    head(&b, 0, 0, 2, "a");
    put(&b, "ok", 2);
    put(&b, "PK\5\6", 4);
    assert_walk(&b, "|ok", true);
    b.size = 0;
    head(&b, 8, 0, 0, "stored, and nobody knows how much");
    put(&b, "text", 4);
    assert_walk(&b, "", true);
    b.size = 0;
    head(&b, 0, 0, 0xffffffff, "zip64");
    assert_walk(&b, "", true);
    b.size = 0;
    head(&b, 0, 8, 4, "bad");
    put(&b, "\x07\x07\x07\x07", 4);
    head(&b, 0, 0, 2, "a");
    put(&b, "ok", 2);
    put(&b, "PK\1\2", 4);
    assert_walk(&b, "||ok", true);
    b.size = 0;
    head(&b, 0, 0, 5, "cut");
    put(&b, "hel", 3);
    assert_walk(&b, "|hel", true);
    b.size = 0;
    put(&b, "PK\3\5 no zip at all, but long enough to be one", 40);
    assert_walk(&b, "", true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(members), cmocka_unit_test(what_cannot_be_read)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
