/* SPDX-License-Identifier: Apache-2.0
 * Secrets that come when the connection has ended: the same activities as with secrets that were there before, each with
 * the packet times it has then. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/hash.h"
#include "capture/source.h"
#include "io/key_feed.h"
#include "run/pipeline.h"
#include "run/setup.h"

#define WIRE "build/captures/wire/"

struct told {
    struct pipeline *pipeline;
    uint64_t n, sum; /* of the activities, in whatever order */
};

static void on_candidate(void *ctx, const struct activity *candidate)
{
    struct told *t = ctx;
    t->n++;
    t->sum += hash64(span_of(candidate, activity_size(candidate)), 0);
}

static void on_key_line(void *ctx, struct span line)
{
    struct told *t = ctx;
    pipeline_key_line(t->pipeline, line);
}

static void read_keys(struct told *t, const char *path)
{
    struct text why = {0};
    assert_int_equal(key_feed_read(path, on_key_line, t, &why), 0);
    pipeline_keys(t->pipeline);
    text_fini(&why);
}

/* What is told until the capture ends, before the pipeline does. */
static struct told run(const char *capture, const char *keys, bool is_late)
{
    struct told told = {0};
    struct settings s;
    struct setup setup;
    struct text why = {0};
    struct source *source;
    struct packet packet;
    settings_init(&s);
    assert_int_equal(settings_set(&s, "keylog", keys, &why), 0);
    assert_int_equal(settings_set(&s, "max-flows", "1000", &why), 0);
    assert_int_equal(setup_init(&setup, &s, &why), 0);
    struct pipeline_hooks hooks = {.ctx = &told, .on_candidate = on_candidate};
    assert_int_equal(pipeline_new(&s, setup.profiles, setup.key, &hooks, &told.pipeline), 0);
    assert_int_equal(source_open_files(&source, &capture, 1, NULL, &why), 0);
    if (!is_late)
        read_keys(&told, keys);
    while (source_next(source, &packet) == 1)
        pipeline_packet(told.pipeline, &packet);
    if (is_late) {
        assert_int_equal(told.n, 0);
        read_keys(&told, keys);
    }
    source_close(source);
    struct told result = told;
    pipeline_free(told.pipeline);
    setup_fini(&setup);
    settings_fini(&s);
    text_fini(&why);
    return result;
}

static void test_ended(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {WIRE "pcaps/h1-tls12.pcap", WIRE "keylogs/h1-tls12.keys"},
        {WIRE "pcaps/h2-tls13.pcap", WIRE "keylogs/h2-tls13.keys"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct told before = run(rows[i][0], rows[i][1], false), late = run(rows[i][0], rows[i][1], true);
        assert_true(before.n > 5);
        assert_int_equal(late.n, before.n);
        assert_true(late.sum == before.sum);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_ended)};
    if (access(WIRE, R_OK) != 0) {
        print_message("no %s: unpack the captures first\n", WIRE);
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
