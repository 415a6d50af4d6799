/* SPDX-License-Identifier: Apache-2.0
 * Who fails to sign in: per source address (IPv6: its /64) how often and with which names, and per name how often. */
#ifndef DETECT_SOURCE_H
#define DETECT_SOURCE_H

#include <stdbool.h>

#include "base/ipaddr.h"
#include "sketch/recent.h"

#define SOURCE_NAMES 32
#define SOURCE_NAME_MAX 48

/* The largest number of failures that one window held, until that is long ago. */
struct burst {
    uint32_t failures, last_s;
};

struct tried_name {
    uint64_t hash;
    uint32_t last_s;
    char name[SOURCE_NAME_MAX]; /* cut, NUL-terminated */
};

struct source {
    struct recent failures, successes;
    struct burst burst;
    uint32_t n_names;                      /* slots used */
    struct tried_name names[SOURCE_NAMES]; /* the latest; when full, the one tried longest ago goes */
};

struct sources;

struct sources_options {
    uint32_t max_sources, max_names;
    uint32_t window_s; /* over which failures count */
    double share;      /* of a source's sign-ins that must fail before its failures are a burst: many people behind one
                        * proxy mistype, too */
};

/* NULL when memory cannot be reserved. */
struct sources *sources_new(const struct sources_options *options);
void sources_free(struct sources *s);
/* One failed sign-in. Returns the source; borrowed until the next call. */
struct source *sources_fail(struct sources *s, const struct ipaddr *ip, struct span name, uint32_t now_s);
/* One that succeeded. */
void sources_succeed(struct sources *s, const struct ipaddr *ip, uint32_t now_s);
/* NULL for a source without failures. */
const struct source *sources_find(const struct sources *s, const struct ipaddr *ip);
/* Different names that failed within 'window_s' before now_s, at most SOURCE_NAMES. */
unsigned source_names(const struct source *s, uint32_t now_s, uint32_t window_s);
/* The most failures of that name, from wherever, that fell into one window of the last 'within_s' seconds. */
unsigned sources_name_failures(const struct sources *s, struct span name, uint32_t now_s, uint32_t within_s);
/* The same for a source. */
unsigned source_burst(const struct source *s, uint32_t now_s, uint32_t within_s);
/* Judges by other numbers from now on; what was counted stays. */
void sources_retune(struct sources *s, uint32_t window_s, double share);
/* Whether several of the source's latest sign-ins got in, so many that what failed is no burst: an office's address. */
bool sources_gets_in(const struct sources *s, const struct source *source, uint32_t now_s);
uint64_t sources_evicted(const struct sources *s);

#endif
