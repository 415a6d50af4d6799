/* SPDX-License-Identifier: Apache-2.0
 * The sensor's detectors as they ship: baselines in memory, the files of rules/. An alert's score is its risk, and
 * among equals its bits; one that has reached the next class of severity (20 points) is news. */
#include "eval/judge.h"

#include "detect/engine.h"
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>

#define MAX_CREDENTIALS 100000u

struct engine_judge {
    struct store *store;
    struct engine *engine;
    judge_say_fn *say;
    void *ctx;
};

static void on_alert(void *ctx, const struct alert *a)
{
    struct engine_judge *j = ctx;
    uint64_t key;
    memcpy(&key, a->id, sizeof key);
    double bits = a->bits < 0 ? 0 : a->bits > 999 ? 999 : a->bits;
    j->say(j->ctx, &(struct verdict){.key = key, .time_ns = a->time_ns, .score = a->risk + bits / 1000, .alert = a});
}

static void engine_judge_free(void *self)
{
    struct engine_judge *j = self;
    if (j->engine)
        engine_free(j->engine);
    if (j->store)
        j->store->ops->free(j->store);
    free(j);
}

/* $CASETAP_RULES, or what ships. */
static const char *rules_dir(void)
{
    const char *environment = getenv("CASETAP_RULES");
    return environment ? environment : CASETAP_EVAL_RULES;
}

static void *engine_judge_make(const struct judge *judge, judge_say_fn *say, void *ctx)
{
    struct engine_judge *j = calloc(1, sizeof *j);
    struct text why = {0};
    if (!j)
        return NULL;
    j->say = say;
    j->ctx = ctx;
    int rc = store_mem_open(&j->store, NULL, MAX_CREDENTIALS, &why);
    if (rc == 0)
        rc = engine_new(&(struct engine_options){.store = j->store, .rules_dir = rules_dir(), .alerts_a_day = judge->a_day, .on_alert = on_alert, .ctx = j,
                                                 .has_geo = true},
                        &j->engine, &why);
    if (rc)
        fprintf(stderr, "casetap-eval: %s\n", text_str(&why));
    text_fini(&why);
    if (rc == 0)
        return j;
    engine_judge_free(j);
    return NULL;
}

static void engine_judge_feed(void *self, const struct activity *a)
{
    struct engine_judge *j = self;
    engine_activity(j->engine, a);
}

const struct judge *judge_engine(unsigned which)
{
    static const struct judge judges[] = {
        {"casetap", true, 20, 10, engine_judge_make, engine_judge_feed, engine_judge_free},
        {"casetap, 5 a day", true, 20, 5, engine_judge_make, engine_judge_feed, engine_judge_free},
        {"casetap, 25 a day", true, 20, 25, engine_judge_make, engine_judge_feed, engine_judge_free},
        {"casetap, 50 a day", true, 20, 50, engine_judge_make, engine_judge_feed, engine_judge_free},
    };
    return which < sizeof judges / sizeof *judges ? &judges[which] : NULL;
}

const struct judge *judge_at(size_t i)
{
    const struct judge *all[] = {judge_engine(0), judge_engine(1), judge_engine(2),  judge_engine(3),
                                 judge_static(),  judge_freeman(), judge_zscore(), judge_elastalert()};
    return i < sizeof all / sizeof *all ? all[i] : NULL;
}
