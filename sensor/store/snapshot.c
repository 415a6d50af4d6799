/* SPDX-License-Identifier: Apache-2.0
 * Writes and reads state files. */
#include "store/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/hash.h"

#define HEAD "casetap-state "
#define VERSION 1
#define SECTION "section "
#define END "end "
#define NEW_SUFFIX ".new"
#define SECTION_NAME_MAX 64

struct snapshot {
    char *path, *new_path;
    FILE *file;
    uint64_t lines, sum;
    int error; /* errno of the first failure; EINVAL for a malformed line */
};

static int io_fail(struct text *why, const char *path, const char *what, int error)
{
    text_addf(why, "%s: cannot %s: %s", path, what, strerror(error));
    return E_IO;
}

/* The directory part of a path, "." when there is none; caller frees. */
static char *directory_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return strdup(".");
    return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

int snapshot_check_path(const char *path, struct text *why)
{
    struct stat info;
    if (lstat(path, &info) == 0 && !S_ISREG(info.st_mode)) {
        text_addf(why, "%s: cannot be a state file: it is no regular file", path);
        return E_IO;
    }
    char *directory = directory_of(path);
    int error = directory ? 0 : ENOMEM;
    if (directory && access(directory, W_OK | X_OK) != 0)
        error = errno;
    free(directory);
    return error ? io_fail(why, path, "be written there", error) : E_OK;
}

static void snapshot_free(struct snapshot *s)
{
    if (s->file)
        fclose(s->file);
    free(s->path);
    free(s->new_path);
    free(s);
}

static void put_line(struct snapshot *s, const char *indent, const char *head, const char *line)
{
    char whole[SNAPSHOT_LINE_MAX];
    int size = snprintf(whole, sizeof whole, "%s%s%s", indent, head, line);
    if (size < 0 || (size_t)size + 1 >= sizeof whole) {
        s->error = s->error ? s->error : EINVAL;
        return;
    }
    for (const char *c = whole; *c; c++)
        if ((unsigned char)*c < 0x20 && *c != '\t')
            s->error = s->error ? s->error : EINVAL;
    s->sum = hash64(span_of(whole, (size_t)size), s->sum);
    s->lines++;
    if (fprintf(s->file, "%s\n", whole) < 0 && !s->error)
        s->error = errno;
}

int snapshot_new(const char *path, struct snapshot **out, struct text *why)
{
    *out = NULL;
    struct snapshot *s = calloc(1, sizeof *s);
    if (s) {
        size_t size = strlen(path) + sizeof NEW_SUFFIX;
        s->path = strdup(path);
        s->new_path = malloc(size);
        if (s->new_path)
            snprintf(s->new_path, size, "%s%s", path, NEW_SUFFIX);
    }
    if (!s || !s->path || !s->new_path) {
        if (s)
            snapshot_free(s);
        return io_fail(why, path, "write", ENOMEM);
    }
    int fd = open(s->new_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0)
        s->file = fdopen(fd, "w");
    if (!s->file) {
        int error = errno;
        if (fd >= 0)
            close(fd);
        snapshot_free(s);
        return io_fail(why, path, "write", error);
    }
    char version[16];
    snprintf(version, sizeof version, "%d", VERSION);
    put_line(s, "", HEAD, version);
    *out = s;
    return E_OK;
}

void snapshot_section(struct snapshot *s, const char *name)
{
    put_line(s, "", SECTION, name);
}

void snapshot_line(struct snapshot *s, const char *line)
{
    put_line(s, "  ", "", line);
}

static int sync_directory(const char *path)
{
    char *directory = directory_of(path);
    if (!directory)
        return ENOMEM;
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int error = fd < 0 ? errno : 0;
    /* Some file systems cannot sync a directory and say EINVAL: nothing more can be done there. */
    if (fd >= 0 && fsync(fd) != 0 && errno != EINVAL)
        error = errno;
    if (fd >= 0)
        close(fd);
    free(directory);
    return error;
}

