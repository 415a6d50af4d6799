/* SPDX-License-Identifier: Apache-2.0
 * casetap-eval: generate a world, judge with it, import the public data set, list the parameters. */
#include "base/err.h"
#include "eval/cost.h"
#include "eval/emit.h"
#include "eval/rba.h"
#include "eval/report.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define MAX_VARIANTS 5

static const char usage[] =
    "usage: casetap-eval judge [option...]        how well the detectors, and others, do on generated worlds: "
    "Markdown\n"
    "       casetap-eval generate --out DIR [...]  one world: DIR/activities.ndjson and DIR/truth.ndjson\n"
    "       casetap-eval rba FILE.csv --out DIR    the public RBA data set as activities\n"
    "       casetap-eval cost [option...]          what the engine takes for the activities of a world\n"
    "       casetap-eval params [option...]        every parameter, its value and where it comes from\n\n"
    "  --seeds N            worlds, of seed 1 to N (judge; default 1)\n"
    "  --seed N             the (first) seed\n"
    "  --set NAME=VALUE     a parameter (repeatable)\n"
    "  --variant NAME       change the world: quick, travel, history, noise, long, calm (repeatable)\n"
    "  --compare NAME       judge that variant, too, beside the world (repeatable)\n"
    "  --compare-seeds N    worlds of each of those (default: as many)\n"
    "  --only-casetap       leave out what it is compared with\n"
    "  --alerts FILE        write every line that the sensor tells there, with what it really was\n"
    "  --out DIR            where to write\n";

struct options {
    struct bench base;
    const char *compare[MAX_VARIANTS];
    uint32_t n_compare, n_compare_seeds; /* seeds: 0 = as many as of the base */
    const char *out;
    bool is_alone;
    struct text command;
};

static bool read_options(struct options *o, int argc, char **argv, struct text *why)
{
    enum { OPT_SEEDS = 256, OPT_SEED, OPT_SET, OPT_VARIANT, OPT_COMPARE, OPT_ALONE, OPT_OUT, OPT_COMPARE_SEEDS, OPT_ALERTS };
    static const struct option options[] = {
        {"seeds", required_argument, NULL, OPT_SEEDS},
        {"seed", required_argument, NULL, OPT_SEED},
        {"set", required_argument, NULL, OPT_SET},
        {"variant", required_argument, NULL, OPT_VARIANT},
        {"compare", required_argument, NULL, OPT_COMPARE},
        {"only-casetap", no_argument, NULL, OPT_ALONE},
        {"out", required_argument, NULL, OPT_OUT},
        {"alerts", required_argument, NULL, OPT_ALERTS},
        {"compare-seeds", required_argument, NULL, OPT_COMPARE_SEEDS},
        {NULL, 0, NULL, 0},
    };
    uint64_t number = 0;
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        bool is_number = c == OPT_SEEDS || c == OPT_SEED || c == OPT_COMPARE_SEEDS;
        bool is_good = !is_number || (span_u64(span_text(optarg), &number) && number > 0 && number <= UINT32_MAX);
        if (c == '?' || !is_good || (c == OPT_COMPARE && o->n_compare == MAX_VARIANTS))
            return false;
        if (c == OPT_SEEDS)
            o->base.n_seeds = (uint32_t)number;
        else if (c == OPT_SEED)
            o->base.first_seed = number;
        else if (c == OPT_COMPARE_SEEDS)
            o->n_compare_seeds = (uint32_t)number;
        else if (c == OPT_COMPARE)
            o->compare[o->n_compare++] = optarg;
        else if (c == OPT_ALONE)
            o->is_alone = true;
        else if (c == OPT_ALERTS && !(o->base.told = fopen(optarg, "we")))
            return false;
        else if (c == OPT_ALERTS)
            continue;
        else if (c == OPT_OUT)
            o->out = optarg;
        else if ((c == OPT_SET ? params_set(&o->base.p, optarg, why) : params_variant(&o->base.p, optarg, why)) != 0)
            return false;
    }
    if (o->base.p.test_from <= o->base.p.learn_from || o->base.p.days <= o->base.p.test_from ||
        o->base.p.days - o->base.p.test_from > SCORE_DAYS) {
        text_addf(why, "days: learn_from < test_from < days, and at most %d days of test", SCORE_DAYS);
        return false;
    }
    text_add_str(&o->command, "casetap-eval");
    for (int i = 0; i < argc; i++)
        text_addf(&o->command, " %s", argv[i]);
    return true;
}

