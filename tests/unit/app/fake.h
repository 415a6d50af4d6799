/* SPDX-License-Identifier: Apache-2.0
 * A sensor's packet side for tests: exchanges written as text in, what they tell as text out. */
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
#include "unit/app/exchange.h"

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
    if (!f->memory)
        return;
    memory_settle(f->memory, to);
    if (to->action != ACTION_AMEND)
        memory_wait(f->memory, to);
    struct activity amend;
    while (customers_take(memory_customers(f->memory), to, &amend)) {
        assert_true(f->n < FAKE_ACTS);
        memcpy(&f->got[f->n++], &amend, activity_size(&amend));
    }
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

static inline void fake_exchange(struct fake *f, const char *request, const char *response)
{
    struct conn_hooks hooks = app_hooks(f->app);
    f->n = 0;
    exchange_run(&hooks, ++f->number, span_text(request), response ? span_text(response) : span_of(NULL, 0), f->slice, 0);
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
    } shown[] = {{STR_CASE, "case"}, {STR_CUSTOMER, "customer"}, {STR_OBJECT, "object"}, {STR_FILE, "file"}, {STR_CLAIM, "user"}, {STR_ACTS_FOR, "for"}};
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
