/* SPDX-License-Identifier: Apache-2.0
 * Both legs of a proxy on one tap: one act, as the leg nearest the client shows it. */
#include "app/legs.h"
#include "base/times.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants those above first */
#include <cmocka.h>

enum leg { FRONT, BACK };

static struct activity make(enum leg leg, uint64_t ms, const char *target, uint8_t id)
{
    struct activity a;
    activity_init(&a);
    a.action = ACTION_DOWNLOAD;
    a.outcome = OUTCOME_SUCCESS;
    a.status = 200;
    a.time_ns = a.done_ns = ms * NS_PER_MS;
    a.id[0] = id;
    assert_true(ipaddr_parse(SPAN("81.2.69.142"), &a.source));
    assert_true(ipaddr_parse(leg == FRONT ? SPAN("81.2.69.142") : SPAN("10.0.0.2"), &a.peer.ip));
    assert_true(ipaddr_parse(leg == FRONT ? SPAN("203.0.113.90") : SPAN("10.0.0.10"), &a.server.ip));
    activity_set(&a, STR_METHOD, SPAN("GET"));
    activity_set(&a, STR_TARGET, span_text(target));
    return a;
}

struct told {
    char text[400]; /* "3 " an act with id 3, "1<3 " one that amends it */
};

static void on_leg(void *ctx, const struct activity *a)
{
    struct told *t = ctx;
    size_t n = strlen(t->text);
    if (a->action == ACTION_AMEND)
        snprintf(t->text + n, sizeof t->text - n, "%u<%u ", a->amends[0], a->id[0]);
    else
        snprintf(t->text + n, sizeof t->text - n, "%u ", a->id[0]);
}

static uint64_t count_of(const struct legs *l, const char *name)
{
    struct counters k = legs_counters(l);
    for (size_t i = 0; i < k.n; i++)
        if (!strcmp(k.defs[i].name, name))
            return k.values[i];
    fail_msg("no counter %s", name);
    return 0;
}

