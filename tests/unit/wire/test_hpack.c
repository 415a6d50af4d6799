/* SPDX-License-Identifier: Apache-2.0
 * Header blocks of nghttp2's own encoder come out as they went in; a decoder that missed some tells what it knows and
 * nothing else; memory has a cap, and comes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <nghttp2/nghttp2.h>

#include "base/err.h"
#include "wire/hpack.h"

#define MAX_TEXT 200000u

struct heard {
    char text[MAX_TEXT];
    size_t size;
    unsigned n;
};

static void on_field(void *ctx, struct span name, struct span value)
{
    struct heard *k = ctx;
    k->n++;
    int n = snprintf(k->text + k->size, sizeof k->text - k->size, "%.*s=%.*s\n", (int)name.size, (const char *)name.at,
                     (int)value.size, value.size ? (const char *)value.at : "");
    k->size += (size_t)n < sizeof k->text - k->size ? (size_t)n : sizeof k->text - k->size - 1;
}

static int decode(struct hpack *h, const void *block, size_t size, struct heard *k, uint32_t *n_unknown)
{
    uint8_t *copy = malloc(size ? size : 1); /* so that the sanitizer sees a byte too far */
    memcpy(copy, block, size);
    k->size = k->n = 0;
    k->text[0] = 0;
    int code = hpack_decode(h, span_of(copy, size), on_field, k, n_unknown);
    free(copy);
    return code;
}

static uint64_t counter(const struct hpack_pool *p, const char *name)
{
    struct counters c = hpack_counters(p);
    for (size_t i = 0; i < c.n; i++)
        if (strcmp(c.defs[i].name, name) == 0)
            return c.values[i];
    fail();
    return 0;
}

/* RFC 7541, appendix C.3 and C.4: requests on one connection, without and with Huffman coding; and more. */
static void reads_the_examples_of_the_rfc(void **state)
{
    (void)state;
    static const struct {
        const char *block;
        size_t size;
        const char *text;
    } rows[] = {
#define B(bytes) bytes, sizeof(bytes) - 1
        {B("\x82\x86\x84\x41\x0fwww.example.com"), ":method=GET\n:scheme=http\n:path=/\n:authority=www.example.com\n"},
        {B("\x82\x86\x84\xbe\x58\x08no-cache"),
         ":method=GET\n:scheme=http\n:path=/\n:authority=www.example.com\ncache-control=no-cache\n"},
        {B("\x82\x87\x85\xbf\x40\x0a" "custom-key\x0c" "custom-value"),
         ":method=GET\n:scheme=https\n:path=/index.html\n:authority=www.example.com\ncustom-key=custom-value\n"},
        {B("\x82\x86\x84\x41\x8c\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff"),
         ":method=GET\n:scheme=http\n:path=/\n:authority=www.example.com\n"},
        {B("\x04\x0c/sample/path"), ":path=/sample/path\n"},
        {B("\x10\x08password\x06secret"), "password=secret\n"},
        {B(""), ""},
    };
    static struct heard k;
    struct hpack_pool *pool = hpack_pool_new(0);
    struct hpack h;
    uint32_t n_unknown;
    hpack_init(&h, pool);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(decode(&h, rows[i].block, rows[i].size, &k, &n_unknown), 0);
        assert_string_equal(k.text, rows[i].text);
        assert_int_equal(n_unknown, 0);
    }
    hpack_fini(&h);
    hpack_pool_free(pool);
}

static void refuses_what_is_no_header_block(void **state)
{
    (void)state;
    static const struct {
        const char *block;
        size_t size;
    } rows[] = {
        {B("\x80")},                             /* index 0 */
        {B("\xbe")},                             /* an entry that is not there */
        {B("\xff\x80\x80\x80\x80\x80\x80\x01")}, /* an integer without end */
        {B("\x40\x0a" "custom")},                /* a string that is cut */
        {B("\x41\x8c\xf1\xe3")},
        {B("\x3f\xff\xff\x7f")},                 /* a table larger than allowed */
        {B("\x82\x20")},                         /* a table size behind a field */
        {B("\x7f")},
    };
    static struct heard k;
    struct hpack_pool *pool = hpack_pool_new(0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct hpack h;
        uint32_t n_unknown;
        hpack_init(&h, pool);
        assert_int_equal(decode(&h, rows[i].block, rows[i].size, &k, &n_unknown), E_BAD);
        assert_true(h.is_lost);
        /* and then it goes on */
        assert_int_equal(decode(&h, "\x82", 1, &k, &n_unknown), 0);
        assert_string_equal(k.text, ":method=GET\n");
        /* lost, the same is bad, or an entry that cannot be known */
        int code = decode(&h, rows[i].block, rows[i].size, &k, &n_unknown);
        assert_true(code == E_BAD || (code == 0 && n_unknown == 1 && k.n == 0));
        hpack_fini(&h);
    }
    assert_true(counter(pool, "hpack_bad") >= sizeof rows / sizeof rows[0]);
    hpack_pool_free(pool);
}

