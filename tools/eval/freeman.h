/* SPDX-License-Identifier: Apache-2.0
 * The likelihood ratio of Freeman et al. (NDSS 2016), equation 7 without attack data, in the form in which Wiefling et
 * al. (TOPS 2022) published it: two features, the address (address, AS, country) and the User-Agent (whole, browser,
 * system, device), each a weighted sum over its levels. */
#ifndef EVAL_FREEMAN_H
#define EVAL_FREEMAN_H

#include <stdbool.h>
#include <stdint.h>

#define FREEMAN_FEATURES 2
#define FREEMAN_LEVELS 4

/* Hashes of the values, the finest first; the address has three levels. */
struct freeman_login {
    uint64_t value[FREEMAN_FEATURES][FREEMAN_LEVELS];
};

struct freeman;

struct freeman *freeman_new(void); /* NULL when memory is short */
void freeman_free(struct freeman *f);
/* The risk of a log-in by that user: above 1, more likely an attack. Per feature, with c of n log-ins having the value
 * x: user:   sum over levels of weight * c / n; when that is 0, a quarter of the global likelihood global: the same,
 * but at the finest level smoothed by the number M of values not yet seen there (the distinct values of the coarser
 * levels and one): c/n * n/(n+M) or, never seen, 1/(n+M); times the same over the log-ins that have x and risk =
 * product of global / user, times (1 / users) / (the user's share of all log-ins). A user without log-ins has no
 * likelihood of his own; the paper does not say what then. Here he is taken to have one log-in. */
double freeman_score(const struct freeman *f, uint64_t user, const struct freeman_login *login);
/* Whether that user has logged in before. */
bool freeman_knows(const struct freeman *f, uint64_t user);
void freeman_learn(struct freeman *f, uint64_t user, const struct freeman_login *login);

#endif
