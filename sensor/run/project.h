/* SPDX-License-Identifier: Apache-2.0
 * What the leading analyser writes into Redis of its own state: the baselines that changed, for people and other programs to read, and
 * how far each sink is, for the next leader. Each write is fenced (run/feed_in.h). */
#ifndef RUN_PROJECT_H
#define RUN_PROJECT_H

#include "run/analysis.h"
#include "run/feed_in.h"

struct project;

struct project_options {
    struct feed_in *feed;
    struct analysis *analysis;
    const struct settings *settings; /* sinks, and the directory with their positions; borrowed, as the others */
    /* How far the sinks were is in the directory: they may be served from here on. */
    void (*on_sinks)(void *ctx);
    void *ctx;
};

struct project *project_new(const struct project_options *o);
/* This process leads from now on: asks how far the sinks are, and writes every baseline once. */
void project_begin(struct project *p);
void project_stop(struct project *p);
/* Some times a second, while it leads. */
void project_turn(struct project *p);
/* What changed of the sinks' positions, at once. */
void project_sinks(struct project *p);
struct counters project_counters(const struct project *p);
void project_free(struct project *p);

#endif
