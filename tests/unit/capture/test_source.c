/* SPDX-License-Identifier: Apache-2.0
 * Capture files as a source: formats, merging in time order, directories, filters, truncation, errors, few descriptors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "capture/source.h"
#include "support/savefile.h"

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

/* Opens one path, or dies with the reason. */
static struct source *open_one(const char *path, const char *filter)
{
    struct text why = {0};
    struct source *s = NULL;
    const char *paths[] = {path};
    if (source_open_files(&s, paths, 1, filter, &why) != E_OK)
        fail_msg("%s", text_str(&why));
    text_fini(&why);
    return s;
}

static void expect_error(const char *path, const char *filter, int code, const char *reason)
{
    struct text why = {0};
    struct source *s = NULL;
    const char *paths[] = {path};
    assert_int_equal(source_open_files(&s, paths, 1, filter, &why), code);
    assert_non_null(strstr(text_str(&why), reason));
    assert_null(strchr(text_str(&why), '\n'));
    text_fini(&why);
}

static void test_formats(void **state)
{
    (void)state;
    static const struct {
        uint32_t magic, fraction;
        uint64_t ns;
    } cases[] = {
        {0xA1B2C3D4, 123456, 4000000001123456000},
        {0xA1B23C4D, 123456789, 4000000001123456789},
    };
    for (size_t i = 0; i < 4; i++) {
        struct savefile f = {.is_big = i & 1};
        char path[512];
        savefile_pcap(&f, cases[i / 2].magic, i & 1 ? 101 : 1);
        savefile_record(&f, 4000000001, cases[i / 2].fraction, 5, 60); /* after 2038 */
        savefile_record(&f, 4000000002, 0, 6, 1514);
        struct source *s = open_one(scratch_write(scratch, "one.pcap", text_span(&f.out), path), NULL);
        struct packet p;
        assert_int_equal(source_next(s, &p), 1);
        assert_int_equal(p.time_ns, cases[i / 2].ns);
        assert_int_equal(p.caught, 60);
        assert_int_equal(p.wire, 60);
        assert_int_equal(p.link, i & 1 ? 12 : 1);
        assert_int_equal(p.bytes[59], 64);
        assert_int_equal(p.number, 1);
        assert_int_equal(source_next(s, &p), 1);
        assert_int_equal(p.number, 2);
        assert_int_equal(source_next(s, &p), E_END);
        assert_int_equal(source_next(s, &p), E_END);
        struct source_stats stats;
        source_stats(s, &stats);
        assert_int_equal(stats.packets, 2);
        assert_int_equal(stats.bytes, 1574);
        assert_int_equal(stats.total_bytes, f.out.size);
        assert_int_equal(stats.read_bytes, f.out.size);
        assert_null(source_note(s, 0));
        source_close(s);
        text_fini(&f.out);
    }
}

static void test_kuznetzov(void **state)
{
    (void)state;
    struct savefile f = {0};
    char path[512];
    savefile_pcap(&f, 0xA1B2CD34, 1);
    for (uint8_t i = 0; i < 2; i++) {
        savefile_u32(&f, 10);
        savefile_u32(&f, 5);
        savefile_u32(&f, 4);
        savefile_u32(&f, 4);
        savefile_u64(&f, 0);
        text_add(&f.out, SPAN("data"));
    }
    struct source *s = open_one(scratch_write(scratch, "k.pcap", text_span(&f.out), path), NULL);
    struct packet p;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(source_next(s, &p), 1);
        assert_int_equal(p.time_ns, 10000005000);
        assert_memory_equal(p.bytes, "data", 4);
    }
    assert_int_equal(source_next(s, &p), E_END);
    source_close(s);
    text_fini(&f.out);
}

/* Reads to the end; returns the number of packets and checks that at most one note was left, with this text. */
static uint64_t drain(struct source *s, const char *note)
{
    struct packet p;
    int rc;
    uint64_t n = 0;
    while ((rc = source_next(s, &p)) == 1)
        n++;
    assert_int_equal(rc, E_END);
    if (note)
        assert_non_null(source_note(s, 0));
    assert_true(note ? strstr(source_note(s, 0), note) != NULL : source_note(s, 0) == NULL);
    assert_null(source_note(s, note ? 1 : 0));
    source_close(s);
    return n;
}

