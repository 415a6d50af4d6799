/* SPDX-License-Identifier: Apache-2.0
 * Upper tails of the negative binomial and the normal distribution, in bits. */
#include "sketch/surprise.h"

#include <math.h>

#define DISPERSION_MIN 0.2
#define DISPERSION_MAX 20.0
#define TERMS_MAX 100000

static double clip(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

struct spread surprise_spread(double n, double s1, double s2, double prior_n, struct spread prior)
{
    double total = n + prior_n;
    if (total <= 0)
        return prior;
    double mean = (s1 + prior_n * prior.mean) / total;
    double square = (s2 + prior_n * (prior.variance + prior.mean * prior.mean)) / total;
    return (struct spread){mean, fmax(square - mean * mean, 0)};
}

/* P(X = k), k whole. */
static double negbin_at(double r, double share, double k)
{
    int sign;
    double log_p = lgamma_r(k + r, &sign) - lgamma_r(r, &sign) - lgamma_r(k + 1, &sign);
    return exp(log_p + r * log1p(-share) + k * log(share));
}

double surprise_count(struct spread s, double k)
{
    k = ceil(k);
    if (k <= 0)
        return 0;
    double mean = fmax(s.mean, 1e-6);
    double r =
        s.variance > mean ? clip(mean * mean / (s.variance - mean), DISPERSION_MIN, DISPERSION_MAX) : DISPERSION_MAX;
    double share = mean / (mean + r); /* each further one is (j + r) / (j + 1) * share as likely */
    if (k <= mean)
        return 0; /* less than the mean is no surprise, and the sum below would be long */
    double term = negbin_at(r, share, k), tail = term;
    for (unsigned i = 0; i < TERMS_MAX && term > tail * 1e-9; i++) {
        term *= (k + i + r) / (k + i + 1) * share;
        tail += term;
    }
    return tail > 0 ? clip(-log2(tail), 0, SURPRISE_MAX) : SURPRISE_MAX;
}

double surprise_normal(struct spread s, double x)
{
    double z = (x - s.mean) / sqrt(fmax(s.variance, 1e-9));
    double tail = 0.5 * erfc(z / sqrt(2));
    return tail > 0 ? clip(-log2(tail), 0, SURPRISE_MAX) : SURPRISE_MAX;
}

double surprise_heavy(struct spread s, double x)
{
    double t = (x - s.mean) / sqrt(fmax(s.variance, 1e-9) / 2); /* its variance is 2 */
    if (t <= 0)
        return 0;
    double u = 1 + t * t / 4;
    double tail = t > 50 ? 3 / (t * t * t * t) : 0.5 - 0.375 * t / sqrt(u) * (1 - t * t / 12 / u);
    return clip(-log2(tail), 0, SURPRISE_MAX);
}

double surprise_deviations(struct spread s, double k)
{
    double mean = fmax(s.mean, 1e-6), dispersion = fmax(s.variance / mean, 1);
    return 2 * (sqrt(k + 0.375) - sqrt(mean + 0.375)) / sqrt(dispersion);
}