static void tell_seed(void *ctx, uint64_t seed)
{
    const char *name = ctx;
    fprintf(stderr, "%s: seed %llu done\n", name, (unsigned long long)seed);
}

static int judge(struct options *o, struct text *why)
{
    struct bench *variants = calloc(MAX_VARIANTS, sizeof *variants);
    struct text page = {.max = 1 << 20};
    char word[] = "world";
    int rc = variants ? 0 : E_NOMEM;
    for (uint32_t j = 1; j < o->base.n_judges; j++) /* its own other budgets, too */
        o->base.skip[j] = o->is_alone;
    for (uint32_t i = 0; i < o->n_compare && rc == 0; i++) {
        bench_init(&variants[i]);
        variants[i].p = o->base.p;
        variants[i].first_seed = o->base.first_seed;
        variants[i].n_seeds = o->n_compare_seeds ? o->n_compare_seeds : o->base.n_seeds;
        for (uint32_t j = 1; j < variants[i].n_judges; j++)
            variants[i].skip[j] = o->is_alone || judge_at(j) != judge_freeman();
        rc = params_variant(&variants[i].p, o->compare[i], why);
    }
    if (rc == 0)
        rc = bench_run(&o->base, tell_seed, word);
    for (uint32_t i = 0; i < o->n_compare && rc == 0; i++)
        rc = bench_run(&variants[i], tell_seed, word);
    if (rc == 0) {
        report_page(&o->base, variants, o->compare, o->n_compare, text_str(&o->command), &page);
        fputs(text_str(&page), stdout);
    }
    for (uint32_t i = 0; i < o->n_compare && variants; i++)
        bench_fini(&variants[i]);
    free(variants);
    text_fini(&page);
    return rc;
}

static FILE *open_in(const char *dir, const char *name, struct text *why)
{
    struct text path = {0};
    if (mkdir(dir, 0755) != 0 && errno != EEXIST)
        text_addf(why, "%s: %s", dir, strerror(errno));
    text_addf(&path, "%s/%s", dir, name);
    FILE *f = why->size ? NULL : fopen(text_str(&path), "we");
    if (!f && !why->size)
        text_addf(why, "%s: %s", text_str(&path), strerror(errno));
    text_fini(&path);
    return f;
}

struct writing {
    struct world *w;
    struct emitter *emitter;
    FILE *log, *truth;
    struct text line;
    struct activity activity;
};

static void write_act(void *ctx, const struct act *a)
{
    struct writing *x = ctx;
    text_clear(&x->line);
    emitter_fill(x->emitter, x->w, a, true, &x->activity);
    activity_json(&x->activity, &x->line);
    fwrite(text_str(&x->line), 1, x->line.size, x->log);
    if (!a->truth)
        return;
    fputs("{\"event.id\":\"", x->truth);
    for (size_t i = 0; i < sizeof x->activity.id; i++)
        fprintf(x->truth, "%02x", x->activity.id[i]);
    fprintf(x->truth, "\",\"case\":%u}\n", a->truth);
}

static void write_truths(struct writing *x)
{
    char name[16];
    for (uint32_t i = 0; i < x->w->truths.n; i++) {
        const struct truth *t = &x->w->truths.at[i];
        if (t->acts)
            fprintf(
                x->truth,
                "{\"case\":%u,\"kind\":\"%s\",\"attack\":%s,\"user.name\":\"%s\",\"acts\":%u,\"sessions_before\":%u}\n",
                i + 1, truth_name(t->kind), t->kind < ATTACK_N ? "true" : "false", emitter_name(x->w, t->who, name),
                t->acts, t->thickness);
    }
}