/* Every possible cut of a file gives the packets that are whole, and says so. */
static void test_cut_anywhere(void **state)
{
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        struct savefile f = {0};
        size_t ends[4], n = 0;
        if (kind == 0) {
            savefile_pcap(&f, 0xA1B2C3D4, 1);
        } else {
            savefile_section(&f);
            savefile_interface(&f, 1, 0, SPAN(""));
        }
        ends[n++] = f.out.size;
        for (uint32_t i = 0; i < 3; i++) {
            if (kind == 0)
                savefile_record(&f, i, 0, 0, 33 + i);
            else
                savefile_packet(&f, 0, i, 0, 33 + i);
            ends[n++] = f.out.size;
        }
        for (size_t size = kind == 0 ? 24 : 28; size <= f.out.size; size++) {
            char path[512], note[64] = "no packets";
            struct source *s = open_one(scratch_write(scratch, "cut", span_sub(text_span(&f.out), 0, size), path), NULL);
            size_t whole = 0;
            while (whole < 3 && ends[whole + 1] <= size)
                whole++;
            bool is_clean = size == ends[whole] || (kind == 1 && size == 28);
            if (!is_clean)
                snprintf(note, sizeof note, "cut after %zu whole packets", whole);
            assert_int_equal(drain(s, is_clean && whole > 0 ? NULL : note), whole);
        }
        text_fini(&f.out);
    }
}

static void test_damage(void **state)
{
    (void)state;
    struct savefile f = {0};
    char path[512];
    savefile_pcap(&f, 0xA1B2C3D4, 1);
    savefile_record(&f, 1, 0, 0, 60);
    savefile_record(&f, 2, 0, 0, 60);
    memset(f.out.at + 24 + 76 + 8, 0xff, 4); /* a record of 4 GiB */
    struct source *s = open_one(scratch_write(scratch, "bad.pcap", text_span(&f.out), path), NULL);
    assert_int_equal(drain(s, "damaged after 1 whole packets"), 1);
    text_fini(&f.out);

    savefile_section(&f);
    savefile_interface(&f, 1, 0, SPAN(""));
    savefile_packet(&f, 0, 1, 0, 60);
    f.out.at[f.out.size - 4] ^= 1; /* the two lengths of a block differ */
    s = open_one(scratch_write(scratch, "bad.pcapng", text_span(&f.out), path), NULL);
    assert_int_equal(drain(s, "damaged after 0 whole packets"), 0);
    text_fini(&f.out);
}

/* A block and a frame larger than the reader's buffer. */
static void test_large(void **state)
{
    (void)state;
    struct savefile f = {.out = {.max = 16 << 20}};
    struct text filler = {.max = 8 << 20};
    char path[512];
    for (int i = 0; i < 700000; i++)
        text_add_char(&filler, 'x');
    savefile_section(&f);
    savefile_block(&f, 5, text_span(&filler)); /* interface statistics: passed over */
    savefile_interface(&f, 1, 0, SPAN(""));
    savefile_packet(&f, 0, 1, 1, 900000);
    savefile_packet(&f, 0, 2, 2, 60);
    struct source *s = open_one(scratch_write(scratch, "large.pcapng", text_span(&f.out), path), NULL);
    struct packet p;
    assert_int_equal(source_next(s, &p), 1);
    assert_int_equal(p.caught, 900000);
    assert_int_equal(p.bytes[899999], (uint8_t)(1 + 899999));
    assert_int_equal(drain(s, NULL), 1);
    text_fini(&f.out);
    text_fini(&filler);
}

static void test_errors(void **state)
{
    (void)state;
    char path[512];
    expect_error("/nonexistent/x.pcap", NULL, E_IO, "/nonexistent/x.pcap: No such file or directory");
    expect_error(scratch_write(scratch, "empty", SPAN(""), path), NULL, E_BAD, "/empty: empty");
    expect_error(scratch_write(scratch, "abc", SPAN("abc"), path), NULL, E_BAD, "not a capture file (starts with 61 62 63)");
    expect_error(scratch_write(scratch, "text", SPAN("{\"@timestamp\": 1, and so on}"), path), NULL, E_BAD,
                 "not a capture file (starts with 7b 22 40 74 69 6d 65 73)");
    expect_error(scratch_write(scratch, "gz", SPAN("\x1f\x8b\x08 packed"), path), NULL, E_BAD, "compressed (gzip)");
    expect_error(scratch_write(scratch, "short", SPAN("\xd4\xc3\xb2\xa1\2\0\4\0"), path), NULL, E_BAD,
                 "ends inside the file header");
    expect_error(scratch_write(scratch, "old", SPAN("\xd4\xc3\xb2\xa1\7\0\0\0................"), path), NULL, E_BAD,
                 "pcap version 7.0 is not known");
    expect_error(scratch_write(scratch, "ng", SPAN("\x0a\x0d\x0d\x0a\x1c\0\0\0................"), path), NULL, E_BAD,
                 "not a capture file (starts with 0a 0d 0d 0a");
    assert_int_equal(mkdir(strcat(strcpy(path, scratch), "/none"), 0700), 0);
    expect_error(path, NULL, E_BAD, "no capture files in this directory");
    assert_int_equal(rmdir(path), 0);
}

