/* SPDX-License-Identifier: Apache-2.0
 * The baseline of a credential: its text form gives back the same bits, foreign text is refused, new values displace
 * new values and never usual ones. */
#include "store/baseline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/times.h"
#include "record/activity.h"

#define T0 1772400000u /* 2026-03-01, in seconds */

static struct ipaddr ip_of(const char *text)
{
    struct ipaddr ip;
    assert_true(ipaddr_parse(span_text(text), &ip));
    return ip;
}

static struct place place_at(const char *text, const char *country, uint32_t asn)
{
    struct ipaddr ip = ip_of(text);
    return place_of(&ip, country, asn);
}

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* A baseline with every field in use, numbers of all sizes. */
static void fill(struct baseline *b, uint32_t seed)
{
    uint32_t r = seed;
    baseline_init(b, SPAN("fatima.zahra"));
    b->first_ns = (uint64_t)T0 * NS_PER_S + next_random(&r);
    b->last_ns = b->first_ns + (uint64_t)next_random(&r) * 1000003u;
    b->sessions = next_random(&r), b->acts = next_random(&r), b->files = UINT32_MAX, b->active_days = 3;
    b->alert_s = T0 + next_random(&r) % 100000;
    b->flags = next_random(&r) % 7 + 1;
    b->actions = (1u << ACTION_N) - 1;
    for (size_t i = 0; i < 2; i++)
        b->routes[i] = (uint64_t)next_random(&r) << 40 | next_random(&r);
    for (size_t i = 0; i < 6; i++)
        b->customers[i] = (uint64_t)next_random(&r) << 40 | next_random(&r);
    for (unsigned i = 0; i < BASELINE_PLACES; i++) {
        uint8_t v4[4] = {10, (uint8_t)i, (uint8_t)next_random(&r), 7};
        uint8_t v6[16] = {0x20, 1, 0xd, 0xb8, 0, (uint8_t)i, 9};
        struct ipaddr ip = i % 2 ? ipaddr_from6(v6) : ipaddr_from4(v4);
        b->places[i] = place_of(&ip, i % 3 ? "GB" : "", i % 4 ? 0 : UINT32_MAX);
        b->places[i].weight = (float)(next_random(&r) / 977.0);
        b->places[i].first_s = T0 + i;
        b->places[i].last_s = T0 + next_random(&r) % 1000000;
        b->places[i].days = (uint16_t)next_random(&r);
        b->places[i].trust = (uint8_t)(1 + i % 3);
    }
    for (unsigned i = 0; i < BASELINE_CLIENTS; i++) {
        snprintf(b->clients[i].name, sizeof b->clients[i].name, "%s", i ? "Samsung Browser" : "");
        b->clients[i].family = (uint16_t)next_random(&r), b->clients[i].major = (uint16_t)next_random(&r);
        b->clients[i].agent = next_random(&r) << 8;
        b->clients[i].weight = (float)(1.0 / (3 + i)), b->clients[i].first_s = T0, b->clients[i].last_s = T0 + 60;
        b->clients[i].days = 1, b->clients[i].trust = TRUST_USUAL;
    }
    for (unsigned i = 0; i < 24; i++)
        b->hours[i] = (uint8_t)next_random(&r);
    for (unsigned i = 0; i < 7; i++)
        b->weekdays[i] = (uint8_t)next_random(&r);
    for (unsigned i = 0; i < 8; i++)
        b->first_customers[i] = (uint8_t)next_random(&r);
    struct moments *all[] = {&b->files_day, &b->cases_day, &b->customers_day, &b->bytes_day, &b->files_window, &b->cases_window};
    for (size_t i = 0; i < 5; i++)
        for (unsigned day = 0; day <= next_random(&r) % 40; day++)
            moments_add(all[i], next_random(&r) / 1000.0);
    b->slow_cases = 6.8999996f;
    b->day = 20513, b->today_files = next_random(&r), b->today_bytes = UINT64_MAX - 5;
    b->today_cases = 3, b->today_customers = 2, b->window = 2953900, b->window_files = 2, b->window_cases = 1, b->org = 0x1234, b->unseen = (struct ratio){9, 2}, b->strange = (struct ratio){255, 255}, b->today_alerted = 1;
}

