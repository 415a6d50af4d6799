/* SPDX-License-Identifier: Apache-2.0
 * Grimshaw, "Computing maximum likelihood estimates for the generalized Pareto distribution", Technometrics 35 (1993). */
#include "sketch/gpd.h"

#include <math.h>
#include <stdbool.h>

#define FEW 30
#define STEPS 24 /* of the grid on each side of zero on which a change of sign is looked for */
#define HALVINGS 30
#define GAMMA_MIN (-0.5) /* below, the estimates have no known distribution */
#define GAMMA_MAX 0.9

struct sample {
    const float *y;
    size_t n;
    double mean, min, max;
};

/* v(x) = 1 + mean(log(1 + x y)), w(x) = mean(1 / (1 + x y)) v(x) - 1, which is zero at the candidates. */
static double w_of(const struct sample *s, double x, double *v)
{
    double inverse = 0, logs = 0, product = 1; /* one logarithm for many factors */
    for (size_t i = 0; i < s->n; i++) {
        double at = 1 + x * (double)s->y[i];
        inverse += 1 / at;
        product *= at;
        if (product > 1e100 || product < 1e-100) {
            logs += log(product);
            product = 1;
        }
    }
    *v = 1 + (logs + log(product)) / (double)s->n;
    return inverse / (double)s->n * *v - 1;
}

static double likelihood(const struct sample *s, struct gpd g)
{
    double sum = 0;
    if (fabs(g.gamma) < 1e-8)
        return -(double)s->n * log(g.sigma) - s->mean * (double)s->n / g.sigma;
    for (size_t i = 0; i < s->n; i++) {
        double at = 1 + g.gamma * (double)s->y[i] / g.sigma;
        if (at <= 0)
            return -INFINITY;
        sum += log(at);
    }
    return -(double)s->n * log(g.sigma) - (1 + 1 / g.gamma) * sum;
}

static void consider(const struct sample *s, double x, double v, struct gpd *best, double *likeliest)
{
    struct gpd g = {v - 1, (v - 1) / x};
    if (!(g.sigma > 0) || g.gamma < GAMMA_MIN || g.gamma > GAMMA_MAX)
        return;
    double at = likelihood(s, g);
    if (at > *likeliest) {
        *likeliest = at;
        *best = g;
    }
}

/* Looks for roots between low and high, both on one side of zero; the grid is finer towards zero. */
static void search(const struct sample *s, double low, double high, struct gpd *best, double *likeliest)
{
    double v, from = low, at_from = w_of(s, low, &v);
    double factor = pow(high / low, 1.0 / STEPS);
    for (int i = 0; i < STEPS; i++) {
        double to = from * factor, at_to = w_of(s, to, &v);
        if (signbit(at_from) != signbit(at_to)) {
            double a = from, b = to;
            for (int k = 0; k < HALVINGS; k++) {
                double middle = (a + b) / 2;
                bool is_left = signbit(w_of(s, middle, &v)) == signbit(at_from);
                *(is_left ? &a : &b) = middle;
            }
            w_of(s, (a + b) / 2, &v);
            consider(s, (a + b) / 2, v, best, likeliest);
        }
        from = to;
        at_from = at_to;
    }
}

struct gpd gpd_fit(const float *excess, size_t n)
{
    struct sample s = {excess, n, 0, (double)excess[0], (double)excess[0]};
    for (size_t i = 0; i < n; i++) {
        s.mean += (double)excess[i] / (double)n;
        s.min = fmin(s.min, (double)excess[i]);
        s.max = fmax(s.max, (double)excess[i]);
    }
    s.mean = fmax(s.mean, 1e-6);
    struct gpd best = {0, s.mean};
    if (n < FEW || s.max <= s.min)
        return best;
    double likeliest = likelihood(&s, best), least = fmax(s.min, 1e-3 * s.mean), edge = 1e-4 / s.mean;
    search(&s, -edge, -(1 - 1e-6) / s.max, &best, &likeliest);
    search(&s, edge, fmax(2 * (s.mean - least) / (least * least), 2 * edge), &best, &likeliest);
    return best;
}

double gpd_above(struct gpd g, double y)
{
    if (y <= 0)
        return 1;
    if (fabs(g.gamma) < 1e-8)
        return exp(-y / g.sigma);
    double at = 1 + g.gamma * y / g.sigma;
    return at <= 0 ? 0 : pow(at, -1 / g.gamma);
}

double gpd_level(struct gpd g, double p)
{
    if (p >= 1)
        return 0;
    return fabs(g.gamma) < 1e-8 ? -g.sigma * log(p) : g.sigma / g.gamma * (pow(p, -g.gamma) - 1);
}
