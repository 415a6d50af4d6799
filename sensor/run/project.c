/* SPDX-License-Identifier: Apache-2.0
 * Every analyser's alert log has the same bytes, so a place in it is a place in that of another. */
#include "run/project.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/map.h"
#include "sink/config.h"
#include "store/redis_hash.h"
#include "store/store_keys.h"

#define TURNS 100u    /* between two looks at all baselines */
#define ROOM_LEFT 64u /* of the connection, for what matters more */
#define MAX_BASELINES 1048576u

enum { COUNT_BASELINES, COUNT_REFUSED, COUNT_SINKS, COUNT_N };
static const struct counter_def defs[] = {
    {"project_baselines", "writes", "of baselines to Redis"},
    {"project_refused", "writes", "refused by Redis, another leader among the reasons; tried again"},
    {"project_sinks", "writes", "of how far the sinks are"},
};
_Static_assert(sizeof defs / sizeof *defs == COUNT_N, "one each");

struct project {
    struct project_options o;
    struct map *written; /* hash of a name -> hash of the baseline that Redis has */
    struct redis_hash *hash;
    struct text key;
    uint32_t turns;
    bool is_on, is_more, has_asked, has_sinks;
    unsigned long long told[SINKS_MAX];
    uint64_t counts[COUNT_N];
};

struct project *project_new(const struct project_options *o)
{
    struct project *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->o = *o;
    p->written = map_new(16, 8, MAX_BASELINES, 0);
    p->hash = malloc(sizeof *p->hash);
    if (!p->written || !p->hash) {
        project_free(p);
        return NULL;
    }
    return p;
}

void project_free(struct project *p)
{
    if (!p)
        return;
    map_free(p->written);
    free(p->hash);
    text_fini(&p->key);
    free(p);
}

/* Redis may have none of what was written. */
static void forget(struct project *p)
{
    const void *key;
    void *value;
    while (map_oldest(p->written, &key, &value)) {
        uint8_t gone[16];
        memcpy(gone, key, sizeof gone);
        map_remove(p->written, gone);
    }
    memset(p->told, 0xff, sizeof p->told);
}

void project_stop(struct project *p)
{
    p->is_on = false;
}

/* --- sinks --- */

static void position_path(const struct project *p, const char *sink, struct text *out)
{
    text_clear(out);
    text_addf(out, "%s/%s.sink", p->o.settings->out, sink);
}

static unsigned long long position_of(const struct project *p, const char *sink)
{
    unsigned long long inode, at = 0;
    struct text path = {0};
    position_path(p, sink, &path);
    FILE *f = fopen(text_str(&path), "re");
    if (f && fscanf(f, "%llu %llu", &inode, &at) != 2)
        at = 0;
    if (f)
        fclose(f);
    text_fini(&path);
    return at;
}

/* Where this analyser's delivery is to begin. */
static void set_position(const struct project *p, const char *sink, uint64_t at)
{
    struct stat st;
    struct text log = {0}, path = {0}, line = {0};
    text_addf(&log, "%s/alerts.ndjson", p->o.settings->out);
    position_path(p, sink, &path);
    if (stat(text_str(&log), &st) == 0) {
        text_addf(&line, "%llu %llu\n", (unsigned long long)st.st_ino, (unsigned long long)at);
        int fd = open(text_str(&path), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0640);
        if (fd < 0 || write(fd, line.at, line.size) != (ssize_t)line.size)
            unlink(text_str(&path)); /* it begins at the first alert then: twice is better than never */
        if (fd >= 0)
            close(fd);
    }
    text_fini(&log);
    text_fini(&path);
    text_fini(&line);
}

static void on_sinks(void *ctx, const struct redis_reply *reply)
{
    struct project *p = ctx;
    const struct sink_configs *sinks = p->o.settings->sinks;
    if (!reply || reply_kind(reply) != REPLY_LIST) {
        p->has_asked = false; /* asked again */
        return;
    }
    for (size_t k = 0; sinks && k < sinks->n; k++) {
        uint64_t at = 0;
        for (size_t i = 0; i + 1 < reply_size(reply); i += 2)
            if (span_eq(reply_text(reply_item(reply, i)), span_text(sinks->at[k].name)))
                (void)span_u64(reply_text(reply_item(reply, i + 1)), &at); /* what is no number counts as none */
        set_position(p, sinks->at[k].name, at);
        p->told[k] = at;
    }
    if (p->is_on && !p->has_sinks) {
        p->has_sinks = true;
        p->o.on_sinks(p->o.ctx);
    }
}

static void on_written(void *ctx, const struct redis_reply *reply)
{
    struct project *p = ctx;
    if (reply && reply_kind(reply) != REPLY_ERROR)
        return;
    p->counts[COUNT_REFUSED]++;
    forget(p); /* which of them it was does not matter: all are written again */
}

void project_sinks(struct project *p)
{
    const struct sink_configs *sinks = p->o.settings->sinks;
    for (size_t k = 0; p->is_on && p->has_sinks && sinks && k < sinks->n; k++) {
        unsigned long long at = position_of(p, sinks->at[k].name);
        char text[24];
        if (at == p->told[k])
            continue;
        snprintf(text, sizeof text, "%llu", at);
        text_clear(&p->key);
        text_add_str(&p->key, feed_in_sinks_key(p->o.feed));
        struct span words[] = {SPAN("HSET"), text_span(&p->key), span_text(sinks->at[k].name), span_text(text)};
        if (!feed_in_fenced(p->o.feed, words, 4, on_written, p))
            return;
        p->told[k] = at;
        p->counts[COUNT_SINKS]++;
    }
}

/* --- baselines --- */

static void write_baseline(void *ctx, const struct baseline *b)
{
    struct project *p = ctx;
    uint8_t key[16];
    uint64_t sum = hash64(span_of(b, sizeof *b), 0);
    bool is_new;
    hash128(span_text(b->name), 0, key);
    uint64_t *had = map_find(p->written, key);
    if ((had && *had == sum) || p->is_more)
        return;
    if (feed_in_room(p->o.feed) <= ROOM_LEFT) {
        p->is_more = true;
        return;
    }
    store_key_baseline(&p->key, STORE_PREFIX, span_text(b->name));
    redis_hash_build(p->hash, text_span(&p->key), b);
    p->hash->words[0] = SPAN("HASH");
    if (!feed_in_fenced(p->o.feed, p->hash->words, p->hash->n, on_written, p)) {
        p->is_more = true;
        return;
    }
    had = map_touch(p->written, key, &is_new);
    memcpy(had, &sum, sizeof sum);
    p->counts[COUNT_BASELINES]++;
}

void project_begin(struct project *p)
{
    forget(p);
    p->is_on = p->is_more = true;
    p->has_asked = p->has_sinks = false;
}

void project_turn(struct project *p)
{
    if (!p->is_on)
        return;
    if (!p->has_asked) {
        struct span words[] = {SPAN("HGETALL"), span_text(feed_in_sinks_key(p->o.feed))};
        p->has_asked = feed_in_ask(p->o.feed, words, 2, on_sinks, p);
    }
    project_sinks(p);
    if (p->turns++ % TURNS && !p->is_more)
        return;
    p->is_more = false;
    (void)analysis_each_baseline(p->o.analysis, write_baseline, p); /* an analyser keeps them in memory */
}

struct counters project_counters(const struct project *p)
{
    return (struct counters){defs, p->counts, COUNT_N};
}
