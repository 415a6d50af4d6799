/* SPDX-License-Identifier: Apache-2.0
 * How surprising a number is, in bits: minus the binary logarithm of the probability of at least that much. Pure. */
#ifndef SKETCH_SURPRISE_H
#define SKETCH_SURPRISE_H

#define SURPRISE_MAX 40.0 /* bits; more is not worth telling apart */

/* A count's mean and variance from decayed sums (n windows, sum, sum of squares) and a prior worth 'prior_n' windows.
 */
struct spread {
    double mean, variance;
};
struct spread surprise_spread(double n, double s1, double s2, double prior_n, struct spread prior);

/* -log2 P(X >= k) for a negative binomial X of that mean and variance, 0 to SURPRISE_MAX. The dispersion
 * r = mean^2 / (variance - mean) is held within [0.2, 20], so that neither a calm week nor one wild day decides alone.
 */
double surprise_count(struct spread s, double k);
/* -log2 P(X >= x) for a normal X (give logarithms of sizes), 0 to SURPRISE_MAX. */
double surprise_normal(struct spread s, double x);

/* The same for a heavier tail (Student's t with four degrees of freedom, scaled to that variance): for sizes in bytes. */
double surprise_heavy(struct spread s, double x);

/* How many standard deviations a count lies above its mean, on the square-root scale where small counts are nearly
 * normal (Anscombe 1948), over-dispersion taken out. */
double surprise_deviations(struct spread s, double k);

#endif
