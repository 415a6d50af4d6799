/* SPDX-License-Identifier: Apache-2.0
 * Files of lines: whole or not there, logs that grow, errors that stick. */
#include "base/err.h"
#include "sink/sink.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
/* cmocka wants those above first */
#include <cmocka.h>

struct place {
    char dir[64], path[96], unfinished[128];
};

static int make_place(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    snprintf(p->dir, sizeof p->dir, "%s", "line_file.XXXXXX");
    if (!mkdtemp(p->dir))
        return -1;
    snprintf(p->path, sizeof p->path, "%s/lines", p->dir);
    snprintf(p->unfinished, sizeof p->unfinished, "%s.unfinished", p->path);
    *state = p;
    return 0;
}

static int remove_place(void **state)
{
    struct place *p = *state;
    unlink(p->path);
    unlink(p->unfinished);
    int code = rmdir(p->dir); /* fails when anything else was left there */
    free(p);
    return code;
}

static void put(const char *path, const char *content)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(content, f);
    fclose(f);
}

static void assert_holds(const char *path, const char *content)
{
    char got[256] = "";
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    got[fread(got, 1, sizeof got - 1, f)] = 0;
    fclose(f);
    assert_string_equal(got, content);
}

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

static struct line_file *open_ok(const char *path, bool is_atomic)
{
    struct line_file *f;
    struct text why = {0};
    if (line_file_open(&f, path, is_atomic, &why))
        fail_msg("%s", text_str(&why));
    text_fini(&why);
    return f;
}

static void atomic_appears_whole(void **state)
{
    struct place *p = *state;
    struct text why = {0};
    put(p->path, "before\n");
    struct line_file *f = open_ok(p->path, true);
    assert_int_equal(line_file_write(f, SPAN("one\n")), E_OK);
    assert_int_equal(line_file_flush(f), E_OK);
    assert_holds(p->path, "before\n");
    assert_int_equal(line_file_write(f, SPAN("two\n")), E_OK);
    assert_int_equal(line_file_close(f, true, &why), E_OK);
    assert_holds(p->path, "one\ntwo\n");
    assert_false(exists(p->unfinished));
    assert_int_equal(why.size, 0);
}

static void atomic_given_up(void **state)
{
    struct place *p = *state;
    struct text why = {0};
    put(p->path, "before\n");
    struct line_file *f = open_ok(p->path, true);
    assert_int_equal(line_file_write(f, SPAN("one\n")), E_OK);
    assert_int_equal(line_file_close(f, false, &why), E_OK);
    assert_holds(p->path, "before\n");
    assert_false(exists(p->unfinished));
}

static void empty_is_a_file_too(void **state)
{
    struct place *p = *state;
    struct text why = {0};
    assert_int_equal(line_file_close(open_ok(p->path, true), true, &why), E_OK);
    assert_holds(p->path, "");
    assert_int_equal(line_file_close(NULL, true, &why), E_OK);
}

static void log_grows(void **state)
{
    struct place *p = *state;
    struct text why = {0};
    static const struct {
        const char *before, *after;
    } rows[] = {{"", "new\n"}, {"one\n", "one\nnew\n"}, {"one\ntwo", "one\nnew\n"}, {"torn", "new\n"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        put(p->path, rows[i].before);
        struct line_file *f = open_ok(p->path, false);
        assert_int_equal(line_file_write(f, SPAN("new\n")), E_OK);
        assert_int_equal(line_file_flush(f), E_OK);
        assert_holds(p->path, rows[i].after);
        assert_int_equal(line_file_close(f, false, &why), E_OK);
        assert_holds(p->path, rows[i].after);
    }
}

/* Lines smaller, as large and larger than the buffer, in order. */
static void any_size(void **state)
{
    struct place *p = *state;
    struct text why = {0};
    static const size_t sizes[] = {1, 65535, 65536, 65537, 3, 200000, 65536, 0, 1};
    uint8_t *line = malloc(200000);
    assert_non_null(line);
    struct line_file *f = open_ok(p->path, true);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        memset(line, 'a' + (int)i, 200000);
        assert_int_equal(line_file_write(f, span_of(line, sizes[i])), E_OK);
    }
    assert_int_equal(line_file_close(f, true, &why), E_OK);
    FILE *in = fopen(p->path, "r");
    assert_non_null(in);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        assert_int_equal(fread(line, 1, sizes[i], in), sizes[i]);
        for (size_t k = 0; k < sizes[i]; k++)
            assert_int_equal(line[k], 'a' + (int)i);
    }
    assert_int_equal(fgetc(in), EOF);
    fclose(in);
    free(line);
}

