/* SPDX-License-Identifier: Apache-2.0
 * casetap tune: a recording judged again under other budgets, rules and declarations. The passes are independent: each is a
 * process of its own, as many at a time as there are processors. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "cmd/command.h"
#include "cmd/options.h"
#include "cmd/tune_show.h"
#include "run/out_dir.h"
#include "run/replay.h"
#include "run/rules_dir.h"
#include "run/tune.h"

#define PASSES_MAX (TUNE_CHANGES_MAX + 2u)
#define BUDGETS_MAX 8u

static const struct usage usage = {
    "tune", "FILE...",
    "Judges a recording (captures or activity logs) again and again and says: how many alerts a day each budget\n"
    "gives, which rules spend them, how sure the levels are; and what could be declared so that innocent alerts\n"
    "stay away, each with its effect as measured by judging again with it.\n"
    "  --budgets N,N...    the budgets to try, in alerts a day (default 5,10,25,50)\n"
    "  --labels FILE       what is known to be an attack: CSV with who,from,to,kind; gives recall, precision, time\n"
    "  --compare A B       instead: the alerts that come, go and change from the rules in directory A to those in B,\n"
    "                      each with the change that makes it",
    "examples:\n"
    "  casetap tune /var/log/casetap/activities.ndjson\n"
    "  casetap tune --roster people.csv --labels attacks.csv week1.pcap week2.pcap\n"
    "  casetap tune --compare /usr/share/casetap/rules my-rules activities.ndjson\n",
    SETTING_REPLAY};

struct tuning {
    struct settings s;
    const char *labels_file, *budgets, *a, *b;
    const char *const *paths; /* activity logs */
    size_t n_paths;
    char dir[64], recorded[128]; /* scratch */
    const char *recorded_path;
    struct tune_labels labels;
};

/* Takes tune's own options out of the command line; the rest is as for replay. */
static int own_options(struct tuning *t, int *argc, char **argv, struct text *why)
{
    int kept = 1;
    for (int i = 1; i < *argc; i++) {
        const char **one = strcmp(argv[i], "--labels") == 0 ? &t->labels_file : strcmp(argv[i], "--budgets") == 0 ? &t->budgets : NULL;
        int needs = one ? 1 : strcmp(argv[i], "--compare") == 0 ? 2 : 0;
        if (i + needs >= *argc && needs) {
            text_addf(why, "%s needs %s", argv[i], needs == 2 ? "two directories of rules" : "a value");
            return E_USAGE;
        }
        if (one) {
            *one = argv[++i];
        } else if (needs) {
            t->a = argv[++i];
            t->b = argv[++i];
        } else {
            argv[kept++] = argv[i];
        }
    }
    argv[kept] = NULL;
    *argc = kept;
    return 0;
}

static unsigned processors(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > 16 ? 16 : (unsigned)n;
}

static void tell_progress(const struct tuning *t, size_t done, size_t n)
{
    if (!t->s.quiet && isatty(STDERR_FILENO))
        fprintf(stderr, "\rtune: %zu of %zu passes%s", done, n, done == n ? "\r\033[K" : "");
}

static int take_pass(FILE *file, int status, struct tune_pass *out, struct text *why)
{
    rewind(file);
    int rc = WIFEXITED(status) ? tune_pass_read(file, out) : E_BAD;
    if (rc)
        text_add_str(why, "a pass ended before its end");
    else if (out->rc)
        text_add_str(why, out->error);
    return rc ? rc : out->rc;
}

static pid_t begin_pass(const struct tune_job *job, FILE **file, struct text *why)
{
    *file = tmpfile();
    fflush(NULL);
    pid_t pid = *file ? fork() : -1;
    if (pid == 0)
        _exit(tune_pass_write(job, *file) == E_IO);
    if (pid < 0)
        text_addf(why, "a pass cannot begin: %s", strerror(errno));
    return pid;
}

