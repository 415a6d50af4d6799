/* SPDX-License-Identifier: Apache-2.0
 * The tables of docs/evaluation.md. */
#include "eval/report.h"

#include "eval/truth.h"

#include <stdio.h>

enum { BUDGET_OWN, BUDGET_5, BUDGET_10, BUDGET_25, BUDGET_50 };

static double per_cent(struct share s)
{
    return s.n ? 100.0 * s.hit / s.n : 0;
}

static double false_mean(const struct result *r)
{
    return r->n_days && r->n_worlds ? (double)r->false_alerts / r->n_days / r->n_worlds : 0;
}

static void head(struct text *out, const char *first)
{
    text_addf(out, "| %s |", first);
    for (int k = 0; k < ATTACK_N; k++)
        text_addf(out, " %s |", truth_name((enum truth_kind)k));
    text_add_str(out, "\n|---|");
    for (int k = 0; k < ATTACK_N; k++)
        text_add_str(out, "--:|");
    text_add_str(out, "\n");
}

static void row(struct text *out, const char *name, const struct result *r)
{
    text_addf(out, "| %s |", name);
    for (int k = 0; k < ATTACK_N; k++)
        text_addf(out, r->classes[k].n ? " %.0f |" : " - |", per_cent(r->classes[k]));
    text_add_str(out, "\n");
}

/* The result that a judge is compared by: what it tells, when it keeps a budget or cannot be ranked; else at ten a day. */
static struct result *main_result(struct bench *b, uint32_t j)
{
    return &b->results[j][judge_at(j)->a_day > 0 || !judge_at(j)->is_ranked ? BUDGET_OWN : BUDGET_10];
}

/* The sensor under its other budgets stands beside it, not for itself. */
static bool is_aside(const struct bench *b, uint32_t j)
{
    return b->skip[j] || (j > 0 && judge_at(j)->a_day > 0);
}

static void recall_of_sensor(const struct bench *b, struct text *out)
{
    static const uint32_t by_budget[] = {1, 0, 2, 3}; /* judges with 5, 10, 25, 50 a day */
    char name[64];
    text_add_str(out, "**casetap**, as it ships with that budget\n\n");
    head(out, "budget");
    for (size_t k = 0; k < sizeof by_budget / sizeof by_budget[0]; k++) {
        uint32_t j = by_budget[k];
        if (b->skip[j])
            continue;
        snprintf(name, sizeof name, "%g a day (%.1f)", judge_at(j)->a_day, false_mean(&b->results[j][BUDGET_OWN]));
        row(out, name, &b->results[j][BUDGET_OWN]);
    }
    text_add_str(out, "\n");
}

static void recall_of_others(const struct bench *b, uint32_t j, struct text *out)
{
    static const char *const names[BENCH_BUDGETS] = {"every alert it raises", "5 a day", "10 a day", "25 a day", "50 a day"};
    char name[64];
    text_addf(out, "**%s**%s\n\n", j == 3 ? "casetap" : judge_at(j)->name,
              j == 3 ? ", its alerts under a budget of 50, ranked by risk" : "");
    head(out, "alerts");
    for (int i = 0; i < (judge_at(j)->is_ranked ? BENCH_BUDGETS : 1); i++) {
        if (i == BUDGET_OWN && judge_at(j)->is_ranked)
            continue; /* a score for everything is no alert */
        snprintf(name, sizeof name, "%s (%.1f)", names[i], false_mean(&b->results[j][i]));
        row(out, name, &b->results[j][i]);
    }
    text_add_str(out, "\n");
}

static void recall(const struct bench *b, struct text *out)
{
    text_add_str(out, "## Recall by attacker\n\nPer cent of attacks about which an alert was raised: by an act of the "
                      "thief, or of the victim within an hour after; in brackets the alerts a day that named no attack, "
                      "in the test. The sensor keeps to a budget by itself; for the others \"n a day\" means the\n"
                      "threshold that gave n alerts a day on the days before the test. Rules without ranks have no "
                      "threshold to move.\n\n");
    recall_of_sensor(b, out);
    for (uint32_t j = 3; j < b->n_judges; j++)
        if (!b->skip[j])
            recall_of_others(b, j, out);
}

