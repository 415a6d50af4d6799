/* SPDX-License-Identifier: Apache-2.0
 * The generalised Pareto distribution: what the part of a tail beyond a high threshold looks like (Pickands 1975). */
#ifndef SKETCH_GPD_H
#define SKETCH_GPD_H

#include <stddef.h>

struct gpd {
    double gamma, sigma; /* shape (0: exponential) and scale > 0 */
};

/* Most likely parameters for n >= 1 excesses (> 0, by Grimshaw's procedure, 1993: the roots of one equation in one unknown are
 * the candidates, the exponential is one more). With fewer than 30 the exponential is taken. */
struct gpd gpd_fit(const float *excess, size_t n);
/* P(Y > y), and its inverse. */
double gpd_above(struct gpd g, double y);
double gpd_level(struct gpd g, double p);

#endif