/* Runs the jobs, each in a process; results in their order, whatever the order they end in. */
static int run_passes(const struct tuning *t, const struct tune_job *jobs, size_t n, struct tune_pass *out, struct text *why)
{
    FILE *files[PASSES_MAX] = {0};
    pid_t pids[PASSES_MAX] = {0};
    size_t begun = 0, live = 0, done = 0;
    int rc = 0, status;
    while (live || (rc == 0 && begun < n)) {
        if (rc == 0 && begun < n && live < processors()) {
            pids[begun] = begin_pass(&jobs[begun], &files[begun], why);
            rc = pids[begun] < 0 ? E_IO : 0;
            live += rc == 0;
            begun++;
            continue;
        }
        pid_t pid = wait(&status);
        for (size_t i = 0; i < begun; i++) {
            if (pid <= 0 || pids[i] != pid)
                continue;
            struct text other = {0};
            int taken = take_pass(files[i], status, &out[i], rc ? &other : why);
            text_fini(&other);
            rc = rc ? rc : taken;
            live--;
            tell_progress(t, ++done, n);
        }
    }
    for (size_t i = 0; i < begun; i++)
        if (files[i])
            fclose(files[i]);
    return rc;
}

static void no_alert(void *ctx, const struct alert *a)
{
    (void)ctx;
    (void)a;
}

/* Captures are read once; from there on what was recorded of them is judged. */
static int record_captures(struct tuning *t, struct text *why)
{
    struct source *source = NULL;
    struct summary summary = {0};
    struct settings s = t->s;
    struct replay_hooks hooks = {.on_alert = no_alert};
    s.out = t->recorded;
    s.sinks = NULL;
    snprintf(t->recorded, sizeof t->recorded, "%s/recorded", t->dir);
    int rc = out_dir_make(s.out, why);
    if (rc == 0)
        rc = source_open_files(&source, t->paths, t->n_paths, s.filter, why);
    if (rc == 0)
        rc = replay_run(&s, source, &hooks, &summary, why);
    if (source)
        source_close(source);
    summary_fini(&summary);
    snprintf(t->recorded, sizeof t->recorded, "%s/recorded/activities.ndjson", t->dir);
    t->recorded_path = t->recorded;
    t->paths = &t->recorded_path;
    t->n_paths = 1;
    return rc;
}

static int compare(const struct tuning *t, struct text *why)
{
    struct tune_change *changes = calloc(TUNE_CHANGES_MAX, sizeof *changes);
    struct tune_pass passes[PASSES_MAX] = {0};
    struct tune_job jobs[PASSES_MAX];
    struct text out = {.max = 64u << 20};
    size_t unexplained = 0;
    int n = changes ? tune_changes(t->a, t->b, t->dir, changes, why) : E_NOMEM;
    for (int i = 0; i < n + 2; i++)
        jobs[i] = (struct tune_job){.s = &t->s, .paths = t->paths, .n_paths = t->n_paths,
                                    .rules = i == 0 ? t->a : i == 1 ? t->b : changes[i - 2].rules};
    int rc = n < 0 ? n : run_passes(t, jobs, (size_t)n + 2, passes, why);
    if (rc == 0) {
        tune_compare(&passes[0], &passes[1], &passes[2], changes, (size_t)n, &out, &unexplained);
        fwrite(text_str(&out), 1, out.size, stdout);
        if (unexplained)
            printf("          %zu differences could not be put down to a change\n", unexplained);
    }
    for (int i = 0; i < n + 2; i++)
        tune_pass_free(&passes[i]);
    text_fini(&out);
    free(changes);
    return rc;
}

static size_t budgets_of(const char *text, uint64_t out[BUDGETS_MAX])
{
    size_t n = 0;
    for (const char *at = text; *at; at += *at == ',') {
        size_t size = strcspn(at, ",");
        if (n == BUDGETS_MAX || !span_u64(span_of(at, size), &out[n]) || !out[n] || out[n] > 1000)
            return 0;
        n++;
        at += size;
    }
    return n;
}

