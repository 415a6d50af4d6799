/* SPDX-License-Identifier: Apache-2.0
 * What an analysis is made of. For analysis.c and analysis_feedback.c only. */
#ifndef RUN_ANALYSIS_PARTS_H
#define RUN_ANALYSIS_PARTS_H

#include "app/identity.h"
#include "app/legs.h"
#include "app/memory.h"
#include "app/session_log.h"
#include "app/transfer.h"
#include "base/map.h"
#include "detect/engine.h"
#include "enrich/enrich.h"
#include "run/ahead.h"
#include "run/analysis.h"
#include "run/feedback_log.h"
#include "run/rebuild.h"
#include "sink/sink.h"
#include "store/session_map.h"

struct analysis {
    struct analysis_hooks hooks;
    struct legs *legs;
    struct memory *memory;
    struct identity *identity;
    const struct people *people; /* the identity's; NULL: no file */
    struct transfers *transfers;
    struct session_log *session_log;
    struct session_map *session_map; /* NULL without Redis */
    struct enrich *enrich;
    struct roster *roster; /* NULL: none */
    struct store *store;
    struct engine *engine;
    struct line_file *activities, *alerts, *sessions; /* NULL without --out */
    struct ahead *ahead;     /* NULL without --log */
    struct map *seen;        /* 128-bit hashes of credential names */
    struct map *told;        /* alert id -> severity of its last line */
    char *state;             /* path or NULL */
    const struct settings *settings;  /* borrowed */
    char *rules_dir;
    struct feedback_log *feedback;    /* NULL: nobody gives any */
    struct line_file *journal;        /* of the activities, where no other file has them and verdicts may ask for them */
    char *journal_path;
    struct rebuild *rebuild;          /* live: under way */
    struct text trouble;              /* why verdicts could not be taken up; told at the end */
    uint64_t now_ns;
    uint32_t turns;
    bool is_settled;                  /* its verdicts change nothing of what was learned before */
    struct text line;
    bool is_live;
    struct analysis_totals totals;
};

/* Opens the verdicts of the settings, and the journal they may need. Errors as of analysis_new. */
int analysis_open_feedback(struct analysis *a, const struct settings *s, struct text *why);
/* The verdicts whose time has come before 'now_ns', in their order. */
void analysis_take_up(struct analysis *a, uint64_t now_ns);

/* What the engine at hand learns beside the baselines is kept with them from now on. E_BAD when what is kept already is none. */
int analysis_keep(struct analysis *a, struct text *why);

#endif
