/* SPDX-License-Identifier: Apache-2.0
 * One array in the order in which records are taken up; those before 'begun' have been. Verdicts are few: they are looked
 * through one by one, and only when one is due or an alert is told. */
#include "run/feedback_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "base/map.h"
#include "base/times.h"

#define MAX_SILENCED 65536u /* different alerts */

struct row {
    struct feedback f;
    bool is_undone; /* by a record that was taken up */
    bool is_over;   /* its time has ended */
    uint64_t silenced;
};

enum { COUNT_APPLIED, COUNT_UNDONE, COUNT_SILENCED, COUNT_BAD, COUNTERS };

static const struct counter_def counter_defs[COUNTERS] = {
    {"feedback_taken_up", "records", "verdicts of persons whose time has come"},
    {"feedback_undone", "records", "verdicts that another one took back"},
    {"feedback_suppressed", "alerts", "not told because a person asked for it"},
    {"feedback_bad", "lines", "of the feedback file that are no feedback records, or more than 65,536"},
};

struct feedback_log {
    struct row *rows;
    size_t n, begun;
    char *path;
    bool is_live;
    off_t read;     /* bytes of the file taken in, whole lines */
    uint32_t line;
    uint64_t next_end_ns; /* no verdict is over before */
    struct map *silenced; /* alert id -> 1 */
    uint64_t counts[COUNTERS];
};

void feedback_log_free(struct feedback_log *l)
{
    if (!l)
        return;
    map_free(l->silenced);
    free(l->rows);
    free(l->path);
    free(l);
}

static struct feedback_log *make(const char *path, bool is_live)
{
    struct feedback_log *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    *l = (struct feedback_log){.is_live = is_live, .next_end_ns = UINT64_MAX};
    l->path = strdup(path);
    l->silenced = map_new(16, 1, MAX_SILENCED, 19);
    if (l->path && l->silenced)
        return l;
    feedback_log_free(l);
    return NULL;
}

/* Behind all that come before it or at the same time; never before what was taken up. */
static int insert(struct feedback_log *l, const struct feedback *f)
{
    if (l->n == FEEDBACK_LOG_MAX)
        return E_LIMIT;
    if (!(l->n & (l->n - 1))) {
        struct row *more = realloc(l->rows, (l->n ? 2 * l->n : 1) * sizeof *more);
        if (!more)
            return E_NOMEM;
        l->rows = more;
    }
    size_t at = l->n;
    while (at > l->begun && l->rows[at - 1].f.time_ns > f->time_ns)
        at--;
    memmove(&l->rows[at + 1], &l->rows[at], (l->n - at) * sizeof *l->rows);
    l->rows[at] = (struct row){.f = *f};
    l->n++;
    return E_OK;
}

static int take_line(struct feedback_log *l, struct span line, struct text *why)
{
    struct feedback f;
    struct text reason = {.max = 512};
    l->line++;
    int rc = line.size > FEEDBACK_LINE_MAX ? E_LIMIT : span_trim(line).size ? feedback_parse(line, &f, &reason) : E_NONE;
    if (rc == E_OK)
        rc = insert(l, &f);
    if (rc == E_NONE) {
        rc = E_OK; /* an empty line */
    } else if (rc != E_OK && l->is_live) {
        l->counts[COUNT_BAD]++;
        rc = E_OK;
    } else if (rc != E_OK) {
        text_addf(why, "%s:%u: %s", l->path, l->line, reason.size ? text_str(&reason) : err_text(rc));
    }
    text_fini(&reason);
    return rc;
}

/* Whole lines from where the last reading ended. */
static int read_more(struct feedback_log *l, struct text *why)
{
    FILE *file = fopen(l->path, "re");
    char line[FEEDBACK_LINE_MAX + 2];
    int rc = E_OK;
    if (!file || fseeko(file, l->read, SEEK_SET) != 0) {
        rc = l->is_live && errno == ENOENT ? E_OK : E_IO;
        if (rc)
            text_addf(why, "%s: %s", l->path, strerror(errno));
        if (file)
            fclose(file);
        return rc;
    }
    while (rc == E_OK && fgets(line, sizeof line, file)) {
        size_t size = strlen(line);
        bool is_whole = size && line[size - 1] == '\n';
        if (!is_whole && l->is_live && feof(file))
            break; /* its end is still to be written */
        l->read += (off_t)size;
        rc = take_line(l, span_of(line, size - is_whole), why);
    }
    if (rc == E_OK && ferror(file)) {
        text_addf(why, "%s: %s", l->path, strerror(errno));
        rc = E_IO;
    }
    fclose(file);
    return rc == E_LIMIT ? E_BAD : rc;
}

