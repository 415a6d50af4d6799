/* SPDX-License-Identifier: Apache-2.0
 * Databases of several makers: the project's own, and small ones written here byte by byte in other makers' keys; damage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "enrich/geo.h"
#include "support/savefile.h"

#define DEMO "tests/pcaps/demo-geo.mmdb"

static char scratch[64];

static int make_scratch(void **state)
{
    (void)state;
    scratch_make(scratch);
    return 0;
}

static int remove_scratch(void **state)
{
    (void)state;
    scratch_remove(scratch);
    return 0;
}

static const struct geo_facts *look(struct geo *g, const char *text)
{
    struct ipaddr ip;
    assert_true(ipaddr_parse(span_text(text), &ip));
    return geo_lookup(g, &ip);
}

static void test_demo(void **state)
{
    (void)state;
    static const struct {
        const char *ip, *country;
        uint32_t asn;
        const char *org;
    } cases[] = {
        {"198.51.100.11", "GB", 64496, "Example Desk Ltd"}, {"2001:db8:51:64::11", "GB", 64496, "Example Desk Ltd"},
        {"198.51.100.200", "GB", 64497, "Example Cloud"}, {"203.0.113.20", "DE", 64498, "Example Broadband"},
        {"192.0.2.66", "NL", 64499, "Example Hosting"}, {"81.2.69.162", "GB", 0, ""}, {"81.2.69.163", "GB", 0, ""},
        {"2a02:d540::62", "GB", 0, ""}, {"2a02:d3c0::19", "GB", 0, ""}, {"2.125.160.217", "GB", 0, ""},
        {"216.160.83.58", "US", 209, "CenturyLink"}, {"216.160.83.60", "US", 209, "CenturyLink"},
        {"89.160.20.130", "SE", 29518, "Bredband2 AB"}, {"89.160.20.115", "SE", 29518, "Bredband2 AB"},
        {"2a02:d440::15", "SE", 0, ""}, {"214.78.0.40", "US", 721, "DoD Network Information Center"},
        {"67.43.156.9", "BT", 35908, "Krypt Technologies"}, {"175.16.199.22", "CN", 0, ""}, {"10.0.0.1", "", 0, ""},
        {"8.8.8.8", "", 0, ""}, {"2001:db8:ffff::1", "", 0, ""}, {"::", "", 0, ""},
    };
    struct geo *g = geo_new();
    struct text why = {0};
    assert_false(geo_has_country(g) || geo_has_asn(g));
    assert_int_equal(geo_add(g, DEMO, &why), E_OK);
    assert_true(geo_has_country(g) && geo_has_asn(g));
    assert_string_equal(geo_source(g, 0), DEMO ": casetap-demo-Country-ASN, 2026-01-01");
    assert_null(geo_source(g, 1));
    for (int turn = 0; turn < 2; turn++) { /* the second time from the cache */
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            const struct geo_facts *facts = look(g, cases[i].ip);
            assert_string_equal(facts->country, cases[i].country);
            assert_int_equal(facts->asn, cases[i].asn);
            assert_string_equal(facts->org, cases[i].org);
        }
    }
    geo_free(g);
    text_fini(&why);
}

/* The data format of a MaxMind database, as far as it is needed here. */
static void put_text(struct text *out, const char *text)
{
    size_t size = strlen(text);
    text_add_char(out, (char)(2 << 5 | (size < 29 ? size : 29)));
    if (size >= 29)
        text_add_char(out, (char)(size - 29));
    text_add_str(out, text);
}

static void put_number(struct text *out, int type, uint64_t value, int size)
{
    text_add_char(out, (char)(type < 8 ? type << 5 | size : size));
    if (type >= 8)
        text_add_char(out, (char)(type - 7));
    while (size-- > 0)
        text_add_char(out, (char)(uint8_t)(value >> (8 * size)));
}

static void put_map(struct text *out, int n)
{
    text_add_char(out, (char)(7 << 5 | n));
}

