/* SPDX-License-Identifier: Apache-2.0
 * How often, how sure, how right: alerts of days, drawn again (bootstrap), and labels. */
#include "run/tune.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/csv.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/times.h"

#define DRAWS 1000u
#define GRACE_NS (3600 * NS_PER_S) /* what the victim does until so long after an attack may decide, too */

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void count_days(const struct tune_pass *p, uint64_t first_ns, double *days, unsigned n, double by)
{
    for (size_t i = 0; i < p->n; i++) {
        unsigned day = p->at[i].told_ns >= first_ns ? time_day(p->at[i].told_ns) - time_day(first_ns) : 0;
        days[day < n ? day : n - 1] += by;
    }
}

static struct tune_rate rate_of(const double *days, unsigned n)
{
    static const struct tune_rate nothing;
    double sum = 0, most = 0, *means = calloc(DRAWS, sizeof *means);
    if (!means)
        return nothing;
    for (unsigned i = 0; i < n; i++) {
        sum += days[i];
        most = fmax(most, days[i]);
    }
    for (unsigned draw = 0; draw < DRAWS; draw++) {
        for (unsigned i = 0; i < n; i++) {
            const uint32_t key[2] = {draw, i};
            means[draw] += days[hash64(span_of(key, sizeof key), 52) % n] / n;
        }
    }
    qsort(means, DRAWS, sizeof *means, by_size);
    struct tune_rate r = {sum / n, means[DRAWS / 40], means[DRAWS - 1 - DRAWS / 40], (unsigned)most};
    free(means);
    return r;
}

struct tune_rate tune_rate_of(const struct tune_pass *p)
{
    static const struct tune_rate nothing;
    unsigned n = tune_days(p);
    double *days = calloc(n, sizeof *days);
    if (!days)
        return nothing;
    count_days(p, p->first_ns, days, n, 1);
    struct tune_rate r = rate_of(days, n);
    free(days);
    return r;
}

struct tune_rate tune_saved(const struct tune_pass *before, const struct tune_pass *after)
{
    static const struct tune_rate nothing;
    unsigned n = tune_days(before);
    double *days = calloc(n, sizeof *days);
    if (!days)
        return nothing;
    count_days(before, before->first_ns, days, n, 1);
    count_days(after, before->first_ns, days, n, -1);
    struct tune_rate r = rate_of(days, n);
    free(days);
    return r;
}

static int take_label(const struct csv *csv, struct tune_label *l, struct text *why)
{
    *l = (struct tune_label){0};
    if (csv->n < 3 || csv->n > 4)
        return csv_fail(csv, &csv->values[0], why, "a label has who,from,to and perhaps kind");
    const struct csv_value *v = csv->values;
    if (!*v[0].text || strlen(v[0].text) >= sizeof l->user)
        return csv_fail(csv, &v[0], why, "a credential is expected");
    for (int i = 1; i < 3; i++)
        if (!time_parse(span_text(v[i].text), i == 1 ? &l->from_ns : &l->to_ns))
            return csv_fail(csv, &v[i], why, "'%.40s' is no time: 2026-03-23T09:17:31Z", v[i].text);
    if (l->to_ns < l->from_ns)
        return csv_fail(csv, &v[2], why, "it ends before it begins");
    snprintf(l->user, sizeof l->user, "%s", v[0].text);
    snprintf(l->kind, sizeof l->kind, "%.60s", csv->n > 3 && *v[3].text ? v[3].text : "attack");
    return 0;
}

static int add_label(struct tune_labels *out, size_t *cap, const struct csv *csv, struct text *why)
{
    if (out->n == *cap) {
        struct tune_label *more = realloc(out->at, (*cap = *cap ? *cap * 2 : 64) * sizeof *more);
        if (!more)
            return E_NOMEM;
        out->at = more;
    }
    return take_label(csv, &out->at[out->n++], why);
}

int tune_labels_load(const char *path, struct tune_labels *out, struct text *why)
{
    FILE *f = fopen(path, "re");
    struct csv *csv = f ? malloc(sizeof *csv) : NULL;
    size_t cap = 0, number = 0;
    int rc = csv ? 0 : f ? E_NOMEM : E_IO;
    *out = (struct tune_labels){0};
    if (!f)
        text_addf(why, "%s: %s", path, strerror(errno));
    if (csv)
        csv_init(csv, f, path);
    while (rc == 0 && (rc = csv_next(csv, why)) == 0) {
        if (number++ == 0 && strcmp(csv->values[0].text, "who") != 0)
            rc = csv_fail(csv, &csv->values[0], why, "the first record names the columns: who,from,to,kind");
        else if (number > 1)
            rc = add_label(out, &cap, csv, why);
    }
    free(csv);
    if (f)
        fclose(f);
    return rc == E_END ? 0 : rc;
}

static bool is_about(const struct tune_alert *a, const struct tune_label *l)
{
    return span_eq_nocase(span_text(a->user), span_text(l->user)) && a->last_ns >= l->from_ns && a->told_ns <= l->to_ns + GRACE_NS;
}

bool tune_is_attack(const struct tune_alert *a, const struct tune_labels *labels)
{
    for (size_t i = 0; labels && i < labels->n; i++)
        if (is_about(a, &labels->at[i]))
            return true;
    return false;
}

/* Wilson's interval at 95 % (Wilson 1927). */
static void wilson(unsigned hit, unsigned of, double out[2])
{
    double z = 1.959963984540054, n = of, p = of ? hit / n : 0;
    out[0] = 0;
    out[1] = 1;
    if (!of)
        return;
    double middle = p + z * z / (2 * n), half = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n)), scale = 1 + z * z / n;
    out[0] = fmax(0, (middle - half) / scale);
    out[1] = fmin(1, (middle + half) / scale);
}

struct tune_score tune_score_of(const struct tune_pass *p, const struct tune_labels *labels)
{
    struct tune_score s = {.attacks = (unsigned)labels->n, .alerts = (unsigned)p->n};
    double *delays = calloc(labels->n + 1, sizeof *delays);
    for (size_t i = 0; delays && i < labels->n; i++) {
        const struct tune_label *l = &labels->at[i];
        uint64_t first_ns = UINT64_MAX;
        for (size_t k = 0; k < p->n; k++)
            if (is_about(&p->at[k], l) && p->at[k].told_ns < first_ns)
                first_ns = p->at[k].told_ns;
        if (first_ns != UINT64_MAX)
            delays[s.found++] = first_ns > l->from_ns ? (double)(first_ns - l->from_ns) / NS_PER_S : 0;
    }
    for (size_t k = 0; k < p->n; k++)
        s.right += tune_is_attack(&p->at[k], labels);
    if (delays && s.found) {
        qsort(delays, s.found, sizeof *delays, by_size);
        s.median_s = delays[s.found / 2];
        s.slow_s = delays[s.found * 9 / 10];
    }
    wilson(s.found, s.attacks, s.recall);
    wilson(s.right, s.alerts, s.precision);
    free(delays);
    return s;
}
