/* SPDX-License-Identifier: Apache-2.0
 * Both legs of a proxy on one tap. */
#include "app/legs.h"
#include "base/times.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants those above first */
#include <cmocka.h>

enum leg { FRONT, BACK };

static struct activity make(enum leg leg, uint64_t ms, const char *target, uint8_t id)
{
    struct activity a;
    activity_init(&a);
    a.action = ACTION_DOWNLOAD;
    a.status = 200;
    a.time_ns = ms * NS_PER_MS;
    a.id[0] = id;
    assert_true(ipaddr_parse(SPAN("81.2.69.142"), &a.source));
    assert_true(ipaddr_parse(leg == FRONT ? SPAN("81.2.69.142") : SPAN("10.0.0.2"), &a.peer.ip));
    assert_true(ipaddr_parse(leg == FRONT ? SPAN("203.0.113.90") : SPAN("10.0.0.10"), &a.server.ip));
    activity_set(&a, STR_METHOD, SPAN("GET"));
    activity_set(&a, STR_TARGET, span_text(target));
    return a;
}

/* Each row: legs in the order they are told; whether each is left out. */
static void twins_are_told_once(void **state)
{
    (void)state;
    const struct {
        const char *name;
        struct {
            enum leg leg;
            uint64_t ms;
            const char *target;
            bool is_told;
        } legs[4];
        size_t n;
    } rows[] = {
        {"the proxy's answer comes first", {{BACK, 5, "/f", false}, {FRONT, 2, "/f", true}}, 2},
        {"the client's leg first", {{FRONT, 2, "/f", false}, {BACK, 5, "/f", true}}, 2},
        {"another file", {{BACK, 5, "/f", false}, {FRONT, 2, "/g", false}}, 2},
        {"fetched twice behind one proxy", {{BACK, 5, "/f", false}, {BACK, 500, "/f", false}}, 2},
        {"fetched twice, both legs", {{BACK, 5, "/f", false}, {FRONT, 2, "/f", true}, {BACK, 505, "/f", false}, {FRONT, 502, "/f", true}}, 4},
        {"twice at once", {{BACK, 5, "/f", false}, {BACK, 6, "/f", false}, {FRONT, 2, "/f", true}, {FRONT, 3, "/f", true}}, 4},
        {"long apart", {{BACK, 20005, "/f", false}, {FRONT, 2, "/f", false}}, 2},
        {"the tap shows the proxy's question first", {{BACK, 5, "/f", false}, {FRONT, 9, "/f", true}}, 2},
        {"the proxy asked before the client did", {{BACK, 5, "/f", false}, {FRONT, 99, "/f", false}}, 2},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct legs *l = legs_new(16);
        for (size_t k = 0; k < rows[i].n; k++) {
            struct activity a = make(rows[i].legs[k].leg, rows[i].legs[k].ms, rows[i].legs[k].target, (uint8_t)(k + 1));
            if (legs_is_told(l, &a) != rows[i].legs[k].is_told)
                fail_msg("%s: leg %zu", rows[i].name, k);
        }
        legs_free(l);
    }
}

static void amends_follow(void **state)
{
    (void)state;
    struct legs *l = legs_new(16);
    struct activity back = make(BACK, 5, "/f", 1), front = make(FRONT, 2, "/f", 2), amend = make(FRONT, 2, "", 3);
    amend.action = ACTION_AMEND;
    assert_false(legs_is_told(l, &back));
    assert_true(legs_is_told(l, &front));
    amend.amends[0] = 2;
    assert_true(legs_is_told(l, &amend));
    amend.amends[0] = 1;
    assert_false(legs_is_told(l, &amend));
    assert_int_equal(legs_counters(l).values[0], 1);
    legs_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(twins_are_told_once), cmocka_unit_test(amends_follow)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
