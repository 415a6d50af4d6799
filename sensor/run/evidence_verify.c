/* SPDX-License-Identifier: Apache-2.0
 * Everything is computed again: each record's link of the log's chain, the seal over the lines, and the chain of the log itself. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/hex.h"
#include "run/evidence.h"
#include "store/log_chain.h"
#include "store/log_reader.h"

#define MAX_TOLD 20u
#define MAX_KEPT (1u << 22)

/* Where a record stood, and what its log's chain was behind it. */
struct place {
    uint64_t log, n;
    uint8_t after[DIGEST_SIZE];
};

struct check {
    const char *path;
    struct evidence_verdict *v;
    struct text *told;
    struct place *places;
    struct chain seal;
    uint64_t line, declared;
    uint8_t declared_seal[DIGEST_SIZE];
    bool is_ended;
};

static void fault(struct check *c, uint64_t line, const char *what)
{
    if (c->v->faults++ < MAX_TOLD)
        text_addf(c->told, "%s:%llu: %s\n", c->path, (unsigned long long)line, what);
}

static bool take(struct span *s, struct span word)
{
    bool is_there = span_starts(*s, word);
    *s = span_from(*s, is_there ? word.size : 0);
    return is_there;
}

static bool take_number(struct span *s, uint64_t *value)
{
    size_t n = 0;
    while (n < s->size && s->at[n] >= '0' && s->at[n] <= '9')
        n++;
    bool is_good = span_u64(span_sub(*s, 0, n), value);
    *s = span_from(*s, n);
    return is_good;
}

static bool take_hex(struct span *s, uint8_t head[DIGEST_SIZE])
{
    bool is_good = take(s, SPAN("\"")) && hex_bytes(span_sub(*s, 0, 2 * DIGEST_SIZE), head, DIGEST_SIZE);
    *s = span_from(*s, 2 * DIGEST_SIZE);
    return is_good && take(s, SPAN("\""));
}

static bool add_place(struct check *c, const struct place *p)
{
    uint64_t n = c->v->records;
    if ((n & (n - 1)) == 0) {
        struct place *more = n < MAX_KEPT ? realloc(c->places, (n ? 2 * n : 1) * sizeof *more) : NULL;
        if (!more)
            return false;
        c->places = more;
    }
    c->places[c->v->records++] = *p;
    return true;
}

static int check_record(struct check *c, struct span line, struct text *why)
{
    struct place p;
    struct chain link = {0};
    uint8_t before[DIGEST_SIZE];
    const struct place *last = c->v->records ? &c->places[c->v->records - 1] : NULL;
    bool is_good = take(&line, SPAN("{\"log\":")) && take_number(&line, &p.log) && take(&line, SPAN(",\"n\":")) && take_number(&line, &p.n) &&
                   take(&line, SPAN(",\"before\":")) && take_hex(&line, before) && take(&line, SPAN(",\"after\":")) &&
                   take_hex(&line, p.after) && take(&line, SPAN(",\"record\":")) && line.size > 1 && line.at[line.size - 1] == '}';
    if (!is_good) {
        fault(c, c->line, "this is no record of evidence: it was changed or added");
        return E_OK;
    }
    memcpy(link.head, before, sizeof before);
    chain_add(&link, span_sub(line, 0, line.size - 1));
    if (memcmp(link.head, p.after, sizeof p.after) != 0)
        fault(c, c->line, "the record was changed");
    if (last && (p.log < last->log || (p.log == last->log && p.n <= last->n)))
        fault(c, c->line, "it does not follow the record before it: it was added or moved");
    else if (last && p.log == last->log && p.n == last->n + 1 && memcmp(before, last->after, sizeof before) != 0)
        fault(c, c->line, "its chain does not follow from the record before it");
    if (add_place(c, &p))
        return E_OK;
    text_addf(why, "%s: more than %u records", c->path, MAX_KEPT);
    return E_NOMEM;
}

static bool is_end(struct check *c, struct span line)
{
    return take(&line, SPAN("{\"end\":true,\"records\":")) && take_number(&line, &c->declared) && take(&line, SPAN(",\"seal\":")) &&
           take_hex(&line, c->declared_seal) && take(&line, SPAN("}")) && !line.size;
}

static int check_line(struct check *c, struct span line, struct text *why)
{
    c->line++;
    if (c->is_ended) {
        fault(c, c->line, "this stands behind the end: it was added");
        return E_OK;
    }
    if (c->line == 1 && !span_starts(line, SPAN("{\"kind\":\"casetap.evidence\",\"schema\":1,"))) {
        text_addf(why, "%s: this is no evidence of 'casetap impact', or of a version that is not known", c->path);
        return E_BAD;
    }
    c->is_ended = is_end(c, line);
    if (c->is_ended)
        return E_OK;
    chain_add(&c->seal, line);
    return c->line == 1 ? E_OK : check_record(c, line, why);
}

