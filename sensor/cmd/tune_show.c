/* SPDX-License-Identifier: Apache-2.0
 * Tables of a tuning. */
#include "cmd/tune_show.h"

#include "base/times.h"
#include "record/shown.h"

#define RULES_MAX 64u

struct spender {
    const char *rule;
    unsigned n;
};

static void show_spenders(const struct tune_pass *p, FILE *to)
{
    struct spender s[RULES_MAX] = {0};
    size_t n = 0;
    for (size_t i = 0; i < p->n; i++) {
        size_t k = 0;
        while (k < n && strcmp(s[k].rule, p->at[i].rule) != 0)
            k++;
        if (k == RULES_MAX)
            continue;
        if (k == n)
            s[n++].rule = p->at[i].rule;
        s[k].n++;
    }
    for (size_t shown = 0; shown < n; shown++) {
        size_t most = shown;
        for (size_t k = shown + 1; k < n; k++)
            if (s[k].n > s[most].n)
                most = k;
        struct spender swap = s[shown];
        s[shown] = s[most];
        s[most] = swap;
        fprintf(to, "%s%s %u", shown ? ", " : "", s[shown].rule, s[shown].n);
    }
    fputs(n ? "\n" : "none\n", to);
}

static void show_level(const struct tune_pass *p, enum channel c, const char *name, FILE *to)
{
    if (p->has_level[c])
        fprintf(to, "  %s from %.2f bits (%.2f to %.2f)", name, p->levels[c].level, p->levels[c].low, p->levels[c].high);
    else
        fprintf(to, "  %s: provisional, too little was seen", name);
}

static void show_score(const struct tune_pass *p, const struct tune_labels *labels, FILE *to)
{
    if (!labels->n)
        return;
    struct tune_score s = tune_score_of(p, labels);
    fprintf(to, "            found %u of %u attacks, %.0f %% (%.0f to %.0f); %u of %u alerts name one, %.0f %% (%.0f to %.0f)", s.found,
            s.attacks, 100.0 * s.found / s.attacks, 100 * s.recall[0], 100 * s.recall[1], s.right, s.alerts,
            s.alerts ? 100.0 * s.right / s.alerts : 0, 100 * s.precision[0], 100 * s.precision[1]);
    if (s.found)
        fprintf(to, "; told after %.0f s (half), %.0f s (nine of ten)", s.median_s, s.slow_s);
    fputc('\n', to);
}

void tune_show_budgets(const struct tune_pass *passes, const uint64_t *asked, size_t n, const struct tune_labels *labels, FILE *to)
{
    char from[TIME_TEXT_MAX], until[TIME_TEXT_MAX];
    const struct tune_pass *base = &passes[n - 1];
    bool is_empty = base->last_ns < base->first_ns;
    fprintf(to, "recording   %llu activities, %u days", (unsigned long long)base->activities, tune_days(base));
    if (!is_empty)
        fprintf(to, ", %.19sZ to %.19sZ", time_text(base->first_ns, from), time_text(base->last_ns, until));
    fputs("\nbudget      alerts a day that it gives: mean (95 % of means of as many days drawn again), the busiest day\n", to);
    for (size_t i = 0; i < n; i++) {
        struct tune_rate r = tune_rate_of(&passes[i]);
        if (asked[i])
            fprintf(to, "%4llu a day  ", (unsigned long long)asked[i]);
        else
            fputs("as it is    ", to);
        fprintf(to, "%.2f (%.2f to %.2f), %u: ", r.mean, r.low, r.high, r.most);
        show_spenders(&passes[i], to);
        fputs("           ", to);
        show_level(&passes[i], CHANNEL_CONTEXT, "context", to);
        fputc(';', to);
        show_level(&passes[i], CHANNEL_VOLUME, "volume", to);
        fputc('\n', to);
        show_score(&passes[i], labels, to);
    }
}

/* Each of the lines, what came from the wire made harmless. */
static void show_lines(const char *before, const char *lines, FILE *to)
{
    for (const char *at = lines; *at; at += *at == '\n') {
        size_t n = strcspn(at, "\n");
        struct text shown = {0};
        shown_add(span_of(at, n), n, &shown);
        fprintf(to, "%s%s\n", before, text_str(&shown));
        text_fini(&shown);
        at += n;
    }
}

/* Alerts that are in 'a' and not in 'b'. */
static unsigned missing(const struct tune_pass *a, const struct tune_pass *b)
{
    unsigned n = 0;
    for (size_t i = 0; i < a->n; i++)
        n += tune_find(b, a->at[i].id) == NULL;
    return n;
}

static void show_suggestion(const struct tune_pass *base, const struct tune_suggestion *s, const struct tune_pass *with,
                            const struct tune_labels *labels, FILE *to)
{
    struct tune_rate saved = tune_saved(base, with);
    show_lines("suggest     ", s->about, to);
    fprintf(to, "            judged again with it: %zu alerts instead of %zu (%u go, %u come), %.2f a day fewer (%.2f to %.2f)\n",
            with->n, base->n, missing(base, with), missing(with, base), saved.mean, saved.low, saved.high);
    if (labels->n) {
        unsigned was = tune_score_of(base, labels).found, is = tune_score_of(with, labels).found;
        if (is < was)
            fprintf(to, "            do not: %u attacks fewer would be found\n", was - is);
    }
    fprintf(to, "            %s:\n", s->kind == TUNE_SUPPRESS ? "by" : "in the roster");
    show_lines("              ", s->lines, to);
}

void tune_show_suggestions(const struct tune_pass *base, const struct tune_suggestion *s, const struct tune_pass *passes,
                           size_t n, const struct tune_labels *labels, FILE *to)
{
    size_t shown = 0;
    for (size_t i = 0; i < n; i++)
        if (passes[i].n < base->n) {
            show_suggestion(base, &s[i], &passes[i], labels, to);
            shown++;
        }
    if (!n)
        fputs("suggest     nothing: no place, service or rule has several alerts\n", to);
    else if (shown < n)
        fprintf(to, "            %zu more were tried and give no fewer alerts\n", n - shown);
}
