/* SPDX-License-Identifier: Apache-2.0
 * The public data set of log-ins for risk-based authentication (das-group/rba-dataset, CC BY 4.0; Wiefling et al., TOPS
 * 2022) as activities. The user brings the CSV. */
#ifndef EVAL_RBA_H
#define EVAL_RBA_H

#include "base/text.h"

#include <stdio.h>

struct rba_stats {
    uint64_t rows, takeovers, attack_ips, bad; /* bad: rows left out */
};

/* Reads rows (comma-separated, RFC 4180 quotes; the columns are found by the names in the first line, in any order),
 * writes one log-in activity a row to 'out', and where 'truth' is not NULL a line for each row that is marked as
 * take-over or attack address. Rows are taken in the order of the file. E_BAD when a column is missing, E_IO; a line in
 * why. */
int rba_import(FILE *csv, FILE *out, FILE *truth, struct rba_stats *stats, struct text *why);

#endif
