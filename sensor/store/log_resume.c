/* SPDX-License-Identifier: Apache-2.0
 * One pass over the log, ahead of the writer. */
#include "store/log_resume.h"

#include "base/err.h"
#include "store/log_reader.h"

#include <stdlib.h>

struct log_resume {
    struct log_reader *reader;
    struct span lines; /* of which the first is the next to come */
    uint64_t number;   /* sequence number of that line */
    uint64_t segment;
    bool is_found, is_over;
    struct text last;
};

void log_resume_free(struct log_resume *r)
{
    if (!r)
        return;
    log_reader_free(r->reader);
    text_fini(&r->last);
    free(r);
}

struct span log_resume_last(const struct log_resume *r)
{
    return r->is_found ? span_of(NULL, 0) : text_span(&r->last);
}

int log_resume_open(struct log_resume **out, const char *dir, struct text *why)
{
    *out = NULL;
    if (!segments_are_in(dir))
        return E_OK;
    struct log_resume *r = calloc(1, sizeof *r);
    if (!r)
        return E_NOMEM;
    int rc = log_reader_open(&r->reader, dir, why);
    if (rc) {
        free(r);
        return rc;
    }
    *out = r;
    return E_OK;
}

/* 1 and *line, which stays the next; 0 at the end. */
static int peek(struct log_resume *r, struct span *line, struct text *why)
{
    while (r->lines.size == 0) {
        int rc = log_reader_lines(r->reader, &r->lines, why);
        if (rc <= 0)
            return rc;
        if (log_reader_segment(r->reader).number != r->segment) {
            r->segment = log_reader_segment(r->reader).number;
            r->number = log_reader_first(r->reader);
        }
    }
    *line = span_sub(r->lines, 0, span_find_byte(r->lines, '\n', 0) + 1);
    return 1;
}

static void take(struct log_resume *r, size_t size)
{
    if (size == r->lines.size) {
        text_clear(&r->last);
        text_add(&r->last, r->lines);
    }
    r->lines = span_from(r->lines, size);
    r->number++;
}

int64_t log_resume_find(struct log_resume *r, struct span line, struct text *why)
{
    struct span next;
    int rc = 0;
    while (!r->is_over && (rc = peek(r, &next, why)) > 0) {
        bool is_same = span_eq(next, line);
        uint64_t number = r->number;
        if (!is_same && r->is_found) {
            text_addf(why, "the activity log has this input already, but goes on differently from record %llu: other settings or "
                      "rules? Use another directory", (unsigned long long)number);
            return E_BAD;
        }
        take(r, next.size);
        if (is_same) {
            r->is_found = true;
            return (int64_t)number;
        }
    }
    r->is_over = true;
    return rc;
}
