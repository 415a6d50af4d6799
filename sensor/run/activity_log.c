/* SPDX-License-Identifier: Apache-2.0
 * Each file has one block of text and one activity read ahead; the earliest of those is next. */
#include "run/activity_log.h"

#include "base/err.h"
#include "store/log_chain.h"
#include "store/log_reader.h"
#include "store/zstd_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK_SIZE ((size_t)1 << 20) /* also the longest line that is read; ours have at most about 12 KiB */

struct log_file {
    const char *path; /* borrowed */
    int fd;                    /* of what is no regular file or directory; else -1 */
    struct log_reader *reader; /* of the others */
    bool is_end;
    uint8_t *block;
    size_t from, to;  /* what of the block is not used yet */
    uint64_t line;
    bool has_head;
    struct activity head; /* read ahead */
};

struct activity_log {
    struct log_file *files;
    size_t n;
    struct log_file *last; /* whose head was handed out */
    volatile sig_atomic_t is_stopped;
    struct activity_log_stats stats;
    struct text garbage;
};

/* The first byte of standard input when that is a pipe: a copy of it goes to another pipe, so it stays to be read. */
static int peek_pipe(uint8_t *byte)
{
    int pair[2];
    if (pipe2(pair, O_CLOEXEC) != 0)
        return -1;
    int rc = tee(STDIN_FILENO, pair[1], 1, 0) == 1 && read(pair[0], byte, 1) == 1 ? 0 : -1;
    close(pair[0]);
    close(pair[1]);
    return rc;
}

/* As activities are written, or packed. */
static bool is_log_head(const uint8_t *head, ssize_t n)
{
    return n > 0 && (head[0] == '{' || zstd_is_packed(head, n));
}

static bool is_log(const char *path)
{
    uint8_t byte = 0, head[ZSTD_HEAD];
    struct stat st;
    if (strcmp(path, "-") == 0) {
        if (pread(STDIN_FILENO, &byte, 1, 0) == 1 || peek_pipe(&byte) == 0)
            return byte == '{';
        return false;
    }
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return segments_are_in(path);
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode)) /* a named pipe is a capture: opening it here would take from it */
        return false;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool is_one = is_log_head(head, read(fd, head, sizeof head));
    close(fd);
    return is_one;
}

static bool is_empty(const char *path)
{
    struct stat st;
    return strcmp(path, "-") != 0 && stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0;
}

void activity_log_count(const char *const *paths, size_t n, size_t *n_logs)
{
    size_t n_empty = 0;
    *n_logs = 0;
    for (size_t i = 0; i < n; i++) {
        *n_logs += is_log(paths[i]);
        n_empty += is_empty(paths[i]);
    }
    *n_logs += *n_logs ? n_empty : 0;
}

static int open_file(struct activity_log *log, struct log_file *f, const char *path, struct text *why)
{
    struct stat st;
    bool is_stdin = strcmp(path, "-") == 0;
    f->path = path;
    f->fd = is_stdin ? STDIN_FILENO : -1;
    f->block = malloc(BLOCK_SIZE);
    if (!f->block)
        return E_NOMEM;
    bool is_there = is_stdin ? fstat(f->fd, &st) == 0 : stat(path, &st) == 0;
    if (is_there && !is_stdin && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))) {
        int rc = log_reader_open(&f->reader, path, why);
        log->stats.total_bytes += rc ? 0 : log_reader_size(f->reader);
        return rc;
    }
    if (is_there && !is_stdin)
        f->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (!is_there || f->fd < 0) {
        text_addf(why, "%s: %s", path, strerror(errno));
        return E_IO;
    }
    log->stats.total_bytes += S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
    return 0;
}

static bool is_pipe(const struct log_file *f)
{
    struct stat st;
    return !f->reader && (fstat(f->fd, &st) != 0 || !S_ISREG(st.st_mode));
}

int activity_log_open(struct activity_log **out, const char *const *paths, size_t n, struct text *why)
{
    struct activity_log *log = calloc(1, sizeof *log);
    if (log)
        log->files = calloc(n, sizeof *log->files);
    if (!log || !log->files) {
        free(log);
        return E_NOMEM;
    }
    int rc = 0;
    bool has_pipe = false;
    for (size_t i = 0; i < n && rc == 0; i++) {
        rc = open_file(log, &log->files[log->n++], paths[i], why);
        has_pipe = has_pipe || (rc == 0 && is_pipe(&log->files[i]));
    }
    if (has_pipe)
        log->stats.total_bytes = 0;
    if (rc) {
        activity_log_close(log);
        return rc;
    }
    *out = log;
    return 0;
}

/* Bytes, 0 at the end, E_IO or E_BAD. */
static ssize_t read_some(struct activity_log *log, struct log_file *f, struct text *why)
{
    size_t room = BLOCK_SIZE - f->to;
    ssize_t got;
    if (f->reader)
        return log->is_stopped || !room ? 0 : log_reader_read(f->reader, f->block + f->to, room, why);
    do {
        if (log->is_stopped || !room)
            return 0;
        got = read(f->fd, f->block + f->to, room);
    } while (got < 0 && errno == EINTR);
    if (got < 0 && !log->is_stopped)
        text_addf(why, "%s: %s", f->path, strerror(errno));
    return got < 0 ? (log->is_stopped ? 0 : E_IO) : got;
}

/* Reads on behind what is not used yet. */
static int fill(struct activity_log *log, struct log_file *f, struct text *why)
{
    if (f->from > 0) {
        memmove(f->block, f->block + f->from, f->to - f->from);
        f->to -= f->from;
        f->from = 0;
    }
    ssize_t got = read_some(log, f, why);
    if (got < 0)
        return E_IO;
    f->is_end = got == 0;
    f->to += (size_t)got;
    log->stats.read_bytes += (uint64_t)got;
    return 0;
}

