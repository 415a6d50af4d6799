/* SPDX-License-Identifier: Apache-2.0
 * How often a count reaches a size, learned from what was seen: one number for each doubling, faded, over a Pareto prior.
 * For counts whose tail no formula knows: the files of one case, the cases of one customer. */
#ifndef SKETCH_TAIL_H
#define SKETCH_TAIL_H

#define TAIL_STEPS 16

struct tail { /* zeroed = nothing seen */
    float n[TAIL_STEPS]; /* how many of [2^i, 2^(i+1)) */
};

/* Counts one observation, x >= 1; earlier ones fade (a memory of about 20,000). */
void tail_add(struct tail *t, double x);
/* -log2 P(X >= x), between the doublings by the power law through them, of an exponent of three at most. The prior, worth 'weight' observations, is
 * P(X >= x) = x^-alpha. */
double tail_bits(const struct tail *t, double x, double alpha, double weight);

#endif
