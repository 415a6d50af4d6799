/* SPDX-License-Identifier: Apache-2.0
 * Multipart bodies: exact sizes whatever the slices, boundaries that are none, lost bytes, what is kept and what is
 * not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"
#include "wire/multipart.h"

#define N(array) (sizeof(array) / sizeof *(array))

/* Parts as text: "name|filename|media|size|flags;" where flags are of F(ile) U(nsure) C(omplete) R(ange
 * first-last/total). */
struct told {
    char text[4096];
    unsigned begun, ended;
    uint64_t data;
};

static void on_begin(void *ctx, const struct multipart_part *part)
{
    struct told *t = ctx;
    t->begun++;
    assert_int_equal(t->begun, part->number);
    assert_int_equal(part->size, 0);
}

static void on_data(void *ctx, struct span bytes)
{
    ((struct told *)ctx)->data += bytes.size;
}

static void on_part(void *ctx, const struct multipart_part *p)
{
    struct told *t = ctx;
    if (!p->is_unsure && p->size < MULTIPART_HEAD_MAX)
        assert_int_equal(t->data, p->size); /* every byte of it was handed out, and no other */
    t->data = 0;
    size_t used = strlen(t->text);
    t->ended++;
    assert_int_equal(t->ended, t->begun);
    used +=
        (size_t)snprintf(t->text + used, sizeof t->text - used, "%.*s|%.*s|%s|%llu|%s%s%s", (int)p->name.size,
                         p->name.at ? (const char *)p->name.at : "", (int)p->filename.size,
                         p->filename.at ? (const char *)p->filename.at : "", p->type.media, (unsigned long long)p->size,
                         p->has_filename ? "F" : "", p->is_unsure ? "U" : "", p->is_complete ? "C" : "");
    if (p->range.has_range)
        used += (size_t)snprintf(t->text + used, sizeof t->text - used, "R%llu-%llu/%llu",
                                 (unsigned long long)p->range.first, (unsigned long long)p->range.last,
                                 (unsigned long long)p->range.total);
    snprintf(t->text + used, sizeof t->text - used, ";");
}

static void begin(struct multipart *m, struct told *t, const struct multipart_want *want, size_t n)
{
    struct multipart_hooks hooks = {t, on_begin, on_part, on_data};
    memset(t, 0, sizeof *t);
    assert_int_equal(multipart_init(m, SPAN("bnd"), want, n, &hooks), E_OK);
}

struct row {
    const char *body, *parts;
    bool is_done;
};

#define FILE_HEAD                                                                                                      \
    "Content-Disposition: form-data; name=\"Attach\"; filename=\"a.har\"\r\nContent-Type: Application/JSON\r\n\r\n"