static void intervals(struct bench *b, struct text *out)
{
    struct result *r = main_result(b, 0);
    text_add_str(out, "## casetap at 10 alerts a day\n\n| attacker | attacks | found, % | 95 % interval (Wilson) | "
                      "time to alert, median | 90 % |\n"
                      "|---|--:|--:|---|--:|--:|\n");
    for (int k = 0; k < ATTACK_N; k++) {
        double low, high;
        score_wilson(r->classes[k], &low, &high);
        text_addf(out, "| %s | %u | %.1f | %.1f to %.1f | %.0f s | %.0f s |\n", truth_name((enum truth_kind)k),
                  r->classes[k].n, per_cent(r->classes[k]), 100 * low, 100 * high, score_quantile(&r->delays_s[k], 0.5),
                  score_quantile(&r->delays_s[k], 0.9));
    }
    uint64_t all = r->true_alerts + r->false_alerts;
    text_addf(out,
              "\nOf %llu alerts in the test %llu named an attack (precision %.0f %%, with %u attacks a world: it moves "
              "with how many "
              "there are).\n\n",
              (unsigned long long)all, (unsigned long long)r->true_alerts,
              all ? 100.0 * (double)r->true_alerts / (double)all : 0, ATTACK_N * (unsigned)b->p.attacks_per_class);
}

static void thickness(struct bench *b, struct text *out)
{
    text_add_str(out, "## Recall by history\n\nBy the number of sessions of the victim before the attack, at 10 alerts "
                      "a day (rules: every alert); in brackets "
                      "the number of attacks.\n\n| | all: 0 | 1 to 4 | 5 to 19 | 20 and more | naive, VPN, targeted: 0 "
                      "| 1 to 4 | 5 to 19 | 20 and more |\n"
                      "|---|--:|--:|--:|--:|--:|--:|--:|--:|\n");
    for (uint32_t j = 0; j < b->n_judges; j++) {
        const struct result *r = main_result(b, j);
        if (is_aside(b, j))
            continue;
        text_addf(out, "| %s |", judge_at(j)->name);
        for (int i = 0; i < 2 * THICKNESS; i++) {
            struct share s = i < THICKNESS ? r->thick[i] : r->thick_plain[i - THICKNESS];
            text_addf(out, " %.0f (%u) |", per_cent(s), s.n);
        }
        text_add_str(out, "\n");
    }
    text_add_str(out, "\n");
}

static void budget(struct bench *b, struct text *out)
{
    text_add_str(out, "## Alerts a day over time\n\nAlerts that name no attack, at 10 a day: the mean over the test, "
                      "the 95th percentile of its days, and the mean of "
                      "every five days.\n\n| | mean | 95 % | by five days |\n|---|--:|--:|---|\n");
    for (uint32_t j = 0; j < b->n_judges; j++) {
        struct result *r = main_result(b, j);
        if (is_aside(b, j))
            continue;
        text_addf(out, "| %s | %.1f | %.0f |", judge_at(j)->name, false_mean(r), score_quantile(&r->false_a_day, 0.95));
        for (uint32_t day = 0; day < r->n_days && day + 5 <= SCORE_DAYS; day += 5) {
            double sum = 0;
            for (uint32_t k = 0; k < 5; k++)
                sum += r->false_by_day[day + k];
            text_addf(out, " %.1f", sum / 5 / r->n_worlds);
        }
        text_add_str(out, " |\n");
    }
    text_add_str(out, "\n");
}

static void innocents(struct bench *b, struct text *out)
{
    text_add_str(out, "## Innocent cases that look like an attack\n\nAlerts per 1,000 cases, at 10 alerts a day "
                      "(rules: every alert).\n\n| case | cases |");
    for (uint32_t j = 0; j < b->n_judges; j++)
        if (!is_aside(b, j))
            text_addf(out, " %s |", judge_at(j)->name);
    text_add_str(out, "\n|---|--:|");
    for (uint32_t j = 0; j < b->n_judges; j++)
        if (!is_aside(b, j))
            text_add_str(out, "--:|");
    text_add_str(out, "\n");
    for (int k = ATTACK_N; k < TRUTH_N; k++) {
        text_addf(out, "| %s | %u |", truth_name((enum truth_kind)k), b->truths[k]);
        for (uint32_t j = 0; j < b->n_judges; j++) {
            const struct result *r = main_result(b, j);
            if (!is_aside(b, j))
                text_addf(out, " %.1f |", r->cases[k] ? 1000.0 * r->case_alerts[k] / r->cases[k] : 0);
        }
        text_add_str(out, "\n");
    }
    text_add_str(out, "\n");
}