static void copy_field(void *ctx, const char *field, const char *value)
{
    assert_true(strlen(field) < BASELINE_FIELD_MAX);
    assert_true(strlen(value) < BASELINE_VALUE_MAX);
    assert_int_equal(baseline_read(ctx, field, value), E_OK);
}

static void round_trip(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed < 200; seed++) {
        struct baseline a, b;
        fill(&a, seed);
        baseline_init(&b, SPAN("fatima.zahra"));
        assert_int_equal(baseline_write(&a, copy_field, &b), 19 + BASELINE_PLACES + BASELINE_CLIENTS);
        assert_memory_equal(&a, &b, sizeof a);
    }
}

static void count_field(void *ctx, const char *field, const char *value)
{
    (void)field, (void)value;
    ++*(int *)ctx;
}

static void empty_writes_nothing(void **state)
{
    (void)state;
    struct baseline b;
    int n = 0;
    baseline_init(&b, SPAN("nobody"));
    assert_int_equal(baseline_write(&b, count_field, &n), 0);
    assert_int_equal(n, 0);
}

struct wanted {
    const char *field;
    char value[BASELINE_VALUE_MAX];
};

static void want_field(void *ctx, const char *field, const char *value)
{
    struct wanted *w = ctx;
    if (strcmp(w->field, field) == 0)
        snprintf(w->value, sizeof w->value, "%s", value);
}

static void reads_like_english(void **state)
{
    (void)state;
    struct baseline b;
    baseline_init(&b, SPAN("ivan"));
    struct place home = place_at("81.2.69.163", "GB", 12345);
    baseline_learn_place(&b, &home, T0)->trust = TRUST_USUAL;
    baseline_learn_place(&b, &home, T0 + 60);
    struct wanted w = {.field = "place:0"};
    baseline_write(&b, want_field, &w);
    assert_string_equal(w.value, "GB AS12345 81.2.69.0/24 usual sessions=1.99999738 days=1 "
                                 "first=2026-03-01T21:20:00Z last=2026-03-01T21:21:00Z");
}

static void foreign_text_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *field, *value;
        int want;
    } cases[] = {
        {"colour", "blue", E_NONE},
        {"place", "GB AS1 10.0.0.0/24 usual sessions=1 days=1 first=2026-03-01T00:00:00Z last=2026-03-01T00:00:00Z",
         E_NONE},
        {"place:12", "", E_NONE},
        {"place:99999999999999999999", "", E_NONE},
        {"place:x", "", E_NONE},
        {"seen:0", "", E_NONE},
        {"place:0", "", E_BAD},
        {"place:0", "GB AS1 10.0.0.0/24 usual sessions=1 days=1 first=2026-03-01T00:00:00Z", E_BAD},
        {"place:0", "GB AS1 10.0.0.0/24 usual sessions=nan days=1 first=2026-03-01T00:00:00Z last=2026-03-01T00:00:00Z",
         E_BAD},
        {"place:0", "GBR AS1 10.0.0.0/24 usual sessions=1 days=1 first=2026-03-01T00:00:00Z last=2026-03-01T00:00:00Z",
         E_BAD},
        {"place:0", "GB AS1 10.0.0.0/24 none sessions=1 days=1 first=2026-03-01T00:00:00Z last=2026-03-01T00:00:00Z",
         E_BAD},
        {"place:0",
         "GB AS1 10.0.0.0/24 usual sessions=1 days=65536 first=2026-03-01T00:00:00Z last=2026-03-01T00:00:00Z", E_BAD},
        {"place:0",
         "GB AS4294967296 10.0.0.0/24 usual sessions=1 days=1 first=2026-03-01T00:00:00Z last=2026-03-01T00:00:00Z",
         E_BAD},
        {"place:0", "- AS0 10.0.0.0/24 usual sessions=1 days=1 first=2026-03-01T00:00:00Z last=2026-03-01T00:00:00Z",
         E_OK},
        {"place:0", "- AS0 10.0.0.0/24 usual sessions=1 days=1 first=2026-03-01T00:00:00Z last=2026-03-01T00:00:00Z x",
         E_BAD},
        {"client:0", "usual family=1 version=1 agent=00000001 sessions=1 days=1 first=2026-03-01T00:00:00Z", E_BAD},
        {"client:0",
         "usual family=1 version=1 agent=000000001 sessions=1 days=1 first=2026-03-01T00:00:00Z "
         "last=2026-03-01T00:00:00Z name=x",
         E_OK},
        {"client:0",
         "usual family=1 version=1 agent=100000001 sessions=1 days=1 first=2026-03-01T00:00:00Z "
         "last=2026-03-01T00:00:00Z name=x",
         E_BAD},
        {"client:0",
         "usual family=1 version=1 agent=1 sessions=1 days=1 first=2026-03-01T00:00:00Z "
         "last=2026-03-01T00:00:00Z name=a name of many bytes",
         E_BAD},
        {"kind", "robot", E_BAD},
        {"actions", "download fly", E_BAD},
        {"hours", "1 2 3", E_BAD},
        {"hours", "256 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0", E_BAD},
        {"routes", "00 zz", E_BAD},
        {"files_day", "n=1 sum=-1 squares=1", E_BAD},
        {"slow", "cases=-1", E_BAD},
        {"slow", "cases=inf", E_BAD},
        {"today", "day=2026-02-30x files=1", E_BAD},
        {"today", "day=2026-03-01 files=1", E_BAD},
        {"seen", "first=yesterday last=today sessions=1 acts=1 files=1 days=1", E_BAD},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct baseline b, before;
        fill(&b, 7);
        before = b;
        if (baseline_read(&b, cases[i].field, cases[i].value) != cases[i].want)
            fail_msg("%s = %s", cases[i].field, cases[i].value);
        if (cases[i].want != E_OK)
            assert_memory_equal(&b, &before, sizeof b);
    }
}