static const struct row rows[] = {
    {"--bnd\r\nContent-Disposition: form-data; name=\"id\"\r\n\r\n12\r\n--bnd--\r\n", "id|||2|C;", true},
    {"--bnd\r\n" FILE_HEAD "hello\r\n--bnd--", "Attach|a.har|application/json|5|FC;", false},
    {"--bnd\r\n" FILE_HEAD "hello\r\n--bnd\r\ncontent-disposition: form-data; name=x\r\n\r\n\r\n--bnd--\r\n",
     "Attach|a.har|application/json|5|FC;x|||0|C;", true},
    /* line ends of the body belong to it, but for the last */
    {"--bnd\r\n" FILE_HEAD "\r\n\r\n\r\r\n\r\n--bnd--\r\n", "Attach|a.har|application/json|7|FC;", true},
    /* decoys */
    {"--bnd\r\n" FILE_HEAD "x\r\n--bn\r\n--bndx\r\n--bnd-\r\n--bnd--y\r\n --bnd\r\n--bnd \t z\r\n-bnd\r\n--bnd--\r\n",
     "Attach|a.har|application/json|58|FC;", true},
    {"--bnd\r\n" FILE_HEAD "\n--bnd\n--bnd--\n\r--bnd\r\n--bnd--\r\n", "Attach|a.har|application/json|21|FC;", true},
    {"--bnd\r\n" FILE_HEAD "\r\n--bnd\r\r\n--bnd--\r\n", "Attach|a.har|application/json|8|FC;", true},
    {"--bnd\r\n" FILE_HEAD "\r\n--b\r\n--bnd--\r\n", "Attach|a.har|application/json|5|FC;", true},
    {"--bnd\r\n" FILE_HEAD "--bn\r\n--bnd--\r\n", "Attach|a.har|application/json|4|FC;", true},
    /* white space behind a boundary is allowed */
    {"--bnd \t\r\n" FILE_HEAD "hello\r\n--bnd  \r\n\r\nq\r\n--bnd--  \r\n",
     "Attach|a.har|application/json|5|FC;|||1|C;", true},
    /* preamble and epilogue count for nothing */
    {"ignore me\r\n--bndx\r\n--bnd\r\n" FILE_HEAD "1\r\n--bnd--\r\nmore\r\n--bnd\r\n\r\nq\r\n--bnd",
     "Attach|a.har|application/json|1|FC;", true},
    {"\r\n--bnd\r\n\r\n1\r\n--bnd--\r\n", "|||1|C;", true},
    /* LF alone */
    {"--bnd\nContent-Disposition: form-data; name=f; filename=\"x\"\n\nab\r\n--bnd\n\ncd\n--bnd--\n",
     "f|x||3|FC;|||2|C;", true},
    {"pre\n--bnd\n\nab\n--bnd--\n", "|||2|C;", true},
    /* no head, no body, empty body that shares the empty line */
    {"--bnd\r\n\r\n\r\n--bnd\r\n\r\n--bnd--\r\n", "|||0|C;|||0|C;", true},
    /* folded, odd heads */
    {"--bnd\r\nX: 1\r\nContent-Disposition: form-data;\r\n name=\"Attach\";\r\n\tfilename=\"long name.txt\"\r\nbroken "
     "line\r\n\r\nq\r\n--bnd--\r\n",
     "Attach|long name.txt||1|FC;", true},
    {"--bnd\r\nContent-Disposition: form-data; name=\"f\"; filename=\"\"\r\nContent-Type: "
     "application/octet-stream\r\n\r\n\r\n--bnd--\r\n",
     "f||application/octet-stream|0|FC;", true},
    /* byteranges */
    {"--bnd\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-4/100\r\n\r\nhello\r\n--bnd\r\nContent-Type: "
     "text/plain\r\n"
     "Content-Range: bytes 90-91/100\r\n\r\nhi\r\n--bnd--\r\n",
     "||text/plain|5|CR0-4/100;||text/plain|2|CR90-91/100;", true},
    /* ended early: in a body, within a boundary, in a head */
    {"--bnd\r\n" FILE_HEAD "hello", "Attach|a.har|application/json|5|F;", false},
    {"--bnd\r\n" FILE_HEAD "hello\r\n--bn", "Attach|a.har|application/json|11|F;", false},
    {"--bnd\r\n" FILE_HEAD "hello\r\n--bnd", "Attach|a.har|application/json|5|FC;", false},
    {"--bnd\r\nContent-Dis", "", false},
    {"no boundary at all", "", false},
    {"", "", false},
};

static void test_parts(void **state)
{
    (void)state;
    for (size_t i = 0; i < N(rows); i++) {
        struct span body = span_text(rows[i].body);
        for (size_t slice = 1; slice <= body.size + 1; slice++) {
            struct multipart m;
            struct told t;
            begin(&m, &t, NULL, 0);
            for (size_t at = 0; at < body.size; at += slice)
                multipart_feed(&m, span_sub(body, at, slice));
            bool is_done = multipart_is_done(&m);
            multipart_end(&m);
            if (strcmp(t.text, rows[i].parts) != 0 || is_done != rows[i].is_done)
                fail_msg("row %zu in slices of %zu: %s, done %d", i, slice, t.text, is_done);
            assert_int_equal(multipart_count(&m), t.ended);
        }
    }
}

/* Any two cuts of each message give the same as the whole. */
static void test_cuts(void **state)
{
    (void)state;
    for (size_t i = 0; i < N(rows); i++) {
        struct span body = span_text(rows[i].body);
        for (size_t a = 0; a <= body.size; a++) {
            for (size_t b = a; b <= body.size; b += 3) {
                struct multipart m;
                struct told t;
                begin(&m, &t, NULL, 0);
                multipart_feed(&m, span_sub(body, 0, a));
                multipart_feed(&m, span_sub(body, a, b - a));
                multipart_feed(&m, span_from(body, b));
                multipart_end(&m);
                assert_string_equal(t.text, rows[i].parts);
            }
        }
    }
}

