/* SPDX-License-Identifier: Apache-2.0
 * Key logs as programs write and rotate them: growing, cut in the middle of a line, renamed, truncated, in a directory,
 * and over a socket. Nothing is lost, nothing comes twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "io/key_feed.h"
#include "support/savefile.h"

static char scratch[64];

struct feed {
    struct loop *loop;
    struct key_feed *feed;
    struct text got; /* lines, each with '|' behind it */
    struct text why;
};

static void on_line(void *ctx, struct span line)
{
    struct feed *f = ctx;
    text_add(&f->got, line);
    text_add_char(&f->got, '|');
}

static int setup(void **state)
{
    static struct feed feed;
    feed = (struct feed){.loop = loop_new()};
    feed.feed = key_feed_new(feed.loop, on_line, &feed);
    umask(077);
    scratch_make(scratch);
    *state = &feed;
    return 0;
}

static int teardown(void **state)
{
    struct feed *f = *state;
    key_feed_free(f->feed);
    loop_free(f->loop);
    text_fini(&f->got);
    text_fini(&f->why);
    scratch_remove(scratch);
    return 0;
}

static const char *path_of(const char *name)
{
    static char path[2][512];
    static int turn;
    turn = !turn;
    snprintf(path[turn], sizeof path[turn], "%s/%s", scratch, name);
    return path[turn];
}

