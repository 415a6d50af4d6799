/* SPDX-License-Identifier: Apache-2.0
 * Recorded activity logs read back: files (activities.ndjson, plain or packed by zstd) or directories of segments
 * (store/segments.h), one or several, merged by the time each record was done; within one the order is as written. What is no activity is passed over and counted. */
#ifndef RUN_ACTIVITY_LOG_H
#define RUN_ACTIVITY_LOG_H

#include "base/text.h"
#include "record/activity.h"

struct activity_log;

struct activity_log_stats {
    uint64_t activities;  /* delivered */
    uint64_t garbage;     /* lines that are none: no JSON, or not of this kind */
    uint64_t redacted;    /* records that were erased: only their digests are left */
    uint64_t torn;        /* last lines without their end: a writer was stopped */
    uint64_t unordered;   /* activities done before the one in front of them in their file: judged as written */
    uint64_t total_bytes; /* size of the files; 0 when one is a pipe */
    uint64_t read_bytes;
};

/* Which of the files are logs, by their first bytes ("{", or those of zstd; "-" is standard input, which is not consumed), or
 * directories of segments. *n_logs of n. An
 * empty file is one among logs. What cannot be opened counts as none: whoever opens it next says why. */
void activity_log_count(const char *const *paths, size_t n, size_t *n_logs);
/* E_IO with "FILE: reason"; E_NOMEM. */
int activity_log_open(struct activity_log **out, const char *const *paths, size_t n, struct text *why);
/* 1 and *a (borrowed until the next call), or E_END; E_BAD with "FILE:LINE: ..." for a line of another version of the
 * schema, E_IO when reading fails. */
int activity_log_next(struct activity_log *log, const struct activity **a, struct text *why);
/* After the end: the files may have grown since. */
void activity_log_more(struct activity_log *log);
/* Whether any record says a country or an AS: then who wrote the log had a geo database. Of a pipe only the part that
 * was read ahead is asked. */
bool activity_log_has_geo(struct activity_log *log);
/* Ends activity_log_next from a signal handler. */
void activity_log_stop(struct activity_log *log);
void activity_log_stats(const struct activity_log *log, struct activity_log_stats *out);
/* Where the first garbage line stands ("FILE:LINE: reason"), or "". */
const char *activity_log_first_garbage(const struct activity_log *log);
void activity_log_close(struct activity_log *log);

#endif
