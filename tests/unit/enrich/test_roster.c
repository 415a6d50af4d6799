/* SPDX-License-Identifier: Apache-2.0
 * The roster and the CSV under it: what is read, what is refused and where, and what is asked of it. */
#include "enrich/roster.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/csv.h"
#include "base/err.h"
#include "base/times.h"

static int read_text(const char *content, size_t size, struct roster **out, struct text *why)
{
    FILE *file = size ? fmemopen((void *)(uintptr_t)content, size, "r") : fopen("/dev/null", "re");
    assert_non_null(file);
    int rc = roster_read(file, "r.csv", out, why);
    fclose(file);
    return rc;
}

static struct roster *roster_of(const char *content)
{
    struct roster *r;
    struct text why = {0};
    int rc = read_text(content, strlen(content), &r, &why);
    assert_string_equal(text_str(&why), "");
    assert_int_equal(rc, E_OK);
    text_fini(&why);
    return r;
}

static uint64_t at(const char *text)
{
    uint64_t ns;
    assert_true(time_parse(span_text(text), &ns));
    return ns;
}

static bool comes_from(const struct roster *r, const char *who, const char *ip)
{
    struct ipaddr address;
    assert_true(ipaddr_parse(span_text(ip), &address));
    return roster_is_egress(r, roster_find(r, span_text(who)), &address);
}

static void quoting(void **state)
{
    (void)state;
    static const char content[] = "\xef\xbb\xbf"
                                  "# exported\r\n\r\n"
                                  "a,\"b \"\"x\"\", c\",\"two\r\nlines\",\r\n"
                                  "\"\",last";
    FILE *file = fmemopen((void *)(uintptr_t)content, sizeof content - 1, "r");
    struct csv c;
    struct text why = {0};
    csv_init(&c, file, "x");
    assert_int_equal(csv_next(&c, &why), E_OK);
    assert_int_equal(c.n, 4);
    assert_string_equal(c.values[0].text, "a");
    assert_string_equal(c.values[1].text, "b \"x\", c");
    assert_string_equal(c.values[2].text, "two\nlines");
    assert_string_equal(c.values[3].text, "");
    assert_int_equal(c.values[2].line, 3);
    assert_int_equal(c.values[2].column, 16);
    assert_int_equal(csv_next(&c, &why), E_OK);
    assert_int_equal(c.n, 2);
    assert_string_equal(c.values[1].text, "last");
    assert_int_equal(c.values[0].line, 5);
    assert_int_equal(csv_next(&c, &why), E_END);
    fclose(file);
    text_fini(&why);
}

static const char usual[] = "who,organisation,role,leaver,egress,service,timezone,holidays,manager\n"
                            "Zoe.Hart,Acme,agent,,,no,+01:00,2026-04-03;2026-08-03/2026-08-14,ann\n"
                            "ben,\"Basalt, Ltd\",lead,2026-03-31,,,,,\n"
                            "dan,Basalt,,2026-03-31T18:00:00Z,,,,,\n"
                            "eve,Acme,agent,2026-03-31,,,-03:30,,\n"
                            "svc-export,Acme,,,,YES,,,\n"
                            ",Acme,,,203.0.113.0/24; 2001:db8:7::/48,,+02:00,2026-12-25,\n"
                            ",Basalt,,,192.0.2.7,,,,\n";