static uint32_t random_state;

static uint32_t random_below(uint32_t n)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 8) % n;
}

struct message {
    nghttp2_nv nv[24];
    char text[24][2][120];
    size_t n;
};

static void make_message(struct message *m)
{
    m->n = 1 + random_below(24);
    for (size_t i = 0; i < m->n; i++) {
        uint32_t kind = random_below(4);
        snprintf(m->text[i][0], sizeof m->text[i][0], "%s%u", kind == 0 ? "x-name-" : "x-", random_below(kind == 0 ? 1000 : 30));
        snprintf(m->text[i][1], sizeof m->text[i][1], "%0*u", (int)(1 + random_below(90)), random_below(20));
        if (kind == 1)
            strcpy(m->text[i][0], "accept");
        m->nv[i] = (nghttp2_nv){(uint8_t *)m->text[i][0], (uint8_t *)m->text[i][1], strlen(m->text[i][0]),
                                strlen(m->text[i][1]), random_below(8) ? NGHTTP2_NV_FLAG_NONE : NGHTTP2_NV_FLAG_NO_INDEX};
    }
}

static void write_message(const struct message *m, char *to, size_t size)
{
    size_t at = 0;
    to[0] = 0;
    for (size_t i = 0; i < m->n; i++)
        at += (size_t)snprintf(to + at, size - at, "%s=%s\n", m->text[i][0], m->text[i][1]);
}

/* Every line of 'part' is one of 'whole', in its order. */
static bool is_part(const char *part, const char *whole)
{
    while (*part) {
        size_t n = strcspn(part, "\n") + 1;
        while (*whole && strncmp(part, whole, n) != 0)
            whole += strcspn(whole, "\n") + 1;
        if (!*whole)
            return false;
        part += n;
        whole += n;
    }
    return true;
}

/* Talks of 40 messages, of which one decoder hears all and another one misses some. */
static void talk(uint32_t seed, uint32_t table, struct hpack_pool *pool, uint32_t *first, uint32_t *last)
{
    static struct heard whole, part;
    static struct message m;
    static char said[MAX_TEXT];
    static uint8_t block[65536];
    nghttp2_hd_deflater *deflater;
    struct hpack all, some;
    uint32_t n_unknown;
    random_state = seed;
    assert_int_equal(nghttp2_hd_deflate_new(&deflater, table > HPACK_TABLE ? table : HPACK_TABLE), 0);
    hpack_init(&all, pool);
    hpack_init(&some, pool);
    if (table != HPACK_TABLE)
        assert_int_equal(nghttp2_hd_deflate_change_table_size(deflater, table), 0);
    hpack_allow(&all, table);
    hpack_allow(&some, table);
    for (int i = 0; i < 40; i++) {
        make_message(&m);
        write_message(&m, said, sizeof said);
        ssize_t size = nghttp2_hd_deflate_hd(deflater, block, sizeof block, m.nv, m.n);
        assert_true(size > 0);
        assert_int_equal(decode(&all, block, (size_t)size, &whole, &n_unknown), 0);
        assert_int_equal(n_unknown, 0);
        assert_string_equal(whole.text, said);
        if (i == 5 || i == 6) {
            hpack_lose(&some);
            continue;
        }
        assert_int_equal(decode(&some, block, (size_t)size, &part, &n_unknown), 0);
        assert_int_equal(part.n + n_unknown, m.n);
        assert_true(i < 5 ? n_unknown == 0 : is_part(part.text, said));
        *first += i >= 7 && i < 12 ? n_unknown : 0;
        *last += i >= 35 ? n_unknown : 0;
    }
    nghttp2_hd_deflate_del(deflater);
    hpack_fini(&all);
    hpack_fini(&some);
    assert_int_equal(all.used, 0);
    assert_int_equal(some.used, 0);
}

