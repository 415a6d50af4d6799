/* SPDX-License-Identifier: Apache-2.0
 * Random numbers that are the same on every machine and in every run: xoshiro256** (Blackman and Vigna 2018), seeded by
 * splitmix64 from a seed and a stream, and the distributions the generator needs. */
#ifndef EVAL_PRNG_H
#define EVAL_PRNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct prng {
    uint64_t s[4];
};

/* Streams of one seed are independent of each other: what one part of the world draws does not move another. */
struct prng prng_stream(uint64_t seed, uint64_t stream, uint64_t part);
uint64_t prng_u64(struct prng *r);
double prng_unit(struct prng *r);                /* [0, 1) */
uint32_t prng_below(struct prng *r, uint32_t n); /* 0 .. n-1; n >= 1 */
bool prng_chance(struct prng *r, double p);
double prng_normal(struct prng *r); /* mean 0, deviation 1 */
double prng_lognormal(struct prng *r, double median, double sigma);
uint32_t prng_poisson(struct prng *r, double mean);
/* Negative binomial as a Gamma mixture of Poissons: variance mean + mean^2 / size. */
uint32_t prng_negbin(struct prng *r, double mean, double size);
/* Index into n weights. */
uint32_t prng_pick(struct prng *r, const double *weights, uint32_t n);
/* A fixed mix of two numbers: attributes of things that are never stored (the files of a case). */
uint64_t prng_mix(uint64_t a, uint64_t b);

#endif
