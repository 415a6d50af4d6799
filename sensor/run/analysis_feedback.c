/* SPDX-License-Identifier: Apache-2.0
 * Verdicts of persons: taken up in packet time; what one of them takes back is learned again from the activity log. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "run/analysis_parts.h"

/* Where the activities stand that were judged so far; NULL: nowhere. */
static const char *journal_of(struct analysis *a)
{
    if (a->ahead && a->is_live) {
        ahead_flush(a->ahead);
        return ahead_dir(a->ahead);
    }
    struct line_file *file = a->journal ? a->journal : a->activities;
    if (!file || line_file_flush(file))
        return NULL;
    return line_file_path(file);
}

static int begin_rebuild(struct analysis *a, struct text *why)
{
    const char *log = journal_of(a);
    rebuild_free(a->rebuild);
    a->rebuild = NULL;
    if (!log) {
        text_add_str(why, "a verdict cannot be taken back without an activity log (--out)");
        return E_STATE;
    }
    bool has_geo = a->hooks.has_geo || enrich_has_country(a->enrich) || enrich_has_asn(a->enrich);
    return rebuild_new(&a->rebuild,
                       &(struct rebuild_options){.settings = a->settings, .rules_dir = a->rules_dir, .log = log,
                                                 .is_from_nothing = a->is_live, .has_geo = has_geo},
                       feedback_log_standing(a->feedback), why);
}

static void copy_baseline(void *ctx, const struct baseline *b)
{
    struct store *store = ctx;
    bool is_new;
    struct baseline *kept = store->ops->fetch(store, baseline_name(b), &is_new);
    if (memcmp(kept, b, sizeof *kept) == 0)
        return;
    *kept = *b;
    store->ops->put(store, kept);
}

/* What was learned again takes the place of what was learned before. */
static void adopt(struct analysis *a, struct analysis *from)
{
    struct engine *engine = a->engine;
    struct store *store = a->store;
    if (a->is_live) { /* the store goes on; elsewhere the new one began from the same state */
        store_mem_each(from->store, copy_baseline, a->store);
    } else {
        a->store = from->store;
        from->store = store;
    }
    a->engine = from->engine;
    from->engine = engine;
    engine_adopt(a->engine, a->store, a->roster, a);
    (void)analysis_keep(a, NULL); /* they are there already, and have been read: nothing can be wrong */
    analysis_free(from);
}

static void give_up(struct analysis *a, const char *reason)
{
    rebuild_free(a->rebuild);
    a->rebuild = NULL;
    log_warn("feedback: what was learned stays as it is: %s", reason);
    if (!a->trouble.size)
        text_addf(&a->trouble, "feedback: %s", reason);
}

/* A log that begins later than the baselines cannot make them again. */
static bool is_covered(const struct analysis *a)
{
    uint64_t since = engine_since(a->engine);
    return !a->is_live || !since || rebuild_first_ns(a->rebuild) <= since;
}

/* Goes on with what is under way; true when nothing is. */
static bool go_on(struct analysis *a, uint32_t max)
{
    struct text why = {0};
    int rc = a->rebuild ? rebuild_step(a->rebuild, max, &why) : E_STATE;
    bool is_behind = rc == E_END && a->is_live && journal_of(a) &&
                     (rc = rebuild_step(a->rebuild, max, &why)) == E_MORE;
    if (rc == E_STATE || rc == E_MORE || is_behind) {
        text_fini(&why);
        return rc == E_STATE;
    }
    if (rc == E_END && is_covered(a)) {
        adopt(a, rebuild_take(a->rebuild, a->now_ns));
        rebuild_free(a->rebuild);
        a->rebuild = NULL;
    } else {
        give_up(a, rc == E_END ? "the activity log begins later than the baselines" : text_str(&why));
    }
    text_fini(&why);
    return true;
}

#define REBUILD_TURN 64u /* activities a turn of a live sensor: some milliseconds */

static void take_up_one(struct analysis *a, const struct feedback *f)
{
    struct text why = {0};
    bool is_again = !a->is_settled && feedback_log_rebuilds(a->feedback, f);
    if (!is_again || a->is_live) /* live, the freeze does not wait for the log */
        engine_verdict(a->engine, f);
    if (is_again) {
        a->now_ns = f->time_ns > a->now_ns ? f->time_ns : a->now_ns;
        if (begin_rebuild(a, &why))
            give_up(a, text_str(&why));
        while (!a->is_live && !go_on(a, UINT32_MAX))
            continue;
    }
    text_fini(&why);
}

void analysis_take_up(struct analysis *a, uint64_t now_ns)
{
    const struct feedback *f;
    if (!a->feedback)
        return;
    while ((f = feedback_log_due(a->feedback, now_ns)))
        take_up_one(a, f);
    while ((f = feedback_log_over(a->feedback, now_ns)))
        engine_thaw(a->engine, f);
    a->now_ns = now_ns > a->now_ns ? now_ns : a->now_ns;
}

void analysis_give_feedback(struct analysis *a, struct feedback_log *standing)
{
    a->feedback = standing;
    a->is_settled = true;
}

void analysis_turn(struct analysis *a)
{
    ahead_turn(a->ahead);
    if (a->feedback && a->turns++ % 50 == 0) {
        feedback_log_poll(a->feedback);
        analysis_take_up(a, a->now_ns);
    }
    (void)go_on(a, REBUILD_TURN); /* whether there is more shows the next turn */
}

void analysis_tell_feedback(const struct analysis *a, struct text *out)
{
    if (a->feedback && feedback_log_counters(a->feedback).values[0])
        feedback_log_tell(a->feedback, out);
    if (a->trouble.size)
        text_addf(out, "note      %s\n", text_str(&a->trouble));
    ahead_tell(a->ahead, out);
}

/* The activities again, where nobody else writes them: a file without a name. */
static int open_journal(struct analysis *a, struct text *why)
{
    const char *dir = getenv("TMPDIR");
    if (asprintf(&a->journal_path, "%s/casetap-XXXXXX", dir && *dir ? dir : "/tmp") < 0) {
        a->journal_path = NULL;
        return E_NOMEM;
    }
    int fd = mkstemp(a->journal_path);
    if (fd < 0) {
        text_addf(why, "%s: no file for what verdicts may ask for can be made", a->journal_path);
        return E_IO;
    }
    close(fd);
    return line_file_open(&a->journal, a->journal_path, false, why);
}

int analysis_open_feedback(struct analysis *a, const struct settings *s, struct text *why)
{
    struct text path = {0};
    if (s->feedback)
        text_add_str(&path, s->feedback);
    else if (a->is_live && s->out && s->interface)
        text_addf(&path, "%s/feedback.ndjson", s->out);
    int rc = path.size ? feedback_log_open(&a->feedback, text_str(&path), a->is_live, why) : 0;
    if (rc == 0 && a->feedback && !a->is_live && !a->activities && feedback_log_may_rebuild(a->feedback))
        rc = open_journal(a, why);
    text_fini(&path);
    return rc;
}