/* A database in which every address has the record 'data'. */
static const char *write_database(const char *name, uint64_t ip_version, struct span data, char path[512])
{
    struct text out = {0};
    text_add(&out, SPAN("\0\0\x11\0\0\x11")); /* one node: both sides lead to the data */
    text_add(&out, SPAN("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"));
    text_add(&out, data);
    text_add(&out, SPAN("\xab\xcd\xefMaxMind.com"));
    put_map(&out, 9);
    put_text(&out, "binary_format_major_version");
    put_number(&out, 5, 2, 1);
    put_text(&out, "binary_format_minor_version");
    put_number(&out, 5, 0, 0);
    put_text(&out, "build_epoch");
    put_number(&out, 9, 1767225600, 8);
    put_text(&out, "database_type");
    put_text(&out, name);
    put_text(&out, "description");
    put_map(&out, 0);
    put_text(&out, "ip_version");
    put_number(&out, 5, ip_version, 1);
    put_text(&out, "languages");
    text_add(&out, SPAN("\0\4")); /* an empty array */
    put_text(&out, "node_count");
    put_number(&out, 6, 1, 1);
    put_text(&out, "record_size");
    put_number(&out, 5, 24, 1);
    scratch_write(scratch, name, text_span(&out), path);
    text_fini(&out);
    return path;
}

/* In 'kinds' one letter a value: s text, 2 uint16, 4 uint32, 8 uint64. */
struct shape {
    const char *name, *keys[3], *kinds, *texts[3];
    uint64_t number;
    const char *country;
    uint32_t asn;
    const char *org;
};

static void put_shape(struct text *data, const struct shape *shape)
{
    put_map(data, (int)strlen(shape->kinds));
    for (size_t i = 0; shape->kinds[i]; i++) {
        put_text(data, shape->keys[i]);
        switch (shape->kinds[i]) {
        case 's': put_text(data, shape->texts[i]); break;
        case '2': put_number(data, 5, shape->number, 2); break;
        case '4': put_number(data, 6, shape->number, 4); break;
        case '8': put_number(data, 9, shape->number, 8); break;
        case 'm': /* {"iso_code": text} */
            put_map(data, 1);
            put_text(data, "iso_code");
            put_text(data, shape->texts[i]);
            break;
        }
    }
}

static void test_shapes(void **state)
{
    (void)state;
    static const struct shape shapes[] = {
        {"flat-country", {"country_code"}, "s", {"FR"}, 0, "FR", 0, ""},
        {"flat-asn", {"autonomous_system_number", "autonomous_system_organization"}, "4s", {NULL, "Some Net"}, 7018, "", 7018,
         "Some Net"},
        {"small-asn", {"autonomous_system_number"}, "2", {NULL}, 174, "", 174, ""},
        {"wide-asn", {"autonomous_system_number"}, "8", {NULL}, 4200000000, "", 4200000000, ""},
        {"text-asn", {"asn", "as_name", "country_code"}, "sss", {"AS209", "Qwest", "US"}, 0, "US", 209, "Qwest"},
        {"nested", {"country"}, "m", {"IT"}, 0, "IT", 0, ""},
        {"registered", {"registered_country"}, "m", {"ES"}, 0, "ES", 0, ""},
        {"both", {"registered_country", "country"}, "mm", {"ES", "PT"}, 0, "PT", 0, ""},
        {"plain", {"country"}, "s", {"NO"}, 0, "NO", 0, ""},
    };
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        struct text data = {0}, why = {0};
        char path[512];
        struct geo *g = geo_new();
        put_shape(&data, &shapes[i]);
        write_database(shapes[i].name, 6, text_span(&data), path);
        if (geo_add(g, path, &why) != E_OK)
            fail_msg("%s", text_str(&why));
        for (int v6 = 0; v6 < 2; v6++) {
            const struct geo_facts *facts = look(g, v6 ? "2001:db8::1" : "192.0.2.1");
            assert_string_equal(facts->country, shapes[i].country);
            assert_int_equal(facts->asn, shapes[i].asn);
            assert_string_equal(facts->org, shapes[i].org);
        }
        assert_int_equal(geo_has_country(g), shapes[i].country[0] != 0);
        assert_int_equal(geo_has_asn(g), shapes[i].asn != 0);
        geo_free(g);
        text_fini(&data);
        text_fini(&why);
    }
}

