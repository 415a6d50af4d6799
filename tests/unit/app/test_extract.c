/* SPDX-License-Identifier: Apache-2.0
 * Values out of bodies: texts between markers in any slicing, encodings, and what is never kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
/* cmocka needs the above */
#include <cmocka.h>

#include "app/extract.h"
#include "app/extract_text.h"

struct hits {
    char text[512];
};

static void on_hit(void *ctx, const struct finder *f, struct span value, uint64_t offset)
{
    struct hits *h = ctx;
    size_t used = strlen(h->text);
    (void)f;
    snprintf(h->text + used, sizeof h->text - used, "[%.*s@%u]", (int)value.size, (const char *)value.at, (unsigned)offset);
}

#define MARK(literal) SPAN(literal)

static const struct {
    const char *name, *body, *hits;
    struct text_rule rule;
    bool is_each;
} finds[] = {
    {"one marker", "xx name=\"bob\" yy", "[bob@13]", {.after = {MARK("name=\"")}, .n_after = 1, .until = MARK("\"")}, false},
    {"first only", "a=1;a=2;", "[1@4]", {.after = {MARK("a=")}, .n_after = 1, .until = MARK(";")}, false},
    {"each", "a=1;a=2;a=3", "[1@4][2@8]", {.after = {MARK("a=")}, .n_after = 1, .until = MARK(";")}, true},
    {"chain", "N=no User{ N=yes;", "[yes@17]", {.after = {MARK("User{"), MARK("N=")}, .n_after = 2, .until = MARK(";")}, false},
    {"stopped", "User{} N=no;", "", {.after = {MARK("User{"), MARK("N=")}, .n_after = 2, .until = MARK(";"), .stop = MARK("}")}, false},
    {"stop comes later", "User{N=y;}", "[y@9]", {.after = {MARK("User{"), MARK("N=")}, .n_after = 2, .until = MARK(";"), .stop = MARK("}")}, false},
    {"beyond", "0123456789a=1;", "", {.after = {MARK("a=")}, .n_after = 1, .until = MARK(";"), .within = 12}, false},
    {"within", "0123456789a=1;", "[1@14]", {.after = {MARK("a=")}, .n_after = 1, .until = MARK(";"), .within = 14}, false},
    {"presence", "abcabcd", "[@7]", {.after = {MARK("abcd")}, .n_after = 1}, false},
    {"absence", "abcabc", "", {.after = {MARK("abcd")}, .n_after = 1}, false},
    {"from the start", "RT/5 200 Ok\n\nrest", "[RT/5 200 Ok@12]", {.until = MARK("\n")}, false},
    {"nested starts", "aaab=1;", "[1@7]", {.after = {MARK("aab=")}, .n_after = 1, .until = MARK(";")}, false},
    {"long until", "v=x--!--y--!!", "[x--!--y@13]", {.after = {MARK("v=")}, .n_after = 1, .until = MARK("--!!")}, false},
};

static void finds_texts_in_slices(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof finds / sizeof finds[0]; i++)
        for (size_t step = 1; step < 20; step++) {
            struct finder f;
            struct hits h = {""};
            struct span body = span_text(finds[i].body);
            finder_init(&f, &finds[i].rule, 0, finds[i].is_each);
            for (size_t at = 0; at < body.size; at += step)
                finder_feed(&f, span_sub(body, at, step), on_hit, &h);
            if (strcmp(h.text, finds[i].hits) != 0)
                fail_msg("%s in slices of %zu: %s, wants %s", finds[i].name, step, h.text, finds[i].hits);
        }
}

