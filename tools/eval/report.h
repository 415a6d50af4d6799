/* SPDX-License-Identifier: Apache-2.0
 * Results as Markdown. */
#ifndef EVAL_REPORT_H
#define EVAL_REPORT_H

#include "eval/bench.h"

/* The whole page: what was run, the tables of 'base', the changed worlds beside it ('names'), and all parameters. */
void report_page(struct bench *base, struct bench *variants, const char *const *names, uint32_t n_variants,
                 const char *command, struct text *out);
/* The parameters with their sources. */
void report_params(const struct params *p, struct text *out);

#endif
