/* SPDX-License-Identifier: Apache-2.0
 * What no route of a profile took, counted by template, so that a blind route shows: requests, bytes, files, credentials,
 * and when. One table per worker, bounded: where a place in a path takes too many values it is folded, and of too many
 * templates those with the least use make room. */
#ifndef APP_UNMAPPED_H
#define APP_UNMAPPED_H

#include "app/template.h"
#include "base/counter.h"
#include "record/unmapped_row.h"

struct unmapped;

struct unmapped_use { /* one transaction; everything borrowed */
    struct span profile;  /* lives as long as the table */
    struct span host, method;
    const struct path *path;
    struct span query;    /* as it stands in the target */
    uint64_t time_ns, bytes; /* bytes: of the answer's body */
    uint64_t credential;  /* a hash of what acts; 0 when nothing was shown */
    bool is_file, is_refused; /* refused: 4xx, 5xx, or no answer */
};

/* 'max': templates kept. NULL when memory cannot be reserved. */
struct unmapped *unmapped_new(uint32_t max);
void unmapped_free(struct unmapped *u);
void unmapped_count(struct unmapped *u, const struct unmapped_use *use);
struct counters unmapped_counters(const struct unmapped *u);
/* All rows, in a new array that the caller frees: those with files first, then by bytes, requests, host, method and
 * template. NULL when there is none, or no memory. */
struct unmapped_row *unmapped_rows(const struct unmapped *u, size_t *n);

#endif
