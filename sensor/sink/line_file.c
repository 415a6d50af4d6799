/* SPDX-License-Identifier: Apache-2.0
 * A buffered file of lines: a log that grows, or an atomic one that stands beside its name until it is kept. */
#include "base/err.h"
#include "sink/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER_SIZE 65536

struct line_file {
    char *path, *unfinished; /* where it shall be; where it is written (the same when it is not atomic) */
    int fd;
    int error; /* errno of the first failure, sticky */
    off_t there, at; /* bytes that it has and that come again; of these so far */
    size_t used;
    uint8_t buffer[BUFFER_SIZE];
};

static void destroy(struct line_file *f)
{
    if (f->fd >= 0)
        close(f->fd); /* an error was taken note of before, at fsync or close */
    if (f->unfinished != f->path)
        free(f->unfinished);
    free(f->path);
    free(f);
}

static int fail(struct text *why, const char *path, int error)
{
    text_addf(why, "%s: %s", path, strerror(error));
    return E_IO;
}

/* Only a regular file can be replaced by renaming: a pipe or a device is written in place. */
static bool is_replaceable(const char *path)
{
    struct stat st;
    return stat(path, &st) != 0 || S_ISREG(st.st_mode);
}

/* A log that grows: what a crash left behind its last whole line is cut off, so that every line of it can be read. */
static int open_log(const char *path)
{
    struct stat st;
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return open(path, O_WRONLY | O_CLOEXEC);
    int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    off_t end = fd < 0 ? 0 : lseek(fd, 0, SEEK_END), whole = end;
    for (char last = 0; whole > 0; whole--) {
        if (pread(fd, &last, 1, whole - 1) != 1 || last == '\n')
            break;
    }
    if (whole < end && ftruncate(fd, whole) != 0) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

int line_file_open(struct line_file **out, const char *path, bool is_atomic, struct text *why)
{
    *out = NULL;
    struct line_file *f = calloc(1, sizeof *f);
    if (!f)
        return fail(why, path, ENOMEM);
    f->fd = -1;
    f->path = strdup(path);
    f->unfinished = f->path;
    if (f->path && is_atomic && is_replaceable(path) && asprintf(&f->unfinished, "%s.unfinished", path) < 0)
        f->unfinished = NULL;
    if (!f->path || !f->unfinished) {
        destroy(f);
        return fail(why, path, ENOMEM);
    }
    f->fd = f->unfinished == f->path ? open_log(path)
                                     : open(f->unfinished, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0640);
    if (f->fd < 0) {
        int error = errno;
        destroy(f);
        return fail(why, path, error);
    }
    *out = f;
    return E_OK;
}

int line_file_again(struct line_file **out, const char *path, struct text *why)
{
    int rc = line_file_open(out, path, false, why);
    if (rc == E_OK)
        (*out)->there = lseek((*out)->fd, 0, SEEK_END);
    return rc;
}

/* What is there already: how many of the bytes. */
static size_t compare(struct line_file *f, const uint8_t *at, size_t size)
{
    uint8_t had[4096];
    size_t same = 0;
    while (same < size && f->at < f->there && !f->error) {
        size_t n = size - same < sizeof had ? size - same : sizeof had;
        n = (off_t)n < f->there - f->at ? n : (size_t)(f->there - f->at);
        ssize_t got = pread(f->fd, had, n, f->at);
        if (got <= 0 || memcmp(had, at + same, (size_t)got) != 0) {
            f->error = got < 0 ? errno : EILSEQ; /* another history */
            break;
        }
        same += (size_t)got;
        f->at += got;
    }
    return same;
}

const char *line_file_path(const struct line_file *f)
{
    return f->unfinished;
}

static void write_out(struct line_file *f, const uint8_t *at, size_t size)
{
    size_t had = compare(f, at, size);
    at += had;
    size -= had;
    while (size && !f->error) {
        ssize_t n = write(f->fd, at, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            f->error = n < 0 ? errno : ENOSPC;
            return;
        }
        at += n;
        size -= (size_t)n;
    }
}

int line_file_flush(struct line_file *f)
{
    write_out(f, f->buffer, f->used);
    f->used = 0;
    return f->error ? E_IO : E_OK;
}

int line_file_write(struct line_file *f, struct span lines)
{
    if (f->error)
        return E_IO;
    if (lines.size > BUFFER_SIZE - f->used && line_file_flush(f))
        return E_IO;
    if (lines.size >= BUFFER_SIZE) {
        write_out(f, lines.at, lines.size);
        return f->error ? E_IO : E_OK;
    }
    if (lines.size)
        memcpy(f->buffer + f->used, lines.at, lines.size);
    f->used += lines.size;
    return E_OK;
}

/* Everything is on disk under its own name. */
static void settle(struct line_file *f)
{
    line_file_flush(f);
    if (!f->error && f->unfinished != f->path && fsync(f->fd) != 0)
        f->error = errno;
    if (close(f->fd) != 0 && !f->error)
        f->error = errno;
    f->fd = -1;
    if (!f->error && f->unfinished != f->path && rename(f->unfinished, f->path) != 0)
        f->error = errno;
}

int line_file_close(struct line_file *f, bool keep, struct text *why)
{
    if (!f)
        return E_OK;
    bool is_atomic = f->unfinished != f->path;
    if (keep || !is_atomic)
        settle(f);
    int code = f->error ? fail(why, f->path, f->error) : E_OK;
    if (is_atomic && (f->error || !keep))
        unlink(f->unfinished);
    destroy(f);
    return code;
}