static int try_suggestions(const struct tuning *t, const struct tune_pass *base, struct text *why)
{
    struct tune_suggestion *s = calloc(TUNE_SUGGESTIONS_MAX, sizeof *s);
    struct tune_pass passes[TUNE_SUGGESTIONS_MAX] = {0};
    struct tune_job jobs[TUNE_SUGGESTIONS_MAX];
    int n = s ? tune_suggest(base, &t->labels, &t->s, t->dir, s, why) : E_NOMEM;
    for (int i = 0; i < n; i++)
        jobs[i] = (struct tune_job){.s = &t->s, .paths = t->paths, .n_paths = t->n_paths,
                                    .roster = s[i].kind == TUNE_SUPPRESS ? NULL : s[i].path,
                                    .feedback = s[i].kind == TUNE_SUPPRESS ? s[i].path : NULL};
    int rc = n < 0 ? n : run_passes(t, jobs, (size_t)n, passes, why);
    if (rc == 0)
        tune_show_suggestions(base, s, passes, (size_t)n, &t->labels, stdout);
    for (int i = 0; i < n; i++)
        tune_pass_free(&passes[i]);
    free(s);
    return rc;
}

static int budgets(const struct tuning *t, struct text *why)
{
    uint64_t asked[BUDGETS_MAX + 1] = {0}; /* the last: as the settings and rules say */
    struct tune_pass passes[BUDGETS_MAX + 1] = {0};
    struct tune_job jobs[BUDGETS_MAX + 1];
    size_t n = budgets_of(t->budgets ? t->budgets : "5,10,25,50", asked);
    if (!n) {
        text_addf(why, "--budgets: '%s' is no list of numbers from 1 to 1000, at most %u", t->budgets, BUDGETS_MAX);
        return E_USAGE;
    }
    asked[n] = 0;
    for (size_t i = 0; i <= n; i++)
        jobs[i] = (struct tune_job){.s = &t->s, .paths = t->paths, .n_paths = t->n_paths, .budget = asked[i]};
    int rc = run_passes(t, jobs, n + 1, passes, why);
    if (rc == 0) {
        tune_show_budgets(passes, asked, n + 1, &t->labels, stdout);
        rc = try_suggestions(t, &passes[n], why);
    }
    for (size_t i = 0; i <= n; i++)
        tune_pass_free(&passes[i]);
    return rc;
}

static void remove_tree(const char *path)
{
    DIR *d = opendir(path);
    struct text below = {0};
    for (struct dirent *e; d && (e = readdir(d));) {
        struct stat st;
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        text_clear(&below);
        text_addf(&below, "%s/%s", path, e->d_name);
        if (lstat(text_str(&below), &st) == 0 && S_ISDIR(st.st_mode))
            remove_tree(text_str(&below));
        else
            unlink(text_str(&below));
    }
    if (d)
        closedir(d);
    rmdir(path);
    text_fini(&below);
}

static int tune(struct tuning *t, struct text *why)
{
    size_t n_logs;
    activity_log_count(t->paths, t->n_paths, &n_logs);
    if (n_logs && n_logs < t->n_paths) {
        text_add_str(why, "captures and activity logs cannot be judged together");
        return E_USAGE;
    }
    snprintf(t->dir, sizeof t->dir, "/tmp/casetap-tune-XXXXXX");
    if (!mkdtemp(t->dir)) {
        text_addf(why, "%s: %s", t->dir, strerror(errno));
        return E_IO;
    }
    int rc = t->labels_file ? tune_labels_load(t->labels_file, &t->labels, why) : 0;
    if (rc == 0 && !n_logs)
        rc = record_captures(t, why);
    if (rc == 0)
        rc = t->a ? compare(t, why) : budgets(t, why);
    remove_tree(t->dir);
    free(t->labels.at);
    return rc;
}

int cmd_tune(int argc, char **argv)
{
    struct tuning t = {0};
    struct text why = {0};
    int first;
    settings_init(&t.s);
    int rc = own_options(&t, &argc, argv, &why);
    if (rc == 0)
        rc = options_parse(&usage, argc, argv, &t.s, &first, &why);
    if (rc == 0 && first == argc) {
        text_add_str(&why, "no recording named; try 'casetap tune --help'");
        rc = E_USAGE;
    }
    if (rc == 0) {
        t.paths = (const char *const *)(argv + first);
        t.n_paths = (size_t)(argc - first);
        rc = tune(&t, &why);
    }
    int code = rc == 0 || rc == E_END ? EXIT_DONE : command_fail(rc, text_str(&why));
    settings_fini(&t.s);
    text_fini(&why);
    return code;
}