static void test_values(void **state)
{
    static const char head[] =
        "--bnd\r\nContent-Disposition: form-data; name=\"id\"\r\n\r\n46\r\n--bnd\r\n"
        "Content-Disposition: form-data; name=\"Pass1\"\r\n\r\nhunter2\r\n--bnd\r\n"
        "Content-Disposition: form-data; name=\"id\"\r\n\r\n47\r\n--bnd\r\n"
        "Content-Disposition: form-data; name=\"Attach\"; filename=\"x\"\r\n\r\nfile\r\n--bnd\r\n"
        "Content-Disposition: form-data; name=\"decoy\"\r\n\r\na\r\n--bnd \tb\r\n--bnd\r\n"
        "Content-Disposition: form-data; name=\"long\"\r\n\r\n";
    const struct multipart_want want[] = {{SPAN("id"), false},    {SPAN("Pass1"), true}, {SPAN("Attach"), false},
                                          {SPAN("decoy"), false}, {SPAN("long"), false}, {SPAN("absent"), false}};
    (void)state;
    for (size_t slice = 1; slice < 80; slice++) {
        struct multipart m;
        struct told t;
        begin(&m, &t, want, N(want));
        for (size_t at = 0; at < sizeof head - 1; at += slice)
            multipart_feed(&m, span_sub(SPAN(head), at, slice));
        for (int i = 0; i < 300; i++)
            multipart_feed(&m, SPAN("y"));
        multipart_feed(&m, SPAN("\r\n--bnd--\r\n"));
        multipart_end(&m);
        const struct multipart_value *v = m.values;
        assert_true(v[0].is_there && !v[0].is_cut && v[0].size == 2 && v[0].kept == 2);
        assert_memory_equal(v[0].bytes, "46", 2);
        assert_true(v[1].is_there && !v[1].is_cut && v[1].size == 7 && v[1].kept == 0);
        assert_null(memmem(m.values, sizeof m.values, "hunter2", 7));
        assert_false(v[2].is_there); /* a file is no value */
        assert_true(v[3].is_there && !v[3].is_cut && v[3].size == 11);
        assert_memory_equal(v[3].bytes, "a\r\n--bnd \tb", 11);
        assert_true(v[4].is_there && v[4].is_cut && v[4].size == 300 && v[4].kept == MULTIPART_VALUE_MAX);
        assert_false(v[5].is_there);
    }
}

static void test_gap(void **state)
{
    static const struct {
        const char *before;
        uint64_t bytes;
        const char *after, *parts;
    } cases[] = {
        {"--bnd\r\n" FILE_HEAD "hel", 1000, "lo\r\n--bnd--\r\n", "Attach|a.har|application/json|1005|FUC;"},
        {"--bnd\r\n" FILE_HEAD "hel\r\n--b", 10, "lo\r\n--bnd\r\n\r\nq\r\n--bnd--\r\n",
         "Attach|a.har|application/json|20|FUC;|||1|C;"},
        /* in a head: what is known of it counts */
        {"--bnd\r\nContent-Disposition: form-data; name=\"f\"; filename=\"g\"\r\nCont", 30, "body\r\n--bnd--\r\n",
         "f|g||34|FUC;"},
        /* behind a boundary: the next head is lost */
        {"--bnd\r\n\r\na\r\n--bnd", 100, "xx\r\n--bnd\r\n\r\nq\r\n--bnd--\r\n", "|||1|C;|||102|UC;|||1|C;"},
        {"--bnd\r\n\r\na\r\n--bnd--", 100, "--bnd\r\n\r\nq\r\n--bnd--\r\n", "|||1|C;"},
        /* before anything: the next boundary counts */
        {"", 5, "xx\r\n--bnd\r\n\r\nq\r\n--bnd--\r\n", "|||1|C;"},
        {"--bnd\r\n\r\na", 0, "b\r\n--bnd--\r\n", "|||2|C;"},
    };
    (void)state;
    for (size_t i = 0; i < N(cases); i++) {
        struct multipart m;
        struct told t;
        begin(&m, &t, NULL, 0);
        multipart_feed(&m, span_text(cases[i].before));
        multipart_gap(&m, cases[i].bytes);
        multipart_feed(&m, span_text(cases[i].after));
        multipart_end(&m);
        assert_string_equal(t.text, cases[i].parts);
        multipart_gap(&m, 7); /* after the end: nothing */
        assert_string_equal(t.text, cases[i].parts);
    }
    const struct multipart_want want = {SPAN("id"), false};
    struct multipart m;
    struct told t;
    begin(&m, &t, &want, 1);
    multipart_feed(&m, SPAN("--bnd\r\nContent-Disposition: form-data; name=\"id\"\r\n\r\n1"));
    multipart_gap(&m, 1);
    multipart_feed(&m, SPAN("3\r\n--bnd--\r\n"));
    assert_true(m.values[0].is_there && m.values[0].is_cut);
}