static void gives_up_at_gaps_and_long_values(void **state)
{
    struct text_rule rule = {.after = {MARK("a=")}, .n_after = 1, .until = MARK(";")};
    struct finder f;
    struct hits h = {""};
    char long_value[1000];
    (void)state;
    finder_init(&f, &rule, 0, false);
    finder_feed(&f, SPAN("a=12"), on_hit, &h);
    finder_gap(&f, 3);
    finder_feed(&f, SPAN("34;"), on_hit, &h);
    assert_string_equal(h.text, "");
    finder_init(&f, &rule, 0, true);
    finder_feed(&f, SPAN("a"), on_hit, &h);
    finder_gap(&f, 1);
    finder_feed(&f, SPAN("=1;a=2;"), on_hit, &h);
    assert_string_equal(h.text, "[2@9]");
    memset(long_value, 'x', sizeof long_value);
    h.text[0] = 0;
    finder_init(&f, &rule, 0, true);
    finder_feed(&f, SPAN("a="), on_hit, &h);
    finder_feed(&f, span_of(long_value, sizeof long_value), on_hit, &h);
    finder_feed(&f, SPAN(";a=9;"), on_hit, &h);
    assert_string_equal(h.text, "[9@1007]");
}

static void decodes(void **state)
{
    static const struct {
        enum decode how;
        const char *raw, *plain;
    } rows[] = {
        {DECODE_NONE, "a%20&amp;\\n", "a%20&amp;\\n"},
        {DECODE_HTML, "Estrada &amp; Sons &lt;x&gt; &#39;&#x41;&#228; &bogus; &", "Estrada & Sons <x> 'A\xc3\xa4 &bogus; &"},
        {DECODE_HTML, "&#xffffffff;", "&#xffffffff;"},
        {DECODE_HTML, "&#xd800;", "\xef\xbf\xbd"},
        {DECODE_JSON, "a\\\"b\\\\c\\/d\\n\\u00e4\\ud83d\\ude00\\q", "a\"b\\c/d\n\xc3\xa4\xf0\x9f\x98\x80\\q"},
        {DECODE_JSON, "\\u12", "\\u12"},
        {DECODE_URL, "a%20b%2Fc%zz%", "a b/c%zz%"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t out[128];
        size_t n = extract_decode(rows[i].how, span_text(rows[i].raw), out, sizeof out);
        if (!span_eq(span_of(out, n), span_text(rows[i].plain)))
            fail_msg("%s: %.*s", rows[i].raw, (int)n, (const char *)out);
    }
    uint8_t out[4];
    assert_int_equal(extract_decode(DECODE_NONE, SPAN("12345"), out, sizeof out), 0); /* rather nothing than half */
}

static const char profile_text[] = "profile: t\n"
                                   "status: verified\n"
                                   "routes:\n"
                                   "  - route: r\n"
                                   "    method: POST\n"
                                   "    path: /r\n"
                                   "    action: login\n"
                                   "    when: [{form: pass}]\n"
                                   "    user: [{form: user}, {request_json: /user}]\n"
                                   "    file: {upload: f}\n"
                                   "    customer: {text: {after: [c=], until: ;}}\n"
                                   "    case: {json: /case}\n"
                                   "    token: [{json: /token}, {json: /access_token}]\n";

struct bench {
    struct profiles *profiles;
    const struct profile *profile;
    struct extractor *extractor;
    struct extract x;
};

static void bench_init(struct bench *b)
{
    struct text why = {0};
    memset(b, 0, sizeof *b);
    assert_int_equal(profiles_parse("t.yaml", span_text(profile_text), &b->profiles, &why), 0);
    b->profile = b->profiles->list[1];
    b->extractor = extractor_new(2);
    assert_non_null(b->extractor);
}

static void bench_fini(struct bench *b)
{
    extract_fini(b->extractor, &b->x);
    extractor_free(b->extractor);
    profiles_free(b->profiles);
}

/* The slot a field of the only route reads first (or second). */
static unsigned slot_of(const struct bench *b, enum route_field field, uint8_t which)
{
    return (unsigned)b->profile->routes[0].fields[field].list[which].slot;
}

static void request(struct bench *b, const char *type, struct span body, size_t step)
{
    struct body_tap tap = {0};
    extract_fini(b->extractor, &b->x);
    memset(&b->x, 0, sizeof b->x);
    extract_request(b->extractor, &b->x, b->profile, b->profile->routes[0].request_slots, span_text(type), &tap);
    for (size_t at = 0; tap.feed && at < body.size; at += step)
        tap.feed(tap.ctx, span_sub(body, at, step));
    extract_request_end(b->extractor, &b->x);
}

static void assert_value(const struct bench *b, unsigned slot, const char *want)
{
    struct span got = extract_value(&b->x, slot);
    if (!want ? got.at != NULL : !span_eq(got, span_text(want)))
        fail_msg("'%.*s', wants '%s'", (int)got.size, (const char *)got.at, want ? want : "nothing");
}

static void reads_requests(void **state)
{
    struct bench b;
    (void)state;
    bench_init(&b);
    unsigned user = slot_of(&b, FIELD_USER, 0), json = slot_of(&b, FIELD_USER, 1), file = slot_of(&b, FIELD_FILE, 0);
    unsigned pass = (unsigned)b.profile->routes[0].tests[0].source.slot;
    for (size_t step = 1; step < 64; step += 5) {
        request(&b, "application/x-www-form-urlencoded", SPAN("x=1&user=a%2Bb+c&pass=sekrit&user=other"), step);
        assert_value(&b, user, "a+b c");
        assert_value(&b, pass, NULL);
        assert_int_equal(extract_found(&b.x, pass)->number, 6);
        assert_true(span_find(span_of(&b.x, sizeof b.x), SPAN("sekrit"), 0) == SIZE_MAX);
        request(&b, "application/json; charset=utf-8", SPAN("{\"user\":\"bob\",\"x\":1}"), step);
        assert_value(&b, json, "bob");
        assert_value(&b, user, NULL);
        request(&b, "multipart/form-data; boundary=\"X\"",
                SPAN("--X\r\nContent-Disposition: form-data; name=\"user\"\r\n\r\ncarl\r\n--X\r\nContent-Disposition: form-data; "
                     "name=\"f\"; filename=\"a.bin\"\r\n\r\n12345\r\n--X--\r\n"), step);
        assert_value(&b, user, "carl");
        assert_value(&b, file, "a.bin");
        assert_int_equal(extract_found(&b.x, file)->number, 5);
        request(&b, "text/plain", SPAN("user=x"), step);
        assert_value(&b, user, NULL);
    }
    bench_fini(&b);
}

/* A form of any size is read up to its cap; the pools run dry without harm. */
static void holds_its_bounds(void **state)
{
    struct bench b;
    struct extract more[2];
    struct body_tap tap;
    static uint8_t big[2 * EXTRACT_FORM];
    (void)state;
    bench_init(&b);
    memset(big, 'a', sizeof big);
    memcpy(big, "user=eve&pad=", 13);
    memcpy(big + sizeof big - 10, "&pass=1234", 10);
    request(&b, "application/x-www-form-urlencoded", span_of(big, sizeof big), 4096);
    assert_value(&b, slot_of(&b, FIELD_USER, 0), "eve");
    assert_false(extract_found(&b.x, (unsigned)b.profile->routes[0].tests[0].source.slot)->is_there);
    memcpy(big, "user=&user=", 11);
    request(&b, "application/x-www-form-urlencoded", span_of(big, 5000), 4096);
    assert_value(&b, slot_of(&b, FIELD_USER, 0), NULL);
    memset(more, 0, sizeof more);
    memset(&b.x, 0, sizeof b.x);
    uint64_t slots = b.profile->routes[0].request_slots;
    struct extract *all[] = {&more[0], &more[1], &b.x};
    for (int i = 0; i < 3; i++) {
        tap = (struct body_tap){0};
        extract_request(b.extractor, all[i], b.profile, slots, SPAN("application/json"), &tap);
        assert_int_equal(tap.feed != NULL, i < 2);
    }
    extract_fini(b.extractor, &more[0]);
    extract_fini(b.extractor, &more[1]);
    bench_fini(&b);
}

static void survives_feeding_after_the_end(void **state)
{
    struct bench b;
    struct body_tap tap = {0};
    (void)state;
    bench_init(&b);
    extract_request(b.extractor, &b.x, b.profile, b.profile->routes[0].request_slots, SPAN("application/json"), &tap);
    assert_non_null(tap.feed);
    extract_request_end(b.extractor, &b.x);
    tap.feed(tap.ctx, SPAN("{\"user\":\"late\"}"));
    tap.gap(tap.ctx, 5);
    assert_value(&b, slot_of(&b, FIELD_USER, 1), NULL);
    bench_fini(&b);
}

static void reads_answers(void **state)
{
    struct bench b;
    struct body_tap tap = {0};
    (void)state;
    bench_init(&b);
    const struct route *r = &b.profile->routes[0];
    extract_response(b.extractor, &b.x, b.profile, r, r->response_slots, SPAN("application/json"), &tap);
    assert_non_null(tap.feed);
    tap.feed(tap.ctx, SPAN("{\"n\":\"c=Helix;\",\"ca"));
    tap.feed(tap.ctx, SPAN("se\":17}"));
    extract_response_end(&b.x);
    extract_response_end(&b.x);
    assert_value(&b, slot_of(&b, FIELD_CASE, 0), "17");
    assert_value(&b, slot_of(&b, FIELD_CUSTOMER, 0), "Helix");
    bench_fini(&b);
}

static const uint8_t *answer(struct bench *b, const char *name, size_t size, size_t step, size_t gap_at)
{
    static uint8_t body[3 * JSON_SCAN_LONG_MAX];
    struct body_tap tap = {0};
    const struct route *r = &b->profile->routes[0];
    int head = snprintf((char *)body, sizeof body, "{\"case\":17,\"%s\":\"", name);
    memset(body + head, 't', size);
    int tail = snprintf((char *)body + head + size, sizeof body - (size_t)head - size, "\",\"token\":\"later\",\"x\":1}");
    extract_fini(b->extractor, &b->x);
    memset(&b->x, 0, sizeof b->x);
    extract_response(b->extractor, &b->x, b->profile, r, r->response_slots, SPAN("application/json"), &tap);
    assert_non_null(tap.feed);
    for (size_t at = 0, all = (size_t)head + size + (size_t)tail; at < all; at += step)
        if (at / step == gap_at)
            tap.gap(tap.ctx, step);
        else
            tap.feed(tap.ctx, span_of(body + at, all - at < step ? all - at : step));
    extract_response_end(&b->x);
    return body + head;
}

/* A token is told whole, of any length tokens have, or not at all; of several the first of the text. */
static void reads_tokens(void **state)
{
    static const size_t sizes[] = {1, 256, 257, 1100, JSON_SCAN_LONG_MAX, JSON_SCAN_LONG_MAX + 1};
    struct bench b;
    (void)state;
    bench_init(&b);
    unsigned first = slot_of(&b, FIELD_TOKEN, 0), second = slot_of(&b, FIELD_TOKEN, 1);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        for (size_t step = 1; step < 5000; step = 3 * step + 1) {
            const uint8_t *token = answer(&b, "access_token", sizes[i], step, SIZE_MAX);
            struct span got = extract_value(&b.x, second);
            bool fits = sizes[i] <= JSON_SCAN_LONG_MAX;
            assert_int_equal(got.size, fits ? sizes[i] : 0);
            assert_true(!fits || span_eq(got, span_of(token, sizes[i])));
            assert_null(extract_value(&b.x, first).at);
            assert_value(&b, slot_of(&b, FIELD_CASE, 0), "17");
        }
    answer(&b, "token", 1100, 100, SIZE_MAX);
    assert_int_equal(extract_value(&b.x, first).size, 1100);
    answer(&b, "access_token", 1100, 100, 5);
    assert_null(extract_value(&b.x, second).at);
    assert_null(extract_value(&b.x, first).at);
    bench_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_texts_in_slices),
        cmocka_unit_test(gives_up_at_gaps_and_long_values),
        cmocka_unit_test(decodes),
        cmocka_unit_test(reads_requests),
        cmocka_unit_test(holds_its_bounds),
        cmocka_unit_test(survives_feeding_after_the_end),
        cmocka_unit_test(reads_answers),
        cmocka_unit_test(reads_tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