static void new_places_displace_new_places(void **state)
{
    (void)state;
    struct baseline b;
    baseline_init(&b, SPAN("alice"));
    struct place office = place_at("198.51.100.11", "", 0);
    baseline_learn_place(&b, &office, T0)->trust = TRUST_USUAL;
    for (unsigned i = 0; i < 1000; i++) {
        char text[32];
        snprintf(text, sizeof text, "10.%u.%u.1", i / 256, i % 256);
        struct place there = place_at(text, "XX", i);
        for (unsigned n = 0; n < 5; n++)
            baseline_learn_place(&b, &there, T0 + 86400 + i * 60 + n);
    }
    assert_non_null(baseline_place(&b, &office));
    assert_int_equal(baseline_place(&b, &office)->trust, TRUST_USUAL);
    unsigned quarantined = 0;
    for (unsigned i = 0; i < BASELINE_PLACES; i++)
        quarantined += b.places[i].trust == TRUST_QUARANTINED;
    assert_int_equal(quarantined, BASELINE_PLACES - 1);
}

static void clients_keep_their_highest_version(void **state)
{
    (void)state;
    struct baseline b;
    baseline_init(&b, SPAN("alice"));
    struct client firefox = {.name = "Firefox", .family = 3, .major = 147, .agent = 1};
    baseline_learn_client(&b, &firefox, T0);
    firefox.major = 148;
    baseline_learn_client(&b, &firefox, T0 + 86400);
    firefox.major = 140;
    struct client *c = baseline_learn_client(&b, &firefox, T0 + 86460);
    assert_int_equal(c->major, 148);
    assert_int_equal(c->days, 2);
    firefox.agent = 2;
    assert_null(baseline_client(&b, &firefox));
}

static void names_are_cut(void **state)
{
    (void)state;
    struct baseline b;
    char name[400];
    memset(name, 'n', sizeof name);
    baseline_init(&b, span_of(name, sizeof name));
    assert_int_equal(baseline_name(&b).size, BASELINE_NAME_MAX - 1);
    assert_true(sizeof b <= 1024);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(empty_writes_nothing),
        cmocka_unit_test(reads_like_english),
        cmocka_unit_test(foreign_text_is_refused),
        cmocka_unit_test(new_places_displace_new_places),
        cmocka_unit_test(clients_keep_their_highest_version),
        cmocka_unit_test(names_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