static int generate(const struct options *o, struct text *why)
{
    struct writing *x = calloc(1, sizeof *x);
    if (!x)
        return E_NOMEM;
    x->w = world_new(&o->base.p, o->base.first_seed);
    x->emitter = emitter_new();
    x->log = open_in(o->out, "activities.ndjson", why);
    x->truth = x->log ? open_in(o->out, "truth.ndjson", why) : NULL;
    int rc = !x->w || !x->emitter ? E_NOMEM : !x->truth ? E_IO : 0;
    for (int day = 0; rc == 0 && day < (int)o->base.p.days; day++)
        world_day(x->w, day, write_act, x);
    if (rc == 0)
        write_truths(x);
    if (x->log && (ferror(x->log) | fclose(x->log)) && rc == 0)
        rc = E_IO;
    if (x->truth && (ferror(x->truth) | fclose(x->truth)) && rc == 0)
        rc = E_IO;
    emitter_free(x->emitter);
    world_free(x->w);
    text_fini(&x->line);
    free(x);
    return rc;
}

static int import(const struct options *o, const char *path, struct text *why)
{
    struct rba_stats stats;
    FILE *csv = fopen(path, "re");
    if (!csv) {
        text_addf(why, "%s: %s", path, strerror(errno));
        return E_IO;
    }
    FILE *log = open_in(o->out, "activities.ndjson", why), *truth = log ? open_in(o->out, "truth.ndjson", why) : NULL;
    int rc = truth ? rba_import(csv, log, truth, &stats, why) : E_IO;
    if (rc == 0)
        printf("%llu log-ins, %llu take-overs, %llu from attack addresses; %llu rows left out\n",
               (unsigned long long)stats.rows, (unsigned long long)stats.takeovers,
               (unsigned long long)stats.attack_ips, (unsigned long long)stats.bad);
    fclose(csv);
    if (log)
        fclose(log);
    if (truth)
        fclose(truth);
    return rc;
}

static int tell_cost(const struct options *o)
{
    struct cost c;
    int rc = cost_run(&o->base.p, o->base.first_seed, &c);
    if (rc == 0)
        printf("activities  %llu in %.2f s: %.0f a second of one core\nsessions    %llu begun, %.2f us each; %.2f us any other activity\n"
               "state       %llu bytes a credential\n", (unsigned long long)c.activities, c.seconds, (double)c.activities / c.seconds,
               (unsigned long long)c.visits, c.visit_us, c.act_us, (unsigned long long)c.state_bytes);
    return rc;
}

static int run(struct options *o, const char *command, int argc, char **argv, struct text *why)
{
    if (strcmp(command, "judge") == 0)
        return judge(o, why);
    if (strcmp(command, "generate") == 0 && o->out)
        return generate(o, why);
    if (strcmp(command, "cost") == 0)
        return tell_cost(o);
    if (strcmp(command, "rba") == 0 && o->out && optind + 1 == argc)
        return import(o, argv[optind], why);
    if (strcmp(command, "params") != 0)
        return E_USAGE;
    struct text table = {0};
    report_params(&o->base.p, &table);
    fputs(text_str(&table), stdout);
    text_fini(&table);
    return 0;
}

int main(int argc, char **argv)
{
    struct options *o = calloc(1, sizeof *o);
    struct text why = {0};
    int rc = o ? E_USAGE : E_NOMEM;
    if (o)
        bench_init(&o->base);
    if (o && argc > 1 && read_options(o, argc - 1, argv + 1, &why))
        rc = run(o, argv[1], argc - 1, argv + 1, &why);
    if (rc)
        fprintf(stderr, "%s%s", why.size ? "casetap-eval: " : usage, why.size ? text_str(&why) : "");
    if (rc && why.size)
        fputc('\n', stderr);
    if (o && o->base.told)
        fclose(o->base.told);
    if (o) {
        bench_fini(&o->base);
        text_fini(&o->command);
    }
    free(o);
    text_fini(&why);
    return rc == 0 ? 0 : rc == E_USAGE ? 2 : 1;
}
