/* SPDX-License-Identifier: Apache-2.0
 * The alert log as a queue. The place is told by the file's number and an offset, so that it is found again when the
 * log was renamed to NAME.1 while nobody read it. */
#include "run/alert_spool.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct alert_spool {
    char *log, *position;
    int fd; /* -1: not there yet */
    uint64_t inode, at, synced;
    struct text buffer;
};

static bool open_as(struct alert_spool *s, const char *path, uint64_t inode)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || (inode && st.st_ino != inode)) {
        close(fd);
        return false;
    }
    s->fd = fd;
    s->inode = st.st_ino;
    s->synced = 0;
    return true;
}

/* The place that was kept: in the log, in the one before it, or lost, and then the log is read from its beginning: an
 * alert may come twice under its id, none is left out. */
static void take_up(struct alert_spool *s)
{
    unsigned long long inode = 0, at = 0;
    struct text before = {0};
    FILE *f = s->position ? fopen(s->position, "re") : NULL;
    if (f && fscanf(f, "%llu %llu", &inode, &at) != 2)
        inode = at = 0;
    if (f)
        fclose(f);
    text_addf(&before, "%s.1", s->log);
    if (inode && (open_as(s, s->log, inode) || open_as(s, text_str(&before), inode)))
        s->at = at;
    text_fini(&before);
}

/* The place, replaced whole. */
static bool keep_place(const struct alert_spool *s)
{
    struct text line = {0}, beside = {0};
    if (!s->position)
        return true;
    text_addf(&line, "%llu %llu\n", (unsigned long long)s->inode, (unsigned long long)s->at);
    text_addf(&beside, "%s.unfinished", s->position);
    int fd = open(text_str(&beside), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0640);
    bool is_good = fd >= 0 && write(fd, line.at, line.size) == (ssize_t)line.size && fdatasync(fd) == 0;
    if (fd >= 0)
        close(fd);
    is_good = is_good && rename(text_str(&beside), s->position) == 0;
    text_fini(&line);
    text_fini(&beside);
    return is_good;
}

struct alert_spool *alert_spool_new(const char *log, const char *position)
{
    struct alert_spool *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->fd = -1;
    s->buffer.max = (size_t)64 << 20;
    s->log = strdup(log);
    s->position = position ? strdup(position) : NULL;
    if (!s->log || (position && !s->position)) {
        alert_spool_free(s);
        return NULL;
    }
    take_up(s);
    if (s->fd < 0)
        alert_spool_reopen(s);
    return s;
}

void alert_spool_free(struct alert_spool *s)
{
    if (!s)
        return;
    if (s->fd >= 0)
        close(s->fd);
    text_fini(&s->buffer);
    free(s->log);
    free(s->position);
    free(s);
}

static uint64_t size_of(const struct alert_spool *s)
{
    struct stat st;
    return s->fd >= 0 && fstat(s->fd, &st) == 0 ? (uint64_t)st.st_size : 0;
}

uint64_t alert_spool_waiting(struct alert_spool *s)
{
    uint64_t size = size_of(s);
    return size > s->at ? size - s->at : 0;
}

void alert_spool_reopen(struct alert_spool *s)
{
    struct stat st;
    bool is_other = stat(s->log, &st) == 0 && st.st_ino != s->inode;
    if (s->fd >= 0 && size_of(s) < s->at)
        s->at = 0; /* it was cut off in place */
    if (s->fd >= 0 && (!is_other || alert_spool_waiting(s)))
        return;
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
    s->at = 0;
    if (open_as(s, s->log, 0)) /* else it is not there yet: the next time */
        (void)keep_place(
            s); /* from now on it is found when it is renamed; what fails here is told by alert_spool_advance */
}

struct span alert_spool_read(struct alert_spool *s, uint64_t ahead, size_t max)
{
    if (s->fd < 0 || !alert_spool_waiting(s))
        alert_spool_reopen(s);
    uint64_t size = size_of(s);
    if (s->fd < 0 || size <= s->at + ahead)
        return span_of(NULL, 0);
    if (size > s->synced && fdatasync(s->fd) == 0) /* nobody is told what a crash could take back */
        s->synced = size;
    for (size_t want = max;; want *= 2) {
        text_clear(&s->buffer);
        if (!text_room(&s->buffer, want))
            return span_of(NULL, 0);
        ssize_t n = pread(s->fd, s->buffer.at, want, (off_t)(s->at + ahead));
        if (n <= 0)
            return span_of(NULL, 0);
        const char *last = memrchr(s->buffer.at, '\n', (size_t)n);
        if (last)
            return span_of(s->buffer.at, (size_t)(last - s->buffer.at) + 1);
        if ((size_t)n < want)
            return span_of(NULL, 0); /* a line that is being written */
    }
}

bool alert_spool_advance(struct alert_spool *s, uint64_t bytes)
{
    s->at += bytes;
    return keep_place(s);
}
