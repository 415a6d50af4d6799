/* SPDX-License-Identifier: Apache-2.0
 * Comma-separated values as RFC 4180 has them: values in quotes may hold commas, line ends and "" for a quote. Read record
 * by record; every limit and every error is told with file, line and column. */
#ifndef BASE_CSV_H
#define BASE_CSV_H

#include <stdio.h>

#include "base/text.h"

#define CSV_VALUES_MAX 32u    /* of a record */
#define CSV_RECORD_MAX 16384u /* bytes of a record, its quotes undone */

struct csv_value {
    const char *text;      /* NUL-terminated; valid until the next record is read */
    uint32_t line, column; /* where it begins, from 1; columns are bytes */
};

struct csv {
    FILE *file;       /* borrowed */
    const char *name; /* of the file, for messages; borrowed */
    uint32_t line, column;
    struct csv_value values[CSV_VALUES_MAX];
    uint32_t n;
    size_t used;
    char text[CSV_RECORD_MAX];
};

void csv_init(struct csv *c, FILE *file, const char *name);
/* Reads one record into c->values: E_OK, E_END after the last, E_IO, or E_CONF with "FILE:LINE:COLUMN: what". Empty lines
 * and those that begin with '#' are passed over, as is a byte order mark. */
int csv_next(struct csv *c, struct text *why);
/* "FILE:LINE:COLUMN: " and the message, for what the caller finds wrong with a value. Returns E_CONF. */
int csv_fail(const struct csv *c, const struct csv_value *at, struct text *why, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
