/* SPDX-License-Identifier: Apache-2.0
 * Header fields and URLs. The first byte picks the parser; what comes out has to lie within the input or the arena,
 * decoding must never grow past its bounds, and cleaned names must be clean. */
#include "base/assert.h"
#include "base/err.h"
#include "wire/auth.h"
#include "wire/base64.h"
#include "wire/content.h"
#include "wire/cookie.h"
#include "wire/disposition.h"
#include "wire/forwarded.h"
#include "wire/json_pointer.h"
#include "wire/param.h"
#include "wire/unicode.h"
#include "wire/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t memory[2048];

static bool is_within(struct span part, struct span whole)
{
    return !part.at || (part.at >= whole.at && part.at + part.size <= whole.at + whole.size);
}

static void check(struct span part, struct span input, const struct arena *a)
{
    ASSERT(is_within(part, input) || is_within(part, span_of(a->at, a->used)));
}

static void fuzz_url(struct span in, struct arena *a)
{
    struct url u;
    struct span name, value;
    url_split(in, &u);
    check(u.host, in, a);
    check(u.path, in, a);
    check(u.query, in, a);
    for (size_t n = 0; url_next_pair(&u.query, &name, &value); n++) {
        ASSERT(n <= in.size);
        size_t mark = arena_mark(a);
        struct span plain = url_decode(value, true, a);
        ASSERT(plain.size <= value.size && (!plain.at || url_decodes_to(value, true, plain)));
        arena_rewind(a, mark);
    }
    (void)url_last_segment(u.path);
    (void)url_arg(in, SPAN("token"), a, &value);
}

static void fuzz_cookie(struct span in, struct arena *a)
{
    struct span rest = in, name, value;
    struct cookie_set c;
    while (cookie_next(&rest, &name, &value)) {
        check(name, in, a);
        check(value, in, a);
    }
    if (cookie_set_parse(in, &c)) {
        ASSERT(c.name.size);
        check(c.value, in, a);
        check(c.path, in, a);
        (void)cookie_set_is_removal(&c, 1774000000);
    }
}

static void fuzz_forwarded(struct span in)
{
    struct forwarded_hop hops[FORWARDED_MAX];
    size_t half = in.size / 2, all;
    struct field list[2] = {{SPAN("Forwarded"), span_sub(in, 0, half)}, {SPAN("forwarded"), span_from(in, half)}};
    struct fields fields = {list, 2, 2, false};
    ASSERT(forwarded_hops(&fields, SPAN("Forwarded"), hops, FORWARDED_MAX, &all) <= all);
    list[0].name = list[1].name = SPAN("X-Forwarded-For");
    ASSERT(forwarded_hops(&fields, SPAN("X-Forwarded-For"), hops, 3, NULL) <= 3);
}

static void fuzz_disposition(struct span in, struct arena *a)
{
    struct disposition d;
    uint32_t code;
    disposition_parse(in, a, &d);
    check(d.name, in, a);
    check(d.filename, in, a);
    for (struct span rest = d.filename; rest.size;) {
        size_t n = unicode_get(rest, &code);
        ASSERT(n && code >= 0x20 && code != 0x7f && code != 0x202e);
        rest = span_from(rest, n);
    }
}

static void fuzz_content(struct span in, struct arena *a)
{
    struct content_type t;
    struct content_range r;
    struct content_wanted w;
    ASSERT(content_type_parse(in, &t) == (t.media_size > 0));
    ASSERT(t.media_size == strlen(t.media));
    check(t.boundary, in, a);
    if (content_range_parse(in, &r) == E_OK && r.has_range)
        ASSERT(r.first <= r.last && (!r.has_total || r.last < r.total));
    if (content_wanted_parse(in, &w) == E_OK)
        ASSERT(w.n > 0);
}

static void fuzz_auth(struct span in, struct arena *a)
{
    struct auth auth;
    struct span out;
    if (!auth_split(in, &auth))
        return;
    check(auth.credentials, in, a);
    if (auth_basic_user(auth.credentials, a, &out) == E_OK)
        ASSERT(out.size && out.size <= 256 && span_find_byte(out, ':', 0) == SIZE_MAX);
    if (auth_digest_user(auth.credentials, a, &out) == E_OK)
        ASSERT(out.size);
    if (auth_jwt_claims(auth.credentials, a, &out) == E_OK)
        ASSERT(out.at[0] == '{');
}

/* What decodes has the size that is counted, however it is sliced. */
static void fuzz_base64(struct span in)
{
    static uint8_t out[65536];
    struct base64_count whole = {0}, sliced = {0};
    size_t size, step = in.size ? in.at[0] % 7 + 1 : 1;
    bool is_exact, is_exact_too;
    in = span_from(in, 1);
    base64_count_feed(&whole, in);
    for (size_t at = 0; at < in.size; at += step)
        base64_count_feed(&sliced, span_sub(in, at, step));
    uint64_t counted = base64_count_size(&whole, &is_exact);
    ASSERT(counted == base64_count_size(&sliced, &is_exact_too) && is_exact == is_exact_too);
    int result = base64_decode(in, out, sizeof out, &size);
    if (result == E_OK && is_exact)
        ASSERT(size == counted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    struct json_pointer pointer;
    if (size == 0)
        return 0;
    struct span in = span_of(data + 1, size - 1);
    arena_init(&a, memory, data[0] & 0x80 ? 64 : sizeof memory);
    switch (data[0] & 0x0f) {
    case 0: fuzz_url(in, &a); break;
    case 1: fuzz_cookie(in, &a); break;
    case 2: fuzz_forwarded(in); break;
    case 3: fuzz_disposition(in, &a); break;
    case 4: fuzz_content(in, &a); break;
    case 5: fuzz_auth(in, &a); break;
    case 6: fuzz_base64(in); break;
    default: (void)json_pointer_compile(in, JSON_SCAN_TEXT, &pointer, NULL); break;
    }
    ASSERT(a.used <= a.size);
    return 0;
}
