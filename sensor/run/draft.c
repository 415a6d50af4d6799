/* SPDX-License-Identifier: Apache-2.0
 * Drafts: source, pipeline, and what was seen. */
#include "run/draft.h"

#include "app/suggest.h"
#include "base/err.h"
#include "io/key_feed.h"
#include "run/pipeline.h"
#include "run/setup.h"

static void on_candidate(void *ctx, const struct activity *candidate)
{
    (void)ctx;
    (void)candidate; /* flows without HTTP: nothing to draft from */
}

static void on_key_line(void *ctx, struct span line)
{
    pipeline_key_line(ctx, line);
}

static void on_embedded_keys(void *ctx, struct span log)
{
    pipeline_key_log(ctx, log);
}

static int read_keys(struct pipeline *p, const struct settings *s, struct text *why)
{
    for (size_t i = 0; i < s->keylogs.n; i++) {
        struct text said = {0};
        int rc = key_feed_read(s->keylogs.at[i], on_key_line, p, &said);
        if (rc)
            text_add(why, text_span(&said));
        text_fini(&said);
        if (rc)
            return rc;
    }
    return 0;
}

static int read_all(struct pipeline *p, struct source *source, struct text *why)
{
    struct packet packet;
    int rc;
    source_on_secrets(source, on_embedded_keys, p);
    while ((rc = source_next(source, &packet)) >= 0)
        if (rc > 0) /* 0: a pipe that pauses */
            pipeline_packet(p, &packet);
    if (rc != E_END) {
        text_addf(why, "reading stopped: %s", source_last_note(source, err_text(rc)));
        return rc;
    }
    pipeline_flush(p);
    return 0;
}

int draft_run(const struct settings *s, struct source *source, struct text *out, struct text *why)
{
    struct setup setup;
    struct pipeline *pipeline = NULL;
    struct suggest *suggest = suggest_new();
    int rc = suggest ? setup_init(&setup, s, why) : E_NOMEM;
    if (rc) {
        suggest_free(suggest);
        return rc;
    }
    bool is_named = strcmp(s->suggest_profile, "-") != 0;
    struct conn_hooks collect = suggest_hooks(suggest);
    rc = pipeline_new(s, setup.profiles, setup.key,
                      &(struct pipeline_hooks){.on_candidate = on_candidate, .instead = &collect}, &pipeline);
    if (rc == 0)
        rc = read_keys(pipeline, s, why);
    if (rc == 0)
        rc = read_all(pipeline, source, why);
    if (rc == 0)
        rc = suggest_write(suggest, is_named ? span_text(s->suggest_profile) : SPAN(""), out, why);
    pipeline_free(pipeline);
    setup_fini(&setup);
    suggest_free(suggest);
    return rc;
}
