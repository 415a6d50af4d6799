/* SPDX-License-Identifier: Apache-2.0
 * Memory for secrets costs what is touched of it, and is empty at first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>
#include <sys/resource.h>

#include "base/locked.h"

#define SIZE ((size_t)64 << 20) /* 16384 pages */

static long faults(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_minflt;
}

static void what_is_never_touched_costs_nothing(void **state)
{
    (void)state;
    long before = faults();
    struct locked l = locked_new(SIZE);
    if (!l.is_locked) { /* all of it has to be wiped then: it may have been swapped out */
        print_message("skipped: the system locks no %zu bytes\n", SIZE);
        locked_free(&l);
        return;
    }
    unsigned char *at = l.at;
    for (size_t i = 0; i < SIZE; i += SIZE / 16) {
        assert_int_equal(at[i], 0);
        memset(at + i, 0x5a, 100);
    }
    locked_free(&l);
    assert_null(l.at);
    assert_in_range(faults() - before, 16, 4000);
}

static void an_empty_one_stays_so(void **state)
{
    (void)state;
    struct locked l = {0};
    locked_free(&l);
    assert_null(l.at);
    l = locked_new(10); /* less than a page */
    assert_non_null(l.at);
    memset(l.at, 1, 10);
    locked_free(&l);
    assert_null(l.at);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_never_touched_costs_nothing),
        cmocka_unit_test(an_empty_one_stays_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