static int check_file(struct check *c, struct text *why)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t size;
    int rc = E_OK;
    FILE *file = fopen(c->path, "re");
    if (!file) {
        text_addf(why, "%s: %s", c->path, strerror(errno));
        return E_IO;
    }
    while (rc == E_OK && (size = getline(&line, &room, file)) > 0)
        rc = check_line(c, span_of(line, (size_t)size - (line[size - 1] == '\n')), why);
    free(line);
    if (rc == E_OK && (ferror(file) || c->line == 0)) {
        text_addf(why, "%s: %s", c->path, c->line ? strerror(errno) : "it is empty");
        rc = c->line ? E_IO : E_BAD;
    }
    fclose(file);
    memcpy(c->v->seal, c->seal.head, DIGEST_SIZE);
    if (rc == E_OK && !c->is_ended)
        fault(c, c->line, "its end is missing: lines were removed");
    else if (rc == E_OK && c->declared != c->v->records)
        fault(c, c->line, "it ends with another number of records than it has: lines were removed or added");
    else if (rc == E_OK && memcmp(c->declared_seal, c->seal.head, DIGEST_SIZE) != 0)
        fault(c, c->line, "its seal does not hold: a line was changed, removed or added");
    return rc;
}

/* The chain at a segment's beginning. */
static int begin_segment(const char *log, const struct log_reader *r, struct chain *chain, struct text *why)
{
    struct chain_file f;
    struct text path = {0};
    struct segment s = log_reader_segment(r);
    *chain = (struct chain){0};
    if (s.number == 0)
        return E_OK;
    segment_path(log, &s, SEGMENT_CHAIN, &path);
    int rc = chain_file_read(text_str(&path), &f, why);
    text_fini(&path);
    if (rc)
        return rc == E_NONE ? E_IO : rc;
    memcpy(chain->head, f.previous, DIGEST_SIZE);
    chain_file_free(&f);
    return E_OK;
}

static void miss(struct check *c, const struct place *p, const char *what)
{
    if (c->v->faults++ < MAX_TOLD)
        text_addf(c->told, "%s: record %llu of log %llu: %s\n", c->path, (unsigned long long)p->n, (unsigned long long)p->log + 1, what);
}

/* Compares all places of log number 'number' from *at on. */
static int compare_log(struct check *c, const char *log, uint64_t number, size_t *at, struct text *why)
{
    struct log_reader *r;
    struct span lines, line;
    struct chain chain = {0};
    uint64_t segment = UINT64_MAX, n = 0;
    int rc = log_reader_open(&r, log, why);
    if (rc)
        return rc == E_NONE ? E_IO : rc;
    while (rc == E_OK && (rc = log_reader_lines(r, &lines, why)) > 0) {
        rc = E_OK;
        if (log_reader_segment(r).number != segment) {
            segment = log_reader_segment(r).number;
            n = log_reader_first(r) - 1;
            rc = begin_segment(log, r, &chain, why);
        }
        while (rc == E_OK && lines.size && span_split(&lines, '\n', &line)) {
            chain_add(&chain, line);
            n++;
            for (; *at < c->v->records && c->places[*at].log == number && c->places[*at].n <= n; ++*at) {
                bool is_same = c->places[*at].n == n && memcmp(c->places[*at].after, chain.head, DIGEST_SIZE) == 0;
                c->v->compared += is_same;
                if (!is_same)
                    miss(c, &c->places[*at], "the log has something else there, or before it in its segment");
            }
        }
    }
    log_reader_free(r);
    for (; rc == E_OK && *at < c->v->records && c->places[*at].log == number; ++*at)
        miss(c, &c->places[*at], "the log does not reach so far");
    return rc;
}

int evidence_verify(const char *path, const char *const *logs, size_t n, struct evidence_verdict *v, struct text *told, struct text *why)
{
    struct check c = {.path = path, .v = v, .told = told};
    size_t at = 0;
    *v = (struct evidence_verdict){0};
    int rc = check_file(&c, why);
    for (size_t i = 0; i < n && rc == E_OK; i++)
        rc = compare_log(&c, logs[i], i, &at, why);
    if (rc == E_OK && n && at < v->records)
        miss(&c, &c.places[at], "it is of a log that was not named");
    free(c.places);
    return rc;
}