static void tails(const struct bench *b, struct text *out)
{
    text_addf(out,
              "## Do bits mean what they say\n\nShare of honest people's days (%llu, before any attack) whose number "
              "of files is at least b bits surprising; "
              "2^-b would be right.\n\n| bits | right |",
              (unsigned long long)b->tails.days);
    for (int m = 0; m < TAILS_MODELS; m++)
        text_addf(out, " %s |", tails_model_name((enum tails_model)m));
    text_add_str(out, "\n|--:|--:|--:|--:|--:|\n");
    for (int i = 0; i < TAILS_STEPS; i++) {
        double right = 1.0 / (double)(1u << (unsigned)tails_bits(i));
        text_addf(out, "| %.0f | %.1e |", tails_bits(i), right);
        for (int m = 0; m < TAILS_MODELS; m++) {
            double share = b->tails.days ? (double)b->tails.above[m][i] / (double)b->tails.days : 0;
            text_addf(out, " %.1e (%.1fx) |", share, share / right);
        }
        text_add_str(out, "\n");
    }
    text_add_str(out, "\n");
}

static const char *world_name(const char *name)
{
    static const char *const names[][2] = {
        {"travel", "twice the travel"},     {"history", "half the history"}, {"noise", "noisier volumes"},
        {"long", "sixty days, more moves"}, {"calm", "the same without an attack"},
        {"quick", "few credentials"},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i][0], name) == 0)
            return names[i][1];
    return name;
}

static void compare(struct bench *base, struct bench *variants, const char *const *names, uint32_t n, struct text *out)
{
    if (n == 0)
        return;
    text_addf(out,
              "## Other worlds\n\nThe same at 10 alerts a day when the assumptions change, each over the worlds of %u "
              "seed%s.\n\n",
              variants[0].n_seeds, variants[0].n_seeds == 1 ? "" : "s");
    for (uint32_t j = 0; j < base->n_judges; j++) {
        if (is_aside(base, j) || variants[0].skip[j])
            continue;
        text_addf(out, "**%s**\n\n", judge_at(j)->name);
        head(out, "world (alerts a day that name no attack: mean, 95 % of days)");
        for (uint32_t i = 0; i <= n; i++) {
            struct result *r = main_result(i ? &variants[i - 1] : base, j);
            char name[96];
            snprintf(name, sizeof name, "%s (%.1f, %.0f)", i ? world_name(names[i - 1]) : "as above", false_mean(r),
                     score_quantile(&r->false_a_day, 0.95));
            row(out, name, r);
        }
        text_add_str(out, "\n");
    }
}

void report_params(const struct params *p, struct text *out)
{
    text_add_str(out, "| parameter | value | where it comes from |\n|---|--:|---|\n");
    for (const struct param *item = params_table(); item->name; item++)
        text_addf(out, "| %s | %g | %s |\n", item->name, params_get(p, item), item->source);
}

void report_page(struct bench *base, struct bench *variants, const char *const *names, uint32_t n_variants,
                 const char *command, struct text *out)
{
    text_addf(out,
              "# How well it detects\n\nGenerated by `%s`; not edited by hand. How it is measured, and how to run it: "
              "[tools/eval](../tools/eval/README.md).\n\n",
              command);
    text_addf(out,
              "%u world%s of %.0f credentials and %.0f days: on average %.0f activities, %.0f downloads, %.0f sessions "
              "of people. Thresholds "
              "are learned on days %.0f to %.0f,\nwhich hold no attack; the test is from day %.0f on. The generator "
              "knows nothing of any "
              "detector; where its figures come from stands at the end.\n\n",
              base->n_seeds, base->n_seeds == 1 ? "" : "s", base->p.credentials, base->p.days,
              (double)base->activities / base->n_seeds, (double)base->downloads / base->n_seeds,
              (double)base->sessions / base->n_seeds, base->p.learn_from, base->p.test_from - 1, base->p.test_from);
    recall(base, out);
    intervals(base, out);
    thickness(base, out);
    budget(base, out);
    innocents(base, out);
    tails(base, out);
    compare(base, variants, names, n_variants, out);
    text_add_str(out, "## Parameters of the world\n\n");
    report_params(&base->p, out);
}
