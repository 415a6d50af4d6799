/* SPDX-License-Identifier: Apache-2.0
 * One file open at a time. A segment that is packed while it is read stays readable by its descriptor. */
#include "store/log_reader.h"

#include "base/err.h"
#include "store/log_chain.h"
#include "store/zstd_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK_SIZE ((size_t)1 << 20) /* also the longest line there can be */

struct log_reader {
    char *path;
    bool is_dir;
    struct segments list;
    size_t next; /* which segment of the list is opened next */
    uint32_t last_day; /* 0: all */
    struct segment at;
    int fd; /* -1: none */
    struct zstd_source *packed; /* NULL: the file is plain */
    struct text name;           /* of the file at hand */
    uint64_t size;
    uint64_t first;
    uint8_t last; /* the last byte of the file at hand that was handed out */
    uint8_t *block;
    size_t from, to; /* of the block: what is not handed out yet */
};

static uint64_t size_of(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
}

static void measure(struct log_reader *r)
{
    for (size_t i = 0; i < r->list.n; i++) {
        segment_path(r->path, &r->list.at[i], r->list.at[i].is_packed ? SEGMENT_PACKED : SEGMENT_PLAIN, &r->name);
        r->size += size_of(text_str(&r->name));
    }
    text_clear(&r->name);
}

static int fail(const char *path, int error, struct text *why)
{
    text_addf(why, "%s: %s", path, strerror(error));
    return E_IO;
}

/* Takes over a file, by its first bytes. */
static int take_file(struct log_reader *r, int fd, struct text *why)
{
    uint8_t head[ZSTD_HEAD];
    bool is_packed = zstd_is_packed(head, pread(fd, head, sizeof head, 0));
    r->fd = fd;
    r->last = '\n';
    r->packed = is_packed ? zstd_source_new(fd) : NULL;
    if (!is_packed || r->packed)
        return E_OK;
    text_addf(why, "%s: %s", text_str(&r->name), err_text(E_NOMEM));
    return E_NOMEM;
}

static void close_file(struct log_reader *r)
{
    zstd_source_free(r->packed);
    r->packed = NULL;
    if (r->fd >= 0)
        close(r->fd);
    r->fd = -1;
}

int log_reader_open(struct log_reader **out, const char *path, struct text *why)
{
    struct stat st;
    *out = NULL;
    if (stat(path, &st) != 0)
        return fail(path, errno, why);
    struct log_reader *r = calloc(1, sizeof *r);
    if (!r || !(r->path = strdup(path)) || !(r->block = malloc(BLOCK_SIZE))) {
        log_reader_free(r);
        return E_NOMEM;
    }
    r->fd = -1;
    r->first = 1;
    r->is_dir = S_ISDIR(st.st_mode);
    int rc = r->is_dir ? segments_list(path, &r->list, why) : E_OK;
    if (r->is_dir && rc == E_OK)
        measure(r);
    if (!r->is_dir) {
        text_add_str(&r->name, path);
        r->size = (uint64_t)st.st_size;
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        rc = fd < 0 ? fail(path, errno, why) : take_file(r, fd, why);
    } else if (rc == E_OK && r->list.n == 0) {
        text_addf(why, "%s: no activity log in this directory", path);
        rc = E_NONE;
    }
    if (rc) {
        log_reader_free(r);
        return rc;
    }
    *out = r;
    return E_OK;
}

void log_reader_free(struct log_reader *r)
{
    if (!r)
        return;
    close_file(r);
    segments_free(&r->list);
    text_fini(&r->name);
    free(r->block);
    free(r->path);
    free(r);
}

static void read_first(struct log_reader *r)
{
    struct text path = {0}, ignored = {0};
    struct chain_file chain;
    r->first = 1;
    segment_path(r->path, &r->at, SEGMENT_CHAIN, &path);
    if (chain_file_read(text_str(&path), &chain, &ignored) == E_OK) {
        r->first = chain.first;
        chain_file_free(&chain);
    }
    text_fini(&path);
    text_fini(&ignored);
}