/* Each row: legs in the order they are told, with ids 1, 2 ...; what goes on. */
static void twins_are_told_once(void **state)
{
    (void)state;
    const struct {
        const char *name;
        struct {
            enum leg leg;
            uint64_t ms;
            const char *target;
            uint16_t status;
        } legs[8];
        const char *told;
        uint64_t merged;
    } rows[] = {
        {"the proxy's answer comes first", {{BACK, 5, "/f", 200}, {FRONT, 2, "/f", 200}}, "1 1<2 ", 1},
        {"the client's leg first", {{FRONT, 2, "/f", 200}, {BACK, 5, "/f", 200}}, "1 ", 1},
        {"another file", {{BACK, 5, "/f", 200}, {FRONT, 2, "/g", 200}}, "1 2 ", 0},
        {"fetched twice behind one proxy", {{BACK, 5, "/f", 200}, {BACK, 500, "/f", 200}}, "1 2 ", 0},
        {"fetched twice, both legs", {{BACK, 5, "/f", 200}, {FRONT, 2, "/f", 200}, {BACK, 505, "/f", 200}, {FRONT, 502, "/f", 200}},
         "1 1<2 4 ", 2},
        {"twice at once", {{BACK, 5, "/f", 200}, {BACK, 6, "/f", 200}, {FRONT, 2, "/f", 200}, {FRONT, 3, "/f", 200}},
         "1 2 1<3 2<4 ", 2},
        {"twice at once behind a known proxy", {{FRONT, 1, "/a", 200}, {BACK, 2, "/a", 200}, {BACK, 5, "/f", 200}, {BACK, 6, "/f", 200},
          {FRONT, 2, "/f", 200}, {FRONT, 3, "/f", 200}}, "1 5 6 ", 3},
        {"long apart", {{BACK, 20005, "/f", 200}, {FRONT, 2, "/f", 200}}, "1 2 ", 0},
        {"the tap shows the proxy's question first", {{BACK, 5, "/f", 200}, {FRONT, 9, "/f", 200}}, "1 1<2 ", 1},
        {"the proxy asked before the client did", {{BACK, 5, "/f", 200}, {FRONT, 99, "/f", 200}}, "1 2 ", 0},
        {"the client got a piece of it", {{FRONT, 1, "/a", 200}, {BACK, 2, "/a", 200}, {BACK, 5, "/f", 200}, {FRONT, 3, "/f", 206}}, "1 4 ", 2},
        {"three pieces, three times the whole", {{FRONT, 1, "/f", 206}, {BACK, 2, "/f", 200}, {BACK, 5, "/f", 200}, {FRONT, 4, "/f", 206},
          {FRONT, 7, "/f", 206}, {BACK, 8, "/f", 200}}, "1 4 5 ", 3},
        {"the client had it already", {{FRONT, 1, "/a", 200}, {BACK, 2, "/a", 200}, {BACK, 5, "/f", 200}, {FRONT, 3, "/f", 304}}, "1 4 ", 2},
        {"the cache answers alone", {{FRONT, 1, "/a", 200}, {BACK, 2, "/a", 200}, {FRONT, 5, "/a", 304}, {FRONT, 9, "/a", 200}}, "1 3 4 ", 1},
        {"held in vain, then told", {{FRONT, 1, "/a", 200}, {BACK, 2, "/a", 200}, {BACK, 5, "/f", 200}, {FRONT, 10006, "/g", 200}},
         "1 3 4 ", 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct told told = {""};
        struct legs *l = legs_new(16, 8, on_leg, &told);
        for (size_t k = 0; k < 8 && rows[i].legs[k].target; k++) {
            struct activity a = make(rows[i].legs[k].leg, rows[i].legs[k].ms, rows[i].legs[k].target, (uint8_t)(k + 1));
            a.status = rows[i].legs[k].status;
            legs_take(l, &a);
        }
        if (strcmp(told.text, rows[i].told) != 0 || count_of(l, "legs_merged") != rows[i].merged)
            fail_msg("%s: '%s', not '%s'; %u merged", rows[i].name, told.text, rows[i].told, (unsigned)count_of(l, "legs_merged"));
        legs_free(l);
    }
}

/* A login is no file: another status is another act. */
static void pages_differ_by_status(void **state)
{
    (void)state;
    struct told told = {""};
    struct legs *l = legs_new(16, 8, on_leg, &told);
    struct activity back = make(BACK, 5, "/login", 1), front = make(FRONT, 2, "/login", 2);
    back.action = front.action = ACTION_LOGIN;
    front.status = 302;
    legs_take(l, &back);
    legs_take(l, &front);
    assert_string_equal(told.text, "1 2 ");
    legs_free(l);
}

static void take_amend(struct legs *l, uint64_t ms, uint8_t amends, uint8_t id)
{
    struct activity a = make(FRONT, ms, "", id);
    a.action = ACTION_AMEND;
    a.amends[0] = amends;
    legs_take(l, &a);
}

static void amends_follow(void **state)
{
    (void)state;
    struct told told = {""};
    struct legs *l = legs_new(16, 8, on_leg, &told);
    struct activity back = make(BACK, 5, "/f", 1), front = make(FRONT, 2, "/f", 2);
    legs_take(l, &back);
    legs_take(l, &front);      /* it amends the back leg ... */
    take_amend(l, 6, 1, 3);    /* ... whose own amends are left out from here on */
    take_amend(l, 7, 2, 4);    /* ... and its own go to the act */
    assert_string_equal(told.text, "1 1<2 1<4 ");
    told.text[0] = 0;
    back = make(BACK, 15, "/g", 5);
    front = make(FRONT, 12, "/g", 7);
    legs_take(l, &back);       /* held, and what amends it */
    take_amend(l, 16, 5, 6);
    assert_string_equal(told.text, "");
    legs_take(l, &front);
    take_amend(l, 17, 7, 8);
    take_amend(l, 18, 5, 9);
    legs_release(l, UINT64_MAX);
    assert_string_equal(told.text, "7 7<8 ");
    legs_free(l);
}

/* What is held is bounded in time and in number, and a proxy whose front is gone is not waited for any more. */
static void nothing_is_held_for_ever(void **state)
{
    (void)state;
    struct told told = {""};
    struct legs *l = legs_new(64, 4, on_leg, &told);
    struct activity front = make(FRONT, 1, "/f", 1), back = make(BACK, 2, "/f", 2);
    legs_take(l, &front);
    legs_take(l, &back);
    for (uint8_t i = 0; i < 6; i++) {
        back = make(BACK, 10, (char[]){'/', (char)('g' + i), 0}, (uint8_t)(10 + i));
        legs_take(l, &back);
    }
    assert_string_equal(told.text, "1 10 11 ");
    assert_int_equal(count_of(l, "legs_full"), 2);
    legs_release(l, 10010 * NS_PER_MS);
    assert_string_equal(told.text, "1 10 11 ");
    legs_release(l, 10011 * NS_PER_MS);
    assert_string_equal(told.text, "1 10 11 12 13 14 15 ");
    assert_int_equal(count_of(l, "legs_late"), 4);
    back = make(BACK, 20000, "/z", 30);
    legs_take(l, &back);
    assert_string_equal(told.text, "1 10 11 12 13 14 15 30 ");
    legs_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(twins_are_told_once), cmocka_unit_test(pages_differ_by_status),
                                       cmocka_unit_test(amends_follow), cmocka_unit_test(nothing_is_held_for_ever)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
