/* SPDX-License-Identifier: Apache-2.0
 * A log writer and, for replays, what is there already. */
#include "run/ahead.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/times.h"
#include "store/log_resume.h"
#include "store/log_writer.h"

#define SYNC_TURNS 50u /* of 20 ms: what a power cut can take is at most a second of activities */

struct ahead {
    struct log_writer *log;
    struct log_resume *resume; /* NULL: whatever comes is new */
    struct text trouble;
    int failed; /* the first error, sticky */
    uint32_t turns;
    uint64_t n_there; /* records the log had already */
    bool is_beyond;   /* what comes is not in the log, and may follow it */
};

static void destroy(struct ahead *a)
{
    log_resume_free(a->resume);
    text_fini(&a->trouble);
    free(a);
}

int ahead_open(struct ahead **out, const struct settings *s, bool is_live, struct text *why)
{
    *out = NULL;
    if (!s->log)
        return E_OK;
    struct ahead *a = calloc(1, sizeof *a);
    if (!a)
        return E_NOMEM;
    int rc = is_live ? E_OK : log_resume_open(&a->resume, s->log, why);
    if (rc == E_OK)
        rc = log_writer_open(&a->log, &(struct log_options){.dir = s->log, .keep_days = (uint32_t)s->log_days}, why);
    if (rc) {
        destroy(a);
        return rc;
    }
    *out = a;
    return E_OK;
}

/* A log is in the order of packet time: what it does not have must come behind it. */
static void check_follows(struct ahead *a, const struct activity *act)
{
    struct activity last;
    struct text ignored = {.max = 256};
    char time[TIME_TEXT_MAX];
    struct span line = log_resume_last(a->resume);
    a->is_beyond = true;
    if (line.size && activity_parse(span_trim(line), &last, &ignored) == E_OK && last.done_ns > act->done_ns) {
        text_addf(&a->trouble, "the activity log reaches to %s already and does not have this input: use another directory",
                  time_text(last.done_ns, time));
        a->failed = E_BAD;
    }
    text_fini(&ignored);
}

void ahead_append(struct ahead *a, const struct activity *act, struct span line)
{
    if (!a || a->failed)
        return;
    int64_t at = a->resume ? log_resume_find(a->resume, line, &a->trouble) : 0;
    if (at < 0)
        a->failed = (int)at;
    else if (at > 0)
        a->n_there++;
    else if (a->resume && !a->is_beyond)
        check_follows(a, act);
    if (at == 0 && !a->failed)
        (void)log_writer_append(a->log, line, act->done_ns); /* 0: lost, which the log counts and tells */
}

void ahead_flush(struct ahead *a)
{
    if (a)
        (void)log_writer_flush(a->log); /* what does not go now waits, and is counted */
}

void ahead_tick(struct ahead *a)
{
    if (a)
        (void)log_writer_turn(a->log); /* whether more is left shows the next one */
}

void ahead_turn(struct ahead *a)
{
    if (!a)
        return;
    ahead_tick(a);
    if (++a->turns % SYNC_TURNS == 0)
        (void)log_writer_sync(a->log); /* as flush */
}

const char *ahead_dir(const struct ahead *a)
{
    return log_writer_dir(a->log);
}

struct counters ahead_counters(const struct ahead *a)
{
    return log_writer_counters(a ? a->log : NULL);
}

void ahead_tell(const struct ahead *a, struct text *out)
{
    if (!a)
        return;
    if (a->n_there)
        text_addf(out, "log       had %llu of these records already\n", (unsigned long long)a->n_there);
    if (*log_writer_trouble(a->log))
        text_addf(out, "note      %s\n", log_writer_trouble(a->log));
}

int ahead_close(struct ahead *a, bool keep, struct text *why)
{
    if (!a)
        return E_OK;
    int rc = a->failed;
    if (rc)
        text_add(why, text_span(&a->trouble));
    if (keep && !rc) {
        rc = log_writer_close(a->log, why);
    } else {
        (void)log_writer_sync(a->log); /* there is another failure to tell */
        log_writer_drop(a->log);
    }
    destroy(a);
    return rc;
}
