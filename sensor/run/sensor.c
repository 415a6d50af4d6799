/* SPDX-License-Identifier: Apache-2.0
 * Source, pipeline, feed, in one thread. */
#include "run/sensor.h"

#include "base/err.h"
#include "io/key_feed.h"
#include "run/counters_file.h"
#include "run/feed_out.h"
#include "run/pipeline.h"
#include "run/setup.h"

#define TURN_PACKETS 1024u
#define END_MS 60000u

struct sensor {
    struct setup setup;
    struct pipeline *pipeline;
    struct feed_out *feed;
};

int role_of(const struct settings *s, enum role *role, struct text *why)
{
    static const char *const names[] = {"all", "sensor", "analyser"};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(s->role ? s->role : "all", names[i]) == 0) {
            *role = (enum role)i;
            return E_OK;
        }
    text_addf(why, "--role: '%s' is none of all, sensor, analyser", s->role);
    return E_USAGE;
}

static void on_candidate(void *ctx, const struct activity *candidate)
{
    struct sensor *r = ctx;
    feed_out_candidate(r->feed, candidate);
}

static void on_embedded_keys(void *ctx, struct span log)
{
    struct sensor *r = ctx;
    pipeline_key_log(r->pipeline, log);
}

static void on_key_line(void *ctx, struct span line)
{
    struct sensor *r = ctx;
    pipeline_key_line(r->pipeline, line);
}

static int read_keys(struct sensor *r, const struct settings *s, struct text *why)
{
    int rc = 0;
    for (size_t i = 0; i < s->keylogs.n && rc == 0; i++)
        rc = key_feed_read(s->keylogs.at[i], on_key_line, r, why);
    return rc;
}

static int read_all(struct sensor *r, struct source *source, const struct replay_hooks *hooks, struct text *why)
{
    struct packet packet;
    struct source_stats stats;
    int rc;
    source_on_secrets(source, on_embedded_keys, r);
    while ((rc = source_next(source, &packet)) >= 0) {
        if (rc > 0)
            pipeline_packet(r->pipeline, &packet);
        if (rc > 0 && packet.number % TURN_PACKETS) /* else a turn, also when a pipe pauses */
            continue;
        feed_out_turn(r->feed, pipeline_now(r->pipeline));
        source_stats(source, &stats);
        if (hooks->on_progress)
            hooks->on_progress(hooks->ctx, &stats);
    }
    if (rc != E_END) {
        text_addf(why, "reading stopped: %s", source_last_note(source, err_text(rc)));
        return rc;
    }
    pipeline_flush(r->pipeline);
    return feed_out_end(r->feed, pipeline_now(r->pipeline), END_MS, why);
}

static int write_counters(const struct sensor *r, struct source *source, const char *path, struct text *why)
{
    struct line_file *file = NULL;
    struct source_stats stats;
    int rc = path ? line_file_open(&file, path, true, why) : 0;
    if (rc || !file)
        return rc;
    source_stats(source, &stats);
    counters_file_write(file, &stats, feed_out_counters(r->feed), r->pipeline, NULL);
    return line_file_close(file, true, why);
}

int sensor_replay(const struct settings *s, struct source *source, const struct replay_hooks *hooks, struct summary *summary,
                  struct text *why)
{
    struct sensor r = {0};
    int rc = setup_init(&r.setup, s, why);
    if (rc == 0)
        rc = feed_out_open(&r.feed, s, why);
    if (rc == 0)
        rc = pipeline_new(s, r.setup.profiles, r.setup.key, &(struct pipeline_hooks){.ctx = &r, .on_candidate = on_candidate},
                          &r.pipeline);
    if (rc == 0)
        rc = read_keys(&r, s, why);
    if (rc == 0)
        rc = read_all(&r, source, hooks, why);
    if (rc == 0) {
        feed_out_tell(r.feed, &summary->text);
        rc = write_counters(&r, source, s->counters, why);
    }
    pipeline_free(r.pipeline);
    feed_out_free(r.feed);
    setup_fini(&r.setup);
    return rc;
}
