/* SPDX-License-Identifier: Apache-2.0
 * What INFO of different servers says, and what follows from it. */
#include "store/redis_facts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"

#define REDIS7 "# Server\r\nredis_version:7.0.15\r\nrun_id:0123456789abcdef0123456789abcdef01234567\r\n"
#define VALKEY "# Server\r\nredis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.0.1\r\n"

static void judges(void **state)
{
    (void)state;
    static const struct {
        const char *info, *says; /* "" = may be used */
        bool may_evict;
    } rows[] = {
        {REDIS7 "loading:0\r\nrole:master\r\nmaxmemory:0\r\nmaxmemory_policy:noeviction\r\n", "", false},
        {REDIS7 "maxmemory:1048576\r\nmaxmemory_policy:allkeys-lru\r\n", "", true},
        {VALKEY "role:master\r\n", "", false},
        {"redis_version:6.0.16\n", "", false},
        {"redis_version:255.255.255\n", "", false}, /* a server built from its sources' main branch */
        {"redis_version:10.2.1\n", "", false},
        {"redis_version:5.0.14\r\n", "Redis 5.0 is too old", false},
        {REDIS7 "loading:1\r\n", "still loading", false},
        {REDIS7 "role:slave\r\nslave_read_only:1\r\n", "read-only replica", false},
        {REDIS7 "role:slave\r\n", "read-only replica", false},
        {REDIS7 "role:slave\r\nslave_read_only:0\r\n", "", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct redis_facts facts;
        struct text why = {0};
        assert_int_equal(redis_facts_parse(span_text(rows[i].info), &facts), E_OK);
        assert_int_equal(redis_facts_judge(&facts, &why), rows[i].says[0] ? E_IO : E_OK);
        if (!strstr(text_str(&why), rows[i].says))
            fail_msg("row %zu: \"%s\" does not say \"%s\"", i, text_str(&why), rows[i].says);
        assert_int_equal(redis_facts_may_evict(&facts), rows[i].may_evict);
        text_fini(&why);
    }
}

static void reads_what_is_there(void **state)
{
    (void)state;
    struct redis_facts facts;
    assert_int_equal(redis_facts_parse(SPAN(REDIS7 "maxmemory:9000000000\r\nmaxmemory_policy:volatile-ttl\r\n"), &facts), E_OK);
    assert_int_equal(facts.major, 7);
    assert_int_equal(facts.minor, 0);
    assert_int_equal(facts.maxmemory, 9000000000);
    assert_string_equal(facts.policy, "volatile-ttl");
    assert_string_equal(facts.run_id, "0123456789abcdef0123456789abcdef01234567");
    static const char *const bad[] = {"", "hello", "redis_version:", "redis_version:x.y", "redis_version:-1.0",
                                      "redis_version:99999999999999999999.1", ":", "\r\n\r\n", "redis_version"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(redis_facts_parse(span_text(bad[i]), &facts), E_BAD);
    char longest[512];
    memset(longest, 'x', sizeof longest); /* longer than any place for it */
    memcpy(longest, "redis_version:7.0\nrun_id:", 25);
    assert_int_equal(redis_facts_parse(span_of(longest, sizeof longest), &facts), E_OK);
    assert_int_equal(strlen(facts.run_id), sizeof facts.run_id - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(judges), cmocka_unit_test(reads_what_is_there)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