int feedback_log_open(struct feedback_log **out, const char *path, bool is_live, struct text *why)
{
    *out = NULL;
    struct feedback_log *l = make(path, is_live);
    int rc = l ? read_more(l, why) : E_NOMEM;
    if (rc) {
        feedback_log_free(l);
        return rc;
    }
    *out = l;
    return E_OK;
}

void feedback_log_poll(struct feedback_log *l)
{
    struct text ignored = {.max = 256};
    if (read_more(l, &ignored))
        l->counts[COUNT_BAD]++;
    text_fini(&ignored);
}

static bool is_teaching(const struct feedback *f)
{
    return f->verdict == VERDICT_BENIGN || f->verdict == VERDICT_MALICIOUS;
}

struct feedback_log *feedback_log_standing(const struct feedback_log *l)
{
    struct feedback_log *copy = make(l->path, false);
    for (size_t i = 0; copy && i < l->begun; i++)
        if (!l->rows[i].is_undone && is_teaching(&l->rows[i].f) && insert(copy, &l->rows[i].f)) {
            feedback_log_free(copy);
            copy = NULL;
        }
    return copy;
}

static struct row *row_of(const struct feedback_log *l, const uint8_t id[16])
{
    for (size_t i = 0; i < l->n; i++)
        if (memcmp(l->rows[i].f.id, id, 16) == 0)
            return &l->rows[i];
    return NULL;
}

/* An undo that is itself undone gives back what it took. Later records speak of earlier ones, so one walk from the end
 * decides. */
static void settle(struct feedback_log *l)
{
    for (size_t i = 0; i < l->begun; i++)
        l->rows[i].is_undone = false;
    for (size_t i = l->begun; i-- > 0;) {
        struct row *target = l->rows[i].f.verdict == VERDICT_UNDO && !l->rows[i].is_undone ? row_of(l, l->rows[i].f.undoes) : NULL;
        if (target && target < &l->rows[i])
            target->is_undone = true;
    }
}

const struct feedback *feedback_log_due(struct feedback_log *l, uint64_t now_ns)
{
    if (l->begun == l->n || l->rows[l->begun].f.time_ns > now_ns)
        return NULL;
    const struct feedback *f = &l->rows[l->begun++].f;
    l->counts[COUNT_APPLIED]++;
    if (f->verdict == VERDICT_UNDO) {
        l->counts[COUNT_UNDONE]++;
        settle(l);
    }
    if (f->verdict == VERDICT_MALICIOUS && f->until_ns && f->until_ns < l->next_end_ns)
        l->next_end_ns = f->until_ns;
    return f;
}

const struct feedback *feedback_log_over(struct feedback_log *l, uint64_t now_ns)
{
    struct row *found = NULL;
    if (now_ns < l->next_end_ns)
        return NULL;
    l->next_end_ns = UINT64_MAX;
    for (size_t i = 0; i < l->begun; i++) {
        struct row *r = &l->rows[i];
        if (r->f.verdict != VERDICT_MALICIOUS || !r->f.until_ns || r->is_over || r->is_undone)
            continue;
        if (r->f.until_ns <= now_ns && (!found || r->f.until_ns < found->f.until_ns))
            found = r;
        if (r->f.until_ns < l->next_end_ns)
            l->next_end_ns = r->f.until_ns;
    }
    if (found)
        found->is_over = true;
    return found ? &found->f : NULL;
}

const struct feedback *feedback_log_target(const struct feedback_log *l, const struct feedback *undo)
{
    const struct row *r = undo->verdict == VERDICT_UNDO ? row_of(l, undo->undoes) : NULL;
    return r ? &r->f : NULL;
}

