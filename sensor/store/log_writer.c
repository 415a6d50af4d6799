/* SPDX-License-Identifier: Apache-2.0
 * Appending: a buffer, a segment, a chain. */
#include "store/log_writer.h"

#include "base/err.h"
#include "base/log.h"
#include "store/log_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEGMENT_BYTES ((uint64_t)64 << 20)
#define BACKLOG_BYTES ((uint64_t)64 << 20)
#define BUFFER_BYTES ((size_t)256 << 10) /* given to the kernel at once */
#define PACK_BYTES ((size_t)1 << 20)     /* in one turn: some milliseconds */

static const struct counter_def counter_defs[LOG_COUNTERS] = {
    {"log_appended", "records", "written to the activity log"},
    {"log_bytes", "bytes", "of them, before they are packed"},
    {"log_segments_closed", "segments", "of the activity log that were full, or whose day was over"},
    {"log_segments_packed", "segments", "closed ones that were compressed"},
    {"log_segments_aged", "segments", "removed because they were older than the log is to be kept"},
    {"log_segments_made_room", "segments", "the oldest, removed because the disk was full: what they had cannot be asked any more"},
    {"log_held", "segments", "that were to be removed and stay, because there is a file called hold"},
    {"log_torn", "lines", "the last of a segment, without their end: a crash cut them"},
    {"log_missing", "records", "that the chain says were on disk and are not: the file was cut, by a power cut or by hand"},
    {"log_write_refused", "writes", "that the disk did not take at the first try: full, or failing"},
    {"log_lost", "records", "never written: the disk took nothing and no more could wait"},
};

struct counters log_writer_counters(const struct log_writer *w)
{
    return (struct counters){counter_defs, w ? w->counts : NULL, w ? LOG_COUNTERS : 0};
}

const char *log_writer_trouble(const struct log_writer *w)
{
    return text_str(&w->trouble);
}

const char *log_writer_dir(const struct log_writer *w)
{
    return w->dir;
}

uint64_t log_writer_position(const struct log_writer *w)
{
    return w->next - 1;
}

void log_writer_drop(struct log_writer *w)
{
    if (!w)
        return;
    int fds[] = {w->fd, w->chain_fd, w->from, w->to, w->lock};
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    zstd_packer_free(w->packer);
    segments_free(&w->list);
    text_fini(&w->buffer);
    text_fini(&w->path);
    text_fini(&w->line);
    text_fini(&w->trouble);
    free(w->dir);
    free(w);
}

