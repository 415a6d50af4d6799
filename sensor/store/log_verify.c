/* SPDX-License-Identifier: Apache-2.0
 * Every line is digested again. Between two marks that hold and do not, the change lies. */
#include "store/log_verify.h"

#include "base/err.h"
#include "base/hex.h"
#include "store/log_chain.h"
#include "store/log_reader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_TOLD 20u

struct verifier {
    const char *dir;
    struct log_verdict *out;
    struct text *told;
    struct text path;
    struct chain chain; /* of the segment at hand */
    uint64_t next;      /* sequence number that must come; 0: any */
    uint64_t number;    /* of the last segment; 0: none yet */
};

static void fault(struct verifier *v, const char *what, uint64_t from, uint64_t to)
{
    if (v->out->faults++ >= MAX_TOLD)
        return;
    text_addf(v->told, "%s: %s", text_str(&v->path), what);
    if (to)
        text_addf(v->told, " (records %llu to %llu)", (unsigned long long)from, (unsigned long long)to);
    text_add_char(v->told, '\n');
}

/* The head that the file "removed" notes of the segment before; false when it notes none. */
static bool find_removed(const char *dir, uint64_t number, struct chain_file *out)
{
    struct text path = {0};
    char line[256], hex[2 * DIGEST_SIZE + 1];
    unsigned long long segment, first, n;
    bool is_found = false;
    text_addf(&path, "%s/removed", dir);
    FILE *f = fopen(text_str(&path), "re");
    while (f && fgets(line, sizeof line, f)) {
        if (sscanf(line, "segment %llu first %llu end %llu %64s", &segment, &first, &n, hex) != 4 || segment != number)
            continue;
        out->first = first;
        out->end.n = n;
        is_found = hex_bytes(span_text(hex), out->end.head, DIGEST_SIZE);
    }
    if (f)
        fclose(f);
    text_fini(&path);
    return is_found;
}

/* How the segment joins what was before it. */
static void check_join(struct verifier *v, const struct segment *s, const struct chain_file *f)
{
    struct chain_file before = {0};
    bool is_first = v->number == 0;
    if (f->segment != s->number)
        fault(v, "its chain is that of another segment", 0, 0);
    if (!is_first && s->number != v->number + 1)
        fault(v, "segments before it are missing", 0, 0);
    if (is_first && s->number > 1) {
        if (!find_removed(v->dir, s->number - 1, &before))
            fault(v, "segments before it are missing, and no note says that they were removed", 0, 0);
        v->chain = before.end;
        if (before.first)
            v->next = before.first + before.end.n;
    }
    if (memcmp(v->chain.head, f->previous, DIGEST_SIZE) != 0)
        fault(v, "its chain does not go on from the segment before it", 0, 0);
    if (v->next && v->next != f->first)
        fault(v, "its numbers do not go on from the segment before it", 0, 0);
    memcpy(v->chain.head, f->previous, DIGEST_SIZE);
    v->chain.n = 0;
    v->next = f->first;
    if (is_first)
        v->out->first = f->first;
}

static void check_line(struct verifier *v, const struct chain_file *f, struct span line, size_t *mark)
{
    uint8_t digest[DIGEST_SIZE];
    v->out->redacted += chain_redacted(line, digest);
    chain_add(&v->chain, line);
    for (; *mark < f->n_marks && f->marks[*mark].n == v->chain.n; ++*mark) {
        uint64_t from = *mark ? f->marks[*mark - 1].n : 0;
        bool is_new = *mark == 0 || from < v->chain.n;
        if (memcmp(f->marks[*mark].head, v->chain.head, DIGEST_SIZE) == 0 || !is_new)
            continue;
        fault(v, "a line was changed, removed or added", f->first + from, f->first + v->chain.n - 1);
        memcpy(v->chain.head, f->marks[*mark].head, DIGEST_SIZE); /* so that what follows is judged by itself */
    }
}

static int check_lines(struct verifier *v, const struct segment *s, const struct chain_file *f, struct text *why)
{
    struct log_reader *r;
    struct span lines, line;
    struct text said = {0};
    size_t mark = 0;
    segment_path(v->dir, s, s->is_packed ? SEGMENT_PACKED : SEGMENT_PLAIN, &v->path);
    int rc = log_reader_open(&r, text_str(&v->path), why);
    if (rc)
        return rc;
    while ((rc = log_reader_lines(r, &lines, &said)) > 0)
        while (lines.size && span_split(&lines, '\n', &line))
            check_line(v, f, line, &mark);
    log_reader_free(r);
    if (rc == E_BAD)
        fault(v, "damaged: it cannot be unpacked", 0, 0);
    else if (rc)
        text_add(why, text_span(&said));
    text_fini(&said);
    uint64_t marked = f->n_marks ? f->marks[f->n_marks - 1].n : 0;
    if (f->is_closed && f->end.n != v->chain.n)
        fault(v, f->end.n > v->chain.n ? "lines were removed from it" : "lines were added to it", 0, 0);
    else if (f->is_closed && memcmp(f->end.head, v->chain.head, DIGEST_SIZE) != 0)
        fault(v, "a line was changed, removed or added", f->first + (marked < v->chain.n ? marked : 0), f->first + v->chain.n - 1);
    else if (!f->is_closed && marked > v->chain.n)
        fault(v, "lines were removed from it", 0, 0);
    else if (!f->is_closed)
        v->out->open += v->chain.n - marked;
    return rc == E_BAD ? E_OK : rc;
}

static int check_segment(struct verifier *v, const struct segment *s, struct text *why)
{
    struct chain_file f;
    struct text said = {0};
    segment_path(v->dir, s, SEGMENT_CHAIN, &v->path);
    int rc = chain_file_read(text_str(&v->path), &f, &said);
    if (rc == E_STATE || rc == E_IO)
        text_add(why, text_span(&said));
    text_fini(&said);
    if (rc == E_STATE || rc == E_IO)
        return rc;
    if (rc) {
        fault(v, rc == E_NONE ? "is missing" : "is no chain", 0, 0);
        v->number = s->number;
        v->next = 0;
        return E_OK;
    }
    check_join(v, s, &f);
    rc = check_lines(v, s, &f, why);
    v->out->segments++;
    v->out->records += v->chain.n;
    v->next = f.first + (f.is_closed ? f.end.n : v->chain.n);
    if (f.is_closed)
        v->chain = f.end;
    v->number = s->number;
    chain_file_free(&f);
    return rc;
}

int log_verify(const char *dir, struct log_verdict *out, struct text *told, struct text *why)
{
    struct segments list;
    struct verifier v = {.dir = dir, .out = out, .told = told};
    *out = (struct log_verdict){0};
    int rc = segments_list(dir, &list, why);
    if (rc == E_OK && list.n == 0) {
        text_addf(why, "%s: no activity log in this directory: only one written with --log has a hash chain", dir);
        rc = E_NONE;
    }
    for (size_t i = 0; i < list.n && rc == E_OK; i++)
        rc = check_segment(&v, &list.at[i], why);
    memcpy(out->head, v.chain.head, DIGEST_SIZE);
    text_fini(&v.path);
    segments_free(&list);
    return rc;
}