/* More than 4 GiB, in slices that put a decoy across each edge. */
static void test_large(void **state)
{
    enum { SLICE = 1 << 20, SLICES = 4200 };
    uint8_t *slice = malloc(SLICE);
    struct multipart m;
    struct told t;
    char want[128];
    (void)state;
    assert_non_null(slice);
    memset(slice, 'x', SLICE);
    memcpy(slice, "bn", 2);
    memcpy(slice + SLICE - 4, "\r\n--", 4);
    begin(&m, &t, NULL, 0);
    multipart_feed(&m, SPAN("--bnd\r\n" FILE_HEAD));
    for (int i = 0; i < SLICES; i++)
        multipart_feed(&m, span_of(slice, SLICE));
    multipart_feed(&m, SPAN("bnd--\r\n"));
    multipart_end(&m);
    snprintf(want, sizeof want, "Attach|a.har|application/json|%llu|FC;", (unsigned long long)SLICE * SLICES - 4);
    assert_string_equal(t.text, want);
    free(slice);
}

static void test_limits(void **state)
{
    struct multipart m;
    struct told t;
    char large[MULTIPART_BOUNDARY_MAX + 2] = "";
    const struct multipart_want want[MULTIPART_WANT_MAX + 1] = {{SPAN("a"), false}};
    (void)state;
    assert_int_equal(multipart_init(&m, SPAN(""), NULL, 0, NULL), E_BAD);
    multipart_feed(&m, SPAN("--\r\n\r\nx\r\n----\r\n")); /* harmless */
    multipart_end(&m);
    assert_int_equal(multipart_count(&m), 0);
    assert_int_equal(multipart_init(&m, SPAN("a\r\nb"), NULL, 0, NULL), E_BAD);
    memset(large, 'b', MULTIPART_BOUNDARY_MAX + 1);
    assert_int_equal(multipart_init(&m, span_text(large), NULL, 0, NULL), E_BAD);
    assert_int_equal(multipart_init(&m, SPAN("a"), want, N(want), NULL), E_LIMIT);
    /* parts beyond the cap are counted, not told */
    begin(&m, &t, NULL, 0);
    struct multipart_hooks none = {0};
    m.hooks = none;
    multipart_feed(&m, SPAN("--bnd\r\n"));
    for (int i = 0; i < MULTIPART_PARTS_MAX + 5; i++)
        multipart_feed(&m, SPAN("\r\nx\r\n--bnd\r\n"));
    assert_int_equal(multipart_count(&m), MULTIPART_PARTS_MAX + 5);
    /* a head over its cap is passed by, the part still counts */
    begin(&m, &t, NULL, 0);
    multipart_feed(&m, SPAN("--bnd\r\nContent-Disposition: form-data; name=f; filename=g\r\nX: "));
    for (int i = 0; i < 5000; i++)
        multipart_feed(&m, SPAN("y"));
    multipart_feed(&m, SPAN("\r\n\r\n12345\r\n--bnd--\r\n"));
    assert_string_equal(t.text, "f|g||5|FC;");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts), cmocka_unit_test(test_cuts),  cmocka_unit_test(test_values),
        cmocka_unit_test(test_gap),   cmocka_unit_test(test_large), cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
