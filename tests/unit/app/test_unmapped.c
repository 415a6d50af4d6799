/* SPDX-License-Identifier: Apache-2.0
 * Templates of requests no route takes, and the table that counts them. */
#include "app/fold.h"
#include "app/unmapped.h"

#include "base/hash.h"
#include "wire/url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka wants those above first */
#include <cmocka.h>

static void target_fold(const char *target, struct folded *out)
{
    uint8_t memory[4096];
    struct arena arena;
    struct path path;
    struct url url;
    arena_init(&arena, memory, sizeof memory);
    url_split(span_text(target), &url);
    path_split(url.path, &arena, &path);
    path.first = 0;
    fold_target(&path, url.query, out);
}

static void folds_what_differs(void **state)
{
    (void)state;
    static const struct {
        const char *target, *template;
    } rows[] = {
        {"/", "/"},
        {"/api/v2/tickets/4711/x/6f1ed002ab5595859014ebf0951522d9", "/api/v2/tickets/{n}/x/{id}"},
        {"/api/v2/tickets/4711.json", "/api/v2/tickets/{n}.json"},
        {"/REST/2.0/ticket/7/", "/REST/2.0/ticket/{n}/"},
        {"/browse/ACME-1234", "/browse/ACME-{n}"},
        {"/a/550e8400-e29b-41d4-a716-446655440000/b", "/a/{id}/b"},
        {"/a/deadbeef", "/a/deadbeef"},
        {"/a/deadbeef01", "/a/{id}"},
        {"/log/2026-03-20/2026-03/app", "/log/{date}/{date}/app"},
        {"/files/core-dump-20260320-host17.tar.gz", "/files/{file}.gz"},
        {"/files/acme%20secrets.har", "/files/{file}.har"},
        {"/files/4711.har", "/files/{n}.har"},
        {"/scp/tickets.php?id=5&a=print", "/scp/tickets.php?id&a=print"},
        {"/otrs/index.pl?Action=AgentTicketZoom;TicketID=5", "/otrs/index.pl?Action=AgentTicketZoom&TicketID"},
        {"/x?_=1700000000&0f3b9c52d8e7=1&password=hunter&q", "/x?{name}&{name}&password&q"},
        {"/x?do=hunter2", "/x?do"},
        {"/issues.csv", "/issues.csv"},
        {"/Acme-Quarterly.csv", "/{file}.csv"},
        {"/users/ann@example.com/files", "/users/{mail}/files"},
        {"/attachments/token/hk2mP9sXw/", "/attachments/token/{secret}/"},
        {"/t/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "/t/{secret}"},
        {"/caf\xc3\xa9/x", "/{text}/x"},
        {"/a/{b}", "/a/{text}"},
        {"/a/how-to-configure-the-second-factor-on-windows", "/a/{text}"},
        {"/1/2/3/4/5/6/7/8/9/10/11/12/13/14", "/{n}/{n}/{n}/{n}/{n}/{n}/{n}/{n}/{n}/{n}/{n}/**"},
        {"/a/b/c/d?x=1&y=2&z=3&v=4&w=5&u=6", "/a/b/c/d?x&y&z&v&w"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct folded f;
        char text[FOLD_TEXT];
        target_fold(rows[i].target, &f);
        text[fold_write(&f, text)] = 0;
        assert_string_equal(text, rows[i].template);
    }
}

static void any_bytes(void **state)
{
    (void)state;
    uint64_t seed = 88172645463325252ULL;
    for (int i = 0; i < 20000; i++) {
        char target[400], text[FOLD_TEXT];
        struct folded f;
        size_t size = i % (sizeof target - 2);
        target[0] = '/';
        for (size_t k = 1; k <= size; k++) {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            target[k] = "/?&;=.%-_{}aZ09\xff\x01*~@"[seed % 20];
        }
        target[size + 1] = 0;
        target_fold(target, &f);
        assert_true(fold_write(&f, text) < sizeof text);
    }
}

struct rig {
    struct unmapped *u;
    uint64_t now;
};

static void ask(struct rig *r, const char *target, uint64_t credential, bool is_file, bool is_refused)
{
    uint8_t memory[4096];
    struct arena arena;
    struct path path;
    struct url url;
    arena_init(&arena, memory, sizeof memory);
    url_split(span_text(target), &url);
    path_split(url.path, &arena, &path);
    path.first = 0;
    unmapped_count(r->u, &(struct unmapped_use){.profile = SPAN("generic"), .host = SPAN("Desk.example"), .method = SPAN("GET"),
                                                .path = &path, .query = url.query, .time_ns = ++r->now, .bytes = 10,
                                                .credential = credential, .is_file = is_file, .is_refused = is_refused});
}

static void assert_rows(const struct rig *r, const char *expected)
{
    struct text out = {0};
    size_t n;
    struct unmapped_row *rows = unmapped_rows(r->u, &n);
    for (size_t i = 0; i < n; i++)
        text_addf(&out, "%s%s n=%llu -%llu f=%llu b=%llu c=%llu %llu-%llu", i ? "; " : "", rows[i].template,
                  (unsigned long long)rows[i].requests, (unsigned long long)rows[i].refused, (unsigned long long)rows[i].files,
                  (unsigned long long)rows[i].bytes, (unsigned long long)rows[i].credentials,
                  (unsigned long long)rows[i].first_ns, (unsigned long long)rows[i].last_ns);
    assert_string_equal(text_str(&out), expected);
    text_fini(&out);
    free(rows);
}

static void counts(void **state)
{
    (void)state;
    struct rig r = {unmapped_new(16), 0};
    assert_rows(&r, "");
    ask(&r, "/f/1/a.har", 11, true, false);
    ask(&r, "/f/2/b.har", 22, true, false);
    ask(&r, "/f/2/b.har", 22, true, true);
    ask(&r, "/page", 0, false, false);
    ask(&r, "/nothing", 5, false, true);
    ask(&r, "/wp-admin", 5, false, true);
    assert_rows(&r, "/f/{n}/{file}.har n=3 -1 f=3 b=30 c=2 1-3; /** n=2 -2 f=0 b=20 c=1 5-6; /page n=1 -0 f=0 b=10 c=0 4-4");
    unmapped_free(r.u);
}

/* A place that takes too many words stands for any, and what was counted apart becomes one. */
static void folds_deeper(void **state)
{
    (void)state;
    struct rig r = {unmapped_new(256), 0};
    char target[64];
    for (int i = 0; i < 40; i++) {
        snprintf(target, sizeof target, "/u/%c%c/files?view=%c", 'a' + i / 26, 'a' + i % 26, 'a' + i % 2);
        ask(&r, target, 1, i == 0, false);
        ask(&r, target, 2, false, false);
    }
    assert_rows(&r, "/u/{text}/files?view=a n=40 -0 f=1 b=400 c=2 1-78; /u/{text}/files?view=b n=40 -0 f=0 b=400 c=2 3-80");
    assert_int_equal(unmapped_counters(r.u).values[2], 1);
    unmapped_free(r.u);
}

/* However many there are, the table is bounded, what brings files stays, and evictions are counted. */
static void is_bounded(void **state)
{
    (void)state;
    struct rig r = {unmapped_new(8), 0};
    char target[64];
    ask(&r, "/the/file", 1, true, false);
    for (int i = 0; i < 30; i++) {
        snprintf(target, sizeof target, "/%c/%c/x", 'a' + i % 6, 'a' + i / 6);
        ask(&r, target, 1, false, false);
    }
    size_t n;
    struct unmapped_row *rows = unmapped_rows(r.u, &n);
    assert_int_equal(n, 8);
    assert_string_equal(rows[0].template, "/the/file");
    assert_string_equal(rows[0].host, "desk.example");
    assert_int_equal(unmapped_counters(r.u).values[0], 31);
    assert_int_equal(unmapped_counters(r.u).values[1], 23);
    free(rows);
    unmapped_free(r.u);
}

static void estimates_many_credentials(void **state)
{
    (void)state;
    struct rig r = {unmapped_new(8), 0};
    for (uint64_t i = 0; i < 300; i++) {
        uint64_t who = hash64(span_of(&i, sizeof i), 0);
        ask(&r, "/x", who, false, false);
        ask(&r, "/x", who, false, false);
    }
    size_t n;
    struct unmapped_row *rows = unmapped_rows(r.u, &n);
    assert_in_range(rows[0].credentials, 270, 330);
    free(rows);
    unmapped_free(r.u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folds_what_differs), cmocka_unit_test(any_bytes),   cmocka_unit_test(counts),
        cmocka_unit_test(folds_deeper),       cmocka_unit_test(is_bounded), cmocka_unit_test(estimates_many_credentials),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