/* A plain segment may have been packed since it was listed. */
static int open_segment(struct log_reader *r, const struct segment *s, struct text *why)
{
    segment_path(r->path, s, s->is_packed ? SEGMENT_PACKED : SEGMENT_PLAIN, &r->name);
    int fd = open(text_str(&r->name), O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT && !s->is_packed) {
        segment_path(r->path, s, SEGMENT_PACKED, &r->name);
        fd = open(text_str(&r->name), O_RDONLY | O_CLOEXEC);
    }
    if (fd < 0)
        return errno == ENOENT ? E_NONE : fail(text_str(&r->name), errno, why); /* retention took it meanwhile */
    close_file(r);
    r->at = *s;
    read_first(r);
    return take_file(r, fd, why);
}

/* What was not there when the directory was listed. */
static int list_again(struct log_reader *r, struct text *why)
{
    struct segments list;
    int rc = segments_list(r->path, &list, why);
    if (rc)
        return rc;
    size_t next = 0;
    while (next < list.n && list.at[next].number <= r->at.number)
        next++;
    segments_free(&r->list);
    r->list = list;
    r->next = next;
    return E_OK;
}

void log_reader_days(struct log_reader *r, uint32_t first, uint32_t last)
{
    while (r->next < r->list.n && r->list.at[r->next].day < first)
        r->next++;
    r->last_day = last;
}

static bool is_behind(const struct log_reader *r)
{
    return r->last_day && r->list.at[r->next].day > r->last_day;
}

/* 1: the next segment is open; 0: there is none. */
static int move_on(struct log_reader *r, struct text *why)
{
    int rc = E_NONE;
    if (!r->is_dir)
        return 0;
    if (r->next == r->list.n && (rc = list_again(r, why)))
        return rc;
    for (rc = E_NONE; rc == E_NONE && r->next < r->list.n && !is_behind(r); r->next++)
        rc = open_segment(r, &r->list.at[r->next], why);
    return rc == E_NONE ? 0 : rc ? rc : 1;
}

static ssize_t read_file(struct log_reader *r, void *to, size_t size, struct text *why)
{
    ssize_t n = 0;
    if (r->fd < 0)
        return 0;
    if (r->packed) {
        n = zstd_source_read(r->packed, to, size);
    } else {
        do
            n = read(r->fd, to, size);
        while (n < 0 && errno == EINTR);
        n = n < 0 ? E_IO : n;
    }
    if (n == E_IO)
        return fail(text_str(&r->name), errno, why);
    if (n == E_BAD) {
        text_addf(why, "%s: damaged: what follows in it cannot be unpacked", text_str(&r->name));
        close_file(r);
    }
    if (n > 0)
        r->last = ((const uint8_t *)to)[n - 1];
    return n;
}

ssize_t log_reader_read(struct log_reader *r, void *to, size_t size, struct text *why)
{
    for (;;) {
        ssize_t n = read_file(r, to, size, why);
        if (n != 0)
            return n;
        bool is_torn = r->fd >= 0 && r->last != '\n';
        int rc = move_on(r, why);
        if (rc <= 0)
            return rc;
        if (is_torn && size) {
            *(char *)to = '\n';
            return 1;
        }
    }
}

/* Lines are of one segment: what is left of the one before is handed out first. */
static ssize_t fill(struct log_reader *r, struct text *why)
{
    if (r->from) {
        memmove(r->block, r->block + r->from, r->to - r->from);
        r->to -= r->from;
        r->from = 0;
    }
    for (;;) {
        ssize_t n = read_file(r, r->block + r->to, BLOCK_SIZE - r->to, why);
        if (n < 0)
            return n;
        r->to += (size_t)n;
        if (n > 0)
            return n;
        int rc = move_on(r, why);
        if (rc <= 0)
            return rc;
        r->to = 0; /* a torn last line: who writes the log next cuts it off, and counts it */
    }
}

int log_reader_lines(struct log_reader *r, struct span *lines, struct text *why)
{
    for (;;) {
        if (r->from == 0 && r->to == BLOCK_SIZE)
            r->to = 0; /* longer than any line of ours */
        ssize_t n = fill(r, why);
        if (n <= 0)
            return (int)n;
        const uint8_t *end = memrchr(r->block, '\n', r->to);
        if (!end)
            continue;
        r->from = (size_t)(end - r->block) + 1;
        *lines = span_of(r->block, r->from);
        return 1;
    }
}

struct segment log_reader_segment(const struct log_reader *r)
{
    return r->at;
}

uint64_t log_reader_first(const struct log_reader *r)
{
    return r->first;
}

uint64_t log_reader_size(const struct log_reader *r)
{
    return r->size;
}