/* Packets of several files come in time order; equal times in the order the files were given. */
static void test_merge_order(void **state)
{
    (void)state;
    static const uint32_t times[3][5] = {{10, 20, 20, 50, 0}, {5, 20, 21, 0, 0}, {30, 29, 60, 0, 0}};
    static const uint8_t sorted[] = {10, 0, 1, 2, 11, 12, 20, 21, 3, 22}; /* file * 10 + index */
    char paths[3][512];
    const char *list[3];
    for (uint8_t i = 0; i < 3; i++) {
        struct savefile f = {.is_big = i == 1};
        char name[16];
        savefile_pcap(&f, i == 2 ? 0xA1B23C4D : 0xA1B2C3D4, 1);
        for (uint8_t k = 0; k < 5 && times[i][k]; k++)
            savefile_record(&f, times[i][k], 0, (uint8_t)(i * 10 + k), 14);
        snprintf(name, sizeof name, "m%u", i);
        list[i] = scratch_write(scratch, name, text_span(&f.out), paths[i]);
        text_fini(&f.out);
    }
    struct text why = {0};
    struct source *s = NULL;
    assert_int_equal(source_open_files(&s, list, 3, NULL, &why), E_OK);
    struct packet p;
    for (size_t i = 0; i < sizeof sorted; i++) {
        assert_int_equal(source_next(s, &p), 1);
        assert_int_equal(p.bytes[0], sorted[i]);
        assert_int_equal(p.source, sorted[i] / 10);
        assert_int_equal(p.number, i + 1);
    }
    assert_int_equal(source_next(s, &p), E_END);
    source_close(s);
    text_fini(&why);
}

static void test_given_twice(void **state)
{
    (void)state;
    struct savefile f = {0};
    char path[512];
    savefile_pcap(&f, 0xA1B2C3D4, 1);
    savefile_record(&f, 1, 0, 0, 14);
    scratch_write(scratch, "twice", text_span(&f.out), path);
    const char *list[] = {path, path};
    struct text why = {0};
    struct source *s = NULL;
    assert_int_equal(source_open_files(&s, list, 2, NULL, &why), E_OK);
    assert_int_equal(drain(s, "given twice, read once"), 1);
    text_fini(&f.out);
    text_fini(&why);
}

