/* SPDX-License-Identifier: Apache-2.0
 * Exchanges written as text, run through the hooks of app/ as a connection would: heads parsed, bodies fed in slices to
 * who asked for them. */
#ifndef TESTS_UNIT_APP_FAKE_H
#define TESTS_UNIT_APP_FAKE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka needs the above */
#include <cmocka.h>

#include "app/app.h"
#include "app/memory.h"

#define FAKE_FIELDS 40
#define FAKE_ACTS 16

struct fake {
    struct profiles *profiles;
    struct keyed *key;
    struct app *app;
    struct memory *memory; /* NULL: candidates as they come */
    size_t slice;          /* bytes of a body per call; 0 = all at once */
    uint32_t number;
    struct activity got[FAKE_ACTS];
    size_t n;
};

static inline void fake_emit(void *ctx, const struct activity *a)
{
    struct fake *f = ctx;
    assert_true(f->n < FAKE_ACTS);
    struct activity *to = &f->got[f->n++];
    memcpy(to, a, activity_size(a));
    if (f->memory)
        memory_settle(f->memory, to);
}

static inline void fake_init(struct fake *f, struct profiles *profiles)
{
    memset(f, 0, sizeof *f);
    f->profiles = profiles;
    f->key = keyed_new_default();
    f->app = app_new(&(struct app_options){.profiles = profiles, .key = f->key, .max_transactions = 64,
                                           .emit = fake_emit, .ctx = f});
    assert_non_null(f->app);
}

static inline void fake_fini(struct fake *f)
{
    app_free(f->app);
    memory_free(f->memory);
    keyed_free(f->key);
    profiles_free(f->profiles);
}

static inline struct profiles *fake_rules(void)
{
    struct profiles *p = NULL;
    struct text why = {0};
    int rc = profiles_load("rules/apps", &p, &why);
    if (rc)
        fail_msg("%s", text_str(&why));
    text_fini(&why);
    return p;
}

/* One line off the front, without its end. */
static inline struct span fake_line(struct span *rest)
{
    size_t end = span_find_byte(*rest, '\n', 0);
    struct span line = span_sub(*rest, 0, end);
    *rest = end == SIZE_MAX ? SPAN("") : span_from(*rest, end + 1);
    return line;
}

static inline void fake_fields(struct span *rest, struct fields *out)
{
    for (struct span line = fake_line(rest); line.size; line = fake_line(rest)) {
        size_t colon = span_find_byte(line, ':', 0);
        assert_true(fields_add(out, span_sub(line, 0, colon), span_trim(span_from(line, colon + 1))));
    }
}

static inline void fake_body(const struct fake *f, struct span body, struct body_measure *m, const struct body_tap *tap)
{
    m->known = SIZE_OBSERVED;
    size_t step = f->slice ? f->slice : body.size + 1;
    for (size_t at = 0; at < body.size; at += step) {
        struct span slice = span_sub(body, at, step);
        if (tap->feed)
            tap->feed(tap->ctx, slice);
        m->bytes += slice.size;
    }
    m->is_complete = true;
}

/* Lines end in "\n"; an empty line ends a head. "METHOD TARGET" and "STATUS" are the first lines. A NULL response: none
 * came. Without a Host field it is desk.example. */
static inline void fake_exchange(struct fake *f, const char *request, const char *response)
{
    struct field storage[2][FAKE_FIELDS];
    struct body_tap tap = {0};
    struct conn_hooks hooks = app_hooks(f->app);
    struct span q = span_text(request), first = fake_line(&q);
    size_t space = span_find_byte(first, ' ', 0);
    uint64_t now = 1000000000ull * (++f->number);
    struct transaction t = {.flow_hash = 7, .number = f->number, .request_ns = now, .request_end_ns = now + 1,
                            .end_ns = now + 1, .version_major = 1, .version_minor = 1};
    t.request_fields = (struct fields){storage[0], 0, FAKE_FIELDS, false};
    t.response_fields = (struct fields){storage[1], 0, FAKE_FIELDS, false};
    ipaddr_parse(SPAN("10.20.0.10"), &t.client.ip);
    ipaddr_parse(SPAN("10.20.0.20"), &t.server.ip);
    t.method = span_sub(first, 0, space);
    t.target = span_from(first, space + 1);
    fake_fields(&q, &t.request_fields);
    t.host = fields_get(&t.request_fields, SPAN("Host"));
    if (!t.host.size)
        t.host = SPAN("desk.example");
    f->n = 0;
    hooks.on_request(hooks.ctx, &t, &tap);
    fake_body(f, q, &t.request_body, &tap);
    if (response) {
        struct span r = span_text(response), status = fake_line(&r);
        uint64_t code;
        assert_true(span_u64(status, &code));
        t.status = (uint16_t)code;
        fake_fields(&r, &t.response_fields);
        t.response_ns = t.end_ns = now + 2;
        tap = (struct body_tap){0};
        hooks.on_response(hooks.ctx, &t, &tap);
        fake_body(f, r, &t.response_body, &tap);
        t.end_ns = now + 3;
    } else {
        t.flags |= TXN_NO_RESPONSE;
    }
    hooks.on_end(hooks.ctx, &t);
}

static inline const char *fake_str(const struct activity *a, enum activity_string which)
{
    static char text[16][600];
    static unsigned next;
    char *out = text[next++ % 16];
    struct span s = activity_get(a, which);
    snprintf(out, sizeof text[0], "%.*s", (int)s.size, (const char *)s.at);
    return out;
}

/* What the activities say, one after the other: "download+ attachment case=3 object=24 file=a.har size=10 body=10". */
static inline const char *fake_says(const struct fake *f)
{
    static const struct {
        enum activity_string which;
        const char *name;
    } shown[] = {{STR_CASE, "case"}, {STR_CUSTOMER, "customer"}, {STR_OBJECT, "object"}, {STR_FILE, "file"}, {STR_CLAIM, "user"}};
    static const char outcomes[] = {'?', '+', '-'};
    static char text[4096];
    size_t at = 0;
    text[0] = 0;
    for (size_t i = 0; i < f->n; i++) {
        const struct activity *a = &f->got[i];
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%s%c %s", i ? "; " : "", action_name((enum action)a->action),
                               outcomes[a->outcome], fake_str(a, STR_ROUTE));
        for (size_t k = 0; k < sizeof shown / sizeof shown[0]; k++)
            if (a->size[shown[k].which])
                at += (size_t)snprintf(text + at, sizeof text - at, " %s=%s", shown[k].name, fake_str(a, shown[k].which));
        if (a->flags & ACT_HAS_FILE_SIZE)
            at += (size_t)snprintf(text + at, sizeof text - at, " size=%llu", (unsigned long long)a->file_size);
        static const struct {
            uint32_t bit;
            const char *name;
        } flags[] = {{ACT_CLAIM_PROVEN, "proven"}, {ACT_SESSION_NEW, "new"}, {ACT_SESSION_END, "end"}, {ACT_REFUSED, "refused"},
                     {ACT_INLINE, "inline"}, {ACT_NOT_MODIFIED, "unmodified"}, {ACT_UNKNOWN_ROUTE, "unknown"},
                     {ACT_RANGE, "range"}, {ACT_FORGED_HOP, "forged"}, {ACT_ONE_SIDED, "one-sided"}};
        for (size_t k = 0; k < sizeof flags / sizeof flags[0]; k++)
            if (a->flags & flags[k].bit)
                at += (size_t)snprintf(text + at, sizeof text - at, " %s", flags[k].name);
    }
    return text;
}

#endif
