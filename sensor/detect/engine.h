/* SPDX-License-Identifier: Apache-2.0
 * Runs the detectors over settled, enriched activities in order, keeps what they need across acts (sessions, sources,
 * open stories), teaches the baselines, and hands out alerts. One thread; packet time only. */
#ifndef DETECT_ENGINE_H
#define DETECT_ENGINE_H

#include "base/counter.h"
#include "detect/detections.h"
#include "detect/levels.h"
#include "detect/rule_terms.h"
#include "enrich/roster.h"
#include "record/alert.h"
#include "record/feedback.h"
#include "record/session_record.h"
#include "store/store.h"

struct engine;

struct engine_options {
    struct store *store;                                  /* borrowed */
    const char *rules_dir;                                /* with detect.yaml and detections/ */
    const char *own_dir;                                  /* the user's own detections (*.yaml), or NULL */
    double alerts_a_day;                                  /* in place of the budget in the rules; 0: as they say */
    void (*on_alert)(void *ctx, const struct alert *a);   /* new or updated; borrowed during the call */
    void *ctx;
    const struct roster *roster;                          /* who people are; borrowed; NULL = not known */
    bool has_geo;                                         /* whether country and AS are known at all */
};

/* E_CONF with "file:line:column: ..." in why. */
int engine_new(const struct engine_options *options, struct engine **out, struct text *why);
void engine_free(struct engine *e);
/* Judges, then learns. Activities in order of (done_ns, flow_hash, number). */
void engine_activity(struct engine *e, const struct activity *a);
/* The facts of the session that the next activity belongs to, that activity included; NULL: none are known. Borrowed until
 * engine_activity returns. */
void engine_session(struct engine *e, const struct session_record *facts);
/* What a person said of an alert (benign or malicious; others do nothing here), as of the verdict's own time: called before
 * the first act that comes after it. Learned once, however often it is said. */
void engine_verdict(struct engine *e, const struct feedback *f);
/* The time a malicious verdict was given for is over. */
void engine_thaw(struct engine *e, const struct feedback *f);
/* The engine goes on with another store (which holds the same), and tells its alerts to another context. */
void engine_adopt(struct engine *e, struct store *store, const struct roster *roster, void *ctx);
/* Packet time of the first act of the fleet, as far as the store knows; 0 = none. */
uint64_t engine_since(const struct engine *e);
/* Packet time moved on without activities. */
void engine_tick(struct engine *e, uint64_t now_ns);
struct counters engine_counters(const struct engine *e);
/* Of the rules of the language. */
struct counters engine_rule_counters(const struct engine *e);
/* What is loaded, for 'check'. */
const struct detections *engine_detections(const struct engine *e);
/* What new_term rules remember: kept with the baselines. */
struct rule_terms *engine_terms(struct engine *e);
/* What is learned of everybody together: kept with the baselines, too. */
struct levels *engine_levels(struct engine *e);

#endif
