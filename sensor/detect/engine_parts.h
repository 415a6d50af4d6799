/* SPDX-License-Identifier: Apache-2.0
 * What an engine is made of, and the steps that its parts share. For engine.c, engine_connection.c and engine_verdict.c. */
#ifndef DETECT_ENGINE_PARTS_H
#define DETECT_ENGINE_PARTS_H

#include "base/map.h"
#include "detect/agent.h"
#include "detect/budget.h"
#include "detect/detections.h"
#include "detect/engine.h"
#include "detect/marks.h"
#include "detect/norms.h"
#include "detect/remote.h"
#include "detect/ruleset.h"

enum count {
    COUNT_ACTS,
    COUNT_UNNAMED,
    COUNT_FAILURES,
    COUNT_CONNECTIONS,
    COUNT_REMOTE,
    COUNT_AMENDS,
    COUNT_AMENDS_LOST,
    COUNT_IDENTIFIED,
    COUNT_VERDICTS,
    COUNT_VISITS,
    COUNT_ALERTS,
    COUNT_UPDATES,
    COUNT_STORIES_EVICTED,
    COUNT_SESSIONS_EVICTED,
    COUNT_THINGS_EVICTED,
    COUNT_SOURCES_EVICTED,
    COUNT_REMOTES_EVICTED,
    COUNT_N
};

struct engine {
    struct detections *detections;
    struct rules rules; /* borrows from them */
    struct ruleset *ruleset;
    struct store *store;
    struct peers *peers;
    struct sources *sources;
    struct sessions *sessions;
    struct stories *stories;
    struct tally *tally;
    struct agents *agents;
    struct remotes *remotes;
    struct marks *marks;
    struct map *visits, *live, *unnamed;
    struct baseline fleet, groups[PEER_GROUPS]; /* everybody; the volumes of those alike */
    struct norms norms;
    struct budget *budget;
    double alerts_a_day; /* asked for, in place of the rules' budget; 0: as they say */
    struct levels levels; /* of the two above */
    struct activity scratch; /* an act made up of two: see engine_identify */
    const struct session_record *facts; /* of the activity at hand */
    const struct roster *roster;
    bool has_geo, has_fleet, is_fleet_dirty;
    uint64_t now_ns;
    uint64_t counts[COUNT_N];
};

/* A session that has no name yet acts under that of its value. */
static inline bool engine_is_unnamed(struct span user)
{
    return span_starts(user, SPAN("session:"));
}

/* Reads and compiles all of a rules directory. Errors as of engine_new; what was made until then is to be freed. */
int engine_rules_load(const char *rules_dir, const char *own_dir, struct detections **detections, struct rules *rules,
                      struct ruleset **ruleset, struct text *why);
struct visit_key engine_visit_key(uint64_t credential, const struct place *place, const struct client *client);
/* Loads the fleet's baseline: once, before the first act. */
void engine_fleet(struct engine *e);
/* What is known before anything is judged; the visit is still to be found. */
void engine_scene(struct engine *e, struct scene *s, const struct activity *a);
/* The open stories of this act: counts it there, and a line goes out if one is due. */
void engine_tell(struct engine *e, struct scene *s);
/* A flow that is not HTTP. */
void engine_connection(struct engine *e, const struct activity *a);

#endif
