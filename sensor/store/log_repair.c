/* SPDX-License-Identifier: Apache-2.0
 * What a crash leaves: a segment without the end of its chain, perhaps with half a line at its end, half a packed file beside its
 * plain one, or both whole. */
#include "base/err.h"
#include "base/log.h"
#include "store/log_parts.h"
#include "store/log_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int log_write_chain(struct log_writer *w, const struct segment *s, const struct chain_file *f, struct text *why)
{
    struct text name = {0};
    segment_path(w->dir, s, ".chain-new", &name);
    segment_path(w->dir, s, SEGMENT_CHAIN, &w->path);
    text_clear(&w->line);
    chain_file_head(f, &w->line);
    chain_file_line("end", &f->end, &w->line);
    int fd = open(text_str(&name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    bool is_good = fd >= 0 && write(fd, text_str(&w->line), w->line.size) == (ssize_t)w->line.size && fsync(fd) == 0 &&
                   rename(text_str(&name), text_str(&w->path)) == 0;
    if (!is_good)
        text_addf(why, "%s: %s", text_str(&w->path), strerror(errno));
    if (fd >= 0)
        close(fd);
    text_fini(&name);
    return is_good ? E_OK : E_IO;
}

/* Cuts off what stands behind the last newline. */
static int cut_torn(struct log_writer *w, const struct segment *s, struct text *why)
{
    struct stat st;
    segment_path(w->dir, s, SEGMENT_PLAIN, &w->path);
    int fd = open(text_str(&w->path), O_RDWR | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0) {
        text_addf(why, "%s: %s", text_str(&w->path), strerror(errno));
        return E_IO;
    }
    off_t whole = st.st_size;
    for (char last = 0; whole > 0 && pread(fd, &last, 1, whole - 1) == 1 && last != '\n';)
        whole--;
    int rc = E_OK;
    if (whole < st.st_size) {
        w->counts[LOG_TORN]++;
        if (ftruncate(fd, whole) != 0) {
            text_addf(why, "%s: %s", text_str(&w->path), strerror(errno));
            rc = E_IO;
        }
    }
    close(fd);
    return rc;
}

/* Chains the lines of a segment; how many of the marks do not fit. */
static int run_chain(struct log_writer *w, const struct segment *s, struct chain_file *f, size_t *n_wrong, struct text *why)
{
    struct log_reader *r;
    struct span lines, line;
    size_t mark = 0;
    segment_path(w->dir, s, s->is_packed ? SEGMENT_PACKED : SEGMENT_PLAIN, &w->path);
    int rc = log_reader_open(&r, text_str(&w->path), why);
    if (rc)
        return rc;
    f->end = (struct chain){0};
    memcpy(f->end.head, f->previous, DIGEST_SIZE);
    while ((rc = log_reader_lines(r, &lines, why)) > 0)
        while (lines.size && span_split(&lines, '\n', &line)) {
            chain_add(&f->end, line);
            for (; mark < f->n_marks && f->marks[mark].n == f->end.n; mark++)
                *n_wrong += memcmp(f->marks[mark].head, f->end.head, DIGEST_SIZE) != 0;
        }
    if (f->n_marks && f->marks[f->n_marks - 1].n > f->end.n)
        w->counts[LOG_MISSING] += f->marks[f->n_marks - 1].n - f->end.n;
    log_reader_free(r);
    return rc < 0 ? rc : E_OK;
}

static void tell(struct log_writer *w, const struct segment *s, bool had_chain, size_t n_wrong)
{
    segment_path(w->dir, s, s->is_packed ? SEGMENT_PACKED : SEGMENT_PLAIN, &w->path);
    text_clear(&w->trouble);
    if (!had_chain)
        text_addf(&w->trouble, "%s: had no chain; it has a new one, which says nothing of the time before", text_str(&w->path));
    else if (n_wrong)
        text_addf(&w->trouble, "%s: was changed since it was written: %zu marks of its chain do not fit", text_str(&w->path), n_wrong);
    else if (w->counts[LOG_MISSING])
        text_addf(&w->trouble, "%s: %llu records that were on disk are missing", text_str(&w->path),
                  (unsigned long long)w->counts[LOG_MISSING]);
    else if (w->counts[LOG_TORN])
        text_addf(&w->trouble, "%s: a last line without its end was cut off: a crash", text_str(&w->path));
    if (w->trouble.size)
        log_warn("activity log: %s", text_str(&w->trouble));
}

/* A segment whose chain has no end: it gets one. */
static int close_left(struct log_writer *w, const struct segment *s, struct chain_file *f, const struct chain_file *before, struct text *why)
{
    size_t n_wrong = 0;
    bool had_chain = f->segment != 0;
    if (!had_chain) {
        f->segment = s->number;
        f->schema = CHAIN_SCHEMA;
        f->first = before->first + before->end.n;
        memcpy(f->previous, before->end.head, DIGEST_SIZE);
    }
    int rc = s->is_packed ? E_OK : cut_torn(w, s, why);
    if (rc == E_OK)
        rc = run_chain(w, s, f, &n_wrong, why);
    if (rc == E_OK)
        rc = log_write_chain(w, s, f, why);
    if (rc == E_OK)
        tell(w, s, had_chain, n_wrong);
    return rc;
}

/* Of a segment that is packed the plain one may still be there, and the other way half a packed one. */
static void tidy(struct log_writer *w, const struct segment *s)
{
    segment_path(w->dir, s, ".unfinished", &w->path);
    (void)unlink(text_str(&w->path)); /* mostly there is none */
    segment_path(w->dir, s, SEGMENT_PLAIN, &w->path);
    if (s->is_packed)
        (void)unlink(text_str(&w->path)); /* as above */
}

static int look_at(struct log_writer *w, const struct segment *s, bool is_last, struct chain_file *f, const struct chain_file *before,
                   struct text *why)
{
    struct text said = {0};
    tidy(w, s);
    segment_path(w->dir, s, SEGMENT_CHAIN, &w->path);
    int rc = chain_file_read(text_str(&w->path), f, &said);
    if (rc == E_NONE || (rc == E_BAD && is_last)) {
        *f = (struct chain_file){0};
        rc = E_OK;
    }
    if (rc)
        text_add(why, text_span(&said));
    text_fini(&said);
    if (rc == E_OK && !f->is_closed)
        rc = close_left(w, s, f, before, why);
    return rc;
}

int log_repair(struct log_writer *w, struct text *why)
{
    struct chain_file before = {.first = 1}, f;
    int rc = segments_list(w->dir, &w->list, why);
    for (size_t i = 0; i < w->list.n && rc == E_OK; i++) {
        const struct segment *s = &w->list.at[i];
        rc = look_at(w, s, i + 1 == w->list.n, &f, &before, why);
        if (rc)
            break;
        chain_file_free(&f);
        before = f;
        w->today = s->day > w->today ? s->day : w->today;
        w->at.number = s->number;
    }
    w->at.number++;
    w->next = before.first + before.end.n;
    memcpy(w->chain.head, before.end.head, DIGEST_SIZE);
    w->written = w->chain;
    if (rc == E_OK)
        log_retain(w);
    return rc;
}