/* One process writes a log. The lock goes with the process. */
static int lock_dir(struct log_writer *w, struct text *why)
{
    if (mkdir(w->dir, 0750) != 0 && errno != EEXIST) {
        text_addf(why, "%s: %s", w->dir, strerror(errno));
        return E_IO;
    }
    text_addf(&w->path, "%s/lock", w->dir);
    w->lock = open(text_str(&w->path), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (w->lock < 0 || flock(w->lock, LOCK_EX | LOCK_NB) != 0) {
        bool is_taken = w->lock >= 0 && errno == EWOULDBLOCK;
        text_addf(why, "%s: %s", w->dir, is_taken ? "another process writes this activity log" : strerror(errno));
        return E_IO;
    }
    return E_OK;
}

int log_writer_open(struct log_writer **out, const struct log_options *options, struct text *why)
{
    *out = NULL;
    struct log_writer *w = calloc(1, sizeof *w);
    if (!w)
        return E_NOMEM;
    w->options = *options;
    w->options.segment_bytes = options->segment_bytes ? options->segment_bytes : SEGMENT_BYTES;
    w->buffer.max = options->backlog_bytes ? options->backlog_bytes : BACKLOG_BYTES;
    w->fd = w->chain_fd = w->from = w->to = w->lock = -1;
    w->next = 1;
    w->dir = strdup(options->dir);
    w->options.dir = w->dir;
    int rc = w->dir ? lock_dir(w, why) : E_NOMEM;
    if (rc == E_OK)
        rc = log_repair(w, why);
    if (rc) {
        log_writer_drop(w);
        return rc;
    }
    *out = w;
    return E_OK;
}

/* What the disk did not take. Said once; all of it is counted. */
static void refuse(struct log_writer *w, int error)
{
    w->counts[LOG_REFUSED]++;
    if (w->is_told)
        return;
    w->is_told = true;
    log_warn("activity log: %s: %s; what cannot be written waits", w->dir, strerror(error));
    if (!w->trouble.size)
        text_addf(&w->trouble, "activity log: %s: %s", w->dir, strerror(error));
}

static bool begin_segment(struct log_writer *w)
{
    struct chain_file f = {.segment = w->at.number, .first = w->next - w->chain.n, .schema = CHAIN_SCHEMA};
    memcpy(f.previous, w->written.head, DIGEST_SIZE);
    text_clear(&w->line);
    chain_file_head(&f, &w->line);
    segment_path(w->dir, &w->at, SEGMENT_CHAIN, &w->path);
    w->chain_fd = open(text_str(&w->path), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0640);
    bool is_begun = w->chain_fd >= 0 && write(w->chain_fd, text_str(&w->line), w->line.size) == (ssize_t)w->line.size;
    segment_path(w->dir, &w->at, SEGMENT_PLAIN, &w->path);
    w->fd = is_begun ? open(text_str(&w->path), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0640) : -1;
    if (w->fd >= 0)
        return true;
    refuse(w, errno ? errno : ENOSPC);
    if (w->chain_fd >= 0)
        close(w->chain_fd);
    w->chain_fd = -1;
    return false;
}

/* True when the kernel took a piece; room is made for it if the disk is full. */
static bool give(struct log_writer *w)
{
    for (;;) {
        bool is_open = w->fd >= 0 || begin_segment(w);
        ssize_t n = is_open ? write(w->fd, w->buffer.at + w->given, w->buffer.size - w->given) : -1;
        if (n > 0) {
            w->given += (size_t)n;
            w->is_dirty = true;
            return true;
        }
        int error = n < 0 ? errno : ENOSPC;
        if (error == EINTR)
            continue;
        if (is_open)
            refuse(w, error);
        bool is_full = error == ENOSPC || error == EDQUOT;
        if (!is_full || !log_remove_oldest(w, LOG_MADE_ROOM))
            return false;
    }
}

bool log_writer_flush(struct log_writer *w)
{
    while (w->given < w->buffer.size)
        if (!give(w))
            return false;
    w->given = 0;
    text_clear(&w->buffer);
    w->written = w->chain;
    if (w->is_told)
        log_warn("activity log: %s: written again, nothing is missing%s", w->dir, w->counts[LOG_LOST] ? " but what is counted as log_lost" : "");
    w->is_told = false;
    return true;
}

static bool add_line(struct log_writer *w, const char *word)
{
    text_clear(&w->line);
    chain_file_line(word, &w->written, &w->line);
    return write(w->chain_fd, text_str(&w->line), w->line.size) == (ssize_t)w->line.size;
}

bool log_writer_sync(struct log_writer *w)
{
    if (!log_writer_flush(w))
        return false;
    if (!w->is_dirty || w->fd < 0)
        return true;
    if (fdatasync(w->fd) != 0) {
        refuse(w, errno);
        return false;
    }
    w->is_dirty = false;
    (void)add_line(w, "at"); /* a mark less: the end's is what counts */
    return true;
}

/* Makes the end of a segment's chain, when all of it is written. */
static bool close_segment(struct log_writer *w)
{
    if (!log_writer_sync(w))
        return false;
    if (w->fd < 0)
        return true;
    bool is_ended = add_line(w, "end") && fdatasync(w->chain_fd) == 0;
    if (!is_ended)
        refuse(w, errno ? errno : ENOSPC);
    close(w->fd);
    close(w->chain_fd);
    w->fd = w->chain_fd = -1;
    w->counts[LOG_CLOSED]++;
    (void)segments_add(&w->list, &w->at); /* without memory it stays plain until the next start */
    w->at.number++;
    w->size = w->chain.n = w->written.n = 0;
    return true;
}

/* A new day or a full segment; while the disk takes nothing the old one goes on. */
static void turn_over(struct log_writer *w, uint32_t day)
{
    bool is_over = w->size && (day > w->today || w->size >= w->options.segment_bytes);
    if (is_over && !close_segment(w))
        return;
    if (day > w->today) {
        w->today = day;
        log_retain(w);
    }
    if (w->size == 0)
        w->at.day = w->today;
}

uint64_t log_writer_append(struct log_writer *w, struct span line, uint64_t ns)
{
    turn_over(w, segment_day(ns));
    if (w->buffer.size - w->given + line.size > BUFFER_BYTES)
        (void)log_writer_flush(w); /* what does not go waits */
    if (w->buffer.size + line.size >= w->buffer.max) {
        w->counts[LOG_LOST]++;
        return 0;
    }
    text_add(&w->buffer, line);
    chain_add(&w->chain, line);
    w->size += line.size;
    w->counts[LOG_APPENDED]++;
    w->counts[LOG_BYTES] += line.size;
    return w->next++;
}

static int end_packing(struct log_writer *w, int rc)
{
    struct text packed = {0};
    segment_path(w->dir, &w->packing, ".unfinished", &w->path);
    segment_path(w->dir, &w->packing, SEGMENT_PACKED, &packed);
    if (rc == E_OK && (fsync(w->to) != 0 || rename(text_str(&w->path), text_str(&packed)) != 0))
        rc = E_IO;
    if (rc) {
        refuse(w, errno); /* it stays as it is, and is read all the same */
        unlink(text_str(&w->path));
    } else {
        segment_path(w->dir, &w->packing, SEGMENT_PLAIN, &w->path);
        unlink(text_str(&w->path));
        w->counts[LOG_PACKED]++;
    }
    for (size_t i = 0; i < w->list.n; i++)
        if (w->list.at[i].number == w->packing.number)
            w->list.at[i].is_packed = true; /* also if it failed: it is not tried twice */
    zstd_packer_free(w->packer);
    close(w->from);
    close(w->to);
    w->packer = NULL;
    w->from = w->to = -1;
    text_fini(&packed);
    return rc;
}

/* The oldest that is not packed yet; false when there is none. */
static bool begin_packing(struct log_writer *w)
{
    size_t i = 0;
    while (i < w->list.n && w->list.at[i].is_packed)
        i++;
    if (i == w->list.n)
        return false;
    w->packing = w->list.at[i];
    segment_path(w->dir, &w->packing, SEGMENT_PLAIN, &w->path);
    w->from = open(text_str(&w->path), O_RDONLY | O_CLOEXEC);
    segment_path(w->dir, &w->packing, ".unfinished", &w->path);
    w->to = open(text_str(&w->path), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0640);
    w->packer = w->from >= 0 && w->to >= 0 ? zstd_packer_new(w->from, w->to) : NULL;
    if (!w->packer)
        (void)end_packing(w, E_IO); /* told by it */
    return true;
}

bool log_writer_turn(struct log_writer *w)
{
    if (!w->packer && !begin_packing(w))
        return false;
    int rc = w->packer ? zstd_packer_step(w->packer, PACK_BYTES) : E_MORE;
    if (rc != E_MORE)
        (void)end_packing(w, rc); /* told by it */
    return true;
}

int log_writer_close(struct log_writer *w, struct text *why)
{
    if (!w)
        return E_OK;
    bool is_whole = close_segment(w) && w->counts[LOG_LOST] == 0;
    while (log_writer_turn(w))
        continue;
    if (!is_whole)
        text_addf(why, "%s", w->trouble.size ? text_str(&w->trouble) : "the activity log is not complete");
    log_writer_drop(w);
    return is_whole ? E_OK : E_IO;
}