int snapshot_commit(struct snapshot *s, struct text *why)
{
    int result = E_OK;
    if (!s->error && fprintf(s->file, END "%" PRIu64 " %016" PRIx64 "\n", s->lines, s->sum) < 0)
        s->error = errno;
    if (!s->error && (fflush(s->file) != 0 || fsync(fileno(s->file)) != 0))
        s->error = errno;
    if (fclose(s->file) != 0 && !s->error)
        s->error = errno;
    s->file = NULL;
    if (!s->error && rename(s->new_path, s->path) != 0)
        s->error = errno;
    if (s->error) {
        unlink(s->new_path);
        result = io_fail(why, s->path, "write", s->error);
    } else {
        int error = sync_directory(s->path);
        if (error)
            result = io_fail(why, s->path, "sync its directory", error);
    }
    snapshot_free(s);
    return result;
}

/* State of one reading. */
struct loader {
    const char *path;
    snapshot_line_fn *fn;
    void *ctx;
    struct text *why;
    char section[SECTION_NAME_MAX]; /* "" before the first */
    uint64_t lines, sum;
    bool is_ended;
};

static int bad_line(struct loader *l, uint64_t line, const char *reason)
{
    text_addf(l->why, "%s:%" PRIu64 ": %s", l->path, line, reason);
    return E_BAD;
}

static int load_head(struct loader *l, const char *line)
{
    uint64_t version = 0;
    if (strncmp(line, HEAD, sizeof HEAD - 1) != 0 || !span_u64(span_text(line + sizeof HEAD - 1), &version))
        return bad_line(l, 1, "not a casetap state file (it begins with \"" HEAD "1\")");
    if (version != VERSION) {
        text_addf(l->why, "%s:1: state of version %" PRIu64 "; this casetap knows version %d", l->path, version,
                  VERSION);
        return E_BAD;
    }
    return E_OK;
}

static int load_end(struct loader *l, const char *line)
{
    char expected[48];
    snprintf(expected, sizeof expected, END "%" PRIu64 " %016" PRIx64, l->lines, l->sum);
    if (strcmp(line, expected) != 0)
        return bad_line(l, l->lines + 1, "the check sum does not fit: the file was changed or damaged");
    l->is_ended = true;
    return E_OK;
}

static int load_line(struct loader *l, const char *line, size_t size)
{
    uint64_t number = l->lines + 1;
    int result = E_OK;
    if (l->is_ended)
        return bad_line(l, number + 1, "something follows the end");
    if (number > 1 && strncmp(line, END, sizeof END - 1) == 0)
        return load_end(l, line);
    l->sum = hash64(span_of(line, size), l->sum);
    l->lines++;
    if (number == 1)
        return load_head(l, line);
    if (strncmp(line, SECTION, sizeof SECTION - 1) == 0) {
        const char *name = line + sizeof SECTION - 1;
        size_t name_size = strlen(name);
        if (name_size == 0 || name_size >= sizeof l->section)
            return bad_line(l, number, "a section has a name of 1 to 63 bytes");
        memcpy(l->section, name, name_size + 1);
        return E_OK;
    }
    if (!l->section[0] || line[0] != ' ' || line[1] != ' ')
        return bad_line(l, number, "expected a section, a line indented by two blanks, or the end");
    struct text reason = {0};
    result = l->fn(l->ctx, l->section, line + 2, (uint32_t)number, &reason);
    if (result != E_OK)
        result = bad_line(l, number, text_str(&reason));
    text_fini(&reason);
    return result;
}

int snapshot_load(const char *path, snapshot_line_fn *fn, void *ctx, struct text *why)
{
    struct loader l = {.path = path, .fn = fn, .ctx = ctx, .why = why};
    FILE *file = fopen(path, "re");
    if (!file)
        return errno == ENOENT ? E_NONE : io_fail(why, path, "read", errno);
    char line[SNAPSHOT_LINE_MAX];
    int result = E_OK;
    while (result == E_OK) {
        if (!fgets(line, sizeof line, file))
            break;
        size_t size = strlen(line);
        if (size && line[size - 1] == '\n') {
            line[--size] = 0;
            result = load_line(&l, line, size);
        } else {
            result = bad_line(&l, l.lines + 1, feof(file) ? "the file ends in the middle of a line: it was cut short"
                                                          : "the line is too long or holds a NUL");
        }
    }
    if (result == E_OK && ferror(file))
        result = io_fail(why, path, "read", errno);
    if (result == E_OK && l.lines == 0)
        result = bad_line(&l, 1, "the file is empty");
    else if (result == E_OK && !l.is_ended)
        result = bad_line(&l, l.lines + 1, "the end is missing: the file was cut short");
    fclose(file);
    return result;
}
