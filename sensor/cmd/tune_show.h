/* SPDX-License-Identifier: Apache-2.0
 * What 'tune' found, for people. */
#ifndef CMD_TUNE_SHOW_H
#define CMD_TUNE_SHOW_H

#include "run/tune.h"

/* Pass i was judged under a budget of asked[i]; 0: as the settings say. */
void tune_show_budgets(const struct tune_pass *passes, const uint64_t *asked, size_t n, const struct tune_labels *labels, FILE *to);
/* passes[i] was judged with suggestion i; those that give fewer alerts are shown. */
void tune_show_suggestions(const struct tune_pass *base, const struct tune_suggestion *s, const struct tune_pass *passes, size_t n,
                           const struct tune_labels *labels, FILE *to);

#endif