static void full_disk_is_told(void **state)
{
    struct place *p = *state;
    struct text why = {0};
    if (!exists("/dev/full"))
        skip();
    for (int is_atomic = 0; is_atomic < 2; is_atomic++) {
        struct line_file *f = open_ok("/dev/full", is_atomic);
        assert_int_equal(line_file_write(f, SPAN("one\n")), E_OK); /* in the buffer */
        assert_int_equal(line_file_flush(f), E_IO);
        assert_int_equal(line_file_write(f, SPAN("two\n")), E_IO); /* and it stays so */
        assert_int_equal(line_file_flush(f), E_IO);
        assert_int_equal(line_file_close(f, true, &why), E_IO);
        assert_string_equal(text_str(&why), "/dev/full: No space left on device");
        text_fini(&why);
    }
    struct line_file *f = open_ok("/dev/full", false);
    assert_int_equal(line_file_write(f, SPAN("one\n")), E_OK);
    assert_int_equal(line_file_close(f, true, &why), E_IO); /* first seen at the end */
    text_fini(&why);
    assert_true(exists("/dev/full"));
    assert_false(exists(p->path));
}

static void cannot_open(void **state)
{
    struct place *p = *state;
    struct text why = {0}, expected = {0};
    char path[160];
    struct line_file *f;
    for (int is_atomic = 0; is_atomic < 2; is_atomic++) {
        snprintf(path, sizeof path, "%s/no/such", p->dir);
        text_addf(&expected, "%s: No such file or directory", path);
        assert_int_equal(line_file_open(&f, path, is_atomic, &why), E_IO);
        assert_null(f);
        assert_string_equal(text_str(&why), text_str(&expected));
        text_clear(&why);
        text_clear(&expected);
        assert_int_equal(line_file_open(&f, p->dir, is_atomic, &why), E_IO); /* a directory */
        assert_non_null(strstr(text_str(&why), "Is a directory"));
        text_clear(&why);
    }
    text_fini(&why);
    text_fini(&expected);
}

/* The directory goes away before the file is in place: nothing is left, and it is told. */
static void cannot_rename(void **state)
{
    struct place *p = *state;
    struct text why = {0};
    struct line_file *f = open_ok(p->path, true);
    assert_int_equal(mkdir(p->path, 0755), 0);
    assert_int_equal(line_file_write(f, SPAN("one\n")), E_OK);
    assert_int_equal(line_file_close(f, true, &why), E_IO);
    assert_non_null(strstr(text_str(&why), "Is a directory"));
    assert_false(exists(p->unfinished));
    assert_int_equal(rmdir(p->path), 0);
    text_fini(&why);
}

/* A link in the way of the unfinished file is not followed. */
static void link_in_the_way(void **state)
{
    struct place *p = *state;
    struct text why = {0};
    struct line_file *f;
    assert_int_equal(symlink("lines", p->unfinished), 0);
    assert_int_equal(line_file_open(&f, p->path, true, &why), E_IO);
    assert_false(exists(p->path));
    text_fini(&why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(atomic_appears_whole, make_place, remove_place),
        cmocka_unit_test_setup_teardown(atomic_given_up, make_place, remove_place),
        cmocka_unit_test_setup_teardown(empty_is_a_file_too, make_place, remove_place),
        cmocka_unit_test_setup_teardown(log_grows, make_place, remove_place),
        cmocka_unit_test_setup_teardown(any_size, make_place, remove_place),
        cmocka_unit_test_setup_teardown(full_disk_is_told, make_place, remove_place),
        cmocka_unit_test_setup_teardown(cannot_open, make_place, remove_place),
        cmocka_unit_test_setup_teardown(cannot_rename, make_place, remove_place),
        cmocka_unit_test_setup_teardown(link_in_the_way, make_place, remove_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
