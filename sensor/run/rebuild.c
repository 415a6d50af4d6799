/* SPDX-License-Identifier: Apache-2.0
 * A second analysis, without outputs, that reads the log of the first. */
#include "run/rebuild.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/times.h"

struct rebuild {
    struct settings settings; /* strings borrowed */
    struct activity_log *log;
    struct feedback_log *standing; /* for what is to be forgotten; the analysis has it */
    struct analysis *analysis;
    uint64_t first_ns, last_ns;
};

void rebuild_free(struct rebuild *r)
{
    if (!r)
        return;
    activity_log_close(r->log);
    analysis_free(r->analysis);
    free(r);
}

int rebuild_new(struct rebuild **out, const struct rebuild_options *options, struct feedback_log *standing, struct text *why)
{
    struct rebuild *r = calloc(1, sizeof *r);
    *out = NULL;
    if (!r || !standing) {
        free(r);
        feedback_log_free(standing);
        return E_NOMEM;
    }
    r->settings = *options->settings;
    r->settings.out = NULL;
    r->settings.log = NULL;
    r->settings.redis = NULL;
    r->settings.feedback = NULL;
    if (options->is_from_nothing)
        r->settings.state = NULL;
    r->standing = standing;
    int rc = activity_log_open(&r->log, &options->log, 1, why);
    if (rc == 0)
        rc = analysis_new(&r->settings, options->rules_dir, false,
                          &(struct analysis_hooks){.is_recorded = true, .has_geo = options->has_geo}, &r->analysis, why);
    if (rc) {
        feedback_log_free(standing);
        rebuild_free(r);
        return rc;
    }
    analysis_give_feedback(r->analysis, standing);
    *out = r;
    return E_OK;
}

static void take(struct rebuild *r, const struct activity *a)
{
    if (!r->first_ns)
        r->first_ns = a->time_ns;
    if (feedback_log_forgets(r->standing, activity_get(a, STR_USER), a->time_ns))
        return;
    analysis_recorded(r->analysis, a);
    if (a->done_ns / NS_PER_S > r->last_ns / NS_PER_S)
        analysis_tick(r->analysis, a->done_ns);
    if (a->done_ns > r->last_ns)
        r->last_ns = a->done_ns;
}

int rebuild_step(struct rebuild *r, uint32_t max, struct text *why)
{
    const struct activity *a;
    int rc = 1;
    activity_log_more(r->log);
    for (uint32_t i = 0; i < max && rc > 0; i++) {
        rc = activity_log_next(r->log, &a, why);
        if (rc > 0)
            take(r, a);
    }
    return rc > 0 ? E_MORE : rc;
}

uint64_t rebuild_first_ns(const struct rebuild *r)
{
    return r->first_ns;
}

struct analysis *rebuild_take(struct rebuild *r, uint64_t now_ns)
{
    struct analysis *a = r->analysis;
    analysis_tick(a, now_ns);
    r->analysis = NULL;
    return a;
}