static void who_is_who(void **state)
{
    (void)state;
    struct roster *r = roster_of(usual);
    const struct roster_person *zoe = roster_find(r, SPAN("zoe.hart")), *ben = roster_find(r, SPAN("BEN"));
    const struct roster_person *svc = roster_find(r, SPAN("svc-export"));
    assert_non_null(zoe);
    assert_non_null(ben);
    assert_non_null(svc);
    assert_null(roster_find(r, SPAN("zoe")));
    assert_null(roster_find(r, SPAN("")));
    assert_null(roster_find(NULL, SPAN("zoe.hart")));
    assert_string_equal(roster_organisation(r, zoe->organisation), "Acme");
    assert_string_equal(roster_organisation(r, ben->organisation), "Basalt, Ltd");
    assert_string_equal(roster_organisation(r, 0), "");
    assert_string_equal(roster_role(r, zoe->role), "agent");
    assert_int_equal(svc->role, 0);
    assert_string_equal(zoe->manager, "ann");
    assert_null(ben->manager);
    assert_int_equal(zoe->zone_min, 60);
    assert_int_equal(svc->zone_min, 120); /* the organisation's */
    assert_int_equal(svc->flags, ROSTER_SERVICE | ROSTER_ZONE);
    assert_int_equal(zoe->flags, ROSTER_ZONE);
    assert_true(ben->flags & ROSTER_LEAVES);
    assert_true(ben->leaves_ns == at("2026-03-31T00:00:00Z"));
    assert_true(roster_find(r, SPAN("dan"))->leaves_ns == at("2026-03-31T18:00:00Z"));
    assert_true(roster_find(r, SPAN("eve"))->leaves_ns == at("2026-03-31T03:30:00Z")); /* midnight where she is */
    struct roster_totals n = roster_totals(r);
    assert_int_equal(n.people, 5);
    assert_int_equal(n.organisations, 3);
    assert_int_equal(n.roles, 2);
    assert_int_equal(n.leavers, 3);
    assert_int_equal(n.services, 1);
    assert_int_equal(n.prefixes, 3);
    roster_free(r);
}

static void ways_out(void **state)
{
    (void)state;
    struct roster *r = roster_of(usual);
    assert_true(comes_from(r, "zoe.hart", "203.0.113.200"));
    assert_true(comes_from(r, "svc-export", "2001:db8:7:1::5"));
    assert_false(comes_from(r, "zoe.hart", "192.0.2.7")); /* another organisation's */
    assert_true(comes_from(r, "dan", "192.0.2.7"));
    assert_false(comes_from(r, "dan", "192.0.2.8"));
    assert_false(comes_from(r, "ben", "203.0.113.200"));
    assert_false(comes_from(r, "nobody", "203.0.113.200"));
    roster_free(r);
}

static void days_off(void **state)
{
    (void)state;
    struct roster *r = roster_of(usual);
    const struct roster_person *zoe = roster_find(r, SPAN("zoe.hart")), *ben = roster_find(r, SPAN("ben"));
    assert_true(roster_is_holiday(r, zoe, at("2026-04-03T12:00:00Z")));
    assert_true(roster_is_holiday(r, zoe, at("2026-04-02T23:30:00Z"))); /* already the third where she is */
    assert_false(roster_is_holiday(r, zoe, at("2026-04-03T23:30:00Z")));
    assert_true(roster_is_holiday(r, zoe, at("2026-08-14T12:00:00Z")));
    assert_false(roster_is_holiday(r, zoe, at("2026-08-15T12:00:00Z")));
    assert_true(roster_is_holiday(r, zoe, at("2026-12-25T12:00:00Z")));
    assert_false(roster_is_holiday(r, ben, at("2026-12-25T12:00:00Z")));
    assert_false(roster_is_holiday(r, NULL, at("2026-12-25T12:00:00Z")));
    assert_true(roster_local_ns(zoe, at("2026-04-03T12:00:00Z")) == at("2026-04-03T13:00:00Z"));
    assert_true(roster_local_ns(ben, at("2026-04-03T12:00:00Z")) == at("2026-04-03T12:00:00Z"));
    roster_free(r);
}