static void a_lost_decoder_tells_what_it_knows(void **state)
{
    (void)state;
    static const uint32_t tables[] = {HPACK_TABLE, 0, 100, 1000, 16384, HPACK_MAX_TABLE};
    struct hpack_pool *pool = hpack_pool_new(0);
    uint32_t first = 0, last = 0;
    for (uint32_t seed = 1; seed <= 60; seed++) {
        last = 0;
        talk(seed, tables[seed % 6], pool, &first, &last);
        assert_true(tables[seed % 6] > HPACK_TABLE || last == 0); /* all that was in the table has been told anew */
    }
    assert_true(first > 100);
    assert_true(counter(pool, "hpack_fields_unknown") > 100);
    assert_int_equal(counter(pool, "hpack_bad"), 0);
    assert_int_equal(counter(pool, "hpack_refused"), 0);
    hpack_pool_free(pool);
}

/* One byte names a value of 4 KiB, 60000 times: it is only pointed at. A value larger than a decoder may take is
 * refused, and so is a table larger than the cap, whatever SETTINGS said. */
static void bombs_cost_nothing(void **state)
{
    (void)state;
    static struct heard k;
    static uint8_t block[70000];
    struct hpack_pool *pool = hpack_pool_new(0);
    struct hpack h;
    uint32_t n_unknown;
    hpack_init(&h, pool);
    hpack_allow(&h, UINT32_MAX);
    assert_int_equal(h.max_table, HPACK_MAX_TABLE);
    memcpy(block, "\x40\x01x\x7f\xa1\x1e", 6); /* a value of 4000 bytes */
    memset(block + 6, 'a', 4000);
    memset(block + 4006, 0xbe, 60000);
    assert_int_equal(decode(&h, block, 64006, &k, &n_unknown), 0);
    assert_int_equal(k.n, 60001);
    assert_true(h.used < 32768);
    assert_int_equal(decode(&h, "\x3f\xe2\xff\x03", 4, &k, &n_unknown), E_BAD); /* 65537 */
    hpack_fini(&h);
    hpack_init(&h, pool);
    memcpy(block, "\x00\x01x\x7f\x82\xff\x03", 7); /* 65537 bytes: more than a string may have */
    memset(block + 7, 'a', 65537);
    assert_int_equal(decode(&h, block, 7 + 65537, &k, &n_unknown), E_BAD);
    memcpy(block, "\x00\x01x\xff\x81\xff\x03", 7); /* 65536 bytes, Huffman-coded: more memory than one piece has */
    memset(block + 7, 0, 65536);
    assert_int_equal(decode(&h, block, 7 + 65536, &k, &n_unknown), E_LIMIT);
    hpack_fini(&h);
    hpack_pool_free(pool);
}

/* When the memory of all is used up, that is told; whoever gives some back makes room. */
static void memory_has_an_end(void **state)
{
    (void)state;
    static struct heard k;
    static struct hpack many[4000];
    static const char block[] = "\x40\x05" "name-\x14" "01234567890123456789";
    struct hpack_pool *pool = hpack_pool_new(0);
    uint32_t n_unknown;
    int n, code = 0;
    for (n = 0; n < 4000 && !code; n++) {
        hpack_init(&many[n], pool);
        code = decode(&many[n], block, sizeof block - 1, &k, &n_unknown);
    }
    assert_int_equal(code, E_LIMIT);
    assert_true(n > 200);
    assert_int_equal(counter(pool, "hpack_refused"), 1);
    hpack_fini(&many[0]);
    assert_int_equal(decode(&many[n - 1], block, sizeof block - 1, &k, &n_unknown), 0);
    assert_string_equal(k.text, "name-=01234567890123456789\n");
    for (int i = 1; i < n; i++)
        hpack_fini(&many[i]);
    hpack_pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_examples_of_the_rfc),
        cmocka_unit_test(refuses_what_is_no_header_block),
        cmocka_unit_test(a_lost_decoder_tells_what_it_knows),
        cmocka_unit_test(bombs_cost_nothing),
        cmocka_unit_test(memory_has_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
