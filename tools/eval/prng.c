/* SPDX-License-Identifier: Apache-2.0
 * xoshiro256**, and distributions by text-book methods. */
#include "eval/prng.h"

#include <math.h>

static uint64_t splitmix(uint64_t *x)
{
    uint64_t z = *x += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

uint64_t prng_mix(uint64_t a, uint64_t b)
{
    uint64_t x = a ^ (b * 0xd6e8feb86659fd93u);
    (void)splitmix(&x); /* the state moves on, the value is not wanted */
    return splitmix(&x);
}

struct prng prng_stream(uint64_t seed, uint64_t stream, uint64_t part)
{
    uint64_t x = prng_mix(prng_mix(seed, stream), part);
    struct prng r;
    for (int i = 0; i < 4; i++)
        r.s[i] = splitmix(&x);
    return r;
}

static uint64_t rotate(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

uint64_t prng_u64(struct prng *r)
{
    uint64_t *s = r->s, result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

double prng_unit(struct prng *r)
{
    return (double)(prng_u64(r) >> 11) * 0x1.0p-53;
}

uint32_t prng_below(struct prng *r, uint32_t n)
{
    return (uint32_t)((prng_u64(r) >> 32) * n >> 32);
}

bool prng_chance(struct prng *r, double p)
{
    return prng_unit(r) < p;
}

double prng_normal(struct prng *r)
{
    double u = 1 - prng_unit(r), v = prng_unit(r);
    return sqrt(-2 * log(u)) * cos(2 * M_PI * v);
}

double prng_lognormal(struct prng *r, double median, double sigma)
{
    return median * exp(sigma * prng_normal(r));
}

uint32_t prng_poisson(struct prng *r, double mean)
{
    if (mean > 50) { /* near enough to normal there */
        double x = mean + sqrt(mean) * prng_normal(r);
        return x < 0 ? 0 : (uint32_t)(x + 0.5);
    }
    double limit = exp(-mean), product = prng_unit(r);
    uint32_t k = 0;
    for (; product > limit; k++)
        product *= prng_unit(r);
    return k;
}

/* Marsaglia and Tsang 2000; below 1 by the boost of Ahrens. */
static double gamma_of(struct prng *r, double shape)
{
    if (shape < 1)
        return gamma_of(r, shape + 1) * pow(1 - prng_unit(r), 1 / shape);
    double d = shape - 1.0 / 3, c = 1 / sqrt(9 * d);
    for (;;) {
        double x = prng_normal(r), v = 1 + c * x;
        if (v <= 0)
            continue;
        v = v * v * v;
        if (log(1 - prng_unit(r)) < 0.5 * x * x + d - d * v + d * log(v))
            return d * v;
    }
}

uint32_t prng_negbin(struct prng *r, double mean, double size)
{
    return mean > 0 ? prng_poisson(r, gamma_of(r, size) * mean / size) : 0;
}

uint32_t prng_pick(struct prng *r, const double *weights, uint32_t n)
{
    double sum = 0, at;
    for (uint32_t i = 0; i < n; i++)
        sum += weights[i];
    at = prng_unit(r) * sum;
    for (uint32_t i = 0; i + 1 < n; i++) {
        if (at < weights[i])
            return i;
        at -= weights[i];
    }
    return n - 1;
}