/* Many files that all overlap, with few descriptors: each is put aside and taken up again many times. */
static void test_many_files(void **state)
{
    (void)state;
    enum { FILES = 150, EACH = 6 };
    static char paths[FILES][512];
    const char *list[FILES];
    for (uint32_t i = 0; i < FILES; i++) {
        struct savefile f = {0};
        char name[16];
        bool is_ng = i % 3 == 0;
        if (is_ng) {
            savefile_section(&f);
            savefile_interface(&f, 1, 0, SPAN(""));
        } else {
            savefile_pcap(&f, 0xA1B2C3D4, 1);
        }
        for (uint32_t k = 0; k < EACH; k++) {
            uint32_t us = k * FILES + i; /* the files take turns */
            if (is_ng)
                savefile_packet(&f, 0, us, (uint8_t)k, 14);
            else
                savefile_record(&f, 0, us, (uint8_t)k, 14);
        }
        snprintf(name, sizeof name, "many%u", i);
        list[i] = scratch_write(scratch, name, text_span(&f.out), paths[i]);
        text_fini(&f.out);
    }
    struct rlimit before, few;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    few = before;
    few.rlim_cur = 20;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    struct text why = {0};
    struct source *s = NULL;
    assert_int_equal(source_open_files(&s, list, FILES, NULL, &why), E_OK);
    struct packet p;
    for (uint32_t n = 0; n < FILES * EACH; n++) {
        assert_int_equal(source_next(s, &p), 1);
        assert_int_equal(p.time_ns, n * 1000ull);
        assert_int_equal(p.source, n % FILES);
        assert_int_equal(p.bytes[0], n / FILES);
    }
    assert_int_equal(drain(s, NULL), 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    text_fini(&why);
}

static void test_directory(void **state)
{
    (void)state;
    char directory[64], path[512];
    scratch_make(directory);
    for (uint8_t i = 0; i < 3; i++) {
        struct savefile f = {0};
        char name[16];
        savefile_pcap(&f, 0xA1B2C3D4, 1);
        savefile_record(&f, 1, 0, (uint8_t)(2 - i), 14); /* equal times: the order of names decides */
        snprintf(name, sizeof name, "%c.pcap", "cba"[i]);
        scratch_write(directory, name, text_span(&f.out), path);
        text_fini(&f.out);
    }
    scratch_write(directory, "labels.ndjson", SPAN("{}\n"), path);
    scratch_write(directory, "notes.txt", SPAN(""), path);
    scratch_write(directory, ".hidden", SPAN("x"), path);
    struct source *s = open_one(directory, NULL);
    struct packet p;
    for (uint8_t i = 0; i < 3; i++) {
        assert_int_equal(source_next(s, &p), 1);
        assert_int_equal(p.bytes[0], i);
    }
    assert_int_equal(drain(s, "2 skipped that are no captures (labels.ndjson, ...)"), 0);
    scratch_remove(directory);
}

static void collect(void *ctx, struct span text)
{
    text_add(ctx, text);
    text_add_str(ctx, "|");
}

/* A decryption secrets block. */
static void add_secrets(struct savefile *f, uint32_t type, struct span text)
{
    struct savefile body = {.is_big = f->is_big, .out.max = 64u << 20};
    savefile_u32(&body, type);
    savefile_u32(&body, (uint32_t)text.size);
    text_add(&body.out, text);
    savefile_block(f, 10, text_span(&body.out));
    text_fini(&body.out);
}

#define KEY_LOG 0x544c534bu

static void test_secrets(void **state)
{
    (void)state;
    for (int is_big = 0; is_big < 2; is_big++) {
        struct savefile f = {.is_big = is_big, .out.max = 64u << 20};
        struct text got = {.max = 64u << 20}, large = {.max = 64u << 20};
        char path[512];
        struct packet p;
        savefile_section(&f);
        savefile_interface(&f, 1, 0, SPAN(""));
        add_secrets(&f, KEY_LOG, SPAN("one\n"));
        add_secrets(&f, KEY_LOG, SPAN("two")); /* not a multiple of four bytes, and no line end */
        savefile_packet(&f, 0, 1000000, 0, 20);
        add_secrets(&f, 0x57474b4cu, SPAN("of another protocol\n"));
        add_secrets(&f, KEY_LOG, SPAN("three\n"));
        savefile_block(&f, 10, SPAN("KSLTlong")); /* says that it is longer than it is */
        savefile_packet(&f, 0, 2000000, 0, 20);
        savefile_section(&f); /* a section of its own */
        savefile_interface(&f, 1, 0, SPAN(""));
        while (large.size < 2u << 20) /* more than a packet may have */
            text_add_str(&large, "0123456789abcdef0123456789abcdef\n");
        add_secrets(&f, KEY_LOG, text_span(&large));
        savefile_packet(&f, 0, 3000000, 0, 20);
        while (large.size < 17u << 20) /* more than is kept */
            text_add_str(&large, "0123456789abcdef0123456789abcdef\n");
        add_secrets(&f, KEY_LOG, text_span(&large));
        savefile_packet(&f, 0, 4000000, 0, 20);

        struct source *s = open_one(scratch_write(scratch, "secrets.pcapng", text_span(&f.out), path), NULL);
        source_on_secrets(s, collect, &got);
        assert_string_equal(text_str(&got), "one\n\ntwo\n|"); /* passed over when it was opened */
        assert_int_equal(source_next(s, &p), 1);
        assert_int_equal(source_next(s, &p), 1);
        assert_string_equal(text_str(&got), "one\n\ntwo\n|three\n|");
        size_t before = got.size;
        assert_int_equal(source_next(s, &p), 1);
        assert_int_equal(p.time_ns, 3000000000ull);
        assert_in_range(got.size - before, 2u << 20, (2u << 20) + 64);
        before = got.size;
        assert_int_equal(source_next(s, &p), 1);
        assert_int_equal(got.size, before);
        assert_int_equal(source_next(s, &p), E_END);
        assert_non_null(strstr(source_note(s, 0), "blocks of secrets that are not used: 3 ("));
        source_close(s);
        s = open_one(path, NULL); /* nobody asks */
        assert_int_equal(drain(s, "blocks of secrets"), 4);
        text_fini(&f.out);
        text_fini(&got);
        text_fini(&large);
    }
}

static void test_filter(void **state)
{
    (void)state;
    struct savefile f = {0};
    char path[512];
    savefile_section(&f);
    savefile_interface(&f, 1, 0, SPAN(""));
    savefile_interface(&f, 101, 0, SPAN(""));
    savefile_packet(&f, 0, 1, 0, 60);
    savefile_packet(&f, 0, 2, 0, 400);
    savefile_packet(&f, 1, 3, 0, 50);
    savefile_packet(&f, 1, 4, 0, 300);
    scratch_write(scratch, "f.pcapng", text_span(&f.out), path);
    assert_int_equal(drain(open_one(path, "greater 200"), NULL), 2);
    assert_int_equal(drain(open_one(path, ""), NULL), 4);
    assert_int_equal(drain(open_one(path, "ether broadcast or greater 1"), "the filter does not fit link type 12"), 2);
    expect_error(path, "prot tcp", E_CONF, "filter 'prot tcp': ");
    text_fini(&f.out);
}

/* Standard input as a pipe that is fed slowly, then as one that stays silent until source_stop. */
static void test_pipe(void **state)
{
    (void)state;
    struct savefile f = {0};
    int fds[2], saved = dup(STDIN_FILENO);
    savefile_pcap(&f, 0xA1B2C3D4, 1);
    savefile_record(&f, 1, 0, 0, 60);
    savefile_record(&f, 2, 0, 0, 60);
    assert_int_equal(pipe(fds), 0);
    assert_true(write(fds[1], f.out.at, 24 + 30) == 24 + 30); /* into the middle of the first record */
    assert_true(dup2(fds[0], STDIN_FILENO) >= 0);
    close(fds[0]);
    struct source *s = open_one("-", NULL);
    struct packet p;
    assert_int_equal(source_next(s, &p), 0);
    assert_true(write(fds[1], f.out.at + 54, f.out.size - 54) == (ssize_t)f.out.size - 54);
    assert_int_equal(source_next(s, &p), 1);
    assert_int_equal(source_next(s, &p), 1);
    assert_int_equal(p.time_ns, 2000000000);
    assert_int_equal(source_next(s, &p), 0);
    source_stop(s);
    assert_int_equal(source_next(s, &p), E_END);
    source_close(s);
    close(fds[1]);
    dup2(saved, STDIN_FILENO);
    close(saved);
    text_fini(&f.out);
}

static void test_not_permitted(void **state)
{
    (void)state;
    char path[512];
    scratch_write(scratch, "secret.pcap", SPAN("\xd4\xc3\xb2\xa1"), path);
    assert_int_equal(chmod(path, 0), 0);
    assert_int_equal(chmod(scratch, 0755), 0);
    pid_t child = fork(); /* as somebody whom permissions bind */
    if (child == 0) {
        struct text why = {0};
        struct source *s = NULL;
        const char *paths[] = {path};
        if (geteuid() == 0 && setuid(65534) != 0)
            _exit(77);
        _exit(source_open_files(&s, paths, 1, NULL, &why) == E_IO && strstr(text_str(&why), "Permission denied") ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formats), cmocka_unit_test(test_kuznetzov), cmocka_unit_test(test_cut_anywhere),
        cmocka_unit_test(test_damage), cmocka_unit_test(test_large), cmocka_unit_test(test_errors),
        cmocka_unit_test(test_merge_order), cmocka_unit_test(test_given_twice), cmocka_unit_test(test_many_files),
        cmocka_unit_test(test_directory), cmocka_unit_test(test_secrets), cmocka_unit_test(test_filter), cmocka_unit_test(test_pipe),
        cmocka_unit_test(test_not_permitted),
    };
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
