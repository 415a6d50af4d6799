/* SPDX-License-Identifier: Apache-2.0
 * The activity log: segments by day and size, packing, what a crash leaves, retention and hold, a disk that takes nothing, the
 * chain and everything that breaks it. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/hex.h"
#include "base/times.h"
#include "store/log_chain.h"
#include "store/log_reader.h"
#include "store/log_verify.h"
#include "store/log_writer.h"

#define T0 1772400000000000000ULL /* 2026-03-01 21:20 */
#define DAY (86400 * NS_PER_S)

static char folder[64], dir[128];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/casetap-test-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(dir, sizeof dir, "%s/log", folder);
    return 0;
}

/* A command in the folder, with 'a' in the place of the first "%s". */
static int run(const char *words, const char *a)
{
    char command[512];
    const char *place = strstr(words, "%s");
    assert_non_null(place);
    snprintf(command, sizeof command, "cd %s && %.*s%s%s", folder, (int)(place - words), words, a, place + 2);
    return system(command);
}

static int remove_folder(void **state)
{
    (void)state;
    char command[96];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

static struct log_writer *open_log(struct log_options o)
{
    struct text why = {0};
    struct log_writer *w;
    o.dir = dir;
    int rc = log_writer_open(&w, &o, &why);
    if (rc)
        fail_msg("%d %s", rc, text_str(&why));
    text_fini(&why);
    return w;
}

static void close_log(struct log_writer *w)
{
    struct text why = {0};
    assert_int_equal(log_writer_close(w, &why), E_OK);
    text_fini(&why);
}

/* Record i; all are of one length. */
static uint64_t put(struct log_writer *w, unsigned i, uint64_t ns)
{
    char line[64];
    int n = snprintf(line, sizeof line, "{\"n\":%08u,\"x\":\"abcdefghijklmnopqrstuvwxyz\"}\n", i);
    return log_writer_append(w, span_of(line, (size_t)n), ns);
}

/* Lines there are; each must be the one behind its predecessor, from 'first' on. */
static unsigned count_lines(unsigned first)
{
    struct log_reader *r;
    struct text why = {0};
    struct span lines, line;
    unsigned n = 0, i;
    int rc;
    assert_int_equal(log_reader_open(&r, dir, &why), E_OK);
    while ((rc = log_reader_lines(r, &lines, &why)) > 0)
        while (lines.size && span_split(&lines, '\n', &line)) {
            if (sscanf((const char *)line.at, "{\"n\":%8u", &i) != 1)
                fail_msg("%.*s", (int)line.size, (const char *)line.at);
            assert_int_equal(i, first + n);
            n++;
        }
    if (rc)
        fail_msg("%s", text_str(&why));
    log_reader_free(r);
    text_fini(&why);
    return n;
}

static struct log_verdict verify(const char *said)
{
    struct text why = {0}, told = {0};
    struct log_verdict v;
    assert_int_equal(log_verify(dir, &v, &told, &why), E_OK);
    if (said ? !strstr(text_str(&told), said) : told.size > 0)
        fail_msg("expected '%s': %s", said ? said : "", text_str(&told));
    assert_int_equal(v.faults > 0, said != NULL);
    text_fini(&why);
    text_fini(&told);
    return v;
}

static uint64_t counter(const struct log_writer *w, const char *name)
{
    struct counters c = log_writer_counters(w);
    for (size_t i = 0; i < c.n; i++)
        if (strcmp(c.defs[i].name, name) == 0)
            return c.values[i];
    fail_msg("%s", name);
    return 0;
}

static void test_segments_by_size_and_day(void **state)
{
    (void)state;
    struct log_writer *w = open_log((struct log_options){.segment_bytes = 1000});
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(put(w, i, T0 + i * (DAY / 25)), i + 1);
    assert_int_equal(log_writer_position(w), 100);
    close_log(w);
    assert_int_equal(count_lines(0), 100);
    assert_int_equal(run("ls log/activities-20260301-*.ndjson.zst >%s", "/dev/null"), 0);
    assert_int_equal(run("ls log/activities-20260305-*.ndjson.zst >%s", "/dev/null"), 0);
    assert_int_equal(run("test -z \"$(ls log/*.ndjson log/*.unfinished 2>%s)\"", "/dev/null"), 0);
    struct log_verdict v = verify(NULL);
    assert_int_equal(v.records, 100);
    assert_int_equal(v.first, 1);
    assert_true(v.segments >= 6);
    w = open_log((struct log_options){0}); /* it goes on */
    assert_int_equal(put(w, 100, T0 + 5 * DAY), 101);
    close_log(w);
    assert_int_equal(count_lines(0), 101);
    assert_int_equal(verify(NULL).records, 101);
}

static void test_one_writer(void **state)
{
    (void)state;
    struct log_writer *w = open_log((struct log_options){0}), *second;
    struct text why = {0};
    assert_int_equal(log_writer_open(&second, &(struct log_options){.dir = dir}, &why), E_IO);
    assert_non_null(strstr(text_str(&why), "another process writes"));
    text_fini(&why);
    close_log(w);
}

/* A crash at every byte of the last three lines. */
static void test_torn(void **state)
{
    (void)state;
    char size[16];
    for (unsigned cut = 0; cut < 130; cut++) {
        struct log_writer *w = open_log((struct log_options){0});
        for (unsigned i = 0; i < 10; i++)
            put(w, i, T0);
        assert_true(log_writer_flush(w));
        log_writer_drop(w);
        snprintf(size, sizeof size, "-%u", cut);
        assert_int_equal(run("truncate -s %s log/activities-*.ndjson", size), 0);
        unsigned line = 48, whole = (10 * line - cut) / line;
        w = open_log((struct log_options){0});
        assert_int_equal(counter(w, "log_torn"), (10 * line - cut) % line != 0);
        assert_int_equal(log_writer_position(w), whole);
        for (unsigned i = whole; i < 12; i++)
            assert_int_equal(put(w, i, T0), i + 1);
        close_log(w);
        assert_int_equal(count_lines(0), 12);
        verify(NULL);
        assert_int_equal(run("rm -r %s", "log"), 0);
    }
}

static void test_lost_behind_a_mark(void **state)
{
    (void)state;
    struct log_writer *w = open_log((struct log_options){0});
    for (unsigned i = 0; i < 10; i++)
        put(w, i, T0);
    assert_true(log_writer_sync(w));
    log_writer_drop(w);
    assert_int_equal(run("truncate -s -96 log/activities-*%s", ".ndjson"), 0);
    w = open_log((struct log_options){0});
    assert_int_equal(counter(w, "log_missing"), 2);
    assert_non_null(strstr(log_writer_trouble(w), "2 records that were on disk are missing"));
    close_log(w);
    assert_int_equal(count_lines(0), 8);
}

/* A reader that follows a writer, over the end of segments. */
static void test_follow(void **state)
{
    (void)state;
    struct log_writer *w = open_log((struct log_options){.segment_bytes = 300});
    struct text why = {0};
    struct log_reader *r;
    struct span lines, line;
    unsigned n = 0;
    put(w, 0, T0);
    assert_true(log_writer_flush(w));
    assert_int_equal(log_reader_open(&r, dir, &why), E_OK);
    for (unsigned i = 1; i < 200; i++) {
        while (log_reader_lines(r, &lines, &why) > 0)
            while (lines.size && span_split(&lines, '\n', &line)) {
                unsigned got;
                assert_int_equal(sscanf((const char *)line.at, "{\"n\":%8u", &got), 1);
                assert_int_equal(got, n);
                assert_true(log_reader_first(r) <= n + 1);
                n++;
            }
        assert_int_equal(n, i);
        put(w, i, T0 + i * (DAY / 50));
        assert_true(log_writer_flush(w));
        (void)log_writer_turn(w);
    }
    log_reader_free(r);
    close_log(w);
    assert_int_equal(count_lines(0), 200);
    text_fini(&why);
}

static void test_retention_and_hold(void **state)
{
    (void)state;
    struct log_writer *w = open_log((struct log_options){.keep_days = 10});
    for (unsigned i = 0; i < 30; i++)
        put(w, i, T0 + i * DAY);
    assert_int_equal(counter(w, "log_segments_aged"), 19);
    close_log(w);
    assert_int_equal(count_lines(19), 11);
    assert_int_equal(verify(NULL).first, 20);
    assert_int_equal(run("touch log/%s", "hold"), 0);
    w = open_log((struct log_options){.keep_days = 10});
    for (unsigned i = 30; i < 60; i++)
        put(w, i, T0 + i * DAY);
    assert_int_equal(counter(w, "log_segments_aged"), 0);
    assert_true(counter(w, "log_held") > 0);
    close_log(w);
    assert_int_equal(count_lines(19), 41);
    assert_int_equal(run("rm log/removed log/%s", "hold"), 0);
    verify("no note says that they were removed");
}

/* Writes fail for a while: files may not grow. */
static void test_disk_takes_nothing(void **state)
{
    (void)state;
    struct rlimit before, none = {2000, RLIM_INFINITY};
    struct log_writer *w = open_log((struct log_options){.backlog_bytes = 40000});
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    for (unsigned i = 0; i < 30; i++)
        put(w, i, T0);
    assert_true(log_writer_flush(w));
    none.rlim_max = before.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    for (unsigned i = 30; i < 600; i++) {
        assert_int_equal(put(w, i, T0 + (i > 300 ? DAY : 0)), i + 1);
        bool is_written = log_writer_flush(w);
        assert_true(is_written == (i < 40) || i == 40);
    }
    assert_true(counter(w, "log_write_refused") > 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_true(log_writer_sync(w));
    assert_int_equal(counter(w, "log_lost"), 0);
    put(w, 600, T0 + DAY);
    close_log(w);
    assert_int_equal(count_lines(0), 601);
    verify(NULL);
}

static void test_more_than_may_wait(void **state)
{
    (void)state;
    struct rlimit before, none = {0, RLIM_INFINITY};
    struct text why = {0};
    struct log_writer *w = open_log((struct log_options){.backlog_bytes = 4900});
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    none.rlim_max = before.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    for (unsigned i = 0; i < 120; i++)
        put(w, i, T0);
    assert_int_equal(counter(w, "log_lost"), 18);
    assert_int_equal(log_writer_position(w), 102);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(log_writer_close(w, &why), E_IO);
    assert_int_equal(count_lines(0), 102);
    verify(NULL);
    text_fini(&why);
}

#define TAMPER(how, said)                                                                                              \
    do {                                                                                                               \
        assert_int_equal(run("rm -rf log; cp -r good %s", "log"), 0);                                                  \
        assert_int_equal(run("f=$(ls log/activities-*-00000002.ndjson.zst) && zstd -q -d --rm $f && f=${f%.zst} && " how " %s", "$f"), 0); \
        verify(said);                                                                                                  \
    } while (0)

static void test_tampering(void **state)
{
    (void)state;
    if (run("zstd --version >%s", "/dev/null") != 0)
        skip();
    struct log_writer *w = open_log((struct log_options){.segment_bytes = 1000});
    for (unsigned i = 0; i < 60; i++) {
        put(w, i, T0);
        if (i % 7 == 0)
            assert_true(log_writer_sync(w));
    }
    close_log(w);
    verify(NULL);
    assert_int_equal(run("mv log %s", "good"), 0);
    TAMPER("sed -i '3s/abc/abd/'", "a line was changed, removed or added (records 2");
    TAMPER("sed -i '3d'", "lines were removed from it");
    TAMPER("sed -i '3p'", "lines were added to it");
    TAMPER("sed -i '$d'", "lines were removed from it");
    TAMPER("sed -i '3d;4p'", "a line was changed, removed or added");
    TAMPER("rm -f log/*-00000002.chain;:", "00000002.chain: is missing");
    TAMPER("rm -f log/*-00000002.*;:", "segments before it are missing");
    TAMPER("rm -f log/*-00000001.*;:", "no note says that they were removed");
    TAMPER("sed -i 's/previous ./previous 0/' log/*-00000002.chain;:", "does not go on from the segment before it");
}

/* An erased record leaves its digest. */
static void test_redacted(void **state)
{
    (void)state;
    char line[128], hex[65];
    uint8_t digest[DIGEST_SIZE];
    struct digest d;
    struct log_writer *w = open_log((struct log_options){0});
    for (unsigned i = 0; i < 5; i++)
        put(w, i, T0);
    assert_true(log_writer_sync(w));
    log_writer_drop(w);
    digest_init(&d);
    digest_feed(&d, SPAN("{\"n\":00000002,\"x\":\"abcdefghijklmnopqrstuvwxyz\"}"));
    digest_end(&d, digest);
    snprintf(line, sizeof line, "{\"casetap\":{\"redacted\":\"%s\"}}", hex_text(span_of(digest, 32), hex));
    assert_int_equal(run("sed -i '3s/.*/%s/' log/activities-*.ndjson", line), 0);
    struct log_verdict v = verify(NULL);
    assert_int_equal(v.redacted, 1);
    assert_int_equal(v.records, 5);
    assert_int_equal(run("sed -i '3s/redacted\":\"./redacted\":\"%s/' log/activities-*.ndjson", hex[0] == '0' ? "1" : "0"), 0);
    verify("a line was changed, removed or added");
}

static void test_bad_chain(void **state)
{
    (void)state;
    struct text why = {0};
    struct log_writer *w = open_log((struct log_options){.segment_bytes = 100}), *again;
    struct log_verdict v;
    for (unsigned i = 0; i < 9; i++)
        put(w, i, T0);
    close_log(w);
    assert_int_equal(run("sed -i 's/^casetap chain 1/casetap chain 7/' log/*-00000002.%s", "chain"), 0);
    assert_int_equal(log_writer_open(&again, &(struct log_options){.dir = dir}, &why), E_STATE);
    assert_non_null(strstr(text_str(&why), "00000002.chain:1: a version"));
    text_clear(&why);
    assert_int_equal(log_verify(dir, &v, &(struct text){.max = 1}, &why), E_STATE);
    assert_int_equal(run("sed -i 's/^casetap/nonsense/' log/*-00000002.%s", "chain"), 0);
    assert_int_equal(log_writer_open(&again, &(struct log_options){.dir = dir}, &why), E_BAD);
    verify("is no chain");
    text_fini(&why);
}

static void test_damaged_packing(void **state)
{
    (void)state;
    struct text why = {0};
    struct log_reader *r;
    struct span lines;
    int rc, n_bad = 0;
    size_t n = 0;
    struct log_writer *w = open_log((struct log_options){.segment_bytes = 400});
    for (unsigned i = 0; i < 40; i++)
        put(w, i, T0);
    close_log(w);
    assert_int_equal(run("truncate -s -9 log/*-00000002.ndjson.%s", "zst"), 0);
    assert_int_equal(log_reader_open(&r, dir, &why), E_OK);
    while ((rc = log_reader_lines(r, &lines, &why)) != 0) {
        n_bad += rc == E_BAD;
        for (size_t i = 0; rc > 0 && i < lines.size; i++)
            n += lines.at[i] == '\n';
    }
    assert_int_equal(n_bad, 1);
    assert_true(n >= 31 && n < 40);
    assert_non_null(strstr(text_str(&why), "00000002.ndjson.zst: damaged"));
    log_reader_free(r);
    verify("cannot be unpacked");
    text_fini(&why);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(test_segments_by_size_and_day), EACH(test_one_writer), EACH(test_torn), EACH(test_lost_behind_a_mark),
        EACH(test_follow), EACH(test_retention_and_hold), EACH(test_disk_takes_nothing), EACH(test_more_than_may_wait),
        EACH(test_tampering), EACH(test_redacted), EACH(test_bad_chain), EACH(test_damaged_packing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