static void mistakes_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *content, *says;
    } rows[] = {
        {"", "r.csv:1:1: the file is empty"},
        {"name,organisation\n", "r.csv:1:1: unknown column 'name'; expected who,"},
        {"who,organization\n", "r.csv:1:5: unknown column 'organization'; did you mean 'organisation'?"},
        {"who,who\n", "r.csv:1:5: the column 'who' is there twice"},
        {"role,manager\n", "r.csv:1:1: the first record names the columns, and 'who' is not among them"},
        {"who,role\nzoe\n", "r.csv:2:1: 1 values where the first record names 2 columns"},
        {"who,role\nzoe,a,b\n", "r.csv:2:7: 3 values where the first record names 2 columns"},
        {"who\nzoe\nben\nZOE\n", "r.csv:4:1: 'ZOE' is there already, in line 2"},
        {"who,leaver\nzoe,31.3.2026\n", "r.csv:2:5: leaver: expected the first day without them like 2026-03-31"},
        {"who,leaver\nzoe,2026-02-30\n", "r.csv:2:5: leaver: expected"},
        {"who,service\nzoe,perhaps\n", "r.csv:2:5: service: expected yes or no"},
        {"who,timezone\nzoe,Europe/Rome\n", "r.csv:2:5: timezone: expected hours and minutes from UTC"},
        {"who,timezone\nzoe,+15:00\n", "r.csv:2:5: timezone: expected"},
        {"who,organisation,egress\nzoe,Acme,10.0.0.0/33\n", "r.csv:2:10: egress: '10.0.0.0/33' is no address or prefix"},
        {"who,egress\nzoe,10.0.0.0/8\n", "r.csv:2:5: egress: prefixes are an organisation's, and none is named here"},
        {"who,holidays\nzoe,2026-08-14/2026-08-03\n", "r.csv:2:5: holidays: '2026-08-14/2026-08-03' is no day"},
        {"who,holidays\nzoe,easter\n", "r.csv:2:5: holidays: 'easter' is no day"},
        {"who,role\n,agent\n", "r.csv:2:1: neither who nor organisation is named"},
        {"who,organisation,role\n,Acme,agent\n", "r.csv:2:7: role: is about a person, and 'who' is empty"},
        {"who\n\"zoe\n", "r.csv:2:1: the quote does not end"},
        {"who\nzo\"e\n", "r.csv:2:3: a quote within a value"},
        {"who\n\"zoe\"x\n", "r.csv:2:6: expected a comma or the line's end behind the quote"},
        {"who\nz\x01\n", "r.csv:2:3: a control character"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct roster *r;
        struct text why = {0};
        int rc = read_text(rows[i].content, strlen(rows[i].content), &r, &why);
        if (rc != E_CONF || strncmp(text_str(&why), rows[i].says, strlen(rows[i].says)) != 0)
            print_error("%zu: %d '%s' instead of '%s'\n", i, rc, text_str(&why), rows[i].says);
        assert_int_equal(rc, E_CONF);
        assert_int_equal(strncmp(text_str(&why), rows[i].says, strlen(rows[i].says)), 0);
        assert_null(r);
        text_fini(&why);
    }
}

static void limits(void **state)
{
    (void)state;
    struct text long_name = {.max = 1 << 20}, why = {0};
    struct roster *r;
    text_add_str(&long_name, "who\n");
    for (unsigned i = 0; i < ROSTER_TEXT_MAX + 1; i++)
        text_add_char(&long_name, 'x');
    assert_int_equal(read_text(text_str(&long_name), long_name.size, &r, &why), E_CONF);
    assert_string_equal(text_str(&why), "r.csv:2:1: longer than 160 bytes");
    for (unsigned i = 0; i < CSV_RECORD_MAX; i++)
        text_add_char(&long_name, 'x');
    text_clear(&why);
    assert_int_equal(read_text(text_str(&long_name), long_name.size, &r, &why), E_CONF);
    assert_non_null(strstr(text_str(&why), "the record is longer than 16 KiB"));
    text_clear(&why);
    text_clear(&long_name);
    text_add_str(&long_name, "who");
    for (unsigned i = 0; i < CSV_VALUES_MAX; i++)
        text_add_char(&long_name, ',');
    assert_int_equal(read_text(text_str(&long_name), long_name.size, &r, &why), E_CONF);
    assert_string_equal(text_str(&why), "r.csv:1:36: more than 32 values in a record");
    text_fini(&long_name);
    text_fini(&why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quoting),  cmocka_unit_test(who_is_who),         cmocka_unit_test(ways_out),
        cmocka_unit_test(days_off), cmocka_unit_test(mistakes_are_named), cmocka_unit_test(limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