static void note_garbage(struct activity_log *log, const struct log_file *f, const char *reason)
{
    if (log->stats.garbage++ == 0)
        text_addf(&log->garbage, "%s:%llu: %s", f->path, (unsigned long long)f->line, reason);
}

/* A whole line without its end. 1: *line; 0: nothing left. */
static int next_line(struct activity_log *log, struct log_file *f, struct span *line, struct text *why)
{
    for (size_t seen = 0;;) {
        struct span left = span_of(f->block + f->from, f->to - f->from);
        size_t end = span_find_byte(left, '\n', seen);
        if (end != SIZE_MAX) {
            *line = span_sub(left, 0, end);
            f->from += end + 1;
            f->line++;
            return 1;
        }
        seen = left.size;
        if (f->is_end) {
            log->stats.torn += left.size > 0;
            f->from = f->to;
            return 0;
        }
        if (left.size == BLOCK_SIZE) { /* longer than any line of ours: what comes behind its end is read again */
            f->line++;
            note_garbage(log, f, "longer than a line of an activity log can be");
            f->line--;
            f->from = f->to;
            seen = 0;
        }
        int rc = fill(log, f, why);
        if (rc)
            return rc;
    }
}

static int read_head(struct activity_log *log, struct log_file *f, struct text *why)
{
    struct span line;
    uint64_t before_ns = f->head.done_ns;
    int rc;
    uint8_t erased[DIGEST_SIZE];
    while ((rc = next_line(log, f, &line, why)) > 0) {
        if (chain_redacted(line, erased)) {
            log->stats.redacted++;
            continue;
        }
        struct text reason = {.max = 256};
        rc = activity_parse(line, &f->head, &reason);
        if (rc == E_BAD)
            note_garbage(log, f, text_str(&reason));
        else if (rc)
            text_addf(why, "%s:%llu: %s", f->path, (unsigned long long)f->line, text_str(&reason));
        text_fini(&reason);
        if (rc == E_BAD)
            continue;
        f->has_head = rc == 0;
        log->stats.unordered += rc == 0 && f->head.done_ns < before_ns;
        return rc == E_STATE ? E_BAD : rc;
    }
    return rc;
}

static bool is_before(const struct activity *a, const struct activity *b)
{
    if (a->done_ns != b->done_ns)
        return a->done_ns < b->done_ns;
    return a->flow_hash != b->flow_hash ? a->flow_hash < b->flow_hash : a->number < b->number;
}

int activity_log_next(struct activity_log *log, const struct activity **a, struct text *why)
{
    struct log_file *first = NULL;
    if (log->last)
        log->last->has_head = false;
    for (size_t i = 0; i < log->n && !log->is_stopped; i++) {
        struct log_file *f = &log->files[i];
        int rc = f->has_head ? 0 : read_head(log, f, why);
        if (rc)
            return rc;
        if (f->has_head && (!first || is_before(&f->head, &first->head)))
            first = f;
    }
    log->last = first;
    if (!first)
        return E_END;
    log->stats.activities++;
    *a = &first->head;
    return 1;
}

void activity_log_more(struct activity_log *log)
{
    for (size_t i = 0; i < log->n; i++)
        log->files[i].is_end = false;
}

/* A quote inside a string is written \", so these are keys wherever they stand. */
static bool says_geo(struct span text)
{
    return span_find(text, SPAN("\"country_iso_code\":\""), 0) != SIZE_MAX ||
           span_find(text, SPAN("\"as\":{\"number\":"), 0) != SIZE_MAX;
}

static bool reader_has_geo(const char *path)
{
    struct text ignored = {0}; /* fails again, and is told, when it is read */
    struct log_reader *reader;
    struct span lines;
    bool has = false;
    if (log_reader_open(&reader, path, &ignored) == E_OK) {
        while (!has && log_reader_lines(reader, &lines, &ignored) > 0)
            has = says_geo(lines);
        log_reader_free(reader);
    }
    text_fini(&ignored);
    return has;
}

static bool file_has_geo(struct log_file *f)
{
    bool has = says_geo(span_of(f->block + f->from, f->to - f->from));
    if (!has && f->reader)
        return reader_has_geo(f->path);
    uint8_t *block = has || is_pipe(f) ? NULL : malloc(BLOCK_SIZE);
    ssize_t got;
    for (off_t at = 0; block && !has && (got = pread(f->fd, block, BLOCK_SIZE, at)) > 0;) {
        has = says_geo(span_of(block, (size_t)got));
        at += got > 64 ? got - 64 : got; /* a key may lie across two blocks */
    }
    free(block);
    return has;
}

bool activity_log_has_geo(struct activity_log *log)
{
    struct text ignored = {0};
    bool has = false;
    for (size_t i = 0; i < log->n && !has; i++) {
        if (is_pipe(&log->files[i]) && log->files[i].to == 0)
            (void)fill(log, &log->files[i], &ignored); /* fails again, and is told, when it is read */
        has = file_has_geo(&log->files[i]);
    }
    text_fini(&ignored);
    return has;
}

void activity_log_stop(struct activity_log *log)
{
    log->is_stopped = 1;
}

void activity_log_stats(const struct activity_log *log, struct activity_log_stats *out)
{
    *out = log->stats;
}

const char *activity_log_first_garbage(const struct activity_log *log)
{
    return text_str(&log->garbage);
}

void activity_log_close(struct activity_log *log)
{
    if (!log)
        return;
    for (size_t i = 0; i < log->n; i++) {
        log_reader_free(log->files[i].reader);
        if (log->files[i].fd > STDIN_FILENO)
            close(log->files[i].fd);
        free(log->files[i].block);
    }
    free(log->files);
    text_fini(&log->garbage);
    free(log);
}