static void append(const char *name, const char *text)
{
    FILE *file = fopen(path_of(name), "a");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void expect(struct feed *f, const char *lines)
{
    key_feed_poll(f->feed);
    assert_string_equal(text_str(&f->got), lines);
    text_clear(&f->got);
}

static uint64_t counter(const struct feed *f, const char *name)
{
    struct counters c = key_feed_counters(f->feed);
    for (size_t i = 0; i < c.n; i++)
        if (strcmp(c.defs[i].name, name) == 0)
            return c.values[i];
    fail_msg("no counter %s", name);
    return 0;
}

static void test_grows(void **state)
{
    struct feed *f = *state;
    append("keys", "one\ntwo\r\nthr");
    assert_int_equal(key_feed_add(f->feed, path_of("keys"), &f->why), E_OK);
    assert_string_equal(text_str(&f->why), "");
    expect(f, "one|two|");
    expect(f, "");
    append("keys", "ee");
    expect(f, "");
    append("keys", "\n\nfour\n");
    expect(f, "three||four|");
    assert_int_equal(counter(f, "key_feed_lines"), 5);
}

static void test_timer(void **state)
{
    struct feed *f = *state;
    assert_int_equal(key_feed_add(f->feed, path_of("keys"), &f->why), E_OK);
    assert_non_null(strstr(text_str(&f->why), "not there yet"));
    append("keys", "one\n");
    uint64_t begin = loop_now_ms(f->loop);
    while (f->got.size == 0 && loop_now_ms(f->loop) - begin < 3000)
        loop_run_once(f->loop, 500);
    expect(f, "one|");
}

static void test_rename(void **state)
{
    struct feed *f = *state;
    append("keys", "one\n");
    assert_int_equal(key_feed_add(f->feed, path_of("keys"), &f->why), E_OK);
    expect(f, "one|");
    FILE *old = fopen(path_of("keys"), "a"); /* as a server that has not noticed yet */
    append("keys", "two\n");
    assert_int_equal(rename(path_of("keys"), path_of("keys.1")), 0);
    expect(f, "two|");
    for (int i = 0; i < 100; i++) /* nothing replaces it: it is still the one */
        expect(f, "");
    fputs("three\n", old);
    fflush(old);
    append("keys", "five\n");
    fputs("four\nlast", old);
    fflush(old);
    expect(f, "three|four|five|"); /* the rest of the old one first */
    append("keys", "six\n");
    fputs(" of the old\n", old);
    fflush(old);
    expect(f, "last of the old|six|");
    fputs("unfinished", old);
    fclose(old);
    for (int i = 0; i < 270; i++) /* it is given up: what is left of it counts */
        key_feed_poll(f->feed);
    expect(f, "unfinished|");
    append("keys", "seven\n");
    expect(f, "seven|");
    assert_int_equal(counter(f, "key_feed_files"), 2);
}

static void test_truncate(void **state)
{
    struct feed *f = *state;
    append("keys", "one\ntwo\nthr");
    assert_int_equal(key_feed_add(f->feed, path_of("keys"), &f->why), E_OK);
    expect(f, "one|two|");
    assert_int_equal(truncate(path_of("keys"), 0), 0);
    append("keys", "four\n");
    expect(f, "four|");
    assert_int_equal(counter(f, "key_feed_truncated"), 1);
    assert_int_equal(unlink(path_of("keys")), 0); /* and made anew */
    append("keys", "five\n");
    expect(f, "five|");
}

static void test_long_lines(void **state)
{
    struct feed *f = *state;
    char line[KEY_FEED_LINE_MAX + 2];
    memset(line, 'x', sizeof line);
    line[sizeof line - 1] = 0;
    append("keys", line); /* one byte too long, in two pieces */
    assert_int_equal(key_feed_add(f->feed, path_of("keys"), &f->why), E_OK);
    append("keys", line);
    append("keys", "\nnext\n");
    expect(f, "next|");
    assert_int_equal(counter(f, "key_feed_overlong"), 1);
    line[KEY_FEED_LINE_MAX] = 0;
    append("keys", line);
    append("keys", "\n");
    key_feed_poll(f->feed);
    assert_int_equal(f->got.size, KEY_FEED_LINE_MAX + 1);
}

static void test_many_lines(void **state)
{
    struct feed *f = *state;
    FILE *file = fopen(path_of("keys"), "w");
    for (int i = 0; i < 50000; i++)
        fprintf(file, "%d\n", i);
    fclose(file);
    assert_int_equal(key_feed_add(f->feed, path_of("keys"), &f->why), E_OK);
    assert_int_equal(counter(f, "key_feed_lines"), 50000);
    assert_non_null(strstr(text_str(&f->got), "|49999|"));
}

static void test_directory(void **state)
{
    struct feed *f = *state;
    append("a.keys", "a1\n");
    append("b.keys", "b1\nb2");
    append(".hidden", "no\n");
    assert_int_equal(mkdir(path_of("folder"), 0700), 0);
    assert_int_equal(key_feed_add(f->feed, scratch, &f->why), E_OK);
    expect(f, "a1|b1|");
    append("c.keys", "c1\n");
    append("b.keys", "\nb3\n");
    expect(f, "b2|b3|c1|");
    assert_int_equal(rename(path_of("a.keys"), path_of("a.keys.1")), 0); /* it goes on where it was */
    append("a.keys.1", "a2\n");
    append("a.keys", "a3\n");
    key_feed_poll(f->feed);
    assert_non_null(strstr(text_str(&f->got), "a2|"));
    assert_non_null(strstr(text_str(&f->got), "a3|"));
    assert_int_equal(f->got.size, 6);
    text_clear(&f->got);
    assert_int_equal(unlink(path_of("b.keys")), 0);
    for (int i = 0; i < 100; i++)
        expect(f, "");
    append("d.keys", "d1\n"); /* long after the last change */
    expect(f, "d1|");
    rmdir(path_of("folder"));
}

static void test_permissions(void **state)
{
    struct feed *f = *state;
    append("keys", "one\n");
    chmod(path_of("keys"), 0644);
    assert_int_equal(key_feed_add(f->feed, path_of("keys"), &f->why), E_OK);
    assert_non_null(strstr(text_str(&f->why), "everybody on this machine may read"));
    expect(f, "one|"); /* all the same */
    assert_int_equal(counter(f, "key_feed_exposed"), 1);
    text_clear(&f->why);
    assert_int_equal(key_feed_add(f->feed, "/dev/null", &f->why), E_IO);
    assert_non_null(strstr(text_str(&f->why), "neither a file nor a directory"));
    text_clear(&f->why);
    assert_int_equal(key_feed_add(f->feed, path_of("keys/below"), &f->why), E_IO);
    for (int i = 0; i < 15; i++)
        assert_int_equal(key_feed_add(f->feed, path_of("x"), &f->why), E_OK);
    assert_int_equal(key_feed_add(f->feed, path_of("x"), &f->why), E_LIMIT);
}

static struct sockaddr_un address_of(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    assert_true(strlen(path) < sizeof address.sun_path);
    memcpy(address.sun_path, path, strlen(path));
    return address;
}

static int dial(const char *path)
{
    struct sockaddr_un address = address_of(path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

static void turn(struct feed *f, const char *lines)
{
    for (int i = 0; i < 200 && f->got.size < strlen(lines); i++)
        loop_run_once(f->loop, 10);
    loop_run_once(f->loop, 0);
    assert_string_equal(text_str(&f->got), lines);
    text_clear(&f->got);
}

static void send_text(int fd, const char *text)
{
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static void test_socket(void **state)
{
    struct feed *f = *state;
    char place[600], path[512];
    struct stat st;
    snprintf(path, sizeof path, "%s", path_of("socket"));
    snprintf(place, sizeof place, "unix:%s", path);
    umask(0);
    assert_int_equal(key_feed_add(f->feed, place, &f->why), E_OK);
    assert_int_equal(umask(077), 0); /* left as it was */
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    int a = dial(path), b = dial(path);
    send_text(a, "a1\na");
    turn(f, "a1|");
    send_text(b, "b1\nb");
    turn(f, "b1|");
    send_text(a, "2\n");
    turn(f, "a2|");
    close(a);
    send_text(b, "2");
    close(b); /* a last line without its end */
    turn(f, "b2|");
    assert_int_equal(counter(f, "key_feed_clients"), 2);

    struct text why = {0}; /* somebody listens on it */
    assert_int_equal(key_feed_add(f->feed, place, &why), E_IO);
    assert_non_null(strstr(text_str(&why), "another program"));
    text_clear(&why);
    append("file", "x");
    snprintf(place, sizeof place, "unix:%s", path_of("file"));
    assert_int_equal(key_feed_add(f->feed, place, &why), E_IO);
    assert_non_null(strstr(text_str(&why), "is no socket"));
    text_clear(&why);
    assert_int_equal(key_feed_add(f->feed, "unix:", &why), E_IO);
    text_fini(&why);
    int fds[70];
    for (int i = 0; i < 70; i++) {
        fds[i] = dial(path);
        loop_run_once(f->loop, 10);
    }
    for (int i = 0; i < 100; i++)
        loop_run_once(f->loop, 0);
    assert_int_equal(counter(f, "key_feed_turned_away"), 6);
    for (int i = 0; i < 70; i++)
        close(fds[i]);
    key_feed_free(f->feed);
    assert_int_equal(stat(path, &st), -1); /* it is removed */

    struct sockaddr_un address = address_of(path); /* what a run before left behind is replaced */
    int dead = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(dead, (const struct sockaddr *)&address, sizeof address), 0);
    close(dead);
    f->feed = key_feed_new(f->loop, on_line, f);
    snprintf(place, sizeof place, "unix:%s", path);
    assert_int_equal(key_feed_add(f->feed, place, &f->why), E_OK);
    a = dial(path);
    send_text(a, "again\n");
    turn(f, "again|");
    close(a);
}

static void test_read_once(void **state)
{
    struct feed *f = *state;
    append("b", "b1\nb2");
    append("a", "a1\r\n");
    assert_int_equal(key_feed_read(path_of("b"), on_line, f, &f->why), E_OK);
    expect(f, "b1|b2|");
    assert_int_equal(key_feed_read(scratch, on_line, f, &f->why), E_OK);
    expect(f, "a1|b1|b2|");
    assert_string_equal(text_str(&f->why), "");
    chmod(path_of("a"), 0604);
    assert_int_equal(key_feed_read(scratch, on_line, f, &f->why), E_OK);
    expect(f, "a1|b1|b2|");
    assert_non_null(strstr(text_str(&f->why), "/a: everybody"));
    text_clear(&f->why);
    assert_int_equal(key_feed_read(path_of("c"), on_line, f, &f->why), E_IO);
    assert_non_null(strstr(text_str(&f->why), "No such file"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_grows, setup, teardown),
        cmocka_unit_test_setup_teardown(test_timer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rename, setup, teardown),
        cmocka_unit_test_setup_teardown(test_truncate, setup, teardown),
        cmocka_unit_test_setup_teardown(test_long_lines, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many_lines, setup, teardown),
        cmocka_unit_test_setup_teardown(test_directory, setup, teardown),
        cmocka_unit_test_setup_teardown(test_permissions, setup, teardown),
        cmocka_unit_test_setup_teardown(test_socket, setup, teardown),
        cmocka_unit_test_setup_teardown(test_read_once, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
