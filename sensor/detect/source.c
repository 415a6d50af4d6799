/* SPDX-License-Identifier: Apache-2.0
 * Failed sign-ins by source and by name, in two capped maps. */
#include "detect/source.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/map.h"

struct name_failures {
    struct recent failures;
    struct burst burst;
};

struct sources {
    struct map *by_ip, *by_name;
    struct sources_options options;
};

struct sources *sources_new(const struct sources_options *options)
{
    struct sources *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->options = *options;
    s->by_ip = map_new(sizeof(struct ipaddr), sizeof(struct source), options->max_sources, 1);
    s->by_name = map_new(sizeof(uint64_t), sizeof(struct name_failures), options->max_names, 2);
    if (!s->by_ip || !s->by_name) {
        sources_free(s);
        return NULL;
    }
    return s;
}

void sources_free(struct sources *s)
{
    if (!s)
        return;
    map_free(s->by_ip);
    map_free(s->by_name);
    free(s);
}

/* A subscriber of IPv6 has at least a /64 to walk about in. */
static struct ipaddr key_of(const struct ipaddr *ip)
{
    return ipaddr_prefix(ip, 32, 64).ip;
}

static void burst_grow(struct burst *b, unsigned failures, uint32_t now_s, uint32_t window_s)
{
    if (failures >= b->failures || now_s - b->last_s >= window_s)
        b->failures = failures;
    b->last_s = now_s;
}

static unsigned burst_within(const struct burst *b, uint32_t now_s, uint32_t within_s)
{
    return b->failures && now_s - b->last_s <= within_s ? b->failures : 0;
}

static void remember_name(struct source *s, struct span name, uint64_t hash, uint32_t now_s)
{
    struct tried_name *oldest = &s->names[0];
    for (uint32_t i = 0; i < s->n_names; i++) {
        if (s->names[i].hash == hash) {
            s->names[i].last_s = now_s;
            return;
        }
        if (s->names[i].last_s < oldest->last_s)
            oldest = &s->names[i];
    }
    struct tried_name *slot = s->n_names < SOURCE_NAMES ? &s->names[s->n_names++] : oldest;
    struct span cut = span_sub(name, 0, SOURCE_NAME_MAX - 1);
    *slot = (struct tried_name){.hash = hash, .last_s = now_s};
    if (cut.size)
        memcpy(slot->name, cut.at, cut.size);
}

struct source *sources_fail(struct sources *s, const struct ipaddr *ip, struct span name, uint32_t now_s)
{
    bool is_new;
    struct ipaddr key = key_of(ip);
    uint64_t hash = hash64(name, 0);
    struct source *source = map_touch(s->by_ip, &key, &is_new);
    recent_add(&source->failures, now_s, s->options.window_s);
    unsigned failures = recent_count(&source->failures, now_s, s->options.window_s);
    unsigned all = failures + recent_count(&source->successes, now_s, s->options.window_s);
    if (failures >= s->options.share * all)
        burst_grow(&source->burst, failures, now_s, s->options.window_s);
    if (name.size) {
        struct name_failures *of_name = map_touch(s->by_name, &hash, &is_new);
        recent_add(&of_name->failures, now_s, s->options.window_s);
        burst_grow(&of_name->burst, recent_count(&of_name->failures, now_s, s->options.window_s), now_s,
                   s->options.window_s);
        remember_name(source, name, hash, now_s);
    }
    return source;
}

void sources_succeed(struct sources *s, const struct ipaddr *ip, uint32_t now_s)
{
    struct ipaddr key = key_of(ip);
    struct source *source = map_find(s->by_ip, &key); /* who never failed is of no interest */
    if (source)
        recent_add(&source->successes, now_s, s->options.window_s);
}

const struct source *sources_find(const struct sources *s, const struct ipaddr *ip)
{
    struct ipaddr key = key_of(ip);
    return map_find(s->by_ip, &key);
}

unsigned source_names(const struct source *s, uint32_t now_s, uint32_t window_s)
{
    unsigned n = 0;
    for (uint32_t i = 0; i < s->n_names; i++)
        n += now_s - s->names[i].last_s <= window_s;
    return n;
}

bool sources_gets_in(const struct sources *s, const struct source *source, uint32_t now_s)
{
    unsigned failures = recent_count(&source->failures, now_s, s->options.window_s);
    unsigned successes = recent_count(&source->successes, now_s, s->options.window_s);
    return successes > 1 && failures < s->options.share * (failures + successes);
}

unsigned sources_name_failures(const struct sources *s, struct span name, uint32_t now_s, uint32_t within_s)
{
    uint64_t hash = hash64(name, 0);
    const struct name_failures *of_name = map_find(s->by_name, &hash);
    return of_name ? burst_within(&of_name->burst, now_s, within_s) : 0;
}

unsigned source_burst(const struct source *s, uint32_t now_s, uint32_t within_s)
{
    return burst_within(&s->burst, now_s, within_s);
}

void sources_retune(struct sources *s, uint32_t window_s, double share)
{
    s->options.window_s = window_s;
    s->options.share = share;
}

uint64_t sources_evicted(const struct sources *s)
{
    return map_evicted(s->by_ip) + map_evicted(s->by_name);
}
