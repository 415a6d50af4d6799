/* SPDX-License-Identifier: Apache-2.0
 * The level that a stream exceeds with probability q, learned from the stream: a high quantile and a generalised Pareto
 * distribution beyond it, over the latest excesses (SPOT: Siffer, Fouque, Termier and Largouet, KDD 2017). The first values
 * of a sensor's life are unlike the later ones, so the quantile is found again when values have left it. */
#ifndef SKETCH_SPOT_H
#define SKETCH_SPOT_H

#include <stdbool.h>
#include <stdint.h>

#include "sketch/gpd.h"

#define SPOT_LATEST 1000 /* values before there is a level, and of which the beginning of the tail is a quantile */
#define SPOT_EXCESSES 400
#define SPOT_LEVEL 0.97 /* the quantile beyond which the tail begins */

struct spot { /* zeroed = nothing seen */
    uint64_t n;                  /* values taken so far */
    float latest[SPOT_LATEST];   /* a ring */
    double start;                /* where the tail begins */
    uint64_t from;               /* since this value */
    struct gpd tail;
    float excess[SPOT_EXCESSES]; /* a ring of the latest, beyond start, and which value each was */
    uint64_t at[SPOT_EXCESSES];
    uint32_t n_excess;           /* so far */
    uint32_t n_fit;              /* of them when the tail was fitted */
    double credit;               /* values above the level that may still be taken: as many as are due */
};

/* Whether there is a level. */
bool spot_is_ready(const struct spot *s);
/* The level that a value exceeds with probability q, q < 1 - SPOT_LEVEL; only when ready. */
double spot_level(const struct spot *s, double q);
/* P(a value > x), as far as the tail goes: at least 1 - SPOT_LEVEL is told for what lies before it. */
double spot_above(const struct spot *s, double x);
/* Takes a value. Of those above the level of q only as many as are due are taken, so that an attack cannot raise it. */
void spot_add(struct spot *s, double x, double q);

#endif
