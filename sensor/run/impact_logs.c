/* SPDX-License-Identifier: Apache-2.0
 * An impact out of activity logs. Two passes: first who sessions turned out to be, then what the subject did. */
#include <stdio.h>

#include "base/err.h"
#include "base/times.h"
#include "run/evidence.h"
#include "run/impact.h"
#include "store/log_chain.h"
#include "store/log_reader.h"

#define AROUND_NS (2 * S_PER_DAY * NS_PER_S) /* a name or an end may be told that long after; a segment's day is that of ends */

struct pass {
    struct impact *out;
    const struct subject *subject;
    struct evidence *evidence; /* NULL: none, or not in this pass */
    bool is_naming;
    uint64_t line;
};

static void note(struct pass *p, const char *path, const char *reason)
{
    if (p->out->bad_lines++ == 0)
        snprintf(p->out->first_bad, sizeof p->out->first_bad, "%s:%llu: %s", path, (unsigned long long)p->line, reason);
}

/* E_NONE: nothing to take. */
static int parse(struct pass *p, const char *path, struct span line, struct activity *a, struct text *why)
{
    struct text reason = {.max = 200};
    uint8_t digest[DIGEST_SIZE];
    if (chain_redacted(line, digest)) {
        p->out->redacted++;
        return E_NONE;
    }
    int rc = activity_parse(line, a, &reason);
    if (rc == E_BAD)
        note(p, path, text_str(&reason));
    if (rc == E_STATE)
        text_addf(why, "%s:%llu: %s", path, (unsigned long long)p->line, text_str(&reason));
    text_fini(&reason);
    return rc == E_BAD ? E_NONE : rc == E_STATE ? E_BAD : rc;
}

static bool is_wanted(const struct pass *p, struct span line)
{
    return p->is_naming ? memmem(line.at, line.size, "\"action\":\"identify\"", 19) != NULL : subject_may_be(p->subject, line);
}

static int take_line(struct pass *p, const char *path, struct span line, struct text *why)
{
    struct activity a;
    p->line++;
    int rc = is_wanted(p, line) ? parse(p, path, line, &a, why) : E_NONE;
    bool is_taken = false;
    if (rc == E_OK && p->is_naming)
        impact_name(p->out, &a);
    else if (rc == E_OK)
        is_taken = impact_take(p->out, &a);
    evidence_line(p->evidence, line, is_taken);
    return rc == E_NONE ? E_OK : rc;
}

static int read_log(struct pass *p, const char *path, struct text *why)
{
    struct log_reader *r;
    struct span lines, line;
    struct text damage = {.max = 200};
    uint64_t from = p->subject->from_ns, to = p->subject->to_ns;
    uint64_t segment = UINT64_MAX;
    int rc = log_reader_open(&r, path, why);
    if (rc)
        return rc == E_NONE ? E_IO : rc;
    log_reader_days(r, from > AROUND_NS ? segment_day(from - AROUND_NS) : 0, to ? segment_day(to + AROUND_NS) : 0);
    while (rc == E_OK && (rc = log_reader_lines(r, &lines, &damage)) != 0) {
        if (rc == E_BAD) { /* what is left of it is lost; the rest of the log is not */
            note(p, path, text_str(&damage));
            text_clear(&damage);
            rc = E_OK;
            continue;
        }
        if (rc > 0 && log_reader_segment(r).number != segment) {
            segment = log_reader_segment(r).number;
            p->line = 0;
            rc = evidence_segment(p->evidence, path, log_reader_segment(r), log_reader_first(r), why);
        }
        for (rc = rc > 0 ? E_OK : rc; rc == E_OK && lines.size && span_split(&lines, '\n', &line);)
            rc = take_line(p, path, line, why);
    }
    if (rc == E_IO)
        text_add(why, text_span(&damage));
    text_fini(&damage);
    log_reader_free(r);
    return rc;
}

int impact_collect(struct impact *out, const struct subject *s, const char *const *logs, size_t n, struct evidence *e, struct text *why)
{
    struct pass naming = {.out = out, .subject = s, .is_naming = true}, taking = {.out = out, .subject = s, .evidence = e};
    int rc = impact_begin(out, s);
    for (size_t i = 0; i < n && rc == E_OK; i++)
        rc = read_log(&naming, logs[i], why);
    out->bad_lines = out->redacted = 0; /* the second pass counts them */
    for (size_t i = 0; i < n && rc == E_OK; i++)
        rc = read_log(&taking, logs[i], why);
    return rc == E_OK ? impact_end(out) : rc;
}

/* The time of the last of these lines that is an activity. */
static uint64_t last_of(struct span lines)
{
    struct text ignored = {.max = 200};
    struct activity a;
    uint64_t ns = 0;
    while (!ns && lines.size) {
        struct span rest = span_sub(lines, 0, lines.size - 1);
        const uint8_t *before = rest.size ? memrchr(rest.at, '\n', rest.size) : NULL;
        size_t from = before ? (size_t)(before - lines.at) + 1 : 0;
        if (activity_parse(span_trim(span_from(lines, from)), &a, &ignored) == E_OK)
            ns = a.time_ns;
        text_clear(&ignored);
        lines = span_sub(lines, 0, from);
    }
    text_fini(&ignored);
    return ns;
}

int impact_last(const char *const *logs, size_t n, uint64_t *ns, struct text *why)
{
    *ns = 0;
    for (size_t i = 0; i < n; i++) {
        struct log_reader *r;
        struct span lines;
        struct segments list = {0};
        int rc = log_reader_open(&r, logs[i], why);
        if (rc)
            return rc == E_NONE ? E_IO : rc;
        if (segments_are_in(logs[i]) && segments_list(logs[i], &list, why) == E_OK && list.n > 1)
            log_reader_days(r, list.at[list.n - 2].day, 0); /* the last may be empty yet */
        segments_free(&list);
        while ((rc = log_reader_lines(r, &lines, why)) > 0) {
            uint64_t last = last_of(lines);
            *ns = last > *ns ? last : *ns;
        }
        log_reader_free(r);
        if (rc < 0)
            return rc;
    }
    return E_OK;
}