static void test_useless(void **state)
{
    (void)state;
    static const struct shape shapes[] = {
        {"no-facts", {"colour"}, "s", {"blue"}, 0, "", 0, ""},
        {"odd-country", {"country_code"}, "s", {"Germany"}, 0, "", 0, ""},
        {"lower-country", {"country_code"}, "s", {"de"}, 0, "", 0, ""},
        {"zero-asn", {"autonomous_system_number"}, "4", {NULL}, 0, "", 0, ""},
        {"huge-asn", {"autonomous_system_number"}, "8", {NULL}, 1ull << 33, "", 0, ""},
        {"word-asn", {"asn"}, "s", {"ASx"}, 0, "", 0, ""},
    };
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        struct text data = {0}, why = {0};
        char path[512];
        struct geo *g = geo_new();
        put_shape(&data, &shapes[i]);
        write_database(shapes[i].name, 6, text_span(&data), path);
        assert_int_equal(geo_add(g, path, &why), E_BAD);
        assert_non_null(strstr(text_str(&why), "has neither countries nor AS numbers"));
        geo_free(g);
        text_fini(&data);
        text_fini(&why);
    }
}

/* Per field the database added last wins, where it knows; an IPv4 database has no word on IPv6. */
static void test_precedence(void **state)
{
    (void)state;
    static const struct shape first = {"a", {"asn", "as_name", "country_code"}, "sss", {"AS1", "One", "AA"}, 0, "", 0, ""};
    static const struct shape second = {"b", {"country_code"}, "s", {"BB"}, 0, "", 0, ""};
    static const struct shape third = {"c", {"asn"}, "s", {"AS3"}, 0, "", 0, ""};
    struct text data = {0}, why = {0};
    char path[512];
    struct geo *g = geo_new();
    put_shape(&data, &first);
    assert_int_equal(geo_add(g, write_database("a", 6, text_span(&data), path), &why), E_OK);
    text_clear(&data);
    put_shape(&data, &second);
    assert_int_equal(geo_add(g, write_database("b", 4, text_span(&data), path), &why), E_OK);
    assert_string_equal(look(g, "192.0.2.1")->country, "BB");
    assert_int_equal(look(g, "192.0.2.1")->asn, 1);
    assert_string_equal(look(g, "192.0.2.1")->org, "One");
    assert_string_equal(look(g, "2001:db8::1")->country, "AA");
    text_clear(&data);
    put_shape(&data, &third);
    assert_int_equal(geo_add(g, write_database("c", 6, text_span(&data), path), &why), E_OK);
    assert_int_equal(look(g, "192.0.2.1")->asn, 3);
    assert_string_equal(look(g, "192.0.2.1")->org, ""); /* not the name of another number */
    geo_free(g);
    text_fini(&data);
    text_fini(&why);
}

static void test_long_name(void **state)
{
    (void)state;
    struct text data = {0}, why = {0}, name = {0};
    char path[512];
    text_add_str(&name, "x");
    while (name.size < 150)
        text_add_str(&name, "\xc3\xa9"); /* two bytes each: the cut must not fall between them */
    struct shape shape = {"long", {"asn", "as_name"}, "ss", {"AS1", text_str(&name)}, 0, "", 0, ""};
    put_shape(&data, &shape);
    struct geo *g = geo_new();
    assert_int_equal(geo_add(g, write_database("long", 6, text_span(&data), path), &why), E_OK);
    assert_int_equal(strlen(look(g, "192.0.2.1")->org), GEO_ORG_MAX - 1);
    assert_memory_equal(look(g, "192.0.2.1")->org, text_str(&name), GEO_ORG_MAX - 1);
    text_clear(&data);
    text_clear(&name);
    while (name.size < 150)
        text_add_str(&name, "\xc3\xa9");
    shape.texts[1] = text_str(&name);
    put_shape(&data, &shape);
    geo_free(g);
    g = geo_new();
    assert_int_equal(geo_add(g, write_database("long", 6, text_span(&data), path), &why), E_OK);
    assert_int_equal(strlen(look(g, "192.0.2.1")->org), GEO_ORG_MAX - 2);
    geo_free(g);
    text_fini(&data);
    text_fini(&why);
    text_fini(&name);
}

