/* SPDX-License-Identifier: Apache-2.0
 * Freeman et al. 2016 over sign-ins: it sees nothing else. A score is the logarithm of its risk. */
#include "eval/judge.h"

#include "base/hash.h"
#include "eval/freeman.h"

#include <math.h>
#include <stdlib.h>

struct freeman_judge {
    struct freeman *model;
    judge_say_fn *say;
    void *ctx;
};

static void *freeman_make(const struct judge *judge, judge_say_fn *say, void *ctx)
{
    (void)judge;
    struct freeman_judge *j = calloc(1, sizeof *j);
    if (!j)
        return NULL;
    *j = (struct freeman_judge){freeman_new(), say, ctx};
    return j;
}

static void freeman_judge_free(void *self)
{
    struct freeman_judge *j = self;
    freeman_free(j->model);
    free(j);
}

/* What stands in the first brackets of a User-Agent: the system. */
static uint64_t system_of(struct span agent)
{
    size_t from = span_find_byte(agent, '(', 0), to = span_find_byte(agent, ')', 0);
    return from < to && to != SIZE_MAX ? hash64(span_sub(agent, from, to - from), 1) : 0;
}

static void freeman_feed(void *self, const struct activity *a)
{
    struct freeman_judge *j = self;
    struct span user = activity_get(a, STR_USER), agent = activity_get(a, STR_AGENT);
    if (a->action != ACTION_LOGIN || a->outcome != OUTCOME_SUCCESS || user.size == 0)
        return;
    struct freeman_login login = {{
        {hash64(span_of(a->source.bytes, 16), 0), a->asn, hash64(span_of(a->country, 2), 0), 0},
        {hash64(agent, 0), (uint64_t)a->client_family << 16 | a->client_major, system_of(agent),
         span_find(agent, SPAN("Mobile"), 0) != SIZE_MAX},
    }};
    uint64_t who = hash64(user, 0);
    const uint64_t key[2] = {who, a->done_ns};
    double risk = freeman_score(j->model, who, &login);
    if (freeman_knows(j->model, who))
        j->say(j->ctx, &(struct verdict){
                           .key = hash64(span_of(key, sizeof key), 0), .time_ns = a->done_ns, .score = log2(risk)});
    freeman_learn(j->model, who, &login);
}

const struct judge *judge_freeman(void)
{
    static const struct judge judge = {"Freeman 2016", true, 0, 0, freeman_make, freeman_feed, freeman_judge_free};
    return &judge;
}
