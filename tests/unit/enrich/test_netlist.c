/* SPDX-License-Identifier: Apache-2.0
 * Named prefix lists: longest match over both families, replacement, files and their errors, and a comparison with a
 * plain search over many generated prefixes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/err.h"
#include "enrich/netlist.h"
#include "support/savefile.h"

static char scratch[64];

static int make_scratch(void **state)
{
    (void)state;
    scratch_make(scratch);
    return 0;
}

static int remove_scratch(void **state)
{
    (void)state;
    scratch_remove(scratch);
    return 0;
}

static void add(struct netlist *l, const char *text, const char *name, uint8_t class)
{
    struct prefix prefix;
    assert_true(prefix_parse(span_text(text), &prefix));
    assert_int_equal(netlist_add(l, &prefix, span_text(name), class), E_OK);
}

static void expect(struct netlist *l, const char *text, const char *name, uint8_t class)
{
    struct ipaddr ip;
    struct netlist_hit hit;
    assert_true(ipaddr_parse(span_text(text), &ip));
    assert_int_equal(netlist_find(l, &ip, &hit), name != NULL);
    if (!name)
        return;
    assert_true(span_eq(hit.name, span_text(name)));
    assert_int_equal(hit.class, class);
}

static void test_longest(void **state)
{
    (void)state;
    struct netlist *l = netlist_new();
    expect(l, "10.0.0.1", NULL, 0);
    add(l, "10.0.0.0/8", "ten", 1);
    add(l, "10.1.2.3", "host", 2);
    add(l, "10.1.0.0/16", "branch", 3);
    add(l, "2001:db8::/32", "six", 4);
    add(l, "2001:db8:1::/48", "six-one", 5);
    add(l, "192.0.2.0/24", "doc", 6);
    expect(l, "10.1.2.3", "host", 2);
    expect(l, "10.1.2.4", "branch", 3);
    expect(l, "10.1.2.2", "branch", 3);
    expect(l, "10.2.0.0", "ten", 1);
    expect(l, "10.255.255.255", "ten", 1);
    expect(l, "9.255.255.255", NULL, 0);
    expect(l, "11.0.0.0", NULL, 0);
    expect(l, "2001:db8:1:ffff::1", "six-one", 5);
    expect(l, "2001:db8:2::", "six", 4);
    expect(l, "2001:db9::", NULL, 0);
    expect(l, "::", NULL, 0);
    add(l, "10.1.0.0/16", "moved", 7); /* the later word counts, also after a look-up */
    expect(l, "10.1.2.4", "moved", 7);
    expect(l, "10.1.2.3", "host", 2);
    add(l, "::/0", "all", 8);
    expect(l, "11.0.0.0", "all", 8);
    expect(l, "10.2.0.0", "ten", 1);
    netlist_free(l);
}

/* A small generator, so that the test is the same each time. */
static uint32_t draw(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(*seed >> 33);
}

static void test_against_plain_search(void **state)
{
    (void)state;
    enum { N = 400 };
    static struct prefix prefixes[N];
    uint64_t seed = 7;
    struct netlist *l = netlist_new();
    for (size_t i = 0; i < N; i++) {
        uint8_t bytes[4] = {10, (uint8_t)(draw(&seed) % 3), (uint8_t)(draw(&seed) % 4), (uint8_t)draw(&seed)};
        struct ipaddr ip = ipaddr_from4(bytes);
        prefixes[i] = ipaddr_prefix(&ip, 8 + draw(&seed) % 25, 128);
        char name[12] = {(char)('a' + i % 26), (char)('a' + i / 26), 0};
        assert_int_equal(netlist_add(l, &prefixes[i], span_text(name), (uint8_t)(i % 5)), E_OK);
    }
    for (size_t turn = 0; turn < 20000; turn++) {
        uint8_t bytes[4] = {(uint8_t)(9 + draw(&seed) % 3), (uint8_t)(draw(&seed) % 3), (uint8_t)(draw(&seed) % 4),
                            (uint8_t)draw(&seed)};
        struct ipaddr ip = ipaddr_from4(bytes);
        size_t best = N;
        for (size_t i = 0; i < N; i++)
            if (prefix_has(&prefixes[i], &ip) && (best == N || prefixes[i].bits >= prefixes[best].bits))
                best = i;
        struct netlist_hit hit;
        assert_int_equal(netlist_find(l, &ip, &hit), best < N);
        if (best == N)
            continue;
        assert_int_equal(hit.name.at[0], 'a' + best % 26);
        assert_int_equal(hit.name.at[1], 'a' + best / 26);
    }
    netlist_free(l);
}

static void test_file(void **state)
{
    (void)state;
    struct netlist *l = netlist_new();
    struct text why = {0};
    char path[512];
    scratch_write(scratch, "vpn.exits.txt", SPAN("# exits\n\n198.51.100.0/24 office of ours # here\r\n\t203.0.113.7\n::1/128"),
                  path);
    assert_int_equal(netlist_add_file(l, path, 3, &why), E_OK);
    assert_int_equal(netlist_size(l), 3);
    expect(l, "198.51.100.9", "office of ours", 3);
    expect(l, "203.0.113.7", "vpn", 3);
    expect(l, "::1", "vpn", 3);
    static const struct {
        struct span content;
        const char *reason;
    } cases[] = {
        {SPAN("10.0.0.0/8 x\n  10.0.0/8 y\n"), "bad.txt:2:3: expected an address or prefix such as 198.51.100.0/24, found '10.0.0/8'"},
        {SPAN("\x7f""ELF\1"), "bad.txt:1:1: expected an address or prefix such as 198.51.100.0/24, found '?ELF?'"},
        {SPAN("10.0.0.0/33"), "found '10.0.0.0/33'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(netlist_add_file(l, scratch_write(scratch, "bad.txt", cases[i].content, path), 1, &why), E_CONF);
        assert_non_null(strstr(text_str(&why), cases[i].reason));
        assert_int_equal(netlist_size(l), 3);
        text_clear(&why);
    }
    struct text line = {0};
    while (line.size < 3000)
        text_add_str(&line, "# long ");
    assert_int_equal(netlist_add_file(l, scratch_write(scratch, "bad.txt", text_span(&line), path), 1, &why), E_CONF);
    assert_non_null(strstr(text_str(&why), "bad.txt:1: line is longer than"));
    text_clear(&why);
    assert_int_equal(netlist_add_file(l, "/nonexistent/list", 1, &why), E_IO);
    assert_string_equal(text_str(&why), "/nonexistent/list: No such file or directory");
    text_fini(&why);
    text_fini(&line);
    netlist_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_longest),
        cmocka_unit_test(test_against_plain_search),
        cmocka_unit_test(test_file),
    };
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