static void expect_error(const char *path, int code, const char *reason)
{
    struct text why = {0};
    struct geo *g = geo_new();
    assert_int_equal(geo_add(g, path, &why), code);
    assert_non_null(strstr(text_str(&why), reason));
    geo_free(g);
    text_fini(&why);
}

static void test_errors(void **state)
{
    (void)state;
    char path[512];
    expect_error("/nonexistent/x.mmdb", E_IO, "/nonexistent/x.mmdb: No such file or directory");
    expect_error(scratch, E_IO, "not a file");
    expect_error(scratch_write(scratch, "empty.mmdb", SPAN(""), path), E_BAD, "empty.mmdb: empty");
    expect_error(scratch_write(scratch, "text.mmdb", SPAN("hello"), path), E_BAD, "not a MaxMind-format database");
}

/* Each byte of a good database changed in turn: look-ups may fail, they may not crash (the sanitizers watch). */
static void test_damage(void **state)
{
    (void)state;
    static const struct shape shape = {"d", {"asn", "as_name", "country_code"}, "sss", {"AS1", "One", "AA"}, 0, "", 0, ""};
    struct text data = {0}, good = {0};
    char path[512];
    put_shape(&data, &shape);
    write_database("d", 6, text_span(&data), path);
    FILE *file = fopen(path, "rb");
    for (int c; (c = fgetc(file)) != EOF;)
        text_add_char(&good, (char)c);
    fclose(file);
    for (size_t i = 0; i < good.size; i++) {
        static const uint8_t values[] = {0, 0xff, 0x80, 0x20};
        for (size_t k = 0; k < sizeof values; k++) {
            char before = good.at[i];
            struct text why = {0};
            struct geo *g = geo_new();
            good.at[i] = (char)values[k];
            scratch_write(scratch, "damaged", text_span(&good), path);
            good.at[i] = before;
            if (geo_add(g, path, &why) == E_OK) {
                (void)look(g, "192.0.2.1");
                (void)look(g, "2001:db8::1");
            }
            geo_free(g);
            text_fini(&why);
        }
    }
    text_fini(&data);
    text_fini(&good);
}

static void test_directory(void **state)
{
    (void)state;
    static const struct shape shape = {"e", {"asn"}, "s", {"AS5"}, 0, "", 0, ""};
    char directory[64], path[512];
    struct text data = {0};
    scratch_make(directory);
    put_shape(&data, &shape);
    memcpy(path, scratch, sizeof scratch);
    memcpy(scratch, directory, sizeof scratch); /* write_database writes into scratch */
    memcpy(directory, path, sizeof directory);
    write_database("one.mmdb", 6, text_span(&data), path);
    write_database("two.mmdb", 6, text_span(&data), path);
    write_database("not-by-name", 6, text_span(&data), path);
    scratch_write(scratch, "broken.mmdb", SPAN("hello"), path);
    struct geo *g = geo_new();
    assert_int_equal(geo_add_directory(g, scratch), 2);
    assert_non_null(strstr(geo_source(g, 1), "/two.mmdb: two.mmdb, 2026-01-01"));
    assert_int_equal(geo_add_directory(g, "/nonexistent"), 0);
    geo_free(g);
    scratch_remove(scratch);
    memcpy(scratch, directory, sizeof scratch);
    text_fini(&data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_demo), cmocka_unit_test(test_shapes), cmocka_unit_test(test_useless),
        cmocka_unit_test(test_precedence), cmocka_unit_test(test_long_name), cmocka_unit_test(test_errors),
        cmocka_unit_test(test_damage), cmocka_unit_test(test_directory),
    };
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
