/* SPDX-License-Identifier: Apache-2.0
 * One replay of a recording, and its alerts from one process to another. */
#include "run/tune.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/map.h"
#include "base/times.h"
#include "record/shown.h"
#include "run/replay.h"

#define MAX_ALERTS 65536u
#define MAGIC 0x43544e31u

struct collector {
    struct map *where; /* alert id -> index */
    struct tune_pass p;
    size_t cap;
};

static void add_word(char *words, size_t size, const char *word)
{
    size_t used = strlen(words), n = strlen(word);
    for (const char *at = words; (at = strstr(at, word)); at++)
        if ((at == words || at[-1] == ' ') && (at[n] == ' ' || !at[n]))
            return;
    if (used + n + 2 <= size)
        snprintf(words + used, size - used, "%s%s", used ? " " : "", word);
}

static void put_why(struct tune_alert *t, const struct alert *a)
{
    size_t used = 0;
    t->why[0] = 0;
    snprintf(t->rules, sizeof t->rules, "%s", a->rule->id);
    for (unsigned i = 0; i < a->n_why; i++) {
        const struct why *w = &a->why[i];
        if (strcmp(w->field, "rule.id") == 0) {
            char id[12];
            snprintf(id, sizeof id, "%.*s", (int)strcspn(w->value, " "), w->value);
            add_word(t->rules, sizeof t->rules, id);
        } else if (used + 1 < sizeof t->why) {
            struct text value = {0};
            shown_add(span_text(w->value), 60, &value);
            int n = snprintf(t->why + used, sizeof t->why - used, "%s%s %s %+.1f", used ? "; " : "", w->field, text_str(&value), w->bits);
            text_fini(&value);
            used = n > 0 && used + (size_t)n < sizeof t->why ? used + (size_t)n : sizeof t->why - 1;
        }
    }
}

static void on_alert(void *ctx, const struct alert *a)
{
    struct collector *c = ctx;
    bool is_new;
    uint32_t *at = map_touch(c->where, a->id, &is_new);
    if (is_new && c->p.n == c->cap) {
        size_t cap = c->cap ? c->cap * 2 : 256;
        struct tune_alert *more = realloc(c->p.at, cap * sizeof *more);
        if (!more) {
            c->p.rc = E_NOMEM;
            return;
        }
        c->p.at = more;
        c->cap = cap;
    }
    if (is_new) {
        *at = (uint32_t)c->p.n;
        c->p.at[c->p.n++] = (struct tune_alert){.told_ns = a->time_ns};
    }
    if (*at >= c->p.n)
        return; /* an earlier one found no room */
    struct tune_alert *t = &c->p.at[*at];
    struct span user = activity_get(&a->last, STR_USER);
    memcpy(t->id, a->id, sizeof t->id);
    snprintf(t->rule, sizeof t->rule, "%s", a->rule->id);
    snprintf(t->user, sizeof t->user, "%.*s", (int)(user.size < 150 ? user.size : 150), (const char *)user.at);
    t->source = a->last.source;
    t->start_ns = a->start_ns;
    t->last_ns = a->time_ns;
    t->risk = a->risk;
    t->files = a->n_files;
    t->cases = a->n_cases;
    t->customers = a->n_customers;
    t->bits = a->bits;
    t->is_program = (a->last.flags & ACT_MACHINE) != 0;
    put_why(t, a);
}

static void on_end(void *ctx, const struct analysis *a, const struct summary_span *span)
{
    struct collector *c = ctx;
    struct analysis_totals totals;
    analysis_totals(a, &totals);
    c->p.activities = totals.activities;
    c->p.first_ns = span->first_ns;
    c->p.last_ns = span->last_ns;
    for (int i = 0; i < CHANNELS; i++)
        c->p.has_level[i] = analysis_level(a, (enum channel)i, &c->p.levels[i]);
}

static void judge(const struct tune_job *job, struct collector *c, struct text *why)
{
    struct settings s = *job->s;
    struct activity_log *log = NULL;
    struct summary summary = {0};
    struct replay_hooks hooks = {.ctx = c, .on_alert = on_alert, .on_end = on_end};
    s.out = s.log = s.state = s.redis = s.counters = s.filter = s.transactions = NULL;
    s.keylogs.n = 0;
    s.sinks = NULL;
    s.rules = job->rules ? (char *)(uintptr_t)job->rules : s.rules;
    s.roster = job->roster ? (char *)(uintptr_t)job->roster : s.roster;
    s.feedback = job->feedback ? (char *)(uintptr_t)job->feedback : s.feedback;
    s.budget = job->budget ? job->budget : s.budget;
    c->where = map_new(16, sizeof(uint32_t), MAX_ALERTS, 61);
    c->p.rc = c->where ? activity_log_open(&log, job->paths, job->n_paths, why) : E_NOMEM;
    if (c->p.rc == 0)
        c->p.rc = replay_log_run(&s, log, &hooks, &summary, why);
    activity_log_close(log);
    summary_fini(&summary);
    map_free(c->where);
}

int tune_pass_write(const struct tune_job *job, FILE *to)
{
    struct collector c = {0};
    struct text why = {0};
    const uint32_t magic = MAGIC;
    judge(job, &c, &why);
    snprintf(c.p.error, sizeof c.p.error, "%.390s", text_str(&why));
    bool is_whole = fwrite(&c.p, sizeof c.p, 1, to) == 1 && (!c.p.n || fwrite(c.p.at, sizeof *c.p.at, c.p.n, to) == c.p.n) &&
                    fwrite(&magic, sizeof magic, 1, to) == 1 && fflush(to) == 0;
    int rc = c.p.rc;
    free(c.p.at);
    text_fini(&why);
    return is_whole ? rc : E_IO;
}

int tune_pass_read(FILE *from, struct tune_pass *out)
{
    uint32_t magic = 0;
    bool is_whole = fread(out, sizeof *out, 1, from) == 1;
    size_t n = is_whole ? out->n : 0;
    out->at = n ? calloc(n, sizeof *out->at) : NULL;
    is_whole = is_whole && (!n || (out->at && fread(out->at, sizeof *out->at, n, from) == n)) &&
               fread(&magic, sizeof magic, 1, from) == 1 && magic == MAGIC;
    if (is_whole)
        return 0;
    free(out->at);
    *out = (struct tune_pass){.rc = E_BAD};
    return E_BAD;
}

void tune_pass_free(struct tune_pass *p)
{
    free(p->at);
    *p = (struct tune_pass){0};
}

const struct tune_alert *tune_find(const struct tune_pass *p, const uint8_t id[16])
{
    for (size_t i = 0; i < p->n; i++)
        if (memcmp(p->at[i].id, id, 16) == 0)
            return &p->at[i];
    return NULL;
}

unsigned tune_days(const struct tune_pass *p)
{
    return p->last_ns >= p->first_ns ? time_day(p->last_ns) - time_day(p->first_ns) + 1 : 1;
}

void tune_alert_line(const struct tune_alert *a, struct text *out)
{
    char at[TIME_TEXT_MAX], ip[IPADDR_TEXT_MAX];
    text_addf(out, "%.19sZ %s ", time_text(a->told_ns, at), a->rules);
    shown_add(span_text(a->user[0] ? a->user : "(no credential)"), sizeof a->user, out);
    text_addf(out, " from %s, risk %u, %u files, %u customers", ipaddr_text(&a->source, ip), a->risk, a->files, a->customers);
}