bool feedback_log_rebuilds(const struct feedback_log *l, const struct feedback *f)
{
    if (f->verdict == VERDICT_MALICIOUS)
        return f->since_ns != 0;
    const struct feedback *target = f;
    for (int i = 0; i < 8 && target && target->verdict == VERDICT_UNDO; i++) /* an undo of an undo of ... */
        target = feedback_log_target(l, target);
    return target && target != f && is_teaching(target);
}

bool feedback_log_may_rebuild(const struct feedback_log *l)
{
    for (size_t i = 0; i < l->n; i++)
        if (feedback_log_rebuilds(l, &l->rows[i].f))
            return true;
    return false;
}

bool feedback_log_forgets(const struct feedback_log *l, struct span user, uint64_t time_ns)
{
    for (size_t i = 0; i < l->n; i++) {
        const struct feedback *f = &l->rows[i].f;
        if (f->verdict == VERDICT_MALICIOUS && f->since_ns && time_ns >= f->since_ns && time_ns < f->time_ns &&
            span_eq(user, span_text(f->user)))
            return true;
    }
    return false;
}

/* The rule alone has spoken in the alert: another one that joined is to be told. */
static bool is_rule_alone(const struct alert *a, const char *rule)
{
    if (strcmp(a->rule->id, rule) != 0)
        return false;
    for (unsigned i = 0; i < a->n_why; i++)
        if (strcmp(a->why[i].field, "rule.id") == 0)
            return false;
    return true;
}

static bool covers(const struct row *r, const struct alert *a)
{
    static const uint8_t none[16];
    const struct feedback *f = &r->f;
    if (f->verdict != VERDICT_SUPPRESS || r->is_undone || (f->until_ns && a->time_ns >= f->until_ns))
        return false;
    if (f->user[0] && !span_eq(activity_get(&a->last, STR_USER), span_text(f->user)))
        return false;
    if (f->rule[0] && !is_rule_alone(a, f->rule))
        return false;
    if (f->has_place && !prefix_has(&f->place, &a->last.source))
        return false;
    return memcmp(f->session, none, sizeof none) == 0 || memcmp(f->session, a->last.session, sizeof none) == 0;
}

bool feedback_log_silences(struct feedback_log *l, const struct alert *a)
{
    for (size_t i = 0; i < l->begun; i++) {
        bool is_new;
        if (!covers(&l->rows[i], a))
            continue;
        (void)map_touch(l->silenced, a->id, &is_new);
        l->rows[i].silenced += is_new;
        l->counts[COUNT_SILENCED] += is_new;
        return true;
    }
    return false;
}

static void tell_suppression(const struct row *r, struct text *out)
{
    char time[TIME_TEXT_MAX], place[PREFIX_TEXT_MAX];
    text_addf(out, "          %llu suppressed:%s%s%s%s%s%s", (unsigned long long)r->silenced, r->f.rule[0] ? " " : "", r->f.rule,
              r->f.user[0] ? " of " : "", r->f.user, r->f.has_place ? " from " : "",
              r->f.has_place ? prefix_text(&r->f.place, place) : "");
    if (r->f.until_ns)
        text_addf(out, ", until %.10s", time_text(r->f.until_ns, time));
    text_addf(out, "%s%s%s%s\n", r->f.by[0] ? ", by " : "", r->f.by, r->f.why[0] ? ": " : "", r->f.why);
}

void feedback_log_tell(const struct feedback_log *l, struct text *out)
{
    size_t undone = 0;
    for (size_t i = 0; i < l->begun; i++)
        undone += l->rows[i].is_undone;
    text_addf(out, "feedback  %zu of %zu verdicts taken up, %zu of them undone; %llu alerts suppressed\n", l->begun, l->n, undone,
              (unsigned long long)l->counts[COUNT_SILENCED]);
    for (size_t i = 0; i < l->begun; i++)
        if (l->rows[i].silenced)
            tell_suppression(&l->rows[i], out);
}

struct counters feedback_log_counters(const struct feedback_log *l)
{
    static const uint64_t nothing[COUNTERS];
    return (struct counters){counter_defs, l ? l->counts : nothing, COUNTERS};
}
